// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/explain.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <numeric>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/tcg/event_log.h"
#include "lib/tpm/tpm.h"
#include "tools/diglim/measure/differences.h"
#include "tools/diglim/measure/ima_pieces.h"

namespace diglim {
namespace {

constexpr std::string_view kManifestName = "manifest.";
constexpr size_t kMaxLines = 20;  // of one code

// All that was read of the boot; `boot` has views into it.
struct Logs {
  ImaPieces ima;
  std::vector<Bytes> manifests;
  std::optional<Bytes> firmware;
  std::string systemd;
  MeasuredBoot boot;
};

struct Explained {
  Comparison comparison;
  std::optional<Bytes> held;  // what the register holds, if somebody said it
  unsigned pcr = 0;
  HashAlgo bank = HashAlgo::kSha256;
};

bool is_there(const char* path) {
  return access(path, F_OK) == 0 || errno != ENOENT;
}

// Of two logs an error says which one it is about.
Result<Bytes> read_firmware_log(const std::string& path, HashAlgo bank) {
  auto log = read_stream(path, kMaxEventLogBytes);
  const auto read = log ? replay_event_log(*log, bank) : Result<PcrBank>(log.error());
  if (read) return log;
  return read.error().sys_errno != 0 ? read.error() : with_context(escape(path), read.error());
}

Result<Logs> read_logs(const OptionParser& app, ExplainOptions& options, bool live, HashAlgo bank) {
  Logs logs;
  TRY_ASSIGN(logs.ima, read_ima_pieces(options.log));
  logs.boot.events = std::move(logs.ima.events);
  TRY_ASSIGN(logs.manifests, read_manifests(app, options.manifests));
  logs.boot.manifests.assign(logs.manifests.begin(), logs.manifests.end());
  if (live && options.event_log.empty() && is_there(kFirmwareLog)) options.event_log = kFirmwareLog;
  if (options.event_log.empty()) options.event_log = options.predict.event_log;
  if (!options.event_log.empty()) {
    TRY_ASSIGN(logs.firmware, read_firmware_log(options.event_log, bank));
  }
  if (live && is_there(kSystemdLog)) {
    TRY_ASSIGN(logs.systemd, read_text_file(kSystemdLog, kMaxSystemdLogBytes));
  }
  return logs;
}

// What the prediction begins with if nobody said it: what this boot began with. Then only what IMA measured
// can be another.
void take_beginning(const OptionParser& app, ExplainOptions& options, const Logs& logs) {
  PredictOptions& predict = options.predict;
  if (predict.event_log.empty()) predict.event_log = options.event_log;
  if (!predict.event_log.empty() || !predict.boot_aggregate.empty() || predict.from_tpm) return;
  const auto& events = logs.boot.events;
  const auto first = std::find_if(events.begin(), events.end(),
                                  [](const ImaEvent& event) { return event.path == kBootAggregate; });
  if (first == events.end() || first->violation) return;
  predict.boot_aggregate = to_hex(first->digest);
  predict.boot_template = first->template_name;
  if (predict.pcr.value_or(kImaPcr) == kImaPcr)
    complain(app.name(), "boot_aggregate is taken as it was measured; --event-log compares it");
}

// More may have been measured since the TPM was asked.
Result<void> cut_to(ByteView held, unsigned pcr, HashAlgo bank, MeasuredBoot& boot) {
  TRY_ASSIGN(const auto values, values_of(pcr, bank, boot));
  const auto found = std::find_if(values.rbegin(), values.rend(),
                                  [&](const Bytes& value) { return as_text(value) == as_text(held); });
  if (found == values.rend() || found == values.rbegin()) return {};
  size_t left = static_cast<size_t>(values.rend() - found) - 1;
  std::erase_if(boot.events, [&](const ImaEvent& event) {
    if (event.pcr != pcr) return false;
    if (left == 0) return true;
    --left;
    return false;
  });
  return {};
}

Result<void> compare_logs(const ExplainOptions& options, const Logs& logs, Explained& result) {
  if (!logs.firmware || options.predict.event_log == options.event_log) return {};
  TRY_ASSIGN(const Bytes wanted, read_firmware_log(options.predict.event_log, result.bank));
  TRY_ASSIGN(const auto predicted, firmware_extends(wanted, result.bank));
  TRY_ASSIGN(const auto measured, firmware_extends(*logs.firmware, result.bank));
  std::vector<unsigned> pcrs = {result.pcr};
  if (result.pcr == kImaPcr) {  // boot_aggregate is over these
    pcrs.resize(kImaPcr);
    std::iota(pcrs.begin(), pcrs.end(), 0);
  }
  auto found = compare_before_ima(predicted, measured, pcrs);
  auto& all = result.comparison.differences;
  all.insert(all.begin(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  return {};
}

Result<Explained> explain(const OptionParser& app, ExplainOptions& options) {
  const bool live = options.log.empty();
  TRY_ASSIGN(const HashAlgo bank, parse_bank(options.predict.bank));
  std::optional<Tpm> tpm;
  if (live && options.value.empty()) {
    TRY_ASSIGN(tpm, Tpm::open(options.predict.tcti));
  }
  std::map<unsigned, Bytes> registers;
  if (tpm) {
    std::vector<unsigned> all(kPcrCount);
    std::iota(all.begin(), all.end(), 0);
    TRY_ASSIGN(registers, tpm->read_pcrs({bank, all}));  // before the log, which only grows
  }
  TRY_ASSIGN(Logs logs, read_logs(app, options, live, bank));
  take_beginning(app, options, logs);
  TRY_ASSIGN(const Predicted predicted, predict(app, options.predict));
  Explained result;
  result.pcr = predicted.pcr;
  result.bank = bank;
  logs.boot.start = predicted.prediction.start();
  if (logs.firmware) {
    TRY_ASSIGN(const PcrBank before, replay_event_log(*logs.firmware, bank));
    logs.boot.start = before.value(result.pcr);
  }
  if (tpm) result.held = registers.at(result.pcr);
  if (!options.value.empty()) {
    TRY_ASSIGN(result.held, from_hex(options.value));
    if (result.held->size() != hash_size(bank))
      return invalid("--value: a register of this bank has " + std::to_string(hash_size(bank)) + " bytes");
  }
  if (result.held) TRY(cut_to(*result.held, result.pcr, bank, logs.boot));
  TRY_ASSIGN(result.comparison, compare(predicted.prediction, result.pcr, bank, logs.boot));
  TRY(compare_logs(options, logs, result));
  if (result.held && *result.held != result.comparison.measured) {
    TRY_ASSIGN(const auto systemd, systemd_extends(logs.systemd, bank));
    TRY_ASSIGN(Difference other, explain_register(*result.held, result.pcr, bank, logs.boot, systemd));
    result.comparison.differences.push_back(std::move(other));
  }
  return result;
}

bool is_equal(const Explained& explained) {
  return explained.comparison.measured == explained.comparison.predicted &&
         explained.held.value_or(explained.comparison.measured) == explained.comparison.measured;
}

void print_json(const Explained& explained) {
  JsonWriter json;
  json.begin_object().key("equal").value(is_equal(explained));
  json.key("pcr").value(uint64_t{explained.pcr}).key("bank").value(hash_name(explained.bank));
  json.key("predicted").value(to_hex(explained.comparison.predicted));
  json.key("measured").value(to_hex(explained.comparison.measured));
  if (explained.held) json.key("held").value(to_hex(*explained.held));
  json.key("differences").begin_array();
  for (const Difference& difference : explained.comparison.differences) {
    json.begin_object().key("code").value(difference.code);
    json.key("extend").value(uint64_t{difference.extend}).key("name").value(difference.name);
    json.key("text").value(difference.text).end_object();
  }
  json.end_array().end_object();
  fmt::print("{}\n", json.text());
}

void print_text(const Explained& explained) {
  const std::string name = fmt::format("PCR {} ({})", explained.pcr, hash_name(explained.bank));
  if (is_equal(explained)) {
    fmt::print("{} is as predicted: {}\n", name, to_hex(explained.comparison.predicted));
  } else {
    fmt::print("{} is not as predicted\n", name);
    fmt::print("  predicted {}\n", to_hex(explained.comparison.predicted));
    fmt::print("  measured  {}\n", to_hex(explained.comparison.measured));
    if (explained.held && *explained.held != explained.comparison.measured)
      fmt::print("  the TPM's {}\n", to_hex(*explained.held));
  }
  std::map<std::string, size_t> counts;
  for (const Difference& difference : explained.comparison.differences) {
    if (++counts[difference.code] <= kMaxLines)
      fmt::print("{}: {}: {}\n",
                 difference.extend == 0 ? "before IMA" : fmt::format("extend {}", difference.extend),
                 difference.code, difference.text);
  }
  for (const auto& [code, count] : counts) {
    if (count > kMaxLines) fmt::print("and {} more of {} (--json has all)\n", count - kMaxLines, code);
  }
}

// A prediction that cannot be made is no difference.
int fail_to_explain(const OptionParser& app, const Error& error) {
  return fail(app, error.code == ErrorCode::kInvalid ? kExitUsage : kExitEnvironment, error.message);
}

}  // namespace

Result<std::vector<Bytes>> read_manifests(const OptionParser& app, const std::string& folder) {
  std::vector<Bytes> manifests;
  const auto names = list_folder(folder);
  if (!names && names.error().code == ErrorCode::kNotFound) return manifests;
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!name.starts_with(kManifestName)) continue;
    auto content = read_file(folder + "/" + name, kMaxManifestBytes);
    if (content)
      manifests.push_back(*std::move(content));
    else
      complain(app.name(), content.error().message);
  }
  return manifests;
}

void add_explain_options(OptionParser& app, ExplainOptions& options) {
  options.manifests = kRunFolder;
  add_predict_options(app, options.predict);
  app.add_option(
         "--log", options.log,
         "the IMA log of the boot, or each of its pieces, oldest first (default: this one's, and what "
         "the TPM holds)")
      .one_value_each();
  app.add_option("--manifests", options.manifests, "where its manifests are (default: /run/diglim)");
  app.add_option("--measured-event-log", options.event_log,
                 "its firmware log (default: this boot's; with --log that of --event-log)");
  app.add_option("--value", options.value, "what the PCR holds, in hexadecimal (default: ask the TPM)");
  app.add_flag("--json", options.json, "print JSON");
}

int explain_pcr(const OptionParser& app, ExplainOptions& options) {
  const auto explained = explain(app, options);
  if (!explained) return fail_to_explain(app, explained.error());
  options.json ? print_json(*explained) : print_text(*explained);
  return is_equal(*explained) ? kExitOk : kExitRejected;
}

}  // namespace diglim
