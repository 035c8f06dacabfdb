// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/known/read.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <unordered_set>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/digest_list/signed_deny_list.h"
#include "lib/librpm/database.h"
#include "lib/librpm/keyring.h"
#include "policy/boot_trust.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/known/links.h"
#include "tools/progress.h"

namespace diglim::known {
namespace {

constexpr size_t kMaxKeyBytes = 1u << 20;

// What is trusted, and keys of rpm's besides.
Result<TrustStore> trust_with(const std::string& keys, const std::vector<RpmKey>& more,
                              const SignaturePolicy& policy) {
  std::string folder = "/tmp/diglim-keys.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return from_errno("create " + folder, errno);
  const std::unique_ptr<const std::string, void (*)(const std::string*)> guard(
      &folder, [](const std::string* path) {
        std::error_code ignored;  // public keys in /tmp; nothing depends on it
        std::filesystem::remove_all(*path, ignored);
      });
  if (const auto names = list_folder(keys)) {
    for (const std::string& name : *names) {
      if (name.starts_with('.')) continue;
      const auto content = read_file(keys + "/" + name, kMaxKeyBytes);
      if (content) TRY(write_file_atomically(folder + "/a-" + name, *content, 0600));
    }
  }
  size_t number = 0;
  for (const RpmKey& key : more)
    TRY(write_file_atomically(fmt::format("{}/rpm-{}.asc", folder, number++), as_bytes(key.armor), 0600));
  return TrustStore::from_folder(folder, policy);
}

class Reader {
 public:
  Reader(const Host& host, const ReadOptions& options)
      : host_(host), options_(options), links_(host.path("")) {}

  Result<System> read() {
    // Of an image nobody knows the command line; what lies in its /proc says nothing of it.
    if (const auto algo = host_.is_live() ? doctor::kernel_hash(host_) : std::nullopt) system_.algo = *algo;
    const auto database = find_rpm_database(host_.is_live() ? "" : host_.path(""), options_.dbpath);
    system_.has_database = database.has_value();
    TRY(read_trust(database));
    system_.trust = trust_;
    read_lists();
    if (database) {
      read_packages(*database);
    } else {
      note("no rpm database, so nothing is said of packages: " + database.error().message);
    }
    return std::move(system_);
  }

 private:
  void note(std::string text) { system_.notes.push_back(std::move(text)); }

  Result<void> read_trust(const Result<std::string>& database) {
    Config config;
    if (const auto read = read_config(host_.path(""), host_.is_live() ? host_.command_line() : "", config);
        !read)
      note("of the configuration only what is right counts: " + read.error().message);
    TRY(read_keys_of(database, config));
    const auto denied = read_deny_lists(host_.path(kRevokedFolder), *trust_);
    if (!denied) note(denied.error().message);
    for (const Error& error : denied ? denied->left_out : std::vector<Error>())
      note("does not count, so what it revokes is trusted: " + error.message);
    return {};
  }

  Result<void> read_keys_of(const Result<std::string>& database, const Config& config) {
    const std::string keys = options_.keys.empty() ? host_.path(kKeysFolder) : options_.keys;
    auto trust = TrustStore::from_folder(keys, config.signatures);
    if (!trust && (!options_.keys.empty() || trust.error().code != ErrorCode::kNotFound))
      return trust.error();
    const bool nobody = !trust || trust->describe().empty();
    std::vector<RpmKey> more;
    if (database) {
      auto keyring = read_rpm_keys(*database);
      if (!keyring)
        note("rpm's keyring cannot be read: " + keyring.error().message);
      else
        more = *std::move(keyring);
      for (const RpmKey& key : more) system_.rpm_keys.push_back(key.name);
    }
    if (database && (options_.rpm_keys || (nobody && options_.keys.empty()))) {
      if (nobody && !more.empty())
        note(
            fmt::format("no key is trusted yet: the {} of rpm's keyring are assumed (diglim setup install "
                        "--rpm-keys)",
                        more.size()));
      TRY_ASSIGN(TrustStore all, trust_with(keys, more, config.signatures));
      trust_ = std::make_shared<TrustStore>(std::move(all));
    } else if (trust) {
      trust_ = std::make_shared<TrustStore>(*std::move(trust));
    } else {
      TRY_ASSIGN(TrustStore none, trust_with(keys, {}, config.signatures));
      trust_ = std::make_shared<TrustStore>(std::move(none));
    }
    if (trust_->describe().empty()) note("no key is trusted, so no list counts: diglim key list");
    for (const std::string& file : trust_->left_out()) note("left out of the trusted keys: " + file);
    return {};
  }

  void add_digests(const DigestList& list, const std::string& source) {
    const auto found = list.digests.find(system_.algo);
    if (found == list.digests.end()) return;
    const size_t size = hash_size(system_.algo);
    const std::string_view all = as_text(found->second);
    const auto index = static_cast<uint32_t>(system_.sources.size());
    system_.sources.push_back(source);
    for (size_t at = 0; at + size <= all.size(); at += size)
      system_.digests.emplace(all.substr(at, size), index);
  }

  void read_lists() {
    const auto names = host_.names(kListsFolder);
    Progress bar("lists", names.size(), options_.progress);
    for (const std::string& name : names) {
      if (name.starts_with('.')) continue;
      bar.step(name);
      has_package_lists_ = has_package_lists_ || name.starts_with(kRpmListPrefix);
      const auto list = verify_digest_list_file(host_.path(std::string(kListsFolder) + "/" + name), *trust_);
      if (!list) {
        bar.wipe();
        note("does not count: " + escape(name) + ": " + list.error().message);
        continue;
      }
      good_.insert(to_hex(list->content_hash));
      add_digests(*list, name);
    }
  }

  void read_packages(const std::string& database) {
    std::optional<Progress> bar;
    const auto done = for_each_package(
        database,
        [&](const InstalledPackage& package, size_t total) -> Result<void> {
          if (!bar) bar.emplace("packages", total, options_.progress);
          bar->step(package.nvra);
          add_package(package);
          return {};
        },
        options_.files ? PackageParts::kFiles : PackageParts::kList);
    bar.reset();
    if (!done) note("not all packages were read: " + done.error().message);
    if (!has_package_lists_ && !system_.packages.empty())
      note(
          "no package has a list in /etc/digest_lists yet: each is counted as if it had (diglim setup "
          "install)");
  }

  PackageStanding standing_of(const InstalledPackage& package) {
    PackageStanding standing{package.nvra, Cause::kNone, "", package.installed};
    const auto list = make_rpm_list(package.region, package.packets);
    if (!list) {
      standing.cause = list.error().code == ErrorCode::kUntrusted ? Cause::kUnsigned : Cause::kDamaged;
      standing.why = list.error().message;
      return standing;
    }
    const auto content = hash(HashAlgo::kSha256, {*list});
    if (content && good_.contains(to_hex(*content))) return standing;
    const auto verified = verify_digest_list(*list, *trust_);
    if (!verified && trust_->denials().of_package(package.nvra) != nullptr) {
      standing.cause = Cause::kRevoked;
      standing.why = verified.error().message;
      return standing;
    }
    if (!verified) {
      standing.cause = verified.error().code == ErrorCode::kUntrusted ? Cause::kUntrusted : Cause::kDamaged;
      standing.why = verified.error().message;
      return standing;
    }
    if (has_package_lists_) {
      standing.cause = Cause::kNoList;
    } else {
      add_digests(*verified, package.nvra);
    }
    return standing;
  }

  void add_package(const InstalledPackage& package) {
    const auto index = static_cast<uint32_t>(system_.packages.size());
    system_.packages.push_back(standing_of(package));
    const bool counts = system_.packages.back().cause == Cause::kNone;
    for (const PackagedFile& file : package.files) {
      std::string digest(as_text(file.digest));
      if (!counts && !digest.empty()) system_.of_bad.emplace(digest, index);
      system_.shipped[links_.resolve(file.path)] = {index, file.algo, std::move(digest), file.is_config,
                                                    file.size};
    }
  }

  const Host& host_;
  const ReadOptions& options_;
  LinkResolver links_;
  System system_;
  std::shared_ptr<TrustStore> trust_;
  std::unordered_set<std::string> good_;  // hashes of the lists that count, in hexadecimal
  bool has_package_lists_ = false;
};

}  // namespace

Result<System> read_system(const Host& host, const ReadOptions& options) {
  return Reader(host, options).read();
}

}  // namespace diglim::known
