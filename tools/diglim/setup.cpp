// SPDX-License-Identifier: Apache-2.0
// The verb `setup`. See diglim-setup(1).
#include "tools/diglim/setup/setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <iostream>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "tools/colour.h"
#include "tools/diglim/setup/clean.h"
#include "tools/diglim/setup/command_line.h"
#include "tools/diglim/setup/outlook.h"
#include "tools/diglim/setup/uki.h"
#include "tools/diglim/verbs.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using setup::Options;
using setup::Outlook;
using setup::Plan;
using setup::RecordedHost;
using setup::Report;

constexpr std::string_view kTool = "diglim setup";
constexpr size_t kMaxLineFile = 1u << 16;

struct Request {
  Options options;
  std::string mode;
  std::optional<unsigned> days;  // of --enforce-when-clean
  bool install = false;
  bool watch = false;
  bool defaults = false;
};

void add_common(OptionParser& app, Options& options) {
  app.add_option("--root", options.root, "change the system in this directory instead");
  app.add_flag("--chroot", options.chroot, "with --root: run dracut and the like in it, by chroot");
  app.add_flag("--no-initramfs", options.no_initramfs, "leave the initramfs alone");
  app.add_flag("-y,--yes", options.yes, "do not ask");
  app.add_flag("--dry-run", options.dry_run, "say what would be done, and do nothing");
  app.add_flag("--json", options.json, "print the plan or the result as JSON");
}

std::optional<int> read_options(int argc, char** argv, Request& request) {
  Options& options = request.options;
  OptionParser app("Switches DIGLIM on for the next boots, or off again.", argv[0]);
  app.require_subcommand();
  OptionParser* install =
      app.add_subcommand("install", "switch it on: keys, lists, initramfs, kernel command line");
  OptionParser* uninstall = app.add_subcommand("uninstall", "put everything back as it was");
  OptionParser* watch = app.add_subcommand("watch", "one look whether the host is clean (a timer runs this)");
  add_common(*install, options);
  add_common(*uninstall, options);
  install->add_flag("--default", request.defaults,
                    "enforce, with the keys of rpm's keyring, without questions");
  const Option mode = install->add_option("--mode", request.mode, "enforce (default) or permissive")
                          .one_of({"enforce", "permissive"});
  install
      ->add_option("--enforce-when-clean", request.days,
                   "permissive, until nothing would have been denied for so many days; then enforce")
      .excludes(mode);
  install->add_option("--keys", options.keys,
                      "trust these keys too: a file, or a directory of files; repeatable");
  install->add_flag("--rpm-keys", options.rpm_keys, "trust the keys in rpm's keyring");
  install->add_option("--dbpath", options.dbpath, "directory of the rpm database");
  install->add_flag("--lockdown", options.lockdown, "lockdown=integrity on the kernel command line, too");
  install->add_flag("--no-boot-loader", options.no_boot_loader, "leave the kernel command line alone");
  install->add_flag("--uki", options.uki,
                    "put loader, keys, lists and command line into signed images (Secure Boot)");
  install->add_option("--uki-key", options.uki_key, "with --uki: the key that signs, PEM, for root only");
  install->add_option("--uki-cert", options.uki_cert, "with --uki: its certificate, PEM");
  install->add_option("--uki-cmdline", options.uki_cmdline,
                      "with --uki: the kernel command line, without ours");
  install->add_option("--esp", options.esp, "with --uki: where the EFI system partition is mounted");
  install->add_flag("--enforce-anyway", options.enforce_anyway, "enforce although something would be denied");
  install->add_flag("--skip-scan", options.skip_scan, "do not compare the files on disk with the lists");
  install->add_option("--seconds", options.seconds, "0: as --skip-scan; otherwise without meaning");
  watch->add_option("--root", options.root, "look at the system in this directory instead");
  watch->add_flag("--chroot", options.chroot, "with --root: run grubby and the like in it, by chroot");
  watch->add_option("--loader", options.loader, "program to run in place of diglim-loader");
  watch->add_option("--dbpath", options.dbpath, "directory of the rpm database");
  watch->add_flag("--json", options.json, "print JSON");
  watch->add_option("--seconds", options.seconds, "0: do not compare the files on disk before it enforces");
  if (const auto status = app.parse(argc, argv)) return status;
  request.install = install->parsed();
  request.watch = watch->parsed();
  options.mode = !request.mode.empty() ? request.mode : request.days ? "permissive" : "enforce";
  options.enforce_when_clean = request.days.value_or(0);
  const bool no_days = request.days && (*request.days == 0 || *request.days > setup::kMaxCleanDays);
  if (no_days || (request.days && options.no_boot_loader)) {
    complain(kTool, fmt::format("--enforce-when-clean: 1 to {} days, and not with --no-boot-loader",
                                setup::kMaxCleanDays));
    return kExitUsage;
  }
  const bool uki_words = !options.uki_key.empty() || !options.uki_cert.empty() ||
                         !options.uki_cmdline.empty() || !options.esp.empty();
  if (uki_words && !options.uki) {
    complain(kTool, "--uki-key, --uki-cert, --uki-cmdline and --esp need --uki");
    return kExitUsage;
  }
  if (options.uki && (options.no_boot_loader || options.no_initramfs || request.days)) {
    complain(kTool, "--uki: not with --no-boot-loader, --no-initramfs or --enforce-when-clean");
    return kExitUsage;
  }
  if (request.defaults) options.rpm_keys = options.yes = true;
  if (options.chroot && (options.root.empty() || options.root == "/")) {
    complain(kTool, "--chroot needs --root");
    return kExitUsage;
  }
  return std::nullopt;
}

int fail(const Error& error, std::string_view hint = "") {
  complain(kTool, error.message + std::string(hint));
  return kExitEnvironment;
}

// Before a question, and before what stands against it.
void print_scan(const Outlook& outlook) {
  if (outlook.scan)
    fmt::print("\nWhat would be denied here while DIGLIM enforces:\n{}\n",
               advice_bold(to_text(*outlook.scan, false)));
  (void)std::fflush(stdout);
}

void print_lines(JsonWriter& json, std::string_view key, const std::vector<std::string>& lines) {
  json.key(key).begin_array();
  for (const std::string& line : lines) json.value(line);
  json.end_array();
}

void print_plan_json(const Plan& plan, const Outlook& outlook) {
  JsonWriter json;
  json.begin_object().key("command_line").value(fmt::format("{}", fmt::join(plan.words, " ")));
  print_lines(json, "objections", outlook.against);
  json.key("scan").begin_object().key("done").value(outlook.scan.has_value());
  if (outlook.scan) {
    json.key("files").value(uint64_t{outlook.scan->files}).key("known").value(uint64_t{outlook.scan->known});
    json.key("would_deny").begin_array();
    for (size_t i = 1; i < known::kCauses; ++i) {
      const auto cause = static_cast<known::Cause>(i);
      const size_t count = count_of(*outlook.scan, cause);
      if (count == 0) continue;
      json.begin_object().key("cause").value(known::cause_words(cause).id);
      json.key("count").value(uint64_t{count}).end_object();
    }
    json.end_array();
  }
  json.end_object();
  json.key("steps").begin_array();
  for (const setup::Step& step : plan.steps) {
    std::vector<std::string> files, commands;
    for (const auto& file : step.files) files.push_back(file.path);
    for (const auto& command : step.commands)
      commands.push_back(fmt::format("{}", fmt::join(command.words, " ")));
    json.begin_object().key("id").value(step.id).key("what").value(step.what);
    print_lines(json, "files", files);
    print_lines(json, "commands", commands);
    json.end_object();
  }
  json.end_array().end_object();
  fmt::print("{}\n", json.text());
}

void print_plan(const Plan& plan, const Options& options) {
  fmt::print("The plan:\n");
  size_t number = 0;
  for (const setup::Step& step : plan.steps) {
    fmt::print("  {}. {}\n", ++number, step.what);
    for (const auto& file : step.files) fmt::print("       write {}\n", escape(file.path));
    for (const auto& command : step.commands)
      fmt::print("       run   {}\n", escape(fmt::format("{}", fmt::join(command.words, " "))));
  }
  fmt::print("The kernel command line {}: {}\n",
             options.no_boot_loader ? "is yours to change; it needs" : "gets", fmt::join(plan.words, " "));
  (void)std::fflush(stdout);  // before a question
}

// The exit status, if the answer is no.
std::optional<int> ask(std::string_view question) {
  if (isatty(STDIN_FILENO) != 1) {
    complain(kTool, "nobody to ask; --yes goes on without a question");
    return kExitUsage;
  }
  fmt::print("{} [y/N] ", question);
  (void)std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return std::nullopt;
  fmt::print("nothing was changed\n");
  return kExitRejected;
}

int finish(const Result<Report>& report, const Options& options, std::string_view after,
           std::string_view hint) {
  if (!report) return fail(report.error(), hint);
  if (options.json) {
    JsonWriter json;
    json.begin_object();
    print_lines(json, "done", report->done);
    print_lines(json, "to_do", report->to_do);
    json.end_object();
    fmt::print("{}\n", json.text());
    return kExitOk;
  }
  for (const std::string& line : report->to_do) fmt::print("{}\n", bold("to do: " + line));
  fmt::print("{}\n", after);
  return kExitOk;
}

int install(RecordedHost& host, const Options& options) {
  const auto plan = make_plan(host, options);
  if (!plan) return fail(plan.error(), "; nothing was changed");
  const auto outlook = look_ahead(host, *plan, options);
  if (!outlook) return fail(outlook.error(), "; nothing was changed");
  if (options.dry_run && options.json) {
    print_plan_json(*plan, *outlook);
    return kExitOk;
  }
  if (!options.json) print_plan(*plan, options);
  if (!options.json) print_scan(*outlook);
  for (const std::string& line : outlook->against) fmt::print(stderr, "{}\n", red(line, STDERR_FILENO));
  if (!outlook->against.empty() && options.mode == "enforce" && !options.enforce_anyway) {
    complain(kTool,
             "this machine would not work as before while DIGLIM enforces, for the reasons above; nothing "
             "was changed.\n"
             "  Remove them; or watch first: --mode permissive; or do as you said: --enforce-anyway");
    return kExitRejected;
  }
  if (options.dry_run) return kExitOk;
  if (!options.yes) {
    if (const auto status = ask("Go on?")) return *status;
  }
  return finish(
      carry_out(host, *plan, options), options,
      options.no_boot_loader
          ? fmt::format("DIGLIM starts when the kernel command line has: {}", fmt::join(plan->words, " "))
          : fmt::format("Reboot to switch DIGLIM on ({}). If the machine does not come up, choose {} in the "
                        "boot menu; diglim-setup(1) says more.",
                        options.mode,
                        options.uki ? "\"DIGLIM: the previous image\"" : "\"DIGLIM permissive\""),
      "\n  Until the kernel command line is changed, which is the last step, the machine boots as "
      "before. Correct the\n"
      "  reason and run this again, or: diglim setup uninstall");
}

int uninstall(RecordedHost& host, const Options& options) {
  if (!host.has_record()) {
    if (!options.dry_run) {
      if (auto swept = host.forget(); !swept) return fail(swept.error());
    }
    if (!options.json) fmt::print("nothing to undo: {} is not there\n", setup::kRecordPath);
    if (options.json) fmt::print("{{\"done\":[],\"to_do\":[]}}\n");
    return kExitOk;
  }
  if (!options.json) {
    fmt::print("To be put back:\n");
    for (const auto& file : host.record().files) fmt::print("  {}\n", escape(file.path));
    (void)std::fflush(stdout);
  }
  if (options.dry_run) return kExitOk;
  if (!options.yes) {
    if (const auto status = ask("Go on?")) return *status;
  }
  const auto report = undo(host, options);
  const bool complete = report && report->to_do.empty();
  return finish(report, options,
                fmt::format("{} is as before. DIGLIM stays active until the next reboot.",
                            complete ? "Everything" : "All else"),
                "\n  Correct the reason and run this again: it goes on where it was.");
}

int watch(RecordedHost& host, Options options) {
  const bool as_json = options.json;
  options.json = true;  // one line, about what came of it
  const auto said = watch_once(host, options);
  if (!said) return fail(said.error());
  if (as_json)
    fmt::print("{{\"said\":{}}}\n", json_string(*said));
  else
    fmt::print("{}\n", *said);
  return kExitOk;
}

// For make-uki, and in no help: it has one rule for lines with the rest.
int check_line_of(const char* path) {
  const auto text = read_file(path, kMaxLineFile);
  if (!text) return fail(text.error());
  const auto checked = setup::check_file(as_text(*text));
  return checked ? kExitOk : fail(checked.error());
}

// Likewise: since the images were set up somebody may have put another key there.
int check_key_of(const char* key, const char* certificate) {
  const auto checked = setup::check_uki_key(Host("/"), key, certificate);
  return checked ? kExitOk : fail(checked.error());
}

}  // namespace

int run_setup(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "check-line") return check_line_of(argv[2]);
  if (argc == 4 && std::string_view(argv[1]) == "check-key") return check_key_of(argv[2], argv[3]);
  Request request;
  if (const auto status = read_options(argc, argv, request)) return *status;
  if (geteuid() != 0 && !request.options.dry_run) {
    complain(kTool, "only root may do this; try sudo, or --dry-run");
    return kExitEnvironment;
  }
  auto host = RecordedHost::open(request.options.root, request.options.chroot, !request.options.dry_run);
  if (!host) return fail(host.error(), "; nothing was changed");
  if (request.watch) return watch(*host, request.options);
  return request.install ? install(*host, request.options) : uninstall(*host, request.options);
}

}  // namespace diglim
