// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/image.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim::initramfs {
namespace {

// Where the EFI system partition, or the one with the kernels, is mounted (Boot Loader Specification).
constexpr const char* kBootFolders[] = {"/efi", "/boot/efi", "/boot"};
constexpr const char* kVariables = "/sys/firmware/efi/efivars/";
constexpr const char* kLoaderVendor =
    "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";  // systemd's (Boot Loader Interface)
constexpr size_t kMaxTextBytes = 64u << 10;

std::string text_of(const std::string& path) {
  const auto content = read_stream(path, kMaxTextBytes);
  return content ? std::string(as_text(*content)) : std::string();
}

// Four bytes of attributes, then UTF-16; what is not ASCII names no file of ours. Empty: there is none.
std::string variable(const std::string& root, const std::string& name) {
  const std::string raw = text_of(root + kVariables + name + kLoaderVendor);
  std::string text;
  for (size_t at = 4; at + 1 < raw.size() && (raw[at] != 0 || raw[at + 1] != 0); at += 2)
    text += raw[at + 1] != 0 ? '?' : raw[at] == '\\' ? '/' : raw[at];
  return text;
}

bool is_file(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::vector<std::string> names_in(const std::string& folder) {
  auto names = list_folder(folder);
  return names ? *std::move(names) : std::vector<std::string>();
}

// Each file once, whatever paths lead to it.
class Found {
 public:
  void add(const std::string& path) {
    struct stat info = {};
    if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        seen_.emplace(info.st_dev, info.st_ino).second)
      paths_.push_back(path);
  }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::set<std::pair<dev_t, ino_t>> seen_;
  std::vector<std::string> paths_;
};

// A name may have a count of tries before its end: "x+3-0.efi" is "x.efi".
std::string without_tries(const std::string& name) {
  const size_t plus = name.rfind('+');
  const size_t end = name.rfind('.');
  if (plus == std::string::npos || end == std::string::npos || plus > end) return name;
  // A release may have a plus, too: "6.12.1+deb12-amd64".
  const std::string_view tries = std::string_view(name).substr(plus + 1, end - plus - 1);
  if (tries.empty() || tries.find_first_not_of("0123456789-") != std::string_view::npos) return name;
  return name.substr(0, plus) + name.substr(end);
}

// FAT, which the firmware reads, knows no case.
bool is_same_name(const std::string& a, const std::string& b) {
  return strcasecmp(without_tries(a).c_str(), without_tries(b).c_str()) == 0;
}

// What an entry of type 1 says of `keys`, the last time; empty: nothing.
std::string value_of(const std::string& entry, std::initializer_list<std::string_view> keys) {
  std::istringstream lines(entry);
  std::string value;
  for (std::string line; std::getline(lines, line);) {
    const auto words = split_words(line);
    if (words.size() >= 2 && std::ranges::find(keys, words[0]) != keys.end()) value = words.back();
  }
  return value;
}

// The path of the unified kernel image on its partition, as firmware or boot loader named it. A boot loader
// names an entry, and what it says of the image is itself.
std::string booted_image(const std::string& root) {
  if (variable(root, "StubInfo").empty()) return {};
  if (const std::string image = variable(root, "StubImageIdentifier"); !image.empty()) return image;
  const std::string entry = variable(root, "LoaderEntrySelected");
  if (entry.ends_with(".efi")) return "/EFI/Linux/" + entry;
  if (entry.ends_with(".conf")) {
    for (const char* boot : kBootFolders) {
      const std::string folder = root + boot + "/loader/entries/";
      for (const std::string& name : names_in(folder)) {
        if (!is_same_name(name, entry)) continue;
        if (std::string image = value_of(text_of(folder + name), {"efi", "uki", "linux"}); !image.empty())
          return image;
      }
    }
  }
  return variable(root, "LoaderImageIdentifier");
}

void add_image(const std::string& root, const std::string& image, Found& found) {
  if (("/" + image).find("/../") != std::string::npos) return;  // not on that partition
  const size_t slash = image.rfind('/') + 1;
  for (const char* boot : kBootFolders) {
    const std::string folder = root + boot + (image.starts_with('/') ? "" : "/") + image.substr(0, slash);
    for (const std::string& name : names_in(folder)) {
      if (is_same_name(name, image.substr(slash))) found.add(folder + name);
    }
  }
}

// "/vmlinuz-6.12.1" and "/abc/6.12.1/linux" are of 6.12.1, and not of 6.12.
bool is_of(std::string_view path, const std::string& release) {
  const size_t at = path.rfind(release);
  if (at == std::string_view::npos || (at > 0 && path[at - 1] != '-' && path[at - 1] != '/')) return false;
  const std::string_view rest = path.substr(at + release.size());
  return rest.empty() || rest[0] == '/';
}

// An entry of type 1: what its last `initrd` names comes after microcode.
void add_entry(const std::string& root, const std::string& boot, const std::string& text,
               const std::string& release, Found& found) {
  const std::string last = value_of(text, {"initrd"});
  const bool wanted = value_of(text, {"version"}) == release || is_of(value_of(text, {"linux"}), release);
  if (!wanted || last.empty()) return;
  const std::string slash = last.starts_with('/') ? "" : "/";
  for (const std::string& path : {root + boot + slash + last, root + slash + last}) {
    if (is_file(path)) return found.add(path);
  }
}

void add_usual_places(const std::string& root, const std::string& release, Found& found) {
  const std::string machine(trim(text_of(root + "/etc/machine-id")));
  for (const char* boot : kBootFolders) {
    for (const std::string& token : {machine, std::string("Default")}) {
      if (!token.empty()) found.add(root + boot + "/" + token + "/" + release + "/initrd");
    }
  }
  for (const char* path : {"/boot/initramfs-{}.img", "/boot/initrd.img-{}", "/boot/initrd-{}",
                           "/lib/modules/{}/initrd", "/lib/modules/{}/initramfs.img"})
    found.add(root + fmt::format(fmt::runtime(path), release));
  for (const char* boot : kBootFolders) {
    const std::string folder = root + boot + "/EFI/Linux/";
    for (const std::string& name : names_in(folder)) {
      if (name.ends_with(".efi") && without_tries(name).ends_with("-" + release + ".efi"))
        found.add(folder + name);
    }
  }
}

}  // namespace

Result<std::optional<std::string>> find_image(const std::string& root, const std::string& release) {
  Found found;
  const std::string booted = booted_image(root);
  if (!booted.empty()) {
    add_image(root, booted, found);
    if (found.paths().empty())
      return Error{ErrorCode::kIo, 0,
                   "this boot came from the unified kernel image " + escape(booted) +
                       ", which is not below /efi, /boot/efi or /boot now"};
  }
  if (found.paths().empty()) {
    for (const char* boot : kBootFolders) {
      const std::string folder = root + boot + "/loader/entries/";
      for (const std::string& name : names_in(folder)) {
        if (name.ends_with(".conf")) add_entry(root, boot, text_of(folder + name), release, found);
      }
    }
  }
  if (found.paths().empty()) add_usual_places(root, release, found);
  if (found.paths().size() > 1)
    return Error{
        ErrorCode::kIo, 0,
        fmt::format(
            "of kernel {} there are several initramfs images, and which one is booted is not to be seen "
            "here: {}",
            escape(release), escape(fmt::format("{}", fmt::join(found.paths(), ", ")), 1000))};
  if (found.paths().empty()) return std::optional<std::string>();
  return std::optional<std::string>(found.paths().front());
}

}  // namespace diglim::initramfs
