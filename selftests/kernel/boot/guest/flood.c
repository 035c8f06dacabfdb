// SPDX-License-Identifier: Apache-2.0
// flood FILE [COUNT]: maps FILE, which no list names, executable, 20,000 times: more denials than the ring buffer holds.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
  int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
  int count = argc > 2 ? atoi(argv[2]) : 20000;
  int denied = 0;

  for (int i = 0; fd >= 0 && i < count; i++)
    denied += mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED;
  printf("%d denied\n", denied);
  return denied == count ? 0 : 1;
}
