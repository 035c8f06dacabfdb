// SPDX-License-Identifier: Apache-2.0
// The verb `key`: whose signatures count. See diglim-key(1).
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <memory>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/digest_list/signed_grant.h"
#include "policy/config.h"
#include "tools/diglim/changing.h"
#include "tools/diglim/key/changes.h"
#include "tools/diglim/key/granting.h"
#include "tools/diglim/key/grants.h"
#include "tools/diglim/key/listing.h"
#include "tools/diglim/key/outcome.h"
#include "tools/diglim/key/revocation.h"
#include "tools/diglim/key/sources.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using key::KeyFile;
using key::KeyInfo;
using key::Outcome;

constexpr std::string_view kFileUrl = "file://";

struct Options {
  key::Places places;
  std::string key;
  std::vector<std::string> sources;
  Signer signer;       // who grants
  std::string output;  // of `grant`
  std::string loader;
  bool json = false;
  bool yes = false;
  bool no_initramfs = false;
};

std::string keys_folder(const Options& options) {
  return options.places.root + kKeysFolder;
}

void say_unread(Outcome& outcome, const key::Found& found) {
  for (const std::string& line : found.unread) outcome.complain(line);
}

// --- add, import ---

// What boots has its own copy of the keys.
int make_initramfs(const Options& options, Outcome& outcome) {
  if (!options.places.root.empty() || options.no_initramfs || access(kDracutConfig, F_OK) != 0) {
    outcome.say_initramfs(key::Initramfs::kToBeMade);
    return kExitOk;
  }
  outcome.say("making the initramfs anew, which takes a while ...");
  (void)fflush(stdout);
  const auto done = run_command({kRemakeInitramfs}, Errors::kShow);
  const bool is_made = done && done->status == 0;
  outcome.say_initramfs(is_made ? key::Initramfs::kMade : key::Initramfs::kFailed);
  if (is_made) return kExitOk;
  return outcome.fail(
      fmt::format("the initramfs was not made anew, so a boot trusts what it did; when the cause is gone: {}",
                  kRemakeInitramfs));
}

// Says what a change would have denied. False, and nothing is to be changed: it may not be.
bool may_lose(const Options& options, Outcome& outcome, const Result<key::Loss>& loss,
              const std::string& what, int& status) {
  if (!loss) {
    status = outcome.fail(loss.error().message);
    return false;
  }
  if (!loss->boots) {
    status = outcome.fail(
        what + " " + loss->first_vital +
            " would be denied, and the machine would not come up; nothing was changed. First trust "
            "the key that signed its package",
        kExitRejected);
    return false;
  }
  for (const std::string& list : loss->lists) outcome.say_denied(list);
  if (loss->lists.empty() || options.yes) return true;
  status =
      outcome.fail(fmt::format("the files of {} lists would be denied from the next boot on, of granted keys "
                               "at once; nothing was changed. To go on: --yes",
                               loss->lists.size()),
                   kExitRejected);
  return false;
}

// Among the trusted keys from now on, as `path`. A copy of a key that is there may take it back.
std::optional<int> put(const Options& options, Outcome& outcome, const KeyFile& file, std::string& path) {
  // Of two keys that come under one name the second is not to take the first one's place.
  const auto lock = lock_folder(options.places.root, kKeysFolder);
  if (!lock) return outcome.fail(lock.error().message);
  const auto name = key::name_for(options.places, file);
  if (!name) return outcome.fail(name.error().message, kExitRejected);
  const auto trusted = key::trusted_files(options.places);
  if (!trusted) return outcome.fail(trusted.error().message);
  if (key::share_a_key(*trusted, file)) {
    const key::Change change{{}, *name, file.content};
    int status = kExitOk;
    if (!may_lose(options, outcome, key::find_loss(options.places, change), "with " + escape(*name), status))
      return status;
  }
  path = keys_folder(options) + "/" + *name;
  if (const auto written = write_file_atomically(path, file.content, 0644); !written)
    return outcome.fail(written.error().message);
  return std::nullopt;
}

bool grants(const Options& options) {
  return !options.signer.key.empty() || !options.signer.certificate.empty();
}

// A file, "file://" or not.
Result<KeyFile> read_key_file(const std::string& word) {
  const std::string path = word.starts_with(kFileUrl) ? word.substr(kFileUrl.size()) : word;
  TRY_ASSIGN(Bytes content, read_file(path, key::kMaxKeyBytes));
  auto file = key::key_file(path.substr(path.rfind('/') + 1), escape(path), std::move(content));
  if (!file) return with_context(escape(word), file.error());
  return file;
}

int revoke(const Options& options, Outcome& outcome, ByteView revocation) {
  const auto trusted = key::trusted_files(options.places);
  if (!trusted) return outcome.fail(trusted.error().message);
  std::vector<Bytes> contents;
  for (const KeyFile& file : *trusted) contents.push_back(file.content);
  auto joined = key::join_revocation(revocation, contents);
  if (!joined) return outcome.fail(escape(options.key) + ": " + joined.error().message, kExitRejected);
  auto file = key::key_file(key::revocation_name(joined->fingerprint), "", std::move(joined->file));
  if (!file) return outcome.fail(file.error().message, kExitRejected);
  std::string path;
  if (const auto status = put(options, outcome, *file, path)) return *status;
  outcome.say_revoked(*joined, path);
  return make_initramfs(options, outcome);
}

// Anybody may have put a file of any name into the directory that root happens to be in.
bool is_path(const std::string& word) {
  return word.find('/') != std::string::npos;
}

std::string hint_of_file(const std::string& word) {
  return access(word.c_str(), F_OK) == 0 ? "; for the file of that name: " + shell_word("./" + word) : "";
}

int add(const Options& options, Outcome& outcome) {
  Bytes statement;
  std::string signer;
  auto file = Result<KeyFile>(not_found(""));
  if (!is_path(options.key)) {
    const auto others = key::keys_of_others(options.places);
    if (!others) return outcome.fail(others.error().message + hint_of_file(options.key));
    file = key::find_key(others->files, options.key);
    // A word that names a key is no file; any other is one only if it stands for nothing else.
    if (!file && (file.error().code != ErrorCode::kNotFound || key::names_a_key(options.key) ||
                  access(options.key.c_str(), F_OK) != 0))
      return outcome.fail(file.error().message + hint_of_file(options.key), kExitRejected);
  }
  if (!file) {
    const auto content = read_file(options.key, key::kMaxKeyBytes);
    if (content && key::is_revocation(*content)) return revoke(options, outcome, *content);
    // A statement that was made elsewhere.
    if (auto granted = read_file(options.key, kMaxGrantFileBytes); granted && key::keys_in_grant(*granted)) {
      statement = *std::move(granted);
      std::string name = options.key.substr(options.key.rfind('/') + 1);
      if (name.ends_with(".grant")) name.resize(name.size() - std::string_view(".grant").size());
      file = key::key_file(name, escape(options.key), *key::keys_in_grant(statement));
    } else {
      file = read_key_file(options.key);
    }
  }
  if (!file) return outcome.fail(file.error().message, kExitRejected);
  if (statement.empty() && grants(options)) {
    auto made = key::sign_for(options.places, options.signer, *file, signer);
    if (!made) return outcome.fail(made.error().message + "; nothing was changed", kExitRejected);
    statement = *std::move(made);
  } else if (!statement.empty()) {
    auto checked = key::check_grant(options.places, statement);
    if (!checked)
      return outcome.fail(escape(options.key) + ": " + checked.error().message + "; nothing was changed",
                          kExitRejected);
    signer = *std::move(checked);
  }
  std::string path;
  if (const auto status = put(options, outcome, *file, path)) return *status;
  outcome.say_trusted(*file, path);
  int granted = kExitOk;
  if (!statement.empty())
    granted = key::grant(options.places, options.loader, outcome, path.substr(path.rfind('/') + 1), statement,
                         signer);
  const int made = make_initramfs(options, outcome);
  return granted != kExitOk ? granted : made;
}

// Makes a statement, for other hosts too. Nothing is changed here.
int make_grant(const Options& options, Outcome& outcome) {
  auto file = read_key_file(options.key);
  if (!file) return outcome.fail(file.error().message, kExitRejected);
  const auto statement = key::sign_grant(options.signer, file->content);
  if (!statement) return outcome.fail(statement.error().message, kExitRejected);
  if (const auto written = write_output(options.output, *statement, 0644); !written)
    return outcome.fail(written.error().message);
  for (const KeyInfo& info : file->keys)
    outcome.say(fmt::format("a grant of {} {} {}", info.kind, info.fingerprint, info.who));
  outcome.say(fmt::format("It counts on each host that trusts the key that signed, by: diglim key add {}",
                          shell_word(options.output)));
  return kExitOk;
}

// The files of keys that a word of `key import` stands for.
Result<std::vector<KeyFile>> find_source(const Options& options, Outcome& outcome,
                                         const std::vector<KeyFile>& others, const std::string& word) {
  std::vector<KeyFile> files;
  if (word.starts_with("http://") || word.starts_with("https://")) {
    return unsupported(escape(word) +
                       ": nothing is fetched here; fetch it (curl -fO), look at it, and import "
                       "the file");
  }
  if (is_path(word)) {
    TRY_ASSIGN(KeyFile file, read_key_file(word));
    files.push_back(std::move(file));
    return files;
  }
  bool known = false;
  key::Found found = key::keys_of_repositories(options.places, word, known);
  if (!known) {
    auto file = key::find_key(others, word);
    if (!file) return Error{file.error().code, 0, file.error().message + hint_of_file(word)};
    files.push_back(*std::move(file));
    return files;
  }
  say_unread(outcome, found);
  for (const std::string& url : found.urls) {
    outcome.complain(
        fmt::format("repository {} has a key at {}, which is not fetched here; once dnf has "
                    "imported it, `diglim key list` shows it",
                    escape(word), escape(url)));
  }
  if (found.files.empty() && found.urls.empty())
    return not_found("repository " + escape(word) + " names no key that can be read (gpgkey=)");
  return std::move(found.files);
}

bool is_wanted(const Options& options, const KeyFile& file) {
  if (options.json) return true;  // with --yes only
  for (const KeyInfo& info : file.keys) key::print_key(info, file.origin);
  if (options.yes) return true;
  fmt::print("Trust what it signs, from the next boot on? [y/N] ");
  (void)fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int import(const Options& options, Outcome& outcome) {
  if (!options.yes && (options.json || isatty(STDIN_FILENO) != 1))
    return outcome.fail("nobody to ask; --yes goes on without a question", kExitUsage);
  const auto others = key::keys_of_others(options.places);
  const auto trusted = key::trusted_files(options.places);
  if (!others || !trusted) return outcome.fail(others ? trusted.error().message : others.error().message);
  if (options.sources.empty()) say_unread(outcome, *others);
  std::vector<KeyFile> files = options.sources.empty() ? others->files : std::vector<KeyFile>();
  for (const std::string& word : options.sources) {
    auto found = find_source(options, outcome, others->files, word);
    if (!found) return outcome.fail(found.error().message, kExitRejected);
    std::ranges::move(*found, std::back_inserter(files));
  }
  size_t imported = 0;
  size_t declined = 0;
  int failed = kExitOk;
  std::vector<KeyFile> seen = *trusted;
  for (const KeyFile& file : files) {
    // Of a key that is there already a copy may say that it was revoked, which counts if the copy is named.
    const bool is_there = options.sources.empty() ? key::has_all(seen, file) || key::is_useless(file)
                                                  : key::has_content(seen, file);
    if (is_there) continue;
    seen.push_back(file);
    if (!is_wanted(options, file)) {
      ++declined;
      continue;
    }
    std::string path;
    if (const auto status = put(options, outcome, file, path)) {
      failed = *status;
      continue;
    }
    outcome.say_trusted(file, path);
    ++imported;
  }
  if (imported > 0) {
    const int made = make_initramfs(options, outcome);
    return failed != kExitOk ? failed : made;
  }
  if (failed != kExitOk) return failed;
  if (declined > 0) return outcome.fail("nothing was imported", kExitRejected);
  outcome.say("nothing to import: all of these keys are trusted");
  return kExitOk;
}

// --- remove ---

// The file of keys of that name, or the one that has a key of this fingerprint; and with it what only takes
// that key back, which alone would be a key that is not revoked for what it signed before.
Result<std::vector<std::string>> find_trusted(const Options& options) {
  const std::string name = options.key.substr(options.key.rfind('/') + 1);
  const std::string wanted = key::fingerprint_of(options.key);
  TRY_ASSIGN(const auto files, key::trusted_files(options.places));
  const auto found = std::ranges::find_if(files, [&](const KeyFile& file) {
    if (file.name == name) return true;
    return !key::is_revocation_name(file.name) &&
           std::ranges::any_of(file.keys, [&](const KeyInfo& info) { return key::is_named(info, wanted); });
  });
  std::vector<std::string> names;
  if (found == files.end()) {
    TRY_ASSIGN(const auto all, list_folder(keys_folder(options)));  // also what is no key
    if (name.starts_with('.') || std::ranges::find(all, name) == all.end())
      return not_found(escape(options.key) + ": no such key is trusted (see: diglim key list)");
    names.push_back(name);
    return names;
  }
  names.push_back(found->name);
  for (const KeyInfo& info : found->keys) {
    const std::string revocation = key::revocation_name(info.fingerprint);
    const bool elsewhere = std::ranges::any_of(files, [&](const KeyFile& file) {
      return file.name != found->name && file.name != revocation &&
             std::ranges::any_of(file.keys,
                                 [&](const KeyInfo& other) { return other.fingerprint == info.fingerprint; });
    });
    const bool is_there =
        std::ranges::any_of(files, [&](const KeyFile& file) { return file.name == revocation; });
    if (is_there && !elsewhere && revocation != found->name) names.push_back(revocation);
  }
  return names;
}

// Of keys of which there is a statement alone, by its name or a fingerprint.
std::vector<std::string> find_granted(const Options& options) {
  const std::string name = options.key.substr(options.key.rfind('/') + 1);
  const std::string wanted = key::fingerprint_of(options.key);
  std::vector<std::string> fingerprints;
  for (const KeyFile& file : key::grant_files(options.places)) {
    for (const KeyInfo& info : file.keys) {
      if (file.name == name || key::is_named(info, wanted)) fingerprints.push_back(info.fingerprint);
    }
  }
  return fingerprints;
}

int remove(const Options& options, Outcome& outcome) {
  // Of two keys that make up for each other only one may go.
  auto lock = lock_folder(options.places.root, kKeysFolder);
  if (!lock) return outcome.fail(lock.error().message);
  const auto names = find_trusted(options);
  if (!names && key::take_back(options.places, outcome, find_granted(options)))
    return key::follow(options.places, options.loader, outcome);
  if (!names) return outcome.fail(names.error().message, kExitRejected);
  int status = kExitOk;
  const key::Change change{*names, {}, {}};
  if (!may_lose(options, outcome, key::find_loss(options.places, change), "without " + escape(names->front()),
                status))
    return status;
  const auto files = key::trusted_files(options.places);
  if (!files) return outcome.fail(files.error().message);
  std::vector<std::string> fingerprints;
  for (const KeyFile& file : *files) {
    if (std::ranges::find(*names, file.name) == names->end()) continue;
    for (const KeyInfo& info : file.keys) fingerprints.push_back(info.fingerprint);
  }
  const bool was_granted = key::take_back(options.places, outcome, fingerprints);
  for (const std::string& name : *names) {
    const std::string path = keys_folder(options) + "/" + name;
    if (unlink(path.c_str()) != 0) return outcome.fail(from_errno("remove " + escape(path), errno).message);
    const auto file = std::ranges::find(*files, name, &KeyFile::name);
    outcome.say_removed(path, file == files->end() ? std::vector<KeyInfo>() : file->keys);
  }
  *lock = Fd();  // an initramfs takes its time
  const int followed = was_granted ? key::follow(options.places, options.loader, outcome) : kExitOk;
  const int made = make_initramfs(options, outcome);
  return followed != kExitOk ? followed : made;
}

}  // namespace

int run_key(int argc, char** argv) {
  Options options;
  OptionParser app("Shows and changes whose signatures count: the keys in /etc/diglim/keys.", argv[0]);
  OptionParser* const shown =
      app.add_subcommand("list", "the trusted keys, and those that rpm and repositories have besides");
  OptionParser* const added = app.add_subcommand(
      "add", "trust a key, or revoke one, from the next boot on; at once if a trusted key grants it");
  OptionParser* const granted =
      app.add_subcommand("grant", "make a statement by which a key counts at once, for `add` on other hosts");
  OptionParser* const imported =
      app.add_subcommand("import", "the same of several that rpm or a repository trusts; asks");
  OptionParser* const removed =
      app.add_subcommand("remove", "no longer trust it, unless the machine would not come up");
  for (OptionParser* const sub : {shown, added, granted, imported, removed}) {
    sub->add_option("-r,--root", options.places.root, "directory of another system");
    sub->add_option("--dbpath", options.places.dbpath, "directory of the rpm database");
    sub->add_flag("--json", options.json, "print JSON");
  }
  (void)added
      ->add_option(
          "KEY", options.key,
          "a file (also a revocation, or a grant), a fingerprint or id of `key list`, or a key of rpm "
          "(gpg-pubkey-...)")
      .required();
  (void)granted->add_option("KEY", options.key, "a file of keys").required();
  (void)granted->add_option("-o,--output", options.output, "where the statement is written").required();
  for (OptionParser* const sub : {added, granted}) {
    sub->add_option("-k,--key", options.signer.key,
                    "trusted key that grants it: a PEM file, pkcs11:..., handle:0x... ($DIGLIM_KEY)");
    sub->add_option("-c,--certificate", options.signer.certificate, "its certificate ($DIGLIM_CERTIFICATE)");
    sub->add_option("--passphrase-file", options.signer.passphrase_file,
                    "first line: pass phrase or PIN (default: $DIGLIM_PASSPHRASE, else asks)");
  }
  for (OptionParser* const sub : {added, removed})
    sub->add_option("--loader", options.loader, "program to run in place of diglim-loader");
  (void)imported->add_option("SOURCE", options.sources,
                             "a repository, or what `add` takes; none: all of rpm and of the repositories");
  (void)removed->add_option("KEY", options.key, "a file's name in /etc/diglim/keys, or a fingerprint")
      .required();
  for (OptionParser* const sub : {added, removed})
    sub->add_flag("--yes", options.yes, "also if files of packages would be denied");
  imported->add_flag("-y,--yes", options.yes, "do not ask");
  for (OptionParser* const sub : {added, imported, removed})
    sub->add_flag("--no-initramfs", options.no_initramfs, "leave the initramfs as it is");
  app.require_subcommand();
  if (const auto status = app.parse(argc, argv)) return *status;
  std::string& root = options.places.root;
  if (root.ends_with('/')) root.pop_back();
  if (shown->parsed()) return key::list_keys(options.places, options.json);
  Outcome outcome(options.json);
  const auto change = added->parsed()      ? add
                      : granted->parsed()  ? make_grant
                      : imported->parsed() ? import
                                           : remove;
  return outcome.finish(change(options, outcome));
}

}  // namespace diglim
