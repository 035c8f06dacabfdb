// SPDX-License-Identifier: Apache-2.0
// The verb `revoke`: what counts no more, although a trusted key signed it. See diglim-revoke(1).
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/cms/appended_signature.h"
#include "lib/digest_list/signed_deny_list.h"
#include "policy/boot_trust.h"
#include "tools/diglim/allow/apply.h"
#include "tools/diglim/allow/when.h"
#include "tools/diglim/changing.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/explain/open.h"
#include "tools/diglim/host.h"
#include "tools/diglim/key/keys.h"
#include "tools/diglim/revoke/list.h"
#include "tools/diglim/verbs.h"
#include "tools/file_digests.h"
#include "tools/progress.h"
#include "tools/run_command.h"
#include "tools/signer.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr std::string_view kTool = "diglim revoke";
// Without these a host does not come up, or cannot be mended.
constexpr std::string_view kVital[] = {"/sbin/init",
                                       "/bin/sh",
                                       "/lib64/ld-linux-x86-64.so.2",
                                       "/lib/ld-linux-aarch64.so.1",
                                       "/lib64/libc.so.6",
                                       "/lib/x86_64-linux-gnu/libc.so.6",
                                       "/lib/aarch64-linux-gnu/libc.so.6",
                                       "/usr/bin/diglim",
                                       "/usr/sbin/diglim-loader",
                                       "/usr/bin/rpm",
                                       "/usr/lib64/rpm-plugins/diglim.so",
                                       "/usr/lib/rpm-plugins/diglim.so",
                                       "/usr/lib/x86_64-linux-gnu/rpm-plugins/diglim.so",
                                       "/usr/bin/systemctl"};

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> digests;
  std::string package, below;
  std::string signed_by, after, before;
  std::string reason;
  Signer signer;
  std::string name;  // empty: default_name()
  bool is_named = false;
  std::string root;  // without a slash at its end
  std::string loader;
  std::vector<std::string> words;  // to remove
  bool force = false;
  bool no_initramfs = false;
  bool json = false;
};

// A name is one series of serial numbers for all who trust the key: another host's list of our name with a
// higher one would take the place of ours.
std::string default_name(const std::string& root) {
  constexpr size_t kDigits = 12;
  const auto id = read_file(root + "/etc/machine-id", 64);
  const std::string_view text = id ? trim(as_text(*id)) : std::string_view();
  const bool is_id = text.size() >= kDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
  return is_id ? "local-" + std::string(text.substr(0, kDigits)) : "local";
}

int fail(const std::string& message, int status) {
  complain(kTool, message);
  return status;
}

// One that is kept by that name, and what the kernel has of it.
struct Current {
  DenyList list;
  bool there = false;
  Bytes bytes;            // of its file
  uint64_t in_force = 0;  // serial; 0: none
};

std::string path_of(const Options& options) {
  return options.root + kRevokedFolder + "/" + options.name;
}

// From reading a list until the kernel has the next one: of two at once, the one would undo the other.
Result<Fd> lock(const Options& options) {
  const std::string folder = options.root + kRevokedFolder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return from_errno("create directory " + escape(folder), error.value());
  return lock_folder(options.root, kRevokedFolder);
}

// 0: none, or DIGLIM is not active. Errors: it is, and nobody knows; not with --force.
Result<uint64_t> serial_in_force(const Options& options) {
  if (!options.root.empty()) return uint64_t{0};
  if (options.loader.empty() && access(kBootLoader, F_OK) != 0) return uint64_t{0};
  const std::string loader = options.loader.empty() ? kInstalledLoader : options.loader;
  const auto status = run_command({loader, "status", "--json"}, Errors::kShow);
  const auto serial = status && status->status == 0 ? revoke::serial_of_status(status->output, options.name)
                                                    : Result<uint64_t>(not_found(""));
  if (serial) return *serial;
  if (options.force) return uint64_t{0};
  return Error{
      ErrorCode::kIo, 0,
      fmt::format("which serial of the deny list {} is in force cannot be said, so an older file could "
                  "take revocations back; see: {} status. To trust the file: --force",
                  options.name, loader)};
}

Result<Current> read_current(const Options& options, const TrustStore& trust) {
  TRY_ASSIGN(const uint64_t in_force, serial_in_force(options));
  Current current{{options.name, 0, {}}, false, {}, in_force};
  const auto file = read_file(path_of(options), kMaxDenyFileBytes);
  if (!file && file.error().code != ErrorCode::kNotFound) return file.error();
  if (!file && current.in_force > 0 && !options.force)
    return not_found(
        fmt::format("serial {} of the deny list {} is in force, and its file {} is gone: put it back. "
                    "To begin with an empty one: --force",
                    current.in_force, options.name, path_of(options)));
  if (!file) return current;
  auto list = verify_deny_list(*file, trust);
  if (!list) return with_context(path_of(options) + " does not count, so it is not extended", list.error());
  if (list->list.name != options.name)
    return invalid(path_of(options) + " is the deny list " + list->list.name + "; name that one (--name)");
  const auto newest = revoke::check_newest(list->list, in_force);
  if (!newest && !options.force) return with_context(path_of(options), newest.error());
  current.there = true;
  current.bytes = *file;
  current.list = std::move(list->list);
  return current;
}

Result<TrustStore> trust_of(const Options& options, std::vector<Error>* left_out = nullptr) {
  TRY_ASSIGN(const Config config, read_config_file(options.root));
  return read_keys(options.root, config, left_out);
}

// A revocation that can match nothing would be taken for one that is in force.
Result<std::vector<DenyEntry>> wanted_denials(const Options& options, const TrustStore& trust) {
  std::vector<DenyEntry> denials;
  // As the running kernel hashes; of another one lists and packages have SHA-256.
  const HashAlgo algo =
      options.root.empty() ? doctor::kernel_hash(Host("/")).value_or(HashAlgo::kSha256) : HashAlgo::kSha256;
  for (const std::string& text : options.digests) {
    TRY_ASSIGN(DenyEntry denial, revoke::denial_of_digest(text));
    if (denial.algo != algo && !options.force) {
      return untrusted(fmt::format(
          "{} is a digest by {}, and the kernel compares {}, so nothing would be denied; name the file "
          "itself, or its {} digest. To revoke it nevertheless: --force",
          escape(text, 200), hash_name(denial.algo), hash_name(algo), hash_name(algo)));
    }
    denials.push_back(std::move(denial));
  }
  if (!options.files.empty()) {
    TRY_ASSIGN(const FileDigests found, digest_files(options.files, algo, [](std::string_view) {}));
    for (const Bytes& digest : found.digests) {
      DenyEntry denial;
      denial.algo = algo;
      denial.digest = digest;
      denials.push_back(std::move(denial));
    }
  }
  if (!options.package.empty()) {
    DenyEntry denial;
    denial.kind = DenyEntry::Kind::kPackage;
    denial.package = options.package;
    denial.below = options.below;
    denials.push_back(std::move(denial));
  }
  if (!options.signed_by.empty()) {
    DenyEntry denial;
    denial.kind = DenyEntry::Kind::kKey;
    TRY_ASSIGN(denial.fingerprint, revoke::find_fingerprint(trust, options.signed_by, options.force));
    if (!options.after.empty()) {
      TRY_ASSIGN(denial.from, allow::parse_moment(options.after, false));
    }
    if (!options.before.empty()) {
      TRY_ASSIGN(denial.to, allow::parse_moment(options.before, false));
    }
    if (!options.after.empty() && options.before.empty()) denial.to = static_cast<uint64_t>(INT64_MAX);
    denials.push_back(std::move(denial));
  }
  for (DenyEntry& denial : denials) {
    denial.since = static_cast<uint64_t>(time(nullptr));
    denial.reason = options.reason;
  }
  return denials;
}

// The signed file. Errors: no key, or one that is not trusted.
Result<Bytes> sign(const Options& options, const DenyList& list, const TrustStore& trust) {
  TRY_ASSIGN(const Bytes text, write_deny_list(list));
  TRY_ASSIGN(const Bytes signature, sign_with(options.signer, text));
  Bytes file = append_signature(text, signature, SignatureType::kPkcs7);
  if (const auto counts = verify_deny_list(file, trust); !counts) {
    Error error = counts.error();
    error.message += "; first trust that key: diglim key add CERTIFICATE, and reboot";
    return error;
  }
  return file;
}

// What another deny list revokes must not count again because its key goes: the kernel has it until the next
// boot, which verifies it anew.
Result<void> check_other_lists(const Options& options, const TrustStore& before, const TrustStore& after) {
  const std::string folder = options.root + kRevokedFolder;
  TRY_ASSIGN(const auto names, list_folder(folder));
  for (const std::string& name : names) {
    if (name.starts_with(".") || name == options.name) continue;
    const auto bytes = read_file(folder + "/" + name, kMaxDenyFileBytes);
    if (!bytes || !verify_deny_list(*bytes, before) || verify_deny_list(*bytes, after)) continue;
    return invalid(
        fmt::format("the deny list {} is signed by the key that this would revoke, so from the next boot on "
                    "what it revokes "
                    "would count again. First sign it with another key, by revoking something in it: diglim "
                    "revoke --name {} "
                    "-k KEY -c CERTIFICATE ... To go on nevertheless: --force",
                    escape(name), escape(name)));
  }
  return {};
}

// Says what goes, and whether it may.
Result<void> check_loss(const Options& options, const TrustStore& before, ByteView file) {
  TRY_ASSIGN(TrustStore after, trust_of(options));
  TRY_ASSIGN(SignedDenyList list, verify_deny_list(file, after));
  TRY(after.deny(std::move(list)));
  if (!verify_deny_list(file, after) && !options.force) {
    return invalid(
        "this would revoke the key that signs the list, so that it could not be extended any more; sign with "
        "another "
        "trusted key");
  }
  if (!options.force) TRY(check_other_lists(options, before, after));
  std::vector<std::pair<Bytes, std::string>> vital;
  for (const std::string_view path : kVital) {
    const std::string real = explain::follow_links(options.root, std::string(path));
    if (auto digest = digest_file(options.root + real, HashAlgo::kSha256))
      vital.emplace_back(std::move(*digest), path);
  }
  Progress progress("lists", 0, !options.json);
  TRY_ASSIGN(const key::Loss loss, key::what_is_lost(options.root + kListsFolder, before, after, vital,
                                                     [&](std::string_view name) { progress.step(name); }));
  progress.wipe();
  for (const std::string& name : loss.lists) {
    if (!options.json) fmt::print("installed, and denied from now on: {}\n", escape(name));
  }
  if (!loss.boots && !options.force)
    return invalid(
        loss.first_vital +
        " would be denied, and without it this host does not come up or cannot be mended. First install a "
        "version that is not revoked; to go on nevertheless: --force");
  return {};
}

int remake_initramfs(const Options& options) {
  if (!options.root.empty() || options.no_initramfs || access(kDracutConfig, F_OK) != 0) return kExitOk;
  if (!options.json) fmt::print("making the initramfs anew, which takes a while ...\n");
  (void)fflush(stdout);
  const auto done = run_command({kRemakeInitramfs}, Errors::kShow);
  if (done && done->status == 0) return kExitOk;
  return fail(
      fmt::format("the initramfs was not made anew, so until the switch to the real root a boot trusts what "
                  "it did; when the cause is gone: {}",
                  kRemakeInitramfs),
      kExitEnvironment);
}

void put_denial(JsonWriter& json, const DenyEntry& denial) {
  json.begin_object().key("what").value(describe_denial(denial));
  json.key("since").value(denial.since).key("reason").value(denial.reason).end_object();
}

Result<void> put_back(const Options& options, const Current& before) {
  if (before.there) return write_file_atomically(path_of(options), before.bytes, 0644);
  if (unlink(path_of(options).c_str()) != 0) return from_errno("remove " + path_of(options), errno);
  return {};
}

int publish(const Options& options, const Current& before, const DenyList& list, const TrustStore& trust,
            std::string_view done) {
  const auto file = sign(options, list, trust);
  if (!file) return fail(file.error().message + "; nothing was changed", kExitRejected);
  if (const auto may = check_loss(options, trust, *file); !may)
    return fail(may.error().message + "; nothing was changed",
                may.error().code == ErrorCode::kIo ? kExitEnvironment : kExitRejected);
  if (const auto written = write_file_atomically(path_of(options), *file, 0644); !written)
    return fail(written.error().message, kExitEnvironment);
  const allow::Applied applied =
      allow::apply(options.root, options.loader, path_of(options), "the kernel refuses the new list");
  for (const std::string& line : applied.lines) complain(kTool, line);
  if (applied.status == kExitRejected) {  // the next boot, too, has what this one has
    const auto back = put_back(options, before);
    return fail(back ? "nothing was changed" : "the refused list still lies there: " + back.error().message,
                kExitRejected);
  }
  if (options.json) {
    JsonWriter json;
    json.begin_object().key("name").value(list.name).key("serial").value(list.serial);
    json.key("in_force").value(applied.status == kExitOk && applied.when == ", in force now").end_object();
    fmt::print("{}\n", json.text());
  } else {
    fmt::print("{}; deny list {}, serial {}{}\n", done, list.name, list.serial,
               applied.status == kExitOk ? applied.when : "");
  }
  const int remade = remake_initramfs(options);
  return applied.status != kExitOk ? applied.status : remade;
}

// --- the verbs ---

int make(const Options& options) {
  const auto trust = trust_of(options);
  if (!trust) return fail("the trusted keys cannot be read: " + trust.error().message, kExitEnvironment);
  auto wanted = wanted_denials(options, *trust);
  if (!wanted)
    return fail(wanted.error().message,
                wanted.error().code == ErrorCode::kInvalid ? kExitUsage : kExitRejected);
  // A mistake is found before anything is made.
  if (const auto good = revoke::next_list({options.name, 0, {}}, 0, *wanted); !good)
    return fail(good.error().message, kExitUsage);
  const auto locked = lock(options);
  if (!locked) return fail(locked.error().message + "; nothing was changed", kExitEnvironment);
  const auto now = trust_of(options);  // another one may have revoked something meanwhile
  if (!now) return fail("the trusted keys cannot be read: " + now.error().message, kExitEnvironment);
  const auto current = read_current(options, *now);
  if (!current) return fail(current.error().message + "; nothing was changed", kExitRejected);
  std::string done;
  for (const DenyEntry& denial : *wanted)
    done += (done.empty() ? "revoked: " : ", ") + describe_denial(denial);
  const auto next = revoke::next_list(current->list, current->in_force, *std::move(wanted));
  if (!next) return fail(next.error().message, kExitUsage);
  return publish(options, *current, *next, *now, done);
}

// Where what the words name is, if nobody said: a list has the name that was the default when it was made, or
// that somebody gave it. kInvalid: in several.
Result<std::string> list_with(const std::vector<std::string>& words, const TrustStore& trust,
                              const std::string& otherwise) {
  std::vector<std::string> names;
  for (const SignedDenyList& one : trust.denials().lists())
    if (revoke::list_without(one.list, 0, words)) names.push_back(one.list.name);
  if (names.empty() || std::ranges::count(names, otherwise) > 0) return otherwise;
  if (names.size() > 1)
    return invalid(fmt::format("it is in {} deny lists ({}): say of which to take it, --name NAME",
                               names.size(), fmt::join(names, ", ")));
  return names.front();
}

int remove(Options& options) {
  const auto locked = lock(options);
  if (!locked) return fail(locked.error().message + "; nothing was changed", kExitEnvironment);
  const auto trust = trust_of(options);
  if (!trust) return fail("the trusted keys cannot be read: " + trust.error().message, kExitEnvironment);
  if (!options.is_named) {
    const auto name = list_with(options.words, *trust, options.name);
    if (!name) return fail(name.error().message + "; nothing was changed", kExitRejected);
    options.name = *name;
  }
  const auto current = read_current(options, *trust);
  if (!current) return fail(current.error().message + "; nothing was changed", kExitRejected);
  const auto next = revoke::list_without(current->list, current->in_force, options.words);
  if (!next) return fail(next.error().message, kExitRejected);
  const int status = publish(options, *current, *next, *trust, "no longer revoked");
  if (status == kExitOk && !options.json)
    fmt::print("Packages and what keys signed count again; a single content does from the next boot on.\n");
  return status;
}

// What this boot has, and the next one will not. Nothing is known of another system, or without root.
Result<std::vector<revoke::InForce>> going(const Options& options, const std::vector<SignedDenyList>& files) {
  const bool is_active = !options.loader.empty() || access(kBootLoader, F_OK) == 0;
  if (!options.root.empty() || !is_active || geteuid() != 0) return std::vector<revoke::InForce>();
  const std::string loader = options.loader.empty() ? kInstalledLoader : options.loader;
  TRY_ASSIGN(const CommandResult status, run_command({loader, "status", "--json"}, Errors::kShow));
  auto in_force = status.status == 0 ? revoke::lists_of_status(status.output)
                                     : Result<std::vector<revoke::InForce>>(not_found(""));
  if (in_force) return revoke::without_file(*std::move(in_force), files);
  return not_found(fmt::format("which deny lists are in force cannot be said; see: {} status", loader));
}

int list(const Options& options) {
  std::vector<Error> left_out;
  const auto trust = trust_of(options, &left_out);
  if (!trust) return fail("the trusted keys cannot be read: " + trust.error().message, kExitEnvironment);
  JsonWriter json;
  json.begin_object().key("deny_lists").begin_array();
  for (const SignedDenyList& one : trust->denials().lists()) {
    json.begin_object().key("name").value(one.list.name).key("serial").value(one.list.serial);
    json.key("signer").value(one.signer).key("revoked").begin_array();
    for (const DenyEntry& denial : one.list.denials) put_denial(json, denial);
    json.end_array().end_object();
    if (options.json) continue;
    fmt::print("{}, serial {}, signed by {}\n", one.list.name, one.list.serial, one.signer);
    for (const DenyEntry& denial : one.list.denials)
      fmt::print("  {}\n    since {}: {}\n", escape(describe_denial(denial)), allow::time_text(denial.since),
                 escape(denial.reason));
  }
  json.end_array().key("left_out").begin_array();
  for (const Error& error : left_out) json.value(error.message);
  json.end_array().key("without_file").begin_array();
  const auto asked = going(options, trust->denials().lists());
  const auto gone = asked ? *asked : std::vector<revoke::InForce>();
  for (const revoke::InForce& one : gone)
    json.begin_object().key("name").value(one.name).key("serial").value(one.serial).end_object();
  json.end_array().end_object();
  if (options.json)
    fmt::print("{}\n", json.text());
  else if (trust->denials().lists().empty() && asked && gone.empty())
    fmt::print("nothing is revoked\n");
  for (const revoke::InForce& one : gone)
    complain(
        kTool,
        fmt::format("serial {} of the deny list {} is in force until the next boot, but its file in {} is "
                    "gone or an older one: put it back from a copy, or revoke anew (--force)",
                    one.serial, escape(one.name), kRevokedFolder));
  for (const Error& error : left_out)
    complain(kTool, "does not count, so what it revokes is trusted: " + error.message);
  if (!asked) return fail(asked.error().message, kExitEnvironment);
  return left_out.empty() && gone.empty() ? kExitOk : kExitRejected;
}

void add_common(OptionParser& app, Options& options, bool changes) {
  app.add_option("-r,--root", options.root, "directory of another system; its kernel is not told");
  app.add_flag("--json", options.json, "print JSON");
  app.add_option("--loader", options.loader, "program to run in place of diglim-loader");
  if (!changes) return;
  app.add_option("-k,--key", options.signer.key, "private key that signs (PEM; default: $DIGLIM_KEY)");
  app.add_option("-c,--certificate", options.signer.certificate,
                 "its certificate (default: $DIGLIM_CERTIFICATE)");
  app.add_option("--passphrase-file", options.signer.passphrase_file,
                 "first line: the key's pass phrase (default: $DIGLIM_PASSPHRASE, else asks)");
  app.add_option("--name", options.name,
                 "which deny list is extended (default: local- and the begin of the machine id)");
  app.add_flag("--force", options.force, "also if this host will not come up");
  app.add_flag("--no-initramfs", options.no_initramfs, "do not make the initramfs anew");
}

}  // namespace

int run_revoke(int argc, char** argv) {
  Options options;
  OptionParser app(
      "Revokes what a trusted key signed: a signed deny list that counts at once and after each boot.",
      argv[0]);
  OptionParser* const shown = app.add_subcommand("list", "what is revoked");
  OptionParser* const removed = app.add_subcommand("remove", "make a list without what is named");
  app.add_option("FILE", options.files, "files whose content is revoked");
  app.add_option("--digest", options.digests, "a content: sha256:HEX").one_value_each();
  app.add_option("--package", options.package, "packages of this name ...");
  app.add_option("--below", options.below, "... below this [epoch:]version[-release]");
  app.add_option("--signed-by", options.signed_by, "what a key signed; its fingerprint (diglim key list)");
  app.add_option("--after", options.after, "... from this time on: 2026-12-31, or \"2026-12-31 18:00\"");
  app.add_option("--before", options.before, "... before this time");
  app.add_option("--reason", options.reason, "why; needed, and said to whoever meets it");
  for (OptionParser* const one : {&app, removed}) add_common(*one, options, true);
  add_common(*shown, options, false);
  (void)removed
      ->add_option("WHAT", options.words, "a digest, a package's name or a fingerprint of `revoke list`")
      .required();
  if (const auto status = app.parse(argc, argv)) return *status;
  while (options.root.ends_with('/')) options.root.pop_back();
  options.is_named = !options.name.empty();
  if (!options.is_named) options.name = default_name(options.root);
  if (shown->parsed()) return list(options);
  if (options.name.empty() || options.name.find('/') != std::string::npos || options.name[0] == '.')
    return fail("--name: small letters, digits, '-', '_' or '.', and no dot first", kExitUsage);
  if (removed->parsed()) return remove(options);
  if (options.files.empty() && options.digests.empty() && options.package.empty() &&
      options.signed_by.empty())
    return fail("name a file, --digest, --package or --signed-by; try --help", kExitUsage);
  if (options.package.empty() != options.below.empty())
    return fail("--package and --below belong together", kExitUsage);
  if (options.signed_by.empty() && !(options.after + options.before).empty())
    return fail("--after and --before belong to --signed-by", kExitUsage);
  if (options.reason.empty()) return fail("say why: --reason TEXT", kExitUsage);
  return make(options);
}

}  // namespace diglim
