// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/apply.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/installed/publisher.h"
#include "policy/config.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim::allow {
namespace {

constexpr int kBudget_ms = 120'000;

}  // namespace

Applied apply(const std::string& root, const std::string& loader, const std::string& wanted,
              std::string_view refused) {
  if (!root.empty()) return {kExitOk, {}, "; its kernel is not told"};
  Publisher publisher(loader, kBudget_ms);
  if (loader.empty() && !publisher.is_active())
    return {kExitOk, {}, "; DIGLIM is not active, so it counts once it is"};
  const auto folder = open_file(kListsFolder, O_RDONLY | O_DIRECTORY);
  if (!folder) return {kExitEnvironment, {folder.error().message}, ""};
  LoaderResult result = publisher.sync(folder->get(), "", Publisher::Gone::kWithdraw);
  if (result.kind == LoaderResult::Kind::kOk) return {kExitOk, {}, ", in force now"};
  // Other lists that do not count are no matter of this one.
  const bool about_wanted = std::ranges::any_of(result.lines, [&](const std::string& line) {
    return !wanted.empty() && line.find(escape(wanted)) != std::string::npos;
  });
  if (result.kind == LoaderResult::Kind::kRejected && !about_wanted) return {kExitOk, {}, ", in force now"};
  Applied failed{result.kind == LoaderResult::Kind::kRejected ? kExitRejected : kExitEnvironment,
                 std::move(result.lines), ""};
  if (result.kind == LoaderResult::Kind::kTimeout)
    failed.lines.emplace_back("the loader takes long, and goes on");
  failed.lines.push_back(
      about_wanted ? std::string(refused)
                   : fmt::format("the kernel has not followed; when the cause is gone: diglim-loader sync {}",
                                 kListsFolder));
  return failed;
}

bool restart_waiting() {
  if (access("/run/systemd/system", F_OK) != 0) return false;
  const auto done =
      run_command({"systemctl", "--no-block", "restart", "diglim-allow.service"}, Errors::kHide);
  return done && done->status == 0;
}

}  // namespace diglim::allow
