/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "source/resources.h"

#define REAL_NS 1000000000000LL

struct rows {
	struct ss_batch_pool *pool;
	struct ss_batch *batch;
	struct ss_tick tick;
	struct ss_thread thread;
};

static int setup(void **state)
{
	struct rows *f = calloc(1, sizeof(*f));

	assert_int_equal(ss_batch_pool_new(&f->pool, 1), 0);
	f->batch = ss_batch_get(f->pool);
	for (int t = 0; t < SS_TABLE_COUNT; t++)
		assert_int_equal(ss_batch_reserve(f->batch, t, 16), 0);
	f->batch->tick = 9;
	f->batch->time_ns = REAL_NS + 900;
	f->tick = (struct ss_tick){ .index = 9, .mono_to_real_ns = REAL_NS };
	f->thread.pid = 10;
	f->thread.tid = 11;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct rows *f = *state;

	ss_batch_put(f->batch);
	ss_batch_pool_free(f->pool);
	free(f);
	return 0;
}

/* Two waits for a futex, the longer one of 5 us, of which 4 us lie in the window of tick 8. */
static struct ss_window_wait futex_wait(struct rows *f, uint64_t waker_pid, uint64_t waker_tid)
{
	struct ss_window_wait w = {
		.thread = &f->thread, .tick = 8, .end_mono_ns = 800,
		.quality = SS_QUALITY_EXACT,
		.wait = {
			.cause = { .kind = SS_WAIT_FUTEX, .object = SS_OBJECT_FUTEX,
				   .syscall = 202, .fd = -1, .key = { 0x1000, 0 } },
			.waker = waker_pid << 32 | waker_tid, .ns = 4000,
			.ended_ns = 7000, .max_ns = 5000, .count = 2,
		},
	};

	w.wait.hist[1] = w.wait.hist[3] = 1;
	return w;
}

static const struct ss_wait_row *add(struct rows *f, const struct ss_window_wait *w,
				     int64_t resource)
{
	ss_rows_add_wait(f->batch, w, resource, &f->tick);
	return ss_rows_at(f->batch, SS_TABLE_WAITS, f->batch->rows[SS_TABLE_WAITS].n - 1);
}

static void rows__wait__everything_is_taken_over(void **state)
{
	struct rows *f = *state;
	struct ss_window_wait w = futex_wait(f, 20, 21);
	const struct ss_wait_row *row = add(f, &w, 77);

	assert_int_equal(row->have, SS_WAIT_RESOURCE | SS_WAIT_CALL | SS_WAIT_ENDED | SS_WAIT_MAX |
			 SS_WAIT_WAKER | SS_WAIT_WAKER_THREAD);
	assert_int_equal(row->pid, 10);
	assert_int_equal(row->tid, 11);
	assert_int_equal(row->tick, 8);
	assert_true(row->time_ns == REAL_NS + 800);
	assert_int_equal(row->kind, SS_WAIT_FUTEX);
	assert_int_equal(row->quality, SS_QUALITY_EXACT);
	assert_int_equal(row->syscall, 202);
	assert_int_equal(row->resource, 77);
	assert_int_equal(row->wait_ns, 4000);
	assert_int_equal(row->count, 2);
	assert_int_equal(row->ended_ns, 7000);
	assert_int_equal(row->max_ns, 5000);
	for (int i = 0; i < SS_WAIT_BUCKETS; i++)
		assert_int_equal(row->hist[i], i == 1 || i == 3);
	assert_string_equal(row->waker, "thread");
	assert_int_equal(row->waker_pid, 20);
	assert_int_equal(row->waker_tid, 21);
}

static void rows__wait_that_goes_on__has_no_longest_and_no_waker(void **state)
{
	struct rows *f = *state;
	struct ss_window_wait w = futex_wait(f, 0, 0);
	const struct ss_wait_row *row;

	w.wait.count = 0;
	w.wait.ended_ns = w.wait.max_ns = 0;
	w.wait.cause.syscall = -1;
	row = add(f, &w, 0);
	assert_int_equal(row->have, SS_WAIT_ENDED);
	assert_int_equal(row->wait_ns, 4000);
	assert_int_equal(row->count, 0);
	assert_string_equal(row->waker, "");
	/* No number could be given. */
	assert_int_equal(add(f, &w, -12)->have, SS_WAIT_ENDED);
}

static void rows__waker_that_is_no_thread__has_no_number(void **state)
{
	struct rows *f = *state;
	struct ss_window_wait w = futex_wait(f, 0, SS_WAKER_INTERRUPT);
	const struct ss_wait_row *row = add(f, &w, 0);

	assert_string_equal(row->waker, "interrupt");
	assert_int_equal(row->have & (SS_WAIT_WAKER | SS_WAIT_WAKER_THREAD), SS_WAIT_WAKER);
	w.wait.waker = SS_WAKER_OUTSIDE;
	row = add(f, &w, 0);
	assert_string_equal(row->waker, "outside");
	assert_int_equal(row->have & (SS_WAIT_WAKER | SS_WAIT_WAKER_THREAD), SS_WAIT_WAKER);
}

static void rows__wait_seen_by_looking__has_no_count(void **state)
{
	static const uint8_t qualities[] = {
		SS_QUALITY_EXACT, SS_QUALITY_REPAIRED, SS_QUALITY_SNAPSHOT, SS_QUALITY_ESTIMATE,
		SS_QUALITY_COUNTER, SS_QUALITY_SAMPLED,
	};
	struct rows *f = *state;
	struct ss_window_wait w = futex_wait(f, 0, 0);

	for (int i = 0; i < SS_QUALITY_COUNT; i++) {
		const struct ss_wait_row *row;

		w.quality = qualities[i];
		row = add(f, &w, 0);
		assert_int_equal(row->quality, qualities[i]);
		assert_int_equal(row->have & (SS_WAIT_ENDED | SS_WAIT_MAX),
				 i < 2 ? SS_WAIT_ENDED | SS_WAIT_MAX : 0);
	}
}

static void rows__wakes__are_sums_by_waker_and_kind(void **state)
{
	struct rows *f = *state;
	struct ss_window_wait w[] = {
		futex_wait(f, 20, 21), futex_wait(f, 20, 22), futex_wait(f, 0, SS_WAKER_INTERRUPT),
		futex_wait(f, 20, 21), futex_wait(f, 0, 0), futex_wait(f, 20, 21),
		futex_wait(f, 0, SS_WAKER_OUTSIDE), futex_wait(f, 20, 23),
	};
	const struct ss_wake_row *row;

	w[3].wait.cause.key[0] = 0x2000;	/* another futex */
	w[5].wait.cause.kind = SS_WAIT_PIPE;
	w[7].wait.count = 0;
	ss_rows_add_wakes(f->batch, w, sizeof(w) / sizeof(w[0]), &f->tick);
	assert_int_equal(f->batch->rows[SS_TABLE_WAKES].n, 3);

	row = ss_rows_at(f->batch, SS_TABLE_WAKES, 0);
	assert_int_equal(row->pid, 10);
	assert_int_equal(row->tid, 11);
	assert_int_equal(row->waker_pid, 20);
	assert_int_equal(row->waker_tid, 21);
	assert_int_equal(row->tick, 8);
	assert_true(row->time_ns == REAL_NS + 800);
	assert_int_equal(row->kind, SS_WAIT_FUTEX);
	assert_int_equal(row->count, 4);
	assert_int_equal(row->ended_wait_ns, 14000);

	row = ss_rows_at(f->batch, SS_TABLE_WAKES, 1);
	assert_int_equal(row->waker_tid, 22);
	assert_int_equal(row->count, 2);
	row = ss_rows_at(f->batch, SS_TABLE_WAKES, 2);
	assert_int_equal(row->waker_tid, 21);
	assert_int_equal(row->kind, SS_WAIT_PIPE);
	assert_int_equal(row->ended_wait_ns, 7000);
}

static void rows__wakes_of_two_windows__are_not_added_up(void **state)
{
	struct rows *f = *state;
	struct ss_window_wait w = futex_wait(f, 20, 21);
	const struct ss_wake_row *row;

	ss_rows_add_wakes(f->batch, &w, 1, &f->tick);
	w.tick = 9;
	ss_rows_add_wakes(f->batch, &w, 1, &f->tick);
	ss_rows_add_wakes(f->batch, &w, 0, &f->tick);
	assert_int_equal(f->batch->rows[SS_TABLE_WAKES].n, 2);
	for (int i = 0; i < 2; i++) {
		row = ss_rows_at(f->batch, SS_TABLE_WAKES, i);
		assert_int_equal(row->tick, 8 + i);
		assert_int_equal(row->count, 2);
	}
}

static void rows__resource__is_of_the_tick_that_wrote_it(void **state)
{
	const struct ss_cause cause = {
		.kind = SS_WAIT_PIPE, .object = SS_OBJECT_PIPE, .syscall = -1, .fd = -1,
		.key = { 4711, 12 },
	};
	struct rows *f = *state;
	const struct ss_resource_row *row;
	struct ss_resources *resources;
	struct ss_procfs procfs;
	bool fresh = false;
	int64_t id;

	assert_int_equal(ss_procfs_open(&procfs), 0);
	assert_int_equal(ss_resources_new(&resources, &procfs), 0);
	id = ss_resources_id(resources, 10, &cause, &fresh);
	assert_true(id > 0 && fresh);
	ss_rows_add_resource(f->batch, resources, id);
	row = ss_rows_at(f->batch, SS_TABLE_RESOURCES, 0);
	assert_true(row->id == id);
	assert_int_equal(row->tick, 9);
	assert_true(row->time_ns == REAL_NS + 900);
	assert_int_equal(row->object, SS_OBJECT_PIPE);
	assert_int_equal(row->key[0], 4711);
	assert_int_equal(row->key[1], 12);
	ss_resources_free(resources);
	ss_procfs_close(&procfs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows__wait__everything_is_taken_over),
		TEST(rows__wait_that_goes_on__has_no_longest_and_no_waker),
		TEST(rows__waker_that_is_no_thread__has_no_number),
		TEST(rows__wait_seen_by_looking__has_no_count),
		TEST(rows__wakes__are_sums_by_waker_and_kind),
		TEST(rows__wakes_of_two_windows__are_not_added_up),
		TEST(rows__resource__is_of_the_tick_that_wrote_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
