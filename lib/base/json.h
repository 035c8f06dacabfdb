// SPDX-License-Identifier: Apache-2.0
// The little JSON (RFC 8259) that the loader writes: strings, numbers, truth values, objects, arrays. No
// reader. The loader is the trusted base, so this stands in for a library of 25,000 lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace diglim {

// `text` as a JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD each (JSON has no way
// to say them).
std::string json_string(std::string_view text);

// Calls nest as the JSON does; commas and colons are put in by themselves. REQUIRES: inside an object every
// value has a key(), and every begin its end.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }  // else it would be a bool
  JsonWriter& value(uint64_t number);
  JsonWriter& value(bool truth);

  const std::string& text() const { return text_; }

 private:
  void separate();
  std::string text_;
  bool need_comma_ = false;
};

}  // namespace diglim
