// SPDX-License-Identifier: Apache-2.0
// diglim.so: rpm's hooks. Hands headers over, decides nothing, and never fails: rpm's own outcome is the same
// with and without it. diglim-rpm-plugin(8) is its manual.
//
// Architecture, one line a hook:
//   tsm_pre   outside of the chroot: opens all that is needed, reads the headers of all new packages from
//   their
//             files as rpm itself does to verify them, and has their lists written and published at once
//   psm_pre   a new package that could not be read then: now, before its files land
//   tsm_post  asks the rpm database what is installed now; what is not loses its list
// The other hooks are not used: psm_post REMOVED comes before an upgrade as well as after it.
#include <rpm/rpmcallback.h>
#include <rpm/rpmio.h>
#include <rpm/rpmlog.h>
#include <unistd.h>

#include <exception>
#include <memory>
#include <set>
#include <utility>

#include "lib/crypto/hash.h"
#include "lib/digest_list/package_list.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/installed/transaction.h"
#include "lib/librpm/files_in_place.h"
#include "lib/librpm/header_reader.h"
#include "lib/librpm/librpm.h"
#include "rpm-plugin/rpm_plugin_abi.h"

namespace diglim {
namespace {

// The bound that the manual states: so long, and for each package so much longer, rpm may wait for the
// loader.
constexpr int kBudget_ms = 30'000;
constexpr int kBudgetPerPackage_ms = 100;

// Between tsm_pre and tsm_post of one transaction.
struct State {
  std::unique_ptr<Transaction> transaction;
  std::set<rpmte> handed_over;
  std::set<std::string> names;  // of the packages that come or go
  // dnf5 shows nobody what is said before the first package, so it waits until then.
  bool holds = false;
  std::vector<std::string> held;
};

void warn(const std::string& message) {
  rpmlog(RPMLOG_WARNING, "diglim: %s\n", message.c_str());
}

void say_held(State& state) {
  for (const std::string& message : std::exchange(state.held, {})) warn(message);
  state.holds = false;
}

PackageHeader from_header(Header header) {
  const InstalledPackage package = read_header(header);
  return {package.nvra, make_rpm_list(package.region, package.packets)};
}

std::string nvra_of(rpmte te) {
  std::string name;
  for (const char* part : {rpmteN(te), "-", rpmteV(te), "-", rpmteR(te), ".", rpmteA(te)})
    name += part != nullptr ? part : "";
  return name;
}

bool is_incoming(rpmte te) {
  return rpmteType(te) == TR_ADDED && rpmteIsSource(te) == 0;  // source packages are unpacked, not installed
}

// Opens and closes the package through the caller's callback, just as rpm did an instant ago to verify it
// (verifyPackageFiles() in lib/transaction.c). nullopt: not now; its psm_pre will have the header.
std::optional<PackageHeader> from_package_file(rpmts ts, rpmte te) {
  const auto file = static_cast<FD_t>(rpmtsNotify(ts, te, RPMCALLBACK_INST_OPEN_FILE, 0, 0));
  if (file == nullptr) return std::nullopt;
  std::optional<PackageHeader> package;
  const int fd = Fileno(file);
  const off_t begin = fd < 0 ? -1 : lseek(fd, 0, SEEK_CUR);
  if (begin >= 0) {
    auto list = list_of_package(fd, begin, nvra_of(te));
    if (list) {
      package = PackageHeader{list->nvra, std::move(list->list)};
    } else if (list.error().code == ErrorCode::kUntrusted) {
      package = PackageHeader{nvra_of(te), list.error()};
    }
  }
  (void)rpmtsNotify(ts, te, RPMCALLBACK_INST_CLOSE_FILE, 0, 0);
  return package;
}

// Reads from the database what is there, whatever rpm's keyring thinks of it.
class Database {
 public:
  explicit Database(rpmts ts) : ts_(ts), flags_(rpmtsVSFlags(ts)) {
    (void)rpmtsSetVSFlags(ts, flags_ | kUnverified);
  }
  ~Database() { (void)rpmtsSetVSFlags(ts_, flags_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool is_open() const { return rpmtsGetRdb(ts_) != nullptr; }

  std::vector<PackageHeader> all() const { return read(RPMDBI_PACKAGES, nullptr, 0); }
  std::vector<PackageHeader> named(const std::string& name) const {
    return read(RPMDBI_NAME, name.c_str(), name.size());
  }

 private:
  std::vector<PackageHeader> read(rpmDbiTagVal index, const void* key, size_t size) const {
    std::vector<PackageHeader> packages;
    const RpmIteratorPtr found(rpmtsInitIterator(ts_, index, key, size));
    while (Header header = found ? rpmdbNextIterator(found.get()) : nullptr) {
      PackageHeader package = from_header(header);
      if (!package.nvra.starts_with("gpg-pubkey-")) packages.push_back(std::move(package));
    }
    return packages;
  }

  rpmts ts_;
  rpmVSFlags flags_;
};

// Whose this key is, from rpm's keyring, where dnf has put it by now.
std::string name_of_key(rpmts ts, const std::string& id) {
  const Database database(ts);
  const std::string provided = "gpg(" + id + ")";
  const RpmIteratorPtr found(rpmtsInitIterator(ts, RPMDBI_PROVIDENAME, provided.c_str(), provided.size()));
  Header header = found ? rpmdbNextIterator(found.get()) : nullptr;
  return header != nullptr ? header_text(header, RPMTAG_PACKAGER) : "";
}

std::string loader_option(rpmPlugin plugin) {
  constexpr std::string_view kOption = "--loader=";
  const char* options = rpmPluginOpts(plugin);
  std::string_view text = options != nullptr ? options : "";
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (word.starts_with(kOption)) return std::string(word.substr(kOption.size()));
    warn("unknown option in the macro __transaction_diglim; it knows --loader=PATH only");
  }
  return {};
}

void begin_transaction(rpmPlugin plugin, rpmts ts, State& state) {
  state = State();
  state.holds = true;
  // A database that an unprivileged user keeps for himself says nothing about the machine.
  if ((rpmtsFlags(ts) & (RPMTRANS_FLAG_TEST | RPMTRANS_FLAG_BUILD_PROBS)) != 0 || geteuid() != 0) return;
  (void)hash(HashAlgo::kSha256, {});  // libcrypto reads its configuration here, not later in a chroot
  TransactionSetup setup;
  setup.loader = loader_option(plugin);
  setup.budget_ms = kBudget_ms + kBudgetPerPackage_ms * rpmtsNElements(ts);
  setup.root = rpmtsRootDir(ts) != nullptr ? rpmtsRootDir(ts) : "/";
  setup.dbpath = configured_dbpath();
  setup.name_of_key = [ts](const std::string& id) { return name_of_key(ts, id); };
  const auto installed = [ts] { return with_list(Database(ts).all()); };
  const auto files = std::make_shared<FilesInPlace>(setup.root, installed);
  const auto say = [&state](const std::string& message) {
    if (state.holds)
      state.held.push_back(message);
    else
      warn(message);
  };
  state.transaction = std::make_unique<Transaction>(std::move(setup), say,
                                                    [files](ByteView list) { return files->needs(list); });

  const Database database(ts);
  std::vector<PackageHeader> incoming;
  std::vector<std::string> outgoing;
  const RpmElementsPtr elements(rpmtsiInit(ts));
  while (rpmte te = rpmtsiNext(elements.get(), 0)) {
    if (rpmteN(te) != nullptr) state.names.insert(rpmteN(te));
    if (is_incoming(te)) {
      auto package = from_package_file(ts, te);
      if (!package) continue;
      incoming.push_back(std::move(*package));
      state.handed_over.insert(te);
    } else if (rpmteType(te) == TR_REMOVED) {
      outgoing.push_back(nvra_of(te));
    }
  }
  const bool wants_all = state.transaction->wants_all() && database.is_open();
  state.transaction->begin(std::move(incoming), outgoing,
                           wants_all ? database.all() : std::vector<PackageHeader>());
}

void add_element(State& state, rpmte te) {
  say_held(state);
  if (!state.transaction || !is_incoming(te) || !state.handed_over.insert(te).second) return;
  const RpmHeaderPtr header(rpmteHeader(te));
  if (header) state.transaction->add(from_header(header.get()));
}

void end_transaction(rpmts ts, State& state) {
  say_held(state);
  if (!state.transaction) return;
  const Database database(ts);
  // Without the database nobody knows what is installed: the journal stays.
  if (!database.is_open()) return warn("the rpm database is closed; run: diglim repair");
  std::vector<PackageHeader> installed;
  if (state.transaction->wants_all()) {
    installed = database.all();
  } else {
    for (const std::string& name : state.names) {
      for (PackageHeader& package : database.named(name)) installed.push_back(std::move(package));
    }
  }
  state.transaction->finish(std::move(installed));
  state = State();
}

// librpm is C: nothing may be thrown through it, and nothing here is worth failing a transaction for.
template <typename Action>
rpmRC safely(Action action) {
  try {
    action();
  } catch (const std::exception& error) {
    rpmlog(RPMLOG_WARNING, "diglim: %s; run: diglim repair\n", error.what());
  } catch (...) {
    rpmlog(RPMLOG_WARNING, "diglim: unknown error; run: diglim repair\n");
  }
  return RPMRC_OK;
}

State* state_of(rpmPlugin plugin) {
  return static_cast<State*>(rpmPluginGetData(plugin));
}

rpmRC on_init(rpmPlugin plugin, rpmts) {
  return safely([&] { rpmPluginSetData(plugin, new State()); });
}
void on_cleanup(rpmPlugin plugin) {
  (void)safely([&] {
    const std::unique_ptr<State> last(state_of(plugin));
    if (last) say_held(*last);
    rpmPluginSetData(plugin, nullptr);
  });
}
rpmRC on_tsm_pre(rpmPlugin plugin, rpmts ts) {
  return safely([&] {
    if (State* state = state_of(plugin)) begin_transaction(plugin, ts, *state);
  });
}
rpmRC on_psm_pre(rpmPlugin plugin, rpmte te) {
  return safely([&] {
    if (State* state = state_of(plugin)) add_element(*state, te);
  });
}
rpmRC on_tsm_post(rpmPlugin plugin, rpmts ts, int) {
  return safely([&] {
    if (State* state = state_of(plugin)) end_transaction(ts, *state);
  });
}

constexpr rpmPluginHooks_s make_hooks() {
  rpmPluginHooks_s hooks = {};
  hooks.init = on_init;
  hooks.cleanup = on_cleanup;
  hooks.tsm_pre = on_tsm_pre;
  hooks.tsm_post = on_tsm_post;
  hooks.psm_pre = on_psm_pre;
  return hooks;
}

}  // namespace
}  // namespace diglim

extern "C" {
// librpm looks it up by this name and never writes to it, but its type is not const.
__attribute__((visibility("default"))) rpmPluginHooks_s diglim_hooks = diglim::make_hooks();
}
