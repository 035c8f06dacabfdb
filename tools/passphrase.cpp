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

// $DIGLIM_PASSPHRASE, taken out of the environment, so that no program that is run has it. A second key may
// ask for it again.
const std::optional<std::string>& from_environment() {
  static const std::optional<std::string> taken = []() -> std::optional<std::string> {
    char* const set = std::getenv("DIGLIM_PASSPHRASE");
    if (set == nullptr) return std::nullopt;
    std::string copy = set;
    OPENSSL_cleanse(set, copy.size());  // what /proc/PID/environ shows, too
    (void)unsetenv("DIGLIM_PASSPHRASE");
    return copy;
  }();
  return taken;
}

}  // namespace

Passphrase passphrase_for(const std::string& file, const std::string& key) {
  (void)from_environment();
  return [file, key]() -> std::optional<std::string> {
    if (file.empty()) return from_environment() ? from_environment() : ask_terminal(key);
    auto content = read_stream(file, kMaxBytes);
    if (!content) return std::nullopt;
    const std::string_view text = as_text(*content);
    std::string line(text.substr(0, text.find('\n')));
    OPENSSL_cleanse(content->data(), content->size());
    return line;
  };
}

}  // namespace diglim
