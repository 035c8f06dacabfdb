// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/attest/batch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

#include "lib/attest/batch_line.h"
#include "lib/attest/line_stream.h"
#include "lib/base/text.h"
#include "tools/diglim/attest/verdict_text.h"
#include "tools/diglim/measure/options.h"

namespace diglim {
namespace {

struct Judged {
  std::string id;    // escaped
  std::string text;  // with its line feed
  Bytes nonce;       // empty: the line could not be read
  bool trusted = false;
  bool incomplete = false;
};

// The beginning of each result.
void begin(JsonWriter& json, const LineStream::Line& line, const BatchLine& content) {
  json.begin_object().key("line").value(uint64_t{line.number});
  if (!content.id.empty()) json.key("id").value(content.id);
}

std::string render(const LineStream::Line& line, const BatchLine& content, const Verdict& verdict,
                   bool as_json) {
  if (as_json) {
    JsonWriter json;
    begin(json, line, content);
    add_verdict(json, verdict);
    return json.end_object().text() + "\n";
  }
  std::string text =
      fmt::format("{}: {}", content.id.empty() ? fmt::format("line {}", line.number) : escape(content.id),
                  status_of(verdict));
  if (verdict.incomplete()) {
    for (const MissingManifest& manifest : verdict.lacks) text += " " + name_of(manifest);
  } else {
    std::string_view last;  // one code for a thousand unknown files
    for (const Finding& finding : verdict.findings) {
      if (reason_code(finding.reason) == last) continue;
      last = reason_code(finding.reason);
      text += fmt::format(" {}", last);
    }
  }
  return text + "\n";
}

std::string render_unreadable(const LineStream::Line& line, const BatchLine& content,
                              const std::string& reason, bool as_json) {
  if (!as_json)
    return fmt::format("{}: unreadable: {}\n",
                       content.id.empty() ? fmt::format("line {}", line.number) : escape(content.id), reason);
  JsonWriter json;
  begin(json, line, content);
  json.key("status").value("unreadable").key("trusted").value(false).key("error").value(reason).end_object();
  return json.text() + "\n";
}

Judged judge(const LineStream::Line& line, const BatchOptions& options, Verifier& verifier) {
  Judged judged;
  BatchLine content;
  auto read = line.too_long ? invalid("longer than 16 MiB: judge this bundle without --batch")
                            : read_batch_line(line.text, content);
  if (read && options.by_machine && content.id.empty())
    read = invalid("the policy has differences for machines, and this line has no id");
  if (!read) {
    judged.text = render_unreadable(line, content, read.error().message, options.json);
    return judged;
  }
  const Verdict verdict = verifier.verify({content.bundle, content.ak, content.nonce, content.id});
  judged.trusted = verdict.trusted();
  judged.incomplete = verdict.incomplete();
  judged.text = render(line, content, verdict, options.json);
  judged.id = std::move(content.id);
  judged.nonce = std::move(content.nonce);
  return judged;
}

std::vector<Judged> judge_all(const std::vector<LineStream::Line>& lines, const BatchOptions& options,
                              Verifier& verifier) {
  std::vector<Judged> judged(lines.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t at; (at = next.fetch_add(1)) < lines.size();)
      judged[at] = judge(lines[at], options, verifier);
  };
  const size_t processors =
      options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(processors, lines.size()); ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return judged;
}

// Before a verdict is told, its nonce is on the disk. What is incomplete may come again with the same quote.
Result<void> use_nonces(const std::vector<LineStream::Line>& lines, const BatchOptions& options,
                        std::vector<Judged>& judged) {
  std::vector<UsedNonces::Use> uses;
  std::vector<size_t> places;
  for (size_t i = 0; i < judged.size(); ++i) {
    if (judged[i].nonce.empty()) continue;
    uses.push_back({judged[i].nonce, !judged[i].incomplete});
    places.push_back(i);
  }
  TRY_ASSIGN(const std::vector<bool> fresh, options.nonces->use(uses));
  for (size_t i = 0; i < places.size(); ++i) {
    if (fresh[i]) continue;
    Judged& one = judged[places[i]];
    Verdict reused;
    reused.findings.push_back({Reason::kNonceReused, std::string(kNonceReusedText)});
    BatchLine content;
    content.id = one.id;
    one.text = render(lines[places[i]], content, reused, options.json);
    one.trusted = false;
  }
  return {};
}

}  // namespace

int run_batch(const OptionParser& app, const BatchOptions& options, Verifier& verifier) {
  Fd file;
  if (options.stream == "-") {
    file = Fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!file) return fail(app, from_errno("open stdin", errno));
  } else {
    auto opened = open_file(options.stream, O_RDONLY);
    if (!opened) return fail(app, kExitEnvironment, opened.error().message);
    file = *std::move(opened);
  }
  LineStream stream(std::move(file), options.stream, kMaxBatchLineBytes);
  bool any = false;
  bool all_trusted = true;
  for (;;) {
    const auto lines = stream.next();
    if (!lines) return fail(app, lines.error());
    if (lines->empty()) break;
    any = true;
    std::vector<Judged> judged = judge_all(*lines, options, verifier);
    if (options.nonces != nullptr) {
      if (const auto used = use_nonces(*lines, options, judged); !used)
        return fail(app, kExitEnvironment, used.error().message);
    }
    for (const Judged& one : judged) {
      all_trusted = all_trusted && one.trusted;
      fmt::print("{}", one.text);
    }
    if (fflush(stdout) != 0) return fail(app, from_errno("write the results", errno));
  }
  // A stream that broke off before its first line must not pass for a fleet that is well.
  if (!any) return fail(app, kExitRejected, "there is no bundle in " + escape(options.stream));
  return all_trusted ? kExitOk : kExitRejected;
}

}  // namespace diglim
