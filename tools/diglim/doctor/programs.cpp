// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/file_digests.h"
#include "tools/progress.h"

namespace diglim::doctor {
namespace {

using Clock = std::chrono::steady_clock;

// On a merged /usr the short ones are links, which are not followed.
constexpr std::string_view kFolders[] = {"/usr", "/opt", "/etc", "/bin", "/sbin", "/lib", "/lib64"};

// What the kernel would ask DIGLIM about. Of what may be read only: libraries, modules, firmware, by name.
bool is_program(const std::string& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode) || info.st_size == 0) return false;
  if ((info.st_mode & 0111) != 0) return true;
  if (path.starts_with("/etc/")) return false;  // ld.so.cache is no library
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos || name.ends_with(".ko") ||
         name.find(".ko.") != std::string_view::npos || path.find("/lib/firmware/") != std::string::npos;
}

class Walk {
 public:
  Walk(const Host& host, const Known& known, Clock::time_point deadline, bool progress)
      : host_(host), known_(known), deadline_(deadline), bar_("programs", 0, progress) {}

  // Folders wait in a list, not on the stack. Other mounts below are gone through too: what lies there is
  // denied alike.
  void add_folder(std::string_view top) {
    struct stat info = {};
    if (lstat(host_.path(top).c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return;
    std::vector<std::string> waiting = {std::string(top)};
    while (!waiting.empty() && !late_) {
      const std::string folder = std::move(waiting.back());
      waiting.pop_back();
      for (const std::string& name : host_.names(folder)) {
        std::string path = folder + "/" + name;
        if (lstat(host_.path(path).c_str(), &info) != 0) continue;  // gone meanwhile
        if (S_ISDIR(info.st_mode)) {
          waiting.push_back(std::move(path));
        } else if (is_program(path, info)) {
          add_program(path);
        }
        late_ = late_ || Clock::now() > deadline_;
        if (late_) break;
      }
    }
  }

  void report(Findings& findings) {
    for (Finding* finding : {&system_, &local_, &unreadable_}) {
      if (finding->count == 0) continue;
      finding->what = fmt::format("{} {}", finding->count, finding->what);
      findings.push_back(std::move(*finding));
    }
    if (late_) {
      findings.push_back({"programs.time",
                          Level::kUnknown,
                          fmt::format("stopped after {} programs: the time was over", programs_),
                          "--seconds with a larger number",
                          {}});
    } else if (system_.count + local_.count == 0) {
      findings.push_back(
          {"programs",
           Level::kOk,
           fmt::format("{} programs and libraries below /usr, /opt and /etc: all are on lists", programs_),
           "",
           {}});
    }
  }

 private:
  void add_program(const std::string& path) {
    bar_.step(path);
    ++programs_;
    const auto digest = digest_file(host_.path(path), known_.algo);
    if (!digest) {
      add_item(unreadable_, escape(path));
    } else if (!known_.digests.contains(std::string(as_text(*digest)))) {
      // A script in /etc is often a packaged one that the admin changed.
      const bool local =
          path.starts_with("/usr/local/") || path.starts_with("/opt/") || path.starts_with("/etc/");
      add_item(local ? local_ : system_, escape(path));
    }
  }

  const Host& host_;
  const Known& known_;
  const Clock::time_point deadline_;
  Progress bar_;
  size_t programs_ = 0;
  bool late_ = false;
  Finding system_{
      "programs.system",
      Level::kFail,
      "programs or libraries of the system are on no list: would be denied",
      "rpm -Vf FILE tells whether one was changed; reinstall its package, or list it with compact_gen",
      {}};
  Finding local_{"programs.local",
                 Level::kWarn,
                 "programs or libraries in /usr/local, /opt or /etc are on no list: would be denied",
                 "those you want: compact_gen -d /etc/digest_lists -k KEY -c CERT -i FILE...",
                 {}};
  Finding unreadable_{
      "programs.unreadable", Level::kUnknown, "programs cannot be read", "run this as root", {}};
};

}  // namespace

void check_programs(const Host& host, const Known& known, Clock::time_point deadline, bool progress,
                    Findings& findings) {
  Walk walk(host, known, deadline, progress);
  for (std::string_view folder : kFolders) walk.add_folder(folder);
  walk.report(findings);
}

}  // namespace diglim::doctor
