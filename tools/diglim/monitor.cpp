// SPDX-License-Identifier: Apache-2.0
// The verb `monitor`: for a time what is unknown runs, and is logged. See diglim-monitor(1). The loader
// decides whether it may; this makes, signs and hands over the statement.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/cms/appended_signature.h"
#include "lib/monitor/statement.h"
#include "tools/diglim/allow/when.h"
#include "tools/diglim/monitor/standing.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/run_command.h"
#include "tools/signer.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr std::string_view kTool = "diglim monitor";
constexpr size_t kMaxStatement = 64u << 10;

struct Options {
  std::string length;
  std::string reason;
  std::string within = "1h";
  std::string signed_file;
  Signer signer;
  std::string input;
  std::string output = "-";
  std::string loader;
  bool json = false;
  Written written;  // request, sign
};

int fail(const Error& error) {
  complain(kTool, error.message);
  const bool environment = error.code == ErrorCode::kIo || error.code == ErrorCode::kNotFound;
  return environment ? kExitEnvironment : kExitRejected;
}

int usage(std::string_view message) {
  complain(kTool, message);
  return kExitUsage;
}

std::string loader_of(const Options& options) {
  if (!options.loader.empty()) return options.loader;
  return access(kBootLoader, X_OK) == 0 ? kBootLoader : kInstalledLoader;
}

Result<monitor::Standing> ask(const Options& options) {
  TRY_ASSIGN(const CommandResult done, run_command({loader_of(options), "status", "--json"}, Errors::kShow));
  if (done.status != kExitOk)
    return Error{ErrorCode::kIo, 0,
                 "the loader does not say how it is, so nothing was begun; diglim doctor says what is wrong"};
  return monitor::read_standing(done.output);
}

Result<Bytes> make_statement(const Options& options, uint64_t seconds, uint64_t within) {
  TRY_ASSIGN(const monitor::Standing now, ask(options));
  MonitorStatement statement;
  statement.boot = now.boot;
  statement.number = static_cast<uint32_t>(now.times + 1);
  statement.seconds = static_cast<uint32_t>(std::min<uint64_t>(seconds, UINT32_MAX));
  statement.before = now.boot_seconds + within;
  statement.reason = options.reason;
  return write_monitor_statement(statement);
}

// Only what is a statement: whoever has the key must not sign another thing by it.
Result<Bytes> sign(ByteView statement, const Options& options) {
  TRY_ASSIGN(const MonitorStatement what, read_monitor_statement(statement));
  TRY_ASSIGN(const Signer signer, named_signer(options.signer));
  fmt::print(stderr, "for boot {}, number {}: {} s, because: {}\n", what.boot, what.number, what.seconds,
             what.reason);
  TRY_ASSIGN(const Bytes signature,
             sign_cms(statement, signer.key, signer.certificate, passphrase_of(signer)));
  return append_signature(statement, signature, SignatureType::kPkcs7);
}

// The statement, and what it says.
int write_file(Options& options, const Result<Bytes>& statement, const Result<Bytes>& file) {
  if (!statement) return fail(statement.error());
  if (!file) return fail(file.error());
  const auto what = read_monitor_statement(*statement);
  if (!what) return fail(what.error());
  if (const auto written = write_output(options.output, *file, 0644); !written) return fail(written.error());
  JsonWriter& json = options.written.more();
  json.key("boot").value(what->boot).key("number").value(uint64_t{what->number});
  json.key("seconds").value(uint64_t{what->seconds}).key("reason").value(what->reason);
  options.written.print();
  return kExitOk;
}

int show(const Options& options) {
  const auto standing = ask(options);
  if (!standing) return fail(standing.error());
  if (!options.json) {
    fmt::print("{}", monitor::describe(*standing));
    return kExitOk;
  }
  JsonWriter json;
  json.begin_object().key("on").value(standing->left > 0).key("left").value(standing->left);
  json.key("reason").value(standing->reason).key("times").value(standing->times);
  json.key("allowed").value(standing->allowed).end_object();
  fmt::print("{}\n", json.text());
  return kExitOk;
}

int run_loader(const Options& options, std::vector<std::string> words) {
  words.insert(words.begin(), {loader_of(options), "monitor"});
  const auto done = run_command(words, Errors::kShow);
  if (!done) return fail(done.error());
  if (options.json && done->status == kExitOk) return show(options);
  fmt::print("{}", done->output);
  return done->status;
}

// With a key at hand the statement is made, signed and used at once.
int begin_signed(const Options& options, uint64_t seconds) {
  const auto statement = make_statement(options, seconds, 300);
  if (!statement) return fail(statement.error());
  const auto file = sign(*statement, options);
  if (!file) return fail(file.error());
  std::error_code error;
  std::string path = (std::filesystem::temp_directory_path(error) / "diglim-monitor.XXXXXX").string();
  const Fd made(mkstemp(path.data()));
  if (error || !made) return fail(from_errno("create " + escape(path), errno));
  const auto written = write_file_atomically(path, *file, 0600);
  const int status = written ? run_loader(options, {"--statement", path}) : fail(written.error());
  (void)unlink(path.c_str());  // it counts once, and is used
  return status;
}

int begin(const Options& options, uint64_t seconds) {
  if (!options.signed_file.empty()) return run_loader(options, {"--statement", options.signed_file});
  if (names_any(options.signer)) return begin_signed(options, seconds);
  return run_loader(options, {"--for", std::to_string(seconds), "--reason", options.reason});
}

int request(Options& options, uint64_t seconds) {
  const auto within = allow::parse_duration(options.within);
  if (!within) return usage(within.error().message);
  if (const auto good = options.written.begin(options.output); !good) return usage(good.error().message);
  const auto statement = make_statement(options, seconds, *within);
  return write_file(options, statement, statement);
}

int sign_file(Options& options) {
  if (const auto good = options.written.begin(options.output); !good) return usage(good.error().message);
  const auto statement = read_file(options.input, kMaxStatement);
  return write_file(options, statement, statement ? sign(*statement, options) : statement);
}

void add_wish(OptionParser& app, Options& options) {
  app.add_option("--for", options.length, "how long: 30m, 8h; at most 8h");
  app.add_option("--reason", options.reason, "why; in the log, in the status, and measured");
}

void add_key(OptionParser& app, Options& options) {
  app.add_option("-k,--key", options.signer.key, "private key that signs (PEM; default: $DIGLIM_KEY)");
  app.add_option("-c,--certificate", options.signer.certificate,
                 "its certificate (default: $DIGLIM_CERTIFICATE)");
  app.add_option("--passphrase-file", options.signer.passphrase_file,
                 "first line: the key's pass phrase (default: $DIGLIM_PASSPHRASE, else asks)");
}

}  // namespace

int run_monitor(int argc, char** argv) {
  Options options;
  OptionParser app(
      "Lets what is unknown run for a time, and logs it; without options says what is left of it.", argv[0]);
  OptionParser* const requested =
      app.add_subcommand("request", "the statement that a trusted key has to sign, for this boot");
  OptionParser* const signing = app.add_subcommand("sign", "sign such a statement, on any machine");
  OptionParser* const ended = app.add_subcommand("end", "end it now");
  add_wish(app, options);
  add_wish(*requested, options);
  add_key(app, options);
  add_key(*signing, options);
  app.add_option("--signed", options.signed_file, "begin with this signed statement");
  for (OptionParser* const one : {&app, ended})
    one->add_flag("--json", options.json, "print JSON: how it is then");
  requested->add_option("--within", options.within, "in which time it may begin (default: 1h)");
  for (OptionParser* const one : {requested, signing}) {
    one->add_option("-o,--output", options.output, "write to this file (default: standard output)");
    options.written.add_option(*one);
  }
  (void)signing->add_option("FILE", options.input, "what `request` wrote").required();
  for (OptionParser* const one : {&app, requested, ended})
    one->add_option("--loader", options.loader, "program to run in place of diglim-loader");
  if (const auto status = app.parse(argc, argv)) return *status;
  if (signing->parsed()) return sign_file(options);
  if (ended->parsed()) return run_loader(options, {"--end"});
  const bool wishes = !options.length.empty() || !options.reason.empty();
  if (!requested->parsed() && !wishes && options.signed_file.empty()) return show(options);
  if (wishes != options.signed_file.empty() || (wishes && (options.length.empty() || options.reason.empty())))
    return usage("--for TIME and --reason TEXT, or --signed FILE; try --help");
  // Neither in silence without what was named.
  const bool keyed = !requested->parsed() && names_any(options.signer);
  if (keyed && !options.signed_file.empty())
    return usage(
        "--signed FILE has its signature already: leave out the key (-k, -c, DIGLIM_KEY and "
        "DIGLIM_CERTIFICATE)");
  if (keyed && !named_signer(options.signer))
    return usage(
        "a key and its certificate belong together: name both (-k KEY -c CERTIFICATE, or DIGLIM_KEY and "
        "DIGLIM_CERTIFICATE), or neither");
  uint64_t seconds = 0;
  if (wishes) {
    const auto parsed = allow::parse_duration(options.length);
    if (!parsed) return usage(parsed.error().message);
    for (const auto& good : {check_monitor_seconds(*parsed), check_monitor_reason(options.reason)})
      if (!good) return usage(good.error().message);
    seconds = *parsed;
  }
  return requested->parsed() ? request(options, seconds) : begin(options, seconds);
}

}  // namespace diglim
