// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of openpgp_fuzz into the folder that is its argument: for each algorithm and version a
// certificate, armoured and not, and one with each version of signature.
#include <cstdio>
#include <string>

#include "lib/base/file.h"
#include "lib/openpgp/test_writer.h"

namespace {

using namespace diglim;
using namespace diglim::openpgp::test;

constexpr uint32_t kMade = 1577836800;
constexpr std::string_view kMessage = "the immutable region of a header";

bool write(const std::string& folder, const std::string& name, const Bytes& seed) {
  const auto written = write_file_atomically(folder + "/" + name, seed, 0644);
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written.has_value();
}

Bytes judged(const Bytes& keys, const Bytes& signatures) {
  Bytes seed = {1};
  put_u16_be(seed, static_cast<uint16_t>(keys.size()));
  return join({seed, keys, signatures});
}

bool write_for(const std::string& folder, const std::string& name, Algo algo, uint8_t version) {
  const TestKey key = TestKey::generate(algo, kMade, "Seed", version);
  const TestKey subkey = TestKey::generate(algo, kMade, "", version);
  CertificateOptions full;
  full.self_signatures = {SelfSignature{}, {.key_expires_after = 1000000, .type = 0x1f}};
  full.revocations = {{.created = kMade + 100, .reason = 3}};
  full.subkeys = {{.key = &subkey, .revocations = {{.created = kMade + 100, .reason = 1}}}};
  CertificateOptions armored;
  armored.armored = true;
  const Bytes plain = key.certificate();
  bool done = write(folder, name + "-plain", join({Bytes{0}, plain}));
  done = write(folder, name + "-full", join({Bytes{0}, key.certificate(full)})) && done;
  done = write(folder, name + "-armored", join({Bytes{0}, key.certificate(armored)})) && done;
  if (version == 4) {
    const Bytes v3 = key.sign(as_bytes(kMessage), {.version = 3, .old_header = true});
    done = write(folder, name + "-signed3", judged(plain, v3)) && done;
  }
  const SignOptions sign = {.version = version, .issuer_key_id = true};
  const Bytes both = join({key.sign(as_bytes(kMessage), sign), subkey.sign(as_bytes(kMessage), sign)});
  return write(folder, name + "-signed", judged(key.certificate(full), both)) && done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  const std::string folder = argv[1];
  bool done = write_for(folder, "rsa", Algo::kRsa2048, 4);
  done = write_for(folder, "p256", Algo::kP256, 4) && done;
  done = write_for(folder, "p384", Algo::kP384, 4) && done;
  done = write_for(folder, "eddsa", Algo::kEd25519Legacy, 4) && done;
  done = write_for(folder, "v6", Algo::kEd25519, 6) && done;
  return done ? 0 : 3;
}
