// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/rpm/test_writer.h"

namespace diglim::rpm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Bytes numbers(const std::vector<uint32_t>& values) {
  Bytes bytes;
  for (const uint32_t value : values) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
  }
  return bytes;
}

struct Files {
  std::vector<std::string> names = {"bin", "sh", "dash"};
  std::vector<std::string> folders = {"/usr/", "/usr/bin/"};
  std::vector<uint32_t> folder_of = {0, 1, 1};
  std::vector<std::string> digests = {"", "aa", "bb"};

  Bytes header() const {
    HeaderWriter writer;
    writer.string(1000, "dash").string(1001, "2.0").string(1002, "1").string(1044, "dash.src.rpm");
    if (!digests.empty()) writer.strings(1035, digests);
    writer.raw(1116, 4, static_cast<uint32_t>(folder_of.size()), numbers(folder_of), 4);
    return writer.strings(1117, names).strings(1118, folders).main();
  }
};

std::vector<std::string> read(const Bytes& header) {
  std::vector<std::string> all;
  const auto done = for_each_file(header, [&](std::string_view path, std::string_view digest) {
    all.push_back(std::string(path) + " " + std::string(digest));
  });
  if (!done) all.push_back("error: " + done.error().message);
  return all;
}

TEST(ForEachFile, JoinsFoldersAndNames) {
  EXPECT_THAT(read(Files().header()), ElementsAre("/usr/bin ", "/usr/bin/sh aa", "/usr/bin/dash bb"));
}

TEST(ForEachFile, WithoutDigestsOrFiles) {
  Files files;
  files.digests.clear();
  EXPECT_THAT(read(files.header()), ElementsAre("/usr/bin ", "/usr/bin/sh ", "/usr/bin/dash "));
  EXPECT_THAT(read(make_main_header({})), IsEmpty());
}

TEST(ForEachFile, NothingOfWhatDoesNotFit) {
  Files files;
  files.folder_of[1] = 2;
  EXPECT_THAT(read(files.header()), ElementsAre(testing::HasSubstr("a folder that has no name")));
  files = {};
  files.folder_of.pop_back();
  EXPECT_THAT(read(files.header()), ElementsAre(testing::HasSubstr("do not fit each other")));
  files = {};
  files.digests.pop_back();
  EXPECT_THAT(read(files.header()), ElementsAre(testing::HasSubstr("do not fit each other")));
  Bytes cut = Files().header();
  cut.pop_back();
  EXPECT_THAT(read(cut), ElementsAre(testing::HasSubstr("error: offset")));
}

}  // namespace
}  // namespace diglim::rpm
