// SPDX-License-Identifier: Apache-2.0
// For tests: a directory of throw-away keys and certificates, made by the openssl command, and signatures by
// it. So verification is checked against somebody else's signer.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/file.h"
#include "lib/crypto/x509.h"

namespace diglim {

class TestKeys {
 public:
  TestKeys() {
    std::string name = testing::TempDir() + "diglim_keys_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~TestKeys() {
    std::error_code ignored;  // a left-over directory in /tmp is no reason to fail
    std::filesystem::remove_all(folder_, ignored);
  }
  TestKeys(const TestKeys&) = delete;
  TestKeys& operator=(const TestKeys&) = delete;

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string key(const std::string& name) const { return path(name + ".key"); }
  std::string certificate_file(const std::string& name) const { return path(name + ".pem"); }

  // Runs a command with the directory as working directory; fails the test if it fails.
  void run(const std::string& command) const {
    ASSERT_EQ(std::system(("cd " + folder_ + " && " + command + " >log 2>&1 </dev/null").c_str()), 0)
        << command << "\n"
        << as_text(read_file(path("log"), 1 << 20).value());
  }

  // `algorithm`: rsa:2048, ed25519, or a curve such as P-256. `options`: more of `openssl req`.
  void make(const std::string& name, const std::string& algorithm, const std::string& options = "") const {
    const bool curve = algorithm.starts_with("P-") || algorithm.starts_with("secp");
    const std::string key_type = curve ? "ec -pkeyopt ec_paramgen_curve:" + algorithm : algorithm;
    run("openssl req -x509 -newkey " + key_type + " -nodes -keyout " + name + ".key -out " + name +
        ".pem -subj /CN=" + name + " -days 30 -config /dev/null -addext subjectKeyIdentifier=hash " +
        options);
  }
  // The same, but not self-signed, which lets `openssl x509` set dates and more.
  void make_dated(const std::string& name, const std::string& algorithm, const std::string& start,
                  const std::string& end) const {
    make(name, algorithm);
    run("touch index.txt && echo 01 >serial && printf "
        "'[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nserial=serial\\n"
        "new_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' >ca.cnf && "
        "openssl req -new -key " +
        name + ".key -subj /CN=" + name + " -config /dev/null -out " + name +
        ".csr && "
        "openssl ca -batch -config ca.cnf -selfsign -keyfile " +
        name + ".key -in " + name + ".csr -startdate " + start + " -enddate " + end + " -notext -out " +
        name + ".pem");
  }

  std::vector<X509Ptr> certificates(const std::vector<std::string>& names) const {
    std::vector<X509Ptr> all;
    for (const std::string& name : names) {
      auto some = read_x509(read_file(certificate_file(name), 1 << 20).value());
      for (X509Ptr& one : some.value()) all.push_back(std::move(one));
    }
    return all;
  }

  // `openssl cms -sign` over `content`, in DER. `options` must name -signer and -inkey.
  Bytes openssl_sign(ByteView content, const std::string& options) const {
    EXPECT_TRUE(write_file_atomically(path("content"), content, 0600));
    run("openssl cms -sign -binary -in content -outform DER -out signature " + options);
    return read_file(path("signature"), 1 << 20).value();
  }
  Bytes openssl_sign_by(ByteView content, const std::string& name, const std::string& options) const {
    return openssl_sign(content, "-signer " + name + ".pem -inkey " + name + ".key " + options);
  }

 private:
  std::string folder_;
};

}  // namespace diglim
