// SPDX-License-Identifier: Apache-2.0
// Writes seeds for appended_signature_fuzz into the folder named by the first argument: signatures by
// sign_cms(), and by OpenSSL with signed attributes, key identifiers and certificates inside.
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/crypto/openssl.h"
#include "lib/crypto/x509.h"
#include "selftests/fuzz/appended_signature_fuzz_keys.h"

namespace diglim {
namespace {

Result<Bytes> sign_with_openssl(const FuzzKey& key, unsigned flags) {
  init_openssl();
  BIO* pem = BIO_new_mem_buf(key.key.data(), static_cast<int>(key.key.size()));
  const PkeyPtr pkey(PEM_read_bio_PrivateKey(pem, nullptr, nullptr, nullptr));
  BIO_free(pem);
  TRY_ASSIGN(const auto certificates, read_x509(as_bytes(key.certificate)));
  BIO* content = BIO_new_mem_buf(kFuzzContent.data(), static_cast<int>(kFuzzContent.size()));
  CMS_ContentInfo* cms =
      CMS_sign(certificates.front().get(), pkey.get(), nullptr, content, CMS_DETACHED | CMS_BINARY | flags);
  BIO_free(content);
  if (cms == nullptr) return openssl_error("sign");
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &der);
  CMS_ContentInfo_free(cms);
  if (size <= 0) return openssl_error("encode");
  Bytes signature(der, der + size);
  OPENSSL_free(der);
  return signature;
}

Result<Bytes> sign_ours(const FuzzKey& key, const std::string& folder) {
  const std::string key_file = folder + "/key";
  const std::string certificate_file = folder + "/certificate";
  TRY(write_file_atomically(key_file, as_bytes(key.key), 0600));
  TRY(write_file_atomically(certificate_file, as_bytes(key.certificate), 0600));
  auto signature = sign_cms(as_bytes(kFuzzContent), key_file, certificate_file);
  (void)unlink(key_file.c_str());  // not a seed; if it stays, it is a poor one
  (void)unlink(certificate_file.c_str());
  return signature;
}

Result<void> write_seeds(const std::string& folder, const std::string& name, ByteView signature) {
  TRY(write_file_atomically(folder + "/" + name + ".cms", signature, 0644));
  return write_file_atomically(
      folder + "/" + name, append_signature(as_bytes(kFuzzContent), signature, SignatureType::kPkcs7), 0644);
}

Result<void> write_all(const std::string& folder) {
  for (const FuzzKey& key : kFuzzKeys) {
    const std::string name(key.name);
    TRY_ASSIGN(const Bytes ours, sign_ours(key, folder));
    TRY(write_seeds(folder, name + "-plain", ours));
    if (name == "ed25519") continue;  // OpenSSL 3.0 cannot
    TRY_ASSIGN(const Bytes attributes, sign_with_openssl(key, CMS_NOCERTS));
    TRY(write_seeds(folder, name + "-attributes", attributes));
    TRY_ASSIGN(const Bytes key_id, sign_with_openssl(key, CMS_USE_KEYID | CMS_NOSMIMECAP));
    TRY(write_seeds(folder, name + "-keyid-certificate", key_id));
  }
  return {};
}

}  // namespace
}  // namespace diglim

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto written = diglim::write_all(argv[1]);
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written ? 0 : 1;
}
