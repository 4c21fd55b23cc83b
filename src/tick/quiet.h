/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One number about the whole machine that bounds an error of every sleeping thread: when no other
 * task was runnable, none was queued.
 */
#ifndef SS_TICK_QUIET_H
#define SS_TICK_QUIET_H

#include <stdint.h>

#include "base/procfs.h"

struct ss_quiet {
	int fd;			/* /proc/loadavg of the kernel itself; -1: not to be trusted */
};

/** Open it. An overlay of a container (not a procfs) is not trusted. */
void ss_quiet_open(struct ss_quiet *quiet, const struct ss_procfs *procfs);

/**
 * The CLOCK_MONOTONIC instant if the caller is the only runnable task of the machine (the
 * nr_running() of /proc/loadavg), else 0.
 */
int64_t ss_quiet_check(const struct ss_quiet *quiet);

void ss_quiet_close(struct ss_quiet *quiet);

#endif
