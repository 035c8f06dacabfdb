// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/components.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/initramfs/firmware_program.h"
#include "tools/diglim/measure/extends.h"
#include "tools/pcrlock/run.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim::pcrlock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kStock[] = "/usr/lib/pcrlock.d";
constexpr char kComponents[] = "/var/lib/pcrlock.d";
// As systemd-pcrlock looks for them: what comes later replaces what has its name.
constexpr const char* kFolders[] = {kStock, "/usr/local/lib/pcrlock.d", "/run/pcrlock.d", kComponents,
                                    "/etc/pcrlock.d"};
constexpr char kImages[] = "650-uki.pcrlock.d";
constexpr char kLists[] = "740-diglim.pcrlock.d";
constexpr char kSuffix[] = ".pcrlock";
// After the first one a root is opened, after the second one other volumes are, then comes what opens late.
constexpr const char* kPhases[] = {"750-enter-initrd", "800-leave-initrd", "850-sysinit", "900-ready"};
constexpr char kBooted[] = "/run/diglim-booted.image";  // records, with commas between them
constexpr size_t kMaxComponent = 16u << 20;
constexpr size_t kMaxLog = 64u << 20;

std::string component(const char* folder, const std::string& variant) {
  return fmt::format("{}/{}/{}{}", kComponents, folder, variant, kSuffix);
}

std::vector<std::string> names_in(const std::string& folder) {
  auto names = list_folder(folder);
  return names ? *std::move(names) : std::vector<std::string>();
}

Result<json> read_records(const std::string& path) {
  TRY_ASSIGN(const Bytes text, read_file(path, kMaxComponent));
  const json whole = json::parse(text, nullptr, false);
  json records = whole.is_object() ? whole.value("records", json()) : json();
  if (!records.is_array()) return Error{ErrorCode::kCorrupt, 0, escape(path) + " is no component"};
  return records;
}

Result<void> write_records(const std::string& path, const json& records) {
  return write_file_atomically(path, as_bytes(json({{"records", records}}).dump() + "\n"), 0644);
}

void add(json& records, const json& more) {
  records.insert(records.end(), more.begin(), more.end());
}

// Their SHA-256 in PCR 11, hexadecimal.
std::vector<std::string> image_digests(const json& records) {
  std::vector<std::string> found;
  for (const json& record : records) {
    if (!record.is_object() || record.value("pcr", json()) != 11) continue;
    for (const json& digest : record.value("digests", json())) {
      const json hex = digest.is_object() && digest.value("hashAlg", json()) == "sha256"
                           ? digest.value("digest", json())
                           : json();
      if (hex.is_string()) found.push_back(hex.get<std::string>());
    }
  }
  return found;
}

// Of the image that booted; none if it is not known.
json booted_records() {
  const auto text = read_file(kBooted, kMaxComponent);
  json records = json::parse(fmt::format("[{}]", text ? as_text(*text) : ""), nullptr, false);
  return records.is_array() ? records : json::array();
}

Result<void> copy_tree(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::is_directory(from, error)) return {};
  for (fs::recursive_directory_iterator entry(from, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path target = to / entry->path().lexically_relative(from);
    if (entry->symlink_status(error).type() == fs::file_type::directory) {
      fs::create_directory(target, error);
    } else {
      fs::remove(target, error);
      fs::copy(entry->path(), target, fs::copy_options::copy_symlinks, error);
    }
    if (error) break;
  }
  if (error) return from_errno("copy " + escape(from.string()), error.value());
  return {};
}

// Files whose names begin so.
void remove_files(const std::string& folder, std::string_view begin) {
  for (const std::string& name : names_in(folder)) {
    if (name.starts_with(begin)) (void)unlink((folder + "/" + name).c_str());
  }
}

// Each image once for each of systemd's phases, with all that was measured until then. The phases are no
// components of their own any more.
Result<void> write_phases(const std::string& folder, std::vector<Image>& images) {
  const auto log = read_stream(kSystemdLog, kMaxSystemdLogBytes);
  const std::string_view measured = log ? as_text(*log) : "";
  json booted = booted_records();
  const bool is_known = !booted.empty();
  std::vector<json> phases;
  for (const char* const phase : kPhases) {
    const std::string file = fmt::format("{}/{}{}", folder, phase, kSuffix);
    std::error_code error;
    if (const auto size = fs::file_size(file, error); error || size == 0) continue;
    TRY_ASSIGN(const json records, read_records(file));
    (void)unlink(file.c_str());
    const auto digests = image_digests(records);
    if (digests.empty())
      return unsupported(
          fmt::format("{}/{}{} has no SHA-256: the policy stays as it is", kStock, phase, kSuffix));
    if (measured.find(digests.front()) != std::string_view::npos) add(booted, records);
    phases.push_back(records);
  }
  const std::string own = folder + "/" + kImages;
  remove_files(own, "image-");
  if (is_known) TRY(write_records(fmt::format("{}/booted{}", own, kSuffix), booted));
  for (Image& image : images) {
    TRY_ASSIGN(json records, read_records(component(kImages, image.variant)));
    image.phases = std::min(image.phases, phases.size());
    for (size_t i = 0; i < image.phases; ++i) {
      add(records, phases[i]);
      TRY(write_records(fmt::format("{}/{}@{}{}", own, image.variant, i + 1, kSuffix), records));
    }
  }
  return {};
}

// In the order of a boot. The last one of all that is measured has no number.
std::vector<std::string> list_states(const std::vector<std::string>& names, const std::string& variant) {
  std::vector<std::string> states;
  const auto add_if_there = [&](const std::string& name) {
    const bool is_there = std::ranges::find(names, name) != names.end();
    if (is_there) states.push_back(name);
    return is_there;
  };
  for (size_t number = 1; add_if_there(fmt::format("{}@{}{}", variant, number, kSuffix));) ++number;
  add_if_there(variant + kSuffix);
  return states;
}

// Leaves those that are told.
void choose_lists(const std::string& folder, std::vector<Image>& images) {
  const auto names = names_in(folder);
  std::set<std::string> told;
  for (Image& image : images) {
    const auto states = list_states(names, image.variant);
    image.lists = std::min(image.lists, states.size());
    told.insert(states.begin(), states.begin() + static_cast<ptrdiff_t>(image.lists));
  }
  for (const std::string& name : names) {
    if (name.starts_with("image-") && !told.contains(name)) (void)unlink((folder + "/" + name).c_str());
  }
}

Result<void> predict_lists(std::vector<std::string> options) {
  options.insert(options.begin(), {"diglim", "pcr", "pcrlock", "--next-boot", "--no-records"});
  TRY_ASSIGN(const CommandResult done, run_command(options, Errors::kShow));
  if (done.status != 0) return invalid(fmt::format("diglim pcr pcrlock: status {}", done.status));
  return {};
}

}  // namespace

Result<unsigned> own_register() {
  const std::string path = component(kLists, "generated");
  const auto records = read_records(path);
  const json first = records && !records->empty() ? records->front() : json();
  const json pcr = first.is_object() ? first.value("pcr", json()) : json();
  if (!pcr.is_number_unsigned()) return not_found(path + " names no register: the policy stays as it is");
  return pcr.get<unsigned>();
}

Result<void> tell_next_boot(const Image& image, const std::string& work) {
  TRY_ASSIGN(const std::string line, initramfs::read_text_section(image.path, ".cmdline"));
  TRY(predict_lists({"--initramfs", image.path, "--cmdline", line.substr(0, line.find_last_not_of('\n') + 1),
                     "--variant", image.variant}));
  const std::string made = work + "/uki";
  if (const auto why = failure(run_pcrlock({"lock-uki", "--pcrlock=" + made, image.path})))
    return invalid("systemd-pcrlock: " + *why);
  TRY_ASSIGN(const Bytes content, read_file(made, kMaxComponent));
  TRY(make_folder(fmt::format("{}/{}", kComponents, kImages)));
  return write_file_atomically(component(kImages, image.variant), content, 0644);
}

Result<void> tell_next_boot() {
  return predict_lists({"--variant", "next"});
}

void remove_unfinished() {
  for (const char* const own : {kImages, kLists}) {
    const std::string folder = fmt::format("{}/{}", kComponents, own);
    for (const std::string& name : names_in(folder)) {
      if (!name.ends_with(kSuffix)) (void)unlink((folder + "/" + name).c_str());
    }
  }
}

void remove_stale(const std::vector<Image>& images, bool has_images) {
  std::set<std::string> kept;
  for (const Image& image : images) kept.insert(image.variant);
  if (!has_images) kept.insert("next");
  std::error_code ignored;
  for (const char* const own : {kImages, kLists}) {
    const fs::path folder = fs::path(kComponents) / own;
    for (const std::string& name : names_in(folder)) {
      if (!name.starts_with("image-") && !name.starts_with("next")) continue;
      const std::string variant = name.substr(0, name.size() - std::min(name.size(), sizeof(kSuffix) - 1));
      if (!kept.contains(variant.substr(0, variant.rfind('@')))) fs::remove(folder / name, ignored);
    }
    // A component without variants would be one that no boot has.
    (void)rmdir(folder.c_str());
  }
  fs::remove_all(fs::path(kComponents) / "790-diglim-root.pcrlock.d", ignored);  // of before
}

Result<void> keep_booted(const std::vector<Image>& images) {
  if (!booted_records().empty()) return {};
  const auto log = read_stream(kFirmwareLog, kMaxLog);
  if (!log) return {};
  const auto was_measured = [&](const std::string& hex) {
    const auto digest = from_hex(hex);
    return digest && as_text(*log).find(as_text(*digest)) != std::string_view::npos;
  };
  for (const Image& image : images) {
    TRY_ASSIGN(const json records, read_records(component(kImages, image.variant)));
    const auto digests = image_digests(records);
    if (digests.empty() || !std::ranges::all_of(digests, was_measured)) continue;
    const std::string text = records.dump();
    return write_file_atomically(kBooted, as_bytes(std::string_view(text).substr(1, text.size() - 2)), 0644);
  }
  return {};
}

Result<void> gather(const std::string& folder, std::vector<Image>& images, bool has_images) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  TRY(make_folder(folder));
  for (const char* const from : kFolders) TRY(copy_tree(from, folder));
  if (!has_images) return {};
  TRY(write_phases(folder, images));
  choose_lists(folder + "/" + kLists, images);
  return {};
}

}  // namespace diglim::pcrlock
