// SPDX-License-Identifier: Apache-2.0
#include "tools/passphrase.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kMaxBytes = 1024;

std::optional<std::string> ask_terminal(const std::string& key) {
  if (isatty(STDIN_FILENO) != 1) return std::nullopt;
  std::array<char, kMaxBytes> buffer = {};
  const std::string prompt = "Pass phrase or PIN of " + escape(key) + ": ";
  const int status = EVP_read_pw_string(buffer.data(), static_cast<int>(buffer.size()), prompt.c_str(), 0);
  std::string answer(buffer.data());
  OPENSSL_cleanse(buffer.data(), buffer.size());
  if (status != 0) return std::nullopt;
  return answer;
}

}  // namespace

Passphrase passphrase_for(const std::string& file, const std::string& key) {
  return [file, key]() -> std::optional<std::string> {
    if (file.empty()) {
      const char* set = std::getenv("DIGLIM_PASSPHRASE");
      return set != nullptr ? std::string(set) : ask_terminal(key);
    }
    const auto content = read_stream(file, kMaxBytes);
    if (!content) return std::nullopt;
    const std::string_view text = as_text(*content);
    return std::string(text.substr(0, text.find('\n')));
  };
}

}  // namespace diglim
