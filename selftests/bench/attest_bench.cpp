// SPDX-License-Identifier: Apache-2.0
// What the verifier costs on one core: verifications per second for logs of 1, 100 and 10,000 entries, and
// the memory of the largest. Usage: attest_bench [SECONDS]
#include <sys/resource.h>

#include <cstdlib>

#include "lib/attest/test_attester.h"
#include "lib/attest/verify.h"
#include "selftests/bench/measure.h"

namespace diglim::bench {
namespace {

constexpr size_t kListsOfAHost = 2000;

// Of this process: the figures are of one core, whatever else the machine does.
double cpu_seconds() {
  timespec now = {};
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);  // cannot fail for this clock
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// A host with 2,000 packages on which `files` unknown files ran, all of them tolerated.
bool measure(size_t files, double seconds) {
  TestAttester machine;
  for (size_t i = 0; i < kListsOfAHost; ++i) {
    const std::string nevra = "package" + std::to_string(i) + "-1.0-1.x86_64";
    machine.boot.lists.push_back(
        {machine.boot.lists[0].hash, "0-file_list-rpm-" + nevra, nevra, "CN=Distribution"});
  }
  VerifierPolicy policy = machine.policy();
  for (size_t i = 0; i < files; ++i) {
    NewImaEvent file;
    file.template_name = "ima-sig";
    file.digest = Bytes(32, static_cast<uint8_t>(i));
    file.digest[1] = static_cast<uint8_t>(i >> 8);
    file.path = "/opt/tool/bin/program-" + std::to_string(i);
    policy.tolerated_files.insert(file.digest);
    machine.files.push_back(std::move(file));
  }
  const auto bundle = write_bundle(machine.bundle());
  const Bytes ak = machine.ak();
  if (!bundle) return false;
  std::vector<double> per_second;
  const double end = cpu_seconds() + seconds;
  while (cpu_seconds() < end || per_second.size() < 3) {
    const double start = cpu_seconds();
    const Verdict verdict = verify_attestation({*bundle, ak, machine.nonce}, policy);
    per_second.push_back(1 / (cpu_seconds() - start));
    if (!verdict.trusted() || verdict.unknown.size() != files) return false;
  }
  const std::string name = "verify_" + std::to_string(files);
  print((name + "_per_second").c_str(), per_second);
  print((name + "_bundle_bytes").c_str(), static_cast<double>(bundle->size()));
  rusage usage = {};
  (void)getrusage(RUSAGE_SELF, &usage);
  print((name + "_max_rss_kib").c_str(), static_cast<double>(usage.ru_maxrss));
  return true;
}

}  // namespace
}  // namespace diglim::bench

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 3;
  for (const size_t files : {1u, 100u, 10000u}) {
    if (!diglim::bench::measure(files, seconds)) {
      (void)fprintf(stderr, "attest_bench: a good bundle was refused\n");
      return 1;
    }
  }
  return 0;
}
