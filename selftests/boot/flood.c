// SPDX-License-Identifier: Apache-2.0
// Asks for more denials than the ring buffer holds: maps argv[1], which no list names, executable 20,000 times.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
  int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
  int denied = 0;

  for (int i = 0; fd >= 0 && i < 20000; i++)
    denied += mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED;
  printf("%d denied\n", denied);
  return denied == 20000 ? 0 : 1;
}
