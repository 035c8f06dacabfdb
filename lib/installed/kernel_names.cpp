// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/kernel_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "lib/base/owned.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"

namespace diglim {
namespace {

constexpr size_t kMarkBytes = 8;
constexpr size_t kMaxNameBytes = 255;

Result<std::string> marked(const std::string& identity, const std::string& name) {
  const std::string both = identity + '\n' + name;
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {as_bytes(both)}));
  const std::string mark = "-" + to_hex(ByteView(digest).first(kMarkBytes));
  return name.substr(0, kMaxNameBytes - mark.size()) + mark;
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Empty for the system that runs. Without /proc nobody can tell, and it is taken for that.
Result<std::string> identity_of(const std::string& root) {
  struct stat own = {};
  struct stat other = {};
  struct stat first = {};
  if (stat("/", &own) != 0 || stat(root.c_str(), &other) != 0)
    return from_errno("stat " + escape(root), errno);
  if (is_same(own, other)) {
    if (stat("/proc/1/root", &first) != 0 || is_same(own, first)) return std::string();
    return "chroot " + std::to_string(own.st_dev) + " " + std::to_string(own.st_ino);
  }
  const MallocPtr<char> real(realpath(root.c_str(), nullptr));
  if (!real) return from_errno("resolve " + escape(root), errno);
  return std::string(real.get());
}

}  // namespace

Result<KernelNames> KernelNames::create(const std::string& root) {
  const auto identity = identity_of(root);
  if (!identity) return identity.error();
  if (identity->empty()) return KernelNames("", "");
  KernelNames names(*identity, identity->starts_with('/') ? *identity : "");
  (void)mkdir(kRunFolder, 0700);  // is there, or what follows says why not
  std::string path = std::string(kRunFolder) + "/root.XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return from_errno("create " + path, errno);
  names.links_path_ = path;
  TRY_ASSIGN(names.links_, open_file(path, O_RDONLY | O_DIRECTORY));
  return names;
}

KernelNames::~KernelNames() {
  if (links_path_.empty()) return;
  // Left-overs are links in /run; nothing depends on them.
  if (const auto names = list_folder(links_path_)) {
    for (const std::string& name : *names) (void)unlinkat(links_.get(), name.c_str(), 0);
  }
  (void)rmdir(links_path_.c_str());
}

Result<std::vector<std::string>> KernelNames::of(const std::vector<std::string>& names) const {
  if (is_host()) return names;
  std::vector<std::string> result;
  for (const std::string& name : names) {
    TRY_ASSIGN(std::string own, marked(identity_, name));
    result.push_back(std::move(own));
  }
  return result;
}

Result<int> KernelNames::expose(const Folder& lists, const std::vector<std::string>& names) {
  if (is_host()) return lists.fd();
  TRY_ASSIGN(const auto own, of(names));
  for (size_t i = 0; i < names.size(); ++i) {
    // The loader runs outside of the chroot that rpm makes for --root.
    const std::string target = path_ + "/etc/digest_lists/" + names[i];
    if (symlinkat(target.c_str(), links_.get(), own[i].c_str()) != 0 && errno != EEXIST)
      return from_errno("link " + escape(own[i]), errno);
  }
  return links_.get();
}

}  // namespace diglim
