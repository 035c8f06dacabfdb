// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/test_attester.h"

#include "lib/tcg/ima_log.h"

namespace diglim {

TestAttester::TestAttester() {
  boot.boot.policy_hash = Bytes(32, 0x01);
  boot.boot.loader_hash = Bytes(32, 0x02);
  boot.boot.programs = {{"diglim.bpf.o", Bytes(32, 0x03)}, {"probe.bpf.o", Bytes(32, 0x04)}};
  boot.boot.keys = {{Bytes(32, 0x05), "x509:" + std::string(64, 'a')}};
  boot.lists = {
      {Bytes(32, 0x06), "0-file_list-rpm-bash-5.2-1.x86_64", "bash-5.2-1.x86_64", "CN=Distribution"},
      {Bytes(32, 0x07), "0-file_list-compact-tool", "", "CN=Developer"}};
}

VerifierPolicy TestAttester::policy() const {
  const TestAttester fresh;
  VerifierPolicy policy;
  policy.loaders = {{fresh.boot.boot.loader_hash}};
  policy.ima_policies = {{fresh.boot.boot.policy_hash}};
  policy.programs.emplace();
  for (const ManifestProgram& program : fresh.boot.boot.programs)
    (*policy.programs)[program.name] = {program.hash};
  policy.keys = {{fresh.boot.boot.keys[0].fingerprint}};
  policy.accepted->lists.emplace();
  for (const ManifestList& list : fresh.boot.lists) policy.accepted->lists->insert(list.hash);
  policy.accepted->minimum_versions = {{"bash", "5.2-1"}};
  policy.pcrs[0] = {Bytes(32, 0)};
  return policy;
}

void TestAttester::sign(Bundle& bundle) const {
  SignedQuote made = quote(bundle.pcrs);
  bundle.attest = std::move(made.attest);
  bundle.signature = std::move(made.signature);
  bundle.ak = std::move(made.ak);
}

Bundle TestAttester::bundle() const {
  Bundle bundle;
  bundle.bank = bank;
  for (const unsigned index : quoted) bundle.pcrs[index] = Bytes(hash_size(bank), 0);
  append(bundle.ima_log,
         test_event(10, "ima-sig", must_have(boot_aggregate(PcrBank(HashAlgo::kSha256))), "boot_aggregate"));
  uint64_t number = 1;
  Bytes previous;
  const auto add = [&](Manifest manifest) {
    manifest.number = number;
    manifest.previous = previous;
    const Bytes content = must_have(write_manifest(std::move(manifest)));
    previous = must_have(manifest_hash(content));
    append(bundle.ima_log, test_event(pcr, "ima-ng", previous, manifest_path(number)));
    bundle.manifests.push_back(content);
    ++number;
  };
  add(boot);
  for (const Manifest& update : updates) add(update);
  for (const NewImaEvent& file : files) append(bundle.ima_log, must_have(write_ima_event(file)));
  replay_into(bundle);
  sign(bundle);
  return bundle;
}

Bytes test_event(unsigned pcr, const std::string& template_name, ByteView sha256, const std::string& path) {
  NewImaEvent event;
  event.pcr = pcr;
  event.template_name = template_name;
  event.digest = to_bytes(sha256);
  event.path = path;
  return must_have(write_ima_event(event));
}

void replay_into(Bundle& bundle) {
  const auto events = must_have(read_ima_log(bundle.ima_log));
  PcrBank bank(bundle.bank);
  for (const ImaEvent& event : events) {
    must(replay_ima_event(event, bank).has_value(), "replay");
    const auto quoted = bundle.pcrs.find(event.pcr);
    if (quoted != bundle.pcrs.end()) quoted->second = bank.value(event.pcr);
  }
}

}  // namespace diglim
