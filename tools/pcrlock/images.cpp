// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/images.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <tuple>

#include "lib/base/text.h"
#include "tools/diglim/setup/uki_images.h"
#include "tools/file_digests.h"
#include "tools/pcrlock/run.h"

namespace diglim::pcrlock {
namespace {

// The line of each digest, the last one counts: what make-uki wrote later is newer.
std::map<std::string, size_t> known_images(const Host& host) {
  std::map<std::string, size_t> known;
  std::istringstream lines(host.text(setup::kKnownImages).value_or(""));
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) known[line.substr(0, line.find(' '))] = ++number;
  return known;
}

int rank(const Host& host, const std::string& path) {
  if (path.ends_with("/" + host.release() + "-previous.efi")) return 1;
  return path.ends_with("-previous.efi") ? 2 : 0;
}

std::string variant_of(const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  return "image-" + path.substr(name, path.rfind('.') - name);
}

}  // namespace

Result<std::vector<std::string>> find_images(const Host& host) {
  if (!host.exists(setup::kUkiConfig)) return std::vector<std::string>();
  const std::string esp = setup::uki_setting(host.text(setup::kUkiConfig).value_or(""), "esp");
  if (esp.empty()) return invalid(std::string(setup::kUkiConfig) + " lacks esp");
  auto found = setup::signed_images(host, esp);
  if (found.empty()) return not_found("no image below " + esp + "/EFI: is the EFI system partition mounted?");
  return found;
}

// Whoever has the disk may put an older signed image there, one of before a revocation. What make-uki wrote
// down lies on the root.
Result<std::vector<Image>> choose_images(const Host& host, const std::vector<std::string>& found) {
  const auto known = known_images(host);
  std::vector<std::tuple<int, long, std::string>> ranked;  // the last line of `known` first
  std::map<std::string, std::string> stamps;
  for (const std::string& path : found) {
    // Before it is read: who changes it meanwhile is seen.
    stamps[path] = setup::image_stamp(host, path).value_or("");
    const auto digest = digest_file(host.path(path), HashAlgo::kSha256);
    if (!digest && digest.error().code == ErrorCode::kNotFound) continue;
    // What is too large, or no file, is none of ours.
    if (!digest && digest.error().code != ErrorCode::kUnsupported)
      return with_context(escape(path) + " cannot be read", digest.error());
    const auto line = digest ? known.find(to_hex(*digest)) : known.end();
    // A name with a line's end would write others into the state file.
    if (line != known.end() && escape(path) == path) {
      ranked.emplace_back(rank(host, path), -static_cast<long>(line->second), path);
    } else {
      say("left out: " + escape(path) +
          ": not made by this host's make-uki, or older than the previous image");
    }
  }
  std::ranges::sort(ranked);
  std::vector<Image> images;
  for (const auto& [rank, line, path] : ranked) images.push_back({path, variant_of(path), stamps[path]});
  return images;
}

}  // namespace diglim::pcrlock
