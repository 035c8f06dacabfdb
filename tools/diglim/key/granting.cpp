// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/granting.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "policy/config.h"
#include "tools/diglim/allow/apply.h"
#include "tools/diglim/key/grants.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim::key {
namespace {

// As the loader says it: a bound, or a deny list, may leave a statement without effect.
bool is_in_force(const std::string& named, ByteView statement) {
  const std::string loader = named.empty() ? kInstalledLoader : named;
  const auto keys = keys_in_grant(statement);
  const auto status = run_command({loader, "status", "--json"}, Errors::kShow);
  return keys && status && status->status == kExitOk && has_keys(status->output, *keys);
}

}  // namespace

int grant(const Places& places, const std::string& loader, Outcome& outcome, const std::string& key_name,
          ByteView statement, const std::string& signer) {
  const std::string folder = places.root + kGrantedFolder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/" + grant_name(key_name);
  if (const auto written = write_file_atomically(path, statement, 0644); !written)
    return outcome.fail(written.error().message + "; it counts from the next boot on only");
  const allow::Applied applied = allow::apply(places.root, loader, path,
                                              "the running kernel does not take it: does it have the key "
                                              "that signed? So it counts from the next boot on");
  for (const std::string& line : applied.lines) outcome.complain(line);
  if (applied.status == kExitRejected) {
    if (unlink(path.c_str()) != 0) outcome.complain(from_errno("remove " + escape(path), errno).message);
    return kExitRejected;
  }
  const bool is_followed = applied.status == kExitOk && applied.when == ", in force now";
  const bool is_now = is_followed && is_in_force(loader, statement);
  outcome.say_granted(path, signer, is_now, is_followed == is_now ? applied.when : "");
  if (is_followed && !is_now)
    return outcome.fail(fmt::format("but it is not in force: too many files in {}?", kGrantedFolder),
                        kExitRejected);
  return applied.status;
}

Result<Bytes> sign_for(const Places& places, const Signer& key, const KeyFile& file, std::string& signer) {
  TRY_ASSIGN(Bytes statement, sign_grant(key, file.content));
  auto checked = check_grant(places, statement);
  if (!checked) {
    Error refused = checked.error();
    refused.message += "; only a key that is trusted grants another, and one that was granted does not";
    return refused;
  }
  signer = *std::move(checked);
  return statement;
}

bool take_back(const Places& places, Outcome& outcome, const std::vector<std::string>& fingerprints) {
  bool is_gone = false;
  for (const KeyFile& file : grant_files(places)) {
    const bool is_wanted = std::ranges::any_of(file.keys, [&](const KeyInfo& info) {
      return std::ranges::find(fingerprints, info.fingerprint) != fingerprints.end();
    });
    if (!is_wanted) continue;
    if (unlink(file.origin.c_str()) != 0) {
      outcome.complain(from_errno("remove " + escape(file.origin), errno).message);
      continue;
    }
    outcome.say_taken_back(file.origin);
    is_gone = true;
  }
  return is_gone;
}

int follow(const Places& places, const std::string& loader, Outcome& outcome) {
  const allow::Applied applied = allow::apply(places.root, loader, "");
  for (const std::string& line : applied.lines) outcome.complain(line);
  if (applied.status == kExitOk)
    outcome.say(applied.when == ", in force now" ? "What it signed by that grant is denied from now on."
                                                 : "The grant is gone" + applied.when + ".");
  return applied.status;
}

}  // namespace diglim::key
