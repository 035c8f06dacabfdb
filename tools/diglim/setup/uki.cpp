// SPDX-License-Identifier: Apache-2.0
// The plan for a host that boots signed unified kernel images. What makes them, now and after each update, is
// tools/uki/make_uki.
#include "tools/diglim/setup/uki.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/crypto/openssl.h"
#include "lib/crypto/public_key.h"
#include "lib/crypto/x509.h"
#include "lib/tpm/key_file.h"
#include "lib/tpm/key_policy.h"
#include "lib/tpm/key_public.h"
#include "policy/command_line.h"

namespace diglim::setup {
namespace {

constexpr const char* kCommandLine = "/etc/kernel/cmdline";
constexpr const char* kStub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
constexpr const char* kBootManager = "/EFI/systemd/systemd-bootx64.efi";
constexpr std::array<const char*, 3> kSystemPartitions = {"/efi", "/boot/efi", "/boot"};
constexpr uint64_t kImageSize = 64u << 20;  // kernel and initramfs; make-uki looks at the real one
constexpr size_t kMaxPem = 1u << 16;
constexpr size_t kMinKeyBits = 2048;
// What has programs use keys of the TPM; of the package diglim-tls, and named in tools/uki/pack_uki.
constexpr const char* kTpmOpenssl = "/etc/diglim/openssl-tpm.cnf";

bool is_tpm_key(std::string_view pem) {
  return pem.find(fmt::format("-----BEGIN {}-----", kKeyPemName)) != std::string_view::npos;
}

bool is_system_partition(const RecordedHost& host, const std::string& folder) {
  if (!host.view().exists(folder + "/EFI")) return false;
  if (!host.view().is_live()) return true;
  const auto mount = host.view().mount_of(folder);
  return mount && mount->point == folder && mount->type == "vfat";
}

Result<std::string> find_system_partition(const RecordedHost& host, std::string named) {
  while (named.size() > 1 && named.ends_with('/')) named.pop_back();
  if (!named.empty()) {
    if (!host.view().exists(named + "/EFI"))
      return not_found(fmt::format("--esp {}: there is no directory EFI, so this is no EFI system partition",
                                   escape(named)));
    if (host.view().is_live() && !is_mount_point(named))
      return not_found(
          fmt::format("--esp {}: nothing is mounted there, so images would lie where no firmware finds "
                      "them: mount the EFI system partition",
                      escape(named)));
    return named;
  }
  for (const char* folder : kSystemPartitions) {
    if (is_system_partition(host, folder)) return std::string(folder);
  }
  return not_found(
      "no EFI system partition is mounted at /efi, /boot/efi or /boot: mount it, or say where it is with "
      "--esp; a machine that boots by BIOS cannot close its boot chain");
}

Result<void> check_programs(const RecordedHost& host) {
  struct Needed {
    const char *program, *package;
  };
  constexpr std::array<Needed, 5> kNeeded = {{{"dracut", "dracut"},
                                              {"lsinitrd", "dracut"},
                                              {"objcopy", "binutils"},
                                              {"sbsign", "sbsigntool (Fedora: sbsigntools)"},
                                              {"sbverify", "sbsigntool (Fedora: sbsigntools)"}}};
  for (const Needed& needed : kNeeded) {
    if (!host.has_program(needed.program))
      return not_found(
          fmt::format("{} is not installed: install the package {}", needed.program, needed.package));
  }
  if (!host.view().exists(kStub))
    return not_found(fmt::format(
        "{} is not there: install the package systemd-boot-efi (Fedora: systemd-boot-unsigned)", kStub));
  if (!host.view().exists(kMakeUki))
    return not_found(fmt::format("{} is not there: install the package diglim-dracut", kMakeUki));
  return {};
}

// The part that a certificate names. A key of the TPM is in a file that this TPM alone can use.
Result<PkeyPtr> read_key(const Host& host, const Bytes& pem) {
  if (!is_tpm_key(as_text(pem))) {
    const Owned<BIO, BIO_free> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const auto no_pass_phrase = [](char*, int, int, void*) { return -1; };  // an update asks nobody
    PkeyPtr key(memory ? PEM_read_bio_PrivateKey(memory.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
    if (!key)
      return openssl_error("no private key in PEM without a pass phrase (updates sign by themselves)");
    return key;
  }
  TRY_ASSIGN(const KeyFile file, read_key_pem(as_text(pem)));
  TRY_ASSIGN(const TpmKeyParts parts, read_key_parts(file));
  if (!host.exists(kTpmOpenssl))
    return not_found(
        fmt::format("a key of the TPM, and {} is not there: install the package diglim-tls", kTpmOpenssl));
  return openssl_public_key(parts.public_part);
}

std::vector<std::string> kernels_of(const RecordedHost& host) {
  std::vector<std::string> kernels = host.view().names("/usr/lib/modules");
  std::erase_if(kernels, [&](const std::string& kernel) {
    return !host.view().exists("/usr/lib/modules/" + kernel + "/modules.dep") ||
           (!host.view().exists("/usr/lib/modules/" + kernel + "/vmlinuz") &&
            !host.view().exists("/boot/vmlinuz-" + kernel));
  });
  return kernels;
}

Result<void> check_space(const RecordedHost& host, const std::string& esp, size_t kernels) {
  struct statvfs space = {};
  if (statvfs(host.view().path(esp).c_str(), &space) != 0) return from_errno("statvfs " + escape(esp), errno);
  const uint64_t left = static_cast<uint64_t>(space.f_bavail) * space.f_frsize;
  // The one of before stays.
  const uint64_t wanted = kImageSize * (kernels + 1);
  if (left >= wanted) return {};
  return Error{ErrorCode::kIo, 0,
               fmt::format("{} has {} MiB left; the images of {} kernels need about {}: remove kernels that "
                           "nobody needs",
                           escape(esp), left >> 20, kernels, wanted >> 20)};
}

// One that the firmware refuses would stand between it and the images.
Result<void> check_boot_manager(const RecordedHost& host, const std::string& esp,
                                const std::string& certificate) {
  const std::string program = esp + kBootManager;
  if (!host.view().exists(program) || !host.runs_commands()) return {};
  if (host.run({"sbverify", "--cert", certificate, program})) return {};
  return invalid(fmt::format(
      "{} is not signed by the key of {}, and with that key alone in the firmware it would not "
      "start: sbsign --key KEY --cert {} --output {} {}",
      escape(program), escape(certificate), escape(certificate), escape(program), escape(program)));
}

// The value of the last "layout =", also in quotes, as kernel-install took them before it had drop-ins.
std::optional<std::string> layout_of(const std::string& text) {
  std::optional<std::string> layout;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos || trim(std::string_view(line).substr(0, equals)) != "layout") continue;
    layout = trim(std::string_view(line).substr(equals + 1));
    std::erase_if(*layout, [](char c) { return c == '"' || c == '\''; });
  }
  return layout;
}

// Where kernel-install makes unified images itself, they lie beside ours, sorted by other versions, and
// nobody makes them anew: an update of keys and lists would not reach what boots (kernel-install(8), layout).
// It reads install.conf where it is first, then the drop-ins of all directories by their names, of two with
// one name that where it is first, so a link to /dev/null hides one. The last value counts.
Result<void> check_layout(const RecordedHost& host) {
  std::string main;
  std::map<std::string, std::string> drop_ins;
  for (const std::string folder :
       {"/etc/kernel/", "/run/kernel/", "/usr/local/lib/kernel/", "/usr/lib/kernel/"}) {
    if (main.empty() && host.view().exists(folder + "install.conf")) main = folder + "install.conf";
    for (const std::string& name : host.view().names(folder + "install.conf.d")) {
      if (name.ends_with(".conf")) drop_ins.emplace(name, folder + "install.conf.d/" + name);
    }
  }
  std::string layout = layout_of(host.view().text(main).value_or("")).value_or(""), from = main;
  for (const auto& [name, path] : drop_ins) {
    const auto value = layout_of(host.view().text(path).value_or(""));
    if (!value) continue;
    layout = *value;
    from = path;
  }
  if (layout != "uki") return {};
  return unsupported(fmt::format(
      "kernel-install makes images of its own here (layout=uki in {}), which the boot manager may take "
      "instead, and which no update of DIGLIM makes anew: write layout=bls into {}, and remove those images "
      "from EFI/Linux afterwards",
      escape(from), from == main ? "/etc/kernel/install.conf" : "/etc/kernel/install.conf.d/zz-diglim.conf"));
}

// The command line that the host has without ours: as named, of the file for new kernels, of the newest boot
// entry, or the running one.
Result<std::string> base_line(const RecordedHost& host, const Options& options) {
  if (!options.uki_cmdline.empty()) return options.uki_cmdline;
  TRY_ASSIGN(const auto text, host.read(kCommandLine));
  if (text && !trim(*text).empty()) return std::string(trim(*text));
  TRY_ASSIGN(const std::string entry, newest_options(host));
  if (!entry.empty() && entry.find('$') == std::string::npos) return entry;
  std::string line = host.view().is_live() ? host.view().command_line() : std::string();
  const KernelLine words = split_kernel_line(line);
  std::string kept;
  for (const std::string_view word : words.words) {
    if (!word.starts_with("BOOT_IMAGE=") && !word.starts_with("initrd=")) kept += fmt::format("{} ", word);
  }
  if (!words.arguments.empty()) kept += fmt::format("-- {}", fmt::join(words.arguments, " "));
  line = trim(kept);
  if (line.empty())
    return not_found(
        "the kernel command line is not known (no /etc/kernel/cmdline): --uki-cmdline \"root=...\"");
  return line;
}

}  // namespace

// Who has the key decides what this host boots.
Result<void> check_uki_key(const Host& host, const std::string& key, const std::string& certificate) {
  const std::string key_path = host.path(key);
  struct stat info = {};
  if (stat(key_path.c_str(), &info) != 0) return from_errno("--uki-key " + escape(key), errno);
  if (!S_ISREG(info.st_mode)) return invalid(fmt::format("--uki-key {} is no file", escape(key)));
  if (info.st_uid != 0 || (info.st_mode & 077) != 0)
    return invalid(fmt::format("others than root may read --uki-key {}: chown root {}; chmod 600 {}",
                               escape(key), escape(key), escape(key)));
  init_openssl();
  const auto key_text = read_file(key_path, kMaxPem);
  if (!key_text) return with_context("--uki-key " + escape(key), key_text.error());
  const auto pkey = read_key(host, *key_text);
  if (!pkey) return with_context("--uki-key " + escape(key), pkey.error());
  // UEFI 2.10, 32.5.3.3: what firmware has to know is RSA with SHA-256.
  if (EVP_PKEY_get_base_id(pkey->get()) != EVP_PKEY_RSA || key_bits(pkey->get()) < kMinKeyBits)
    return invalid(
        fmt::format("--uki-key {}: firmware wants an RSA key of {} bits or more, most of it exactly {}",
                    escape(key), kMinKeyBits, kMinKeyBits));
  const auto text = read_file(host.path(certificate), kMaxPem);
  if (!text) return with_context("--uki-cert " + escape(certificate), text.error());
  const auto found = read_x509(*text);
  if (!found) return with_context("--uki-cert " + escape(certificate), found.error());
  if (found->size() != 1 || !as_text(*text).starts_with("-----BEGIN"))
    return invalid(fmt::format("--uki-cert {}: one certificate in PEM is wanted, as sbsign reads it",
                               escape(certificate)));
  const EVP_PKEY* certified = X509_get0_pubkey(found->front().get());
  if (certified == nullptr || EVP_PKEY_eq(certified, pkey->get()) != 1) {
    (void)openssl_error("");  // the queue
    return invalid(fmt::format("--uki-cert {} is not the certificate of --uki-key {}", escape(certificate),
                               escape(key)));
  }
  return {};
}

bool is_mount_point(const std::string& path) {
  struct stat here = {}, above = {};
  return stat(path.c_str(), &here) == 0 && stat((path + "/..").c_str(), &above) == 0 &&
         (here.st_dev != above.st_dev || here.st_ino == above.st_ino);
}

UkiSettings read_uki_settings(const RecordedHost& host) {
  const std::string text = host.view().text(kUkiConfig).value_or("");
  return UkiSettings{uki_setting(text, "esp"), uki_setting(text, "key"), uki_setting(text, "certificate")};
}

Result<void> plan_uki(const RecordedHost& host, const Options& options, Plan& plan) {
  TRY(check_programs(host));
  if (!host.view().exists(kDracutModule))
    return not_found(fmt::format("{} is not there: install the package diglim-dracut", kDracutModule));
  const UkiSettings before = read_uki_settings(host);
  UkiSettings settings;
  TRY_ASSIGN(settings.esp, find_system_partition(host, options.esp.empty() ? before.esp : options.esp));
  settings.key = !options.uki_key.empty() ? options.uki_key : before.key.empty() ? kDefaultKey : before.key;
  settings.certificate = !options.uki_cert.empty()    ? options.uki_cert
                         : before.certificate.empty() ? kDefaultCertificate
                                                      : before.certificate;
  for (const std::string& path : {settings.esp, settings.key, settings.certificate}) {
    if (!path.starts_with('/') || path.find('\n') != std::string::npos)
      return invalid(fmt::format("{}: a path from / on is wanted, since updates use it later", escape(path)));
  }
  TRY(check_uki_key(host.view(), settings.key, settings.certificate));
  const auto kernels = kernels_of(host);
  if (kernels.empty()) return not_found("no kernel with its image is found in /usr/lib/modules or /boot");
  TRY(check_layout(host));
  TRY(check_space(host, settings.esp, kernels.size()));
  TRY(check_boot_manager(host, settings.esp, settings.certificate));
  TRY_ASSIGN(std::string line, base_line(host, options));
  line = with_words(without_words(line, host.record().words), plan.words);
  TRY(check_line(line, plan.words, 0));

  plan.steps.push_back(
      {"uki",
       fmt::format("have updates of kernels and of DIGLIM make images in {}/EFI/Linux, signed with {}",
                   settings.esp, settings.key),
       {{kDracutConfig,
         "# Made by diglim setup. Stripping would change programs, and no list would know them.\n"
         "add_dracutmodules+=\" diglim \"\ndo_strip=\"no\"\n",
         0644, false, ""},
        {kUkiConfig,
         fmt::format(
             "# Made by diglim setup install --uki, read by {}.\nesp = {}\nkey = {}\ncertificate = {}\n",
             kMakeUki, settings.esp, settings.key, settings.certificate),
         0644, false, ""}},
       {}});
  plan.steps.push_back({"command_line",
                        fmt::format("the command line of the images, in {}: {}", kCommandLine, line),
                        {{kCommandLine, line + "\n", 0644, false, "plain"}},
                        {}});
  Step images{"images",
              fmt::format("make and sign the images of {} kernels; what booted before stays, as \"previous\"",
                          kernels.size()),
              {},
              {}};
  for (const std::string& kernel : kernels) {
    Command command;
    command.words = {kMakeUki, kernel};
    images.commands.push_back(std::move(command));
  }
  plan.steps.push_back(std::move(images));
  return {};
}

Result<void> make_uki_folders(RecordedHost& host) {
  const UkiSettings settings = read_uki_settings(host);
  for (const char* folder : {"/EFI/Linux", "/EFI/diglim", "/loader/entries"})
    TRY(host.make_folder(settings.esp + folder));
  return {};
}

void tell_uki(const RecordedHost& host, Report& report) {
  const UkiSettings settings = read_uki_settings(host);
  for (const std::string& name : host.view().names(settings.esp + "/EFI/Linux")) {
    if (!name.ends_with(".efi") || name.starts_with("diglim-")) continue;
    report.to_do.push_back(
        fmt::format("look at {}/EFI/Linux/{}: it is none of these images, and the boot manager may take it "
                    "instead; what the firmware's keys signed boots",
                    settings.esp, escape(name)));
  }
  // After a change of the key.
  for (const std::string& name : host.view().names(settings.esp + "/EFI/diglim")) {
    const std::string image = settings.esp + "/EFI/diglim/" + name;
    if (!name.ends_with("-previous.efi") || !host.runs_commands() ||
        host.run({"sbverify", "--cert", settings.certificate, image}))
      continue;
    report.to_do.push_back(
        fmt::format("{} was signed with another key: it is the way back only while the firmware has that one "
                    "in db, so keep it there until the new image has booted",
                    escape(image)));
  }
  if (!host.view().exists(settings.esp + kBootManager)) {
    report.to_do.push_back(fmt::format(
        "let the firmware boot it: efibootmgr --create --disk DISK --part NUMBER --label DIGLIM --loader "
        "'\\EFI\\Linux\\diglim-KERNEL.efi', once for each kernel (or install systemd-boot into {}, signed "
        "with "
        "the same key)",
        settings.esp));
  }
  report.to_do.push_back(
      fmt::format("enrol {} in the firmware's setup as db, with a PK and KEK of yours, and without the keys "
                  "that were there: "
                  "whatever they signed still boots, also without DIGLIM. diglim doctor says how far it is",
                  settings.certificate));
}

Result<void> remove_uki(const RecordedHost& host, const UkiSettings& settings, Report& report) {
  if (settings.esp.empty()) return {};
  if (!host.view().exists(settings.esp + "/EFI"))
    return not_found(
        fmt::format("{}/EFI is not there, and the images are: is the EFI system partition mounted?",
                    escape(settings.esp)));
  const auto is_ours = [](std::string_view folder, const std::string& name) {
    if (folder == "/EFI/diglim/") return name.ends_with("-previous.efi") || name.ends_with("-previous.new");
    if (!name.starts_with("diglim-")) return false;
    return folder == "/EFI/Linux/" ? name.ends_with(".efi") || name.ends_with(".new")
                                   : name.ends_with("-previous.conf");
  };
  size_t removed = 0;
  for (const std::string folder : {"/EFI/Linux/", "/EFI/diglim/", "/loader/entries/"}) {
    for (const std::string& name : host.view().names(settings.esp + folder)) {
      if (!is_ours(folder, name)) continue;
      const std::string path = host.view().path(settings.esp + folder + name);
      if (unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + escape(path), errno);
      ++removed;
    }
  }
  report.done.push_back(fmt::format("removed {} images and entries from {}", removed, escape(settings.esp)));
  report.to_do.push_back(
      "before the reboot: see to it that the firmware accepts the boot loader of before; with your key alone "
      "in "
      "it, it does not");
  return {};
}

}  // namespace diglim::setup
