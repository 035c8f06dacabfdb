// SPDX-License-Identifier: Apache-2.0
// The verb `initramfs`. See diglim-initramfs(1).
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/signed_deny_list.h"
#include "lib/installed/journal.h"
#include "policy/boot_trust.h"
#include "tools/diglim/initramfs/executables.h"
#include "tools/diglim/verbs.h"
#include "tools/file_digests.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using initramfs::Executable;

// What the dracut module adds, for the sum.
constexpr std::string_view kOwnFiles[] = {"/usr/sbin/diglim-loader", "/etc/diglim/", "/etc/digest_lists/",
                                          "/usr/lib/dracut/hooks/pre-pivot/40-load-lists.sh"};

struct Options {
  std::string root;
  std::string lists = kListsFolder;
  std::string keys;  // empty: of the initramfs
  std::string algorithm = "sha256";
  bool copy = false;
  bool json = false;
};

struct ListFile {
  std::string name;
  uint64_t bytes = 0;
  std::set<Bytes> digests;
};

struct Lists {
  std::vector<ListFile> good;
  std::vector<std::string> rejected;       // "NAME: why"
  std::vector<std::string> keys_left_out;  // the same
};

struct Size {
  uint64_t own = 0;    // bytes of what DIGLIM adds
  uint64_t total = 0;  // of all regular files, uncompressed
};

std::optional<int> read_options(int argc, char** argv, Options& options) {
  OptionParser app(
      "Chooses the digest lists that an unpacked initramfs needs, by the content of its files, and names "
      "the\n"
      "files that none covers: they would be denied at boot.",
      argv[0]);
  app.add_option("--root", options.root, "directory of the unpacked initramfs").required();
  app.add_option("--lists", options.lists,
                 "directory of the lists to choose from (default /etc/digest_lists)");
  app.add_option("--keys", options.keys,
                 "keys whose signatures count (default: those of the initramfs, /etc/diglim/keys in it)");
  app.add_option("-a,--algorithm", options.algorithm, "the kernel's digest algorithm (default sha256)");
  app.add_flag("--copy", options.copy, "copy the chosen lists into the initramfs");
  app.add_flag("--json", options.json, "print the result as JSON");
  if (const auto status = app.parse(argc, argv)) return status;
  if (!hash_from_name(options.algorithm)) {
    complain(argv[0], "unknown digest algorithm " + escape(options.algorithm));
    return kExitUsage;
  }
  if (options.keys.empty()) options.keys = options.root + kKeysFolder;
  return std::nullopt;
}

// Within an rpm transaction the lists of what it removes are still there, and go moments later. Whoever can
// choose chooses others.
std::set<std::string> going_lists(const std::string& root) {
  struct stat info = {};
  if (stat((root + "/" + std::string(kStateFolder)).c_str(), &info) != 0) return {};
  const auto state = Folder::open(root, kStateFolder);
  const auto journal = state ? read_journal(*state) : Result<std::optional<Journal>>(state.error());
  return journal && *journal ? (*journal)->outgoing : std::set<std::string>();
}

// With the eyes of the loader that will boot this initramfs: a list that it would leave out covers nothing.
Result<Lists> read_lists(const Options& options, HashAlgo algo) {
  TRY_ASSIGN(const Config config, read_config_file(options.root));
  TRY_ASSIGN(TrustStore trust, TrustStore::from_folder(options.keys, config.signatures));
  TRY_ASSIGN(const DenyListsRead denied, read_deny_lists(options.root + kRevokedFolder, trust));
  Lists lists;
  lists.keys_left_out = trust.left_out();
  for (const Error& error : denied.left_out) lists.rejected.push_back(error.message);
  TRY_ASSIGN(auto names, list_folder(options.lists));
  const std::set<std::string> going = going_lists(options.lists + "/../..");
  std::stable_partition(names.begin(), names.end(),
                        [&](const std::string& name) { return !going.contains(name); });
  for (const std::string& name : names) {
    if (name[0] == '.') continue;  // temporary files of writers
    const std::string path = options.lists + "/" + name;
    const auto list = verify_digest_list_file(path, trust);
    if (!list) {
      lists.rejected.push_back(escape(name) + ": " + list.error().message);
      continue;
    }
    ListFile entry{name, 0, {}};
    struct stat info = {};
    if (stat(path.c_str(), &info) == 0) entry.bytes = static_cast<uint64_t>(info.st_size);
    if (const auto found = list->digests.find(algo); found != list->digests.end()) {
      const ByteView all = found->second;
      for (size_t at = 0; at < all.size(); at += hash_size(algo)) {
        const ByteView one = all.subspan(at, hash_size(algo));
        entry.digests.emplace(one.begin(), one.end());
      }
    }
    lists.good.push_back(std::move(entry));
  }
  return lists;
}

Result<void> copy_list(const Options& options, const std::string& name) {
  TRY_ASSIGN(const Bytes content, read_file(options.lists + "/" + name, kMaxListBytes));
  return write_file_atomically(options.root + kListsFolder + "/" + name, content, 0644);
}

Result<Size> measure(const std::string& root) {
  Size size;
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string folder = std::move(waiting.back());
    waiting.pop_back();
    TRY_ASSIGN(const auto names, list_folder(root + folder + "/"));
    for (const std::string& name : names) {
      const std::string path = folder + "/" + name;
      struct stat info = {};
      if (lstat((root + path).c_str(), &info) != 0) return from_errno("stat " + escape(root + path), errno);
      if (S_ISDIR(info.st_mode)) waiting.push_back(path);
      if (!S_ISREG(info.st_mode)) continue;
      size.total += static_cast<uint64_t>(info.st_size);
      const bool own =
          std::ranges::any_of(kOwnFiles, [&](std::string_view one) { return path.starts_with(one); });
      if (own) size.own += static_cast<uint64_t>(info.st_size);
    }
  }
  return size;
}

void print_json(const Lists& lists, const std::vector<Executable>& files, const initramfs::Choice& choice,
                const Size& size) {
  JsonWriter json;
  json.begin_object().key("lists").begin_array();
  for (const size_t i : choice.lists) json.value(lists.good[i].name);
  json.end_array().key("files").value(uint64_t{files.size()}).key("uncovered").begin_array();
  for (const size_t i : choice.uncovered) json.value(files[i].path);
  json.end_array().key("rejected").begin_array();
  for (const std::string& text : lists.rejected) json.value(text);
  json.end_array().key("bytes").value(size.own).key("bytes_of_initramfs").value(size.total).end_object();
  fmt::print("{}\n", json.text());
}

void print_text(const char* name, const Lists& lists, const std::vector<Executable>& files,
                const initramfs::Choice& choice, const Size& size) {
  for (const size_t i : choice.lists) fmt::print("{}\n", escape(lists.good[i].name));
  const uint64_t without = std::max<uint64_t>(1, size.total - size.own);
  fmt::print("# {} lists for {} files; DIGLIM adds {} bytes to {} ({:.1f} %), uncompressed\n",
             choice.lists.size(), files.size(), size.own, size.total - size.own,
             100.0 * static_cast<double>(size.own) / static_cast<double>(without));
  for (const std::string& text : lists.rejected) complain(name, "left out: " + text);
  for (const std::string& text : lists.keys_left_out)
    complain(name, "left out, so no key of it counts: " + text);
  for (const size_t i : choice.uncovered) {
    complain(name, "no digest list has " + escape(files[i].path) + ": it will be denied");
  }
}

}  // namespace

int run_initramfs(int argc, char** argv) {
  Options options;
  if (const auto status = read_options(argc, argv, options)) return *status;
  const HashAlgo algo = *hash_from_name(options.algorithm);
  const auto fail = [&](const Error& error) {
    complain(argv[0], error.message);
    return kExitEnvironment;
  };
  const auto files = initramfs::find_executables(options.root, algo);
  if (!files) return fail(files.error());
  const auto lists = read_lists(options, algo);
  if (!lists) return fail(lists.error());
  std::vector<std::set<Bytes>> digests;
  for (const ListFile& list : lists->good) digests.push_back(list.digests);
  const initramfs::Choice choice = initramfs::choose_lists(*files, digests);
  if (options.copy) {
    for (const std::string folder : {"/etc", kListsFolder}) {
      if (auto made = make_folder(options.root + folder); !made) return fail(made.error());
    }
    for (const size_t i : choice.lists) {
      if (auto copied = copy_list(options, lists->good[i].name); !copied) return fail(copied.error());
    }
  }
  const auto size = measure(options.root);
  if (!size) return fail(size.error());
  if (options.json) {
    print_json(*lists, *files, choice, *size);
  } else {
    print_text(argv[0], *lists, *files, choice, *size);
  }
  return choice.uncovered.empty() ? kExitOk : kExitRejected;
}

}  // namespace diglim
