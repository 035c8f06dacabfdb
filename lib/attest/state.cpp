// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/state.h"

#include <algorithm>
#include <set>
#include <type_traits>

#include "lib/attest/measured_manifests.h"
#include "lib/base/text.h"
#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

constexpr std::string_view kManifestTemplate = "ima-ng";
constexpr size_t kLeastDigest = 28;  // SHA-2; md5, sha1 and rmd160 are shorter

class Judge {
 public:
  Judge(const Evidence& evidence, const VerifierPolicy& policy, ManifestStore* store, Verdict& verdict)
      : evidence_(evidence),
        policy_(policy),
        verdict_(verdict),
        manifests_(evidence.bundle.manifests, policy, store) {}

  void run() {
    ImaLogReader log(evidence_.bundle.ima_log);
    for (;;) {
      const auto event = log.next();
      if (!event || !*event) break;  // no error: establish_evidence() read the whole log
      if (!evidence_.bundle.pcrs.contains((*event)->pcr)) continue;  // not attested; a warning says so
      take(**event);
    }
    listed_ = 0;
    if (!boot_measured_)
      refuse(Reason::kBootManifestMissing, "no boot manifest was measured: DIGLIM did not start the machine");
    for (size_t i = 0; i < evidence_.bundle.manifests.size(); ++i) {
      if (!manifests_.used(i))
        refuse(Reason::kManifestExtra,
               "manifest " + std::to_string(i + 1) + " of the bundle was never measured");
    }
    check_boot_chain();
    if (booted_) check_boot();
    verdict_.lists.judge(policy_,
                         [this](Finding finding) { refuse(finding.reason, std::move(finding.text)); });
    check_serials();
    if (verdict_.trusted()) manifests_.keep();
  }

 private:
  // Into `list`, while there is room: a log of 256 MiB must not become gigabytes. There is room for the
  // first, whatever was listed elsewhere: no finding at all would mean trusted.
  template <typename T>
  bool has_room(const std::vector<T>& list) {
    if (listed_ <= kMaxListedBytes || list.empty()) return true;
    ++verdict_.not_listed;
    return false;
  }
  template <typename T>
  void add_to(std::vector<T>& list, T entry, size_t text_bytes) {
    if (!has_room(list)) return;
    listed_ += sizeof(T) + text_bytes;
    list.push_back(std::move(entry));
  }
  void refuse(Reason reason, std::string text) {
    const size_t bytes = text.size();
    add_to(verdict_.findings, Finding{reason, std::move(text)}, bytes);
  }
  // Of what a log may repeat a million times: the text is made only if there is room for it.
  template <typename Text>
  requires std::is_invocable_r_v<std::string, Text>
  void refuse(Reason reason, Text text) {
    if (has_room(verdict_.findings)) refuse(reason, std::string(text()));
  }

  bool is_first(const ImaEvent& event) { return seen_.insert(event.pcr).second; }

  void take(const ImaEvent& event) {
    const bool first = is_first(event);
    if (event.pcr == kImaPcr && first) {
      take_boot_aggregate(event);
      return;
    }
    if (event.pcr != policy_.pcr || event.template_name != kManifestTemplate ||
        !event.path.starts_with(kManifestPathPrefix)) {
      take_file(event);
      return;
    }
    take_manifest(event);
  }

  void take_boot_aggregate(const ImaEvent& event) {
    if (event.path != "boot_aggregate" || event.violation) {
      refuse(Reason::kBootAggregateMissing, "the first event of PCR 10 is not boot_aggregate");
      return;
    }
    boot_aggregate_ = to_bytes(event.digest);
  }

  void take_file(const ImaEvent& event) {
    UnknownFile file;
    file.path = event.path;
    file.algo = event.algo;
    file.digest = to_bytes(event.digest);
    file.pcr = event.pcr;
    file.violation = event.violation;
    file.tolerated = !event.violation && policy_.tolerated_files.contains(file.digest);
    if (event.violation) {
      refuse(Reason::kViolation,
             [&] { return escape(event.path) + " changed, or could change, while it was measured"; });
    } else if (!file.tolerated) {
      refuse(Reason::kUnknownFile, [&] {
        return escape(event.path) + " (" + escape(event.algo) + ":" + to_hex(event.digest) +
               ") is on no digest list, and was executed, mapped or loaded";
      });
    }
    const size_t bytes = file.path.size() + file.algo.size() + file.digest.size();
    add_to(verdict_.unknown, std::move(file), bytes);
  }

  void take_manifest(const ImaEvent& event) {
    const std::string path = escape(event.path);
    boot_measured_ = boot_measured_ || event.path == manifest_path(1);
    if (event.violation) {
      refuse(Reason::kViolation, path + " changed, or could change, while it was measured");
      return;
    }
    const auto algo = hash_from_name(event.algo);
    if (!algo) return refuse(Reason::kManifestMalformed, path + ": unknown algorithm " + escape(event.algo));
    check_digests(*algo);
    const auto judged = manifests_.find(*algo, event.digest);
    if (!judged) return refuse(Reason::kManifestMalformed, path + ": " + judged.error().message);
    if (!*judged) {
      refuse(Reason::kManifestMissing,
             path + " was measured, but the bundle has no manifest of this content");
      MissingManifest missing{std::string(event.path), std::string(event.algo), to_bytes(event.digest)};
      const size_t bytes = missing.path.size() + missing.algo.size() + missing.digest.size();
      return add_to(verdict_.lacks, std::move(missing), bytes);
    }
    const Result<Manifest>& manifest = (*judged)->manifest;
    if (!manifest) return refuse(Reason::kManifestMalformed, path + ": " + manifest.error().message);
    if (manifest_path(manifest->number) != event.path)
      return refuse(Reason::kManifestPath,
                    path + " was measured with the content of manifest " + std::to_string(manifest->number));
    apply(*judged, path);
  }

  void apply(const JudgedManifestPtr& judged, const std::string& path) {
    const Manifest& manifest = *judged->manifest;
    if (manifest.kind == ManifestKind::kBoot) {
      if (booted_) return refuse(Reason::kBootManifestRepeated, path + " was measured a second time");
      if (!verdict_.unknown.empty() || !chain_.empty())
        refuse(Reason::kBootManifestLate,
               path + " was measured after other files: something ran before DIGLIM");
      booted_ = true;
      verdict_.boot = manifest.boot;
    } else if (!chain_.contains({manifest.number - 1, manifest.previous})) {
      return refuse(Reason::kManifestChain, path + " does not follow a manifest that was measured");
    }
    chain_.insert({manifest.number, judged->sha256});
    for (const ManifestDenyList& list : manifest.deny_lists) {
      uint64_t& serial = serials_[list.name];
      serial = std::max(serial, list.serial);
    }
    if (manifest.kind == ManifestKind::kMonitor)
      refuse(Reason::kMonitored, [&] {
        return path + ": for " + std::to_string(manifest.monitor.seconds) +
               " seconds unknown files were not denied (monitor mode), allowed by " +
               (manifest.monitor.signer.empty() ? "root" : escape(manifest.monitor.signer)) +
               ", because: " + escape(manifest.monitor.reason);
      });
    if (manifest.kind == ManifestKind::kBoot) return verdict_.lists.boot(judged);
    // A log may name one manifest a million times.
    changed_ += manifest.lists.size() + manifest.keys.size();
    if (changed_ > kMaxListsOfABundle)
      return refuse(Reason::kManifestMalformed, path + ": the manifests until here change more than " +
                                                    std::to_string(kMaxListsOfABundle) + " lists");
    // What it signed ran, so it speaks against the machine also if it was taken back since.
    check_keys(manifest.keys, "was granted");
    if (manifest.kind != ManifestKind::kRemove) return verdict_.lists.add(judged);
    for (const ManifestList& list : manifest.lists) {
      if (!verdict_.lists.remove(list))
        refuse(Reason::kManifestChain,
               [&] { return path + " removes " + escape(list.name) + ", which was not loaded"; });
    }
  }

  void check_boot_chain() {
    for (const auto& [pcr, values] : policy_.pcrs) {
      const Bytes value = to_bytes(evidence_.bundle.pcrs.at(pcr));  // establish_evidence() saw to it
      if (!values.contains(value))
        refuse(Reason::kPcrReference, "PCR " + std::to_string(pcr) + " is " + to_hex(value) +
                                          ", which is none of the values in the policy");
    }
    const bool quoted = evidence_.bundle.pcrs.contains(kImaPcr);
    if (quoted && !boot_aggregate_ && !seen_.contains(kImaPcr))
      refuse(Reason::kBootAggregateMissing, "the log has no boot_aggregate");
    if (boot_aggregate_) check_boot_aggregate();
    if (policy_.pcrs.empty() && policy_.boot_aggregates.empty())
      verdict_.warnings.push_back(
          "the policy names no values of boot registers (\"pcrs\", \"boot_aggregates\"): that this kernel "
          "and this loader "
          "came up is the machine's own word");
  }

  // It repeats PCRs 0 to 9, so with these quoted it must fit them.
  void check_boot_aggregate() {
    if (!policy_.boot_aggregates.empty() && !policy_.boot_aggregates.contains(*boot_aggregate_))
      refuse(Reason::kBootAggregateDiffers,
             "boot_aggregate " + to_hex(*boot_aggregate_) + " is none of the values in the policy");
    PcrBank bank(policy_.bank);
    for (unsigned pcr = 0; pcr < kImaPcr; ++pcr) {
      const auto value = evidence_.bundle.pcrs.find(pcr);
      if (value == evidence_.bundle.pcrs.end() || !bank.set(pcr, value->second)) return;
    }
    const auto expected = boot_aggregate(bank);
    if (expected && boot_aggregate_->size() == expected->size() && *expected != *boot_aggregate_)
      refuse(Reason::kBootAggregateDiffers,
             "boot_aggregate does not fit PCRs 0 to 9: they were extended after the boot");
  }

  void check_boot() {
    const ManifestBoot& boot = verdict_.boot;
    if (!policy_.modes.contains(boot.mode))
      refuse(Reason::kModeDiffers, "DIGLIM came up in the mode " + std::string(mode_name(boot.mode)));
    if (policy_.loaders && !policy_.loaders->contains(boot.loader_hash))
      refuse(Reason::kLoaderUnknown, "the loader " + to_hex(boot.loader_hash) + " is not in the policy");
    if (policy_.ima_policies && !policy_.ima_policies->contains(boot.policy_hash))
      refuse(Reason::kImaPolicyUnknown,
             "the IMA policy " + to_hex(boot.policy_hash) + " is not in the policy");
    if (policy_.programs) check_programs(boot);
    check_keys(boot.keys, "trusts");
    for (const HashAlgo algo : boot.weak_hashes) {
      if (!policy_.weak_hashes.contains(algo))
        refuse(Reason::kWeakHash, "the machine accepts signatures over " + std::string(hash_name(algo)));
    }
    check_digests(boot.algo);
  }

  // Two files may share such a digest, a manifest and another among them, and root chooses ima_hash= where
  // nobody looks at the command line. Once of each: a log may have a million.
  void check_digests(HashAlgo algo) {
    if (hash_size(algo) < kLeastDigest && !policy_.weak_hashes.contains(algo) && weak_.insert(algo).second)
      refuse(Reason::kWeakHash, "the kernel tells files apart by " + std::string(hash_name(algo)) +
                                    " (ima_hash= on its command line)");
  }

  void check_keys(const std::vector<ManifestKey>& keys, const std::string& how) {
    for (const ManifestKey& key : keys) {
      if (policy_.keys && !policy_.keys->contains(key.fingerprint))
        refuse(Reason::kKeyUntrusted, [&] {
          return "the machine " + how + " the key " + key.fingerprint + ", the policy does not";
        });
    }
  }

  void check_programs(const ManifestBoot& boot) {
    for (const ManifestProgram& program : boot.programs) {
      const auto found = policy_.programs->find(program.name);
      if (found == policy_.programs->end() || !found->second.contains(program.hash))
        refuse(Reason::kProgramUnknown, "the BPF object " + escape(program.name) + " " +
                                            to_hex(program.hash) + " is not in the policy");
    }
    for (const auto& [name, hashes] : *policy_.programs) {
      const bool there =
          std::any_of(boot.programs.begin(), boot.programs.end(),
                      [&wanted = name](const ManifestProgram& program) { return program.name == wanted; });
      if (!there) refuse(Reason::kProgramUnknown, "the BPF object " + escape(name) + " is missing");
    }
  }

  void check_serials() {
    for (const auto& [name, minimum] : policy_.minimum_serials) {
      const auto found = serials_.find(name);
      const uint64_t serial = found == serials_.end() ? 0 : found->second;
      if (serial >= minimum) continue;
      refuse(Reason::kRevocationsTooOld,
             (serial == 0 ? "the deny list " + escape(name) + " is not in force"
                          : "serial " + std::to_string(serial) + " of the deny list " + escape(name) +
                                " is in force") +
                 ", and the policy asks for serial " + std::to_string(minimum));
    }
  }

  const Evidence& evidence_;
  const VerifierPolicy& policy_;
  Verdict& verdict_;
  MeasuredManifests manifests_;
  size_t listed_ = 0;   // bytes of what add_to() took
  size_t changed_ = 0;  // lists in the manifests behind the boot's
  std::set<unsigned> seen_;
  std::set<HashAlgo> weak_;                     // found already
  std::set<std::pair<uint64_t, Bytes>> chain_;  // number and hash of what was measured
  std::map<std::string, uint64_t> serials_;     // of deny lists in force
  std::optional<Bytes> boot_aggregate_;
  bool boot_measured_ = false;  // the event is there
  bool booted_ = false;         // and the manifest
};

}  // namespace

void judge_state(const Evidence& evidence, const VerifierPolicy& policy, ManifestStore* store,
                 Verdict& verdict) {
  Judge(evidence, policy, store, verdict).run();
}

}  // namespace diglim
