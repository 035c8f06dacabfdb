/* SPDX-License-Identifier: Apache-2.0 */
/* A small dynamic program, so that ld.so and libc are mapped. With an argument it stays, and keeps them mapped. */
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		pause();
	return 0;
}
