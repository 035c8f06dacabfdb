// SPDX-License-Identifier: Apache-2.0
// `diglim-loader verify`: what the loader would make of a file. Needs no kernel support and no privilege.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/signed_deny_list.h"
#include "loader/options.h"
#include "loader/verbs.h"
#include "policy/command_line.h"
#include "policy/config.h"

namespace diglim {
namespace {

constexpr char kHelp[] =
    "Usage: diglim-loader verify [--keys DIR] [--revoked DIR] [--allow-hash NAME]... [--json] FILE...\n\n"
    "Checks signed digest lists (RPM packages, RPM header lists, compact lists) and changes nothing. Needs\n"
    "neither root nor an active DIGLIM.\n\n"
    "  --keys DIR         trusted keys, OpenPGP or X.509 (default /etc/diglim/keys)\n"
    "  --revoked DIR      deny lists (default /etc/diglim/revoked; none with --keys)\n"
    "  --allow-hash NAME  let signatures with a weak hash count: md5, sha1 or rmd160\n"
    "  --json             one JSON array in place of a line per file\n"
    "  -h, --help         show this\n\n"
    "Exit status: 0 all are OK, 1 one was rejected, 2 usage, 3 the keys could not be read.\n";

struct Options {
  std::string keys = kKeysFolder;
  std::string revoked;
  SignaturePolicy policy;
  bool json = false;
};

Result<Options> read_options(const CommandLine& line) {
  Options options;
  for (const auto& [name, value] : line.options) {
    if (name == "keys") options.keys = value;
    if (name == "revoked") options.revoked = value;
    if (name == "json") options.json = true;
    if (name != "allow-hash") continue;
    const auto algo = hash_from_name(value);
    const bool weak = algo == HashAlgo::kMd5 || algo == HashAlgo::kSha1 || algo == HashAlgo::kRipemd160;
    if (!weak) return invalid("--allow-hash " + escape(value, 64) + ": not one of md5, sha1, rmd160");
    options.policy.allowed_weak_hashes.push_back(*algo);
  }
  const bool own_keys = options.keys == kKeysFolder;
  if (own_keys && options.revoked.empty()) options.revoked = kRevokedFolder;
  return options;
}

// "23 digests (sha256)"; of several algorithms each: "1 digest (md5), 2 digests (sha256)".
std::string describe_digests(const DigestList& list) {
  std::string text;
  for (const auto& [algo, bytes] : list.digests) {
    const size_t count = list.count(algo);
    if (!text.empty()) text += ", ";
    text += std::to_string(count) + (count == 1 ? " digest (" : " digests (") + std::string(hash_name(algo)) +
            ")";
  }
  if (list.undigested > 0) return "no digests of its " + std::to_string(list.undigested) + " files";
  return text.empty() ? "no digests" : text;
}

void print_line(const std::string& file, const Result<DigestList>& result, HashAlgo kernel) {
  std::string line = escape(file) + ": ";
  if (result) {
    line += "OK, " + (result->name.empty() ? "compact list" : escape(result->name)) + ", signed by " +
            result->signer + ", " + describe_digests(*result);
    if (const std::string text = result->not_counted(kernel); !text.empty()) line += "; WARNING: " + text;
    if (result->revoked > 0)
      line += "; WARNING: " + std::to_string(result->revoked) + " of its digests are revoked";
  } else {
    line += "REJECTED, " + result.error().message;
  }
  printf("%s\n", line.c_str());
}

void add_json(JsonWriter& json, const std::string& file, const Result<DigestList>& result, HashAlgo kernel) {
  json.begin_object().key("file").value(file).key("ok").value(result.has_value());
  if (result) {
    json.key("format").value(format_name(result->format));
    json.key("name").value(result->name).key("signer").value(result->signer);
    json.key("digests").begin_object();
    for (const auto& [algo, bytes] : result->digests)
      json.key(hash_name(algo)).value(uint64_t{result->count(algo)});
    json.end_object();
    if (result->revoked > 0) json.key("revoked").value(uint64_t{result->revoked});
    if (const std::string text = result->not_counted(kernel); !text.empty()) json.key("warning").value(text);
  } else {
    json.key("reason").value(result.error().message);
  }
  json.end_object();
}

// Those that this process may use; sysconf(3) would open a file to count all.
size_t processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? static_cast<size_t>(CPU_COUNT(&set)) : 1;
}

using Verdicts = std::vector<std::optional<Result<DigestList>>>;

// On all processors: each takes the next file. Not std::thread, which throws where a limit allows no other.
Verdicts verify_files(std::span<const std::string> files, const TrustStore& trust) {
  Verdicts verdicts(files.size());
  std::atomic<size_t> next = 0;
  auto share = [&] {
    for (size_t i = next++; i < files.size(); i = next++)
      verdicts[i] = verify_digest_list_file(files[i], trust);
  };
  const auto start = [](void* work) -> void* { return (*static_cast<decltype(share)*>(work))(), nullptr; };
  std::vector<pthread_t> helpers(std::min(processors(), files.size()) - 1);
  size_t started = 0;
  while (started < helpers.size() && pthread_create(&helpers[started], nullptr, start, &share) == 0)
    ++started;
  share();
  while (started > 0) (void)pthread_join(helpers[--started], nullptr);  // cannot fail: it runs
  return verdicts;
}

}  // namespace

int run_verify(int argc, char** argv) {
  const CommandLine line = parse_command_line(
      argc, argv,
      {kHelp, "file", {{"keys", true}, {"revoked", true}, {"allow-hash", true}, {"json", false}}});
  if (line.exit >= 0) return line.exit;
  const auto options = read_options(line);
  if (!options) return usage_error("verify", options.error().message);
  auto trust = TrustStore::from_folder(options->keys, options->policy);
  if (!trust) {
    (void)fprintf(stderr, "diglim-loader verify: keys in %s: %s\n", escape(options->keys).c_str(),
                  trust.error().message.c_str());
    return kExitEnvironment;
  }

  for (const std::string& reason : trust->left_out()) {
    (void)fprintf(stderr, "diglim-loader verify: left out: %s/%s; no key of it counts\n",
                  escape(options->keys).c_str(), reason.c_str());
  }

  if (!options->revoked.empty()) {
    const auto denied = read_deny_lists(options->revoked, *trust);
    const auto complain = [](const Error& error) {
      (void)fprintf(stderr, "diglim-loader verify: left out: %s; what it revokes is still trusted\n",
                    error.message.c_str());
    };
    if (!denied) complain(denied.error());
    if (denied) std::ranges::for_each(denied->left_out, complain);
  }

  const auto kernel_line = read_stream("/proc/cmdline", 1 << 16);
  const HashAlgo kernel = ima_hash(kernel_line ? as_text(*kernel_line) : std::string_view());
  bool all_ok = true;
  JsonWriter json;
  json.begin_array();
  constexpr size_t kTogether = 256;  // so that not all lists are in memory
  for (std::span<const std::string> files = line.operands; !files.empty();) {
    const auto some = files.first(std::min(files.size(), kTogether));
    const Verdicts verdicts = verify_files(some, *trust);
    for (size_t i = 0; i < some.size(); ++i) {
      const Result<DigestList>& result = *verdicts[i];
      all_ok = all_ok && result.has_value();
      if (options->json) {
        add_json(json, some[i], result, kernel);
      } else {
        print_line(some[i], result, kernel);
      }
    }
    files = files.subspan(some.size());
  }
  if (options->json) printf("%s\n", json.end_array().text().c_str());
  // A verdict that nobody could read is none.
  if (fflush(stdout) != 0 || ferror(stdout) != 0) {
    (void)fprintf(stderr, "diglim-loader verify: cannot write the result\n");
    return kExitEnvironment;
  }
  return all_ok ? kExitOk : kExitRejected;
}

}  // namespace diglim
