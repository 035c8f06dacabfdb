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
#include "lib/digest_list/digest_list.h"
#include "loader/config.h"
#include "loader/keeper.h"
#include "loader/kernel/maps.h"
#include "loader/kernel/programs.h"
#include "loader/update.h"
#include "loader/verbs.h"

namespace diglim {
namespace {

constexpr char kConfigFile[] = "/etc/diglim/loader.conf";
constexpr char kKeysFolder[] = "/etc/diglim/keys";
constexpr char kListsFolder[] = "/etc/digest_lists";

// Mounts unless something is mounted there already: the folder then lies on another device than its parent.
Result<void> mount_at(const char* type, const char* at) {
  (void)mkdir(at, 0755);  // exists already, or the mount says what is wrong
  struct stat here = {};
  struct stat above = {};
  if (stat(at, &here) == 0 && stat((std::string(at) + "/..").c_str(), &above) == 0 &&
      here.st_dev != above.st_dev) {
    return {};
  }
  if (mount(type, at, type, MS_NOSUID | MS_NOEXEC | (std::string_view(type) == "devtmpfs" ? 0 : MS_NODEV),
            nullptr) != 0) {
    return from_errno(std::string("mount ") + type + " at " + at, errno);
  }
  return {};
}

Result<void> mount_all() {
  TRY(mount_at("sysfs", "/sys"));
  TRY(mount_at("securityfs", "/sys/kernel/security"));
  TRY(mount_at("bpf", kBpffs));
  return {};
}

// What the kernel command line says. Needs /proc.
Result<void> apply_boot_line(int argc, char** argv, Config& config) {
  TRY_ASSIGN(const Bytes line, read_stream("/proc/cmdline", 1 << 16));
  TRY(apply_command_line(as_text(line), config));
  // The kernel hands over what follows "--"; "-- -p" is how the tools of 2022 were made permissive.
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "-p") config.mode = Mode::kPermissive;
  }
  return {};
}

Result<Config> read_config(int argc, char** argv) {
  Config config;
  if (auto file = read_file(kConfigFile, 1 << 16)) {
    auto parsed = parse_config(as_text(*file));
    if (!parsed) return with_context(kConfigFile, parsed.error());
    config = std::move(*parsed);
  } else if (file.error().code != ErrorCode::kNotFound) {
    return with_context(kConfigFile, file.error());
  }
  TRY(apply_boot_line(argc, argv, config));
  return config;
}

// The first generation. A bad list is left out, loudly: what it names stays unknown, which is safe, and one
// damaged file must not keep a host from booting.
Result<Generation> first_generation(const TrustStore& trust, HashAlgo algo) {
  Generation generation(algo);
  auto names = list_folder(kListsFolder);
  if (!names && names.error().code != ErrorCode::kNotFound) return std::move(names).error();
  size_t bad = 0;
  if (names) {
    for (const std::string& name : *names) {
      if (name[0] == '.') continue;  // temporary files of writers
      auto added = add_list(generation, std::string(kListsFolder) + "/" + name, trust);
      if (added) continue;
      ++bad;
      log_line(LOG_ERR, "left out: " + added.error().message);
    }
  }
  generation.seal(static_cast<uint64_t>(time(nullptr)));
  log_line(LOG_INFO, std::to_string(generation.lists().size()) + " digest lists with " +
                         std::to_string(generation.distinct_digests()) + " digests" +
                         (bad > 0 ? ", " + std::to_string(bad) + " left out" : ""));
  return generation;
}

Result<void> start(const Config& config) {
  TRY(mount_all());
  auto trust = TrustStore::from_folder(kKeysFolder, config.signatures);
  if (!trust) return with_context(kKeysFolder, trust.error());
  TRY_ASSIGN(const KernelFacts facts, probe_kernel());
  TRY_ASSIGN(Generation generation, first_generation(*trust, facts.algo));

  TRY_ASSIGN(Programs programs, Programs::load(config.mode == Mode::kEnforce, facts));
  TRY_ASSIGN(const Fd keys, create_keys_map(trust->to_blob()));
  const Fd generations(dup(programs.generations_fd()));
  if (!generations) return from_errno("dup", errno);
  TRY(publish_generation(generations, generation));
  TRY(programs.set_flags(facts.own_digest, DIGLIM_FLAG_LOADER));
  TRY(programs.attach());
  TRY(programs.pin(keys));
  TRY(start_keeper(programs));
  log_line(LOG_NOTICE,
           std::string(config.mode == Mode::kEnforce ? "enforcing" : "permissive") + ", generation 1");
  return {};
}

// Never returns: PID 1 that exits panics the kernel without a word of why.
[[noreturn]] void stop(const std::string& reason) {
  log_line(LOG_EMERG, "stopped: " + reason);
  log_line(LOG_EMERG, "to get in, boot with diglim.mode=permissive on the kernel command line");
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
    (void)fprintf(stderr,
                  "diglim-loader: boot runs only once, as PID 1 (rdinit= on the kernel command line)\n");
    return kExitUsage;
  }
  // What the command line says is known first: with diglim.mode=permissive nothing that follows stops the boot.
  Config config;
  for (const char* type : {"devtmpfs", "proc"}) {
    if (auto mounted = mount_at(type, *type == 'd' ? "/dev" : "/proc"); !mounted) stop(mounted.error().message);
  }
  if (auto applied = apply_boot_line(argc, argv, config); !applied) stop(applied.error().message);
  Result<void> started;
  if (auto full = read_config(argc, argv)) {
    config = std::move(*full);
    started = start(config);
  } else {
    started = std::move(full).error();
  }
  if (!started) {
    if (config.mode == Mode::kEnforce) stop(started.error().message);
    log_line(LOG_EMERG, "NOT ACTIVE: " + started.error().message + "; permissive, so the boot goes on");
  }
  if (!config.init.empty()) {
    execute_init(config.init.c_str());
    stop("cannot execute " + escape(config.init) + ": " + strerror(errno));
  }
  execute_init("/init");
  const int first_error = errno;
  if (first_error == ENOENT) execute_init("/sbin/init");
  stop(std::string("cannot execute ") + (first_error == ENOENT ? "/sbin/init" : "/init") + ": " +
       strerror(errno));
}

}  // namespace diglim
