// SPDX-License-Identifier: Apache-2.0
// The signed images of a host: where they are, and the files in which its programs tell each other of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/diglim/host.h"

namespace diglim::setup {

constexpr const char* kUkiConfig = "/etc/diglim/uki.conf";
// Which images make-uki made for this host (`SHA256 KERNEL BOOT`, the newest last), and which of them
// systemd-pcrlock was told of (image_stamp(), one a line).
constexpr const char* kKnownImages = "/var/lib/diglim/images";
constexpr const char* kPcrlockState = "/var/lib/diglim/pcrlock";

// Of the text of kUkiConfig; empty if it is not there.
std::string uki_setting(const std::string& text, std::string_view name);

// The images that the firmware or the boot manager may start, below that system partition: the last one of
// each kernel, then those that they are to fall back to. None of an empty name.
std::vector<std::string> signed_images(const Host& host, const std::string& esp);

// `TIME SIZE PATH` of the image as it is; nothing if it is gone.
std::optional<std::string> image_stamp(const Host& host, const std::string& image);

}  // namespace diglim::setup
