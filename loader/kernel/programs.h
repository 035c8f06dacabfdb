// SPDX-License-Identifier: Apache-2.0
// Bringing the BPF programs up at boot: probe, load, fill, attach, pin.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/crypto/hash.h"
#include "loader/kernel/hold.h"
#include "policy/ima_policy.h"

struct bpf_object;
struct bpf_link;

namespace diglim {

// What only the kernel knows; bpf/probe.bpf.c finds it.
struct KernelFacts {
  HashAlgo algo = HashAlgo::kSha256;  // the kernel's ima_hash
  Bytes own_digest;                   // of /proc/self/exe, as the kernel computes it
  uint64_t hidden_namespace = 0;      // address of the struct mnt_namespace in which we pin
  bool nsfs_is_open = false;          // nsfs gives out files of namespaces and asks about no task
  bool module_signatures = false;     // it refuses modules that its own keys did not sign
};

// kUnsupported with what is missing (lsm= without bpf, no IMA, no BTF). `open_folder` opens a directory in
// the namespace that becomes hidden_namespace; the probe, which looks at this process only, sees it.
Result<KernelFacts> probe_kernel(const std::function<Result<Fd>()>& open_folder);

// Names ("diglim.bpf.o") and bytes of the objects that this loader carries. The bytes live as long as the
// process.
std::vector<std::pair<std::string, ByteView>> program_objects();

// The loaded programs. Destroying it closes this process's references: the programs stay attached only if
// pinned or held.
class Programs {
 public:
  // Loads without attaching. The settings and facts become constants of the programs.
  struct Settings {
    diglim_mode mode = DIGLIM_MODE_ENFORCE;
    bool ima_was_active = false;                  // an IMA policy may have collected files before
    bool measure = false;                         // IMA measures what is unknown
    PolicyLabels labels = PolicyLabels::kNone;    // by rules with these labels
    bool log_allowed = false;                     // the first execution of a content is an event
    diglim_monitor monitor = DIGLIM_MONITOR_OFF;  // who may begin monitor mode
    std::string boot_id;                          // which a statement for it has to name
  };
  static Result<Programs> load(const Settings& settings, const KernelFacts& facts);

  Programs(Programs&&) noexcept;
  ~Programs();

  int generations_fd() const;
  int role_fd() const;  // the program of take_role() (kernel/roles.h)
  int keep_fd() const;  // the program of Lease (kernel/lease.h)
  // Gives the digest a meaning of its own (DIGLIM_FLAG_*).
  Result<void> set_flags(ByteView digest, uint32_t flags);
  // IMA measures from now on, until the next boot: measure mode no longer denies unknown files.
  void set_measuring();
  // Attaches every program, the guards last. All or nothing: on an error none stays attached.
  Result<void> attach();
  // Pins every link, `keys`, and the objects that no attached program uses.
  Result<void> pin(const HiddenFolder& hidden, const Fd& keys);

 private:
  struct State;
  explicit Programs(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace diglim
