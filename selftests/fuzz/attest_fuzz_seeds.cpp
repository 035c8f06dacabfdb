// SPDX-License-Identifier: Apache-2.0
// Writes seeds for attest_fuzz into the folder named by the first argument.
#include <cstdio>

#include "lib/attest/test_attester.h"
#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/tcg/event_log_test_data.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  const auto write = [&](const std::string& name, ByteView content) {
    const auto written = write_file_atomically(std::string(argv[1]) + "/" + name, content, 0644);
    if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
    ok = ok && written.has_value();
  };
  TestAttester machine;
  Manifest add;
  add.kind = ManifestKind::kAdd;
  add.lists = {{Bytes(32, 1), "a b", "a-1-1.noarch", "signer"}};
  Manifest monitor;
  monitor.kind = ManifestKind::kMonitor;
  monitor.monitor = {1800, "signer", "no login"};
  machine.updates = {add, monitor};
  NewImaEvent file;
  file.template_name = "ima";
  file.algo = HashAlgo::kSha1;
  file.digest = Bytes(20, 1);
  file.path = "/x";
  machine.files = {file};
  const Bundle bundle = machine.bundle();
  const auto whole = write_bundle(bundle);
  const auto log = from_base64(kSeabiosLog_base64);
  ok = whole.has_value() && log.has_value();
  if (ok) {
    write("bundle", *whole);
    write("firmware-log", *log);
  }
  write("attest", bundle.attest);
  write("ak", bundle.ak);
  write("ima-log", bundle.ima_log);
  write("policy", as_bytes(write_policy(machine.policy())));
  for (size_t i = 0; i < bundle.manifests.size(); ++i)
    write("manifest-" + std::to_string(i), bundle.manifests[i]);
  return ok ? 0 : 1;
}
