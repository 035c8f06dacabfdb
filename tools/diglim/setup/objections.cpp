// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/setup/setup.h"

namespace diglim::setup {
namespace {

using doctor::Findings;
using doctor::Level;

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

Result<std::vector<std::string>> objections(const RecordedHost& host, const Plan& plan,
                                            const Options& options) {
  TRY_ASSIGN(const KeyFolder keys, KeyFolder::create(host, plan));
  Findings findings;
  if (host.view().is_live()) check_kernel(host.view(), findings);
  if (host.view().is_live()) check_file_systems(host.view(), findings);
  check_content(host.view(), {keys.path(), kKeysFolder, options.dbpath, options.seconds, !options.json},
                findings);
  std::vector<std::string> lines;
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
  return lines;
}

}  // namespace diglim::setup
