// SPDX-License-Identifier: GPL-2.0-or-later
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"

#define WORKERS 4
#define ROUNDS 5000

/* Plain memory: the pool alone makes it visible, which ThreadSanitizer checks. */
struct shared {
	unsigned input;
	unsigned runs[WORKERS], seen[WORKERS];
	pthread_t thread[WORKERS];
	bool blocked[WORKERS];
};

static void note(void *arg, unsigned worker)
{
	struct shared *s = arg;
	sigset_t mask;

	s->runs[worker]++;
	s->seen[worker] = s->input;
	s->thread[worker] = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	s->blocked[worker] = sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM) &&
			     sigismember(&mask, SIGCHLD);
}

static void run__many_rounds__each_active_worker_once_a_round(void **state)
{
	unsigned expected[WORKERS] = { 0 };
	struct shared s = { 0 };
	struct ss_pool *pool;

	(void)state;
	assert_int_equal(ss_pool_new(&pool, WORKERS), 0);
	assert_int_equal(ss_pool_size(pool), WORKERS);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		unsigned active = round % WORKERS + 1;

		s.input = round;
		ss_pool_run(pool, active, note, &s);
		for (unsigned w = 0; w < WORKERS; w++) {
			expected[w] += w < active;
			assert_int_equal(s.runs[w], expected[w]);
			if (w < active)
				assert_int_equal(s.seen[w], round);
		}
	}
	ss_pool_free(pool);
}

static void run__worker_0__is_the_caller(void **state)
{
	struct shared s = { 0 };
	struct ss_pool *pool;

	(void)state;
	assert_int_equal(ss_pool_new(&pool, WORKERS), 0);
	ss_pool_run(pool, WORKERS, note, &s);
	assert_true(pthread_equal(s.thread[0], pthread_self()));
	assert_false(s.blocked[0]);
	for (unsigned w = 1; w < WORKERS; w++) {
		assert_false(pthread_equal(s.thread[w], pthread_self()));
		assert_true(s.blocked[w]);
	}
	ss_pool_free(pool);
}

static void run__pool_of_one__is_a_call(void **state)
{
	struct shared s = { .input = 7 };
	struct ss_pool *pool;

	(void)state;
	assert_int_equal(ss_pool_new(&pool, 1), 0);
	assert_int_equal(ss_pool_size(pool), 1);
	ss_pool_run(pool, 1, note, &s);
	assert_int_equal(s.runs[0], 1);
	assert_int_equal(s.seen[0], 7);
	assert_true(pthread_equal(s.thread[0], pthread_self()));
	ss_pool_free(pool);
}

static void other_job(void *arg, unsigned worker)
{
	int *jobs = arg;

	jobs[worker] += 10;
}

static void one_job(void *arg, unsigned worker)
{
	int *jobs = arg;

	jobs[worker]++;
}

static void run__another_function__replaces_the_last(void **state)
{
	struct ss_pool *pool;
	int jobs[2] = { 0 };

	(void)state;
	assert_int_equal(ss_pool_new(&pool, 2), 0);
	ss_pool_run(pool, 2, one_job, jobs);
	ss_pool_run(pool, 2, other_job, jobs);
	ss_pool_run(pool, 1, one_job, jobs);
	assert_int_equal(jobs[0], 12);
	assert_int_equal(jobs[1], 11);
	ss_pool_free(pool);
}

static void free__without_a_run__joins_the_workers(void **state)
{
	struct ss_pool *pool;

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(ss_pool_new(&pool, WORKERS), 0);
		ss_pool_free(pool);
	}
	ss_pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run__many_rounds__each_active_worker_once_a_round),
		cmocka_unit_test(run__worker_0__is_the_caller),
		cmocka_unit_test(run__pool_of_one__is_a_call),
		cmocka_unit_test(run__another_function__replaces_the_last),
		cmocka_unit_test(free__without_a_run__joins_the_workers),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
