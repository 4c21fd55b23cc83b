// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launch.h"

static char dir[64], path_before[4096];

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
	snprintf(path_before, sizeof(path_before), "%s", getenv("PATH"));
	strcpy(dir, "/tmp/ss-launch-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	setenv("PATH", path_before, 1);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file in our folder; the path lives until the next call. */
static char *make_file(const char *name, const char *text, mode_t mode)
{
	static char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static int start(struct ss_launch *launch, const char *command, ...)
{
	char *argv[4] = { (char *)command };
	va_list args;

	va_start(args, command);
	for (int i = 1; i < 4 && argv[i - 1]; i++)
		argv[i] = va_arg(args, char *);
	va_end(args);
	argv[3] = NULL;
	memset(launch, 0x5a, sizeof(*launch));
	return ss_launch_start(launch, argv);
}

static int run(const char *script)
{
	struct ss_launch launch;

	assert_int_equal(start(&launch, "sh", "-c", script, NULL), 0);
	assert_true(launch.pid > 0);
	assert_int_equal(ss_launch_release(&launch), 0);
	return ss_launch_reap(&launch);
}

static void launch__status__is_that_of_a_shell(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0"), 0);
	assert_int_equal(run("exit 7"), 7);
	assert_int_equal(run("exit 255"), 255);
	assert_int_equal(run("kill -KILL $$"), 128 + SIGKILL);
	assert_int_equal(run("kill -TERM $$"), 128 + SIGTERM);
}

static void launch__before_the_release__executes_nothing(void **state)
{
	struct ss_launch launch;
	char made[128], name[32], exe[256], self[256];
	ssize_t n, m;

	(void)state;
	snprintf(made, sizeof(made), "%s/made", dir);
	assert_int_equal(start(&launch, "mkdir", made, NULL), 0);
	/* It is still the program that forked. */
	snprintf(name, sizeof(name), "/proc/%d/exe", (int)launch.pid);
	n = readlink(name, exe, sizeof(exe));
	m = readlink("/proc/self/exe", self, sizeof(self));
	assert_true(n > 0 && n == m && !memcmp(exe, self, (size_t)n));
	assert_int_equal(access(made, F_OK), -1);
	assert_false(ss_launch_ended(&launch));
	assert_int_equal(ss_launch_release(&launch), 0);
	assert_int_equal(ss_launch_reap(&launch), 0);
	assert_int_equal(access(made, F_OK), 0);
}

static void ended__of_a_zombie__leaves_its_status(void **state)
{
	struct ss_launch launch;
	siginfo_t info;

	(void)state;
	assert_int_equal(start(&launch, "sh", "-c", "exit 9", NULL), 0);
	assert_int_equal(ss_launch_release(&launch), 0);
	assert_int_equal(waitid(P_PID, (id_t)launch.pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(ss_launch_ended(&launch));
	assert_true(ss_launch_ended(&launch));
	assert_int_equal(ss_launch_reap(&launch), 9);
}

static void start__not_found__is_enoent(void **state)
{
	struct ss_launch launch;

	(void)state;
	setenv("PATH", "/usr/bin:/bin", 1);
	assert_int_equal(start(&launch, "no-such-command", NULL), -ENOENT);
	assert_int_equal(start(&launch, "/nonexistent/command", NULL), -ENOENT);
	assert_int_equal(start(&launch, "", NULL), -ENOENT);
	setenv("PATH", dir, 1);
	assert_int_equal(start(&launch, "sh", NULL), -ENOENT);
}

static void start__found_but_not_executable__is_eacces(void **state)
{
	struct ss_launch launch;

	(void)state;
	assert_int_equal(start(&launch, make_file("text", "hello\n", 0644), NULL), -EACCES);
	assert_int_equal(start(&launch, dir, NULL), -EACCES);
	setenv("PATH", dir, 1);
	assert_int_equal(start(&launch, "text", NULL), -EACCES);
}

static void start__search__takes_the_first_that_can_run(void **state)
{
	struct ss_launch launch;
	char path[256];

	(void)state;
	make_file("sh", "not executable\n", 0644);
	snprintf(path, sizeof(path), "/nonexistent:%s:%s", dir, "/usr/bin:/bin");
	setenv("PATH", path, 1);
	assert_int_equal(start(&launch, "sh", "-c", "exit 3", NULL), 0);
	assert_int_equal(ss_launch_release(&launch), 0);
	assert_int_equal(ss_launch_reap(&launch), 3);

	make_file("mine", "#!/bin/sh\nexit 4\n", 0755);
	assert_int_equal(start(&launch, "mine", NULL), 0);
	assert_int_equal(ss_launch_release(&launch), 0);
	assert_int_equal(ss_launch_reap(&launch), 4);
}

static void reap__never_released__ends_the_child(void **state)
{
	struct ss_launch launch;
	char made[128];

	(void)state;
	snprintf(made, sizeof(made), "%s/made", dir);
	assert_int_equal(start(&launch, "mkdir", made, NULL), 0);
	assert_int_equal(ss_launch_reap(&launch), 127);
	assert_int_equal(access(made, F_OK), -1);
}

static void release__what_cannot_be_executed__gives_the_errno(void **state)
{
	struct ss_launch launch;
	char *path = make_file("data", "\177no program", 0755);

	(void)state;
	assert_int_equal(start(&launch, path, NULL), 0);
	assert_int_equal(ss_launch_release(&launch), -ENOEXEC);
	assert_int_equal(ss_launch_reap(&launch), 126);

	assert_int_equal(start(&launch, path, NULL), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ss_launch_release(&launch), -ENOENT);
	assert_int_equal(ss_launch_reap(&launch), 127);
}

static void start__parent_dies__child_ends_without_executing(void **state)
{
	struct ss_launch launch;
	char made[128];
	int status;
	pid_t parent;

	(void)state;
	snprintf(made, sizeof(made), "%s/made", dir);
	/* Its orphan becomes our child, so that its end can be waited for. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	parent = fork();
	assert_true(parent >= 0);
	if (!parent)
		_exit(start(&launch, "mkdir", made, NULL) ? 1 : 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(status, 0);
	assert_true(wait(&status) > 0);
	assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 127) ||
		    (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	assert_int_equal(access(made, F_OK), -1);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int main(void)
{
#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(launch__status__is_that_of_a_shell),
		DIR_TEST(launch__before_the_release__executes_nothing),
		cmocka_unit_test(ended__of_a_zombie__leaves_its_status),
		DIR_TEST(start__not_found__is_enoent),
		DIR_TEST(start__found_but_not_executable__is_eacces),
		DIR_TEST(start__search__takes_the_first_that_can_run),
		DIR_TEST(reap__never_released__ends_the_child),
		DIR_TEST(release__what_cannot_be_executed__gives_the_errno),
		DIR_TEST(start__parent_dies__child_ends_without_executing),
	};

	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
