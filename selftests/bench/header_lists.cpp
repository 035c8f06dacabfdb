// SPDX-License-Identifier: Apache-2.0
// header_lists DIR COUNT DIGESTS BYTES: COUNT header lists of DIGESTS digests and about BYTES bytes each in
// DIR/lists, one more in DIR/more, and in DIR/keys the key of RSA-4096 that signed them. Rpmbuild would take
// half a second for each.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cms/appended_signature.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/openpgp/test_writer.h"
#include "lib/rpm/test_writer.h"

namespace diglim::bench {
namespace {

Bytes header(int number, size_t digests, size_t bytes) {
  std::vector<std::string> hex, names;
  for (size_t i = 0; i < digests; ++i) {
    const std::string name = "file-" + std::to_string(number) + "-" + std::to_string(i);
    hex.push_back(to_hex(*hash(HashAlgo::kSha256, {as_bytes(name)})));
    names.push_back(name);
  }
  rpm::HeaderWriter writer;
  writer.string(1000, "many-" + std::to_string(number)).string(1001, "1").string(1002, "1");
  writer.string(1022, "x86_64").strings(1035, hex).string(1044, "many-1-1.src.rpm").strings(1117, names);
  const size_t taken = digests * (65 + 16);
  writer.string(1005, std::string(bytes > taken ? bytes - taken : 0, 'd')).number(5011, 8);
  return writer.main();
}

int main(int argc, char** argv) {
  if (argc != 5) {
    (void)fprintf(stderr, "usage: header_lists DIR COUNT DIGESTS BYTES\n");
    return 2;
  }
  const std::string directory = argv[1];
  const int count = atoi(argv[2]);
  constexpr uint32_t kMade = 1577836800;  // 2020-01-01
  const auto key = openpgp::test::TestKey::generate(openpgp::test::Algo::kRsa4096, kMade);
  auto written =
      write_file_atomically(directory + "/keys/bench.asc", key.certificate({.armored = true}), 0644);
  for (int i = 1; written && i <= count + 1; ++i) {
    const Bytes signed_bytes = header(i, strtoul(argv[3], nullptr, 10), strtoul(argv[4], nullptr, 10));
    const Bytes list = append_signature(signed_bytes, key.sign(signed_bytes), SignatureType::kPgp);
    written =
        write_file_atomically(directory + (i <= count ? "/lists/" : "/more/") + std::string(kRpmListPrefix) +
                                  "many-" + std::to_string(i) + "-1-1.x86_64",
                              list, 0644);
  }
  if (!written) (void)fprintf(stderr, "header_lists: %s\n", written.error().message.c_str());
  return written ? 0 : 1;
}

}  // namespace
}  // namespace diglim::bench

int main(int argc, char** argv) {
  return diglim::bench::main(argc, argv);
}
