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
#include "tick/tick.h"

#define MS SS_NSEC_PER_MSEC
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
		assert_int_equal(tick.index, n);
		assert_true(tick.missed >= 0);
		deadlines += 1 + tick.missed;
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
	assert_int_equal(tick.index, 1);
	/* Five deadlines have passed; more when we were stopped even longer. */
	deadlines = tick.missed + 1;
	assert_true(deadlines >= 5);
	assert_int_equal(tick.scheduled_ns, start_ns + deadlines * 2 * MS);
	assert_true(tick.scheduled_ns > before_ns - 2 * MS);
	assert_true(tick.scheduled_ns <= tick.actual_ns);

	wait_for(ss_ticker_fd(ticker));
	assert_int_equal(ss_ticker_read(ticker, &tick), 1);
	deadlines += tick.missed + 1;
	assert_int_equal(tick.index, 2);
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
	assert_int_equal(tick.index, 1);
	assert_int_equal(tick.missed, 0);
	assert_int_equal(tick.scheduled_ns, tick.actual_ns);
	assert_in_range(tick.actual_ns, before_ns, ss_now_ns(CLOCK_MONOTONIC));

	wait_for(ss_ticker_fd(ticker));
	assert_int_equal(ss_ticker_read(ticker, &tick), 1);
	assert_int_equal(tick.index, 2);
	assert_int_equal(tick.scheduled_ns, start_ns + (tick.missed + 1) * MS);
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
	assert_int_equal(tick.index, 1);
	assert_int_equal(tick.scheduled_ns, start_ns + (tick.missed + 1) * MS);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start__first_tick__is_the_baseline),
		cmocka_unit_test(read__before_a_deadline__is_no_tick),
		cmocka_unit_test(read__hundred_ticks__stay_on_the_grid),
		cmocka_unit_test(read__late_reader__counts_what_it_missed),
		cmocka_unit_test(now__extra_tick__leaves_the_grid_as_it_is),
		cmocka_unit_test(start__again__is_a_new_grid),
		cmocka_unit_test(make_punctual__whatever_is_granted__is_told),
	};

	return cmocka_run_group_tests_name("tick", tests, NULL, NULL);
}
