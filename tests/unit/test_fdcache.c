/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fdcache.h"

static struct ss_fdbudget budget;

static void set_budget(int n)
{
	budget.size = n;
	atomic_init(&budget.left, n);
}

static void put_open(struct ss_fdcache *cache, struct ss_fdent *e)
{
	int fd;

	ss_fdent_init(e);
	assert_int_equal(ss_fdcache_reserve(cache), 0);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ss_fdcache_put(cache, e, fd);
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void fdcache__full__closes_one_of_an_earlier_round(void **state)
{
	struct ss_fdcache cache;
	struct ss_fdent e[4];
	int second;

	(void)state;
	set_budget(3);
	ss_fdcache_init(&cache, &budget);
	for (int i = 0; i < 3; i++)
		put_open(&cache, &e[i]);
	assert_int_equal(atomic_load(&budget.left), 0);

	ss_fdcache_next_round(&cache);
	ss_fdcache_next_round(&cache);
	assert_int_equal(ss_fdcache_get(&cache, &e[0]), e[0].fd);
	second = e[1].fd;
	assert_int_equal(ss_fdcache_reserve(&cache), 0);
	assert_false(is_open(second));
	assert_int_equal(ss_fdcache_get(&cache, &e[1]), -1);
	assert_true(ss_fdcache_get(&cache, &e[0]) >= 0);
	assert_true(ss_fdcache_get(&cache, &e[2]) >= 0);
	assert_int_equal(cache.evicted, 1);
	assert_int_equal(cache.opened, 3);

	ss_fdcache_unreserve(&cache);
	assert_int_equal(atomic_load(&budget.left), 1);
	ss_fdcache_clear(&cache);
	assert_int_equal(atomic_load(&budget.left), 3);
}

static void fdcache__all_used_in_every_round__stay_open(void **state)
{
	struct ss_fdcache cache;
	struct ss_fdent e[8];
	int round, i, hits = 0;

	(void)state;
	set_budget(3);
	ss_fdcache_init(&cache, &budget);
	for (i = 0; i < 3; i++)
		put_open(&cache, &e[i]);
	for (; i < 8; i++)
		ss_fdent_init(&e[i]);
	for (round = 0; round < 10; round++) {
		ss_fdcache_next_round(&cache);
		for (i = 0; i < 8; i++) {
			if (ss_fdcache_get(&cache, &e[i]) >= 0)
				hits++;
			else
				assert_int_equal(ss_fdcache_reserve(&cache), -EMFILE);
		}
	}
	assert_int_equal(hits, 30);
	assert_int_equal(cache.evicted, 0);
	ss_fdcache_clear(&cache);
}

static void fdcache__budget_used_by_others__is_emfile(void **state)
{
	struct ss_fdcache a, b;
	struct ss_fdent e[2];

	(void)state;
	set_budget(2);
	ss_fdcache_init(&a, &budget);
	ss_fdcache_init(&b, &budget);
	put_open(&a, &e[0]);
	put_open(&a, &e[1]);
	assert_int_equal(ss_fdcache_reserve(&b), -EMFILE);
	assert_true(is_open(e[0].fd));
	assert_int_equal(ss_fdcache_drop(&a, &e[0]), 0);
	assert_int_equal(ss_fdcache_reserve(&b), 0);
	ss_fdcache_unreserve(&b);
	ss_fdcache_clear(&a);
	assert_int_equal(atomic_load(&budget.left), 2);
}

static void fdcache__drop_of_a_closed_entry__does_nothing(void **state)
{
	struct ss_fdcache cache;
	struct ss_fdent e;

	(void)state;
	set_budget(1);
	ss_fdcache_init(&cache, &budget);
	ss_fdent_init(&e);
	assert_int_equal(ss_fdcache_drop(&cache, &e), 0);
	assert_int_equal(ss_fdcache_get(&cache, &e), -1);
	assert_int_equal(atomic_load(&budget.left), 1);
}

static void fdcache__close_that_fails__is_told(void **state)
{
	struct ss_fdcache cache;
	struct ss_fdent e[3];

	(void)state;
	set_budget(2);
	ss_fdcache_init(&cache, &budget);
	put_open(&cache, &e[0]);
	close(e[0].fd);
	assert_int_equal(ss_fdcache_drop(&cache, &e[0]), -EBADF);
	assert_int_equal(cache.error, 0);

	put_open(&cache, &e[0]);
	put_open(&cache, &e[1]);
	close(e[0].fd);
	ss_fdcache_next_round(&cache);
	ss_fdcache_next_round(&cache);
	assert_int_equal(ss_fdcache_reserve(&cache), 0);
	assert_int_equal(cache.error, -EBADF);
	ss_fdcache_unreserve(&cache);
	ss_fdcache_clear(&cache);
	assert_int_equal(cache.error, -EBADF);
	assert_int_equal(atomic_load(&budget.left), 2);
}

static void fdbudget__init__raises_the_soft_limit(void **state)
{
	struct rlimit saved, low, now;
	int hard;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_true(saved.rlim_max > 100);
	hard = saved.rlim_max < INT_MAX ? (int)saved.rlim_max : INT_MAX;
	low = saved;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(ss_fdbudget_init(&budget, 40), hard - 40);
	assert_int_equal(budget.size, hard - 40);
	assert_int_equal(atomic_load(&budget.left), budget.size);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_true(now.rlim_cur == saved.rlim_max);

	assert_int_equal(ss_fdbudget_init(&budget, hard), 8);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fdcache__full__closes_one_of_an_earlier_round),
		cmocka_unit_test(fdcache__all_used_in_every_round__stay_open),
		cmocka_unit_test(fdcache__budget_used_by_others__is_emfile),
		cmocka_unit_test(fdcache__drop_of_a_closed_entry__does_nothing),
		cmocka_unit_test(fdcache__close_that_fails__is_told),
		cmocka_unit_test(fdbudget__init__raises_the_soft_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
