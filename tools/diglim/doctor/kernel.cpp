// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "lib/base/exit_status.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "policy/lockdown.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/run_command.h"

namespace diglim::doctor {
namespace {

constexpr int kMinMajor = 5, kMinMinor = 18;  // bpf_ima_file_hash(), kernel commit 174b16946e39

Finding version(const Host& host) {
  const std::string release = host.release();
  int major = 0, minor = 0;
  if (std::sscanf(release.c_str(), "%d.%d", &major, &minor) != 2) {
    return {"kernel.version", Level::kUnknown, "the kernel's version is not known", "mount /proc", {}};
  }
  if (major < kMinMajor || (major == kMinMajor && minor < kMinMinor)) {
    return {"kernel.version",
            Level::kFail,
            fmt::format("kernel {} is too old", escape(release)),
            fmt::format("install a kernel of {}.{} or later (tried: 6.1, 6.12, 7.3)", kMinMajor, kMinMinor),
            {}};
  }
  const std::string arch = host.text("/proc/sys/kernel/arch").value_or("x86_64");  // there since 6.1
  if (arch != "x86_64") {
    return {"kernel.version",
            Level::kFail,
            fmt::format("kernel {} on {}", escape(release), escape(arch)),
            "DIGLIM's verdict cache relies on x86-64; use such a machine",
            {}};
  }
  return {"kernel.version", Level::kOk, fmt::format("kernel {}", escape(release)), "", {}};
}

Finding bpf_lsm(const Host& host) {
  const auto active = host.text("/sys/kernel/security/lsm");
  if (!active) {
    return {"kernel.lsm",
            Level::kUnknown,
            "cannot read /sys/kernel/security/lsm",
            "mount -t securityfs securityfs /sys/kernel/security",
            {}};
  }
  if (has_item(*active, "bpf")) {
    return {"kernel.lsm", Level::kOk, "BPF LSM is active (" + escape(*active) + ")", "", {}};
  }
  if (host.kernel_config("CONFIG_BPF_LSM") == "") {
    return {"kernel.lsm",
            Level::kFail,
            "this kernel is built without BPF LSM",
            "install a kernel with CONFIG_BPF_LSM=y (Debian's and Fedora's have it)",
            {}};
  }
  return {"kernel.lsm",
          Level::kFail,
          "BPF LSM is not active (" + escape(*active) + ")",
          fmt::format("add lsm={},bpf to the kernel command line", escape(*active)),
          {}};
}

Finding btf(const Host& host) {
  if (host.exists("/sys/kernel/btf/vmlinux")) return {"kernel.btf", Level::kOk, "BTF is there", "", {}};
  if (!host.exists("/sys/kernel")) {
    return {"kernel.btf", Level::kUnknown, "cannot read /sys/kernel/btf", "mount /sys", {}};
  }
  return {"kernel.btf",
          Level::kFail,
          "the kernel does not describe its types (BTF)",
          "install a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian's and Fedora's have it)",
          {}};
}

void ima(const Host& host, Findings& findings) {
  if (!host.exists("/sys/kernel/security/ima") && host.text("/sys/kernel/security/lsm")) {
    findings.push_back({"kernel.ima",
                        Level::kFail,
                        "IMA is off: the kernel cannot hash files for DIGLIM",
                        "boot without ima=off, with a kernel that has CONFIG_IMA=y",
                        {}});
  } else if (!host.exists("/sys/kernel/security/ima")) {
    findings.push_back({"kernel.ima",
                        Level::kUnknown,
                        "cannot read /sys/kernel/security/ima",
                        "mount -t securityfs securityfs /sys/kernel/security",
                        {}});
  } else {
    findings.push_back({"kernel.ima", Level::kOk, "IMA is there", "", {}});
  }
  const auto policy = host.parameter("ima_policy");
  if (policy || host.parameter("ima_appraise_tcb")) {
    findings.push_back({"kernel.ima_policy",
                        Level::kWarn,
                        "an IMA policy from the command line lets IMA answer with digests it took earlier",
                        "remove ima_policy= from the kernel command line",
                        {}});
  }
}

Finding ftrace(const Host& host) {
  const auto value = host.text("/proc/sys/kernel/ftrace_enabled");
  if (!value) {
    return {
        "kernel.ftrace", Level::kUnknown, "cannot read /proc/sys/kernel/ftrace_enabled", "mount /proc", {}};
  }
  if (*value == "1") return {"kernel.ftrace", Level::kOk, "ftrace is on, so BPF LSM programs run", "", {}};
  return {"kernel.ftrace",
          Level::kFail,
          "ftrace is off: no BPF LSM program runs",
          "sysctl kernel.ftrace_enabled=1, and remove the setting from /etc/sysctl.d",
          {}};
}

Finding tpm(const Host& host) {
  const auto version = host.text("/sys/class/tpm/tpm0/tpm_version_major");
  if (version == "2") return {"kernel.tpm", Level::kOk, "TPM 2.0 is there", "", {}};
  if (version) {
    return {"kernel.tpm",
            Level::kWarn,
            "the TPM is of version " + escape(*version, 16),
            "nothing is measured for attestation; enforcement does not need it",
            {}};
  }
  return {"kernel.tpm",
          Level::kWarn,
          "no TPM: nothing can be measured, sealed or attested",
          "switch it on in the firmware's setup; enforcement does not need it",
          {}};
}

// kmod unpacks compressed modules itself and hands the kernel memory, which is no file that a list could
// know. The loader lets the kernel's own signature check decide if that is enforced from boot on.
void compressed_modules(const Host& host, Findings& findings) {
  const std::string index = host.text("/lib/modules/" + host.release() + "/modules.dep").value_or("");
  const bool compressed = index.find(".ko.") != std::string::npos;
  if (!compressed) return;
  if (enforces_module_signatures(host)) {
    findings.push_back({"kernel.modules",
                        Level::kOk,
                        "compressed kernel modules may be loaded: the kernel itself wants them signed",
                        "",
                        {}});
    return;
  }
  findings.push_back(
      {"kernel.modules",
       Level::kFail,
       "kernel modules are compressed, and unpacked by user space: they would be denied",
       "add module.sig_enforce=1 to the kernel command line (or: diglim setup install --lockdown)",
       {}});
}

// The one check that tries: the others say what to do about what they know.
Finding programs(const Host& host) {
  const char* const id = "kernel.programs";
  const std::string loader(host.exists(kBootLoader) ? kBootLoader : kInstalledLoader);
  if (!host.exists(loader))
    return {id,
            Level::kUnknown,
            "there is no loader that could try this kernel",
            "install the package diglim",
            {}};
  const auto answer = run_command({loader, "check"}, Errors::kCapture);
  const std::string said = escape(answer ? answer->output.substr(0, answer->output.find('\n')) : "", 1000);
  if (!answer || (answer->status != 0 && answer->status != kExitRejected))
    return {id,
            Level::kUnknown,
            "this kernel was not tried: " + said,
            geteuid() == 0 ? "reboot, if the loader that booted is older" : "run this as root",
            {}};
  if (answer->status == 0) return {id, Level::kOk, said, "", {}};
  constexpr std::string_view kWho = "diglim-loader check: ";
  return {id,
          Level::kFail,
          "DIGLIM would not start in this kernel: " + said.substr(said.starts_with(kWho) ? kWho.size() : 0),
          "see the other findings about the kernel, or take one that was tried (6.1, 6.12, 7.3)",
          {}};
}

// Only said where it is wrong: without lockdown DIGLIM works, and check_protection() speaks of the rest.
void confidentiality(const Host& host, Findings& findings) {
  const bool now = lockdown_of(host.text(kLockdownFile).value_or("")) == Lockdown::kConfidentiality;
  if (!now && host.parameter("lockdown") != "confidentiality") return;
  findings.push_back(
      {"kernel.lockdown",
       Level::kFail,
       "lockdown=confidentiality keeps BPF programs from reading kernel memory, which DIGLIM's have "
       "to: it would not start",
       "boot with lockdown=integrity in its place",
       {}});
}

}  // namespace

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok";
    case Level::kWarn:
      return "warn";
    case Level::kFail:
      return "fail";
    case Level::kUnknown:
      break;
  }
  return "unknown";
}

void check_kernel(const Host& host, Findings& findings) {
  findings.push_back(version(host));
  findings.push_back(bpf_lsm(host));
  findings.push_back(btf(host));
  ima(host, findings);
  findings.push_back(ftrace(host));
  findings.push_back(tpm(host));
  compressed_modules(host, findings);
  confidentiality(host, findings);
  if (host.is_live()) findings.push_back(programs(host));
}

}  // namespace diglim::doctor
