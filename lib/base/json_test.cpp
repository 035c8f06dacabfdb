// SPDX-License-Identifier: Apache-2.0
#include "lib/base/json.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

using namespace std::string_view_literals;

TEST(JsonString, EscapesWhatJsonDemands) {
  EXPECT_EQ(json_string("plain /path"), "\"plain /path\"");
  EXPECT_EQ(json_string("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_string("\n\t\x1b\x7f\0"sv), R"("\u000a\u0009\u001b\u007f\u0000")");
}

TEST(JsonString, KeepsUtf8AndReplacesTheRest) {
  EXPECT_EQ(json_string("sch\xc3\xb6n"), "\"sch\xc3\xb6n\"");
  EXPECT_EQ(json_string("\xff"
                        "a\xc3"),
            "\"\xef\xbf\xbd"
            "a\xef\xbf\xbd\"");
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")
      << "a surrogate is not UTF-8";
}

TEST(JsonWriter, PutsCommasAndColons) {
  JsonWriter json;
  json.begin_array();
  json.begin_object().key("file").value("x").key("ok").value(true).key("n").value(uint64_t{7}).end_object();
  json.begin_object().key("list").begin_array().end_array().key("o").begin_object().end_object().end_object();
  json.end_array();
  EXPECT_EQ(json.text(), R"([{"file":"x","ok":true,"n":7},{"list":[],"o":{}}])");
}

}  // namespace
}  // namespace diglim
