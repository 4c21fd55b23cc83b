/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the scheduler's clocks stand, without privilege. clock_gettime(CLOCK_THREAD_CPUTIME_ID)
 * makes the kernel bring se.exec_start of the caller up to date (task_sched_runtime() calls
 * update_curr()); se.exec_start read from /proc/thread-self/sched between two reads of
 * CLOCK_MONOTONIC then gives the offset of this CPU's rq_clock_task, within half their distance.
 *
 * Every tick measures the CPU that it runs on. What that says of the others:
 * - That NTP slews CLOCK_MONOTONIC moves all offsets alike. How far is known exactly, because
 *   CLOCK_MONOTONIC_RAW is not slewed: all offsets follow.
 * - What is left of the drift is this CPU's own: with CONFIG_IRQ_TIME_ACCOUNTING or paravirtual
 *   steal time, each CPU's rq_clock_task leaves out what interrupts and the host took from it, and
 *   falls behind on its own. The others do not follow. The sum of the own drifts ends the belief
 *   that all CPUs show one clock.
 * While the clocks differ, the bound of a CPU that was not measured grows by the fastest drift of
 * any CPU between visits, and all CPUs that we may run on are visited again: sooner and sooner
 * while one moved by more than 20 us between two visits, later and later, up to a second, while
 * none did. A visit waits for busy CPUs unless the thread has a real-time policy: without, it is
 * once a second. CPUs that showed one clock are visited once a minute.
 */
#ifndef SS_TICK_CLOCKMAP_H
#define SS_TICK_CLOCKMAP_H

#include <stdbool.h>

#include "account/reading.h"
#include "base/caps.h"

struct ss_clockmap;

/**
 * Measure all CPUs. The calling thread's policy says how often that may be repeated. -ENOENT: the
 * kernel has no /proc/PID/sched. Returns 0 or negative errno.
 */
int ss_clockmap_new(struct ss_clockmap **map, struct ss_caps *caps);

/** Once a tick, by the thread that made the map. A measurement that fails widens the bounds. */
void ss_clockmap_refresh(struct ss_clockmap *map, int64_t now_mono_ns);

/** The offsets, one a CPU number, @ncpus of them. Borrowed; change at each refresh. */
const struct ss_clock_offset *ss_clockmap_offsets(const struct ss_clockmap *map, int *ncpus);

void ss_clockmap_free(struct ss_clockmap *map);

/**
 * How far exec_start of a running thread can be behind. @nohz_full: what
 * /sys/devices/system/cpu/nohz_full holds; empty where the kernel has no such CPUs. One that has
 * none prints a newline or, padded by some kernels, "(null)".
 */
int64_t ss_clockmap_lag_max_ns(int64_t tick_ns, const char *nohz_full);

/* The arithmetic of the map, apart from the machine. No I/O, no clock. */

/* One measurement of one CPU. */
struct ss_clock_sight {
	int64_t mono_ns;		/* when */
	int64_t task_minus_mono_ns;
	int64_t raw_minus_mono_ns;	/* CLOCK_MONOTONIC_RAW: changes by the slew only */
	int64_t bound_ns;		/* |error| of task_minus_mono_ns; < 0: not measured */
};

struct ss_clocks {
	int ncpus;
	bool realtime;			/* visits do not wait for busy CPUs */
	bool spread;			/* the CPUs' clocks differ, or may by now */
	int64_t mono_ns;		/* of the last measurement, or of a failed one */
	int64_t raw_minus_mono_ns;	/* at the last measurement */
	int64_t own_ns;			/* own drifts since the last visit, summed up */
	int64_t visited_ns;		/* when all CPUs were last measured */
	int64_t wait_ns;		/* from there to the next visit while they differ */
	double rate[2];			/* fastest drift of a CPU at the last visits, ns per ns */
	struct ss_clock_offset *offset;	/* one a CPU; borrowed */
	int64_t *task_minus_raw_ns;	/* at the last visit; one a CPU, borrowed */
};

/** Before the first visit. @offset and @task_minus_raw_ns are borrowed, @ncpus of each. */
void ss_clocks_init(struct ss_clocks *c, int ncpus, bool realtime, struct ss_clock_offset *offset,
		    int64_t *task_minus_raw_ns);

/** All CPUs were measured between @begin_ns and @end_ns, as @sight says of each. */
void ss_clocks_visited(struct ss_clocks *c, const struct ss_clock_sight *sight, int64_t begin_ns,
		       int64_t end_ns);

/** One CPU was measured. */
void ss_clocks_measured(struct ss_clocks *c, int cpu, const struct ss_clock_sight *sight);

/** A measurement failed: where the clocks stand is less and less known. */
void ss_clocks_missed(struct ss_clocks *c, int64_t now_mono_ns);

/** Are all CPUs to be measured again? */
bool ss_clocks_visit_is_due(const struct ss_clocks *c, int64_t now_mono_ns);

#endif
