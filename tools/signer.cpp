// SPDX-License-Identifier: Apache-2.0
#include "tools/signer.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

std::string or_environment(const std::string& value, const char* name) {
  const char* set = std::getenv(name);
  return value.empty() && set != nullptr ? set : value;
}

std::optional<std::string> ask_passphrase(const std::string& key) {
  if (isatty(STDIN_FILENO) != 1) return std::nullopt;
  std::array<char, 1024> buffer = {};
  const std::string prompt = fmt::format("Pass phrase of {}: ", escape(key));
  const int status = EVP_read_pw_string(buffer.data(), static_cast<int>(buffer.size()), prompt.c_str(), 0);
  std::string answer(buffer.data());
  OPENSSL_cleanse(buffer.data(), buffer.size());
  if (status != 0) return std::nullopt;
  return answer;
}

}  // namespace

Result<Signer> named_signer(Signer signer) {
  signer.key = or_environment(signer.key, "DIGLIM_KEY");
  signer.certificate = or_environment(signer.certificate, "DIGLIM_CERTIFICATE");
  if (signer.key.empty() || signer.certificate.empty())
    return invalid("a list has to be signed: name the key and its certificate (-k KEY -c CERTIFICATE)");
  return signer;
}

Passphrase passphrase_of(const Signer& signer) {
  return [signer]() -> std::optional<std::string> {
    if (signer.passphrase_file.empty()) return ask_passphrase(signer.key);
    const auto content = read_stream(signer.passphrase_file, 1024);
    if (!content) return std::nullopt;
    const std::string_view text = as_text(*content);
    return std::string(text.substr(0, text.find('\n')));
  };
}

Result<Bytes> sign_with(const Signer& signer, ByteView content) {
  TRY_ASSIGN(const Signer named, named_signer(signer));
  return sign_cms(content, named.key, named.certificate, passphrase_of(named));
}

}  // namespace diglim
