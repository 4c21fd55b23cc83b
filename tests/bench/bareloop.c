/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bareloop PID INTERVAL_MS COUNT: the least that sampling every thread of a process through procfs
 * can cost. Keeps a descriptor on each thread's schedstat and reads them all at each interval; it
 * parses nothing, computes nothing, writes nothing.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 65536

static int fds[THREADS_MAX];

static int open_all(const char *pid)
{
	struct rlimit limit;
	struct dirent *entry;
	char path[300];
	int n = 0;
	DIR *dir;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && n < THREADS_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, entry->d_name);
		fds[n] = open(path, O_RDONLY | O_CLOEXEC);
		if (fds[n] < 0) {
			perror(path);
			exit(EXIT_FAILURE);
		}
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	struct timespec next;
	char text[64];
	long interval_ns, count;
	int n;

	if (argc != 4) {
		fputs("Usage: bareloop PID INTERVAL_MS COUNT\n", stderr);
		return 2;
	}
	n = open_all(argv[1]);
	interval_ns = atol(argv[2]) * 1000000;
	count = atol(argv[3]);
	if (!n || interval_ns <= 0) {
		fprintf(stderr, "bareloop: nothing to read of %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (; count >= 0; count--) {
		for (int i = 0; i < n; i++) {
			if (pread(fds[i], text, sizeof(text), 0) <= 0) {
				perror("bareloop: pread");
				return EXIT_FAILURE;
			}
		}
		next.tv_nsec += interval_ns;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return EXIT_SUCCESS;
}
