// SPDX-License-Identifier: Apache-2.0
// The verb `key`: whose signatures count. See diglim-key(1).
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/librpm/database.h"
#include "lib/librpm/keyring.h"
#include "policy/boot_trust.h"
#include "tools/diglim/key/keys.h"
#include "tools/diglim/verbs.h"
#include "tools/file_digests.h"
#include "tools/progress.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using key::KeyInfo;

constexpr size_t kMaxKeyBytes = 1u << 20;
constexpr size_t kMaxRepositoryBytes = 1u << 20;
constexpr std::string_view kFileUrl = "file://";
// Without these no machine comes up; the loader needs no list.
constexpr std::string_view kVital[] = {"/sbin/init", "/bin/sh", "/usr/lib64/ld-linux-x86-64.so.2",
                                       "/lib64/ld-linux-x86-64.so.2"};

struct Options {
  std::string root;  // without a slash at its end
  std::string dbpath;
  std::string key;
  bool json = false;
  bool yes = false;
  bool no_initramfs = false;
};

// A key, and where it was found.
struct Row {
  KeyInfo info;
  std::string origin;  // a path, "rpm gpg-pubkey-...", "repository NAME"
  bool trusted = false;
};

std::string keys_folder(const Options& options) {
  return options.root + kKeysFolder;
}

std::string day(uint64_t seconds) {
  if (seconds == 0) return "never";
  const auto when = static_cast<time_t>(seconds);
  tm parts = {};
  char text[16] = "?";
  if (gmtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%d", &parts);
  return text;
}

void add_rows(ByteView content, const std::string& origin, bool trusted, std::vector<Row>& rows) {
  const auto keys = key::read_keys(content);
  if (!keys) return;
  for (const KeyInfo& info : *keys) {
    const bool known = std::ranges::any_of(rows, [&](const Row& row) {
      return row.info.fingerprint == info.fingerprint && (row.trusted || !trusted);
    });
    if (!known) rows.push_back({info, origin, trusted});
  }
}

// "gpgkey=file:///etc/pki/... file:///..." of each repository that dnf uses.
void add_repository_keys(const Options& options, std::vector<Row>& rows) {
  const std::string folder = options.root + "/etc/yum.repos.d";
  const auto files = list_folder(folder);
  if (!files) return;
  for (const std::string& file : *files) {
    if (!file.ends_with(".repo")) continue;
    const auto text = read_file(folder + "/" + file, kMaxRepositoryBytes);
    if (!text) continue;
    std::string name = file;
    std::istringstream lines{std::string(as_text(*text))};
    bool of_keys = false;  // a value goes on in lines that begin with a blank
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('[') && line.find(']') != std::string::npos)
        name = line.substr(1, line.find(']') - 1);
      of_keys = line.starts_with("gpgkey") || (of_keys && (line.starts_with(' ') || line.starts_with('\t')));
      if (!of_keys) continue;
      for (size_t at = line.find(kFileUrl); at != std::string::npos; at = line.find(kFileUrl, at)) {
        at += kFileUrl.size();
        const std::string path = line.substr(at, line.find_first_of(" \t,\r", at) - at);
        if (const auto key = read_file(options.root + path, kMaxKeyBytes))
          add_rows(*key, path + " of repository " + escape(name, 100), false, rows);
      }
    }
  }
}

void add_rpm_keys(const Options& options, std::vector<Row>& rows) {
  const auto database = find_rpm_database(options.root, options.dbpath);
  if (!database) return;
  const auto keys = read_rpm_keys(*database);
  if (!keys) return;
  for (const RpmKey& key : *keys) add_rows(as_bytes(key.armor), "rpm " + key.name, false, rows);
}

Result<std::vector<Row>> find_keys(const Options& options, std::vector<std::string>& left_out) {
  std::vector<Row> rows;
  TRY_ASSIGN(const Config config, read_config_file(options.root));
  TRY_ASSIGN(const TrustStore trust, diglim::read_keys(options.root, config));
  left_out = trust.left_out();
  TRY_ASSIGN(const auto names, list_folder(keys_folder(options)));
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    if (const auto content = read_file(keys_folder(options) + "/" + name, kMaxKeyBytes))
      add_rows(*content, std::string(kKeysFolder) + "/" + name, true, rows);
  }
  add_rpm_keys(options, rows);
  add_repository_keys(options, rows);
  return rows;
}

void print_json(const std::vector<Row>& rows, const std::vector<std::string>& left_out) {
  JsonWriter json;
  json.begin_object().key("keys").begin_array();
  for (const Row& row : rows) {
    json.begin_object().key("trusted").value(row.trusted).key("kind").value(row.info.kind);
    json.key("fingerprint").value(row.info.fingerprint).key("who").value(row.info.who);
    json.key("created").value(row.info.created).key("expires").value(row.info.expires);
    if (!row.info.unusable.empty()) json.key("unusable").value(row.info.unusable);
    json.key("origin").value(row.origin).end_object();
  }
  json.end_array().key("left_out").begin_array();
  for (const std::string& file : left_out) json.value(file);
  fmt::print("{}\n", json.end_array().end_object().text());
}

void print_row(const Row& row) {
  fmt::print("{} {}\n  {}\n  of {}, expires {}, from {}\n", row.info.kind, row.info.fingerprint, row.info.who,
             day(row.info.created), day(row.info.expires), row.origin);
  if (!row.info.unusable.empty()) fmt::print("  does not count: {}\n", row.info.unusable);
}

void print_text(const std::vector<Row>& rows, const std::vector<std::string>& left_out) {
  fmt::print("trusted from the next boot on (in force now: diglim-loader status):\n");
  for (const Row& row : rows) {
    if (row.trusted) print_row(row);
  }
  for (const std::string& file : left_out) fmt::print("left out: {}/{}\n", kKeysFolder, file);
  if (std::ranges::all_of(rows, &Row::trusted)) return;
  fmt::print("\nnot trusted, so what they signed is denied:\n");
  for (const Row& row : rows) {
    if (row.trusted) continue;
    print_row(row);
    fmt::print("  to trust it: diglim key add {}\n", row.info.fingerprint);
  }
}

int fail(const std::string& message, int status = kExitEnvironment) {
  complain("diglim key", message);
  return status;
}

// What boots has its own copy of the keys.
int make_initramfs(const Options& options) {
  if (!options.root.empty() || options.no_initramfs || access(kDracutConfig, F_OK) != 0) {
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

int list(const Options& options) {
  std::vector<std::string> left_out;
  const auto rows = find_keys(options, left_out);
  if (!rows) return fail(rows.error().message);
  options.json ? print_json(*rows, left_out) : print_text(*rows, left_out);
  return kExitOk;
}

// As `key list` prints it; gpg prints capitals.
std::string fingerprint_of(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// The content of the file, of the key of rpm, or of the file of a repository in which this fingerprint is.
Result<std::pair<std::string, Bytes>> find_key(const Options& options) {
  if (const auto file = read_file(options.key, kMaxKeyBytes))
    return std::pair(options.key.substr(options.key.rfind('/') + 1), *file);
  const std::string wanted = fingerprint_of(options.key);
  if (const auto database = find_rpm_database(options.root, options.dbpath)) {
    TRY_ASSIGN(const auto keys, read_rpm_keys(*database));
    for (const RpmKey& one : keys) {
      std::vector<Row> rows;
      add_rows(as_bytes(one.armor), "", false, rows);
      const bool same =
          std::ranges::any_of(rows, [&](const Row& row) { return row.info.fingerprint == wanted; });
      if ((one.name == options.key || same) && one.name.find('/') == std::string::npos)
        return std::pair(one.name + ".asc",
                         to_bytes(as_bytes(one.armor + (one.armor.ends_with('\n') ? "" : "\n"))));
    }
  }
  std::vector<Row> rows;
  add_repository_keys(options, rows);
  for (const Row& row : rows) {
    if (row.info.fingerprint != wanted) continue;
    const std::string path = row.origin.substr(0, row.origin.find(" of repository "));
    TRY_ASSIGN(Bytes content, read_file(options.root + path, kMaxKeyBytes));
    return std::pair(path.substr(path.rfind('/') + 1), std::move(content));
  }
  return not_found(escape(options.key) +
                   ": neither a file, nor a key of rpm or of a repository (see: diglim key list)");
}

int add(const Options& options) {
  const auto found = find_key(options);
  if (!found) return fail(found.error().message, kExitRejected);
  const auto& [name, content] = *found;
  const auto keys = key::read_keys(content);
  if (!keys) return fail(escape(options.key) + ": " + keys.error().message, kExitRejected);
  if (name.starts_with('.'))
    return fail(escape(name) + ": files whose names begin with a dot do not count; name it otherwise",
                kExitRejected);
  const std::string path = keys_folder(options) + "/" + name;
  const auto there = read_file(path, kMaxKeyBytes);
  if (there && *there != content) {
    return fail("there is another " + escape(path) +
                    "; remove it first (diglim key remove), or name the new one otherwise",
                kExitRejected);
  }
  if (const auto written = write_file_atomically(path, content, 0644); !written)
    return fail(written.error().message);
  for (const KeyInfo& info : *keys) {
    fmt::print("trusted: {} {} {}\n", info.kind, info.fingerprint, info.who);
    if (!info.unusable.empty()) fmt::print("  but it does not count: {}\n", info.unusable);
  }
  return make_initramfs(options);
}

// The file of keys of that name, or the one that has a key of this fingerprint.
Result<std::string> find_trusted(const Options& options) {
  const std::string name = options.key.substr(options.key.rfind('/') + 1);
  const std::string wanted = fingerprint_of(options.key);
  TRY_ASSIGN(const auto names, list_folder(keys_folder(options)));
  for (const std::string& one : names) {
    if (one.starts_with('.')) continue;
    if (one == name) return one;
    const auto content = read_file(keys_folder(options) + "/" + one, kMaxKeyBytes);
    const auto keys = content ? key::read_keys(*content) : Result<std::vector<KeyInfo>>(content.error());
    if (keys && std::ranges::any_of(*keys, [&](const KeyInfo& info) { return info.fingerprint == wanted; }))
      return one;
  }
  return not_found(escape(options.key) + ": no such key is trusted (see: diglim key list)");
}

// The trust of today without one file.
Result<TrustStore> without(const Options& options, const Config& config, const std::string& name) {
  std::string folder = "/tmp/diglim-keys.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return from_errno("create " + folder, errno);
  const std::unique_ptr<const std::string, void (*)(const std::string*)> guard(
      &folder, [](const std::string* path) {
        std::error_code ignored;
        std::filesystem::remove_all(*path, ignored);
      });
  TRY_ASSIGN(const auto names, list_folder(keys_folder(options)));
  for (const std::string& one : names) {
    if (one.starts_with('.') || one == name) continue;
    const auto content = read_file(keys_folder(options) + "/" + one, kMaxKeyBytes);
    if (content) TRY(write_file_atomically(folder + "/" + one, *content, 0600));
  }
  return TrustStore::from_folder(folder, config.signatures);
}

Result<key::Loss> find_loss(const Options& options, const std::string& name) {
  TRY_ASSIGN(const Config config, read_config_file(options.root));
  TRY_ASSIGN(const TrustStore before, diglim::read_keys(options.root, config));
  TRY_ASSIGN(const TrustStore after, without(options, config, name));
  std::vector<std::pair<Bytes, std::string>> vital;
  for (const std::string_view path : kVital) {
    if (auto digest = digest_file(options.root + std::string(path), HashAlgo::kSha256))
      vital.emplace_back(std::move(*digest), path);
  }
  Progress progress("lists", 0, true);
  return key::what_is_lost(options.root + kListsFolder, before, after, vital,
                           [&](std::string_view list) { progress.step(list); });
}

int remove(const Options& options) {
  const auto name = find_trusted(options);
  if (!name) return fail(name.error().message, kExitRejected);
  const auto loss = find_loss(options, *name);
  if (!loss) return fail(loss.error().message);
  if (!loss->boots) {
    return fail("without " + escape(*name) + " " + loss->first_vital +
                    " would be denied, and the machine would not come up; nothing was changed. First trust "
                    "the key that signed its package",
                kExitRejected);
  }
  for (const std::string& list : loss->lists) fmt::print("no longer known: {}\n", escape(list));
  if (!loss->lists.empty() && !options.yes) {
    return fail(fmt::format("the files of {} lists would be denied from the next boot on; nothing was "
                            "changed. To go on: --yes",
                            loss->lists.size()),
                kExitRejected);
  }
  const std::string path = keys_folder(options) + "/" + *name;
  if (unlink(path.c_str()) != 0) return fail(from_errno("remove " + escape(path), errno).message);
  fmt::print("no longer trusted: {}\n", escape(path));
  return make_initramfs(options);
}

}  // namespace

int run_key(int argc, char** argv) {
  Options options;
  OptionParser app("Shows and changes whose signatures count: the keys in /etc/diglim/keys.", argv[0]);
  OptionParser* const shown =
      app.add_subcommand("list", "the trusted keys, and those that rpm and repositories have besides");
  OptionParser* const added = app.add_subcommand("add", "trust a key, from the next boot on");
  OptionParser* const removed =
      app.add_subcommand("remove", "no longer trust it, unless the machine would not come up");
  for (OptionParser* const sub : {shown, added, removed}) {
    sub->add_option("-r,--root", options.root, "directory of another system");
    sub->add_option("--dbpath", options.dbpath, "directory of the rpm database");
  }
  shown->add_flag("--json", options.json, "print JSON");
  (void)added
      ->add_option("KEY", options.key,
                   "a file, a fingerprint of `key list`, or a key of rpm (gpg-pubkey-...)")
      .required();
  (void)removed->add_option("KEY", options.key, "a file's name in /etc/diglim/keys, or a fingerprint")
      .required();
  removed->add_flag("--yes", options.yes, "also if files of packages would be denied");
  for (OptionParser* const sub : {added, removed})
    sub->add_flag("--no-initramfs", options.no_initramfs, "leave the initramfs as it is");
  app.require_subcommand();
  if (const auto status = app.parse(argc, argv)) return *status;
  if (options.root.ends_with('/')) options.root.pop_back();
  return shown->parsed() ? list(options) : added->parsed() ? add(options) : remove(options);
}

}  // namespace diglim
