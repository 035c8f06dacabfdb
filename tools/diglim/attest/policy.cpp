// SPDX-License-Identifier: Apache-2.0
// `diglim attest policy` and `keylime-policy`: what a verifier shall accept, from a reference system.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "lib/attest/fleet_policy.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/rpm/version.h"
#include "tools/diglim/attest/verbs.h"
#include "tools/diglim/changing.h"
#include "tools/diglim/written.h"

namespace diglim {
namespace {

using nlohmann::json;

constexpr unsigned kKeylimePcr = 10;  // config.IMA_PCR in keylime/config.py: it looks at no other

struct Options {
  PredictOptions predict;
  std::string output = "-";
  std::string into;
  std::string machine;
  bool any_list = false;
  bool minimum_versions = false;
  bool json = true;
};

void add_minimum(VerifierPolicy& policy, const ManifestList& list) {
  const auto package = rpm::split_nevra(list.package);
  if (!package) return;
  std::string& minimum = policy.accepted->minimum_versions[package->name];
  // Of several versions at once (kernels) the oldest must still do.
  if (minimum.empty() || rpm::compare_evr(package->evr, minimum) < 0) minimum = package->evr;
}

Result<VerifierPolicy> make_policy(const OptionParser& app, Options& options) {
  TRY_ASSIGN(const Reference reference, read_reference(app, options.predict));
  TRY_ASSIGN(const Predicted predicted, predict(app, options.predict));
  const ManifestBoot& boot = reference.boot.boot;
  VerifierPolicy policy;
  policy.pcr = predicted.pcr;
  policy.bank = predicted.bank;
  policy.modes = {boot.mode};
  policy.loaders = {{boot.loader_hash}};
  policy.ima_policies = {{boot.policy_hash}};
  policy.programs.emplace();
  for (const ManifestProgram& program : boot.programs) (*policy.programs)[program.name] = {program.hash};
  policy.keys.emplace();
  for (const ManifestKey& key : boot.keys) policy.keys->insert(key.fingerprint);
  for (const ManifestDenyList& list : reference.boot.deny_lists)
    policy.minimum_serials[list.name] = list.serial;
  policy.weak_hashes = {boot.weak_hashes.begin(), boot.weak_hashes.end()};
  if (!options.any_list) policy.accepted->lists.emplace();
  for (const ManifestList& list : predicted.prediction.lists()) {
    if (policy.accepted->lists) policy.accepted->lists->insert(list.hash);
    if (options.minimum_versions) add_minimum(policy, list);
  }
  for (const PredictedEvent& event : predicted.prediction.events()) {
    if (event.path == "boot_aggregate") policy.boot_aggregates.insert(event.file_digest);
  }
  return policy;
}

// The policy; or the one that is there, with this system as one of its machines.
// `lock`: what is to live until it was written.
Result<std::string> policy_text(const OptionParser& app, Options& options, Fd& lock) {
  TRY_ASSIGN(const VerifierPolicy policy, make_policy(app, options));
  if (options.into.empty()) return write_policy(policy);
  if (options.machine.empty() || escape(options.machine) != options.machine)
    return invalid("--machine: a name of printable UTF-8 is wanted, as the bundles of that machine give it");
  TRY_ASSIGN(lock, open_to_change(options.into));
  TRY_ASSIGN(const Bytes fleet, read_open_file(lock, options.into, kMaxPolicyBytes));
  auto text = write_machine(as_text(fleet), options.machine, policy);
  if (!text) return with_context(escape(options.into), text.error());
  return text;
}

// The runtime policy of version 1: RUNTIME_POLICY_SCHEMA in keylime/ima/ima.py,
// docs/user_guide/runtime_ima.rst. On a machine with DIGLIM the log holds manifests only, so their digests
// are the whole policy.
Result<std::string> make_keylime_policy(const OptionParser& app, Options& options) {
  TRY_ASSIGN(const Predicted predicted, predict(app, options.predict));
  if (predicted.pcr != kKeylimePcr)
    return unsupported("Keylime looks at PCR 10 only, and this system measures into another");
  json digests = json::object();
  for (const PredictedEvent& event : predicted.prediction.events())
    digests[event.path] = {to_hex(event.file_digest)};
  const json policy = {
      {"meta", {{"version", 1}, {"generator", 0}}},
      {"release", 0},
      {"digests", digests},
      {"excludes", json::array()},
      {"keyrings", json::object()},
      {"ima", {{"ignored_keyrings", json::array()}, {"log_hash_alg", "sha1"}, {"dm_policy", nullptr}}},
      {"ima-buf", json::object()},
      {"verification-keys", ""}};
  return policy.dump(2) + "\n";
}

}  // namespace

void add_policy_commands(OptionParser& app, Subcommands& commands) {
  auto options = std::make_shared<Options>();
  OptionParser* policy = app.add_subcommand("policy", "verifier: what to accept, from a reference system");
  add_predict_options(*policy, options->predict);
  policy->add_option("-o,--output", options->output, "file to write (default: stdout)");
  policy->add_flag("--json", options->json, "print JSON, as it does anyway");
  policy->add_flag("--any-list", options->any_list, "accept every list that the keys signed, not only these");
  policy->add_flag("--minimum-versions", options->minimum_versions, "refuse packages older than these");
  const Option into = policy->add_option(
      "--into", options->into, "this policy, with the differences of this system as a machine of it");
  const Option machine =
      policy->add_option("--machine", options->machine, "with --into: the name of that machine");
  into.needs(machine);
  machine.needs(into);
  commands.emplace_back(policy, [&app, options] {
    Fd lock;
    const auto made = policy_text(app, *options, lock);
    if (!made) return fail(app, made.error());
    const auto written = write_output(options->output, as_bytes(*made), 0644);
    return written ? kExitOk : fail(app, written.error());
  });

  auto keylime = std::make_shared<Options>();
  OptionParser* runtime = app.add_subcommand("keylime-policy", "the same as a runtime policy for Keylime");
  add_predict_options(*runtime, keylime->predict);
  runtime->add_option("-o,--output", keylime->output, "file to write (default: stdout)");
  runtime->add_flag("--json", keylime->json, "print JSON, as it does anyway");
  commands.emplace_back(runtime, [&app, keylime] {
    const auto made = make_keylime_policy(app, *keylime);
    if (!made) return fail(app, made.error());
    const auto written = write_output(keylime->output, as_bytes(*made), 0644);
    return written ? kExitOk : fail(app, written.error());
  });
}

}  // namespace diglim
