// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/pcrlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/manifest/reader.h"
#include "tools/diglim/measure/explain.h"
#include "tools/diglim/measure/extends.h"
#include "tools/diglim/measure/ima_pieces.h"
#include "tools/diglim/measure/json_sequence.h"

namespace diglim {
namespace {

using nlohmann::json;

constexpr mode_t kLogMode = 0600;        // as systemd makes it
constexpr char kStateSeparator[] = "@";  // between the name of a variant and the number of its state

// IMA extends each bank with the hash of the same data.
Result<json> digests_of(const ImaEvent& event) {
  json digests = json::array();
  for (const HashAlgo bank : {HashAlgo::kSha1, HashAlgo::kSha256, HashAlgo::kSha384, HashAlgo::kSha512}) {
    TRY_ASSIGN(const Bytes digest, template_digest(event, bank));
    digests.push_back({{"hashAlg", std::string(hash_name(bank))}, {"digest", to_hex(digest)}});
  }
  return digests;
}

bool is_manifest(const ImaEvent& event) {
  return event.template_name == "ima-ng" && event.path.starts_with(kManifestPathPrefix);
}

std::string component(json records) {
  return json({{"records", std::move(records)}}).dump() + "\n";
}

Result<size_t> count_own(std::string_view log, unsigned pcr) {
  TRY_ASSIGN(const auto records, read_json_sequence(log));
  size_t count = 0;
  for (const json& record : records) {
    const auto type = record.find("content_type");
    const auto number = record.find("pcr");
    if (type != record.end() && *type == kOwnContentType && number != record.end() && *number == pcr) ++count;
  }
  return count;
}

struct Made {
  PcrlockComponents components;
  unsigned pcr = 0;
};

Result<Made> predicted_components(const OptionParser& app, PcrlockOptions& options) {
  TRY_ASSIGN(const Predicted predicted, predict(app, options.predict));
  const Bytes log = predicted.prediction.log();
  TRY_ASSIGN(const auto events, read_ima_log(log));
  TRY_ASSIGN(PcrlockComponents components, make_components(events, predicted.pcr, true));
  return Made{std::move(components), predicted.pcr};
}

// The log says which register, so no initramfs has to be unpacked: boots wait for this.
Result<Made> measured_components(const OptionParser& app, const PcrlockOptions& options) {
  TRY_ASSIGN(const ImaPieces pieces, read_ima_pieces(options.log));
  const std::vector<ImaEvent>& events = pieces.events;
  const auto manifest = std::ranges::find_if(events, is_manifest);
  if (manifest == events.end() && !options.predict.pcr)
    return unsupported("DIGLIM measured nothing at this boot: measure = on in its configuration");
  const unsigned pcr = options.predict.pcr ? *options.predict.pcr : manifest->pcr;
  TRY_ASSIGN(const auto manifests, read_manifests(app, options.manifests));
  TRY(check_events(events, pcr, manifests));
  // What was opened on the way here needs no state more.
  TRY_ASSIGN(PcrlockComponents components, make_components(events, pcr, false));
  return Made{std::move(components), pcr};
}

// Of a boot that was told before, and had more of them.
Result<void> remove_other_states(const std::string& folder, const std::string& variant,
                                 const std::vector<std::string>& written) {
  TRY_ASSIGN(const auto names, list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    if (!name.starts_with(variant + kStateSeparator) || std::ranges::find(written, path) != written.end())
      continue;
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + escape(path), errno);
  }
  return {};
}

// The files.
Result<std::vector<std::string>> write_components(const PcrlockOptions& options,
                                                  const PcrlockComponents& made) {
  const std::string folder = options.components + "/" + kComponent + ".pcrlock.d";
  TRY(make_folder(options.components));
  TRY(make_folder(folder));
  std::vector<std::string> written;
  const auto write = [&](const std::string& suffix, const std::string& content) -> Result<void> {
    const std::string path = folder + "/" + options.variant + suffix + ".pcrlock";
    TRY(write_file_atomically(path, as_bytes(content), 0644));
    written.push_back(path);
    return {};
  };
  TRY(write("", made.whole));
  for (size_t i = 0; i < made.states.size(); ++i)
    TRY(write(kStateSeparator + std::to_string(i + 1), made.states[i]));
  TRY(remove_other_states(folder, options.variant, written));
  return written;
}

// As systemd-pcrextend(8) asks for: whoever reads or writes the log holds its lock.
Result<void> append_records(const PcrlockOptions& options, unsigned pcr) {
  // Where systemd measured nothing, its folder is not there.
  if (const size_t slash = options.records.rfind('/'); slash != std::string::npos && slash > 0)
    TRY(make_folder(options.records.substr(0, slash)));
  TRY_ASSIGN(const Fd fd, open_file(options.records, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, kLogMode));
  if (flock(fd.get(), LOCK_EX) != 0) return from_errno("lock " + escape(options.records), errno);
  TRY_ASSIGN(const ImaPieces pieces, read_ima_pieces(options.log));
  TRY_ASSIGN(const Bytes present, read_open_file(fd, options.records, kMaxSystemdLogBytes));
  const auto records = make_records(pieces.events, pcr, as_text(present));
  if (!records) return with_context(escape(options.records), records.error());
  return write_bytes(fd, options.records, as_bytes(*records));
}

}  // namespace

Result<PcrlockComponents> make_components(const std::vector<ImaEvent>& events, unsigned pcr,
                                          bool with_states) {
  PcrlockComponents made;
  json records = json::array();
  bool booted = false;
  for (const ImaEvent& event : events) {
    if (event.pcr != pcr) continue;
    if (booted && with_states) made.states.push_back(component(records));
    TRY_ASSIGN(json digests, digests_of(event));
    records.push_back({{"pcr", pcr}, {"digests", std::move(digests)}});
    booted = booted || is_manifest(event);
  }
  made.whole = component(std::move(records));
  return made;
}

Result<void> check_events(const std::vector<ImaEvent>& events, unsigned pcr,
                          const std::vector<Bytes>& manifests) {
  const auto refuse = [](const ImaEvent& event, const std::string& why) {
    return Error{ErrorCode::kUntrusted, 0,
                 "no components of this boot: " + escape(event.path) + " was measured, " + why +
                     "; reboot, and see diglim pcr explain"};
  };
  bool booted = false;
  for (const ImaEvent& event : events) {
    if (event.pcr != pcr || (event.path == kBootAggregate && !booted && !event.violation)) continue;
    if (event.violation || !is_manifest(event)) return refuse(event, "which is on no digest list");
    const auto algo = hash_from_name(event.algo);
    if (!algo) return refuse(event, "by a hash that is not known");
    const Bytes* content = nullptr;
    for (const Bytes& manifest : manifests) {
      TRY_ASSIGN(const Bytes digest, hash(*algo, {manifest}));
      if (as_text(digest) == as_text(event.digest)) content = &manifest;
    }
    if (content == nullptr) return refuse(event, "and nobody has its content");
    const auto manifest = read_manifest(*content);
    if (!manifest) return refuse(event, "which is none: " + manifest.error().message);
    if (manifest->kind == ManifestKind::kMonitor)
      return refuse(event, "so what is unknown could run (monitor mode)");
    if (!booted && manifest->kind != ManifestKind::kBoot) return refuse(event, "before DIGLIM started");
    booted = true;
  }
  if (!booted) return unsupported("this boot has no manifest in PCR " + std::to_string(pcr));
  return {};
}

Result<std::string> make_records(const std::vector<ImaEvent>& events, unsigned pcr,
                                 std::string_view present) {
  TRY_ASSIGN(size_t before, count_own(present, pcr));
  std::string text;
  for (const ImaEvent& event : events) {
    if (event.pcr != pcr) continue;
    if (before > 0) {
      --before;
      continue;
    }
    TRY_ASSIGN(json digests, digests_of(event));
    const json record = {{"pcr", pcr},
                         {"digests", std::move(digests)},
                         {"content_type", kOwnContentType},
                         {"content", {{"path", escape(event.path)}}}};
    text += kRecordSeparator + record.dump() + "\n";
  }
  return text;
}

void add_pcrlock_options(OptionParser& app, PcrlockOptions& options) {
  options.components = "/var/lib/pcrlock.d";
  options.variant = "generated";
  options.manifests = kRunFolder;
  options.records = kSystemdLog;
  add_predict_options(app, options.predict);
  app.add_option("--components", options.components,
                 "write the components below this directory (default: /var/lib/pcrlock.d)");
  app.add_option("--variant", options.variant,
                 "under this name, beside others such as that of the next boot (default: generated)");
  app.add_option("--log", options.log,
                 "the IMA log of the boot, or each of its pieces, oldest first (default: this one's)")
      .one_value_each();
  app.add_flag("--measured", options.measured,
               "components of what it measured, if these are manifests only: after updates since the boot");
  app.add_option("--manifests", options.manifests,
                 "with --measured: where its manifests are (default: /run/diglim)");
  app.add_option("--records", options.records,
                 "append what it measured to this log (default: /run/log/systemd/tpm2-measure.log)");
  app.add_flag("--json", options.json, "print the files' names as JSON");
  app.add_flag("--no-records", options.no_records, "append nothing: for another machine or the next boot");
}

int write_pcrlock(const OptionParser& app, PcrlockOptions& options) {
  if (options.variant.empty() || options.variant.find('/') != std::string::npos ||
      options.variant[0] == '.' || options.variant.find(kStateSeparator) != std::string::npos)
    return fail(app, kExitUsage, "--variant: a file name without @ is expected");
  const auto made = options.measured ? measured_components(app, options) : predicted_components(app, options);
  if (!made) return fail(app, made.error());
  const auto written = write_components(options, made->components);
  if (!written) return fail(app, written.error());
  if (!options.no_records) {
    const auto appended = append_records(options, made->pcr);
    if (!appended) return fail(app, appended.error());
  }
  if (options.json) {
    fmt::print("{}\n", json({{"pcr", made->pcr}, {"components", *written}}).dump());
  } else {
    for (const std::string& path : *written) fmt::print("{}\n", path);
  }
  return kExitOk;
}

}  // namespace diglim
