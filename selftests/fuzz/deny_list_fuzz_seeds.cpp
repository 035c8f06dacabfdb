// SPDX-License-Identifier: Apache-2.0
// Writes seeds for deny_list_fuzz into the folder named by the first argument.
#include <cstdio>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/revocation/denials.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  const auto write = [&](const std::string& name, ByteView content) {
    const auto written = write_file_atomically(std::string(argv[1]) + "/" + name, content, 0644);
    if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
    ok = ok && written.has_value();
  };
  DenyEntry digest;
  digest.digest = Bytes(32, 0xab);
  digest.reason = "a reason";
  DenyEntry package = digest;
  package.kind = DenyEntry::Kind::kPackage;
  package.package = "openssl";
  package.below = "1:3.0.11-1";
  DenyEntry key = digest;
  key.kind = DenyEntry::Kind::kKey;
  key.fingerprint = "openpgp:" + std::string(40, 'a');
  DenyEntry window = key;
  window.from = 1760000000;
  window.to = 1761000000;
  const DenyList list = {"local", 7, {digest, package, key, window}};
  const auto text = write_deny_list(list);
  const auto none = write_deny_list({"none", 1, {}});
  if (!text || !none) return 1;
  write("all", *text);
  write("none", *none);
  write("signed", append_signature(*text, Bytes(64, 1), SignatureType::kPkcs7));
  Denials denials;
  ok = ok && denials.add({list, *text, Bytes(32, 1), "signer"}).has_value();
  write("blob", denials.to_blob());
  return ok ? 0 : 1;
}
