// SPDX-License-Identifier: Apache-2.0
// sha1 FILE: its attribute says that IMA shall hash it by SHA-1 (security/integrity/integrity.h:
// IMA_XATTR_DIGEST_NG, HASH_ALGO_SHA1).
#include <stdio.h>
#include <sys/xattr.h>

int main(int argc, char **argv) {
  static const unsigned char kValue[2 + 20] = {4, 2};

  if (argc == 2 && setxattr(argv[1], "security.ima", kValue, sizeof(kValue), 0) == 0) return 0;
  perror("sha1");
  return 1;
}
