// SPDX-License-Identifier: Apache-2.0
// What systemd-pcrlock is told: components, each with the variants of which one is measured in a boot.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "tools/pcrlock/images.h"

namespace diglim::pcrlock {

// The register that IMA extends: of the component that this boot was told by.
Result<unsigned> own_register();

// What the next boot measures, from that image (with `work` for what is needed on the way), or on a host that
// has none. Under names behind "generated", this boot's: of several that fit systemd-pcrlock takes the first.
Result<void> tell_next_boot(const Image& image, const std::string& work);
Result<void> tell_next_boot();

// What one left that was killed.
void remove_unfinished();
// What is gone, or was left out, opens nothing any more. `images`: empty is the host without.
void remove_stale(const std::vector<Image>& images, bool has_images);

// The image that booted, by the firmware's log: where it is gone, this boot is recognized all the same.
Result<void> keep_booted(const std::vector<Image>& images);

// All components, in a folder of its own. With images each of systemd's phases would multiply the values of
// PCR 11, so there they are variants of the image. Of an image that is told of more states than it has, says
// how many these are.
Result<void> gather(const std::string& folder, std::vector<Image>& images, bool has_images);

}  // namespace diglim::pcrlock
