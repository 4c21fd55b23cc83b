/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bpf/snapshot.bpf.c wrote of a thread, made a reading with its parts in flight. No I/O, no
 * clock.
 */
#ifndef SS_SOURCE_SNAPSHOT_H
#define SS_SOURCE_SNAPSHOT_H

#include <stddef.h>

#include "account/account.h"
#include "bpf/snapshot.h"

struct ss_snapshot_clock {
	int64_t mono_to_rq_ns;	/* add to CLOCK_MONOTONIC for the scheduler's clock */
	int64_t lag_max_ns;	/* no CPU that runs a thread leaves its clock behind for longer */
};

/*
 * One thread's sleep that the kernel counts, or will count, as waiting for a CPU. Zeroed at first.
 * Since 6.12 a sleeper can stay on its runqueue, and when it is moved to another it is stamped as
 * queued (sched_info_enqueue()); all from there to its next switch-in joins run_delay.
 */
struct ss_snapshot_sleep {
	uint64_t last_queued_ns;	/* the stamp it was last seen asleep with; 0: none */
	int64_t slept_ns;		/* from there to when it was last seen asleep */
	int64_t seen_mono_ns;		/* that instant */
	int64_t counted_ns;		/* such sleep that run_delay holds by now */
};

/**
 * Make @r of @s. @prev: the thread's last reading of this source, or NULL; counters do not go back
 * behind it. False when @s is torn: @r and @sleep are as before.
 */
bool ss_snapshot_read(const struct ss_snapshot *s, const struct ss_snapshot_clock *clock,
		      struct ss_snapshot_sleep *sleep, const struct ss_reading *prev,
		      struct ss_reading *r);

/**
 * Whether the thread that @s became @r of was asleep, and nothing but a switch can change what @s
 * says of it: then no more need be read while there was none.
 */
bool ss_snapshot_may_sleep_on(const struct ss_snapshot *s, const struct ss_reading *r);

#endif
