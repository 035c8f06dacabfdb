// SPDX-License-Identifier: Apache-2.0
// What the verifier costs on one core. Usage: attest_bench [SECONDS [alone|fleet]]
// "verify_N": each bundle judged alone, for logs of N unknown files (and two entries more).
// "fleet": 256 machines of one kind, each with a key of its own, one unknown file, one verifier that keeps
// the manifest. "whole": the bundles have it; "short": they leave it out. "ecdsa_p256": OpenSSL's
// verification of a signature, key and context made before: the floor, measured in turns with the fleet.
// "of_floor" is bundles a second over that.
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

#include "lib/attest/test_attester.h"
#include "lib/attest/verify.h"
#include "lib/crypto/openssl.h"
#include "selftests/bench/measure.h"

namespace diglim::bench {
namespace {

constexpr size_t kListsOfAHost = 2000;
constexpr size_t kMachines = 256;
constexpr size_t kTurn = 64;  // calls between two looks at the clock

// Of this process: the figures are of one core, whatever else the machine does.
double cpu_seconds() {
  timespec now = {};
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);  // cannot fail for this clock
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// A host with 2,000 packages on which `files` unknown files ran, all of them tolerated.
void furnish(TestAttester& machine, size_t files, VerifierPolicy& policy) {
  for (size_t i = 0; i < kListsOfAHost; ++i) {
    const std::string nevra = "package" + std::to_string(i) + "-1.0-1.x86_64";
    machine.boot.lists.push_back(
        {machine.boot.lists[0].hash, "0-file_list-rpm-" + nevra, nevra, "CN=Distribution"});
  }
  for (size_t i = 0; i < files; ++i) {
    NewImaEvent file;
    file.template_name = "ima-sig";
    file.digest = Bytes(32, static_cast<uint8_t>(i));
    file.digest[1] = static_cast<uint8_t>(i >> 8);
    file.path = "/opt/tool/bin/program-" + std::to_string(i);
    policy.tolerated_files.insert(file.digest);
    machine.files.push_back(std::move(file));
  }
}

bool measure(size_t files, double seconds) {
  TestAttester machine;
  VerifierPolicy policy = machine.policy();
  furnish(machine, files, policy);
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

struct Request {
  Bytes bundle, ak, nonce;
};

class Fleet {
 public:
  Fleet() : verifier_(policy()) {}

  bool make() {
    for (size_t i = 0; i < kMachines; ++i) {
      TestAttester machine;
      VerifierPolicy ignored;
      furnish(machine, 1, ignored);
      Bundle bundle = machine.bundle();
      const auto whole = write_bundle(bundle);
      bundle.manifests.clear();
      const auto without = write_bundle(bundle);
      if (!whole || !without) return false;
      whole_.push_back({*whole, machine.ak(), machine.nonce});
      short_.push_back({*without, machine.ak(), machine.nonce});
    }
    print("fleet_whole_bundle_bytes", static_cast<double>(whole_[0].bundle.size()));
    print("fleet_short_bundle_bytes", static_cast<double>(short_[0].bundle.size()));
    return verify(whole_);
  }
  bool verify_whole() { return verify(whole_); }
  bool verify_short() { return verify(short_); }

 private:
  static VerifierPolicy policy() {
    TestAttester machine;
    VerifierPolicy policy = machine.policy();
    furnish(machine, 1, policy);
    return policy;
  }
  bool verify(const std::vector<Request>& requests) {
    const Request& request = requests[next_++ % requests.size()];
    return verifier_.verify({request.bundle, request.ak, request.nonce}).trusted();
  }

  Verifier verifier_;
  std::vector<Request> whole_, short_;
  size_t next_ = 0;
};

// A signature over 32 bytes, as `openssl speed ecdsap256` verifies it.
class Ecdsa {
 public:
  bool make() {
    key_.reset(EVP_EC_gen("P-256"));
    const PkeyContextPtr signer(EVP_PKEY_CTX_new(key_.get(), nullptr));
    size_t size = 0;
    if (!signer || EVP_PKEY_sign_init(signer.get()) != 1 ||
        EVP_PKEY_sign(signer.get(), nullptr, &size, digest_.data(), digest_.size()) != 1)
      return false;
    signature_.resize(size);
    if (EVP_PKEY_sign(signer.get(), signature_.data(), &size, digest_.data(), digest_.size()) != 1)
      return false;
    signature_.resize(size);
    verifier_.reset(EVP_PKEY_CTX_new(key_.get(), nullptr));
    return verifier_ && EVP_PKEY_verify_init(verifier_.get()) == 1;
  }
  bool verify() {
    return EVP_PKEY_verify(verifier_.get(), signature_.data(), signature_.size(), digest_.data(),
                           digest_.size()) == 1;
  }

 private:
  PkeyPtr key_;
  PkeyContextPtr verifier_;
  Bytes digest_ = Bytes(32, 0x5a);
  Bytes signature_;
};

// Calls a second of one turn; 0 if a call failed.
template <typename Call>
double turn(Call call) {
  const double start = cpu_seconds();
  for (size_t i = 0; i < kTurn; ++i) {
    if (!call()) return 0;
  }
  return kTurn / (cpu_seconds() - start);
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[(samples.size() - 1) / 2];
}

// In turns, so that what else the machine does falls on all three.
bool measure_fleet(double seconds) {
  Fleet fleet;
  Ecdsa ecdsa;
  if (!fleet.make() || !ecdsa.make()) return false;
  std::vector<double> whole, without, floor;
  const double end = cpu_seconds() + 3 * seconds;
  while (cpu_seconds() < end || floor.size() < 3) {
    whole.push_back(turn([&] { return fleet.verify_whole(); }));
    without.push_back(turn([&] { return fleet.verify_short(); }));
    floor.push_back(turn([&] { return ecdsa.verify(); }));
    if (whole.back() == 0 || without.back() == 0 || floor.back() == 0) return false;
  }
  print("fleet_whole_per_second", whole);
  print("fleet_short_per_second", without);
  print("ecdsa_p256_per_second", floor);
  print("fleet_whole_of_floor", median(whole) / median(floor));
  print("fleet_short_of_floor", median(without) / median(floor));
  return true;
}

}  // namespace
}  // namespace diglim::bench

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 3;
  const std::string part = argc > 2 ? argv[2] : "all";
  bool good = true;
  if (part != "fleet") {
    for (const size_t files : {1u, 100u, 10000u}) good = good && diglim::bench::measure(files, seconds);
  }
  if (part != "alone") good = good && diglim::bench::measure_fleet(seconds);
  if (!good) (void)fprintf(stderr, "attest_bench: a good bundle was refused\n");
  return good ? 0 : 1;
}
