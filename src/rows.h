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

/** A row of a shard's waits; @resource is 0 or its number. */
void ss_rows_add_wait(struct ss_batch *batch, const struct ss_window_wait *w, int64_t resource,
		      const struct ss_tick *tick);

/** Who ended the @n waits of one window: at most as many rows, one a waker and kind. */
void ss_rows_add_wakes(struct ss_batch *batch, const struct ss_window_wait *waits, size_t n,
		       const struct ss_tick *tick);

/** A resource that is seen for the first time. */
void ss_rows_add_resource(struct ss_batch *batch, const struct ss_resources *resources, int64_t id);

/**
 * A thread that begins to be watched (@event: 0, or start when it was created meanwhile), or that
 * ended (exit, at @exit_ns, 0 when not known). The program's path and cgroup are those of the
 * process and are read for its leader only.
 */
void ss_rows_add_thread(struct ss_batch *batch, const struct ss_thread *thread,
			const struct ss_procfs *procfs, enum ss_event event, int64_t exit_ns);

#endif
