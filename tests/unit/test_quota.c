/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of /proc/PID/cgroup, and groups of this machine's own controller. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "roster/quota.h"

static void quota__not_a_cgroup_mount__possible(void **state)
{
	(void)state;
	assert_true(ss_quota_possible("/nonexistent", "0::/\n"));
	assert_true(ss_quota_possible("/tmp", "0::/\n"));
	assert_true(ss_quota_possible("/tmp", "1:cpu,cpuacct:/\n0::/\n"));
	assert_true(ss_quota_possible("/tmp", "1:cpuacct,cpu:/\n"));
}

static void quota__text_that_does_not_parse__possible(void **state)
{
	static char longest[9000];
	static const char *const bad[] = {
		"x\n", "1:cpu\n", "1:cpu:\n", "0::relative\n", "::\n", ":\n", "\n", "0::", longest,
	};

	(void)state;
	memset(longest, '/', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(ss_quota_possible("/sys/fs/cgroup", bad[i]));
}

static void write_text(const char *group, const char *file, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static char parent[64], child[96];
static bool is_v1;

static int remove_groups(void **state)
{
	(void)state;
	rmdir(child);
	rmdir(parent);
	return 0;
}

/* Two groups, one in the other, without a quota. False: not here. */
static bool make_groups(void)
{
	char file[128];

	is_v1 = access("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", F_OK) == 0;
	snprintf(parent, sizeof(parent), "/sys/fs/cgroup%s/schedsampler-unit-%d",
		 is_v1 ? "/cpu" : "", (int)getpid());
	snprintf(child, sizeof(child), "%s/child", parent);
	if (mkdir(parent, 0755) || mkdir(child, 0755))
		return false;
	snprintf(file, sizeof(file), "%s/%s", parent, is_v1 ? "cpu.cfs_quota_us" : "cpu.max");
	return access(file, W_OK) == 0;
}

static void quota__of_a_group_above__possible(void **state)
{
	char text[128], outside[160];
	const char *path;

	(void)state;
	if (!make_groups()) {
		print_message("needs a cpu control group to write to\n");
		skip();
	}
	path = strstr(child, "/schedsampler-unit");
	snprintf(text, sizeof(text), is_v1 ? "5:cpu:%s\n0::/\n" : "0::%s\n", path);
	if (ss_quota_possible("/sys/fs/cgroup", is_v1 ? "5:cpu:/\n" : "0::/\n")) {
		print_message("needs the control groups of the whole machine\n");
		skip();
	}
	assert_false(ss_quota_possible("/sys/fs/cgroup", text));
	snprintf(outside, sizeof(outside), is_v1 ? "5:cpu:/..%s\n" : "0::/..%s\n", path);
	assert_true(ss_quota_possible("/sys/fs/cgroup", outside));
	write_text(parent, is_v1 ? "cpu.cfs_quota_us" : "cpu.max",
		   is_v1 ? "20000" : "20000 100000");
	assert_true(ss_quota_possible("/sys/fs/cgroup", text));
	write_text(parent, is_v1 ? "cpu.cfs_quota_us" : "cpu.max", is_v1 ? "-1" : "max 100000");
	assert_false(ss_quota_possible("/sys/fs/cgroup", text));
	rmdir(child);
	rmdir(parent);
	/* A group that has gone: nobody knows. */
	assert_true(ss_quota_possible("/sys/fs/cgroup", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quota__not_a_cgroup_mount__possible),
		cmocka_unit_test(quota__text_that_does_not_parse__possible),
		cmocka_unit_test_teardown(quota__of_a_group_above__possible, remove_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
