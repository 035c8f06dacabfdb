// SPDX-License-Identifier: Apache-2.0
// The images that may be booted next, and which of them are this host's.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"
#include "tools/diglim/host.h"

namespace diglim::pcrlock {

// Something is opened in several states of a boot. How many of an image's systemd-pcrlock is told, from the
// first on: a state comes with each phase of systemd's (PCR 11), and with each step of the lists.
struct Image {
  std::string path;
  std::string variant;  // of its components
  std::string stamp;    // setup::image_stamp() of before it was read
  size_t phases = SIZE_MAX;
  size_t lists = SIZE_MAX;
};

// Paths. None where there is no /etc/diglim/uki.conf. Errors, with what to do: it names none that are there.
Result<std::vector<std::string>> find_images(const Host& host);

// Of `found` those that make-uki of this host made, the most important first: the last image of each kernel,
// then what it is to fall back to. Says which are left out. Errors: one cannot be read.
Result<std::vector<Image>> choose_images(const Host& host, const std::vector<std::string>& found);

}  // namespace diglim::pcrlock
