// SPDX-License-Identifier: Apache-2.0
// The verbs `load` and `unload`.
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "loader/update.h"
#include "loader/verbs.h"

namespace diglim {
namespace {

constexpr char kLoadHelp[] =
    "Usage: diglim-loader load FILE|DIR...\n\n"
    "Verifies signed digest lists (RPM packages, RPM header lists, compact lists) with the keys frozen at "
    "boot and\n"
    "publishes their digests. A DIR stands for the files in it. All or nothing: one bad list, and nothing "
    "changes.\n"
    "A list is known by its file name: a newer one of the same name takes the place of the old.\n\n"
    "Exit status: 0 published, 1 a list was rejected, 2 usage, 3 DIGLIM is not active or the kernel "
    "refused.\n";

constexpr char kUnloadHelp[] =
    "Usage: diglim-loader unload FILE...\n\n"
    "Withdraws loaded lists by file name (the files need not exist). What no other list has is denied from "
    "then on,\n"
    "also if it ran just before. All or nothing.\n\n"
    "Exit status: 0 withdrawn, 1 no such list is loaded, 2 usage, 3 DIGLIM is not active or the kernel "
    "refused.\n";

int report(const char* verb, const Error& error) {
  (void)fprintf(stderr, "diglim-loader %s: %s; nothing was changed\n", verb, error.message.c_str());
  const bool rejected = error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kUntrusted ||
                        error.code == ErrorCode::kUnsupported || error.code == ErrorCode::kInvalid;
  return rejected ? kExitRejected : kExitEnvironment;
}

// Answers --help and bad options; -1: go on with argv from optind.
int parse(int argc, char** argv, const char* help) {
  static const option kOptions[] = {{"help", no_argument, nullptr, 'h'}, {nullptr, 0, nullptr, 0}};
  optind = 0;  // glibc: start anew
  for (int c = 0; (c = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1;) {
    (void)fputs(help, c == 'h' ? stdout : stderr);
    return c == 'h' ? kExitOk : kExitUsage;
  }
  if (optind >= argc) {
    (void)fputs(help, stderr);
    return kExitUsage;
  }
  return -1;
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

void show_progress(size_t done, size_t of) {
  if (isatty(STDERR_FILENO) && of >= 50 && (done % 10 == 0 || done == of)) {
    (void)fprintf(stderr, "\rverified %zu of %zu lists%s", done, of, done == of ? "\n" : "");
  }
}

}  // namespace

int run_load(int argc, char** argv) {
  if (const int status = parse(argc, argv, kLoadHelp); status >= 0) return status;
  const auto files = expand({argv + optind, argv + argc});
  if (!files) {
    (void)fprintf(stderr, "diglim-loader load: %s; nothing was changed\n", files.error().message.c_str());
    return kExitRejected;
  }
  size_t changed_lists = 0;
  const auto result = update_generation([&](Generation& generation, const TrustStore& trust) -> Result<bool> {
    for (size_t i = 0; i < files->size(); ++i) {
      TRY_ASSIGN(const auto change, add_list(generation, (*files)[i], trust));
      if (change != Generation::Change::kSame) ++changed_lists;
      show_progress(i + 1, files->size());
    }
    return changed_lists > 0;
  });
  if (!result) return report("load", result.error());
  printf("%s %zu of %zu lists; generation %llu: %zu digests of %zu lists\n",
         result->changed ? "loaded" : "unchanged:", changed_lists, files->size(),
         static_cast<unsigned long long>(result->number), result->digests, result->lists);
  return kExitOk;
}

int run_unload(int argc, char** argv) {
  if (const int status = parse(argc, argv, kUnloadHelp); status >= 0) return status;
  const std::vector<std::string> names(argv + optind, argv + argc);
  bool missing = false;
  const auto result = update_generation([&](Generation& generation, const TrustStore&) -> Result<bool> {
    for (const std::string& path : names) {
      if (generation.remove(path.substr(path.rfind('/') + 1))) continue;
      missing = true;
      return not_found(escape(path) + ": no list of this name is loaded (see: diglim-loader status)");
    }
    return true;
  });
  if (!result && missing) return report("unload", result.error()), kExitRejected;
  if (!result) return report("unload", result.error());
  printf("withdrew %zu lists; generation %llu: %zu digests of %zu lists\n", names.size(),
         static_cast<unsigned long long>(result->number), result->digests, result->lists);
  return kExitOk;
}

}  // namespace diglim
