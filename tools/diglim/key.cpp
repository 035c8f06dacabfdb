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
#include "policy/config.h"
#include "tools/diglim/key/changes.h"
#include "tools/diglim/key/listing.h"
#include "tools/diglim/key/revocation.h"
#include "tools/diglim/key/sources.h"
#include "tools/diglim/verbs.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using key::KeyFile;
using key::KeyInfo;

constexpr std::string_view kFileUrl = "file://";

struct Options {
  key::Places places;
  std::string key;
  std::vector<std::string> sources;
  bool json = false;
  bool yes = false;
  bool no_initramfs = false;
};

std::string keys_folder(const Options& options) {
  return options.places.root + kKeysFolder;
}

int fail(const std::string& message, int status = kExitEnvironment) {
  complain("diglim key", message);
  return status;
}

void say_unread(const key::Found& found) {
  for (const std::string& line : found.unread) complain("diglim key", line);
}

// --- add, import ---

// What boots has its own copy of the keys.
int make_initramfs(const Options& options) {
  if (!options.places.root.empty() || options.no_initramfs || access(kDracutConfig, F_OK) != 0) {
    fmt::print("It counts from the next boot on, once the initramfs is made anew: {}\n", kRemakeInitramfs);
    return kExitOk;
  }
  fmt::print("making the initramfs anew, which takes a while ...\n");
  (void)fflush(stdout);
  const auto done = run_command({kRemakeInitramfs}, Errors::kShow);
  if (!done || done->status != 0)
    return fail(fmt::format(
        "the initramfs was not made anew, so a boot trusts what it did; when the cause is gone: {}",
        kRemakeInitramfs));
  fmt::print("It counts from the next boot on.\n");
  return kExitOk;
}

// Says what a change would have denied. False, and nothing is to be changed: it may not be.
bool may_lose(const Options& options, const Result<key::Loss>& loss, const std::string& what, int& status) {
  if (!loss) {
    status = fail(loss.error().message);
    return false;
  }
  if (!loss->boots) {
    status = fail(what + " " + loss->first_vital +
                      " would be denied, and the machine would not come up; nothing was changed. First trust "
                      "the key that signed its package",
                  kExitRejected);
    return false;
  }
  for (const std::string& list : loss->lists) fmt::print("no longer known: {}\n", escape(list));
  if (loss->lists.empty() || options.yes) return true;
  status = fail(fmt::format("the files of {} lists would be denied from the next boot on; nothing was "
                            "changed. To go on: --yes",
                            loss->lists.size()),
                kExitRejected);
  return false;
}

// Among the trusted keys from now on. A copy of a key that is there may take it back.
std::optional<int> put(const Options& options, const KeyFile& file) {
  const auto name = key::name_for(options.places, file);
  if (!name) return fail(name.error().message, kExitRejected);
  const auto trusted = key::trusted_files(options.places);
  if (!trusted) return fail(trusted.error().message);
  if (key::share_a_key(*trusted, file)) {
    const key::Change change{{}, *name, file.content};
    int status = kExitOk;
    if (!may_lose(options, key::find_loss(options.places, change), "with " + escape(*name), status))
      return status;
  }
  const std::string path = keys_folder(options) + "/" + *name;
  if (const auto written = write_file_atomically(path, file.content, 0644); !written)
    return fail(written.error().message);
  return std::nullopt;
}

void say_trusted(const KeyFile& file) {
  for (const KeyInfo& info : file.keys) {
    fmt::print("trusted: {} {} {}\n", info.kind, info.fingerprint, info.who);
    if (!info.unusable.empty()) fmt::print("  but it does not count: {}\n", info.unusable);
  }
}

// A file, "file://" or not.
Result<KeyFile> read_key_file(const std::string& word) {
  const std::string path = word.starts_with(kFileUrl) ? word.substr(kFileUrl.size()) : word;
  TRY_ASSIGN(Bytes content, read_file(path, key::kMaxKeyBytes));
  auto file = key::key_file(path.substr(path.rfind('/') + 1), escape(path), std::move(content));
  if (!file) return with_context(escape(word), file.error());
  return file;
}

int revoke(const Options& options, ByteView revocation) {
  const auto trusted = key::trusted_files(options.places);
  if (!trusted) return fail(trusted.error().message);
  std::vector<Bytes> contents;
  for (const KeyFile& file : *trusted) contents.push_back(file.content);
  auto joined = key::join_revocation(revocation, contents);
  if (!joined) return fail(escape(options.key) + ": " + joined.error().message, kExitRejected);
  auto file = key::key_file(key::revocation_name(joined->fingerprint), "", std::move(joined->file));
  if (!file) return fail(file.error().message, kExitRejected);
  if (const auto status = put(options, *file)) return *status;
  fmt::print("revoked: openpgp {}{}\n", joined->fingerprint,
             joined->hard ? ", and all that it ever signed" : ", for what it signs after that");
  return make_initramfs(options);
}

// Anybody may have put a file of any name into the directory that root happens to be in.
bool is_path(const std::string& word) {
  return word.find('/') != std::string::npos;
}

std::string hint_of_file(const std::string& word) {
  return access(word.c_str(), F_OK) == 0 ? "; for the file of that name: " + shell_word("./" + word) : "";
}

int add(const Options& options) {
  auto file = Result<KeyFile>(not_found(""));
  if (!is_path(options.key)) {
    const auto others = key::keys_of_others(options.places);
    if (!others) return fail(others.error().message + hint_of_file(options.key));
    file = key::find_key(others->files, options.key);
    // A word that names a key is no file; any other is one only if it stands for nothing else.
    if (!file && (file.error().code != ErrorCode::kNotFound || key::names_a_key(options.key) ||
                  access(options.key.c_str(), F_OK) != 0))
      return fail(file.error().message + hint_of_file(options.key), kExitRejected);
  }
  if (!file) {
    const auto content = read_file(options.key, key::kMaxKeyBytes);
    if (content && key::is_revocation(*content)) return revoke(options, *content);
    file = read_key_file(options.key);
  }
  if (!file) return fail(file.error().message, kExitRejected);
  if (const auto status = put(options, *file)) return *status;
  say_trusted(*file);
  return make_initramfs(options);
}

// The files of keys that a word of `key import` stands for.
Result<std::vector<KeyFile>> find_source(const Options& options, const std::vector<KeyFile>& others,
                                         const std::string& word) {
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
  say_unread(found);
  for (const std::string& url : found.urls) {
    complain("diglim key",
             fmt::format("repository {} has a key at {}, which is not fetched here; once dnf has "
                         "imported it, `diglim key list` shows it",
                         escape(word), escape(url)));
  }
  if (found.files.empty() && found.urls.empty())
    return not_found("repository " + escape(word) + " names no key that can be read (gpgkey=)");
  return std::move(found.files);
}

bool is_wanted(const Options& options, const KeyFile& file) {
  for (const KeyInfo& info : file.keys) key::print_key(info, file.origin);
  if (options.yes) return true;
  fmt::print("Trust what it signs, from the next boot on? [y/N] ");
  (void)fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int import(const Options& options) {
  if (!options.yes && isatty(STDIN_FILENO) != 1)
    return fail("nobody to ask; --yes goes on without a question", kExitUsage);
  const auto others = key::keys_of_others(options.places);
  const auto trusted = key::trusted_files(options.places);
  if (!others || !trusted) return fail(others ? trusted.error().message : others.error().message);
  if (options.sources.empty()) say_unread(*others);
  std::vector<KeyFile> files = options.sources.empty() ? others->files : std::vector<KeyFile>();
  for (const std::string& word : options.sources) {
    auto found = find_source(options, others->files, word);
    if (!found) return fail(found.error().message, kExitRejected);
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
    if (const auto status = put(options, file)) {
      failed = *status;
      continue;
    }
    say_trusted(file);
    ++imported;
  }
  if (imported > 0) {
    const int made = make_initramfs(options);
    return failed != kExitOk ? failed : made;
  }
  if (failed != kExitOk) return failed;
  if (declined > 0) return fail("nothing was imported", kExitRejected);
  fmt::print("nothing to import: all of these keys are trusted\n");
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

int remove(const Options& options) {
  const auto names = find_trusted(options);
  if (!names) return fail(names.error().message, kExitRejected);
  int status = kExitOk;
  const key::Change change{*names, {}, {}};
  if (!may_lose(options, key::find_loss(options.places, change), "without " + escape(names->front()), status))
    return status;
  for (const std::string& name : *names) {
    const std::string path = keys_folder(options) + "/" + name;
    if (unlink(path.c_str()) != 0) return fail(from_errno("remove " + escape(path), errno).message);
    fmt::print("no longer trusted: {}\n", escape(path));
  }
  return make_initramfs(options);
}

}  // namespace

int run_key(int argc, char** argv) {
  Options options;
  OptionParser app("Shows and changes whose signatures count: the keys in /etc/diglim/keys.", argv[0]);
  OptionParser* const shown =
      app.add_subcommand("list", "the trusted keys, and those that rpm and repositories have besides");
  OptionParser* const added = app.add_subcommand("add", "trust a key, or revoke one, from the next boot on");
  OptionParser* const imported =
      app.add_subcommand("import", "the same of several that rpm or a repository trusts; asks");
  OptionParser* const removed =
      app.add_subcommand("remove", "no longer trust it, unless the machine would not come up");
  for (OptionParser* const sub : {shown, added, imported, removed}) {
    sub->add_option("-r,--root", options.places.root, "directory of another system");
    sub->add_option("--dbpath", options.places.dbpath, "directory of the rpm database");
  }
  shown->add_flag("--json", options.json, "print JSON");
  (void)added
      ->add_option("KEY", options.key,
                   "a file (also a revocation), a fingerprint or id of `key list`, or a key of rpm "
                   "(gpg-pubkey-...)")
      .required();
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
  if (added->parsed()) return add(options);
  return imported->parsed() ? import(options) : remove(options);
}

}  // namespace diglim
