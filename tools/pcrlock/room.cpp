// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/room.h"

#include <fmt/format.h>

#include <algorithm>

namespace diglim::pcrlock {

std::optional<unsigned> too_many(const Values& values, unsigned own) {
  const auto has_more = [](const auto& entry) { return entry.second.size() > kMostValues; };
  const auto other =
      std::ranges::find_if(values, [&](const auto& entry) { return entry.first != own && has_more(entry); });
  if (other != values.end()) return other->first;
  const auto ours = values.find(own);
  return ours != values.end() && has_more(*ours) ? std::optional(own) : std::nullopt;
}

std::optional<std::string> leave_out(std::vector<Image>& images, unsigned number, unsigned own) {
  const std::string why = fmt::format("systemd-pcrlock takes {} values of PCR {}", kMostValues, number);
  size_t Image::*const states = number == own ? &Image::lists : &Image::phases;
  // Of the least important image from `first` on that has more states than these.
  const auto shorten = [&](size_t first, size_t kept, const char* what) -> std::optional<std::string> {
    for (size_t i = images.size(); i-- > first;) {
      if (images[i].*states <= kept) continue;
      images[i].*states = kept;
      return fmt::format("from {} {}: {}", images[i].path, what, why);
    }
    return std::nullopt;
  };
  // A root is opened after the first phase, other volumes after the second one. Lists have no such order.
  if (number != own) {
    if (auto said = shorten(0, 2, "what opens after sysinit.target does not open by itself")) return said;
  }
  if (auto said = shorten(1, 1, "only the root opens by itself")) return said;
  if (images.size() < 2) return std::nullopt;
  const std::string last = images.back().path;
  images.pop_back();
  return fmt::format(
      "left out: {}: {}, and others are more important. To do: remove kernels or previous images that are "
      "not needed",
      last, why);
}

}  // namespace diglim::pcrlock
