/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Closed windows and threads as rows of a batch. Room must have been reserved.
 */
#ifndef SS_ROWS_H
#define SS_ROWS_H

#include "batch.h"
#include "source/source.h"

void ss_rows_add_window(struct ss_batch *batch, const struct ss_window *w,
			const struct ss_tick *tick);

/** A row of a shard's delays. */
void ss_rows_add_delay(struct ss_batch *batch, const struct ss_delay *delay,
		       const struct ss_tick *tick);

/**
 * A thread that begins to be watched (@event: 0, or start when it was created meanwhile), or that
 * ended (exit, at @exit_ns, 0 when not known). The program's path and cgroup are those of the
 * process and are read for its leader only.
 */
void ss_rows_add_thread(struct ss_batch *batch, const struct ss_thread *thread,
			const struct ss_procfs *procfs, enum ss_event event, int64_t exit_ns);

#endif
