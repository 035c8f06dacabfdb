// SPDX-License-Identifier: Apache-2.0
//
// What a program does with a key of the provider that OPENSSL_CONF names, besides TLS.
//   provider_probe fork KEY    threads sign without a pause while the process forks, and each child signs
//   provider_probe errors KEY  reads a bad key with an error of its own in OpenSSL's queue
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kThreads = 4, kForks = 12, kChildSeconds = 300, kOwnReason = 42 };

static EVP_PKEY* key;
static atomic_int made;
static atomic_bool stop;

static EVP_PKEY* read_key(const char* path) {
  BIO* file = BIO_new_file(path, "r");
  EVP_PKEY* read = file == NULL ? NULL : PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
  BIO_free(file);
  return read;
}

static int sign(void) {
  unsigned char signature[512];
  size_t size = sizeof(signature);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const int good = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                   EVP_DigestSign(context, signature, &size, (const unsigned char*)"x", 1) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

static void* sign_on(void* unused) {
  (void)unused;
  while (!stop) made += sign();
  return NULL;
}

static int try_fork(void) {
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, sign_on, NULL);
  while (made < kThreads) usleep(1000);
  int children = 0;
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kChildSeconds);  // a lock that no thread of it holds would be waited for in vain
      const int good = sign();
      ERR_print_errors_fp(stderr);
      _exit(good ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status != 0) break;
    ++children;
  }
  const int before = made;
  while (children == kForks && made < before + kThreads) usleep(1000);  // the parent's go on, too
  stop = true;
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  printf("%d of %d children signed\n", children, kForks);
  return children == kForks ? 0 : 1;
}

static int try_errors(const char* path) {
  ERR_raise(ERR_LIB_USER, kOwnReason);
  const int refused = read_key(path) == NULL;
  const unsigned long first = ERR_get_error();
  const unsigned long last = ERR_peek_last_error();
  printf("refused %d, own error kept %d, another after it %d\n", refused,
         ERR_GET_LIB(first) == ERR_LIB_USER && ERR_GET_REASON(first) == kOwnReason, last != 0);
  ERR_print_errors_fp(stdout);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  if (strcmp(argv[1], "errors") == 0) return try_errors(argv[2]);
  key = read_key(argv[2]);
  if (key == NULL) {
    ERR_print_errors_fp(stderr);
    return 3;
  }
  return try_fork();
}
