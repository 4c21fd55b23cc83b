// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "tick/clockmap.h"
#include "tick/tick.h"

#define US SS_NSEC_PER_USEC
#define MS SS_NSEC_PER_MSEC
#define SEC SS_NSEC_PER_SEC
#define HOUR (3600 * SS_NSEC_PER_SEC)

static void wait_for(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, -1), 1);
}

/* Until that instant of CLOCK_MONOTONIC has passed. */
static void wait_until(int64_t mono_ns)
{
	struct itimerspec its = { .it_value = { mono_ns / SS_NSEC_PER_SEC,
						mono_ns % SS_NSEC_PER_SEC } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0);
	wait_for(fd);
	close(fd);
}

static struct ss_ticker *start(int64_t interval_ns, struct ss_tick *tick)
{
	struct ss_ticker *ticker;

	memset(tick, 0x5a, sizeof(*tick));
	assert_int_equal(ss_ticker_new(&ticker, interval_ns), 0);
	assert_int_equal(ss_ticker_start(ticker, tick), 0);
	return ticker;
}

static void start__first_tick__is_the_baseline(void **state)
{
	int64_t before = ss_now_ns(CLOCK_MONOTONIC), after;
	struct ss_tick tick;
	struct ss_ticker *ticker = start(HOUR, &tick);

	(void)state;
	after = ss_now_ns(CLOCK_MONOTONIC);
	assert_int_equal(tick.index, 0);
	assert_int_equal(tick.missed, 0);
	assert_in_range(tick.scheduled_ns, before, after);
	assert_in_range(tick.actual_ns, tick.scheduled_ns, after);
	ss_ticker_free(ticker);
}

static void read__before_a_deadline__is_no_tick(void **state)
{
	struct ss_tick tick, unchanged;
	struct ss_ticker *ticker = start(HOUR, &tick);

	(void)state;
	unchanged = tick;
	assert_int_equal(ss_ticker_read(ticker, &tick), 0);
	assert_memory_equal(&tick, &unchanged, sizeof(tick));
	ss_ticker_free(ticker);
	ss_ticker_free(NULL);
}

static void read__hundred_ticks__stay_on_the_grid(void **state)
{
	int64_t start_ns, before_ns, deadlines = 0, real_ns;
	struct ss_tick tick;
	struct ss_ticker *ticker = start(1 * MS, &tick);

	(void)state;
	start_ns = tick.scheduled_ns;
	for (int64_t n = 1; n <= 100; n++) {
		wait_for(ss_ticker_fd(ticker));
		before_ns = ss_now_ns(CLOCK_MONOTONIC);
		assert_int_equal(ss_ticker_read(ticker, &tick), 1);
		assert_true(tick.missed >= 0);
		deadlines += 1 + tick.missed;
		assert_int_equal(tick.index, deadlines);
		assert_int_equal(tick.scheduled_ns, start_ns + deadlines * MS);
		/* The latest that has passed. */
		assert_true(tick.scheduled_ns > before_ns - MS);
		assert_true(tick.scheduled_ns <= tick.actual_ns);
	}
	/* The offsets are those of that instant. */
	real_ns = ss_now_ns(CLOCK_REALTIME) - ss_now_ns(CLOCK_MONOTONIC);
	assert_true(llabs(tick.mono_to_real_ns - real_ns) < SS_NSEC_PER_SEC);
	assert_true(tick.mono_to_boot_ns >= -MS);
	ss_ticker_free(ticker);
}

static void read__late_reader__counts_what_it_missed(void **state)
{
	struct ss_tick tick;
	struct ss_ticker *ticker = start(2 * MS, &tick);
	int64_t start_ns = tick.scheduled_ns, before_ns, deadlines;

	(void)state;
	wait_until(start_ns + 11 * MS);
	before_ns = ss_now_ns(CLOCK_MONOTONIC);
	assert_int_equal(ss_ticker_read(ticker, &tick), 1);
	/* Five deadlines have passed; more when we were stopped even longer. */
	deadlines = tick.missed + 1;
	assert_int_equal(tick.index, deadlines);
	assert_true(deadlines >= 5);
	assert_int_equal(tick.scheduled_ns, start_ns + deadlines * 2 * MS);
	assert_true(tick.scheduled_ns > before_ns - 2 * MS);
	assert_true(tick.scheduled_ns <= tick.actual_ns);

	wait_for(ss_ticker_fd(ticker));
	assert_int_equal(ss_ticker_read(ticker, &tick), 1);
	deadlines += tick.missed + 1;
	assert_int_equal(tick.index, deadlines);
	assert_int_equal(tick.scheduled_ns, start_ns + deadlines * 2 * MS);
	ss_ticker_free(ticker);
}

static void now__extra_tick__leaves_the_grid_as_it_is(void **state)
{
	struct ss_tick tick;
	struct ss_ticker *ticker = start(1 * MS, &tick);
	int64_t start_ns = tick.scheduled_ns, before_ns = ss_now_ns(CLOCK_MONOTONIC);

	(void)state;
	ss_ticker_now(ticker, &tick);
	/* Its number is that of the deadline to come. */
	assert_int_equal(tick.index, (tick.actual_ns - start_ns) / MS + 1);
	assert_int_equal(tick.missed, tick.index - 1);
	assert_int_equal(tick.scheduled_ns, tick.actual_ns);
	assert_true(tick.off_grid);
	assert_in_range(tick.actual_ns, before_ns, ss_now_ns(CLOCK_MONOTONIC));

	wait_for(ss_ticker_fd(ticker));
	assert_int_equal(ss_ticker_read(ticker, &tick), 1);
	assert_int_equal(tick.index, tick.missed + 1);
	assert_int_equal(tick.scheduled_ns, start_ns + tick.index * MS);
	assert_false(tick.off_grid);
	ss_ticker_free(ticker);
}

static void settle__windows_end_before_the_tick_is_due(void **state)
{
	struct ss_tick tick;
	struct ss_ticker *ticker;
	int64_t start_ns;

	(void)state;
	assert_int_equal(ss_ticker_new(&ticker, 2 * MS), 0);
	ss_ticker_set_settle(ticker, MS / 2);
	assert_int_equal(ss_ticker_start(ticker, &tick), 0);
	assert_int_equal(tick.end_ns, tick.scheduled_ns - MS / 2);
	assert_int_equal(tick.interval_ns, 2 * MS);
	start_ns = tick.end_ns;
	wait_for(ss_ticker_fd(ticker));
	assert_int_equal(ss_ticker_read(ticker, &tick), 1);
	assert_int_equal(tick.end_ns, start_ns + tick.index * 2 * MS);
	assert_int_equal(tick.scheduled_ns, tick.end_ns + MS / 2);
	ss_ticker_now(ticker, &tick);
	assert_int_equal(tick.end_ns, tick.actual_ns - MS / 2);
	ss_ticker_free(ticker);
}

static void start__again__is_a_new_grid(void **state)
{
	struct ss_tick tick;
	struct ss_ticker *ticker = start(1 * MS, &tick);
	int64_t start_ns;

	(void)state;
	wait_for(ss_ticker_fd(ticker));
	assert_int_equal(ss_ticker_start(ticker, &tick), 0);
	assert_int_equal(tick.index, 0);
	start_ns = tick.scheduled_ns;
	wait_for(ss_ticker_fd(ticker));
	assert_int_equal(ss_ticker_read(ticker, &tick), 1);
	assert_int_equal(tick.index, tick.missed + 1);
	assert_int_equal(tick.scheduled_ns, start_ns + tick.index * MS);
	ss_ticker_free(ticker);
}

struct punctual {
	struct ss_caps caps;
	int policy, slack;
};

static void *make_punctual(void *arg)
{
	struct punctual *p = arg;

	ss_tick_make_punctual(&p->caps);
	p->policy = sched_getscheduler(0);
	p->slack = prctl(PR_GET_TIMERSLACK);
	return NULL;
}

static void make_punctual__whatever_is_granted__is_told(void **state)
{
	struct punctual p = { .policy = -1 };
	const struct ss_cap *cap;
	pthread_t thread;

	(void)state;
	/* In a thread of its own: it would keep what it was granted. */
	assert_int_equal(pthread_create(&thread, NULL, make_punctual, &p), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	cap = ss_caps_find(&p.caps, "realtime-ticks");
	assert_non_null(cap);
	assert_int_equal(cap->state == SS_CAP_YES, p.policy == (SCHED_FIFO | SCHED_RESET_ON_FORK));
	assert_int_equal(cap->state == SS_CAP_YES, !*cap->remedy);
	/* Kernels since 6.13 have none at all for real-time threads. */
	assert_in_range(p.slack, 0, 1);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

#define CPUS 3
#define ERR 100		/* bound of all measurements */

/* Clocks of a machine: what was left out of each CPU's, and how far CLOCK_MONOTONIC was slewed. */
static struct {
	struct ss_clocks clocks;
	struct ss_clock_offset offset[CPUS];
	int64_t task_minus_raw[CPUS];
	int64_t left_out[CPUS], slew;
} m;

static struct ss_clock_sight sight_of(int cpu, int64_t mono_ns)
{
	return (struct ss_clock_sight){
		.mono_ns = mono_ns,
		.task_minus_mono_ns = -7 * MS - m.slew - m.left_out[cpu],
		.raw_minus_mono_ns = -m.slew,
		.bound_ns = ERR,
	};
}

static void visit(int64_t mono_ns)
{
	struct ss_clock_sight sight[CPUS];

	for (int cpu = 0; cpu < CPUS; cpu++)
		sight[cpu] = sight_of(cpu, mono_ns);
	ss_clocks_visited(&m.clocks, sight, mono_ns, mono_ns);
}

static void measured(int cpu, int64_t mono_ns)
{
	struct ss_clock_sight sight = sight_of(cpu, mono_ns);

	ss_clocks_measured(&m.clocks, cpu, &sight);
}

/* A machine whose CPUs are this far apart, seen first at 0. */
static void boot(int64_t apart, bool realtime)
{
	memset(&m, 0, sizeof(m));
	for (int cpu = 0; cpu < CPUS; cpu++)
		m.left_out[cpu] = cpu * apart;
	ss_clocks_init(&m.clocks, CPUS, realtime, m.offset, m.task_minus_raw);
	visit(0);
	assert_int_equal(m.clocks.spread, apart > 20 * US);
}

static void assert_bounds_hold(void)
{
	for (int cpu = 0; cpu < CPUS; cpu++)
		assert_in_range(llabs(m.offset[cpu].task_minus_mono_ns -
				      sight_of(cpu, 0).task_minus_mono_ns),
				0, m.offset[cpu].bound_ns);
}

static void clocks__monotonic_is_slewed__all_follow(void **state)
{
	(void)state;
	for (int apart = 0; apart <= 1; apart++) {
		boot(apart * 5 * MS, true);
		/* Ten times what NTP does, as adjtimex() can. */
		for (int64_t t = 50 * MS; t <= SEC; t += 50 * MS) {
			m.slew = t / 200;
			measured(0, t);
		}
		assert_int_equal(m.clocks.spread, apart);
		for (int cpu = 0; cpu < CPUS; cpu++)
			assert_int_equal(m.offset[cpu].task_minus_mono_ns,
					 sight_of(cpu, 0).task_minus_mono_ns);
		assert_int_equal(m.offset[0].bound_ns, ERR);
		if (!apart)
			assert_int_equal(m.offset[1].bound_ns, ERR);
	}
}

static void clocks__steal_on_this_cpu__is_not_the_others(void **state)
{
	(void)state;
	boot(0, true);
	/* Long seen in peace. */
	for (int i = 10; i > 0; i--)
		visit(-i * SEC);
	visit(0);
	measured(0, 50 * MS);
	m.left_out[0] = 200 * MS;
	measured(0, 100 * MS);
	assert_int_equal(m.offset[0].task_minus_mono_ns, -207 * MS);
	assert_int_equal(m.offset[0].bound_ns, ERR);
	/* What befell one may have befallen the others. */
	assert_int_equal(m.offset[1].task_minus_mono_ns, -7 * MS);
	assert_in_range(m.offset[1].bound_ns, 199 * MS, 201 * MS);
	assert_true(m.clocks.spread);
	assert_true(ss_clocks_visit_is_due(&m.clocks, 101 * MS));
	visit(101 * MS);
	assert_true(m.clocks.spread);
	assert_int_equal(m.offset[1].bound_ns, ERR);
	assert_bounds_hold();
}

static void clocks__interrupts_on_this_cpu__are_told_from_a_slew(void **state)
{
	int64_t t;

	(void)state;
	boot(0, true);
	/* 400 ppm, less than NTP can slew; no single tick of 10 ms shows more than 4 us. */
	for (t = 10 * MS; t <= SEC && !m.clocks.spread; t += 10 * MS) {
		m.left_out[0] = t / 2500;
		measured(0, t);
		assert_true(llabs(m.offset[1].task_minus_mono_ns + 7 * MS) <= 20 * US);
	}
	assert_in_range(t, 50 * MS, 80 * MS);
	assert_true(ss_clocks_visit_is_due(&m.clocks, t));
}

static void clocks__errors_of_measurement__do_not_part_them(void **state)
{
	(void)state;
	boot(0, true);
	for (int64_t t = 1; t < 10000; t++) {
		m.left_out[t % CPUS] = t / CPUS % 2 * ERR;
		measured((int)(t % CPUS), t * 5 * MS);
	}
	assert_false(m.clocks.spread);
}

static void clocks__drift_of_all_cpus_alike__ends_with_the_visit(void **state)
{
	(void)state;
	boot(0, true);
	for (int t = 1; t <= 10; t++) {
		for (int cpu = 0; cpu < CPUS; cpu++)
			m.left_out[cpu] += 15 * US;
		measured(0, t * 100 * MS);
		assert_false(m.clocks.spread);
		visit(t * 100 * MS + MS);
	}
}

static void clocks__one_clock__is_looked_at_once_a_minute(void **state)
{
	(void)state;
	boot(0, true);
	assert_false(ss_clocks_visit_is_due(&m.clocks, 60 * SEC - 1));
	assert_true(ss_clocks_visit_is_due(&m.clocks, 60 * SEC));
	/* Another CPU than the one that the ticks run on. */
	m.left_out[2] = 1 * MS;
	visit(60 * SEC);
	assert_true(m.clocks.spread);
	assert_true(ss_clocks_visit_is_due(&m.clocks, 61 * SEC));
}

static void clocks__not_measured__bound_grows_by_the_fastest_drift(void **state)
{
	(void)state;
	boot(5 * MS, true);
	/* Not known yet: 1000 ppm are assumed. */
	measured(0, 1 * MS);
	assert_int_equal(m.offset[1].bound_ns, ERR + 1 * US);
	for (int i = 1; i <= 2; i++) {
		m.left_out[2] += 3 * MS;
		visit(i * SEC);
	}
	for (int64_t t = 1; t <= 10; t++) {
		m.left_out[2] += 30 * US;
		measured(0, 2 * SEC + t * 10 * MS);
		assert_bounds_hold();
	}
	assert_int_equal(m.offset[0].bound_ns, ERR);
	assert_int_equal(m.offset[1].bound_ns, ERR + 300 * US);
	/* The thread went to another CPU; that one's own drift is known to be its own. */
	measured(2, 2 * SEC + 110 * MS);
	assert_int_equal(m.offset[0].bound_ns, ERR + 30 * US);
	assert_int_equal(m.offset[1].bound_ns, ERR + 330 * US);
	assert_int_equal(m.offset[2].bound_ns, ERR);
	/* A drift here that the rate did not foresee may be theirs too. */
	m.left_out[2] += 1 * MS;
	measured(2, 2 * SEC + 120 * MS);
	assert_int_equal(m.offset[1].bound_ns, ERR + 330 * US + 1 * MS - 2 * ERR);
	/* The larger of the last two. */
	visit(3 * SEC);
	visit(4 * SEC);
	measured(0, 4 * SEC + 10 * MS);
	assert_in_range(m.offset[1].bound_ns, ERR + 1, ERR + 20 * US);
	visit(5 * SEC);
	measured(0, 5 * SEC + 10 * MS);
	assert_int_equal(m.offset[1].bound_ns, ERR);
}

/* Visit when due. Returns how long that was. */
static int64_t wait_for_visit(int64_t *now, int64_t change)
{
	int64_t since = *now;

	while (!ss_clocks_visit_is_due(&m.clocks, *now))
		*now += 10 * US;
	m.left_out[1] += change;
	visit(*now);
	return *now - since;
}

static void clocks__visits__come_as_often_as_the_clocks_move(void **state)
{
	int64_t now = 0, wait = 10 * MS;

	(void)state;
	boot(5 * MS, true);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(wait_for_visit(&now, 20 * US), wait);
		wait = wait * 2 < SEC ? wait * 2 : SEC;
	}
	for (int i = 0; i < 14; i++) {
		assert_int_equal(wait_for_visit(&now, 20 * US + 1) / MS, wait / MS);
		wait = wait / 2 > MS ? wait / 2 : MS;
	}
	assert_int_equal(wait, MS);

	/* A visit waits for busy CPUs: not more often, whatever they do. */
	boot(5 * MS, false);
	now = 0;
	for (int i = 0; i < 4; i++)
		assert_int_equal(wait_for_visit(&now, 1 * MS), SEC);
}

static void clocks__visits_that_take_long__come_less_often(void **state)
{
	struct ss_clock_sight sight[CPUS];

	(void)state;
	boot(5 * MS, true);
	for (int cpu = 0; cpu < CPUS; cpu++)
		sight[cpu] = sight_of(cpu, 10 * MS);
	ss_clocks_visited(&m.clocks, sight, 10 * MS, 15 * MS);
	assert_false(ss_clocks_visit_is_due(&m.clocks, 109 * MS));
	assert_true(ss_clocks_visit_is_due(&m.clocks, 110 * MS));
}

static void clocks__measurement_fails__widens_all_bounds(void **state)
{
	(void)state;
	boot(0, true);
	m.slew = 25 * US;
	ss_clocks_missed(&m.clocks, 50 * MS);
	for (int cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(m.offset[cpu].bound_ns, ERR + 50 * US);
	assert_bounds_hold();
	assert_true(ss_clocks_visit_is_due(&m.clocks, 51 * MS));
}

static void clocks__cpu_that_cannot_be_visited__stays_unknown(void **state)
{
	struct ss_clock_sight sight[CPUS];

	(void)state;
	boot(5 * MS, true);
	for (int cpu = 0; cpu < CPUS; cpu++)
		sight[cpu] = sight_of(cpu, SEC);
	sight[1] = (struct ss_clock_sight){ .bound_ns = -1 };
	ss_clocks_visited(&m.clocks, sight, SEC, SEC);
	assert_int_equal(m.offset[1].bound_ns, -1);
	measured(0, SEC + 50 * MS);
	assert_int_equal(m.offset[1].bound_ns, -1);
	ss_clocks_missed(&m.clocks, SEC + 100 * MS);
	assert_int_equal(m.offset[1].bound_ns, -1);
	measured(1, SEC + 150 * MS);
	assert_int_equal(m.offset[1].task_minus_mono_ns, -12 * MS);
	assert_int_equal(m.offset[1].bound_ns, ERR);
}

static void clockmap__this_machine__shows_where_it_stands(void **state)
{
	const struct ss_clock_offset *offset;
	struct ss_caps caps = { .n = 0 };
	struct ss_clockmap *map;
	int ncpus, known = 0;

	(void)state;
	if (ss_clockmap_new(&map, &caps) == -ENOENT)
		skip();
	for (int i = 0; i < 3; i++)
		ss_clockmap_refresh(map, ss_now_ns(CLOCK_MONOTONIC));
	offset = ss_clockmap_offsets(map, &ncpus);
	for (int cpu = 0; cpu < ncpus; cpu++)
		known += offset[cpu].bound_ns >= 0;
	assert_in_range(known, 1, ncpus);
	ss_clockmap_free(map);
	ss_clockmap_free(NULL);
}

static void lag_max__nohz_full_cpus__have_one_tick_a_second(void **state)
{
	(void)state;
	assert_int_equal(ss_clockmap_lag_max_ns(4 * MS, ""), 9 * MS);
	assert_int_equal(ss_clockmap_lag_max_ns(4 * MS, "\n"), 9 * MS);
	assert_int_equal(ss_clockmap_lag_max_ns(1 * MS, "(null)\n"), 3 * MS);
	assert_int_equal(ss_clockmap_lag_max_ns(4 * MS, "  (null)\n"), 9 * MS);
	assert_int_equal(ss_clockmap_lag_max_ns(4 * MS, "2-7\n"), 2 * SEC);
	assert_int_equal(ss_clockmap_lag_max_ns(4 * MS, "3"), 2 * SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start__first_tick__is_the_baseline),
		cmocka_unit_test(read__before_a_deadline__is_no_tick),
		cmocka_unit_test(read__hundred_ticks__stay_on_the_grid),
		cmocka_unit_test(read__late_reader__counts_what_it_missed),
		cmocka_unit_test(now__extra_tick__leaves_the_grid_as_it_is),
		cmocka_unit_test(settle__windows_end_before_the_tick_is_due),
		cmocka_unit_test(start__again__is_a_new_grid),
		cmocka_unit_test(make_punctual__whatever_is_granted__is_told),
		cmocka_unit_test(clocks__monotonic_is_slewed__all_follow),
		cmocka_unit_test(clocks__steal_on_this_cpu__is_not_the_others),
		cmocka_unit_test(clocks__interrupts_on_this_cpu__are_told_from_a_slew),
		cmocka_unit_test(clocks__errors_of_measurement__do_not_part_them),
		cmocka_unit_test(clocks__drift_of_all_cpus_alike__ends_with_the_visit),
		cmocka_unit_test(clocks__one_clock__is_looked_at_once_a_minute),
		cmocka_unit_test(clocks__not_measured__bound_grows_by_the_fastest_drift),
		cmocka_unit_test(clocks__visits__come_as_often_as_the_clocks_move),
		cmocka_unit_test(clocks__visits_that_take_long__come_less_often),
		cmocka_unit_test(clocks__measurement_fails__widens_all_bounds),
		cmocka_unit_test(clocks__cpu_that_cannot_be_visited__stays_unknown),
		cmocka_unit_test(clockmap__this_machine__shows_where_it_stands),
		cmocka_unit_test(lag_max__nohz_full_cpus__have_one_tick_a_second),
	};

	return cmocka_run_group_tests_name("tick", tests, NULL, NULL);
}
