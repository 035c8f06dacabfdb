// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/audit/evidence.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "policy/boot_trust.h"
#include "tools/diglim/key/keys.h"
#include "tools/diglim/setup/recorded_host.h"

namespace diglim::audit {
namespace {

using nlohmann::json;

constexpr size_t kMaxKeyBytes = 1u << 20;
// What of the kernel's command line decides how strong DIGLIM is.
constexpr std::string_view kParameters[] = {
    "rdinit=", "init=",    "diglim.",    "-p",        "lsm=",    "security=", "ima",     "evm",  "lockdown=",
    "module.", "selinux=", "enforcing=", "apparmor=", "sysctl.", "tpm",       "bpf_jit", "kexec"};

uint64_t changed_at(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_mtim.tv_sec) : 0;
}

Document boot_parameters(const Host& host) {
  Document words = Document::array();
  const std::string line = host.command_line();
  for (const std::string_view word : split_words(line)) {
    if (std::ranges::any_of(kParameters, [&](auto begin) { return word.starts_with(begin); }))
      words.push_back(word);
  }
  return words;
}

std::string os_name(const Host& host) {
  const std::string release = host.text("/etc/os-release").value_or("");
  constexpr std::string_view kName = "PRETTY_NAME=";
  const size_t at = release.starts_with(kName) ? 0 : release.find("\n" + std::string(kName));
  if (at == std::string::npos) return "";
  const size_t begin = release.find('=', at) + 1;
  std::string_view name = std::string_view(release).substr(begin, release.find('\n', begin) - begin);
  if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
  return std::string(name);
}

Document key_entry(const key::KeyInfo& info, const Facts& facts, const std::string& file) {
  const json& in_force = member(facts.status, "fingerprints");
  const std::string name = info.kind + ":" + info.fingerprint;
  Document entry = {{"fingerprint", name},        {"who", info.who},           {"created", info.created},
                    {"expires", info.expires},    {"unusable", info.unusable}, {"origin", file},
                    {"changed", changed_at(file)}};
  if (in_force.is_array()) {
    bool found = false;
    for (const json& one : in_force) found = found || one == json(name);
    entry["in_force"] = found;
  }
  for (const json& one : member(facts.status, "granted_keys")) {
    if (text(one, "fingerprint") == name) entry["granted_by"] = text(one, "signer");
  }
  return entry;
}

// Those on the disk, each with whether it is in force; then those in force that no file has any more.
void add_keys(const std::string& root, const Facts& facts, Document& out) {
  Document keys = Document::array();
  Document unread = Document::array();
  std::vector<std::string> seen;
  const std::string folder = root + kKeysFolder;
  const auto names = list_folder(folder);
  if (!names) unread.push_back(names.error().message);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (name.starts_with('.')) continue;
    const std::string path = folder + "/" + name;
    const auto content = read_file(path, kMaxKeyBytes);
    const auto infos =
        content ? key::read_keys(*content) : Result<std::vector<key::KeyInfo>>(content.error());
    if (!infos) {
      unread.push_back(escape(name) + ": " + infos.error().message);
      continue;
    }
    for (const key::KeyInfo& info : *infos) {
      keys.push_back(key_entry(info, facts, path));
      seen.push_back(info.kind + ":" + info.fingerprint);
    }
  }
  for (const json& one : member(facts.status, "fingerprints")) {
    if (!one.is_string() || std::ranges::count(seen, one.get<std::string>()) > 0) continue;
    keys.push_back({{"fingerprint", one}, {"origin", "in the kernel; its file is gone"}, {"in_force", true}});
  }
  out["keys"] = std::move(keys);
  out["unread_keys"] = std::move(unread);
}

Document lists(const std::string& root, const Facts& facts) {
  Document out = Document::object();
  std::map<std::string, uint64_t> by_signer;
  uint64_t idle = 0;
  const json& status = facts.status;
  const json& loaded = member(status, "lists");
  for (const json& list : loaded) {
    ++by_signer[text(list, "signer")];
    idle += number(list, "digests") == 0 ? 1 : 0;
  }
  if (facts.is_active()) {
    out["in_force"] = count(status, "lists");
    out["give_nothing"] = idle;
    out["by_signer"] = Document::array();
    for (const auto& [signer, count] : by_signer)
      out["by_signer"].push_back({{"signer", signer}, {"lists", count}});
  }
  uint64_t files = 0;
  uint64_t newest_at = 0;
  std::string newest;
  const auto names = list_folder(root + kListsFolder);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (name.starts_with('.')) continue;
    ++files;
    const uint64_t at = changed_at(root + kListsFolder + "/" + name);
    if (at <= newest_at) continue;
    newest_at = at;
    newest = name;
  }
  out["files"] = files;
  out["newest"] = newest;
  out["newest_changed"] = newest_at;
  return out;
}

void add_exceptions(const Facts& facts, Document& out) {
  std::vector<std::string> loaded;
  for (const json& list : member(facts.status, "lists")) loaded.push_back(text(list, "name"));
  std::ranges::sort(loaded);
  Document all = Document::array();
  for (const allow::Exception& one : facts.exceptions) {
    Document entry = {{"list", one.list},
                      {"paths", one.paths},
                      {"files", one.files},
                      {"sha256", one.digest},
                      {"signer", one.signer},
                      {"owner", one.owner},
                      {"reason", one.reason},
                      {"by", one.by},
                      {"made", one.made},
                      {"until", one.end.until},
                      {"over", allow::is_over(one.end, facts.clock)}};
    if (facts.is_active()) entry["in_force"] = std::ranges::binary_search(loaded, one.list);
    all.push_back(std::move(entry));
  }
  out["exceptions"] = std::move(all);
  out["damaged_exceptions"] = facts.damaged;
  out["exceptions_fault"] = facts.exceptions_fault;
}

// The register that IMA extends, as the kernel reads it from the TPM.
Document tpm(const Host& host, const Config& config) {
  const std::string bank = "sha256";
  const auto value = host.text(fmt::format("/sys/class/tpm/tpm0/pcr-{}/{}", bank, config.pcr), 1000);
  if (!value) return nullptr;
  std::string small = *value;
  std::ranges::transform(small, small.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return {{"pcr", config.pcr}, {"bank", bank}, {"value", small}};
}

}  // namespace

Document evidence(const Host& host, const std::string& root, const Facts& facts) {
  const json& status = facts.status;
  Document out = {{"format", kEvidenceFormat},
                  {"version", facts.version},
                  {"made", facts.clock.now},
                  {"host",
                   {{"name", host.text("/proc/sys/kernel/hostname").value_or("")},
                    {"machine_id", host.text("/etc/machine-id").value_or("")},
                    {"system", os_name(host)},
                    {"kernel", facts.kernel},
                    {"boot_id", facts.clock.boot_id},
                    {"booted", facts.booted_at},
                    {"command_line", boot_parameters(host)}}}};
  // When monitor mode was begun the log says, not the status.
  const bool since_boot = facts.is_active() && facts.mode != "monitor";
  out["mode"] = {{"name", facts.mode}, {"since", since_boot ? facts.booted_at : 0}, {"fault", facts.fault}};
  if (facts.is_active()) {
    out["mode"]["measuring"] = truth(status, "measuring");
    if (const json& monitor = member(status, "monitor"); monitor.is_object())
      out["monitor"] = {{"allowed", text(monitor, "allowed")},
                        {"left", number(monitor, "left")},
                        {"times", number(monitor, "times")},
                        {"reason", text(monitor, "reason")}};
    out["generation"] = {{"number", number(status, "generation")},
                         {"loaded", number(status, "loaded_at")},
                         {"digests", number(status, "digests")},
                         {"algorithm", text(status, "algorithm")}};
    out["events"] = member(status, "events");
    out["deny_lists"] = member(status, "deny_lists");
  }
  add_keys(root, facts, out);
  out["lists"] = lists(root, facts);
  add_exceptions(facts, out);
  Config config;
  (void)read_config(root, host.command_line(), config);  // doctor says what is wrong with it
  out["tpm"] = tpm(host, config);
  out["changed"] = {{"configuration", changed_at(root + kConfigFile)},
                    {"keys", changed_at(root + kKeysFolder)},
                    {"lists", changed_at(root + kListsFolder)},
                    {"loader", changed_at(root + "/usr/sbin/diglim-loader")},
                    {"setup", changed_at(root + setup::kRecordPath)}};
  return out;
}

Document findings(const doctor::Findings& findings) {
  Document all = Document::array();
  for (const doctor::Finding& one : findings) {
    all.push_back({{"id", one.id},
                   {"level", doctor::level_name(one.level)},
                   {"what", one.what},
                   {"next", one.next},
                   {"items", one.items},
                   {"count", one.count}});
  }
  return all;
}

}  // namespace diglim::audit
