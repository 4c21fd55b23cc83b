/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The roster on captured trees: what it says is known to the nanosecond. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roster.h"

static char tree[64];
static int folder;

/* A folder is written just before it is read. */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void write_file(const char *text, size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void write_file(const char *text, size_t len, const char *format, ...)
{
	char path[256];
	va_list args;
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/%03d/", tree, folder);
	va_start(args, format);
	vsnprintf(path + n, sizeof(path) - n, format, args);
	va_end(args);
	for (char *p = path + strlen(tree) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

/* A task as /proc shows it; @threads: num_threads of its process. */
static void task(int pid, int tid, int ppid, const char *comm, char state, int threads,
		 uint64_t start_ticks)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "%d (%s) %c %d 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 %d 0 %ju 0 0 0 0 0 0 "
			 "0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
			 tid, comm, state, ppid, threads, (uintmax_t)start_ticks);

	write_file(text, n, "%d/task/%d/stat", pid, tid);
}

/* The next captured instant: @mono_ns; the machine was suspended for 5 s before. */
static void tick_begins(int64_t mono_ns)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%jd 0 %jd 0\n", (intmax_t)mono_ns,
			 (intmax_t)(mono_ns + 5 * SECOND));

	folder++;
	write_file(text, n, "clock");
	now = (struct ss_tick){ .index = now.index + 1, .scheduled_ns = mono_ns,
				.actual_ns = mono_ns, .mono_to_boot_ns = 5 * SECOND };
}

/* Make the capture complete, then start a roster on it. */
static int begin_replay(const struct ss_selection *selection)
{
	struct ss_procfs_clock clock;

	assert_int_equal(ss_procfs_open_replay(&procfs, tree), 0);
	assert_int_equal(ss_procfs_next(&procfs, &clock), 1);
	assert_int_equal(ss_roster_new(&roster, &procfs, selection, &ops, &told, &caps), 0);
	return ss_roster_begin(roster, &now, &missing);
}

/* Read the folder written last. */
static void update_replay(void)
{
	char path[128];

	close(procfs.root);
	snprintf(path, sizeof(path), "%s/%03d", tree, folder);
	procfs.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(procfs.root >= 0);
	procfs.generation++;
	ss_roster_update(roster, &now);
}

static int setup(void **state)
{
	folder = 0;
	strcpy(tree, "/tmp/ss-roster-XXXXXX");
	return mkdtemp(tree) ? roster_setup(state) : -1;
}

static int teardown(void **state)
{
	roster_teardown(state);
	return nftw(tree, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const int32_t pid_10[] = { 10 };

static void begin__pid__finds_its_threads(void **state)
{
	const struct ss_selection selection = { .pids = pid_10, .npids = 1 };
	const struct ss_cap *cap;

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main) x", 'S', 2, 777);
	task(10, 11, 1, "worker", 'R', 2, 778);
	task(20, 20, 1, "other", 'S', 1, 779);
	assert_int_equal(begin_replay(&selection), 0);
	assert_int_equal(told.nborn, 2);
	assert_int_equal(stats().threads, 2);
	assert_int_equal(stats().processes, 1);
	assert_string_equal(born_tid(10)->comm, "main) x");
	assert_int_equal(born_tid(10)->start_ticks, 777);
	assert_int_equal(born_tid(11)->pid, 10);
	assert_int_equal(born_tid(11)->ppid, 1);
	assert_int_equal(born_tid(11)->found, SS_FOUND_PID);
	assert_int_equal(born_tid(11)->birth_mono_ns, 0);
	assert_int_equal(born_tid(11)->file[SS_FILE_STAT].fd, -1);
	cap = ss_caps_find(&caps, "proc-connector");
	assert_non_null(cap);
	assert_int_equal(cap->state, SS_CAP_NO);
	assert_int_equal(cap->lost[0] && cap->remedy[0], 1);
}

static void begin__missing__is_named(void **state)
{
	static const int32_t pids[] = { 10, 12 }, tids[] = { 11, 13 };
	const struct ss_selection by_pid = { .pids = pids, .npids = 2 };
	const struct ss_selection by_tid = { .tids = tids, .ntids = 2 };

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 11, 1, "worker", 'R', 2, 778);
	task(12, 12, 1, "zombie", 'Z', 1, 779);
	task(10, 13, 1, "zombie", 'Z', 1, 779);
	assert_int_equal(begin_replay(&by_pid), -ESRCH);
	assert_int_equal(missing, 12);
	ss_roster_free(roster);
	ss_procfs_close(&procfs);
	assert_int_equal(begin_replay(&by_tid), -ESRCH);
	assert_int_equal(missing, 13);
}

static void begin__tids__only_these(void **state)
{
	static const int32_t tids[] = { 11, 20 };
	const struct ss_selection selection = { .tids = tids, .ntids = 2 };

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 11, 1, "worker", 'R', 2, 778);
	task(20, 20, 1, "other", 'S', 1, 779);
	assert_int_equal(begin_replay(&selection), 0);
	assert_int_equal(told.nborn, 2);
	assert_int_equal(born_tid(11)->pid, 10);
	assert_int_equal(born_tid(11)->found, SS_FOUND_TID);

	/* A thread that joins its process was not chosen; and they end one by one. */
	forget();
	tick_begins(100 * SECOND + SECOND / 20);
	task(10, 10, 1, "main", 'S', 3, 777);
	task(10, 11, 1, "worker", 'R', 3, 778);
	task(10, 12, 1, "worker", 'R', 3, 10502);
	update_replay();
	assert_int_equal(told.nborn, 0);
	assert_int_equal(told.nended, 1);
	assert_non_null(ended_tid(20));
	assert_false(ss_roster_finished(roster));
	tick_begins(100 * SECOND + 2 * SECOND / 20);
	task(10, 10, 1, "main", 'S', 2, 777);
	update_replay();
	assert_non_null(ended_tid(11));
	assert_true(ss_roster_finished(roster));
	assert_int_equal(stats().threads, 0);
}

static void update__birth__instant_between_bounds(void **state)
{
	const struct ss_selection selection = { .pids = pid_10, .npids = 1 };
	const struct ss_thread *t;

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 1, 777);
	assert_int_equal(begin_replay(&selection), 0);
	forget();
	tick_begins(100 * SECOND + 50 * SS_NSEC_PER_MSEC);
	task(10, 10, 1, "main", 'S', 4, 777);
	/* BOOTTIME is 5 s ahead: 10502 is 100.02 s, within [100.02, 100.03). */
	task(10, 11, 1, "inside", 'R', 4, 10502);
	/* [99.995.., 100.00) cannot be: 10500 is [100.00, 100.01), listed at 100.00. */
	task(10, 12, 1, "edge", 'R', 4, 10500);
	/* [100.05, 100.06), but it exists at 100.05. */
	task(10, 13, 1, "now", 'R', 4, 10505);
	update_replay();
	assert_int_equal(told.nborn, 3);
	t = born_tid(11);
	assert_int_equal(t->birth_mono_ns, 100 * SECOND + 20 * SS_NSEC_PER_MSEC);
	assert_int_equal(t->birth_bound_ns, 10 * SS_NSEC_PER_MSEC);
	assert_int_equal(t->ppid, 1);
	t = born_tid(12);
	assert_int_equal(t->birth_mono_ns, 100 * SECOND);
	assert_int_equal(t->birth_bound_ns, 10 * SS_NSEC_PER_MSEC);
	t = born_tid(13);
	assert_int_equal(t->birth_mono_ns, 100 * SECOND + 50 * SS_NSEC_PER_MSEC);
	assert_int_equal(t->birth_bound_ns, 0);

	/* Started at 100.045 as far as known, but not there at 100.05: younger than that. */
	tick_begins(100 * SECOND + 100 * SS_NSEC_PER_MSEC);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 14, 1, "late", 'R', 2, 10504);
	update_replay();
	t = born_tid(14);
	assert_int_equal(t->birth_mono_ns, 100 * SECOND + 50 * SS_NSEC_PER_MSEC);
	assert_int_equal(t->birth_bound_ns, 0);
	assert_int_equal(told.nended, 3);
	assert_int_equal(stats().unseen_max, SS_UNSEEN_UNKNOWN);
}

static void update__hostile_start__no_birth_after_now(void **state)
{
	const struct ss_selection selection = { .pids = pid_10, .npids = 1 };

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 1, 777);
	assert_int_equal(begin_replay(&selection), 0);
	tick_begins(101 * SECOND);
	task(10, 10, 1, "main", 'S', 3, 777);
	task(10, 11, 1, "future", 'R', 3, 999999999);
	task(10, 12, 1, "overflow", 'R', 3, UINT64_MAX - 1);
	write_file("12 (x", 5, "10/task/13/stat");
	write_file("", 0, "10/task/14/stat");
	write_file("", 0, "10/task/99999999999/stat");
	update_replay();
	assert_int_equal(born_tid(11)->birth_mono_ns, 101 * SECOND);
	assert_int_equal(born_tid(11)->birth_bound_ns, 0);
	assert_int_equal(born_tid(12)->birth_mono_ns, 0);
	assert_int_equal(told.nborn, 3);
	assert_int_equal(stats().lost_parse, 1);
}

static void update__tid_reused__is_another_thread(void **state)
{
	const struct ss_selection selection = { .pids = pid_10, .npids = 1 };
	struct ss_thread *first, *second;

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 11, 1, "first", 'R', 2, 778);
	assert_int_equal(begin_replay(&selection), 0);
	first = born_tid(11);
	forget();
	tick_begins(101 * SECOND);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 11, 1, "second", 'R', 2, 10555);
	update_replay();
	assert_int_equal(told.nborn, 1);
	assert_int_equal(told.nended, 1);
	second = born_tid(11);
	assert_ptr_equal(ended_tid(11), first);
	assert_ptr_not_equal(first, second);
	assert_int_equal(first->exit_mono_ns, INT64_MAX);
	assert_string_equal(first->comm, "first");
	assert_int_equal(second->start_ticks, 10555);
	assert_int_equal(second->exit_mono_ns, 0);
	assert_int_equal(stats().threads, 2);

	/* Both are in the hash until the first is reaped; then its memory is used again. */
	ss_roster_reap(roster);
	forget();
	tick_begins(102 * SECOND);
	task(10, 10, 1, "main", 'S', 3, 777);
	task(10, 11, 1, "second", 'R', 3, 10555);
	task(10, 12, 1, "third", 'R', 3, 10655);
	update_replay();
	assert_int_equal(told.nborn, 1);
	assert_int_equal(told.nended, 0);
	assert_ptr_equal(born_tid(12), first);
	assert_string_equal(first->comm, "third");
	assert_int_equal(first->exit_mono_ns, 0);
}

static void update__pid_reused__is_not_watched(void **state)
{
	const struct ss_selection selection = { .pids = pid_10, .npids = 1 };

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 11, 1, "worker", 'R', 2, 778);
	assert_int_equal(begin_replay(&selection), 0);
	forget();
	tick_begins(101 * SECOND);
	task(10, 10, 1, "stranger", 'S', 1, 10555);
	update_replay();
	assert_int_equal(told.nborn, 0);
	assert_int_equal(told.nended, 2);
	assert_true(ss_roster_finished(roster));
	assert_int_equal(stats().processes, 0);
}

static void update__leader_is_zombie__is_ended_by_its_reader_and_threads_go_on(void **state)
{
	const struct ss_selection selection = { .pids = pid_10, .npids = 1 };
	struct ss_thread *leader;

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 11, 1, "worker", 'R', 2, 778);
	assert_int_equal(begin_replay(&selection), 0);
	leader = born_tid(10);
	forget();
	for (int i = 1; i <= 2; i++) {
		tick_begins((100 + i) * SECOND);
		task(10, 10, 1, "main", 'Z', 2, 777);
		task(10, 11, 1, "worker", 'R', 2, 778);
		update_replay();
		assert_int_equal(told.nborn, 0);
		/* Its last counters can still be read. */
		assert_int_equal(told.nended, 0);
		if (i == 1)
			ss_roster_mark_ended(roster, leader);
		assert_false(ss_roster_finished(roster));
	}
	tick_begins(103 * SECOND);
	task(10, 10, 1, "main", 'Z', 2, 777);
	task(10, 12, 1, "next", 'R', 2, 10755);
	update_replay();
	assert_int_equal(told.nborn, 1);
	assert_int_equal(told.nended, 1);
	tick_begins(104 * SECOND);
	task(10, 10, 1, "main", 'Z', 1, 777);
	update_replay();
	assert_int_equal(told.nended, 2);
	assert_true(ss_roster_finished(roster));
}

static void mark_ended__last_thread__finished_at_once(void **state)
{
	const struct ss_selection selection = { .pids = pid_10, .npids = 1 };
	struct ss_thread *t;

	(void)state;
	tick_begins(100 * SECOND);
	task(10, 10, 1, "main", 'S', 1, 777);
	assert_int_equal(begin_replay(&selection), 0);
	t = born_tid(10);
	tick_begins(101 * SECOND);
	write_file("", 0, "10/task/10/stat");
	close(procfs.root);
	procfs.root = -1;
	t->exit_mono_ns = 100 * SECOND + 1;
	ss_roster_mark_ended(roster, t);
	ss_roster_mark_ended(roster, t);
	/* Unreadable is not ended: that shows at the next update. */
	assert_false(ss_roster_finished(roster));
	update_replay();
	assert_int_equal(told.nended, 0);
	assert_int_equal(t->exit_mono_ns, 100 * SECOND + 1);
	assert_true(ss_roster_finished(roster));
	ss_roster_reap(roster);
	ss_roster_reap(roster);
}

static void match__comm_or_command_line__joins(void **state)
{
	static const char cmdline[] = "/bin/sh\0-c\0run server";
	const struct ss_selection selection = { .match = &regex };

	(void)state;
	compile("^redis|-c run");
	tick_begins(100 * SECOND);
	task(2, 2, 0, "kthreadd", 'S', 1, 0);
	task(10, 10, 1, "redis-server", 'S', 2, 777);
	task(10, 11, 1, "bio", 'S', 2, 778);
	task(20, 20, 1, "sh", 'S', 1, 800);
	write_file(cmdline, sizeof(cmdline), "20/cmdline");
	task(30, 30, 1, "cat", 'S', 1, 900);
	write_file("cat\0", 4, "30/cmdline");
	assert_int_equal(begin_replay(&selection), 0);
	assert_int_equal(told.nborn, 3);
	assert_int_equal(born_tid(11)->found, SS_FOUND_MATCH);
	assert_non_null(born_tid(20));

	/* 30 executes another program: the same number and start. All end; more may come. */
	forget();
	tick_begins(101 * SECOND);
	task(30, 30, 1, "redis-cli", 'S', 1, 900);
	update_replay();
	assert_int_equal(told.nborn, 1);
	assert_int_equal(born_tid(30)->birth_mono_ns, 0);
	assert_int_equal(told.nended, 3);
	assert_int_equal(stats().processes, 1);
	tick_begins(102 * SECOND);
	update_replay();
	assert_int_equal(stats().processes, 0);
	assert_false(ss_roster_finished(roster));
}

static void follow__children__join_also_with_lower_numbers(void **state)
{
	static const int32_t pids[] = { 50 };
	const struct ss_selection selection = { .pids = pids, .npids = 1, .follow = true };

	(void)state;
	tick_begins(100 * SECOND);
	task(5, 5, 10, "great-grandchild", 'S', 1, 950);
	task(10, 10, 40, "grandchild", 'S', 1, 900);
	task(40, 40, 50, "child", 'S', 1, 800);
	task(50, 50, 1, "parent", 'S', 1, 777);
	task(60, 60, 1, "other", 'S', 1, 777);
	assert_int_equal(begin_replay(&selection), 0);
	assert_int_equal(told.nborn, 4);
	assert_int_equal(born_tid(50)->found, SS_FOUND_PID);
	assert_int_equal(born_tid(40)->found, SS_FOUND_FOLLOW);
	assert_int_equal(born_tid(10)->found, SS_FOUND_FOLLOW);
	assert_int_equal(born_tid(5)->found, SS_FOUND_FOLLOW);

	forget();
	tick_begins(101 * SECOND);
	task(10, 10, 1, "grandchild", 'S', 1, 900);
	task(11, 11, 10, "new", 'S', 1, 10550);
	update_replay();
	assert_int_equal(told.nended, 3);
	assert_int_equal(told.nborn, 1);
	assert_int_equal(born_tid(11)->ppid, 10);
	assert_int_equal(born_tid(11)->birth_mono_ns, 100 * SECOND + SECOND / 2);
	assert_false(ss_roster_finished(roster));
	tick_begins(102 * SECOND);
	update_replay();
	assert_true(ss_roster_finished(roster));
}

static void all__everything__and_whole_processes(void **state)
{
	static const int32_t tids[] = { 11 };
	const struct ss_selection selection = { .tids = tids, .ntids = 1, .all = true };

	(void)state;
	tick_begins(100 * SECOND);
	task(2, 2, 0, "kthreadd", 'S', 1, 0);
	task(10, 10, 1, "main", 'S', 2, 777);
	task(10, 11, 1, "worker", 'S', 2, 778);
	write_file("", 0, "self/task/7/stat");
	assert_int_equal(begin_replay(&selection), 0);
	assert_int_equal(told.nborn, 3);
	assert_int_equal(born_tid(2)->found, SS_FOUND_ALL);
	assert_int_equal(born_tid(11)->found, SS_FOUND_TID);
	assert_int_equal(born_tid(10)->found, SS_FOUND_ALL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(begin__pid__finds_its_threads),
		TEST(begin__missing__is_named),
		TEST(begin__tids__only_these),
		TEST(update__birth__instant_between_bounds),
		TEST(update__hostile_start__no_birth_after_now),
		TEST(update__tid_reused__is_another_thread),
		TEST(update__pid_reused__is_not_watched),
		TEST(update__leader_is_zombie__is_ended_by_its_reader_and_threads_go_on),
		TEST(mark_ended__last_thread__finished_at_once),
		TEST(match__comm_or_command_line__joins),
		TEST(follow__children__join_also_with_lower_numbers),
		TEST(all__everything__and_whole_processes),
	};

	return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}
