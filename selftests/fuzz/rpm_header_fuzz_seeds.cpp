// SPDX-License-Identifier: Apache-2.0
// Writes seeds for rpm_header_fuzz into the folder it is given.
#include <cstdio>
#include <string>

#include "lib/base/file.h"
#include "lib/rpm/test_writer.h"

namespace rpm = diglim::rpm;
using diglim::Bytes;
using diglim::HashAlgo;

int main(int argc, char** argv) {
  if (argc != 2) {
    (void)fprintf(stderr, "usage: rpm_header_fuzz_seeds FOLDER\n");
    return 2;
  }
  const Bytes packets = {0xc2, 0x03, 0x04, 0x00, 0x16};
  rpm::TestPackage named;
  named.epoch = 1;
  rpm::TestPackage source;
  source.source = true;
  const Bytes sha256 = rpm::make_main_header_of(named, HashAlgo::kSha256, {"one", "two", "three"});
  const Bytes md5 = rpm::make_main_header_of(source, HashAlgo::kMd5, {"one"});
  const Bytes seeds[] = {
      sha256,
      md5,
      rpm::make_main_header({}),
      rpm::make_package(sha256, {{268, packets}}),
      rpm::make_package(md5, {{267, packets}, {278, packets}, {278, packets}}),
      rpm::make_package(rpm::make_main_header(named), {}),
  };
  int number = 0;
  for (const Bytes& seed : seeds) {
    const auto written =
        diglim::write_file_atomically(std::string(argv[1]) + "/seed" + std::to_string(number++), seed, 0644);
    if (!written) {
      (void)fprintf(stderr, "rpm_header_fuzz_seeds: %s\n", written.error().message.c_str());
      return 1;
    }
  }
  return 0;
}
