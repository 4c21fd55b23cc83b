// SPDX-License-Identifier: GPL-2.0-or-later
#include "tick/clockmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "source/parse.h"

/* Offsets of two CPUs this close are one clock: nothing but one CPU's needs refreshing. */
#define SAME_CLOCK_NS 20000
#define REVISIT_NS SS_NSEC_PER_SEC
#define TRIES 3

struct ss_clockmap {
	int fd;				/* /proc/self/task/TID/sched of the measuring thread */
	int ncpus;
	bool spread;			/* the CPUs' clocks differ */
	int64_t visited_ns;		/* when all CPUs were last measured */
	struct ss_clock_offset offset[];
};

/* Measure the CPU that we run on. Returns its number, or negative errno. */
static int measure(int fd, struct ss_clock_offset *offset)
{
	int64_t best = INT64_MAX;
	int i, cpu = -1;

	for (i = 0; i < TRIES; i++) {
		struct ss_reading r = { 0 };
		int64_t before, after, distance;
		char text[8192];
		ssize_t n;
		int cpu_before = sched_getcpu();

		before = ss_now_ns(CLOCK_MONOTONIC);
		ss_now_ns(CLOCK_THREAD_CPUTIME_ID);
		after = ss_now_ns(CLOCK_MONOTONIC);
		n = pread(fd, text, sizeof(text), 0);
		if (n < 0)
			return -errno;
		if (ss_parse_sched(text, (size_t)n, &r))
			return -EBADMSG;
		distance = after - before;
		/* A scheduler tick between the two calls would have moved exec_start on. */
		if (sched_getcpu() != cpu_before || distance >= best)
			continue;
		best = distance;
		cpu = cpu_before;
		offset->task_minus_mono_ns = (int64_t)r.exec_start_ns - (before + distance / 2);
		offset->bound_ns = distance / 2 + 1;
		if (distance < 2000)
			break;
	}
	return cpu >= 0 ? cpu : -EAGAIN;
}

/* Go to each CPU that we may run on. The thread's affinity is put back. */
static void visit_all(struct ss_clockmap *map, int64_t now_mono_ns)
{
	int64_t low = INT64_MAX, high = INT64_MIN;
	cpu_set_t *allowed = CPU_ALLOC(map->ncpus), *one = CPU_ALLOC(map->ncpus);
	size_t size = CPU_ALLOC_SIZE(map->ncpus);
	int cpu;

	if (!allowed || !one || sched_getaffinity(0, size, allowed))
		goto out;
	for (cpu = 0; cpu < map->ncpus; cpu++) {
		struct ss_clock_offset offset;

		map->offset[cpu].bound_ns = -1;
		if (!CPU_ISSET_S(cpu, size, allowed))
			continue;
		CPU_ZERO_S(size, one);
		CPU_SET_S(cpu, size, one);
		if (sched_setaffinity(0, size, one) || measure(map->fd, &offset) != cpu)
			continue;
		map->offset[cpu] = offset;
		low = offset.task_minus_mono_ns < low ? offset.task_minus_mono_ns : low;
		high = offset.task_minus_mono_ns > high ? offset.task_minus_mono_ns : high;
	}
	sched_setaffinity(0, size, allowed);
	map->spread = high > low && high - low > SAME_CLOCK_NS;
	map->visited_ns = now_mono_ns;
out:
	CPU_FREE(allowed);
	CPU_FREE(one);
}

int ss_clockmap_new(struct ss_clockmap **out, struct ss_caps *caps)
{
	static const char lost[] = "running and queued threads are seen up to a scheduler tick late "
				   "(quality counter)";
	struct ss_clockmap *map;
	int ncpus = (int)sysconf(_SC_NPROCESSORS_CONF);
	char path[64], detail[96];
	int err, cpu, known = 0;

	map = calloc(1, sizeof(*map) + (size_t)ncpus * sizeof(map->offset[0]));
	if (!map)
		return -ENOMEM;
	map->ncpus = ncpus;
	snprintf(path, sizeof(path), "/proc/self/task/%d/sched", gettid());
	map->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (map->fd < 0) {
		err = -errno;
		ss_caps_set(caps, "sched-clock", SS_CAP_NO, "/proc/PID/sched is missing", lost,
			    "use a kernel with CONFIG_SCHED_DEBUG");
		free(map);
		return err;
	}
	visit_all(map, ss_now_ns(CLOCK_MONOTONIC));
	for (cpu = 0; cpu < ncpus; cpu++)
		known += map->offset[cpu].bound_ns >= 0;
	snprintf(detail, sizeof(detail), "measured on %d of %d CPUs, %s", known, ncpus,
		 map->spread ? "clocks differ per CPU" : "one clock");
	ss_caps_set(caps, "sched-clock", known == ncpus ? SS_CAP_YES : known ? SS_CAP_PARTLY :
		    SS_CAP_NO, detail, known == ncpus ? NULL : lost,
		    known == ncpus ? NULL : "let schedsampler run on all CPUs (taskset, cpuset)");
	*out = map;
	return 0;
}

void ss_clockmap_refresh(struct ss_clockmap *map, int64_t now_mono_ns)
{
	struct ss_clock_offset fresh;
	int64_t drift;
	int i, cpu;

	if (map->spread && now_mono_ns - map->visited_ns >= REVISIT_NS) {
		visit_all(map, now_mono_ns);
		return;
	}
	cpu = measure(map->fd, &fresh);
	if (cpu < 0 || cpu >= map->ncpus)
		return;
	/*
	 * CLOCK_MONOTONIC is slewed against the scheduler's clock alike on all CPUs. Where the CPUs
	 * differ, the others' own drift since the last visit is not known, only this one's.
	 */
	drift = map->offset[cpu].bound_ns < 0 ? 0 :
		fresh.task_minus_mono_ns - map->offset[cpu].task_minus_mono_ns;
	for (i = 0; i < map->ncpus; i++) {
		if (i == cpu || map->offset[i].bound_ns < 0)
			continue;
		map->offset[i].task_minus_mono_ns += map->spread ? 0 : drift;
		if (map->spread)
			map->offset[i].bound_ns += drift < 0 ? -drift : drift;
	}
	map->offset[cpu] = fresh;
}

const struct ss_clock_offset *ss_clockmap_offsets(const struct ss_clockmap *map, int *ncpus)
{
	*ncpus = map->ncpus;
	return map->offset;
}

void ss_clockmap_free(struct ss_clockmap *map)
{
	if (!map)
		return;
	close(map->fd);
	free(map);
}
