// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lib/attest/measured_manifests.h"
#include "lib/base/text.h"
#include "lib/manifest/reader.h"
#include "policy/ima_policy.h"
#include "tools/diglim/measure/items.h"

namespace diglim {
namespace {

constexpr std::string_view kManifestTemplate = "ima-ng";
constexpr int kLowestPcr = 8;  // that the configuration takes
constexpr int kHighestPcr = 15;

bool is_manifest(const ImaEvent& event) {
  return event.template_name == kManifestTemplate && event.path.starts_with(kManifestPathPrefix);
}

// The configuration whose IMA policy has this hash.
std::string policy_name(ByteView wanted) {
  for (int pcr = kLowestPcr; pcr <= kHighestPcr; ++pcr) {
    for (const auto& [labels, name] : {std::pair(PolicyLabels::kAppArmor, "labels = apparmor"),
                                       std::pair(PolicyLabels::kSelinux, "labels = selinux"),
                                       std::pair(PolicyLabels::kNone, "no labels that steer it")}) {
      const auto made = hash(HashAlgo::kSha256, {as_bytes(ima_policy(labels, pcr))});
      if (made && as_text(*made) == as_text(wanted)) return fmt::format("that of pcr = {}, {}", pcr, name);
    }
  }
  return "none that this DIGLIM writes (" + to_hex(wanted).substr(0, 16) + "...)";
}

std::string names_of(const std::vector<HashAlgo>& algos) {
  std::string text;
  for (const HashAlgo algo : algos) text += (text.empty() ? "" : ", ") + std::string(hash_name(algo));
  return text.empty() ? "none" : text;
}

// Walks through both sides at once.
class Comparer {
 public:
  Comparer(const Prediction& prediction, unsigned pcr, const MeasuredBoot& boot)
      : predicted_(prediction.events()),
        pcr_(pcr),
        boot_(boot),
        manifests_(boot.manifests, policy_, nullptr) {}

  Result<std::vector<Difference>> run() {
    for (const ImaEvent& event : boot_.events) {
      if (event.pcr == pcr_)
        take(event);
      else if (is_manifest(event))
        take_elsewhere(event);
    }
    for (; next_ < predicted_.size(); ++next_) {
      ++extend_;
      const PredictedEvent& event = predicted_[next_];
      if (event.content.empty()) {
        add("boot-aggregate-missing", "", "IMA measured no boot_aggregate");
        continue;
      }
      if (next_ == first_manifest())
        add("boot-manifest-missing", event.path,
            "no boot manifest was measured: DIGLIM did not start this boot, or did not measure");
      else
        add("manifest-not-measured", event.path,
            fmt::format("{} was predicted ({}), and was not measured", event.path, event.what));
      TRY_ASSIGN(const Manifest manifest, read_manifest_of(event));
      collect(manifest, predicted_items_);
    }
    items_differ(predicted_items_, measured_items_, found_);
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Difference& a, const Difference& b) { return a.extend < b.extend; });
    return std::move(found_);
  }

 private:
  void add(std::string code, std::string_view name, std::string text) {
    found_.push_back({extend_, std::move(code), escape(name), std::move(text)});
  }
  size_t first_manifest() const {
    return !predicted_.empty() && predicted_.front().path == kBootAggregate ? 1 : 0;
  }
  static Result<Manifest> read_manifest_of(const PredictedEvent& event) {
    return read_manifest(event.content);
  }

  void take(const ImaEvent& event) {
    ++extend_;
    const std::string path = escape(event.path);
    if (event.violation)
      return add("violation", event.path, path + " changed, or could change, while it was measured");
    if (event.path == kBootAggregate && next_ == 0 && first_manifest() == 1)
      return take_boot_aggregate(event);
    if (!is_manifest(event))
      return add("unknown-file", event.path,
                 fmt::format("{} ({}:{}) is on no digest list, and was executed, mapped or loaded", path,
                             escape(event.algo), to_hex(event.digest)));
    take_manifest(event, path);
  }

  void take_boot_aggregate(const ImaEvent& event) {
    const PredictedEvent& wanted = predicted_[next_++];
    if (as_text(event.digest) != as_text(wanted.file_digest))
      add("boot-aggregate-differs", "",
          fmt::format(
              "boot_aggregate is {}, predicted is {}: PCRs 0 to 9 are others: firmware, boot loader or "
              "their settings",
              to_hex(event.digest), to_hex(wanted.file_digest)));
    else if (event.template_name != wanted.template_name)
      add("boot-aggregate-differs", "",
          fmt::format(
              "the template of boot_aggregate is {}, predicted is {} (ima_template=; --boot-template)",
              escape(event.template_name), wanted.template_name));
  }

  void take_elsewhere(const ImaEvent& event) {
    if (elsewhere_) return;
    elsewhere_ = true;
    found_.push_back({0, "pcr-differs", std::to_string(event.pcr),
                      fmt::format("manifests are measured into PCR {}, and PCR {} is predicted: pcr = in the "
                                  "initramfs' loader.conf, or diglim.pcr=",
                                  event.pcr, pcr_)});
  }

  void take_manifest(const ImaEvent& event, const std::string& path) {
    if (next_ < first_manifest()) {
      add("boot-aggregate-missing", "", "the first event of PCR 10 is not boot_aggregate");
      next_ = first_manifest();
    }
    const PredictedEvent* wanted = next_ < predicted_.size() ? &predicted_[next_] : nullptr;
    if (wanted != nullptr && wanted->path == event.path &&
        as_text(wanted->file_digest) == as_text(event.digest)) {
      ++next_;
      if (const auto manifest = read_manifest_of(*wanted)) {
        collect(*manifest, predicted_items_);
        collect(*manifest, measured_items_);
      }
      return;
    }
    const auto judged = manifests_.find(hash_from_name(event.algo).value_or(HashAlgo::kSha256), event.digest);
    if (!judged || !*judged || !(*judged)->manifest) {
      if (wanted != nullptr) ++next_;
      if (judged && !*judged)
        return add("manifest-missing", event.path,
                   fmt::format("{} was measured as {}:{}, and none of the manifests that are there has this "
                               "content",
                               path, escape(event.algo), to_hex(event.digest)));
      return add("manifest-malformed", event.path,
                 path + ": " + (judged ? (*judged)->manifest.error() : judged.error()).message);
    }
    compare_manifest(*(*judged)->manifest, path, wanted);
  }

  void compare_manifest(const Manifest& measured, const std::string& path, const PredictedEvent* wanted) {
    if (measured.kind == ManifestKind::kMonitor)
      return add(
          "monitored", path,
          fmt::format("{}: for {} seconds unknown files were not denied (monitor mode), allowed by {}, "
                      "because: {}",
                      path, measured.monitor.seconds,
                      measured.monitor.signer.empty() ? "root" : escape(measured.monitor.signer),
                      escape(measured.monitor.reason)));
    collect(measured, measured_items_);
    if (wanted == nullptr)
      return add(
          "manifest-not-predicted", path,
          fmt::format("{} ({}) was measured, and no prediction has it: lists or keys changed while the "
                      "system ran",
                      path, kind_name(measured.kind)));
    ++next_;
    const auto expected = read_manifest_of(*wanted);
    if (!expected) return;  // not reached: it is ours
    collect(*expected, predicted_items_);
    if (measured.kind == ManifestKind::kBoot && expected->kind == ManifestKind::kBoot)
      compare_boot(measured.boot, expected->boot);
    else if (measured.kind != expected->kind)
      add("manifest-differs", path,
          fmt::format("{} is of the kind {}, predicted is {}", path, kind_name(measured.kind),
                      kind_name(expected->kind)));
  }

  void compare_boot(const ManifestBoot& measured, const ManifestBoot& predicted) {
    if (measured.mode != predicted.mode)
      add("mode-differs", mode_name(measured.mode),
          fmt::format("the boot was in mode {}, predicted is {}: diglim.mode= on the kernel command line, or "
                      "mode = in the initramfs' loader.conf",
                      mode_name(measured.mode), mode_name(predicted.mode)));
    if (measured.algo != predicted.algo)
      add("algorithm-differs", hash_name(measured.algo),
          fmt::format("the kernel hashes by {}, predicted is {}: ima_hash= on the kernel command line "
                      "(--algorithm)",
                      hash_name(measured.algo), hash_name(predicted.algo)));
    if (measured.policy_hash != predicted.policy_hash)
      add("ima-policy-differs", "",
          fmt::format("the IMA policy is {}; predicted is {}", policy_name(measured.policy_hash),
                      policy_name(predicted.policy_hash)));
    if (measured.loader_hash != predicted.loader_hash)
      add("loader-differs", to_hex(measured.loader_hash),
          fmt::format("the boot was by the loader {}, predicted is {}: another version of DIGLIM in the "
                      "initramfs",
                      to_hex(measured.loader_hash), to_hex(predicted.loader_hash)));
    compare_programs(measured, predicted);
    if (measured.weak_hashes != predicted.weak_hashes)
      add("weak-hash-differs", "",
          fmt::format("signatures over weak hashes: {} accepted, predicted is {} (allow-signature-hash in "
                      "loader.conf)",
                      names_of(measured.weak_hashes), names_of(predicted.weak_hashes)));
  }

  void compare_programs(const ManifestBoot& measured, const ManifestBoot& predicted) {
    std::map<std::string, std::pair<Bytes, Bytes>> programs;  // measured, predicted
    for (const ManifestProgram& program : measured.programs) programs[program.name].first = program.hash;
    for (const ManifestProgram& program : predicted.programs) programs[program.name].second = program.hash;
    for (const auto& [name, hashes] : programs) {
      if (hashes.first == hashes.second) continue;
      const auto say = [](const Bytes& value) { return value.empty() ? "missing" : to_hex(value); };
      add("program-differs", name,
          fmt::format("the BPF program {} is {}, predicted is {}: another build of DIGLIM", escape(name),
                      say(hashes.first), say(hashes.second)));
    }
  }

  void collect(const Manifest& manifest, std::vector<MeasuredItem>& items) const {
    add_items(manifest, extend_, items);
  }

  const std::vector<PredictedEvent>& predicted_;
  unsigned pcr_;
  const MeasuredBoot& boot_;
  VerifierPolicy policy_;
  MeasuredManifests manifests_;
  size_t next_ = 0;    // of predicted_
  size_t extend_ = 0;  // of this register
  bool elsewhere_ = false;
  std::vector<MeasuredItem> predicted_items_, measured_items_;
  std::vector<Difference> found_;
};

// Both values differ, and all that the manifests say is the same.
Result<Difference> find_other_form(const Prediction& prediction, unsigned pcr, HashAlgo bank,
                                   const MeasuredBoot& boot) {
  size_t i = 0;
  for (const ImaEvent& event : boot.events) {
    if (event.pcr != pcr) continue;
    if (i == prediction.events().size()) break;
    const PredictedEvent& wanted = prediction.events()[i++];
    ImaLogReader reader(wanted.entry);
    TRY_ASSIGN(const auto entry, reader.next());
    TRY_ASSIGN(const Bytes is, template_digest(event, bank));
    TRY_ASSIGN(const Bytes should, template_digest(*entry, bank));
    if (is == should) continue;
    return Difference{
        i, "event-differs", escape(event.path),
        fmt::format("{} ({}:{}) was measured otherwise than predicted ({}:{}), and says the same",
                    escape(event.path), escape(event.algo), to_hex(event.digest),
                    hash_name(hash_from_name(entry->algo).value_or(HashAlgo::kSha256)),
                    to_hex(entry->digest))};
  }
  return Difference{i, "event-differs", "", "the register is extended otherwise than predicted"};
}

std::vector<const Extend*> of_register(const std::vector<Extend>& extends, unsigned pcr) {
  std::vector<const Extend*> own;
  for (const Extend& extend : extends) {
    if (extend.pcr == pcr) own.push_back(&extend);
  }
  return own;
}

std::string say(const Extend& extend) {
  return extend.what + ", by " + extend.who;
}

}  // namespace

Result<std::vector<Bytes>> values_of(unsigned pcr, HashAlgo bank, const MeasuredBoot& boot) {
  PcrBank registers(bank);
  TRY(registers.set(pcr, boot.start));
  std::vector<Bytes> values = {boot.start};
  for (const ImaEvent& event : boot.events) {
    if (event.pcr != pcr) continue;
    TRY(replay_ima_event(event, registers));
    values.push_back(registers.value(pcr));
  }
  return values;
}

Result<Comparison> compare(const Prediction& prediction, unsigned pcr, HashAlgo bank,
                           const MeasuredBoot& boot) {
  Comparison result;
  result.predicted = prediction.value();
  TRY_ASSIGN(const auto values, values_of(pcr, bank, boot));
  result.measured = values.back();
  if (result.measured == result.predicted) return result;
  TRY_ASSIGN(result.differences, Comparer(prediction, pcr, boot).run());
  if (boot.start != prediction.start())
    result.differences.insert(result.differences.begin(),
                              Difference{0, "start-differs", "",
                                         fmt::format("PCR {} held {} before IMA began, predicted is {}", pcr,
                                                     to_hex(boot.start), to_hex(prediction.start()))});
  if (result.differences.empty()) {
    TRY_ASSIGN(Difference other, find_other_form(prediction, pcr, bank, boot));
    result.differences.push_back(std::move(other));
  }
  return result;
}

std::vector<Difference> compare_before_ima(const std::vector<Extend>& predicted,
                                           const std::vector<Extend>& measured,
                                           const std::vector<unsigned>& pcrs) {
  std::vector<Difference> found;
  for (const unsigned pcr : pcrs) {
    const auto wanted = of_register(predicted, pcr);
    const auto got = of_register(measured, pcr);
    size_t i = 0;
    while (i < wanted.size() && i < got.size() && wanted[i]->digest == got[i]->digest) ++i;
    if (i == wanted.size() && i == got.size()) continue;
    std::string text = fmt::format("PCR {}, event {} before IMA: ", pcr, i + 1);
    if (i == got.size())
      text += "missing, predicted is " + say(*wanted[i]);
    else if (i == wanted.size())
      text += say(*got[i]) + "; predicted is none";
    else if (say(*got[i]) == say(*wanted[i]))
      text += say(*got[i]) + ", with other content than predicted";
    else
      text += say(*got[i]) + "; predicted is " + say(*wanted[i]);
    found.push_back({0, "before-ima-differs", fmt::format("PCR {}", pcr), std::move(text)});
  }
  return found;
}

Result<Difference> explain_register(ByteView value, unsigned pcr, HashAlgo bank, const MeasuredBoot& boot,
                                    const std::vector<Extend>& systemd) {
  const Bytes wanted = to_bytes(value);
  TRY_ASSIGN(const auto values, values_of(pcr, bank, boot));
  const auto others = of_register(systemd, pcr);
  std::string names;
  for (const Extend* extend : others) names += (names.empty() ? "" : "; ") + say(*extend);
  // Together they came after one of IMA's: is it so?
  for (size_t after = 0; after < values.size() && !others.empty(); ++after) {
    PcrBank registers(bank);
    TRY(registers.set(pcr, values[after]));
    for (const Extend* extend : others) TRY(registers.extend(pcr, extend->digest));
    size_t i = 0;
    for (const ImaEvent& event : boot.events) {
      if (event.pcr != pcr || i++ < after) continue;
      TRY(replay_ima_event(event, registers));
    }
    if (registers.value(pcr) == wanted)
      return Difference{after + 1, "extended-by-others", escape(others.front()->who),
                        fmt::format("PCR {} was also extended after {} of IMA's events: {}; choose another "
                                    "register (pcr = in loader.conf)",
                                    pcr, after, names)};
  }
  return Difference{
      values.size(), "log-differs", "",
      fmt::format("PCR {} holds {}, and its logs add up to {}: something else extended it, or records of the "
                  "log are missing{}",
                  pcr, to_hex(value), to_hex(values.back()), names.empty() ? "" : " (also: " + names + ")")};
}

}  // namespace diglim
