// SPDX-License-Identifier: GPL-2.0-or-later
#include "account.h"

#include "base/util.h"
#include "source/snapshot.h"

#define RQ_OFFSET (5000 * MS)	/* add to CLOCK_MONOTONIC for rq->clock */
#define SKEW (2 * MS)		/* rq->clock_task is behind that by this */
#define RUNNING (SS_SNAPSHOT_CURRENT | SS_SNAPSHOT_QUEUED)

static const struct ss_snapshot_clock now_clock = { .mono_to_rq_ns = RQ_OFFSET,
						    .lag_max_ns = 9 * MS };

static uint64_t rq(int64_t mono_ns)
{
	return (uint64_t)(mono_ns + RQ_OFFSET);
}

/* A thread on a runqueue whose clock is 3 ms behind; tests change what they are about. */
static struct ss_snapshot seen(int64_t mono_ns, uint32_t task_state, uint32_t flags)
{
	return (struct ss_snapshot){
		.mono_ns = (uint64_t)mono_ns,
		.runtime_ns = 100 * MS,
		.run_delay_ns = 10 * MS,
		.pcount = 50,
		.nvcsw = 40,
		.nivcsw = 10,
		.clock_ns = rq(mono_ns - 3 * MS),
		.clock_task_ns = rq(mono_ns - 3 * MS) - SKEW,
		.exec_start_ns = rq(mono_ns - 5 * MS) - SKEW,
		.last_arrival_ns = rq(mono_ns - 20 * MS),
		.state = task_state,
		.cpu = 1,
		.flags = (uint16_t)flags,
	};
}

static struct ss_reading read_of(const struct ss_snapshot *s)
{
	struct ss_snapshot_sleep sleep = { 0 };
	struct ss_reading r;

	assert_true(ss_snapshot_read(s, &now_clock, &sleep, NULL, &r));
	return r;
}

static void snapshot__on_a_cpu__holds_what_the_clock_does_not_show_yet(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, RUNNING);
	struct ss_reading r = read_of(&s);

	(void)state;
	assert_int_equal(r.phase, SS_PHASE_RUN);
	assert_int_equal(r.state, SS_STATE_RUNNABLE);
	assert_int_equal(r.mono_ns, 1000 * MS);
	assert_int_equal(r.run_ns, 105 * MS);
	assert_int_equal(r.rq_ns, 10 * MS);
	assert_int_equal(r.since_ns, 980 * MS);
	assert_int_equal(r.cpu, 1);
	assert_int_equal(r.bound_ns, 0);
	/* About to sleep, it runs still. */
	s.state = 1;
	r = read_of(&s);
	assert_int_equal(r.phase, SS_PHASE_RUN);
	assert_int_equal(r.nvcsw, 40);
}

static void snapshot__clock_ahead_of_its_translation__is_believed(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, RUNNING);

	(void)state;
	s.clock_ns = rq(1000 * MS) + 30;
	s.clock_task_ns = s.clock_ns - SKEW;
	assert_int_equal(read_of(&s).run_ns, 105 * MS + 30);
}

static void snapshot__cpu_that_stands_still__has_a_bound(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, RUNNING);
	struct ss_reading r;

	(void)state;
	s.clock_ns = rq(980 * MS);
	s.clock_task_ns = s.clock_ns - SKEW;
	s.exec_start_ns = s.clock_task_ns - MS;
	r = read_of(&s);
	assert_int_equal(r.run_ns, 101 * MS);
	assert_int_equal(r.bound_ns, 20 * MS);
}

static void snapshot__queued__waits_since_it_was_stamped(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, SS_SNAPSHOT_QUEUED);
	struct ss_reading r;

	(void)state;
	s.last_queued_ns = rq(993 * MS);
	r = read_of(&s);
	assert_int_equal(r.phase, SS_PHASE_QUEUE);
	assert_int_equal(r.run_ns, 100 * MS);
	assert_int_equal(r.rq_ns, 17 * MS);
	assert_int_equal(r.since_ns, 993 * MS);
	/* Between two runqueues, or being woken, it has no stamp. */
	s.last_queued_ns = 0;
	r = read_of(&s);
	assert_int_equal(r.rq_ns, 10 * MS);
	assert_int_equal(r.since_ns, 1000 * MS);
	s.flags = 0;
	s.state = 0x200;
	assert_int_equal(read_of(&s).phase, SS_PHASE_QUEUE);
}

static void snapshot__just_switched_in__has_the_wait_that_is_not_counted_yet(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, RUNNING);

	(void)state;
	s.last_queued_ns = rq(990 * MS);
	assert_int_equal(read_of(&s).rq_ns, 17 * MS);
}

static void snapshot__leaving_its_cpu__is_asleep(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 1, SS_SNAPSHOT_CURRENT);
	struct ss_snapshot_sleep sleep = { 0 };
	struct ss_reading r = read_of(&s), later;

	(void)state;
	assert_int_equal(r.phase, SS_PHASE_SLEEP);
	assert_int_equal(r.run_ns, 100 * MS);
	assert_int_equal(r.since_ns, 995 * MS);
	assert_int_equal(r.nvcsw, 41);
	/* Taken back: it goes on, and no switch is ever counted. */
	s = seen(1050 * MS, 0, RUNNING);
	assert_true(ss_snapshot_read(&s, &now_clock, &sleep, &r, &later));
	assert_int_equal(later.nvcsw, 41);
}

static void snapshot__states__are_told_apart(void **state)
{
	static const struct {
		uint32_t state, flags;
		enum ss_phase phase;
		enum ss_state reported;
	} cases[] = {
		{ 0x0001, 0, SS_PHASE_SLEEP, SS_STATE_SLEEP },
		{ 0x2001, SS_SNAPSHOT_IOWAIT, SS_PHASE_SLEEP, SS_STATE_SLEEP },	/* freezable */
		{ 0x0402, 0, SS_PHASE_SLEEP, SS_STATE_SLEEP },		/* idle */
		{ 0x0040, 0, SS_PHASE_SLEEP, SS_STATE_SLEEP },		/* parked */
		{ 0x0002, 0, SS_PHASE_BLOCK, SS_STATE_BLOCK },
		{ 0x0102, SS_SNAPSHOT_IOWAIT, SS_PHASE_IOWAIT, SS_STATE_BLOCK },	/* killable */
		{ 0x1000, 0, SS_PHASE_BLOCK, SS_STATE_BLOCK },		/* a sleeping spinlock */
		{ 0x8000, 0, SS_PHASE_BLOCK, SS_STATE_BLOCK },		/* frozen */
		{ 0x0104, 0, SS_PHASE_STOP, SS_STATE_STOP },
		{ 0x0008, 0, SS_PHASE_STOP, SS_STATE_STOP },
		{ 0x0080, SS_SNAPSHOT_DEAD, SS_PHASE_UNKNOWN, SS_STATE_DEAD },
		{ 0x0000, SS_SNAPSHOT_DEAD | RUNNING, SS_PHASE_RUN, SS_STATE_RUNNABLE },
		{ 0x0800, 0, SS_PHASE_QUEUE, SS_STATE_RUNNABLE },	/* not yet woken */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ss_snapshot s = seen(1000 * MS, cases[i].state, cases[i].flags);
		struct ss_reading r = read_of(&s);

		assert_int_equal(r.phase, cases[i].phase);
		assert_int_equal(r.state, cases[i].reported);
	}
}

static void snapshot__torn__is_no_reading(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 1, SS_SNAPSHOT_TORN);
	struct ss_snapshot_sleep sleep = { .counted_ns = 7 }, before = sleep;
	struct ss_reading r;

	(void)state;
	s.last_queued_ns = rq(990 * MS);
	assert_false(ss_snapshot_read(&s, &now_clock, &sleep, NULL, &r));
	assert_memory_equal(&sleep, &before, sizeof(sleep));
}

static void snapshot__moved_while_asleep__does_not_know_since_when(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 1, 0);

	(void)state;
	assert_int_equal(read_of(&s).since_ns, 995 * MS);
	s.exec_start_ns = 0;
	assert_int_equal(read_of(&s).since_ns, INT64_MIN);
}

static void snapshot__counter_behind_the_last_one__keeps_it_and_has_a_bound(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, RUNNING), later = seen(1004 * MS, 1, 0);
	struct ss_snapshot_sleep sleep = { 0 };
	struct ss_reading prev = read_of(&s), r;

	(void)state;
	/* Of what was thought to be in flight, the hypervisor took 1 ms. */
	later.runtime_ns = 104 * MS;
	assert_true(ss_snapshot_read(&later, &now_clock, &sleep, &prev, &r));
	assert_int_equal(r.run_ns, 105 * MS);
	assert_int_equal(r.bound_ns, MS);
}

/* Asleep since 900, stamped as queued at 960, woken at 1060, on a CPU at 1070. */
static void snapshot__sleep_stamped_as_waiting__is_taken_out_again(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 1, 0);
	struct ss_snapshot_sleep sleep = { 0 };
	struct ss_account a;
	struct ss_parts p;
	struct ss_reading r;

	(void)state;
	s.exec_start_ns = rq(900 * MS) - SKEW;
	s.last_queued_ns = rq(960 * MS);
	assert_true(ss_snapshot_read(&s, &now_clock, &sleep, NULL, &r));
	assert_int_equal(r.phase, SS_PHASE_SLEEP);
	assert_int_equal(r.rq_ns, 10 * MS);
	ss_account_open(&a, &r, &env);

	/* Still asleep: exact. */
	s.mono_ns = 1050 * MS;
	assert_true(ss_snapshot_read(&s, &now_clock, &sleep, &a.prev, &r));
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);

	/* Queued: for 15 ms at most, 5 of which it slept. */
	s.mono_ns = 1065 * MS;
	s.state = 0;
	s.flags = SS_SNAPSHOT_QUEUED;
	assert_true(ss_snapshot_read(&s, &now_clock, &sleep, &a.prev, &r));
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 0, 15 * MS, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 15 * MS);

	/* The kernel has added 110 ms to its wait. */
	s = seen(1100 * MS, 0, RUNNING);
	s.runtime_ns = 125 * MS;
	s.run_delay_ns = 120 * MS;
	s.pcount = 51;
	assert_true(ss_snapshot_read(&s, &now_clock, &sleep, &a.prev, &r));
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 30 * MS, 5 * MS, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);

	/* That is over. */
	s.mono_ns = 1103 * MS;
	assert_true(ss_snapshot_read(&s, &now_clock, &sleep, &a.prev, &r));
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 3 * MS, 0, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
}

static void snapshot__one_wait_for_a_disk__is_iowait(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, RUNNING);
	struct ss_snapshot_sleep sleep = { 0 };
	struct ss_account a;
	struct ss_parts p;
	struct ss_reading r = read_of(&s);

	(void)state;
	ss_account_open(&a, &r, &env);
	s = seen(1050 * MS, 2, SS_SNAPSHOT_IOWAIT);
	s.runtime_ns = 115 * MS;
	s.exec_start_ns = rq(1010 * MS) - SKEW;
	s.nvcsw = 41;
	assert_true(ss_snapshot_read(&s, &now_clock, &sleep, &a.prev, &r));
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 10 * MS, 0, 0, 0, 40 * MS, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
	assert_true(p.have & SS_PART_BLOCK);
	assert_true(p.have & SS_PART_IOWAIT);
}

static void snapshot__dead__ended_when_it_was_switched_out(void **state)
{
	struct ss_snapshot s = seen(1000 * MS, 0, RUNNING);
	struct ss_account a;
	struct ss_parts p;
	struct ss_reading r = read_of(&s);

	(void)state;
	ss_account_open(&a, &r, &env);
	s = seen(1050 * MS, 0x80, SS_SNAPSHOT_DEAD);
	s.runtime_ns = 125 * MS;
	s.exec_start_ns = rq(1020 * MS) - SKEW;
	s.nvcsw = 41;
	r = read_of(&s);
	ss_account_close_exit(&a, &r, r.mono_ns, true, &env, &p);
	assert_int_equal(p.wall_ns, 20 * MS);
	assert_parts(&p, 20 * MS, 0, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
}

static void snapshot__slept_on__closes_as_a_reading_would(void **state)
{
	static const struct {
		uint32_t state, flags;
	} cases[] = {
		{ 0x0001, 0 }, { 0x0002, 0 }, { 0x0002, SS_SNAPSHOT_IOWAIT }, { 0x0004, 0 },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(cases); i++) {
		struct ss_snapshot s = seen(1000 * MS, cases[i].state, cases[i].flags);
		struct ss_reading r = read_of(&s);
		struct ss_account read, unread;
		struct ss_parts p, q;

		assert_true(ss_snapshot_may_sleep_on(&s, &r));
		ss_account_open(&read, &r, &env);
		unread = read;
		s = seen(1050 * MS, cases[i].state, cases[i].flags);
		s.exec_start_ns = rq(995 * MS) - SKEW;
		r = read_of(&s);
		ss_account_close(&read, &r, &env, &p);
		ss_account_close_asleep(&unread, 1050 * MS, 1050 * MS, &q);
		assert_memory_equal(&p, &q, sizeof(p));
		assert_int_equal(q.quality, SS_QUALITY_SNAPSHOT);
		/* Nor does the window after it know the difference. */
		s = seen(1100 * MS, 0, RUNNING);
		s.pcount++;
		s.runtime_ns += 5 * MS;
		s.last_arrival_ns = rq(1088 * MS);
		r = read_of(&s);
		ss_account_close(&read, &r, &env, &p);
		ss_account_close(&unread, &r, &env, &q);
		assert_memory_equal(&p, &q, sizeof(p));
	}
}

static void snapshot__not_off_its_runqueue__does_not_just_sleep_on(void **state)
{
	static const struct {
		uint32_t state, flags;
	} cases[] = {
		{ 0, RUNNING }, { 0, SS_SNAPSHOT_QUEUED }, { 1, SS_SNAPSHOT_CURRENT },
		{ 1, SS_SNAPSHOT_DELAYED }, { 0, 0 }, { 0x0200, 0 }, { 0x0080, SS_SNAPSHOT_DEAD },
	};
	struct ss_snapshot s;
	struct ss_reading r;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(cases); i++) {
		s = seen(1000 * MS, cases[i].state, cases[i].flags);
		r = read_of(&s);
		assert_false(ss_snapshot_may_sleep_on(&s, &r));
	}
	/* What will join run_delay changes while it sleeps. */
	s = seen(1000 * MS, 1, 0);
	s.last_queued_ns = rq(990 * MS);
	r = read_of(&s);
	assert_false(ss_snapshot_may_sleep_on(&s, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot__on_a_cpu__holds_what_the_clock_does_not_show_yet),
		cmocka_unit_test(snapshot__clock_ahead_of_its_translation__is_believed),
		cmocka_unit_test(snapshot__cpu_that_stands_still__has_a_bound),
		cmocka_unit_test(snapshot__queued__waits_since_it_was_stamped),
		cmocka_unit_test(snapshot__just_switched_in__has_the_wait_that_is_not_counted_yet),
		cmocka_unit_test(snapshot__leaving_its_cpu__is_asleep),
		cmocka_unit_test(snapshot__states__are_told_apart),
		cmocka_unit_test(snapshot__torn__is_no_reading),
		cmocka_unit_test(snapshot__moved_while_asleep__does_not_know_since_when),
		cmocka_unit_test(snapshot__counter_behind_the_last_one__keeps_it_and_has_a_bound),
		cmocka_unit_test(snapshot__sleep_stamped_as_waiting__is_taken_out_again),
		cmocka_unit_test(snapshot__one_wait_for_a_disk__is_iowait),
		cmocka_unit_test(snapshot__dead__ended_when_it_was_switched_out),
		cmocka_unit_test(snapshot__slept_on__closes_as_a_reading_would),
		cmocka_unit_test(snapshot__not_off_its_runqueue__does_not_just_sleep_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
