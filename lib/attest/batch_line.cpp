// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/batch_line.h"

#include <map>
#include <nlohmann/json.hpp>

#include "lib/attest/verify.h"
#include "lib/base/base64.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

using nlohmann::json;

// Takes the texts of one flat object and stops at anything else, so that no tree is built of what a stranger
// wrote.
class Texts : public nlohmann::json_sax<json> {
 public:
  bool start_object(size_t) override {
    return std::exchange(started_, true) ? refuse("an object in the object") : true;
  }
  bool end_object() override { return true; }
  bool key(string_t& name) override {
    if (name != "id" && name != "nonce" && name != "ak" && name != "bundle")
      return refuse("unknown key '" + escape(name, 64) + "'");
    key_ = name;
    return true;
  }
  bool string(string_t& text) override {
    if (!started_) return refuse("not an object");
    return texts_.emplace(key_, std::move(text)).second || refuse("'" + key_ + "' twice");
  }
  bool null() override { return no_text(); }
  bool boolean(bool) override { return no_text(); }
  bool number_integer(number_integer_t) override { return no_text(); }
  bool number_unsigned(number_unsigned_t) override { return no_text(); }
  bool number_float(number_float_t, const string_t&) override { return no_text(); }
  bool binary(binary_t&) override { return no_text(); }
  bool start_array(size_t) override { return no_text(); }
  bool end_array() override { return no_text(); }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    error_ = corrupt(position, "not JSON");
    return false;
  }

  const Error& error() const { return error_; }
  const std::string* find(const std::string& key) const {
    const auto found = texts_.find(key);
    return found == texts_.end() ? nullptr : &found->second;
  }

 private:
  bool refuse(const std::string& reason) {
    error_ = invalid(reason);
    return false;
  }
  bool no_text() { return refuse(started_ ? "'" + key_ + "' is not a text" : "not an object"); }

  bool started_ = false;
  std::string key_;
  std::map<std::string, std::string> texts_;
  Error error_;
};

Result<Bytes> binary_of(const Texts& texts, const std::string& key) {
  const std::string* text = texts.find(key);
  if (text == nullptr) return invalid("'" + key + "' is missing");
  auto bytes = from_base64(*text);
  if (!bytes) return with_context("'" + key + "'", bytes.error());
  return bytes;
}

}  // namespace

Result<void> read_batch_line(std::string_view text, BatchLine& line) {
  if (text.size() > kMaxBatchLineBytes) return invalid("longer than 16 MiB");
  Texts texts;
  const bool read = json::sax_parse(text, &texts);
  if (const std::string* id = texts.find("id")) {
    if (id->empty() || id->size() > kMaxBatchIdBytes) return invalid("'id' must have 1 to 256 bytes");
    line.id = *id;
  }
  if (!read) return texts.error();
  // The parser ends there.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) return corrupt(zero, "not JSON");
  const std::string* nonce = texts.find("nonce");
  if (nonce == nullptr) return invalid("'nonce' is missing");
  auto bytes = from_hex(*nonce);
  if (!bytes || bytes->size() < kMinNonceBytes || bytes->size() > kMaxNonceBytes)
    return invalid("'nonce' must be 16 to 128 hexadecimal digits");
  line.nonce = *std::move(bytes);
  TRY_ASSIGN(line.ak, binary_of(texts, "ak"));
  TRY_ASSIGN(line.bundle, binary_of(texts, "bundle"));
  return {};
}

}  // namespace diglim
