/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "batch.h"

static void batch__new__is_empty_with_one_reference(void **state)
{
	struct ss_batch_pool *pool;
	struct ss_batch *b;

	(void)state;
	assert_int_equal(ss_batch_pool_new(&pool, 1), 0);
	b = ss_batch_get(pool);
	assert_non_null(b);
	assert_int_equal(atomic_load(&b->refs), 1);
	for (int t = 0; t < SS_TABLE_COUNT; t++)
		assert_int_equal(b->rows[t].n, 0);
	ss_batch_put(b);
	ss_batch_put(NULL);
	ss_batch_pool_free(pool);
	ss_batch_pool_free(NULL);
}

static void batch__all_in_use__is_null_until_one_returns(void **state)
{
	struct ss_batch_pool *pool;
	struct ss_batch *a, *b;

	(void)state;
	assert_int_equal(ss_batch_pool_new(&pool, 2), 0);
	a = ss_batch_get(pool);
	b = ss_batch_get(pool);
	assert_non_null(a);
	assert_non_null(b);
	assert_null(ss_batch_get(pool));
	ss_batch_put(a);
	assert_ptr_equal(ss_batch_get(pool), a);
	assert_null(ss_batch_get(pool));
	ss_batch_put(b);
	ss_batch_put(a);
	ss_batch_pool_free(pool);
}

static void batch__last_reference__returns_it(void **state)
{
	struct ss_batch_pool *pool;
	struct ss_batch *b;

	(void)state;
	assert_int_equal(ss_batch_pool_new(&pool, 1), 0);
	b = ss_batch_get(pool);
	ss_batch_ref(b);
	ss_batch_ref(b);
	ss_batch_put(b);
	ss_batch_put(b);
	assert_null(ss_batch_get(pool));
	ss_batch_put(b);
	assert_ptr_equal(ss_batch_get(pool), b);
	ss_batch_put(b);
	ss_batch_pool_free(pool);
}

static void batch__rows__are_zeroed_and_kept_in_order(void **state)
{
	struct ss_batch_pool *pool;
	struct ss_batch *b;

	(void)state;
	assert_int_equal(ss_batch_pool_new(&pool, 1), 0);
	b = ss_batch_get(pool);
	assert_int_equal(ss_batch_reserve(b, SS_TABLE_SAMPLES, 100), 0);
	for (int i = 0; i < 100; i++) {
		struct ss_sample *s = ss_batch_add(b, SS_TABLE_SAMPLES);

		assert_int_equal(s->tid, 0);
		assert_int_equal(s->nivcsw, 0);
		s->tid = i;
		s->nivcsw = -1;
	}
	/* Growing must not lose rows. */
	assert_int_equal(ss_batch_reserve(b, SS_TABLE_SAMPLES, 10000), 0);
	assert_int_equal(b->rows[SS_TABLE_SAMPLES].n, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(((const struct ss_sample *)
				  ss_rows_at(b, SS_TABLE_SAMPLES, i))->tid, i);
	ss_batch_put(b);
	ss_batch_pool_free(pool);
}

static void batch__reused__keeps_its_memory_and_zeroes_rows(void **state)
{
	struct ss_batch_pool *pool;
	struct ss_sample *s;
	struct ss_batch *b;
	void *data;

	(void)state;
	assert_int_equal(ss_batch_pool_new(&pool, 1), 0);
	b = ss_batch_get(pool);
	assert_int_equal(ss_batch_reserve(b, SS_TABLE_SAMPLES, 10), 0);
	s = ss_batch_add(b, SS_TABLE_SAMPLES);
	s->run_ns = 7;
	b->tick = 3;
	data = b->rows[SS_TABLE_SAMPLES].data;
	ss_batch_put(b);

	b = ss_batch_get(pool);
	assert_int_equal(b->tick, 0);
	assert_int_equal(b->rows[SS_TABLE_SAMPLES].n, 0);
	assert_int_equal(ss_batch_reserve(b, SS_TABLE_SAMPLES, 10), 0);
	assert_ptr_equal(b->rows[SS_TABLE_SAMPLES].data, data);
	s = ss_batch_add(b, SS_TABLE_SAMPLES);
	assert_int_equal(s->run_ns, 0);
	ss_batch_put(b);
	ss_batch_pool_free(pool);
}

static void batch__absurd_reservation__is_enomem(void **state)
{
	struct ss_batch_pool *pool;
	struct ss_batch *b;

	(void)state;
	assert_int_equal(ss_batch_pool_new(&pool, 1), 0);
	b = ss_batch_get(pool);
	assert_int_equal(ss_batch_reserve(b, SS_TABLE_TICKS, SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(ss_batch_reserve(b, SS_TABLE_TICKS, 1), 0);
	ss_batch_put(b);
	ss_batch_pool_free(pool);
}

#define ROUNDS 5000

static void *take_and_return(void *arg)
{
	struct ss_batch_pool *pool = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct ss_batch *b = ss_batch_get(pool);

		if (!b)
			continue;
		if (!ss_batch_reserve(b, SS_TABLE_TICKS, 1))
			((struct ss_tick_row *)ss_batch_add(b, SS_TABLE_TICKS))->tick = i;
		ss_batch_ref(b);
		ss_batch_put(b);
		ss_batch_put(b);
	}
	return NULL;
}

static void batch__many_threads__share_the_pool(void **state)
{
	struct ss_batch_pool *pool;
	struct ss_batch *b[3];
	pthread_t thread[4];

	(void)state;
	assert_int_equal(ss_batch_pool_new(&pool, 3), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_and_return, pool), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 3; i++) {
		b[i] = ss_batch_get(pool);
		assert_non_null(b[i]);
	}
	assert_null(ss_batch_get(pool));
	for (int i = 0; i < 3; i++)
		ss_batch_put(b[i]);
	ss_batch_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch__new__is_empty_with_one_reference),
		cmocka_unit_test(batch__all_in_use__is_null_until_one_returns),
		cmocka_unit_test(batch__last_reference__returns_it),
		cmocka_unit_test(batch__rows__are_zeroed_and_kept_in_order),
		cmocka_unit_test(batch__reused__keeps_its_memory_and_zeroes_rows),
		cmocka_unit_test(batch__absurd_reservation__is_enomem),
		cmocka_unit_test(batch__many_threads__share_the_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
