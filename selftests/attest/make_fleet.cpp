// SPDX-License-Identifier: Apache-2.0
// Writes into a folder what many machines of one kind send, or what one sends that means harm; their TPMs are
// OpenSSL.
//
//   make_fleet machines NUMBER LISTS FOLDER   policy.json; whole, short: streams for --batch, the manifests
//   left out of the second;
//                                             manifest.1; ID.bundle, ID.short, ID.ak, ID.nonce of machines 0
//                                             and 1
//   make_fleet hostile CASE MIB FOLDER        policy.json, bundle of that size, ak, nonce; line: the same for
//   --batch. CASE:
//     entries    the smallest entries that there are      names      entries with names of 64 KiB
//     missing    manifests that are not in the bundle     manifests  manifests with as many lists as they may
//     have
//     refused    lists with names as long as they may be, each refused for two reasons
//     granted    manifests with as many keys as they may have
//     monitor    one manifest with texts as long as they may be, measured again and again
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "lib/attest/test_attester.h"
#include "lib/attest/verify.h"
#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

constexpr char kTooOld[] = "bash-0-1.x86_64";
constexpr size_t kRoom = 1u << 20;  // in a bundle, for all but the log

void write(const std::string& path, std::string_view content) {
  must(write_file_atomically(path, as_bytes(content), 0644).has_value(), path.c_str());
}
void write(const std::string& path, const Bytes& content) {
  write(path, as_text(content));
}

std::string line_of(size_t id, const TestAttester& machine, const Bytes& bundle) {
  return "{\"id\":\"machine" + std::to_string(id) + "\",\"nonce\":\"" + to_hex(machine.nonce) +
         "\",\"ak\":\"" + to_base64(machine.ak()) + "\",\"bundle\":\"" + to_base64(bundle) + "\"}\n";
}

int make_machines(size_t number, size_t lists, const std::string& folder) {
  std::string whole_stream, short_stream;
  for (size_t id = 0; id < number; ++id) {
    TestAttester machine;
    for (size_t i = 0; i < lists; ++i) {
      const std::string nevra = "package" + std::to_string(i) + "-1.0-1.x86_64";
      machine.boot.lists.push_back(
          {machine.boot.lists[0].hash, "0-file_list-rpm-" + nevra, nevra, "CN=Distribution"});
    }
    machine.nonce = must_have(hash(HashAlgo::kSha256, {as_bytes(std::to_string(id))}));
    Bundle bundle = machine.bundle();
    if (id == 0) {
      write(folder + "/policy.json", write_policy(machine.policy()));
      write(folder + "/manifest.1", bundle.manifests[0]);
    }
    const Bytes whole = must_have(write_bundle(bundle));
    bundle.manifests.clear();
    const Bytes without = must_have(write_bundle(bundle));
    whole_stream += line_of(id, machine, whole);
    short_stream += line_of(id, machine, without);
    if (id > 1) continue;
    const std::string path = folder + "/" + std::to_string(id);
    write(path + ".bundle", whole);
    write(path + ".short", without);
    write(path + ".ak", machine.ak());
    write(path + ".nonce", to_hex(machine.nonce));
  }
  write(folder + "/whole", whole_stream);
  write(folder + "/short", short_stream);
  return 0;
}

void fill(Bytes& log, size_t bytes, const Bytes& entry) {
  log.reserve(bytes);
  while (log.size() + entry.size() + kRoom <= bytes) append(log, entry);
}

// `make` fills one in but for its place among the others.
void fill_with_manifests(Bundle& bundle, size_t bytes, const std::function<void(Manifest&)>& make) {
  size_t size = 0;
  Bytes previous = must_have(manifest_hash(bundle.manifests[0]));
  for (uint64_t number = 2;; ++number) {
    Manifest more;
    more.kind = ManifestKind::kAdd;
    more.number = number;
    more.previous = previous;
    make(more);
    const Bytes content = must_have(write_manifest(std::move(more)));
    if (size + content.size() + kRoom > bytes) return;
    size += content.size();
    previous = must_have(manifest_hash(content));
    append(bundle.ima_log, test_event(10, "ima-ng", previous, manifest_path(number)));
    bundle.manifests.push_back(content);
  }
}

std::string numbered(uint64_t number, size_t i, size_t size) {
  std::string name = std::to_string(number) + "." + std::to_string(i);
  if (name.size() < size) name.append(size - name.size(), 'n');
  return name;
}

void add_lists(Manifest& manifest) {
  for (size_t i = 0; i < kMaxManifestLists; ++i)
    manifest.lists.push_back({Bytes(32, 0x06), numbered(manifest.number, i, 0), "", "x"});
}

void add_refused_lists(Manifest& manifest) {
  for (size_t i = 0; i < kMaxManifestLists / 4; ++i)  // that a line of --batch has room for one manifest
    manifest.lists.push_back(
        {Bytes(32, 0x66), numbered(manifest.number, i, kMaxManifestName), kTooOld, "CN=Distribution"});
}

void add_keys(Manifest& manifest) {
  for (size_t i = 0; i < kMaxManifestKeys; ++i) {
    Bytes hash(32, 0x06);
    for (size_t at = 0; at < 4; ++at) hash[at] = static_cast<uint8_t>(i >> (8 * at));
    const std::string fingerprint = "x509:" + to_hex(hash);
    manifest.keys.push_back({std::move(hash), fingerprint});
  }
}

void fill_with_monitor(Bundle& bundle, size_t bytes) {
  Manifest manifest;
  manifest.kind = ManifestKind::kMonitor;
  manifest.number = 2;
  manifest.previous = must_have(manifest_hash(bundle.manifests[0]));
  manifest.monitor = {5, std::string(kMaxManifestSigner, '\1'), std::string(kMaxManifestSigner, '\2')};
  const Bytes content = must_have(write_manifest(std::move(manifest)));
  bundle.manifests.push_back(content);
  fill(bundle.ima_log, bytes, test_event(10, "ima-ng", must_have(manifest_hash(content)), manifest_path(2)));
}

int make_hostile(const std::string& name, size_t bytes, const std::string& folder) {
  const TestAttester machine;
  Bundle bundle = machine.bundle();
  const std::map<std::string, std::function<void()>> cases = {
      {"entries",
       [&] {
         NewImaEvent event;
         event.template_name = "ima";
         event.algo = HashAlgo::kSha1;
         event.digest = Bytes(20, 0xee);
         event.path = "x";
         fill(bundle.ima_log, bytes, must_have(write_ima_event(event)));
       }},
      {"names",
       [&] {
         fill(bundle.ima_log, bytes,
              test_event(10, "ima-sig", Bytes(32, 0xee), "/" + std::string(65535, '\n')));
       }},
      {"missing",
       [&] { fill(bundle.ima_log, bytes, test_event(10, "ima-ng", Bytes(32, 0xee), manifest_path(2))); }},
      {"manifests", [&] { fill_with_manifests(bundle, bytes, add_lists); }},
      {"refused", [&] { fill_with_manifests(bundle, bytes, add_refused_lists); }},
      {"granted", [&] { fill_with_manifests(bundle, bytes, add_keys); }},
      {"monitor", [&] { fill_with_monitor(bundle, bytes); }},
  };
  cases.at(name)();
  replay_into(bundle);
  machine.sign(bundle);
  VerifierPolicy policy = machine.policy();
  policy.accepted->minimum_versions["bash"] = "5.2-1";
  write(folder + "/policy.json", write_policy(policy));
  const Bytes file = must_have(write_bundle(bundle));
  write(folder + "/bundle", file);
  write(folder + "/line", line_of(0, machine, file));
  write(folder + "/ak", machine.ak());
  write(folder + "/nonce", to_hex(machine.nonce));
  return 0;
}

}  // namespace
}  // namespace diglim

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 4 && words[0] == "machines")
    return diglim::make_machines(std::stoul(words[1]), std::stoul(words[2]), words[3]);
  if (words.size() == 4 && words[0] == "hostile")
    return diglim::make_hostile(words[1], std::stoul(words[2]) << 20, words[3]);
  (void)fprintf(stderr, "make_fleet: machines NUMBER LISTS FOLDER, or hostile CASE MIB FOLDER\n");
  return 2;
}
