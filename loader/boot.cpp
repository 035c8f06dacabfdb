// SPDX-License-Identifier: Apache-2.0
// The verb `boot`: PID 1 from rdinit= until the real init takes over (decision D10).
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "lib/base/text.h"
#include "loader/advice.h"
#include "loader/hand_over.h"
#include "loader/keeper.h"
#include "loader/kernel/hold.h"
#include "loader/kernel/maps.h"
#include "loader/kernel/programs.h"
#include "loader/kernel/roles.h"
#include "loader/log.h"
#include "loader/measure.h"
#include "loader/options.h"
#include "loader/start_measuring.h"
#include "loader/verbs.h"
#include "policy/boot_trust.h"
#include "policy/ima_policy.h"
#include "policy/lockdown.h"

namespace diglim {
namespace {

constexpr char kHelp[] =
    "Usage: rdinit=/usr/sbin/diglim-loader [diglim.mode=enforce|permissive|measure]\n"
    "       [diglim.measure=on|off] [diglim.pcr=NUMBER] [diglim.labels=apparmor|selinux]\n"
    "       [diglim.init=PATH]\n\n"
    "As PID 1, from the kernel command line, with no verb: starts DIGLIM with /etc/diglim/loader.conf,\n"
    "/etc/diglim/keys and /etc/digest_lists of the initramfs, then executes the real init (/init, else\n"
    "/sbin/init). What fails stops the boot, or, in permissive mode, is logged.\n\n"
    "  -h, --help  show this\n\n"
    "Exit status: 2 it is not PID 1.\n";

// Mounts unless something is mounted there already: the folder then lies on another device than its parent.
Result<void> mount_at(const char* type, const char* at, unsigned long flags, const char* options = nullptr) {
  (void)mkdir(at, 0755);  // exists already, or the mount says what is wrong
  struct stat here = {};
  struct stat above = {};
  if (stat(at, &here) == 0 && stat((std::string(at) + "/..").c_str(), &above) == 0 &&
      here.st_dev != above.st_dev) {
    return {};
  }
  if (mount(type, at, type, MS_NOSUID | flags, options) != 0) {
    return from_errno(std::string("mount ") + type + " at " + at, errno);
  }
  return {};
}

Result<void> mount_all() {
  constexpr unsigned long kData = MS_NOEXEC | MS_NODEV;
  TRY(mount_at("proc", "/proc", kData));  // first, since the command line may say permissive
  TRY(mount_at("devtmpfs", "/dev", MS_NOEXEC));
  TRY(mount_at("sysfs", "/sys", kData));
  TRY(mount_at("securityfs", "/sys/kernel/security", kData));
  // As systemd would (src/shared/mount-setup.c), which leaves it alone then, as dracut does, and takes it
  // along to the real root. Executable: the loader of this boot stays there.
  TRY(mount_at("tmpfs", "/run", MS_NODEV | MS_STRICTATIME, "mode=0755,size=20%,nr_inodes=800k"));
  return {};
}

// On an error `config` is what could be read nevertheless.
Result<void> configure(Config& config) {
  const auto line = read_stream("/proc/cmdline", 1 << 16);
  auto result = read_config("", line ? as_text(*line) : std::string_view(), config);
  for (const std::string& word : config.unknown_words) {
    log_line(LOG_WARNING,
             "unknown word on the kernel command line, nothing happens by it: " + escape(word, 80));
  }
  return line ? std::move(result) : Result<void>(line.error());
}

Result<Generation> first_generation(const TrustStore& trust, HashAlgo algo, NewMap& map) {
  Generation generation(algo);
  apply_denials(generation, trust);
  TRY_ASSIGN(const auto left_out, add_lists(generation, kListsFolder, trust));
  for (const Error& error : left_out) log_line(LOG_ERR, "left out: " + error.message + list_advice(error));
  TRY(generation.seal(static_cast<uint64_t>(time(nullptr)),
                      [&](size_t elements) { return map.allocate(elements); }));
  log_line(LOG_INFO, std::to_string(generation.lists().size()) + " digest lists with " +
                         std::to_string(generation.distinct_digests()) + " digests" +
                         (left_out.empty() ? "" : ", " + std::to_string(left_out.size()) + " left out") +
                         "; " + std::to_string(trust.describe().size()) + " trusted keys");
  for (const SignedDenyList& one : trust.denials().lists())
    log_line(LOG_INFO, "deny list " + one.list.name + ", serial " + std::to_string(one.list.serial) +
                           ", signed by " + one.signer + ", is in force");
  return generation;
}

// What IMA collects of known files it hands out later, and the programs do not accept it then if the file was
// written since: every upgrade would end in denials.
void quiet_ima() {
  const auto written = write_ima_policy(kQuietPolicy);
  log_line(LOG_WARNING,
           written ? "the IMA policy that was in force (ima_policy= on the kernel command line) is replaced"
                   : "an IMA policy is in force and stays; files that it covers are denied after a change: " +
                         written.error().message);
}

std::string started_text(Mode mode, bool measuring) {
  if (mode == Mode::kMeasure) return measuring ? "measuring" : "denying until it measures";
  return std::string(mode == Mode::kEnforce ? "enforcing" : "permissive") +
         (measuring ? " and measuring" : "");
}

// Where the kernel is locked against root, root alone must not loosen anything.
diglim_monitor monitor_policy(const Config& config) {
  if (config.monitor != DIGLIM_MONITOR_ROOT || kernel_lockdown() < Lockdown::kIntegrity)
    return config.monitor;
  log_line(LOG_NOTICE, "the kernel is locked down, so monitor = root in loader.conf means signed");
  return DIGLIM_MONITOR_SIGNED;
}

std::string read_boot_id() {
  const auto id = read_stream("/proc/sys/kernel/random/boot_id", 64);
  return id ? std::string(trim(as_text(*id))) : std::string();  // without one no statement counts
}

Result<void> start(const Config& config) {
  const bool ima_active = ima_was_active();
  std::vector<Error> left_out;
  TRY_ASSIGN(const TrustStore trust, read_keys("", config, &left_out));
  for (const std::string& reason : trust.left_out())
    log_line(LOG_ERR, std::string("left out: ") + kKeysFolder + "/" + reason + "; no key of it counts");
  for (const Error& error : left_out)
    log_line(LOG_ERR, "left out: " + error.message + "; WHAT IT REVOKES IS STILL TRUSTED");
  TRY_ASSIGN(HiddenFolder hidden, HiddenFolder::create());
  TRY_ASSIGN(const KernelFacts facts, probe_kernel([&] { return hidden.open(); }));
  NewMap map(kGenerationMap, true);
  TRY_ASSIGN(Generation generation, first_generation(trust, facts.algo, map));

  const auto labels = config.measures() ? prepare_labels(config) : PolicyLabels::kNone;
  const std::string policy = config.measures() ? ima_policy(labels, config.pcr) : std::string(kQuietPolicy);
  WrittenManifest manifest;
  if (labels == PolicyLabels::kAppArmor) {
    TRY_ASSIGN(manifest, measured_manifest(config, policy, trust, generation));
    generation.set_manifest(manifest.number, manifest.hash);
  }

  TRY_ASSIGN(Programs programs,
             Programs::load({kernel_mode(config.mode), ima_active, config.measures(), labels,
                             config.log_allowed, monitor_policy(config), read_boot_id()},
                            facts));
  TRY_ASSIGN(const Fd keys, create_keys_map(trust.to_blob()));
  const Fd generations(dup(programs.generations_fd()));
  if (!generations) return from_errno("dup", errno);
  TRY(publish_generation(generations, map, generation.last_removal()));
  TRY(programs.set_flags(facts.own_digest, DIGLIM_FLAG_LOADER));
  if (ima_active && !config.measures()) quiet_ima();
  TRY_ASSIGN(Events events, Events::open());
  const Fd role(dup(programs.role_fd()));
  if (!role) return from_errno("dup", errno);
  TRY(take_role(role));  // until it executes init
  TRY(programs.attach());
  const bool measuring = config.measures() && labels != PolicyLabels::kSelinux;
  if (measuring) {
    TRY(start_measuring(policy, labels, manifest));
    programs.set_measuring();
  }
  // Before anything holds the programs: where this fails and the boot goes on, they must not stay and deny.
  if (labels == PolicyLabels::kSelinux) TRY(start_measuring_with_selinux(config, trust, programs, role));
  TRY(programs.pin(hidden, keys));
  {
    const HiddenFolder closed = std::move(hidden);  // the keeper must not inherit a way to it
  }
  TRY(start_keeper(programs, events));
  // No reason to stop: without it, lists change until the loader's file does.
  if (const auto kept = keep_boot_loader(); !kept) {
    log_line(LOG_WARNING,
             "no copy of the loader, after an update of it lists cannot change until the next boot: " +
                 kept.error().message);
  }
  log_line(LOG_NOTICE, started_text(config.mode, measuring) + ", generation 1");
  return {};
}

// Never returns: PID 1 that exits panics the kernel without a word of why.
[[noreturn]] void stop(const std::string& reason, Mode mode) {
  log_line(LOG_EMERG, "stopped: " + reason);
  log_line(LOG_EMERG, mode == Mode::kEnforce
                          ? "to get in, boot with diglim.mode=permissive on the kernel command line"
                          : "to get in, boot with rdinit= removed from the kernel command line");
  (void)fprintf(stderr, "\ndiglim: stopped: %s\n", reason.c_str());
  sync();
  // panic=N on the command line asks for a reboot after N seconds when the system cannot go on; so do we.
  if (const auto panic = read_stream("/proc/sys/kernel/panic", 64)) {
    const long seconds = std::strtol(std::string(as_text(*panic)).c_str(), nullptr, 10);
    if (seconds != 0) {
      if (seconds > 0) (void)sleep(static_cast<unsigned>(seconds));
      (void)reboot(RB_AUTOBOOT);
    }
  }
  for (;;) pause();
}

void execute_init(const char* path) {
  char* const arguments[] = {const_cast<char*>(path), nullptr};
  (void)execv(path, arguments);  // only returns when it failed; the caller reports errno
}

}  // namespace

int run_boot(int argc, char** argv) {
  if (getpid() != 1 || is_active()) {
    const CommandLine line = parse_command_line(argc, argv, {kHelp, nullptr, {}});
    if (line.exit >= 0) return line.exit;
    return usage_error("boot", "runs only once, as PID 1 (rdinit= on the kernel command line)");
  }
  Config config;  // until it is known, what fails is treated as in enforce mode
  auto ready = mount_all();
  auto configured = configure(config);
  const auto started = !ready ? ready : !configured ? configured : start(config);
  if (!started) {
    if (config.mode == Mode::kEnforce) stop(started.error().message, config.mode);
    log_line(LOG_EMERG, "NOT ACTIVE: " + started.error().message + "; " +
                            std::string(mode_name(config.mode)) + ", so the boot goes on");
    if (config.measures()) (void)measure_everything(config.pcr);  // it has said what comes of it
  }
  const char* init = config.init.empty() ? "/init" : config.init.c_str();
  execute_init(init);
  if (config.init.empty() && errno == ENOENT) execute_init(init = "/sbin/init");
  const int error = errno;
  stop("cannot execute " + escape(init) + ": " + strerror(error) +
           (error == EPERM ? "; is it, with its interpreter, on a signed list in /etc/digest_lists?" : ""),
       config.mode);
}

}  // namespace diglim
