// SPDX-License-Identifier: Apache-2.0
// table_bench list: a signed compact list of random digests.
// table_bench tables: verifying such a list, building the table of it, looking up; against hash maps of the
// kernel. table_bench grow: the same of any number of digests in any number of lists, without the peers.
// table_bench startup: loading and attaching the programs.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/crypto/openssl.h"
#include "lib/digest_list/compact.h"
#include "lib/digest_list/digest_list.h"
#include "loader/kernel/maps.h"
#include "lookup.skel.h"
#include "selftests/bench/measure.h"
#include "selftests/bench/startup_bench.h"

namespace diglim::bench {
namespace {

constexpr size_t kDigestBytes = 32;
constexpr size_t kQueries = sizeof(lookup_bpf::lookup_bpf__bss::queries) / kDigestBytes;
constexpr int kRounds = 7;

// SplitMix64 (Steele, Lea and Flood, 2014): the same digests on every machine.
Bytes random_digests(size_t count, uint64_t seed) {
  Bytes out;
  out.reserve(count * kDigestBytes);
  for (size_t i = 0; i < count * kDigestBytes / 8; ++i) {
    uint64_t z = seed += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    put_u64_le(out, z ^ (z >> 31));
  }
  return out;
}

Result<void> write_list(size_t count, uint64_t seed, const std::string& key, const std::string& certificate,
                        const std::string& path) {
  const Bytes content = write_compact(HashAlgo::kSha256, random_digests(count, seed));
  TRY_ASSIGN(const Bytes signature, sign_cms(content, key, certificate));
  return write_file_atomically(path, append_signature(content, signature, SignatureType::kPkcs7), 0644);
}

class Measurement {
 public:
  explicit Measurement(size_t digests) : digests_(static_cast<double>(digests)) {}
  void per_digest(const std::string& name, double total) const { print(name.c_str(), total / digests_); }

 private:
  double digests_;
};

Result<Fd> build_hash(const std::string& name, const Bytes& digests, bool preallocated) {
  const auto count = static_cast<uint32_t>(digests.size() / kDigestBytes);
  const Measurement measurement(count);
  std::vector<uint32_t> values(count, 1);
  Stopwatch watch;
  LIBBPF_OPTS(bpf_map_create_opts, options);
  options.map_flags = preallocated ? 0u : static_cast<__u32>(BPF_F_NO_PREALLOC);
  Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, ("bench_" + name).c_str(), kDigestBytes, sizeof(uint32_t), count,
                        &options));
  if (!map) return from_errno("create " + name, errno);
  if (preallocated) {
    for (size_t i = 0; i < count; ++i) {
      if (bpf_map_update_elem(map.get(), digests.data() + i * kDigestBytes, &values[i], BPF_ANY) != 0) {
        return from_errno("fill " + name, errno);
      }
    }
  } else {
    uint32_t done = count;
    if (bpf_map_update_batch(map.get(), digests.data(), values.data(), &done, nullptr) != 0) {
      return from_errno("fill " + name, errno);
    }
  }
  measurement.per_digest(name + "_build_ns", watch.lap_ns());
  TRY_ASSIGN(const uint64_t accounted_bytes, map_memory(map));
  measurement.per_digest(name + "_accounted_bytes", static_cast<double>(accounted_bytes));
  return map;
}

// The steps of `diglim-loader load` after verification, one by one. Takes `lists` of digests.
Result<void> build_table(std::vector<Bytes> lists, const Fd& generations) {
  size_t count = 0;
  for (const Bytes& digests : lists) count += digests.size() / kDigestBytes;
  const Measurement measurement(count);
  Stopwatch watch(CLOCK_PROCESS_CPUTIME_ID);
  Stopwatch all;
  Generation generation(HashAlgo::kSha256);
  for (size_t i = 0; i < lists.size(); ++i) {
    LoadedList loaded;
    const std::string name = "0-file_list-rpm-package-" + std::to_string(i) + "-1.0-1.x86_64";
    const Bytes hash(32, 1);
    loaded.name = name;
    loaded.package = loaded.name.substr(16);
    loaded.signer = "RSA/SHA256 24c6a8a7f4a80eb5 Some Vendor <security@example.org>";
    loaded.content_hash = hash;
    TRY(generation.put(loaded, std::move(lists[i])));
  }
  measurement.per_digest("table_put_ns", watch.lap_ns());
  NewMap next(kGenerationMap, true);
  size_t elements = 0;
  TRY(generation.seal(1, [&](size_t wanted) { return next.allocate(elements = wanted); }));
  measurement.per_digest("table_prepare_ns", watch.lap_ns());
  TRY_ASSIGN(const Fd map, next.freeze());
  const uint32_t zero = 0;
  const int fd = map.get();
  if (bpf_map_update_elem(generations.get(), &zero, &fd, BPF_ANY) != 0) return from_errno("publish", errno);
  measurement.per_digest("table_publish_ns", watch.lap_ns());
  measurement.per_digest("table_passed_ns", all.lap_ns());
  rusage usage = {};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return from_errno("getrusage", errno);
  print("table_peak_kib", static_cast<double>(usage.ru_maxrss));
  TRY_ASSIGN(const uint64_t accounted_bytes, map_memory(map));
  measurement.per_digest("table_accounted_bytes", static_cast<double>(accounted_bytes));
  measurement.per_digest("table_map_bytes", static_cast<double>(elements * 256));
  (void)watch.lap_ns();
  TRY_ASSIGN(const auto read_back, read_generation(generations));
  measurement.per_digest("table_decode_ns", watch.lap_ns());
  if (!read_back || read_back->distinct_digests() != count) return corrupt(0, "digests got lost");
  return {};
}

// The least of some rounds, per lookup: whatever else happened can only have made one slower.
Result<double> run_lookups(lookup_bpf& object, const bpf_program* program, uint64_t expected) {
  double least_ns = 0;
  for (int i = 0; i < kRounds; ++i) {
    object.bss->found = 0;
    LIBBPF_OPTS(bpf_test_run_opts, options);
    Stopwatch watch;
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0)
      return from_errno("run lookups", errno);
    const double passed_ns = watch.lap_ns();
    if (object.bss->found != expected)
      return corrupt(0, std::string(bpf_program__name(program)) + " found " +
                            std::to_string(object.bss->found) + " digests");
    if (i == 0 || passed_ns < least_ns) least_ns = passed_ns;
  }
  return least_ns / static_cast<double>(kQueries);
}

Result<void> measure_lookups(lookup_bpf& object, const char* kind, uint64_t expected) {
  struct Subject {
    const char* name;
    const bpf_program* program;
  };
  const Subject subjects[] = {{"table", object.progs.lookup_table},
                              {"hash", object.progs.lookup_hash},
                              {"prealloc", object.progs.lookup_prealloc}};
  TRY_ASSIGN(const double empty_ns, run_lookups(object, object.progs.lookup_nothing, 0));
  for (const Subject& subject : subjects) {
    TRY_ASSIGN(const double lookup_ns, run_lookups(object, subject.program, expected));
    print((std::string(subject.name) + "_" + kind + "_ns").c_str(), lookup_ns - empty_ns);
  }
  return {};
}

// All queries, from some digests.
void ask_for(lookup_bpf& object, ByteView digests) {
  object.bss->lookup_count = kQueries;
  const size_t count = digests.size() / kDigestBytes;
  for (size_t i = 0; i < kQueries; ++i) {
    // A prime step: neighbours in time are no neighbours in memory.
    std::memcpy(object.bss->queries[i], digests.data() + i * 7919 % count * kDigestBytes, kDigestBytes);
  }
}

struct DestroyLookup {
  void operator()(lookup_bpf* object) const { lookup_bpf__destroy(object); }
};

Result<void> measure_tables(const std::string& list, const std::string& keys) {
  const std::unique_ptr<lookup_bpf, DestroyLookup> object(lookup_bpf__open());
  if (!object) return from_errno("open lookup.bpf.o", errno);
  TRY_ASSIGN(const TrustStore trust, TrustStore::from_folder(keys, {}));
  Stopwatch watch;
  TRY_ASSIGN(DigestList content, verify_digest_list_file(list, trust));
  const double verify_ns = watch.lap_ns();
  const Bytes digests = std::move(content.digests[HashAlgo::kSha256]);
  Measurement(digests.size() / kDigestBytes).per_digest("table_verify_ns", verify_ns);
  TRY_ASSIGN(const Fd hash, build_hash("hash", digests, false));
  TRY_ASSIGN(const Fd prealloc, build_hash("prealloc", digests, true));
  if (bpf_map__reuse_fd(object->maps.peer_hash, hash.get()) != 0 ||
      bpf_map__reuse_fd(object->maps.peer_prealloc, prealloc.get()) != 0) {
    return from_errno("hand over the hash maps", errno);
  }
  if (lookup_bpf__load(object.get()) != 0) return from_errno("load lookup.bpf.o", errno);
  const Fd generations(dup(bpf_map__fd(object->maps.diglim_gens)));
  if (!generations) return from_errno("dup", errno);
  TRY(build_table({digests}, generations));
  ask_for(*object, digests);
  TRY(measure_lookups(*object, "hit", kQueries));
  ask_for(*object, random_digests(kQueries, 0xabcdef));
  return measure_lookups(*object, "miss", 0);
}

// Without verification and without peers, so that ten million digests are a matter of seconds.
Result<void> measure_growth(size_t count, size_t lists) {
  const std::unique_ptr<lookup_bpf, DestroyLookup> object(lookup_bpf__open_and_load());
  if (!object) return from_errno("load lookup.bpf.o", errno);
  const Fd generations(dup(bpf_map__fd(object->maps.diglim_gens)));
  if (!generations) return from_errno("dup", errno);
  std::vector<Bytes> all;
  Bytes some;  // of every list
  for (size_t i = 0; i < lists; ++i) {
    all.push_back(random_digests(count / lists, 1 + i * 0x123456789abcdefULL));
    append(some,
           ByteView(all.back()).first(std::min(all.back().size(), (kQueries / lists + 1) * kDigestBytes)));
  }
  TRY(build_table(std::move(all), generations));
  ask_for(*object, some);
  TRY_ASSIGN(const double empty_ns, run_lookups(*object, object->progs.lookup_nothing, 0));
  TRY_ASSIGN(const double hit_ns, run_lookups(*object, object->progs.lookup_table, kQueries));
  ask_for(*object, random_digests(kQueries, 0xabcdef));
  TRY_ASSIGN(const double miss_ns, run_lookups(*object, object->progs.lookup_table, 0));
  print("table_hit_ns", hit_ns - empty_ns);
  print("table_miss_ns", miss_ns - empty_ns);
  return {};
}

constexpr char kHelp[] =
    "Usage: table_bench list COUNT SEED KEY.pem CERT.pem OUT\n"
    "       table_bench tables LIST KEYS-DIR\n"
    "       table_bench grow DIGESTS LISTS\n"
    "       table_bench startup\n"
    "All but the first need root, and must not meet a DIGLIM that runs. Exit: 0 ok, 2 usage, 3 could not be "
    "measured.\n";

int main(int argc, char** argv) {
  init_openssl();
  libbpf_set_print([](libbpf_print_level level, const char* format, va_list arguments) {
    return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
  });
  const std::string_view verb = argc > 1 ? argv[1] : "";
  Result<void> result;
  if (verb == "list" && argc == 7) {
    result = write_list(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10), argv[4],
                        argv[5], argv[6]);
  } else if (verb == "tables" && argc == 4) {
    result = measure_tables(argv[2], argv[3]);
  } else if (verb == "grow" && argc == 4) {
    result = measure_growth(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  } else if (verb == "startup" && argc == 2) {
    return measure_startup() ? 0 : 3;
  } else {
    (void)fputs(kHelp, stderr);
    return 2;
  }
  if (!result) {
    (void)fprintf(stderr, "table_bench: %s\n", escape(result.error().message, 1000).c_str());
    return 3;
  }
  return 0;
}

}  // namespace
}  // namespace diglim::bench

int main(int argc, char** argv) {
  return diglim::bench::main(argc, argv);
}
