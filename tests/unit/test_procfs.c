/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/procfs.h"
#include "base/util.h"

static char tree[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(tree, "/tmp/ss-procfs-XXXXXX");
	return mkdtemp(tree) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", tree, dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", tree, dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void open__mounted_proc__is_ours(void **state)
{
	struct ss_procfs procfs;
	char text[4096], target[32], truncated[3];
	ssize_t n;
	int fd;

	(void)state;
	assert_int_equal(ss_procfs_open(&procfs), 0);
	assert_true(procfs.is_real);
	n = ss_procfs_read(&procfs, text, sizeof(text), "%d/stat", (int)getpid());
	assert_true(n > 0);
	assert_int_equal(strlen(text), n);
	assert_int_equal(atoi(text), getpid());
	assert_int_equal(ss_procfs_read(&procfs, text, 3, "%d/stat", (int)getpid()), 2);
	assert_int_equal(strlen(text), 2);
	assert_true(ss_procfs_readlink(&procfs, target, sizeof(target), "self") > 0);
	assert_int_equal(atoi(target), getpid());
	assert_int_equal(ss_procfs_readlink(&procfs, truncated, sizeof(truncated), "self/exe"), 2);
	assert_int_equal(strlen(truncated), 2);
	fd = ss_procfs_open_at(&procfs, O_RDONLY, "%s", "self/task");
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	ss_procfs_close(&procfs);
	ss_procfs_close(&procfs);
}

static void read__no_such_task__is_enoent(void **state)
{
	char text[16], name[300];
	struct ss_procfs procfs;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ss_procfs_open(&procfs), 0);
	/* Above PID_MAX_LIMIT. */
	assert_int_equal(ss_procfs_read(&procfs, text, sizeof(text), "%d/stat", 2000000000),
			 -ENOENT);
	assert_int_equal(ss_procfs_open_at(&procfs, O_RDONLY, "%d", 2000000000), -ENOENT);
	assert_int_equal(ss_procfs_readlink(&procfs, text, sizeof(text), "%d/exe", 2000000000),
			 -ENOENT);
	assert_int_equal(ss_procfs_read(&procfs, text, sizeof(text), "%s", name), -ENAMETOOLONG);
	assert_int_equal(ss_procfs_open_at(&procfs, O_RDONLY, "%s", name), -ENAMETOOLONG);
	ss_procfs_close(&procfs);
}

static void replay__folders__come_in_name_order(void **state)
{
	struct ss_procfs_clock clock;
	struct ss_procfs procfs;
	uint32_t generation;
	char text[16];

	(void)state;
	make_file("002", "clock", "200 -5 220 9223372036854775807\n");
	make_file("001", "clock", "100 1700000000000000000 120 110");
	make_file("001", "loadavg", "one");
	make_file("002", "loadavg", "");
	make_file(".", "notes", "no folder");
	assert_int_equal(ss_procfs_open_replay(&procfs, tree), 0);
	assert_false(procfs.is_real);
	assert_int_equal(procfs.nticks, 2);
	generation = procfs.generation;

	assert_int_equal(ss_procfs_next(&procfs, &clock), 1);
	assert_int_equal(clock.mono_ns, 100);
	assert_int_equal(clock.real_ns, 1700000000000000000);
	assert_int_equal(clock.boot_ns, 120);
	assert_int_equal(clock.task_ns, 110);
	assert_int_not_equal(procfs.generation, generation);
	assert_int_equal(ss_procfs_read(&procfs, text, sizeof(text), "loadavg"), 3);
	assert_string_equal(text, "one");

	generation = procfs.generation;
	assert_int_equal(ss_procfs_next(&procfs, &clock), 1);
	assert_int_equal(clock.real_ns, -5);
	assert_int_equal(clock.task_ns, INT64_MAX);
	assert_int_not_equal(procfs.generation, generation);
	assert_int_equal(ss_procfs_read(&procfs, text, sizeof(text), "loadavg"), 0);
	assert_string_equal(text, "");

	assert_int_equal(ss_procfs_next(&procfs, &clock), 0);
	ss_procfs_close(&procfs);
}

static void replay__nothing_captured__is_enoent(void **state)
{
	struct ss_procfs procfs;

	(void)state;
	assert_int_equal(ss_procfs_open_replay(&procfs, tree), -ENOENT);
	make_file(".", "notes", "no folder");
	assert_int_equal(ss_procfs_open_replay(&procfs, tree), -ENOENT);
	assert_int_equal(ss_procfs_open_replay(&procfs, "/nonexistent"), -ENOENT);
	ss_procfs_close(&procfs);
}

static void replay__bad_clock__is_rejected(void **state)
{
	static const char *const bad[] = {
		"", "\n", "1 2 3", "1 2 3 ", "1  2 3 4", "1 2 3 4 5", "1 2 3 4x", " 1 2 3 4",
		"1 2 3 9223372036854775808", "a b c d",
	};
	struct ss_procfs_clock clock;
	struct ss_procfs procfs;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++) {
		make_file("1", "clock", bad[i]);
		assert_int_equal(ss_procfs_open_replay(&procfs, tree), 0);
		assert_int_equal(ss_procfs_next(&procfs, &clock), -EBADMSG);
		ss_procfs_close(&procfs);
	}
	make_file("2", "other", "");
	assert_int_equal(ss_procfs_open_replay(&procfs, tree), 0);
	assert_int_equal(ss_procfs_next(&procfs, &clock), -EBADMSG);
	assert_int_equal(ss_procfs_next(&procfs, &clock), -ENOENT);
	ss_procfs_close(&procfs);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open__mounted_proc__is_ours),
		cmocka_unit_test(read__no_such_task__is_enoent),
		TREE_TEST(replay__folders__come_in_name_order),
		TREE_TEST(replay__nothing_captured__is_enoent),
		TREE_TEST(replay__bad_clock__is_rejected),
	};

	return cmocka_run_group_tests_name("procfs", tests, NULL, NULL);
}
