// SPDX-License-Identifier: Apache-2.0
// What the start of DIGLIM consists of: parsing the kernel's BTF, verification, the rest of loading,
// attaching.
#include "selftests/bench/startup_bench.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "diglim.skel.h"
#include "selftests/bench/measure.h"

namespace diglim::bench {
namespace {

constexpr unsigned kLogStats = 4;  // BPF_LOG_STATS of include/linux/bpf_verifier.h: only the summary
constexpr size_t kLogBytes = 4096;

struct DestroyDiglim {
  void operator()(diglim_bpf* object) const { diglim_bpf__destroy(object); }
};

// The number before or after a fixed text of the verifier's summary.
double number_after(const std::string& text, const char* label) {
  const size_t at = text.find(label);
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + std::strlen(label), nullptr);
}

}  // namespace

bool measure_startup() {
  Stopwatch watch;
  {
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
    if (!types) return (void)fprintf(stderr, "table_bench: cannot read the kernel's BTF\n"), false;
    print("startup_btf_ns", watch.lap_ns());
  }
  const std::unique_ptr<diglim_bpf, DestroyDiglim> object(diglim_bpf__open());
  if (!object) return (void)fprintf(stderr, "table_bench: cannot open the programs\n"), false;
  object->rodata->diglim_mode = DIGLIM_MODE_PERMISSIVE;
  object->rodata->diglim_hidden_ns = 1;  // else the verifier leaves out what guards it
  std::vector<std::pair<const char*, std::vector<char>>> logs;
  // As loader/kernel/programs.cpp has it: one of the two fits this kernel.
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  const int hook = btf__find_by_name_kind(types.get(), "bpf_lsm_inode_setattr", BTF_KIND_FUNC);
  const btf_type* function = btf__type_by_id(types.get(), static_cast<uint32_t>(hook));
  const bool has_idmap = btf_vlen(btf__type_by_id(types.get(), function->type)) == 3;
  (void)bpf_program__set_autoload(has_idmap ? object->progs.diglim_setattr_6_1 : object->progs.diglim_setattr,
                                  false);
  if (btf__find_by_name_kind(types.get(), "bpf_lsm_mmap_backing_file", BTF_KIND_FUNC) < 0)
    (void)bpf_program__set_autoload(object->progs.diglim_mmap_below, false);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object->obj) {
    if (!bpf_program__autoload(program)) continue;
    auto& [name, log] = logs.emplace_back(bpf_program__name(program), std::vector<char>(kLogBytes));
    (void)bpf_program__set_log_level(program, kLogStats);  // fails only for a loaded program
    (void)bpf_program__set_log_buf(program, log.data(), log.size());
  }
  (void)watch.lap_ns();
  if (diglim_bpf__load(object.get()) != 0)
    return (void)fprintf(stderr, "table_bench: cannot load the programs\n"), false;
  print("startup_load_ns", watch.lap_ns());
  double verification_us = 0;
  double instructions = 0;
  for (const auto& [name, log] : logs) {
    const std::string text(log.data());
    const double time_us = number_after(text, "verification time ");
    const double processed = number_after(text, "processed ");
    if (time_us < 0 || processed < 0) {
      return (void)fprintf(stderr, "table_bench: %s: no summary from the verifier\n", name), false;
    }
    (void)fprintf(stderr, "%-28s %8.0f us verification, %6.0f BPF instructions walked\n", name, time_us,
                  processed);
    verification_us += time_us;
    instructions += processed;
  }
  print("startup_verification_ns", verification_us * 1000);
  print("startup_verified_insns", instructions);
  (void)watch.lap_ns();
  if (diglim_bpf__attach(object.get()) != 0)
    return (void)fprintf(stderr, "table_bench: cannot attach\n"), false;
  print("startup_attach_ns", watch.lap_ns());
  return true;
}

}  // namespace diglim::bench
