// SPDX-License-Identifier: Apache-2.0
// Writes seeds for initramfs_fuzz into the folder named by the first argument.
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "lib/base/file.h"

namespace {

struct Node {
  std::string name, content;
  unsigned mode = 0100644, inode = 1, links = 1;
};

std::string padded(std::string text) {
  text.resize((text.size() + 3) / 4 * 4, '\0');
  return text;
}
std::string entry(const Node& node) {
  std::string head = "070701";
  for (const size_t field :
       std::initializer_list<size_t>{node.inode, node.mode, 0, 0, node.links, 0, node.content.size(), 0, 0, 0,
                                     0, node.name.size() + 1, 0})
    head += fmt::format("{:08x}", field);
  return padded(head + node.name + '\0') + padded(node.content);
}
std::string archive(std::initializer_list<Node> nodes) {
  std::string text;
  for (const Node& node : nodes) text += entry(node);
  return text + entry({"TRAILER!!!", ""});
}
void put(std::string& to, size_t at, size_t bytes, size_t value) {
  for (size_t i = 0; i < bytes; ++i) to[at + i] = static_cast<char>(value >> (8 * i));
}
// A program for the firmware with one section.
std::string program(const std::string& content) {
  std::string text(64 + 24 + 40, '\0');
  text.replace(0, 2, "MZ");
  put(text, 60, 4, 64);
  text.replace(64, 2, "PE");
  put(text, 64 + 6, 2, 1);
  text.replace(64 + 24, 7, ".initrd");
  for (const size_t field : {8, 16}) put(text, 64 + 24 + field, 4, content.size());
  put(text, 64 + 24 + 20, 4, text.size());
  return text + content;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  const auto write = [&](const std::string& name, const std::string& content) {
    const auto written = write_file_atomically(std::string(argv[1]) + "/" + name, as_bytes(content), 0644);
    if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
    ok = ok && written.has_value();
  };
  const std::string plain = archive({{"etc", "", 040755}, {"etc/file", "content"}});
  write("plain", plain);
  write("two", plain + std::string(8, '\0') + archive({{"etc", "a file now"}, {"./etc/file", "more"}}));
  write("links",
        archive({{"a", "b", 0120777}, {"b", "/etc", 0120777}, {"a/c", "x"}, {"b", "../..", 0120777}}));
  write("hard", archive({{"a", "", 0100644, 7, 2}, {"d", "", 040755}, {"d/b", "content", 0100644, 7, 2}}));
  write("elsewhere", archive({{"../../x", "x"}, {"/tmp/../x", "x"}, {"..", "", 040755}, {".", ""}}));
  write("devices", archive({{"null", "", 020666}, {"pipe", "", 010644}}));
  write("compressed", plain + "\x1f\x8b");
  write("program", program(plain));
  return ok ? 0 : 1;
}
