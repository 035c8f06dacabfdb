// SPDX-License-Identifier: Apache-2.0
// For tests only: runs rpm and kills the first loader that it starts for `sync WORD`, so many microseconds after it has begun; with "-" it
// only prints how long that loader was there, "took MICROSECONDS". Exit status: rpm's. In real time, so that one processor is enough.
//
// Usage: kill_loader MICROSECONDS|- WORD RPM [ARGUMENT]...
#include <ctype.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kStep_us = 100 };

static void pause_us(long us)
{
	const struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

static size_t read_file(const char *path, char *buffer, size_t size)
{
	FILE *file = fopen(path, "re");
	const size_t got = file ? fread(buffer, 1, size - 1, file) : 0;

	if (file)
		fclose(file);
	buffer[got] = 0;
	return got;
}

/* Not what rpm has forked only: that has rpm's own words. */
static int is_loader(pid_t pid, const char *word)
{
	char path[64], words[4096];
	const char *second;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	if (read_file(path, words, sizeof(words)) == 0 || strstr(words, "loader") == NULL)
		return 0;
	second = words + strlen(words) + 1;
	return strcmp(second, "sync") == 0 && strcmp(second + strlen(second) + 1, word) == 0;
}

static pid_t find_loader(pid_t rpm, const char *word)
{
	char path[64], children[4096];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", rpm, rpm);
	read_file(path, children, sizeof(children));
	for (char *at = children; isdigit(*at); at += strspn(at, " ")) {
		const pid_t pid = (pid_t)strtol(at, &at, 10);

		if (is_loader(pid, word))
			return pid;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct sched_param priority = { .sched_priority = 1 };
	struct timespec begin, end;
	int status, done = 0;
	pid_t rpm, loader;

	if (argc < 4)
		return 2;
	rpm = fork();
	if (rpm == 0) {
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
		perror("sched_setscheduler");
	while (waitpid(rpm, &status, WNOHANG) == 0) {
		loader = done ? 0 : find_loader(rpm, argv[2]);
		if (loader != 0 && argv[1][0] != '-') {
			pause_us(atol(argv[1]));
			kill(loader, SIGKILL);
		} else if (loader != 0) {
			struct pollfd gone = { .fd = (int)syscall(SYS_pidfd_open, loader, 0), .events = POLLIN };

			clock_gettime(CLOCK_MONOTONIC, &begin);
			poll(&gone, 1, -1);
			clock_gettime(CLOCK_MONOTONIC, &end);
			printf("took %ld\n", (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000);
		}
		done |= loader != 0;
		pause_us(done ? 10000 : kStep_us);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
