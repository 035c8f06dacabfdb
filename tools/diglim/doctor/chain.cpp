// SPDX-License-Identifier: Apache-2.0
// How far the boot chain of this host is closed: from the firmware to the loader, whoever changes something
// on the disk. In steps, each of which says what is open.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/x509.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/doctor/efi_keys.h"
#include "tools/diglim/initramfs/firmware_program.h"
#include "tools/diglim/initramfs/image.h"
#include "tools/diglim/setup/uki_images.h"
#include "tools/run_command.h"

namespace diglim::doctor {
namespace {

constexpr std::string_view kVariables = "/sys/firmware/efi/efivars/";
constexpr std::string_view kDb = "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f";
// Who may change db, and PK whose keys the KEK may be.
constexpr std::pair<std::string_view, std::string_view> kAbove[] = {
    {"PK", "PK-8be4df61-93ca-11d2-aa0d-00e098032b8c"}, {"KEK", "KEK-8be4df61-93ca-11d2-aa0d-00e098032b8c"}};
constexpr std::string_view kSetupMode = "SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c";
constexpr std::string_view kStubInfo = "StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr std::string_view kStubPcr = "StubPcrKernelImage-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr size_t kAttributes = 4;  // before the value of each variable
constexpr size_t kMaxVariable = 1u << 20;
constexpr size_t kMaxLine = 1u << 16;

std::optional<Bytes> variable(const Host& host, std::string_view name) {
  auto bytes = read_stream(host.path(std::string(kVariables) + std::string(name)), kMaxVariable);
  if (!bytes || bytes->size() < kAttributes) return std::nullopt;
  return Bytes(bytes->begin() + kAttributes, bytes->end());
}

// Of the makers of machines and firmware, and of what they ship. A PK or KEK that an admin made has a name of
// his choice, so only these tell themselves apart from it.
constexpr std::string_view kMakers[] = {
    "microsoft",  "do not trust", "do not ship", "canonical", "acer",      "american megatrends",
    "ami",        "asrock",       "asus",        "dell",      "framework", "fujitsu",
    "gigabyte",   "hewlett",      "hp",          "hpe",       "huawei",    "insyde",
    "intel",      "lenovo",       "micro-star",  "msi",       "phoenix",   "samsung",
    "supermicro", "toshiba",      "vmware"};

bool is_of_maker(const std::string& subject) {
  std::string name = subject;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(tolower(c)); });
  const auto is_letter = [&](size_t at) {
    return at < name.size() && isalpha(static_cast<unsigned char>(name[at])) != 0;
  };
  return std::ranges::any_of(kMakers, [&](std::string_view maker) {
    for (size_t at = name.find(maker); at != std::string::npos; at = name.find(maker, at + 1)) {
      if ((at == 0 || !is_letter(at - 1)) && !is_letter(at + maker.size())) return true;  // a word of its own
    }
    return false;
  });
}

// Whose PK and KEK are, given that db is this host's alone: whoever has one of them may change db.
Finding keys_above(const Host& host, const Bytes& own, const std::string& subject) {
  Finding finding{"chain.keys",
                  Level::kOk,
                  "the firmware boots what 1 key signed, and it is this host's: " + subject,
                  "",
                  {}};
  const auto mode = variable(host, kSetupMode);
  if (!mode || mode->size() != 1) {
    finding.level = Level::kUnknown;
    finding.what = "whether anybody may change the firmware's keys cannot be read (SetupMode)";
    return finding;
  }
  if (mode->front() != 0) {
    finding.level = Level::kWarn;
    finding.what = "the firmware is in setup mode: anybody may change its keys";
    finding.next = "in the firmware's setup, enrol a PK of yours";
    return finding;
  }
  bool is_foreign = false;
  std::vector<std::string> others;
  for (const auto& [name, file] : kAbove) {
    const auto value = variable(host, file);
    // Without a PK it would be in setup mode; a KEK may be missing.
    const bool may_lack = file != kAbove[0].second;
    const auto found = value      ? read_efi_keys(*value)
                       : may_lack ? Result<EfiKeys>(EfiKeys())
                                  : Result<EfiKeys>(not_found("it is not there"));
    if (!found) {
      finding.level = Level::kUnknown;
      finding.what = fmt::format("the firmware's {} cannot be read: {}", name, found.error().message);
      return finding;
    }
    for (const EfiKeys::Key& key : found->keys) {
      if (!own.empty() && key.der == own) continue;
      is_foreign = is_foreign || is_of_maker(key.subject);
      others.push_back(fmt::format("{} ({})", key.subject, name));
    }
    if (found->others + found->images > 0) others.push_back(fmt::format("entries of other kinds ({})", name));
  }
  if (is_foreign) {
    finding.level = Level::kWarn;
    finding.what =
        "the firmware boots what this host's key signed, but others may change that, by these keys:";
    finding.next = "in the firmware's setup, put a PK and KEK of yours in their place";
  } else if (!others.empty()) {
    finding.what += "; whoever has one of these may change that, so let them be yours:";
  }
  for (std::string& other : others) add_item(finding, std::move(other));
  return finding;
}

// Whose signatures count at the next boot. `own`: the certificate in uki.conf, DER; empty: none is known.
Finding keys(const Host& host, const Bytes& own) {
  const char* const id = "chain.keys";
  const auto db = variable(host, kDb);
  if (!db) {
    return {id,
            Level::kUnknown,
            "the firmware's keys cannot be read",
            "mount -t efivarfs efivarfs /sys/firmware/efi/efivars",
            {}};
  }
  const auto found = read_efi_keys(*db);
  if (!found)
    return {id, Level::kUnknown, "the firmware's keys cannot be read: " + found.error().message, "", {}};
  const auto is_own = [&](const EfiKeys::Key& key) { return !own.empty() && key.der == own; };
  const size_t mine = static_cast<size_t>(std::ranges::count_if(found->keys, is_own));
  const size_t all = found->keys.size() + found->images + found->others;
  if (mine == 1 && all == 1) return keys_above(host, own, found->keys.front().subject);
  Finding finding{id, Level::kWarn, "", "", {}};
  for (const EfiKeys::Key& key : found->keys) {
    if (!is_own(key)) add_item(finding, key.subject);
  }
  if (found->images > 0) add_item(finding, fmt::format("{} images by their hash", found->images));
  if (found->others > 0) add_item(finding, fmt::format("{} entries of other kinds", found->others));
  finding.what = own.empty()
                     ? "which of the firmware's keys is this host's is not known; it boots what these signed:"
                 : mine == 0 ? "the firmware does not know this host's key; it boots what these signed:"
                             : "the firmware boots what this host's key signed, and what these signed:";
  finding.next =
      fmt::format("{}in the firmware's setup, with a PK and KEK of yours, let db hold nothing but {}",
                  own.empty() ? "diglim setup install --uki; then " : "", "your certificate");
  return finding;
}

// The image that the firmware, or a boot manager, started. Adds a finding for the image, and one for its
// command line.
void image(const Host& host, const std::string& certificate, Findings& findings) {
  const char* const make = "diglim setup install --uki";
  if (!variable(host, kStubInfo)) {
    findings.push_back(
        {"chain.image",
         Level::kWarn,
         "this boot came from no unified kernel image: initramfs and command line are under no "
         "signature",
         certificate.empty() ? make : "choose the image in the boot menu",
         {}});
    return;
  }
  const auto found = initramfs::find_images(host.path(""), host.release());
  if (!found || found->empty()) {
    findings.push_back({"chain.image",
                        Level::kUnknown,
                        found ? "the image of this boot is not found" : found.error().message,
                        "mount the EFI system partition",
                        {}});
    return;
  }
  const std::string& path = found->front();
  const auto verified = certificate.empty()
                            ? Result<CommandResult>(not_found("no certificate"))
                            : run_command({"sbverify", "--cert", certificate, path}, Errors::kHide);
  if (verified && verified->status == 0) {
    findings.push_back(
        {"chain.image", Level::kOk, "this boot came from a signed image, " + escape(path), "", {}});
  } else {
    findings.push_back({"chain.image",
                        Level::kWarn,
                        fmt::format("this boot came from {}, which {}", escape(path),
                                    certificate.empty() ? "another key than one of this host's signed"
                                    : verified          ? "does not verify with this host's certificate"
                                                        : "cannot be verified: sbverify is not installed"),
                        make,
                        {}});
  }
  const auto line = initramfs::read_text_section(path, ".cmdline");
  if (!line) {
    findings.push_back(
        {"chain.command_line", Level::kUnknown, "the command line in the image cannot be read", make, {}});
  } else if (trim(*line) == trim(host.command_line())) {
    findings.push_back(
        {"chain.command_line", Level::kOk, "its command line is the one that the kernel has", "", {}});
  } else {
    Finding finding{"chain.command_line",
                    Level::kWarn,
                    "the kernel has another command line than the image: it was made anew since, or somebody "
                    "else gave one",
                    "reboot, with Secure Boot on",
                    {}};
    for (const std::string& addon : initramfs::addons_of(path)) {
      if (!initramfs::read_text_section(addon, ".cmdline")) continue;
      add_item(finding, escape(addon));
      finding.what =
          "the kernel has another command line than the image; systemd's stub adds that of addons:";
      finding.next = "remove them, and have /etc/kernel/cmdline say what they say; then reboot";
    }
    findings.push_back(std::move(finding));
  }
}

Finding measured(const Host& host) {
  const auto text = variable(host, kStubPcr);
  if (text && host.exists("/sys/class/tpm/tpm0")) {
    std::string number;  // UTF-16
    for (const uint8_t byte : *text) {
      if (byte >= '0' && byte <= '9') number += static_cast<char>(byte);
    }
    return {"chain.measured", Level::kOk, "the image was measured into PCR " + number, "", {}};
  }
  return {
      "chain.measured",
      Level::kWarn,
      "the image was measured into no TPM: an older image with the same signature looks the same from afar",
      "switch the TPM on, and boot an image with systemd's stub",
      {}};
}

}  // namespace

void check_chain(const Host& host, Findings& findings) {
  const std::string config = host.text(setup::kUkiConfig).value_or("");
  const std::string certificate = setup::uki_setting(config, "certificate");
  // A tree that is not this machine, and has none of it: nothing to say.
  if (!host.is_live() && config.empty() && !variable(host, kStubInfo)) return;
  // Without UEFI there is no chain: "Secure Boot is off" says what follows from that.
  if (host.is_live() && !host.exists("/sys/firmware/efi")) return;
  Bytes own;
  const auto text = read_file(host.path(certificate), kMaxLine);
  const auto read = text ? read_x509(*text) : Result<std::vector<X509Ptr>>(text.error());
  if (!certificate.empty() && read && read->size() == 1) {
    uint8_t* der = nullptr;
    const int size = i2d_X509(read->front().get(), &der);
    if (size > 0) own.assign(der, der + size);
    OPENSSL_free(der);
  }
  findings.push_back(keys(host, own));
  image(host, certificate.empty() ? "" : host.path(certificate), findings);
  findings.push_back(measured(host));

  constexpr std::array<std::string_view, 7> kSteps = {
      "protection.secure_boot", "chain.keys",     "chain.image",   "chain.command_line",
      "protection.lockdown",    "boot.initramfs", "chain.measured"};
  Finding summary{"chain.closed", Level::kOk, "this host's boot chain is closed", "", {}};
  size_t closed = 0;
  for (const std::string_view step : kSteps) {
    const auto found = std::ranges::find(findings, step, &Finding::id);
    if (found != findings.end() && found->level == Level::kOk) {
      ++closed;
    } else {
      add_item(summary, "open: " + std::string(step.substr(step.find('.') + 1)));
    }
  }
  if (closed < kSteps.size()) {
    summary.level = Level::kWarn;
    summary.what = fmt::format("this host's boot chain is closed in {} of {} steps", closed, kSteps.size());
    summary.next = "what the findings above say of these";
  }
  findings.push_back(std::move(summary));
}

}  // namespace diglim::doctor
