// SPDX-License-Identifier: Apache-2.0
// The verbs `load`, `sync` and `unload`.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/root_identity.h"
#include "lib/base/text.h"
#include "lib/digest_list/signed_deny_list.h"
#include "lib/digest_list/signed_grant.h"
#include "loader/advice.h"
#include "loader/options.h"
#include "loader/update.h"
#include "loader/verbs.h"
#include "policy/boot_trust.h"

namespace diglim {
namespace {

constexpr char kLoadHelp[] =
    "Usage: diglim-loader load [--skip-bad] FILE|DIR...\n\n"
    "Verifies signed digest lists (RPM packages, RPM header lists, compact lists) with the keys frozen at\n"
    "boot, and with those granted since, and publishes their digests. A DIR stands for the files in it. All\n"
    "or nothing: one bad list, and nothing changes. A list is known by its file name: a newer one of the\n"
    "same name takes the place of the old.\n\n"
    "  --skip-bad  leave out lists that are rejected or cannot be read, naming each, and publish the others\n"
    "  -h, --help  show this\n\n"
    "Exit status: 0 published, 1 a list was rejected, 2 usage, 3 DIGLIM is not active or the kernel "
    "refused.\n";

constexpr char kSyncHelp[] =
    "Usage: diglim-loader sync [--keep] [--root NAME] [--revoked DIR] DIR...\n\n"
    "Makes the lists of one system follow directories: publishes the signed lists in them, and withdraws\n"
    "those of that system that are in none of them. A file that did not change is not read again. A list\n"
    "that is damaged or cannot be read is named, and what was verified under its name stays. Lists that\n"
    "were loaded by name (load) stay too. Deny lists in /etc/diglim/revoked come first: what they revoke\n"
    "goes at once. One that is in force stays so until the next boot, or until one of a higher serial. Then\n"
    "come the keys that a trusted key granted, in /etc/diglim/granted: they count while they lie there, and\n"
    "what they signed goes with them. With --root neither is read, and no granted key counts.\n\n"
    "  --keep       withdraw nothing; without it /etc/digest_lists has to be one of them\n"
    "  --root NAME  the directories are of another system (an image, a container), NAME whatever tells it\n"
    "               from others; its lists are kept apart from those of this one\n"
    "  --revoked DIR  deny lists, in place of /etc/diglim/revoked\n"
    "  -h, --help   show this\n\n"
    "Exit status: 0 in step, 1 a list was left out, 2 usage, 3 nothing was changed: a directory cannot be\n"
    "read, this system would be left without a list, a chroot or container needs --root, DIGLIM is not\n"
    "active or the kernel refused.\n";

constexpr char kUnloadHelp[] =
    "Usage: diglim-loader unload FILE...\n\n"
    "Withdraws loaded lists by file name (the files need not exist). What no other list has is denied from\n"
    "then on, also if it ran just before. All or nothing. What is still in a directory that is followed\n"
    "comes back with the next sync.\n\n"
    "  -h, --help  show this\n\n"
    "Exit status: 0 withdrawn, 1 no such list is loaded, 2 usage, 3 DIGLIM is not active or the kernel\n"
    "refused.\n";

// `fault` is the user's input at fault?
int report(const char* verb, const Error& error, bool fault) {
  (void)fprintf(stderr, "diglim-loader %s: %s; nothing was changed%s\n", verb, error.message.c_str(),
                fault ? list_advice(error).c_str() : "");
  return fault ? kExitRejected : kExitEnvironment;
}

Result<std::vector<std::string>> expand(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    struct stat info = {};
    if (stat(argument.c_str(), &info) != 0) return from_errno(escape(argument), errno);
    if (!S_ISDIR(info.st_mode)) {
      files.push_back(argument);
      continue;
    }
    TRY_ASSIGN(const auto names, list_folder(argument));
    for (const std::string& name : names) {
      if (name[0] != '.')
        files.push_back(argument + "/" + name);  // temporary files of writers begin with a dot
    }
  }
  return files;
}

void note_left_out(const char* verb, const std::string& file, uint32_t count, HashAlgo algo) {
  (void)fprintf(
      stderr,
      "diglim-loader %s: %s: %u of its files have no %s digest, which is all that this kernel uses; they "
      "will be denied: rebuild the package, or allow them with compact_gen\n",
      verb, escape(file).c_str(), count, std::string(hash_name(algo)).c_str());
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void show_progress(size_t done, size_t of) {
  if (isatty(STDERR_FILENO) && of >= 50 && (done % 10 == 0 || done == of)) {
    (void)fprintf(stderr, "\rverified %zu of %zu lists%s", done, of, done == of ? "\n" : "");
  }
}

// Is the directory of this system's lists one of those that are followed?
bool names_own_lists(const Following& what) {
  struct stat lists = {};
  return stat(kListsFolder, &lists) == 0 && std::ranges::any_of(what.folders, [&](const std::string& folder) {
           struct stat info = {};
           return stat(folder.c_str(), &info) == 0 && info.st_dev == lists.st_dev &&
                  info.st_ino == lists.st_ino;
         });
}

// May this process say what this system's lists are? By mistake it could withdraw them all.
Result<void> check_own(const Following& what) {
  TRY_ASSIGN(const std::string own, root_identity("/"));
  if (!own.empty()) {
    return unsupported(
        "this process is not in the root of the running system; name the one that it is in (--root)");
  }
  if (!what.withdraw || names_own_lists(what)) return {};
  return invalid(std::string("this would withdraw all that is in ") + kListsFolder +
                 ": name it too, or --keep");
}

}  // namespace

int run_load(int argc, char** argv) {
  const CommandLine line =
      parse_command_line(argc, argv, {kLoadHelp, "file or directory", {{"skip-bad", false}}});
  if (line.exit >= 0) return line.exit;
  const bool skip_bad = !line.options.empty();
  const auto files = expand(line.operands);
  if (!files) return report("load", files.error(), true);
  size_t changed_lists = 0;
  size_t skipped = 0;
  bool rejected = false;
  const auto result = update_generation([&](Generation& generation, TrustStore& trust) -> Result<bool> {
    TRY_ASSIGN(const auto grants, grants_from_blob(generation.grants()));
    for (const Grant& grant : grants) TRY(trust.grant(grant.keys));
    for (size_t i = 0; i < files->size(); ++i) {
      auto change = add_list(generation, (*files)[i], trust);
      // Only what is wrong with the kernel, or with the lock, is no matter of one list: a bad sector in one
      // must not make all others unknown.
      if (!change && skip_bad) {
        (void)fprintf(stderr, "diglim-loader load: skipped %s%s\n", change.error().message.c_str(),
                      list_advice(change.error()).c_str());
        ++skipped;
        continue;
      }
      if (!change) {
        rejected = change.error().code != ErrorCode::kIo;
        return std::move(change).error();
      }
      if (*change != Generation::Change::kSame) {
        ++changed_lists;
        const LoadedList& list = *generation.find(base_name((*files)[i]));
        if (list.left_out > 0) note_left_out("load", (*files)[i], list.left_out, generation.algo());
      }
      show_progress(i + 1, files->size());
    }
    return changed_lists > 0;
  });
  if (!result) return report("load", result.error(), rejected);
  printf("%s %zu of %zu lists; generation %llu: %zu digests of %zu lists\n",
         result->changed ? "loaded" : "unchanged:", changed_lists, files->size(),
         static_cast<unsigned long long>(result->number), result->digests, result->lists);
  return skipped > 0 ? kExitRejected : kExitOk;
}

int run_sync(int argc, char** argv) {
  const CommandLine line = parse_command_line(
      argc, argv, {kSyncHelp, "directory", {{"keep", false}, {"root", true}, {"revoked", true}}});
  if (line.exit >= 0) return line.exit;
  Following what{line.operands, "", true, show_progress};
  std::string revoked = kRevokedFolder;
  for (const auto& [name, value] : line.options) {
    if (name == "keep") what.withdraw = false;
    if (name == "root" && value.empty()) return usage_error("sync", "--root needs a name");
    if (name == "root") what.identity = value;
    if (name == "revoked") revoked = value;
  }
  if (what.identity.empty()) {
    if (const auto allowed = check_own(what); !allowed) return report("sync", allowed.error(), false);
  }
  Followed followed;
  DenyListsRead denied;
  GrantsFollowed granted;
  // The directories are read when no other loader works, so that of two the later one has the last word.
  const auto result = update_generation([&](Generation& generation, TrustStore& trust) -> Result<bool> {
    std::vector<Error> left_out;
    // On behalf of another system nobody revokes or grants here.
    if (what.identity.empty()) {
      TRY_ASSIGN(denied, read_deny_lists(revoked, trust));
      TRY_ASSIGN(granted, follow_grants(generation, kGrantedFolder, trust));
    }
    if (denied.changed) apply_denials(generation, trust);
    if ((denied.changed || granted.withdrew) && !names_own_lists(what)) {
      TRY_ASSIGN(left_out, add_lists(generation, kListsFolder, trust));
    }
    TRY_ASSIGN(followed, follow_folders(generation, what, trust));
    std::ranges::move(left_out, std::back_inserter(followed.left_out));
    for (const auto& [file, count] : followed.uncounted)
      note_left_out("sync", file, count, generation.algo());
    return denied.changed || granted.changed ||
           followed.added.size() + followed.withdrawn + followed.moved > 0;
  });
  for (const std::string& note : denied.superseded)
    (void)fprintf(stderr, "diglim-loader sync: %s\n", note.c_str());
  for (const Error& error : denied.left_out) {
    (void)fprintf(stderr, "diglim-loader sync: left out %s; what it revokes is still trusted\n",
                  error.message.c_str());
  }
  for (const Error& error : granted.left_out)
    (void)fprintf(stderr, "diglim-loader sync: left out %s; no key of it counts\n", error.message.c_str());
  for (const Error& error : followed.left_out) {
    (void)fprintf(stderr, "diglim-loader sync: left out %s%s\n", error.message.c_str(),
                  list_advice(error).c_str());
  }
  if (!result) return report("sync", result.error(), false);
  printf("%zu lists in step: %zu loaded, %zu withdrawn; generation %llu: %zu digests of %zu lists\n",
         followed.lists, followed.added.size(), followed.withdrawn,
         static_cast<unsigned long long>(result->number), result->digests, result->lists);
  return followed.left_out.empty() && denied.left_out.empty() && granted.left_out.empty() ? kExitOk
                                                                                          : kExitRejected;
}

int run_unload(int argc, char** argv) {
  const CommandLine line = parse_command_line(argc, argv, {kUnloadHelp, "file", {}});
  if (line.exit >= 0) return line.exit;
  bool missing = false;
  size_t withdrawn = 0;
  const auto result = update_generation([&](Generation& generation, TrustStore&) -> Result<bool> {
    for (const std::string& path : line.operands) {
      missing = !generation.remove(base_name(path));
      if (missing)
        return not_found(escape(path) + ": no list of this name is loaded (see: diglim-loader status)");
      ++withdrawn;
    }
    return true;
  });
  if (!result) return report("unload", result.error(), missing);
  for (const std::string& path : line.operands) {
    const std::string file = std::string(kListsFolder) + "/" + base_name(path);
    if (access(file.c_str(), F_OK) != 0) continue;
    (void)fprintf(stderr,
                  "diglim-loader unload: %s is still there: remove it, or the next sync (each rpm "
                  "transaction, each boot) loads it again\n",
                  escape(file).c_str());
  }
  printf("withdrew %zu lists; generation %llu: %zu digests of %zu lists\n", withdrawn,
         static_cast<unsigned long long>(result->number), result->digests, result->lists);
  return kExitOk;
}

}  // namespace diglim
