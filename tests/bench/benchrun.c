/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * benchrun FILE COMMAND [ARG]...: run the command and write what it cost into FILE, as one line:
 * CPU time (user and system, all threads) in microseconds, peak resident memory in KiB. Exits as
 * the command did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	FILE *out;
	int status;
	pid_t pid;

	if (argc < 3) {
		fputs("Usage: benchrun FILE COMMAND [ARG]...\n", stderr);
		return 2;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], &argv[2]);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		perror("benchrun");
		return EXIT_FAILURE;
	}
	out = fopen(argv[1], "w");
	if (!out || fprintf(out, "%lld %ld\n",
			    (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL +
			    usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
			    usage.ru_maxrss) < 0 || fclose(out)) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
