/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to /proc, or to a captured tree of it, through one handle. A captured tree holds one
 * folder a tick, in name order; each has a file "clock" with the decimal numbers
 * "mono_ns real_ns boot_ns task_ns" of its instant (task_ns: rq_clock_task) and the files under
 * PID/task/TID/. Everything relative to the root is opened with openat(2).
 */
#ifndef SS_BASE_PROCFS_H
#define SS_BASE_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ss_procfs {
	int root;		/* directory descriptor; of the current tick's folder when replaying */
	uint32_t generation;	/* changes when descriptors opened below @root became stale */
	bool is_real;		/* a mounted procfs of our own PID namespace's view, not a capture */
	/* Replay only. */
	char **ticks;		/* names of the folders, sorted; owned */
	size_t nticks, next;
	int base;		/* directory descriptor of the capture; -1 */
	int64_t last_mono_ns;	/* of the tick before: time goes forward */
};

/* The clocks of one captured tick. */
struct ss_procfs_clock {
	int64_t mono_ns, real_ns, boot_ns, task_ns;
};

/** Whether it is a captured tree, and not the /proc of a running kernel. */
static inline bool ss_procfs_is_capture(const struct ss_procfs *procfs)
{
	return procfs->base >= 0;
}

/** Open /proc. Returns 0, -ENOENT when no procfs is mounted there, or negative errno. */
int ss_procfs_open(struct ss_procfs *procfs);

/** Open a captured tree. Returns 0, -ENOENT when it holds no tick, or negative errno. */
int ss_procfs_open_replay(struct ss_procfs *procfs, const char *path);

/** Go to the next captured tick. Returns 1, 0 at the end, or negative errno. */
int ss_procfs_next(struct ss_procfs *procfs, struct ss_procfs_clock *clock);

/**
 * Open, read at most @size - 1 bytes, close; NUL-terminated. Returns the number of bytes read,
 * or negative errno (-ESRCH and -ENOENT both mean that the task ended; an empty file is 0).
 */
ssize_t ss_procfs_read(const struct ss_procfs *procfs, char *data, size_t size,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/** openat(2) below the root, O_CLOEXEC added. Returns a descriptor or negative errno. */
int ss_procfs_open_at(const struct ss_procfs *procfs, int flags, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Where the link points, NUL-terminated, truncated. Returns its length or negative errno. */
ssize_t ss_procfs_readlink(const struct ss_procfs *procfs, char *data, size_t size,
			   const char *format, ...) __attribute__((format(printf, 4, 5)));

void ss_procfs_close(struct ss_procfs *procfs);

#endif
