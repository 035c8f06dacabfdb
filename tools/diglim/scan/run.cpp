// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "tools/progress.h"
#include "tools/tool.h"

namespace diglim::scan {

Result<Report> run(std::string_view tool, const Host& host, const RunOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  TRY_ASSIGN(const known::System system, known::read_system(host, options.read));
  Cache cache = Cache::open(options.cache, system.algo);
  std::string complaint = cache.complaint();
  Progress bar("files", 0, options.read.progress);
  // An image may hold what it likes at /proc/self/mountinfo.
  const std::vector<Mount> mounts = host.is_live() ? host.mounts() : std::vector<Mount>();
  Found found = find_files(host, mounts, options.find, system.algo, cache,
                           [&](size_t done, size_t of, std::string_view name) { bar.at(done, of, name); });
  bar.wipe();
  if (complaint.empty()) complaint = cache.complaint();
  if (!complaint.empty()) complain(tool, complaint);
  Report report = make_report(system, std::move(found));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

std::string default_cache() {
  std::string folder;
  if (geteuid() == 0) {
    folder = "/var/cache";
  } else if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && xdg[0] == '/') {
    folder = xdg;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    folder = std::string(home) + "/.cache";
  } else {
    return {};
  }
  folder += "/diglim";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? std::string() : folder + "/scan.sqlite";
}

size_t count_of_system(const Report& report) {
  return static_cast<size_t>(std::ranges::count_if(report.denied, [](const Item& item) {
    constexpr std::string_view kFolders[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"};
    return item.cause != known::Cause::kNoList && item.cause != known::Cause::kUnreadable &&
           !item.path.starts_with("/usr/local/") &&
           std::ranges::any_of(kFolders,
                               [&](std::string_view folder) { return item.path.starts_with(folder); });
  }));
}

}  // namespace diglim::scan
