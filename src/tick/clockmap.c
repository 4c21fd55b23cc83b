// SPDX-License-Identifier: GPL-2.0-or-later
#include "tick/clockmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "source/parse.h"

/* Offsets of two CPUs this close are one clock: nothing but one CPU's needs refreshing. */
#define SAME_CLOCK_NS 20000
#define REVISIT_NS SS_NSEC_PER_SEC
#define REVISIT_MIN_NS SS_NSEC_PER_MSEC
/* The rate of drift is known at the second visit: it comes soon, but not too soon to tell it. */
#define FIRST_REVISIT_NS (10 * SS_NSEC_PER_MSEC)
/* Clocks that agree will go on to, unless nothing had been left out of them so far. */
#define REVISIT_ONE_CLOCK_NS (60 * SS_NSEC_PER_SEC)
/* Visits take at most this part of the time. */
#define VISIT_SHARE 20
/* Until it is known: more than NTP slews (500 ppm), about what a busy CPU spends in interrupts. */
#define RATE_UNKNOWN 1e-3
#define TRIES 3

struct ss_clockmap {
	int fd;				/* /proc/thread-self/sched of the measuring thread */
	int ncpus;
	struct ss_clocks clocks;
	struct ss_clock_sight *sight;	/* of a visit; these three one a CPU, owned */
	struct ss_clock_offset *offset;
	int64_t *task_minus_raw_ns;
};

static int64_t distance_of(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void ss_clocks_init(struct ss_clocks *c, int ncpus, bool realtime, struct ss_clock_offset *offset,
		    int64_t *task_minus_raw_ns)
{
	int cpu;

	*c = (struct ss_clocks){
		.ncpus = ncpus,
		.realtime = realtime,
		.wait_ns = FIRST_REVISIT_NS,
		.rate = { RATE_UNKNOWN, RATE_UNKNOWN },
		.offset = offset,
		.task_minus_raw_ns = task_minus_raw_ns,
	};
	for (cpu = 0; cpu < ncpus; cpu++)
		offset[cpu].bound_ns = -1;
}

/* The longest time in which no CPU moves by more than what is one clock, within limits. */
static void adapt(struct ss_clocks *c, int64_t change_ns, int64_t begin_ns, int64_t end_ns)
{
	if (change_ns > SAME_CLOCK_NS)
		c->wait_ns = max_of(c->wait_ns / 2, REVISIT_MIN_NS);
	else
		c->wait_ns *= 2;
	c->wait_ns = max_of(c->wait_ns, (end_ns - begin_ns) * VISIT_SHARE);
	if (c->wait_ns > REVISIT_NS)
		c->wait_ns = REVISIT_NS;
	c->rate[1] = c->rate[0];
	c->rate[0] = (double)change_ns / (double)max_of(begin_ns - c->visited_ns, 1);
}

void ss_clocks_visited(struct ss_clocks *c, const struct ss_clock_sight *sight, int64_t begin_ns,
		       int64_t end_ns)
{
	int64_t low = INT64_MAX, high = INT64_MIN, change = -1;
	int cpu;

	for (cpu = 0; cpu < c->ncpus; cpu++) {
		int64_t raw_ns = sight[cpu].task_minus_mono_ns - sight[cpu].raw_minus_mono_ns;
		bool known = c->offset[cpu].bound_ns >= 0;

		c->offset[cpu].bound_ns = sight[cpu].bound_ns;
		if (sight[cpu].bound_ns < 0)
			continue;
		if (known)
			change = max_of(change, distance_of(raw_ns, c->task_minus_raw_ns[cpu]));
		c->task_minus_raw_ns[cpu] = raw_ns;
		low = raw_ns < low ? raw_ns : low;
		high = max_of(high, raw_ns);
		c->raw_minus_mono_ns = sight[cpu].raw_minus_mono_ns;
	}
	/* They were measured one after the other, and CLOCK_MONOTONIC slewed meanwhile. */
	for (cpu = 0; cpu < c->ncpus; cpu++)
		c->offset[cpu].task_minus_mono_ns = c->task_minus_raw_ns[cpu] +
						    c->raw_minus_mono_ns;
	if (change >= 0)
		adapt(c, change, begin_ns, end_ns);
	c->spread = high > low && high - low > SAME_CLOCK_NS;
	c->own_ns = 0;
	c->visited_ns = begin_ns;
	c->mono_ns = end_ns;
}

/* The clocks of all CPUs but one were not measured for so long. */
static void widen(struct ss_clocks *c, int but, int64_t elapsed_ns, double rate, int64_t least_ns)
{
	int64_t growth = max_of((int64_t)(rate * (double)elapsed_ns), least_ns);
	int cpu;

	for (cpu = 0; cpu < c->ncpus; cpu++)
		if (cpu != but && c->offset[cpu].bound_ns >= 0)
			c->offset[cpu].bound_ns += growth;
}

static double rate_of(const struct ss_clocks *c)
{
	return c->rate[0] > c->rate[1] ? c->rate[0] : c->rate[1];
}

void ss_clocks_measured(struct ss_clocks *c, int cpu, const struct ss_clock_sight *sight)
{
	int64_t slew = sight->raw_minus_mono_ns - c->raw_minus_mono_ns, own = 0, surely = 0;
	int i;

	for (i = 0; i < c->ncpus; i++)
		c->offset[i].task_minus_mono_ns += slew;
	if (c->offset[cpu].bound_ns >= 0) {
		own = sight->task_minus_mono_ns - c->offset[cpu].task_minus_mono_ns;
		/* As one clock they may part slowly; the errors of measurement do not sum up. */
		c->own_ns += own;
		if (!c->spread)
			own = c->own_ns;
		surely = distance_of(own, 0) - sight->bound_ns - c->offset[cpu].bound_ns;
	}
	if (!c->spread && surely > SAME_CLOCK_NS) {
		c->spread = true;
		c->wait_ns = REVISIT_MIN_NS;
	}
	if (c->spread)
		widen(c, cpu, sight->mono_ns - c->mono_ns, rate_of(c), surely);
	c->offset[cpu].task_minus_mono_ns = sight->task_minus_mono_ns;
	c->offset[cpu].bound_ns = sight->bound_ns;
	c->raw_minus_mono_ns = sight->raw_minus_mono_ns;
	c->mono_ns = sight->mono_ns;
}

void ss_clocks_missed(struct ss_clocks *c, int64_t now_mono_ns)
{
	/* Not even the slew is known. */
	widen(c, -1, now_mono_ns - c->mono_ns,
	      rate_of(c) > RATE_UNKNOWN ? rate_of(c) : RATE_UNKNOWN, 0);
	c->spread = true;
	c->mono_ns = now_mono_ns;
}

bool ss_clocks_visit_is_due(const struct ss_clocks *c, int64_t now_mono_ns)
{
	int64_t wait_ns = !c->spread ? REVISIT_ONE_CLOCK_NS : c->realtime ? c->wait_ns : REVISIT_NS;

	return now_mono_ns - c->visited_ns >= wait_ns;
}

int64_t ss_clockmap_lag_max_ns(int64_t tick_ns, const char *nohz_full)
{
	nohz_full += strspn(nohz_full, " \n");
	/* The remote tick of a nohz_full CPU comes once a second (sched_tick_remote()). */
	if (*nohz_full && strncmp(nohz_full, "(null)", strlen("(null)")))
		return 2 * SS_NSEC_PER_SEC;
	return 2 * tick_ns + SS_NSEC_PER_MSEC;
}

/* Measure the CPU that we run on. Returns its number, or negative errno. */
static int measure(int fd, struct ss_clock_sight *sight)
{
	int64_t best = INT64_MAX;
	int i, cpu = -1;

	for (i = 0; i < TRIES; i++) {
		struct ss_reading r = { 0 };
		int64_t first, raw, before, after, distance;
		char text[8192];
		ssize_t n;
		int cpu_before = sched_getcpu();

		first = ss_now_ns(CLOCK_MONOTONIC);
		raw = ss_now_ns(CLOCK_MONOTONIC_RAW);
		before = ss_now_ns(CLOCK_MONOTONIC);
		ss_now_ns(CLOCK_THREAD_CPUTIME_ID);
		after = ss_now_ns(CLOCK_MONOTONIC);
		n = pread(fd, text, sizeof(text), 0);
		if (n < 0)
			return -errno;
		if (ss_parse_sched(text, (size_t)n, &r))
			return -EBADMSG;
		distance = after - first;
		/* A scheduler tick between the two calls would have moved exec_start on. */
		if (sched_getcpu() != cpu_before || distance >= best)
			continue;
		best = distance;
		cpu = cpu_before;
		sight->mono_ns = after;
		sight->task_minus_mono_ns = (int64_t)r.exec_start_ns - (before + after) / 2;
		sight->raw_minus_mono_ns = raw - (first + before) / 2;
		sight->bound_ns = (after - before) / 2 + 1;
		if (distance < 2000)
			break;
	}
	return cpu >= 0 ? cpu : -EAGAIN;
}

/* Go to each CPU that we may run on. The thread's affinity is put back. False: nothing was done. */
static bool visit_all(struct ss_clockmap *map)
{
	int64_t begin_ns = ss_now_ns(CLOCK_MONOTONIC);
	cpu_set_t *allowed = CPU_ALLOC(map->ncpus), *one = CPU_ALLOC(map->ncpus);
	size_t size = CPU_ALLOC_SIZE(map->ncpus);
	bool done = false;
	int cpu;

	if (!allowed || !one || sched_getaffinity(0, size, allowed))
		goto out;
	for (cpu = 0; cpu < map->ncpus; cpu++) {
		map->sight[cpu].bound_ns = -1;
		if (!CPU_ISSET_S(cpu, size, allowed))
			continue;
		CPU_ZERO_S(size, one);
		CPU_SET_S(cpu, size, one);
		if (sched_setaffinity(0, size, one) || measure(map->fd, &map->sight[cpu]) != cpu)
			map->sight[cpu].bound_ns = -1;
	}
	sched_setaffinity(0, size, allowed);
	ss_clocks_visited(&map->clocks, map->sight, begin_ns, ss_now_ns(CLOCK_MONOTONIC));
	done = true;
out:
	CPU_FREE(allowed);
	CPU_FREE(one);
	return done;
}

static bool is_realtime(void)
{
	int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;

	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* Everything but the file. NULL: no memory. */
static struct ss_clockmap *map_alloc(int ncpus)
{
	struct ss_clockmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->fd = -1;
	map->ncpus = ncpus;
	map->sight = calloc((size_t)ncpus, sizeof(*map->sight));
	map->offset = calloc((size_t)ncpus, sizeof(*map->offset));
	map->task_minus_raw_ns = calloc((size_t)ncpus, sizeof(*map->task_minus_raw_ns));
	if (!map->sight || !map->offset || !map->task_minus_raw_ns) {
		ss_clockmap_free(map);
		return NULL;
	}
	ss_clocks_init(&map->clocks, ncpus, is_realtime(), map->offset, map->task_minus_raw_ns);
	return map;
}

int ss_clockmap_new(struct ss_clockmap **out, struct ss_caps *caps)
{
	static const char lost[] = "running and queued threads are seen up to a scheduler tick late "
				   "(quality counter)";
	struct ss_clockmap *map;
	int ncpus = (int)sysconf(_SC_NPROCESSORS_CONF);
	char detail[96];
	int err, cpu, known = 0;

	map = map_alloc(ncpus);
	if (!map)
		return -ENOMEM;
	/* By that name also where /proc is that of another PID namespace. */
	map->fd = open("/proc/thread-self/sched", O_RDONLY | O_CLOEXEC);
	if (map->fd < 0) {
		err = -errno;
		ss_caps_set(caps, "sched-clock", SS_CAP_NO, "/proc/PID/sched is missing", lost,
			    "use a kernel with CONFIG_SCHED_DEBUG");
		ss_clockmap_free(map);
		return err;
	}
	visit_all(map);
	for (cpu = 0; cpu < ncpus; cpu++)
		known += map->offset[cpu].bound_ns >= 0;
	snprintf(detail, sizeof(detail), "measured on %d of %d CPUs, %s", known, ncpus,
		 map->clocks.spread ? "clocks differ per CPU" : "one clock");
	ss_caps_set(caps, "sched-clock", known == ncpus ? SS_CAP_YES : known ? SS_CAP_PARTLY :
		    SS_CAP_NO, detail, known == ncpus ? NULL : lost,
		    known == ncpus ? NULL : "let schedsampler run on all CPUs (taskset, cpuset)");
	*out = map;
	return 0;
}

void ss_clockmap_refresh(struct ss_clockmap *map, int64_t now_mono_ns)
{
	struct ss_clock_sight sight;
	int cpu;

	if (ss_clocks_visit_is_due(&map->clocks, now_mono_ns) && visit_all(map))
		return;
	cpu = measure(map->fd, &sight);
	if (cpu >= 0 && cpu < map->ncpus)
		ss_clocks_measured(&map->clocks, cpu, &sight);
	else
		ss_clocks_missed(&map->clocks, now_mono_ns);
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
	if (map->fd >= 0)
		close(map->fd);
	free(map->sight);
	free(map->offset);
	free(map->task_minus_raw_ns);
	free(map);
}
