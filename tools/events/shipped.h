// SPDX-License-Identifier: Apache-2.0
// Which package ships a path, by the lists in /etc/digest_lists. Nothing is verified: it is a hint for
// people.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/config.h"
#include "tools/diglim/known/links.h"
#include "tools/events/event.h"

namespace diglim::events {

struct Shipped {
  std::string package;  // "hello-2.0-1.x86_64", as the list's name has it; unescaped
  std::string how;  // "with this content", "with other content", "with md5 digests only", "without digests";
                    // empty: the event has no digest
};

// Not thread-safe. Of each file of the lists it keeps 16 bytes; of two paths of one hash one may hide the
// other's package, but never give a wrong one, since the list is read again.
class ShippedFiles {
 public:
  // `root` is where the packages' paths begin; "": here.
  explicit ShippedFiles(std::string folder = kListsFolder, const std::string& root = "")
      : folder_(std::move(folder)), links_(root) {}

  // `path` as the kernel has it, whole and unescaped. `digest`: "sha256:HEX", or empty. The folder is read
  // when somebody asks first, and what of it changed afterwards: at most once a second (`now_s` from any
  // beginning), but before nothing is found. What cannot be read ships nothing.
  std::optional<Shipped> find(const std::string& path, std::string_view digest, int64_t now_s);

 private:
  struct List {
    std::string name;
    uint64_t stamp = 0;
    std::vector<uint64_t> paths;  // hashes
  };
  bool update();  // was there anything new?
  std::vector<uint64_t> paths_of(const std::string& name);
  std::optional<Shipped> find_known(const std::string& path, std::string_view digest);
  std::optional<Shipped> find_anew(const std::string& path, std::string_view digest);
  std::optional<Shipped> look(const List& list, const std::string& path, std::string_view digest);

  std::string folder_;
  known::LinkResolver links_;
  std::map<std::string, List> lists_;
  std::vector<std::pair<uint64_t, const List*>> by_path_;  // sorted
  // What was found lately, since one file may be denied thousands of times a second; by path and digest.
  std::unordered_map<std::string, std::optional<Shipped>> found_;
  std::optional<int64_t> looked_s_;
  uint64_t folder_stamp_ = 0;
};

// Adds the fields "package" and "shipped" to an event of a file that a package ships, and says so in its
// line.
void say_who_ships(Event& event, const diglim_event& raw, ShippedFiles& files, int64_t now_s);

}  // namespace diglim::events
