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
constexpr size_t kMaxTextBytes = 4u << 20;

// Empty: there is none.
Result<std::string> text_of(const std::string& path) {
  const auto content = read_stream(path, kMaxTextBytes);
  if (!content && content.error().code == ErrorCode::kNotFound) return std::string();
  if (!content) return content.error();
  return std::string(as_text(*content));
}

// Four bytes of attributes, then UTF-16; what is not ASCII names no file of ours. Empty: there is none.
std::string variable(const std::string& root, const std::string& name) {
  const auto content = text_of(root + kVariables + name + kLoaderVendor);
  const std::string raw = content ? *content : std::string();
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

// What may be booted: parts of one initramfs each. The same files are the same, whatever paths lead to them.
class Found {
 public:
  void add(const std::vector<std::string>& paths) {
    std::vector<std::pair<dev_t, ino_t>> files;
    for (const std::string& path : paths) {
      struct stat info = {};
      if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
      files.emplace_back(info.st_dev, info.st_ino);
    }
    if (!files.empty() && seen_.insert(std::move(files)).second) found_.push_back(paths);
  }
  void add(const std::string& path) { add(std::vector<std::string>{path}); }
  const std::vector<std::vector<std::string>>& all() const { return found_; }

 private:
  std::set<std::vector<std::pair<dev_t, ino_t>>> seen_;
  std::vector<std::vector<std::string>> found_;
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
Result<std::string> booted_image(const std::string& root) {
  if (variable(root, "StubInfo").empty()) return std::string();
  if (const std::string image = variable(root, "StubImageIdentifier"); !image.empty()) return image;
  const std::string entry = variable(root, "LoaderEntrySelected");
  if (entry.ends_with(".efi")) return "/EFI/Linux/" + entry;
  if (entry.ends_with(".conf")) {
    for (const char* boot : kBootFolders) {
      const std::string folder = root + boot + "/loader/entries/";
      for (const std::string& name : names_in(folder)) {
        if (!is_same_name(name, entry)) continue;
        TRY_ASSIGN(const std::string text, text_of(folder + name));
        if (std::string image = value_of(text, {"efi", "uki", "linux"}); !image.empty()) return image;
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

// What a variable of GRUB's is in its configuration. Empty: none, or nothing.
Result<std::string> grub_variable(const std::string& root, std::string_view name) {
  std::string value;
  for (const char* folder : {"/boot/grub2/", "/boot/grub/"}) {
    for (const char* file : {"grub.cfg", "grubenv"}) {  // GRUB reads the latter last
      TRY_ASSIGN(const std::string text, text_of(root + folder + file));
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        std::string_view rest = trim(line);
        if (rest.starts_with("set ")) rest = trim(rest.substr(4));
        if (!rest.starts_with(name) || rest.size() <= name.size() || rest[name.size()] != '=') continue;
        rest.remove_prefix(name.size() + 1);
        if (rest.size() >= 2 && (rest[0] == '"' || rest[0] == '\'') && rest.back() == rest[0])
          rest = rest.substr(1, rest.size() - 2);
        value = rest;
      }
    }
  }
  return value;
}

// All that an entry of type 1 names as initrd, several of them in a line or several lines: GRUB and
// systemd-boot hand the kernel one after the other.
Result<std::vector<std::string>> initrds_of(const std::string& root, const std::string& entry) {
  std::istringstream lines(entry);
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const auto words = split_words(line);
    if (words.empty() || words[0] != "initrd") continue;
    for (size_t i = 1; i < words.size(); ++i) {
      std::string value(words[i]);
      if (value.starts_with('$')) {
        TRY_ASSIGN(value, grub_variable(root, words[i].substr(1)));
      }
      for (const std::string_view name : split_words(value)) names.emplace_back(name);
    }
  }
  return names;
}

// An entry of type 1. Names are below its partition, or of the root where that holds /boot.
Result<void> add_entry(const std::string& root, const std::string& boot, const std::string& text,
                       const std::string& release, Found& found) {
  const bool wanted = value_of(text, {"version"}) == release || is_of(value_of(text, {"linux"}), release);
  if (!wanted) return {};
  std::vector<std::string> paths;
  std::string missing;
  TRY_ASSIGN(const auto names, initrds_of(root, text));
  for (const std::string& name : names) {
    const std::string slash = name.starts_with('/') ? "" : "/";
    const std::string here = root + boot + slash + name;
    if (const std::string& path = is_file(here) ? here : root + slash + name; is_file(path)) {
      paths.push_back(path);
    } else {
      missing = name;
    }
  }
  if (!paths.empty() && !missing.empty())
    return Error{
        ErrorCode::kIo, 0,
        fmt::format("a boot entry of kernel {} names {} as a part of its initramfs, which is not there",
                    escape(release), escape(missing))};
  found.add(paths);
  return {};
}

void add_usual_places(const std::string& root, const std::string& release, Found& found) {
  const auto id = text_of(root + "/etc/machine-id");
  const std::string machine(id ? trim(*id) : "");
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

Result<std::vector<std::string>> find_images(const std::string& root, const std::string& release) {
  Found found;
  TRY_ASSIGN(const std::string booted, booted_image(root));
  if (!booted.empty()) {
    add_image(root, booted, found);
    if (found.all().empty())
      return Error{ErrorCode::kIo, 0,
                   "this boot came from the unified kernel image " + escape(booted) +
                       ", which is not below /efi, /boot/efi or /boot now"};
  }
  if (found.all().empty()) {
    for (const char* boot : kBootFolders) {
      const std::string folder = root + boot + "/loader/entries/";
      for (const std::string& name : names_in(folder)) {
        if (!name.ends_with(".conf")) continue;
        TRY_ASSIGN(const std::string text, text_of(folder + name));
        TRY(add_entry(root, boot, text, release, found));
      }
    }
  }
  if (found.all().empty()) add_usual_places(root, release, found);
  if (found.all().size() > 1) {
    std::vector<std::string> texts;
    for (const auto& parts : found.all()) texts.push_back(fmt::format("{}", fmt::join(parts, " + ")));
    return Error{
        ErrorCode::kIo, 0,
        fmt::format(
            "of kernel {} there are several initramfs images, and which one is booted is not to be seen "
            "here: {}",
            escape(release), escape(fmt::format("{}", fmt::join(texts, ", ")), 1000))};
  }
  if (found.all().empty()) return std::vector<std::string>();
  return found.all().front();
}

std::vector<std::string> addons_of(const std::string& image) {
  std::vector<std::string> folders = {image + ".extra.d"};
  // "EFI/Linux/x.efi" is three below its partition.
  for (std::string folder = image; folder.find('/') != std::string::npos;) {
    folder.erase(folder.rfind('/'));
    folders.push_back(folder + "/loader/addons");
  }
  std::vector<std::string> found;
  for (const std::string& folder : folders) {
    for (const std::string& name : names_in(folder)) {
      const std::string path = folder + "/" + name;
      constexpr std::string_view kEnd = ".addon.efi";
      if (name.size() >= kEnd.size() &&
          strcasecmp(name.c_str() + name.size() - kEnd.size(), kEnd.data()) == 0 && is_file(path))
        found.push_back(path);
    }
  }
  return found;
}

}  // namespace diglim::initramfs
