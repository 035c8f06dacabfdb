// SPDX-License-Identifier: Apache-2.0
// The verbs `load` and `unload`.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/text.h"
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
    "boot and publishes their digests. A DIR stands for the files in it. All or nothing: one bad list, and\n"
    "nothing changes. A list is known by its file name: a newer one of the same name takes the place of the\n"
    "old.\n\n"
    "  --skip-bad  leave out lists that are rejected or cannot be read, naming each, and publish the others\n"
    "  -h, --help  show this\n\n"
    "Exit status: 0 published, 1 a list was rejected, 2 usage, 3 DIGLIM is not active or the kernel "
    "refused.\n";

constexpr char kUnloadHelp[] =
    "Usage: diglim-loader unload [--if-loaded] FILE...\n\n"
    "Withdraws loaded lists by file name (the files need not exist). What no other list has is denied from\n"
    "then on, also if it ran just before. All or nothing.\n\n"
    "  --if-loaded  pass over names that are not loaded\n"
    "  -h, --help   show this\n\n"
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

void note_left_out(const Generation& generation, const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const LoadedList* const list = generation.find(name);
  if (list == nullptr || list->left_out == 0) return;
  (void)fprintf(
      stderr,
      "diglim-loader load: %s: %u of its files have no %s digest, which is all that this kernel uses; they "
      "will be denied: rebuild the package, or allow them with compact_gen\n",
      escape(path).c_str(), list->left_out, std::string(hash_name(generation.algo())).c_str());
}

void show_progress(size_t done, size_t of) {
  if (isatty(STDERR_FILENO) && of >= 50 && (done % 10 == 0 || done == of)) {
    (void)fprintf(stderr, "\rverified %zu of %zu lists%s", done, of, done == of ? "\n" : "");
  }
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
  const auto result = update_generation([&](Generation& generation, const TrustStore& trust) -> Result<bool> {
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
        note_left_out(generation, (*files)[i]);
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

int run_unload(int argc, char** argv) {
  const CommandLine line = parse_command_line(argc, argv, {kUnloadHelp, "file", {{"if-loaded", false}}});
  if (line.exit >= 0) return line.exit;
  const bool if_loaded = !line.options.empty();
  bool missing = false;
  size_t withdrawn = 0;
  const auto result = update_generation([&](Generation& generation, const TrustStore&) -> Result<bool> {
    for (const std::string& path : line.operands) {
      if (generation.remove(path.substr(path.rfind('/') + 1))) {
        ++withdrawn;
        continue;
      }
      if (if_loaded) continue;
      missing = true;
      return not_found(escape(path) + ": no list of this name is loaded (see: diglim-loader status)");
    }
    return withdrawn > 0;
  });
  if (!result) return report("unload", result.error(), missing);
  printf("withdrew %zu lists; generation %llu: %zu digests of %zu lists\n", withdrawn,
         static_cast<unsigned long long>(result->number), result->digests, result->lists);
  return kExitOk;
}

}  // namespace diglim
