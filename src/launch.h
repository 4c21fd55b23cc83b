/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command started by us and watched from before its first instruction. The child waits until
 * it is released, so that its account can be opened first.
 */
#ifndef SS_LAUNCH_H
#define SS_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct ss_launch {
	pid_t pid;
	int release_fd;		/* write end; closing it without a byte ends the child */
	int error_fd;		/* read end: the errno of a failed exec */
};

/**
 * Find @command[0] as a shell would and fork. Returns 0, -ENOENT (not found), -EACCES (found,
 * cannot be run), or another negative errno. Call it before signals are changed and before any
 * thread is started; the child gets default signal handling back.
 */
int ss_launch_start(struct ss_launch *launch, char *const command[]);

/** Let it execute. Returns 0 or the negative errno of exec; then the child has ended. */
int ss_launch_release(struct ss_launch *launch);

/** True when the child has ended; it stays a zombie, so that its last counters can be read. */
bool ss_launch_ended(const struct ss_launch *launch);

/** Wait for the child's end and take its status: exit status, or 128 + signal. */
int ss_launch_reap(struct ss_launch *launch);

#endif
