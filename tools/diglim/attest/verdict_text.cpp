// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/attest/verdict_text.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace diglim {

std::string_view status_of(const Verdict& verdict) {
  return verdict.trusted() ? "trusted" : verdict.incomplete() ? "incomplete" : "refused";
}

std::string name_of(const MissingManifest& manifest) {
  return escape(manifest.algo, 64) + ":" + to_hex(manifest.digest);
}

void add_verdict(JsonWriter& json, const Verdict& verdict) {
  json.key("status").value(status_of(verdict));
  json.key("trusted").value(verdict.trusted()).key("authentic").value(verdict.authentic);
  json.key("reasons").begin_array();
  for (const Finding& finding : verdict.findings) {
    json.begin_object()
        .key("code")
        .value(reason_code(finding.reason))
        .key("text")
        .value(finding.text)
        .end_object();
  }
  json.end_array().key("warnings").begin_array();
  for (const std::string& warning : verdict.warnings) json.value(warning);
  json.end_array().key("unknown").begin_array();
  for (const UnknownFile& file : verdict.unknown) {
    json.begin_object().key("path").value(file.path).key("algorithm").value(file.algo);
    json.key("digest").value(to_hex(file.digest)).key("pcr").value(uint64_t{file.pcr});
    json.key("violation").value(file.violation).key("tolerated").value(file.tolerated).end_object();
  }
  json.end_array().key("lacks").begin_array();
  for (const MissingManifest& manifest : verdict.lacks) json.value(name_of(manifest));
  json.end_array();
  if (verdict.not_listed != 0) json.key("not_listed").value(uint64_t{verdict.not_listed});
  if (verdict.authentic) {
    if (!verdict.boot.loader_hash.empty()) json.key("mode").value(mode_name(verdict.boot.mode));
    json.key("lists").value(uint64_t{verdict.lists.size()});
    json.key("events").value(uint64_t{verdict.events}).key("boots").value(uint64_t{verdict.quote.resets});
    json.key("clock_ms").value(verdict.quote.clock_ms);
  }
}

std::string verdict_text(const Verdict& verdict) {
  std::string text;
  if (verdict.trusted()) {
    text = fmt::format("trusted: mode {}, {} digest lists, {} measured events\n",
                       mode_name(verdict.boot.mode), verdict.lists.size(), verdict.events);
  } else if (!verdict.authentic) {
    text = "not trusted: the bundle proves nothing\n";
  } else {
    const size_t problems = verdict.findings.size();
    text = fmt::format("not trusted: the bundle is genuine, and shows {} problem{}\n", problems,
                       problems == 1 ? "" : "s");
  }
  for (const Finding& finding : verdict.findings)
    text += fmt::format("  {}: {}\n", reason_code(finding.reason), finding.text);
  for (const std::string& warning : verdict.warnings) text += fmt::format("  note: {}\n", warning);
  for (const MissingManifest& manifest : verdict.lacks)
    text += fmt::format("  to do: diglim attest quote --send {} on the machine\n", name_of(manifest));
  if (verdict.not_listed != 0) text += fmt::format("  note: {} more are not listed\n", verdict.not_listed);
  return text;
}

}  // namespace diglim
