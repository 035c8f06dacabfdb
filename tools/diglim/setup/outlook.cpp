// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/outlook.h"

#include <fmt/format.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/librpm/database.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/scan/run.h"

namespace diglim::setup {
namespace {

using doctor::Findings;
using doctor::Level;

constexpr std::string_view kTool = "diglim setup";

// What the loader will trust, in a folder for the checks: the keys that are there and those of the plan.
class KeyFolder {
 public:
  static Result<KeyFolder> create(const RecordedHost& host, const Plan& plan) {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "diglim-keys.XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr)
      return from_errno("create directory " + escape(name), errno);
    KeyFolder folder(name);
    for (const std::string& present : host.view().names(kKeysFolder)) {
      const auto bytes = read_file(host.view().path(std::string(kKeysFolder) + "/" + present), 1u << 20);
      if (bytes) TRY(write_file_atomically(name + "/" + present, *bytes, 0600));
    }
    for (const FileChange& key : plan.keys) {
      TRY(write_file_atomically(name + key.path.substr(key.path.rfind('/')), as_bytes(key.content), 0600));
    }
    return folder;
  }
  KeyFolder(KeyFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  KeyFolder& operator=(KeyFolder&&) = delete;
  ~KeyFolder() {
    std::error_code ignored;  // public keys in /tmp; nothing depends on it
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit KeyFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace

Result<Outlook> look_ahead(const RecordedHost& host, const Plan& plan, const Options& options) {
  TRY_ASSIGN(const KeyFolder keys, KeyFolder::create(host, plan));
  Outlook outlook;
  Findings findings;
  if (host.view().is_live()) check_kernel(host.view(), findings);
  if (host.view().is_live()) check_file_systems(host.view(), findings);
  check_content(host.view(), {keys.path(), kKeysFolder, options.dbpath, 0, !options.json}, findings);
  std::vector<std::string>& lines = outlook.against;
  for (const doctor::Finding& finding : findings) {
    const bool vital = finding.id == "kernel.lsm" || finding.id == "kernel.ima" || finding.id == "packages";
    if (finding.id.starts_with("lists.")) continue;
    if (finding.id == "kernel.modules" && options.lockdown) continue;  // as it will be
    if (finding.level != Level::kFail && !(finding.level == Level::kUnknown && vital)) continue;
    lines.push_back(finding.what);
    for (const std::string& item : finding.items) lines.push_back("    " + item);
    if (finding.count > finding.items.size())
      lines.push_back(fmt::format("    and {} more", finding.count - finding.items.size()));
    if (!finding.next.empty()) lines.push_back("  to do: " + finding.next);
  }
  const auto database = find_rpm_database(host.view().is_live() ? "" : host.view().path(""), options.dbpath);
  if (options.skip_scan || options.seconds == 0 || !database) return outlook;
  scan::RunOptions run;
  run.read.keys = keys.path();
  run.read.dbpath = options.dbpath;
  run.read.progress = !options.json;
  if (host.view().is_live()) run.cache = scan::default_cache();
  TRY_ASSIGN(outlook.scan, scan::run(kTool, host.view(), run));
  outlook.scan->root = options.root;
  if (const size_t count = scan::count_of_system(*outlook.scan)) {
    lines.push_back(fmt::format("{} programs or libraries of the system would be denied", count));
    lines.emplace_back(
        "  to do: as said above of each group; `diglim scan --rpm-keys --all` names each file, and "
        "--skip-scan does "
        "not look");
  }
  return outlook;
}

}  // namespace diglim::setup
