// SPDX-License-Identifier: Apache-2.0
// For tests only: executes programs one after another, as fast as a machine can, until a file appears. One that does not end with 0
// gets a line at once. At the end it says how many executions there were, and how many of them began while the plugin's journal
// was there, which is from before a transaction's first change until after its last. Meanwhile nine tenths of the processor are
// its own, so that hundreds fall into a short transaction; the slower rpm is, the wider its windows are.
//
// Usage: spin STOP PROGRAM...
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char kJournal[] = "/var/lib/diglim/transaction";
enum { kNiceWithin = -12 };

static int run(const char *program)
{
	int status = 0;
	const pid_t child = fork();

	if (child == 0) {
		const int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execl(program, program, (char *)NULL);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

int main(int argc, char **argv)
{
	unsigned long runs = 0, within = 0, failed = 0;
	int before = 0;

	for (int i = 1; argc > 2 && access(argv[1], F_OK) != 0; i = i % (argc - 2) + 1) {
		const int transaction = access(kJournal, F_OK) == 0;
		int status;

		if (transaction != before && setpriority(PRIO_PROCESS, 0, transaction ? kNiceWithin : 0) != 0)
			perror("failed setpriority");
		before = transaction;
		status = run(argv[i + 1]);
		runs++;
		within += transaction;
		if (status == 0)
			continue;
		failed++;
		printf("failed %s: status 0x%x\n", argv[i + 1], status);
		fflush(stdout);
	}
	printf("runs %lu\nwithin %lu\nfailures %lu\n", runs, within, failed);
	return 0;
}
