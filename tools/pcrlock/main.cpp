// SPDX-License-Identifier: Apache-2.0
// pcrlock: tells systemd-pcrlock(8) what this boot measured and what each image of this host will measure,
// and makes its policy anew if there is one: then what is bound to it opens by itself at the next boot. See
// diglim-pcr(1).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>

#include "lib/base/exit_status.h"
#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/standard_output.h"
#include "lib/base/text.h"
#include "tools/diglim/setup/uki_images.h"
#include "tools/pcrlock/components.h"
#include "tools/pcrlock/policy.h"
#include "tools/pcrlock/room.h"
#include "tools/pcrlock/run.h"

namespace diglim::pcrlock {
namespace {

namespace fs = std::filesystem;

constexpr char kUsage[] =
    "Usage: pcrlock boot      this boot, as it was measured\n"
    "       pcrlock [update]  that, the next boot of each image, and the policy if there is one\n"
    "       pcrlock new       that, and a policy, of PCR 7, 11 and the one that is measured into\n";
constexpr char kDigestLists[] = "/etc/digest_lists";
constexpr char kLock[] = "/run/diglim-pcrlock.lock";
constexpr std::string_view kWork = "/run/diglim-pcrlock.XXXXXX";
constexpr int kTries = 5;
constexpr int kMostTurns = 60;            // of a second, that lists may change
constexpr unsigned kPolicyRegister = 12;  // by which systemd has the policy come in

// The units, make-uki and an admin may come at once. What this runs holds the lock, too: nobody comes beside
// what outlives it.
Result<Fd> wait_for_others(std::chrono::seconds most) {
  using std::chrono::steady_clock;
  // Who may open it may hold it.
  Fd lock(open(kLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (!lock) return from_errno(std::string(kLock) + " cannot be opened", errno);
  const auto end = steady_clock::now() + most;
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return from_errno(std::string("lock ") + kLock, errno);
    if (steady_clock::now() > end) return invalid("another one still runs: the policy stays as it is");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return lock;
}

// What one left that was killed. REQUIRES: the lock is held.
void remove_left() {
  const fs::path pattern = kWork;
  const std::string begin = pattern.stem().string() + ".";
  std::error_code ignored;
  const auto names = list_folder(pattern.parent_path());
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (name.starts_with(begin) && name.size() == pattern.filename().string().size())
      fs::remove_all(pattern.parent_path() / name, ignored);
  }
  remove_unfinished();
}

// After an unknown program ran, or in monitor mode, this fails. systemd-pcrlock would then leave the register
// out of the policy, and what is bound would open whatever ran.
Result<void> tell_this_boot() {
  const auto done = run_command({"diglim", "pcr", "pcrlock", "--measured"}, Errors::kShow);
  if (!done) return done.error();
  if (done->status == kExitRejected)
    return untrusted("this boot is not only what DIGLIM knows: the policy stays as it is");
  if (done->status != kExitOk)
    return invalid(fmt::format(
        "what this boot measured cannot be told (status {}): the policy stays as it is", done->status));
  return {};
}

// A transaction writes many lists. One minute at most, and the folder's time may lie in the future.
void wait_for_lists() {
  for (int turn = 0; turn < kMostTurns; ++turn) {
    struct stat info = {};
    const time_t now = time(nullptr);
    if (stat(kDigestLists, &info) != 0 || info.st_mtim.tv_sec < now - 3 || info.st_mtim.tv_sec > now + 1)
      return;
    (void)run_command({"sleep", "1"}, Errors::kHide);  // a program, since a test need not wait
  }
}

// Of what counts, the images among it: a change of it shows here.
Result<std::set<std::string>> snapshot(const Host& host) {
  std::set<std::string> lines;
  const auto add = [&](const fs::path& path) {
    struct stat info = {};
    if (lstat(path.c_str(), &info) == 0)
      lines.insert(fmt::format("{}.{} {}.{} {} {} {}", info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                               info.st_ctim.tv_sec, info.st_ctim.tv_nsec, info.st_size, info.st_ino,
                               path.string()));
  };
  add(kDigestLists);
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(kDigestLists, ignored), end; !ignored && entry != end;
       entry.increment(ignored))
    add(entry->path());
  add(setup::kKnownImages);
  TRY_ASSIGN(const auto found, find_images(host));
  for (const std::string& image : found) add(image);
  return lines;
}

// What the policy may admit, as far as there is room: what has none leaves `images`.
Result<void> predict_with_room(Policy& policy, unsigned own, const std::string& folder,
                               std::vector<Image>& images, bool has_images) {
  for (;;) {
    TRY(gather(folder, images, has_images));
    TRY_ASSIGN(const Values predicted, policy.predict());
    const auto number = too_many(predicted, own);
    if (!number) return has_images ? Result<void>() : check_guarded(predicted);
    const auto left_out = leave_out(images, *number, own);
    if (!left_out)
      return unsupported(fmt::format(
          "PCR {} has more than {} values, which systemd-pcrlock does not take: the policy stays as it is",
          *number, kMostValues));
    say(*left_out);
  }
}

Result<void> explain(const Result<void>& told, std::string_view what) {
  if (told) return {};
  return invalid(fmt::format("what {} measures cannot be predicted: the policy stays as it is ({})", what,
                             told.error().message));
}

// All that is told, once. Returns the images that the policy knows.
Result<std::vector<Image>> tell(const Host& host, const std::string& work, bool is_new) {
  const std::string folder = work + "/components";
  TRY_ASSIGN(const auto found, find_images(host));
  const bool has_images = !found.empty();
  TRY_ASSIGN(std::vector<Image> images, choose_images(host, found));
  TRY(tell_this_boot());
  TRY_ASSIGN(const unsigned own, own_register());
  TRY_ASSIGN(Policy policy, Policy::find(folder, own, is_new));
  if (!has_images) {
    // What to do comes before what such a host cannot predict.
    TRY(gather(folder, images, has_images));
    TRY_ASSIGN(const Values predicted, policy.predict());
    TRY(check_guarded(predicted));
    TRY(explain(tell_next_boot(), "the next boot"));
  }
  for (const Image& image : images) {
    const auto told = tell_next_boot(image, work);
    if (host.exists(image.path)) TRY(explain(told, image.path));
  }
  // A kernel that is removed meanwhile: the next turn sees to it.
  std::erase_if(images, [&](const Image& image) { return !host.exists(image.path); });
  remove_stale(images, has_images);
  if (has_images && images.empty())
    return not_found(
        fmt::format("{} names no image that is there: the policy stays as it is. To do: {} --all",
                    setup::kKnownImages, kMakeUki));
  if (!policy.registers().contains(own)) {
    say(fmt::format("the policy has not PCR {}, so it is left alone", own));
    return images;
  }
  const bool is_wanted = is_new || has_policy();
  if (is_wanted && own == kPolicyRegister)
    return unsupported(
        "PCR 12 changes with each policy, since that comes in by it: set pcr = 8 in /etc/diglim/loader.conf");
  TRY(keep_booted(images));
  TRY(predict_with_room(policy, own, folder, images, has_images));
  if (is_wanted) TRY(policy.make(has_images));
  return images;
}

// For diglim doctor and make-uki. Not there: the policy may be half made.
Result<void> write_state(const std::vector<Image>& images) {
  std::string lines;
  for (const Image& image : images) lines += image.stamp + "\n";
  return write_file_atomically(setup::kPcrlockState, as_bytes(lines), 0644);
}

Result<void> update(bool is_new) {
  TRY_ASSIGN(const Fd lock, wait_for_others(std::chrono::seconds(540)));
  remove_left();
  // A reboot right after an update waits for it (KillMode= of the unit): the next boot would ask for the
  // recovery key.
  (void)std::signal(SIGTERM, SIG_IGN);
  std::string work(kWork);
  if (mkdtemp(work.data()) == nullptr) return from_errno("create " + work, errno);
  const std::unique_ptr<const std::string, void (*)(const std::string*)> guard(
      &work, [](const std::string* path) {
        std::error_code ignored;
        fs::remove_all(*path, ignored);
      });
  const Host host("/");
  for (int tries = 0; tries < kTries; ++tries) {
    wait_for_lists();
    TRY_ASSIGN(const auto before, snapshot(host));
    TRY_ASSIGN(const auto images, tell(host, work, is_new));
    TRY_ASSIGN(const auto after, snapshot(host));
    // Lists or images that came meanwhile count, too.
    if (before == after) return has_policy() ? write_state(images) : Result<void>();
  }
  return invalid(fmt::format(
      "{} or the images changed again and again, so the policy may not know the next boot: run it again",
      kDigestLists));
}

Result<void> boot() {
  TRY_ASSIGN(const Fd lock, wait_for_others(std::chrono::seconds(50)));
  remove_left();
  return tell_this_boot();
}

int run(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "update";
  if (verb == "-h" || verb == "--help") {
    fmt::print("{}", kUsage);
    return kExitOk;
  }
  if (verb != "boot" && verb != "update" && verb != "new") {
    fmt::print(stderr, "{}", kUsage);
    return kExitUsage;
  }
  (void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);  // cannot fail but for lack of memory
  const auto done = systemd_pcrlock().empty() ? not_found("systemd-pcrlock is not installed")
                    : verb == "boot"          ? boot()
                                              : update(verb == "new");
  if (!done) say(done.error().message);
  return done ? kExitOk : kExitRejected;
}

}  // namespace
}  // namespace diglim::pcrlock

int main(int argc, char** argv) {
  return diglim::run_with_output(diglim::pcrlock::kTool, [&] { return diglim::pcrlock::run(argc, argv); });
}
