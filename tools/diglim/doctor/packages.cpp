// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/librpm/database.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/progress.h"

namespace diglim::doctor {
namespace {

void keep_digests(const DigestList& list, Known& known) {
  const auto found = list.digests.find(known.algo);
  if (found == list.digests.end()) return;
  const size_t size = hash_size(known.algo);
  const std::string_view all = as_text(found->second);
  for (size_t at = 0; at + size <= all.size(); at += size) known.digests.emplace(all.substr(at, size));
}

// Goes through the packages once and sorts them.
class Survey {
 public:
  Survey(const Host& host, const TrustStore& trust, Known& known)
      : host_(host), trust_(trust), known_(known) {}

  Result<void> add(const InstalledPackage& package) {
    ++known_.packages;
    const auto list = make_rpm_list(package.region, package.packets);
    if (!list) {
      Finding& finding = list.error().code == ErrorCode::kUntrusted ? unsigned_ : damaged_;
      add_item(finding, escape(package.nvra));
      return {};
    }
    TRY(compare_with_disk(package.nvra, *list));
    const auto verified = verify_digest_list(*list, trust_);
    if (!verified) {
      add_item(verified.error().code == ErrorCode::kUntrusted ? untrusted_ : damaged_,
               escape(package.nvra) + ": " + verified.error().message);
      return {};
    }
    if (const std::string text = verified->not_counted(known_.algo); !text.empty())
      add_item(other_algorithm_, escape(package.nvra) + ": " + text);
    keep_digests(*verified, known_);
    return {};
  }

  // Lists that belong to no package: compact ones count, those of packages that are gone are stale.
  void finish() {
    for (const std::string& name : host_.names(kListsFolder)) {
      if (name.starts_with('.')) continue;
      if (name.starts_with(kRpmListPrefix)) {
        if (!names_.contains(name)) add_item(stale_, escape(name));
        continue;
      }
      const auto list = verify_digest_list_file(host_.path(std::string(kListsFolder) + "/" + name), trust_);
      if (list) {
        keep_digests(*list, known_);
      } else {
        add_item(bad_lists_, escape(name) + ": " + list.error().message);
      }
    }
  }

  void report(Findings& findings) {
    const size_t before = findings.size();
    for (Finding* finding :
         {&unsigned_, &untrusted_, &damaged_, &other_algorithm_, &missing_, &stale_, &bad_lists_}) {
      if (finding->count == 0) continue;
      finding->what = fmt::format("{} {}", finding->count, finding->what);
      findings.push_back(std::move(*finding));
    }
    if (findings.size() > before) return;
    findings.push_back(
        {"packages",
         Level::kOk,
         fmt::format("{} installed packages: all signed by trusted keys, their lists in step, {} {} digests",
                     known_.packages, known_.digests.size(), hash_name(known_.algo)),
         "",
         {}});
  }

 private:
  Result<void> compare_with_disk(const std::string& nvra, ByteView list) {
    TRY_ASSIGN(std::string name, rpm_list_name(nvra));
    TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {list}));
    // The second of two packages of one name has a suffix, as rpm_gen gives it.
    if (names_.contains(name)) {
      TRY_ASSIGN(name, rpm_list_name(nvra + "-" + to_hex(ByteView(digest).first(8))));
    }
    names_[name] = true;
    const auto present = read_file(host_.path(std::string(kListsFolder) + "/" + name), list.size());
    if (!present || as_text(*present) != as_text(list)) add_item(missing_, escape(nvra));
    return {};
  }

  const Host& host_;
  const TrustStore& trust_;
  Known& known_;
  std::map<std::string, bool> names_;  // of lists that belong to a package
  Finding unsigned_{
      "packages.unsigned",
      Level::kFail,
      "installed packages are not signed; their files would be denied",
      "get signed packages, or list their files: compact_gen -d /etc/digest_lists -k KEY -c CERT -i ...",
      {}};
  Finding untrusted_{"packages.untrusted",
                     Level::kFail,
                     "installed packages are signed by no trusted key; their files would be denied",
                     "trust the key of who built them: diglim key add ID (before setup: diglim setup install "
                     "--rpm-keys), reboot",
                     {}};
  Finding damaged_{"packages.damaged",
                   Level::kFail,
                   "installed packages have a damaged header in the rpm database",
                   "rpm -V and reinstall them",
                   {}};
  Finding other_algorithm_{"packages.algorithm",
                           Level::kFail,
                           "installed packages list files with digests that do not count; those files are on "
                           "no list for the kernel",
                           "get packages that were built anew, or list single files: compact_gen -d "
                           "/etc/digest_lists -k KEY -c CERT "
                           "-i FILE",
                           {}};
  Finding missing_{
      "lists.missing",
      Level::kFail,
      "installed packages have no list in /etc/digest_lists, or another one",
      "diglim repair, or rpm_gen -d /etc/digest_lists --prune && diglim-loader load /etc/digest_lists",
      {}};
  Finding stale_{"lists.stale",
                 Level::kWarn,
                 "lists belong to packages that are not installed: what is left of them may run",
                 "diglim repair, or rpm_gen -d /etc/digest_lists --prune",
                 {}};
  Finding bad_lists_{"lists.rejected",
                     Level::kWarn,
                     "other lists in /etc/digest_lists do not count",
                     "diglim-loader verify /etc/digest_lists/* says why; sign them anew or remove them",
                     {}};
};

}  // namespace

void add_item(Finding& finding, std::string item) {
  ++finding.count;
  if (finding.items.size() < kMaxItems) finding.items.push_back(std::move(item));
}

std::optional<HashAlgo> kernel_hash(const Host& host) {
  auto name = host.parameter("ima_hash");
  if (!name) name = host.kernel_config("CONFIG_IMA_DEFAULT_HASH");
  if (!name || name->empty()) return std::nullopt;
  return hash_from_name(*name);
}

void check_keys(const std::string& keys, const Result<TrustStore>& trust, Findings& findings) {
  if (!trust) {
    findings.push_back({"keys",
                        trust.error().code == ErrorCode::kIo ? Level::kUnknown : Level::kFail,
                        "the trusted keys cannot be read: " + trust.error().message,
                        fmt::format("put public keys into {}", escape(keys)),
                        {}});
    return;
  }
  Finding finding{"keys", Level::kOk, "trusted keys", "", {}};
  for (const std::string& key : trust->describe()) add_item(finding, key);
  finding.what = fmt::format("{} trusted keys in {}", finding.count, escape(keys));
  if (finding.count == 0) {
    finding.level = Level::kFail;
    finding.next = "diglim setup install --rpm-keys, or copy the distribution's public key there";
  }
  findings.push_back(finding);
  Finding unusable{
      "keys.unusable", Level::kWarn, "", "remove them from the directory, or get newer ones", {}};
  for (const std::string& key : trust->unusable()) add_item(unusable, key);
  unusable.what = fmt::format("{} keys can verify nothing", unusable.count);
  if (unusable.count > 0) findings.push_back(unusable);
  Finding left_out{"keys.left_out", Level::kWarn, "", fmt::format("move them out of {}", escape(keys)), {}};
  for (const std::string& file : trust->left_out()) add_item(left_out, file);
  left_out.what =
      fmt::format("{} files hold no public key that can be read, and are left out", left_out.count);
  if (left_out.count > 0) findings.push_back(left_out);
}

void check_packages(const Host& host, const std::string& dbpath, const TrustStore& trust, bool progress,
                    Known& known, Findings& findings) {
  const auto unreadable = [&](const Error& error) {
    findings.push_back(
        {"packages", Level::kUnknown, error.message, "run this as root, on a host of rpm packages", {}});
  };
  const auto database = find_rpm_database(host.is_live() ? "" : host.path(""), dbpath);
  if (!database) return unreadable(database.error());
  Survey survey(host, trust, known);
  std::optional<Progress> bar;
  const auto done =
      for_each_package(*database, [&](const InstalledPackage& package, size_t total) -> Result<void> {
        if (!bar) bar.emplace("packages", total, progress);
        bar->step(package.nvra);
        return survey.add(package);
      });
  bar.reset();
  if (!done) return unreadable(done.error());
  survey.finish();
  survey.report(findings);
}

}  // namespace diglim::doctor
