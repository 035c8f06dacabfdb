// SPDX-License-Identifier: Apache-2.0
#include "tools/signer.h"

#include <cstdlib>

#include "tools/passphrase.h"

namespace diglim {
namespace {

std::string or_environment(const std::string& value, const char* name) {
  const char* set = std::getenv(name);
  return value.empty() && set != nullptr ? set : value;
}

}  // namespace

Result<Signer> named_signer(Signer signer) {
  signer.key = or_environment(signer.key, "DIGLIM_KEY");
  signer.certificate = or_environment(signer.certificate, "DIGLIM_CERTIFICATE");
  if (signer.key.empty() || signer.certificate.empty())
    return invalid(
        "it has to be signed: name the key and its certificate (-k KEY -c CERTIFICATE, or DIGLIM_KEY and "
        "DIGLIM_CERTIFICATE)");
  return signer;
}

bool names_any(const Signer& signer) {
  return !or_environment(signer.key, "DIGLIM_KEY").empty() ||
         !or_environment(signer.certificate, "DIGLIM_CERTIFICATE").empty();
}

Passphrase passphrase_of(const Signer& signer) {
  return passphrase_for(signer.passphrase_file, signer.key);
}

Result<Bytes> sign_with(const Signer& signer, ByteView content) {
  TRY_ASSIGN(const Signer named, named_signer(signer));
  return sign_cms(content, named.key, named.certificate, passphrase_of(named));
}

}  // namespace diglim
