// SPDX-License-Identifier: Apache-2.0
// The verb `allow`: exceptions, each with who, why and until when. See diglim-allow(1).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "policy/boot_trust.h"
#include "tools/diglim/allow/apply.h"
#include "tools/diglim/allow/denied.h"
#include "tools/diglim/allow/make.h"
#include "tools/diglim/allow/store.h"
#include "tools/diglim/allow/wait.h"
#include "tools/diglim/explain/open.h"
#include "tools/diglim/host.h"
#include "tools/diglim/mount_rules.h"
#include "tools/diglim/verbs.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using allow::Exception;
using allow::Store;

constexpr std::string_view kTool = "diglim allow";

struct Options {
  allow::MakeOptions make;
  std::string root;  // without a slash at its end
  std::string loader;
  std::string length;
  std::string date;
  std::string event;
  std::vector<std::string> names;  // to remove
  bool wait = false;
  bool json = false;
  bool quiet = false;
};

int fail(const std::string& message, int status) {
  complain(kTool, message);
  return status;
}

// What the loader of the next boot, and of this one, will say of it.
std::string standing(const Store& store, const Exception& one, const Result<TrustStore>& trust) {
  const auto bytes = read_digest_list_file(store.list_path(one.list));
  if (!bytes) return bytes.error().code == ErrorCode::kNotFound ? "its list is gone" : bytes.error().message;
  if (!trust) return "the trusted keys cannot be read: " + trust.error().message;
  const auto list = verify_digest_list(*bytes, *trust);
  return list ? "" : "does not count: " + list.error().message;
}

Result<TrustStore> trust_of(const std::string& root) {
  TRY_ASSIGN(const Config config, read_config_file(root));
  return read_keys(root, config);
}

void put_json(JsonWriter& json, const Exception& one, std::string_view fault, bool is_over) {
  json.begin_object().key("list").value(one.list).key("paths").begin_array();
  for (const std::string& path : one.paths) json.value(path);
  json.end_array().key("files").value(one.files);
  json.key("sha256").value(one.digest).key("signer").value(one.signer);
  if (!one.content.empty()) json.key("content").value(one.content);  // of one that is made; no record has it
  json.key("owner").value(one.owner).key("reason").value(one.reason).key("by").value(one.by);
  json.key("made").value(one.made).key("until").value(one.end.until);
  json.key("over").value(is_over).key("fault").value(fault).end_object();
}

void print_exception(const Exception& one, std::string_view fault, bool is_over) {
  fmt::print("{}\n  {} file{}: {}\n", escape(one.list), one.files, one.files == 1 ? "" : "s",
             one.paths.empty() ? "?" : one.paths.front() + (one.paths.size() > 1 ? ", ..." : ""));
  fmt::print("  {}{}, made {} by {}\n", allow::end_text(one.end), is_over ? " (over)" : "",
             allow::time_text(one.made), one.by);
  if (!one.owner.empty()) fmt::print("  owner: {}\n", one.owner);
  if (!one.reason.empty()) fmt::print("  reason: {}\n", one.reason);
  if (!fault.empty())
    fmt::print("  {}; remove it, or allow the file anew: diglim allow remove {}\n", fault, escape(one.list));
}

int list(const Options& options) {
  const auto store = Store::open(options.root, false);
  if (!store) return fail(store.error().message, kExitEnvironment);
  const auto contents = store->read();
  if (!contents) return fail(contents.error().message, kExitEnvironment);
  const auto trust = trust_of(options.root);
  const allow::Clock clock = allow::read_clock();
  JsonWriter json;
  json.begin_array();
  bool good = contents->damaged.empty();
  for (const Exception& one : contents->exceptions) {
    const std::string fault = standing(*store, one, trust);
    const bool is_over = allow::is_over(one.end, clock);
    good = good && fault.empty();
    if (options.json)
      put_json(json, one, fault, is_over);
    else
      print_exception(one, fault, is_over);
  }
  if (options.json)
    fmt::print("{}\n", json.end_array().text());
  else if (contents->exceptions.empty())
    fmt::print("no exceptions\n");
  for (const std::string& name : contents->damaged)
    complain(kTool, fmt::format("the record of {} is missing or damaged; it goes with: diglim allow expire",
                                escape(name)));
  return good ? kExitOk : kExitRejected;
}

// Tells what became of it, in the words of what was asked for. Nothing was done as long as the kernel has not
// followed, and why it has not, the lines say.
int finish(const Options& options, const allow::Applied& applied, std::string_view done) {
  for (const std::string& line : applied.lines) complain(kTool, line);
  if (applied.status == kExitOk && !options.quiet && !done.empty() && !options.json)
    fmt::print("{}{}\n", done, applied.when);
  return applied.status;
}

void print_withdrawn(const std::vector<std::string>& lists, const allow::Applied& applied) {
  JsonWriter json;
  json.begin_object().key("withdrawn").begin_array();
  for (const std::string& list : lists) json.value(list);
  json.end_array().key("followed").value(applied.status == kExitOk).end_object();
  fmt::print("{}\n", json.text());
}

// Nothing is left but a message if that fails.
std::optional<int> withdraw(const Options& options, const Store& store, const std::vector<std::string>& lists,
                            allow::Applied& applied) {
  // Until the kernel has followed, the service tries again. Without systemd there is none.
  if (options.root.empty() && !options.wait) (void)allow::restart_waiting();
  const auto removed = store.remove(lists, [&] {
    applied = allow::apply(options.root, options.loader, {});
    return applied.status == kExitOk;
  });
  if (!removed) return fail(removed.error().message, kExitEnvironment);
  return std::nullopt;
}

int remove(const Options& options) {
  const auto store = Store::open(options.root, true);
  if (!store) return fail(store.error().message, kExitEnvironment);
  const auto contents = store->read();
  if (!contents) return fail(contents.error().message, kExitEnvironment);
  std::vector<std::string> lists;
  for (const std::string& name : options.names) {
    std::error_code error;
    const std::string path = escape(std::filesystem::absolute(name, error).lexically_normal().string());
    const size_t before = lists.size();
    for (const Exception& one : contents->exceptions) {
      if (one.list == name || std::ranges::count(one.paths, path) > 0) lists.push_back(one.list);
    }
    if (std::ranges::count(contents->damaged, name) > 0) lists.push_back(name);
    if (lists.size() == before)
      return fail(escape(name) + ": no such exception; nothing was removed (see: diglim allow list)",
                  kExitRejected);
  }
  allow::Applied applied;
  if (const auto status = withdraw(options, *store, lists, applied)) return *status;
  if (options.json) print_withdrawn(lists, applied);
  return finish(options, applied,
                fmt::format("withdrew {} exception{}", lists.size(), lists.size() == 1 ? "" : "s"));
}

// Whether there is anything to end; nothing is made to see that.
bool has_exceptions(const std::string& root) {
  const auto store = Store::open(root, false);
  const auto contents = store ? store->read() : Result<Store::Contents>(store.error());
  return !contents || !contents->exceptions.empty() || !contents->damaged.empty();
}

// Withdraws what is over; `ends` gets when the others are.
int end_what_is_over(const Options& options, std::vector<allow::End>& ends) {
  const auto store = Store::open(options.root, true);
  if (!store) return fail(store.error().message, kExitEnvironment);
  const auto contents = store->read();
  if (!contents) return fail(contents.error().message, kExitEnvironment);
  const allow::Clock clock = allow::read_clock();
  std::vector<std::string> over = contents->damaged;  // until when is not known, so it ends now
  for (const Exception& one : contents->exceptions) {
    if (allow::is_over(one.end, clock) || access(store->list_path(one.list).c_str(), F_OK) != 0)
      over.push_back(one.list);
    else if (one.end.until > 0)
      ends.push_back(one.end);
  }
  allow::Applied applied;
  if (!over.empty()) {
    if (const auto status = withdraw(options, *store, over, applied)) return *status;
  }
  if (options.json && !(options.wait && over.empty())) print_withdrawn(over, applied);
  for (const std::string& one : over) {
    if (!options.quiet && !options.json) fmt::print("its time is over: {}\n", escape(one));
  }
  return finish(options, applied, "");
}

int expire(const Options& options) {
  if (!options.wait && !has_exceptions(options.root)) {
    if (options.json) print_withdrawn({}, {});
    return kExitOk;
  }
  const auto waiter = options.wait ? allow::Waiter::make() : Result<allow::Waiter>(not_found(""));
  if (options.wait && !waiter) return fail(waiter.error().message, kExitEnvironment);
  for (;;) {
    std::vector<allow::End> ends;
    const int status = end_what_is_over(options, ends);
    (void)fflush(stdout);
    if (status != kExitOk || ends.empty()) return status;
    if (!options.wait) {
      if (options.root.empty()) (void)allow::restart_waiting();  // after a boot nobody waits
      return status;
    }
    if (const auto waited = waiter->wait(ends); !waited)
      return fail(waited.error().message, kExitEnvironment);
  }
}

// By one look at the clock.
std::optional<int> read_times(const Options& options, Exception& exception) {
  const allow::Clock clock = allow::read_clock();
  exception.made = clock.now;
  const auto usage = [](const Error& error) { return fail(error.message, kExitUsage); };
  if (!options.length.empty()) {
    const auto seconds = allow::parse_duration(options.length);
    if (!seconds) return usage(seconds.error());
    exception.end = allow::end_after(*seconds, clock);
  } else if (!options.date.empty()) {
    const auto until = allow::parse_date(options.date, clock);
    if (!until) return usage(until.error());
    exception.end.until = *until;
  }
  return std::nullopt;
}

// To allow a content is not enough where nothing may run.
void warn_of_mounts(const std::vector<std::string>& paths) {
  const Host host("/");
  for (const std::string& path : paths) {
    std::error_code error;
    const auto mount = host.mount_of(std::filesystem::canonical(path, error).string());
    const std::string why = mount && !error ? refusal(*mount) : "";
    if (why.empty()) continue;
    complain(kTool, fmt::format("{} still cannot run where it is, on {}: {}; a copy on a local disk can",
                                escape(path), escape(mount->point), escape(why)));
  }
}

// What is allowed is what was read. Where others may write, what lies there may be another content already.
void tell_of_writers(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::error_code error;
    const std::string real = std::filesystem::canonical(path, error).string();
    const auto named = error ? Result<explain::Named>(not_found("")) : explain::find_named("", real);
    if (named && named->only_root) continue;
    fmt::print(
        "  others than root may write to {}: allowed is what was read just now, and nothing that they make "
        "of it\n",
        escape(path));
  }
}

int make(Options& options) {
  Exception exception;
  if (const auto status = read_times(options, exception)) return *status;
  const auto trust = trust_of(options.root);
  if (!trust) return fail("the trusted keys cannot be read: " + trust.error().message, kExitEnvironment);
  options.make.progress = !options.quiet && !options.json;
  auto list = allow::make_exception(options.make, *trust, exception);
  if (!list) return fail(list.error().message + "; nothing was allowed", kExitRejected);
  const auto store = Store::open(options.root, true);
  if (!store) return fail(store.error().message, kExitEnvironment);
  const auto count = store->count();
  if (!count) return fail(count.error().message, kExitEnvironment);
  if (*count >= allow::kMaxExceptions && access(store->list_path(exception.list).c_str(), F_OK) != 0) {
    return fail(
        fmt::format(
            "there are {} exceptions already, and no more than {} may be; nothing was allowed. Remove some "
            "(diglim allow list), or allow a directory as one",
            *count, allow::kMaxExceptions),
        kExitRejected);
  }
  // Before it is in force: whatever ends this in between, the exception ends. The service looks at the
  // exceptions when this has let go of the store.
  const bool timed = exception.end.until > 0 && options.root.empty();
  if (timed && !allow::restart_waiting())
    complain(kTool,
             "no systemd here that withdraws it: run `diglim allow expire` when it is over, or let "
             "`diglim allow expire --wait` run until then");
  if (const auto put = store->put(exception, *list); !put) return fail(put.error().message, kExitEnvironment);
  const allow::Applied applied = allow::apply(options.root, options.loader, exception.list);
  if (options.root.empty()) {
    warn_of_mounts(options.make.files);
    warn_of_mounts(options.make.build);
  }
  if (options.json) {
    JsonWriter json;
    put_json(json, exception, applied.status == kExitOk ? "" : "not in force", false);
    fmt::print("{}\n", json.text());
  }
  const int status = finish(options, applied,
                            fmt::format("allowed {} file{} {}", exception.files,
                                        exception.files == 1 ? "" : "s", allow::end_text(exception.end)));
  if (status != kExitOk)
    complain(kTool, fmt::format("its list is there and not in force; to withdraw it: diglim allow remove {}",
                                escape(exception.list)));
  if (status == kExitOk && !options.quiet && !options.json) {
    fmt::print("  {}\n", escape(exception.list));
    if (!exception.content.empty()) fmt::print("  content: {}\n", exception.content);
    tell_of_writers(options.make.files);
    tell_of_writers(options.make.build);
  }
  return status;
}

}  // namespace

int run_allow(int argc, char** argv) {
  Options options;
  OptionParser app(
      "Allows the content of files on this host, by a signed list, with who, why and until when.", argv[0]);
  OptionParser* const shown = app.add_subcommand("list", "the exceptions that there are");
  OptionParser* const removed =
      app.add_subcommand("remove", "withdraw exceptions; what they allowed is denied at once");
  OptionParser* const expired =
      app.add_subcommand("expire", "withdraw those whose time is over (a service runs this)");
  expired->add_flag("--wait", options.wait, "wait for the end of each, as the service does");
  app.add_option("FILE", options.make.files, "files, or directories with all files below them");
  app.add_option("--build", options.make.build, "a build tree: what is executable in this directory")
      .one_value_each();
  const Option length =
      app.add_option("--for", options.length, "how long: 30m, 8h, 7d, 2w (default: until removed)");
  app.add_option("--until", options.date, "until when: 2026-12-31, or \"2026-12-31 18:00\"").excludes(length);
  app.add_option("--event", options.event,
                 "the file of this denial, with the content that was denied: 3f2a91bc-57, or 57");
  app.add_option("--reason", options.make.reason, "why; kept with it");
  app.add_option("--owner", options.make.owner, "who answers for it; kept with it");
  app.add_option("-k,--key", options.make.key,
                 "key that signs: a PEM file, pkcs11:..., handle:0x... (default: $DIGLIM_KEY)");
  app.add_option("-c,--certificate", options.make.certificate,
                 "its certificate (default: $DIGLIM_CERTIFICATE)");
  app.add_option("--passphrase-file", options.make.passphrase_file,
                 "first line: pass phrase or PIN (default: $DIGLIM_PASSPHRASE, else asks)");
  for (OptionParser* const one : {&app, shown, removed, expired}) {
    one->add_option("-r,--root", options.root, "directory of another system; its kernel is not told");
    if (one != shown) one->add_option("--loader", options.loader, "program to run in place of diglim-loader");
    if (one != shown) one->add_flag("-q,--quiet", options.quiet, "print errors only");
  }
  for (OptionParser* const one : {&app, shown, removed, expired})
    one->add_flag("--json", options.json, "print JSON");
  (void)removed
      ->add_option("NAME", options.names, "a list's name of `allow list`, or a file that was allowed")
      .required();
  if (const auto status = app.parse(argc, argv)) return *status;
  while (options.root.ends_with('/')) options.root.pop_back();
  if (shown->parsed()) return list(options);
  if (removed->parsed()) return remove(options);
  if (options.wait && !options.root.empty())
    return fail("--wait is for this host, not for --root; try --help", kExitUsage);
  if (expired->parsed()) return expire(options);
  if (!options.event.empty()) {
    if (!options.make.files.empty() || !options.make.build.empty() || !options.root.empty())
      return fail("--event names the one file, on this host; try --help", kExitUsage);
    const auto file = allow::denied_file(options.event);
    if (!file) return fail(file.error().message + "; nothing was allowed", kExitRejected);
    options.make.files.push_back(file->path);
    options.make.only = file->digest;
  }
  if (options.make.files.empty() && options.make.build.empty())
    return fail("name a file, or --build DIRECTORY; try --help", kExitUsage);
  return make(options);
}

}  // namespace diglim
