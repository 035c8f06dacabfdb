// SPDX-License-Identifier: Apache-2.0
#include "loader/start_measuring.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/selinux_netlink.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "bpf/abi.h"
#include "lib/base/text.h"
#include "loader/daemon.h"
#include "loader/kernel/claim.h"
#include "loader/kernel/maps.h"
#include "loader/kernel/roles.h"
#include "loader/log.h"
#include "loader/update.h"
#include "policy/apparmor.h"

namespace diglim {
namespace {

constexpr char kName[] = "@diglim-measure";
constexpr char kProfiles[] = "/sys/kernel/security/apparmor/.load";

// kNotFound: AppArmor does not run.
Result<void> load_empty_profile(std::string_view name) {
  TRY_ASSIGN(const Fd file, open_file(kProfiles, O_WRONLY));
  const Bytes profile = empty_profile(name);
  if (write(file.get(), profile.data(), profile.size()) != static_cast<ssize_t>(profile.size()))
    return from_errno(std::string("write ") + kProfiles, errno);
  return {};
}

bool runs_selinux() {
  const auto modules = read_stream("/sys/kernel/security/lsm", 4096);
  return modules && has_item(as_text(*modules), "selinux");
}

// Opened before the host's init runs: no message is missed.
Result<Fd> listen_to_selinux() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SELINUX));
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = SELNL_GRP_AVC;
  if (!socket || bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return from_errno("listen to SELinux", errno);
  return socket;
}

// The kernel says so after the policy counts (selinux_policy_commit, security/selinux/ss/services.c).
Result<void> wait_for_policy(const Fd& socket) {
  alignas(nlmsghdr) char buffer[256];
  for (;;) {
    sockaddr_nl sender = {};
    socklen_t size = sizeof(sender);
    const ssize_t got =
        recvfrom(socket.get(), buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&sender), &size);
    if (got < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
    if (got < 0) return from_errno("listen to SELinux", errno);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer);
    const bool from_kernel = size == sizeof(sender) && sender.nl_pid == 0;
    if (from_kernel && NLMSG_OK(header, static_cast<size_t>(got)) &&
        header->nlmsg_type == SELNL_MSG_POLICYLOAD) {
      return {};
    }
  }
}

// Where /run, /proc and securityfs are by now: init has moved them away from the initramfs, to which this
// process still belongs.
Result<void> enter_root_of_init(const Fd& proc) {
  const Fd root(openat(proc.get(), "1/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root || fchdir(root.get()) != 0 || chroot(".") != 0)
    return from_errno("enter the root of init", errno);
  return {};
}

// The generation in force becomes what the boot manifest says. The claim keeps other loaders from publishing
// in between: what they add comes after, with manifests of its own.
Result<void> measure_generation(const Config& config, const TrustStore& trust, Fd ima_policy_file) {
  TRY_ASSIGN(const Fd generations, find_map(kGenerationsMap));
  TRY_ASSIGN(const Fd lock, take_lock());
  TRY_ASSIGN(auto generation, read_generation(generations));
  if (!generation) return not_found("no generation is published");
  const uint64_t before = generation->number();
  TRY_ASSIGN(const Claim claim, Claim::take(before + 1));
  TRY_ASSIGN(const uint64_t now, read_generation_number(generations));
  if (now != before) return Error{ErrorCode::kIo, EAGAIN, "another loader published meanwhile"};

  const std::string policy = ima_policy(PolicyLabels::kSelinux, config.pcr);
  TRY_ASSIGN(const WrittenManifest manifest, measured_manifest(config, policy, trust, *generation));
  generation->set_manifest(manifest.number, manifest.hash);
  NewMap map(kGenerationMap, true);
  TRY(generation->seal(static_cast<uint64_t>(time(nullptr)),
                       [&](size_t elements) { return map.allocate(elements); }));
  TRY(write_ima_policy(std::move(ima_policy_file), policy));
  // First, so that whatever fails here leaves a log without a manifest, not updates without one after it.
  TRY(publish_generation(generations, map, generation->last_removal()));
  return measure_boot_manifest(manifest);
}

}  // namespace

PolicyLabels prepare_labels(const Config& config) {
  constexpr char kEverything[] = ", so IMA cannot be told what is known: everything is measured";
  if (config.labels == PolicyLabels::kSelinux) {
    const bool runs = runs_selinux();
    if (runs && config.steering_labels() == PolicyLabels::kSelinux) return PolicyLabels::kSelinux;
    log_line(LOG_ERR,
             (runs ? "permissive under SELinux" : "SELinux does not run") + std::string(kEverything));
    return PolicyLabels::kNone;
  }
  const auto loaded = load_empty_profile(DIGLIM_NEVER);
  if (loaded) return PolicyLabels::kAppArmor;
  log_line(LOG_ERR, std::string("AppArmor does not run") + kEverything + " (" + loaded.error().message + ")" +
                        (runs_selinux() ? "; this host runs SELinux: labels = selinux in loader.conf" : ""));
  return PolicyLabels::kNone;
}

Result<void> start_measuring(const std::string& policy, PolicyLabels labels,
                             const WrittenManifest& manifest) {
  TRY(write_ima_policy(policy));
  return labels == PolicyLabels::kNone ? Result<void>() : measure_boot_manifest(manifest);
}

Result<void> start_measuring_with_selinux(const Config& config, const TrustStore& trust, Programs& programs,
                                          const Fd& role) {
  TRY_ASSIGN(Fd policy, open_ima_policy());
  TRY_ASSIGN(const Fd socket, listen_to_selinux());
  TRY_ASSIGN(const Fd proc, open_file("/proc", O_PATH | O_DIRECTORY));
  const pid_t pid = fork();
  if (pid < 0) return from_errno("fork", errno);
  if (pid > 0) {
    log_line(LOG_NOTICE, "measuring begins with SELinux's policy; until then what is unknown is denied");
    return {};
  }
  become_daemon(kName);
  auto result = take_role(role);
  if (result) result = wait_for_policy(socket);
  if (result) result = enter_root_of_init(proc);
  if (result) result = measure_generation(config, trust, std::move(policy));
  if (result) {
    log_line(LOG_NOTICE, "measuring, with SELinux's labels");
  } else {
    log_line(LOG_EMERG, "cannot measure with SELinux's labels: " + result.error().message);
    policy = Fd();  // or nobody could write another
  }
  const bool measures = result || measure_everything(config.pcr);
  if (measures) programs.set_measuring();
  _exit(measures ? 0 : 1);
}

bool measure_everything(int pcr) {
  const auto written = write_ima_policy(ima_policy(PolicyLabels::kNone, pcr));
  // No policy file: ours is in force already, and without the programs it measures everything, too.
  const bool measures = written || written.error().code == ErrorCode::kNotFound;
  log_line(LOG_EMERG,
           measures ? "IMA measures everything" : "IMA may measure nothing: " + written.error().message);
  return measures;
}

}  // namespace diglim
