// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/make.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/host.h"
#include "tools/diglim/scan/files.h"
#include "tools/progress.h"
#include "tools/signed_list.h"
#include "tools/signer.h"
#include "tools/tool.h"

namespace diglim::allow {
namespace {

constexpr size_t kMaxTextBytes = 1000;
constexpr size_t kMaxPaths = 100;  // in the record; the rest are counted

// Who logged in, whatever he became since; else who called sudo; else the user.
std::string who() {
  uint32_t uid = getuid();
  const auto login = read_stream("/proc/self/loginuid", 32);
  const std::string_view text = login ? trim(as_text(*login)) : std::string_view();
  uint32_t number = 0;
  const bool is_number = std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
  const char* sudo = std::getenv("SUDO_UID");
  if (is_number && number != static_cast<uint32_t>(-1))
    uid = number;
  else if (sudo != nullptr && uid == 0)
    (void)std::from_chars(sudo, sudo + std::string_view(sudo).size(), uid);
  const passwd* user = getpwuid(uid);  // NOLINT(concurrency-mt-unsafe): one thread
  return user != nullptr ? fmt::format("{} (uid {})", escape(user->pw_name, 64), uid)
                         : fmt::format("uid {}", uid);
}

Result<void> add_build(const std::string& folder, HashAlgo algo, const MakeOptions& options,
                       FileDigests& all) {
  std::error_code error;
  const std::string real = std::filesystem::canonical(folder, error).string();
  if (error || !std::filesystem::is_directory(real, error))
    return invalid(escape(folder) + " is no directory");
  Progress bar("files", 0, options.progress);
  const Host here("/");
  scan::Cache none = scan::Cache::open("", algo);
  const scan::Found found =
      scan::find_files(here, here.mounts(), {{real}, {}, 0}, algo, none,
                       [&](size_t done, size_t of, std::string_view name) { bar.at(done, of, name); });
  bar.wipe();
  if (!found.unreadable.empty()) return Error{ErrorCode::kIo, 0, found.unreadable.front()};
  for (const scan::RefusedMount& mount : found.refused) {
    if (mount.point.starts_with(real + "/"))
      complain("diglim allow", fmt::format("{} is on {}, so nothing in it is allowed", escape(mount.point),
                                           escape(mount.why)));
  }
  for (const scan::File& file : found.files) {
    if (!file.error.empty()) return Error{ErrorCode::kIo, 0, file.error};
    if (file.digest.empty()) return too_large(file.path);
    all.digests.insert(to_bytes(as_bytes(file.digest)));
  }
  all.files += found.files.size();
  if (found.files.empty()) return invalid("nothing executable in " + escape(folder));
  return {};
}

Result<FileDigests> collect(const MakeOptions& options, HashAlgo algo) {
  FileDigests all;
  if (!options.files.empty()) {
    Progress bar("hashing", 0, options.progress);
    TRY_ASSIGN(all, digest_files(options.files, algo, [&](std::string_view file) { bar.step(file); }));
  }
  for (const std::string& folder : options.build) TRY(add_build(folder, algo, options, all));
  return all;
}

void add_paths(const std::vector<std::string>& paths, Exception& exception) {
  for (const std::string& path : paths) {
    if (exception.paths.size() == kMaxPaths) return;
    std::error_code error;
    std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
    while (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
    exception.paths.push_back(escape(absolute));
  }
}

}  // namespace

Result<Bytes> make_exception(const MakeOptions& options, const TrustStore& trust, Exception& exception) {
  auto named = named_signer({options.key, options.certificate, options.passphrase_file});
  if (!named)
    return Error{
        named.error().code, 0,
        named.error().message + "; without a key: diglim monitor says whether all may run for a while"};
  const Signer signer = *std::move(named);
  const HashAlgo algo = doctor::kernel_hash(Host("/")).value_or(HashAlgo::kSha256);
  TRY_ASSIGN(const FileDigests digests, collect(options, algo));
  if (!options.only.empty() && digests.digests != std::set<Bytes>{options.only})
    return untrusted("the file was changed meanwhile");
  TRY_ASSIGN(Bytes list, make_compact_list(digests, algo, false));
  add_paths(options.files, exception);
  add_paths(options.build, exception);
  exception.list = list_name(options.files.empty() ? options.build.front() : options.files.front(), list);
  TRY_ASSIGN(exception.signer,
             sign_compact_list(list, signer.key, signer.certificate, passphrase_of(signer)));
  if (const auto counts = verify_digest_list(list, trust); !counts) {
    Error error = counts.error();
    error.message +=
        fmt::format("; first trust that key: diglim key add {}, and reboot", shell_word(signer.certificate));
    return error;
  }
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {list}));
  exception.digest = to_hex(digest);
  exception.files = digests.files;
  if (digests.digests.size() == 1)
    exception.content = fmt::format("{}:{}", hash_name(algo), to_hex(*digests.digests.begin()));
  exception.owner = escape(options.owner, kMaxTextBytes);
  exception.reason = escape(options.reason, kMaxTextBytes);
  exception.by = who();
  return list;
}

}  // namespace diglim::allow
