// SPDX-License-Identifier: Apache-2.0
/* Goal: show the PCR as the first act of code, so that a driver sees whether IMA had measured that code by then.
 * Expected: "PCR <hex>" on stdout. `probe FILE` maps FILE executable first: then it is FILE that was to be measured. `probe --cut FILE`
 * only takes the last byte off FILE, with truncate(2). `probe --kexec FILE` loads FILE for kexec first; instead of the PCR, it says why it could not.
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  char value[128] = "";
  FILE *pcr;
  int got = 0;

  if (argc > 2 && strcmp(argv[1], "--cut") == 0) {
    struct stat info;
    return stat(argv[2], &info) != 0 || truncate(argv[2], info.st_size - 1) != 0;
  }
  if (argc > 2 && strcmp(argv[1], "--kexec") == 0) {
    if (syscall(SYS_kexec_file_load, open(argv[2], O_RDONLY), -1, 1UL, "", KEXEC_FILE_NO_INITRAMFS) != 0) {
      perror(argv[2]);
      return 1;
    }
  } else if (argc > 1) {
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0 || mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED) {
      perror(argv[1]);
      return 1;
    }
  }
  /* A starved machine's TPM times out now and then: the file is empty then. */
  for (int tries = 0; tries < 30 && got != 1; tries++) {
    if (tries > 0)
      sleep(1);
    pcr = fopen("/sys/class/tpm/tpm0/pcr-sha256/12", "r");
    got = pcr ? fscanf(pcr, "%127s", value) : 0;
    if (pcr)
      fclose(pcr);
  }
  if (got != 1) {
    perror("PCR 12");
    return 1;
  }
  printf("PCR %s\n", value);
  return 0;
}
