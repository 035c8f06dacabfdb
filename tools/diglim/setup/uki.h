// SPDX-License-Identifier: Apache-2.0
// A host that boots signed unified kernel images: loader, keys, digest lists and command line are under one
// signature, which the firmware verifies.
#pragma once

#include <string>

#include "tools/diglim/setup/plan.h"
#include "tools/diglim/setup/setup.h"
#include "tools/diglim/setup/uki_images.h"

namespace diglim::setup {

// Where ukify and kernel-install have them, too.
constexpr const char* kDefaultKey = "/etc/kernel/secure-boot-private-key.pem";
constexpr const char* kDefaultCertificate = "/etc/kernel/secure-boot-certificate.pem";

// kUkiConfig. Empty: the host has no such images.
struct UkiSettings {
  std::string esp, key, certificate;
};
UkiSettings read_uki_settings(const RecordedHost& host);

// Does a file system begin at `path`, or where it leads?
bool is_mount_point(const std::string& path);

// May updates sign with it, and could firmware take that? `certificate` is its own. Errors: what to do.
Result<void> check_uki_key(const Host& host, const std::string& key, const std::string& certificate);

// Adds the steps after the lists: configuration, command line, images. Errors: what is missing, and what to
// do about it.
Result<void> plan_uki(const RecordedHost& host, const Options& options, Plan& plan);

// Those that make-uki fills, so that the record knows which were not there.
Result<void> make_uki_folders(RecordedHost& host);

// What is left to the admin, who has the firmware's keys.
void tell_uki(const RecordedHost& host, Report& report);

// Uninstall: the images and their entries. `settings` are of before the files were put back.
Result<void> remove_uki(const RecordedHost& host, const UkiSettings& settings, Report& report);

}  // namespace diglim::setup
