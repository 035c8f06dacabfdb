// SPDX-License-Identifier: Apache-2.0
// Does to a file what linkers, debuggers and editors do.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// holds write FILE: has it open for writing, until it is killed. holds link FILE: writes a byte of it through a shared mapping, as lld does.
// holds map FILE: maps it executable, as a program does a library; 1 if that is denied.
// holds debug FILE: maps it readable, and makes that executable, as lldb does; 1 if that is denied.
int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int fd = open(argv[2], argv[1][0] == 'd' || argv[1][0] == 'm' ? O_RDONLY : O_RDWR);
  if (fd < 0) return 2;
  if (strcmp(argv[1], "write") == 0) {
    puts("open");
    fflush(stdout);
    for (;;) pause();
  }
  if (strcmp(argv[1], "link") == 0) {
    char* map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return 2;
    map[8] = 1;  // padding of the ELF identification
    return munmap(map, 4096) == 0 ? 0 : 2;
  }
  if (strcmp(argv[1], "map") == 0) return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED;
  void* map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED) return 2;
  return mprotect(map, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : 1;
}
