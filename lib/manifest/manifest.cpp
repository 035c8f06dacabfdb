// SPDX-License-Identifier: Apache-2.0
#include "lib/manifest/manifest.h"

#include <algorithm>
#include <limits>

#include "lib/manifest/token.h"

namespace diglim {
namespace {

constexpr size_t kHashBytes = 32;

class Writer {
 public:
  void line(std::string_view text) {
    text_ += text;
    text_ += '\n';
  }
  Result<void> hash_line(std::string_view word, const Bytes& hash, std::string_view rest = {}) {
    if (hash.size() != kHashBytes)
      return invalid(std::string(word) + " hash of " + std::to_string(hash.size()) + " bytes");
    line(std::string(word) + " " + to_hex(hash) + (rest.empty() ? "" : " ") + std::string(rest));
    return {};
  }
  Bytes take() { return to_bytes(as_bytes(text_)); }

 private:
  std::string text_;
};

Result<void> check_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxManifestName || name.find('/') != std::string_view::npos) {
    return invalid("'" + manifest_escape(name.substr(0, kMaxManifestName), false) +
                   "' cannot be a name in a manifest: 1 to 255 bytes, no '/'");
  }
  return {};
}

Result<void> check_number(uint64_t number) {
  if (number == 0 || number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return invalid("a number in a manifest is from 1 on");
  return {};
}

template <typename Item, typename Key>
Result<void> sort_by(std::vector<Item>& items, Key key, size_t max, std::string_view what) {
  if (items.size() > max) {
    return invalid(std::to_string(items.size()) + " " + std::string(what) + " in a manifest, at most " +
                   std::to_string(max));
  }
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) { return key(a) < key(b); });
  for (size_t i = 1; i < items.size(); ++i) {
    if (key(items[i - 1]) == key(items[i])) return invalid("two " + std::string(what) + " of one name");
  }
  return {};
}

// What follows the hash.
Result<std::string> describe(const ManifestList& list, ManifestKind kind) {
  TRY(check_name(list.name));
  std::string text = manifest_escape(list.name, false);
  if (kind == ManifestKind::kRemove) return text;
  if (list.package == kNoPackage) return invalid(text + ": not a name of a package");
  if (list.signer.empty()) return invalid(text + ": a list without a signer");
  const std::string_view package = std::string_view(list.package).substr(0, kMaxManifestPackage);
  text += " " + (package.empty() ? std::string(kNoPackage) : manifest_escape(package, false));
  return text + " " + manifest_escape(std::string_view(list.signer).substr(0, kMaxManifestSigner), true);
}

Result<void> write_keys(Writer& out, std::vector<ManifestKey>& keys) {
  const auto order = [](const ManifestKey& a, const ManifestKey& b) {
    return std::tie(a.file_hash, a.fingerprint) < std::tie(b.file_hash, b.fingerprint);
  };
  std::sort(keys.begin(), keys.end(), order);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() > kMaxManifestKeys) return invalid("too many keys for a manifest");
  for (const ManifestKey& key : keys) {
    if (!is_manifest_fingerprint(key.fingerprint)) return invalid("not a fingerprint of a key");
    TRY(out.hash_line("key", key.file_hash, key.fingerprint));
  }
  return {};
}

Result<void> write_boot(Writer& out, ManifestBoot& boot) {
  out.line("mode " + std::string(mode_name(boot.mode)));
  out.line("algorithm " + std::string(hash_name(boot.algo)));
  TRY(out.hash_line("policy", boot.policy_hash));
  TRY(out.hash_line("loader", boot.loader_hash));
  TRY(sort_by(
      boot.programs, [](const ManifestProgram& program) -> const std::string& { return program.name; },
      kMaxManifestPrograms, "programs"));
  for (const ManifestProgram& program : boot.programs) {
    TRY(check_name(program.name));
    TRY(out.hash_line("program", program.hash, manifest_escape(program.name, false)));
  }
  std::sort(boot.weak_hashes.begin(), boot.weak_hashes.end());
  boot.weak_hashes.erase(std::unique(boot.weak_hashes.begin(), boot.weak_hashes.end()),
                         boot.weak_hashes.end());
  for (HashAlgo algo : boot.weak_hashes) out.line("allow-signature-hash " + std::string(hash_name(algo)));
  return write_keys(out, boot.keys);
}

Result<void> write_deny_lists(Writer& out, Manifest& manifest) {
  if (manifest.kind == ManifestKind::kAdd && !manifest.deny_lists.empty())
    return invalid("a deny list adds nothing");
  TRY(sort_by(
      manifest.deny_lists, [](const ManifestDenyList& list) -> const std::string& { return list.name; },
      kMaxManifestDenyLists, "deny lists"));
  for (const ManifestDenyList& list : manifest.deny_lists) {
    TRY(check_name(list.name));
    TRY(check_number(list.serial));
    if (list.signer.empty()) return invalid("a deny list without a signer");
    TRY(out.hash_line(
        "revoked", list.hash,
        std::to_string(list.serial) + " " + manifest_escape(list.name, false) + " " +
            manifest_escape(std::string_view(list.signer).substr(0, kMaxManifestSigner), true)));
  }
  return {};
}

Result<void> write_monitor(Writer& out, const ManifestMonitor& monitor) {
  if (monitor.seconds == 0 || monitor.seconds > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return invalid("a monitor mode of no length");
  if (monitor.signer == kNoPackage) return invalid("not a signer");
  if (monitor.reason.empty()) return invalid("a monitor mode without a reason");
  const auto text = [](std::string_view value) {
    return manifest_escape(value.substr(0, kMaxManifestSigner), true);
  };
  out.line("seconds " + std::to_string(monitor.seconds));
  out.line("signer " + (monitor.signer.empty() ? std::string(kNoPackage) : text(monitor.signer)));
  out.line("reason " + text(monitor.reason));
  return {};
}

}  // namespace

Result<Bytes> write_manifest(Manifest manifest) {
  Writer out;
  out.line("diglim-manifest 1");
  out.line("kind " + std::string(kind_name(manifest.kind)));
  const bool boot = manifest.kind == ManifestKind::kBoot;
  if (boot != (manifest.number == 1) || manifest.number == 0 ||
      manifest.number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return invalid("manifest number " + std::to_string(manifest.number) + " of kind " +
                   std::string(kind_name(manifest.kind)));
  }
  out.line("number " + std::to_string(manifest.number));
  if (boot) {
    TRY(write_boot(out, manifest.boot));
  } else {
    TRY(out.hash_line("previous", manifest.previous));
    const bool monitor = manifest.kind == ManifestKind::kMonitor;
    if ((manifest.lists.empty() && manifest.deny_lists.empty() && manifest.keys.empty()) != monitor)
      return invalid("a manifest that changes nothing, or too much");
    if (monitor) TRY(write_monitor(out, manifest.monitor));
  }
  if (manifest.kind != ManifestKind::kAdd && !manifest.keys.empty())
    return invalid("keys are granted by an addition");
  TRY(write_keys(out, manifest.keys));
  TRY(write_deny_lists(out, manifest));
  TRY(sort_by(
      manifest.lists, [](const ManifestList& list) -> const std::string& { return list.name; },
      kMaxManifestLists, "lists"));
  for (const ManifestList& list : manifest.lists) {
    TRY_ASSIGN(const std::string description, describe(list, manifest.kind));
    TRY(out.hash_line("list", list.hash, description));
  }
  out.line("end");
  Bytes bytes = out.take();
  if (bytes.size() > kMaxManifestBytes) return invalid("the manifest would be larger than 32 MiB");
  return bytes;
}

Result<Bytes> manifest_hash(ByteView file) {
  return hash(HashAlgo::kSha256, {file});
}

std::string manifest_path(uint64_t number) {
  return std::string(kManifestPathPrefix) + std::to_string(number);
}

std::string_view kind_name(ManifestKind kind) {
  switch (kind) {
    case ManifestKind::kBoot:
      return "boot";
    case ManifestKind::kAdd:
      return "add";
    case ManifestKind::kRemove:
      return "remove";
    case ManifestKind::kMonitor:
      return "monitor";
  }
  return "";  // not reached: the compiler checks that the switch is complete
}

std::string_view mode_name(ManifestMode mode) {
  switch (mode) {
    case ManifestMode::kEnforce:
      return "enforce";
    case ManifestMode::kPermissive:
      return "permissive";
    case ManifestMode::kMeasure:
      return "measure";
  }
  return "";  // as above
}

std::optional<ManifestMode> mode_from_name(std::string_view name) {
  for (const auto mode : {ManifestMode::kEnforce, ManifestMode::kPermissive, ManifestMode::kMeasure}) {
    if (name == mode_name(mode)) return mode;
  }
  return std::nullopt;
}

}  // namespace diglim
