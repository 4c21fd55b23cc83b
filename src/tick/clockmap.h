/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the scheduler's clocks stand, without privilege. clock_gettime(CLOCK_THREAD_CPUTIME_ID)
 * makes the kernel bring se.exec_start of the caller up to date (task_sched_runtime() calls
 * update_curr()); se.exec_start read from /proc/thread-self/sched between two reads of
 * CLOCK_MONOTONIC then gives the offset of this CPU's rq_clock_task, within half their distance.
 *
 * rq_clock_task leaves out interrupt and steal time where the kernel accounts them, so each CPU
 * has its own offset. All CPUs that we may run on are visited when the map is made, and again
 * once a second if their offsets differ; every tick refreshes the offset of the CPU it runs on.
 */
#ifndef SS_TICK_CLOCKMAP_H
#define SS_TICK_CLOCKMAP_H

#include "account/reading.h"
#include "base/caps.h"

struct ss_clockmap;

/** Measure all CPUs. -ENOENT: the kernel has no /proc/PID/sched. Returns 0 or negative errno. */
int ss_clockmap_new(struct ss_clockmap **map, struct ss_caps *caps);

/** Once a tick, by the thread that made the map. A measurement that fails widens the bounds. */
void ss_clockmap_refresh(struct ss_clockmap *map, int64_t now_mono_ns);

/** The offsets, one a CPU number, @ncpus of them. Borrowed; change at each refresh. */
const struct ss_clock_offset *ss_clockmap_offsets(const struct ss_clockmap *map, int *ncpus);

void ss_clockmap_free(struct ss_clockmap *map);

#endif
