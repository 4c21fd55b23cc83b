/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The roster on real tasks: threads and children of this program, which live until told to end. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "roster.h"

#define DEADLINE_NS (20 * SECOND)

/* A thread that waits for the end of a pipe. */
struct sitter {
	pthread_t thread;
	int wake[2];
	_Atomic int32_t tid;
};

static void *sit(void *arg)
{
	struct sitter *s = arg;
	char byte;

	s->tid = syscall(SYS_gettid);
	if (read(s->wake[0], &byte, 1) < 0)
		abort();
	return NULL;
}

static void start(struct sitter *s)
{
	s->tid = 0;
	assert_int_equal(pipe2(s->wake, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, sit, s), 0);
	while (!s->tid)
		sched_yield();
}

/* pthread_join() returns before the kernel has taken the thread out of /proc. */
static void stop(struct sitter *s)
{
	int64_t begin_ns = ss_now_ns(CLOCK_MONOTONIC);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d", s->tid);
	close(s->wake[1]);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	while (access(path, F_OK) == 0) {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - begin_ns < DEADLINE_NS);
		sched_yield();
	}
	close(s->wake[0]);
}

static void take_now(void)
{
	now.index++;
	now.actual_ns = now.scheduled_ns = ss_now_ns(CLOCK_MONOTONIC);
	now.mono_to_boot_ns = ss_now_ns(CLOCK_BOOTTIME) - now.actual_ns;
}

static void update_real(void)
{
	take_now();
	ss_roster_update(roster, &now);
}

static int begin_real(const struct ss_selection *selection, bool connector)
{
	assert_int_equal(ss_procfs_open(&procfs), 0);
	if (!procfs.is_real) {
		print_message("needs the /proc of its own PID namespace\n");
		skip();
	}
	assert_int_equal(ss_roster_new(&roster, &procfs, selection, &ops, &told, &caps), 0);
	if (connector && !roster->connector) {
		print_message("needs the proc connector: %s\n",
			      ss_caps_find(&caps, "proc-connector")->detail);
		skip();
	}
	if (!connector) {
		ss_connector_close(roster->connector);
		roster->connector = NULL;
	}
	take_now();
	return ss_roster_begin(roster, &now, &missing);
}

/* The rescan of everything is not due, however long the test is kept waiting. */
static void no_full_scan(void)
{
	roster->full_mono_ns = INT64_MAX / 2;
}

/* Until the kernel has told the end of a thread that is known to be gone. */
static void drain_until_ended(int32_t tid)
{
	int64_t begin_ns = ss_now_ns(CLOCK_MONOTONIC);

	while (ss_table_thread(roster, tid)) {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - begin_ns < DEADLINE_NS);
		ss_roster_drain(roster);
	}
}

static void real__thread_given_as_process__is_esrch(void **state)
{
	int32_t pids[1];
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	struct sitter s;

	(void)state;
	start(&s);
	pids[0] = s.tid;
	assert_int_equal(begin_real(&selection, false), -ESRCH);
	assert_int_equal(missing, s.tid);
	stop(&s);
	ss_roster_free(roster);
	ss_procfs_close(&procfs);
	pids[0] = 2000000000;	/* above PID_MAX_LIMIT */
	assert_int_equal(begin_real(&selection, false), -ESRCH);
	assert_int_equal(missing, 2000000000);
}

static void real__tid__found_with_its_process(void **state)
{
	int32_t tids[1];
	const struct ss_selection selection = { .tids = tids, .ntids = 1 };
	struct sitter s;

	(void)state;
	start(&s);
	tids[0] = s.tid;
	assert_int_equal(begin_real(&selection, false), 0);
	assert_int_equal(told.nborn, 1);
	assert_int_equal(told.born[0]->pid, getpid());
	assert_int_equal(told.born[0]->tid, s.tid);
	stop(&s);
	ss_roster_mark_ended(roster, told.born[0]);
	assert_true(ss_roster_finished(roster));
}

#define SITTERS 100

static void scan__threads_come_and_go__all_seen(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	static struct sitter sitters[SITTERS];
	int64_t before_ns;
	int known;

	(void)state;
	assert_int_equal(begin_real(&selection, false), 0);
	/* A sanitizer may have a thread of its own. */
	known = told.nborn;
	assert_non_null(born_tid(getpid()));
	forget();
	before_ns = now.actual_ns;
	for (int i = 0; i < SITTERS; i++)
		start(&sitters[i]);
	update_real();
	assert_int_equal(told.nborn, SITTERS);
	assert_int_equal(told.nended, 0);
	assert_int_equal(stats().threads, known + SITTERS);
	assert_true(stats().unseen_max >= 0);
	for (int i = 0; i < SITTERS; i++) {
		const struct ss_thread *t = born_tid(sitters[i].tid);

		assert_non_null(t);
		assert_true(t->birth_mono_ns >= before_ns);
		assert_true(t->birth_mono_ns <= ss_now_ns(CLOCK_MONOTONIC));
		assert_in_range(t->birth_bound_ns, 0, 10 * SS_NSEC_PER_MSEC);
		assert_true(t->start_ticks > 0);
	}

	/* Every second one ends; the number of threads tells, once anything was born. */
	forget();
	for (int i = 0; i < SITTERS; i += 2)
		stop(&sitters[i]);
	roster->full_mono_ns = 0;
	update_real();
	assert_int_equal(told.nborn, 0);
	assert_int_equal(told.nended, SITTERS / 2);
	assert_int_equal(ended_tid(sitters[0].tid)->exit_mono_ns, INT64_MAX);
	assert_null(ended_tid(sitters[1].tid));
	ss_roster_reap(roster);
	for (int i = 1; i < SITTERS; i += 2)
		stop(&sitters[i]);
}

static void scan__one_replaces_another__seen_after_its_end(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	struct sitter first, second;
	struct ss_thread *t;

	(void)state;
	start(&first);
	assert_int_equal(begin_real(&selection, false), 0);
	no_full_scan();
	t = born_tid(first.tid);
	stop(&first);
	start(&second);
	update_real();
	/* As many as before: not listed, until a worker cannot read the first. */
	assert_null(born_tid(second.tid));
	ss_roster_mark_ended(roster, t);
	update_real();
	assert_non_null(born_tid(second.tid));
	assert_int_equal(told.nended, 0);
	/* It is younger than the look that did not show it. */
	assert_true(born_tid(second.tid)->birth_mono_ns >= roster->begin_mono_ns);
	stop(&second);
}

static void scan__nothing_born__nothing_listed(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	uint32_t listing;
	struct sitter s;

	(void)state;
	assert_int_equal(begin_real(&selection, false), 0);
	if (!roster->newest.trusted) {
		print_message("needs the kernel's own /proc/loadavg\n");
		skip();
	}
	no_full_scan();
	listing = roster->listing;
	/* Others on the machine may start tasks: then nlink alone spares the listing. */
	for (int i = 0; i < 10; i++)
		update_real();
	assert_int_equal(roster->listing - listing, 0);
	start(&s);
	update_real();
	assert_int_equal(roster->listing - listing, 1);
	assert_non_null(born_tid(s.tid));
	stop(&s);
}

static void unseen__births_between_updates__bounded(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	struct ss_newest_pid *newest;

	(void)state;
	assert_int_equal(begin_real(&selection, false), 0);
	newest = &roster->newest;
	if (!newest->trusted) {
		print_message("needs the kernel's own /proc/loadavg\n");
		skip();
	}
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	update_real();
	assert_true(stats().unseen_max >= 20);
	/* The numbers started again at pid_max. */
	newest->now = newest->pid_max - 5 + newest->now;
	update_real();
	assert_true(stats().unseen_max >= 5);
	assert_true(stats().unseen_max < 1000);
}

/* A process that sleeps until it is given a byte, which it gives back. */
static pid_t start_answerer(int *ask, int *answer)
{
	int in[2], out[2];
	pid_t child;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		char byte;

		close(in[1]);
		while (read(in[0], &byte, 1) == 1)
			if (write(out[1], &byte, 1) != 1)
				break;
		_exit(0);
	}
	close(in[0]);
	close(out[1]);
	*ask = in[1];
	*answer = out[0];
	return child;
}

static void look_until_still(const struct ss_stillness *still)
{
	int64_t begin_ns = ss_now_ns(CLOCK_MONOTONIC);

	do {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - begin_ns < DEADLINE_NS);
		ss_roster_look_for_still(roster, ss_now_ns(CLOCK_MONOTONIC));
	} while (!still->still_ns);
}

/* It can be on its CPU still, its time not charged: then the clock has not moved yet. */
static void look_until_changed(const struct ss_stillness *still, int64_t since_ns)
{
	int64_t begin_ns = ss_now_ns(CLOCK_MONOTONIC);

	do {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - begin_ns < DEADLINE_NS);
		ss_roster_look_for_still(roster, ss_now_ns(CLOCK_MONOTONIC));
	} while (still->since_ns == since_ns);
}

static void still__process_that_sleeps__until_it_runs(void **state)
{
	int32_t pids[1];
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	const struct ss_stillness *still;
	int64_t since_ns, quiet_ns;
	int ask, answer;
	pid_t child;
	char byte = 0;

	(void)state;
	child = start_answerer(&ask, &answer);
	pids[0] = child;
	assert_int_equal(begin_real(&selection, false), 0);
	still = born_tid(child)->still;
	ss_roster_look_for_still(roster, 0);
	assert_int_equal(still->quiet_ns, 0);
	assert_int_equal(still->still_ns, 0);
	quiet_ns = ss_now_ns(CLOCK_MONOTONIC);
	ss_roster_look_for_still(roster, quiet_ns);
	if (!still->quiet_ns) {
		print_message("needs to see that its control groups have no CPU quota\n");
		close(ask);
		waitpid(child, NULL, 0);
		skip();
	}
	assert_int_equal(still->quiet_ns, quiet_ns);
	look_until_still(still);
	since_ns = still->since_ns;
	assert_in_range(still->still_ns, since_ns, ss_now_ns(CLOCK_MONOTONIC));

	/* It sleeps on: proven from the same instant. */
	look_until_still(still);
	assert_int_equal(still->since_ns, since_ns);

	/* It ran in between. */
	assert_int_equal(write(ask, &byte, 1), 1);
	assert_int_equal(read(answer, &byte, 1), 1);
	look_until_changed(still, since_ns);
	assert_int_equal(still->still_ns, 0);
	look_until_still(still);
	assert_true(still->since_ns > since_ns);

	/* The machine is not quiet: nothing is known. */
	ss_roster_look_for_still(roster, 0);
	assert_int_equal(still->still_ns, 0);
	close(ask);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(answer);
}

static bool give_record(int32_t tid, const struct ss_reading *final, int64_t age_us)
{
	struct ss_exit_record record = { .tid = tid, .age_us = age_us, .final = *final };

	return ss_roster_exit_record(roster, &record);
}

static void exit_record__plausible_age__taken(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	const struct ss_reading final = { .have = SS_HAVE_RUN, .run_ns = 4711 };
	int64_t age_us;
	struct sitter s;
	struct ss_thread *t;

	(void)state;
	assert_int_equal(begin_real(&selection, false), 0);
	start(&s);
	update_real();
	t = born_tid(s.tid);
	age_us = (ss_now_ns(CLOCK_MONOTONIC) - t->birth_mono_ns) / 1000;
	assert_false(give_record(2000000000, &final, age_us));
	assert_false(give_record(s.tid, &final, age_us + 60000000));
	assert_false(give_record(s.tid, &final, -1));
	assert_false(give_record(s.tid, &final, INT64_MAX));
	assert_false(t->has_exit_record);
	assert_true(give_record(s.tid, &final, age_us));
	assert_true(t->has_exit_record);
	assert_int_equal(t->exit_record.final.run_ns, 4711);

	/* The queue was read ten seconds later: a thread that old is not one of age_us. */
	t->has_exit_record = false;
	for (int i = 0; i < 2; i++) {
		now.actual_ns += 10 * SECOND;
		ss_roster_update(roster, &now);
	}
	assert_false(give_record(s.tid, &final, age_us));
	assert_false(t->has_exit_record);
	stop(&s);
}

static void exit_record__after_end__until_reaped(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	const struct ss_reading final = { .have = SS_HAVE_RUN, .run_ns = 4711 };
	struct sitter s;
	struct ss_thread *t;

	(void)state;
	start(&s);
	assert_int_equal(begin_real(&selection, false), 0);
	t = born_tid(s.tid);
	stop(&s);
	ss_roster_mark_ended(roster, t);
	/* Born before the first tick: any age will do. */
	assert_true(give_record(s.tid, &final, 1));
	assert_int_equal(t->exit_record.final.run_ns, 4711);
	ss_roster_reap(roster);
	assert_false(give_record(s.tid, &final, 1));
}

static void connector__threads_come_and_go__exact_instants(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	static struct sitter sitters[SITTERS];
	int64_t before_ns, after_ns;

	(void)state;
	assert_int_equal(begin_real(&selection, true), 0);
	forget();
	before_ns = ss_now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < SITTERS; i++)
		start(&sitters[i]);
	ss_roster_drain(roster);
	assert_int_equal(told.nborn, SITTERS);
	/* They end, and none is told before the update. */
	for (int i = 0; i < SITTERS; i++)
		stop(&sitters[i]);
	for (int i = 0; i < SITTERS; i++)
		drain_until_ended(sitters[i].tid);
	after_ns = ss_now_ns(CLOCK_MONOTONIC);
	assert_int_equal(told.nended, 0);
	update_real();
	assert_int_equal(told.nended, SITTERS);
	assert_int_equal(stats().unseen_max, SS_UNSEEN_NONE);
	for (int i = 0; i < SITTERS; i++) {
		const struct ss_thread *t = ended_tid(sitters[i].tid);

		assert_ptr_equal(t, born_tid(sitters[i].tid));
		assert_true(before_ns <= t->birth_mono_ns);
		assert_true(t->birth_mono_ns < t->exit_mono_ns);
		assert_true(t->exit_mono_ns <= after_ns);
		assert_int_equal(t->birth_bound_ns, 0);
		assert_int_equal(t->pid, getpid());
		assert_true(t->comm[0]);
	}
	ss_roster_reap(roster);
	assert_int_equal(stats().lost_events, 0);
	assert_int_equal(stats().lost_parse, 0);
}

/* Born and ended before anyone looked: still both are told, with its last counters. */
static void connector__shorter_than_an_interval__born_and_ended(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	const struct ss_reading final = { .have = SS_HAVE_RUN, .run_ns = 99 };
	struct sitter s;
	int64_t age_us;

	(void)state;
	assert_int_equal(begin_real(&selection, true), 0);
	forget();
	age_us = ss_now_ns(CLOCK_MONOTONIC) / 1000;
	start(&s);
	stop(&s);
	age_us = ss_now_ns(CLOCK_MONOTONIC) / 1000 - age_us;
	/* The record comes before the roster knows the thread: kept for it. */
	assert_false(give_record(s.tid, &final, age_us + 3600000000));
	assert_false(give_record(s.tid, &final, age_us));
	assert_int_equal(roster->nstash, 2);
	ss_roster_drain(roster);
	assert_int_equal(roster->nstash, 0);
	drain_until_ended(s.tid);
	update_real();
	assert_int_equal(told.nborn, 1);
	assert_int_equal(told.nended, 1);
	assert_int_equal(told.ended[0]->tid, s.tid);
	assert_true(told.ended[0]->has_exit_record);
	assert_int_equal(told.ended[0]->exit_record.final.run_ns, 99);
	assert_true(told.ended[0]->exit_mono_ns < INT64_MAX);
}

/* A worker cannot read the thread any more; the event, read later, still says when it ended. */
static void connector__worker_was_first__exact_end(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	int64_t begin_ns;
	struct ss_thread *t;
	struct sitter s;

	(void)state;
	start(&s);
	assert_int_equal(begin_real(&selection, true), 0);
	t = born_tid(s.tid);
	begin_ns = ss_now_ns(CLOCK_MONOTONIC);
	stop(&s);
	t->exit_mono_ns = INT64_MAX;
	ss_roster_mark_ended(roster, t);
	while (t->exit_mono_ns == INT64_MAX) {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - begin_ns < DEADLINE_NS);
		ss_roster_drain(roster);
	}
	assert_true(begin_ns <= t->exit_mono_ns);
	assert_true(t->exit_mono_ns <= ss_now_ns(CLOCK_MONOTONIC));
	assert_int_equal(told.nended, 0);
}

static void connector__stash_full__is_counted(void **state)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1 };
	const struct ss_reading final = { .have = SS_HAVE_RUN };

	(void)state;
	assert_int_equal(begin_real(&selection, true), 0);
	for (int i = 0; i < SS_STASH_SIZE + 3; i++)
		assert_false(give_record(2000000000, &final, 1));
	assert_int_equal(stats().lost_events, 3);
}

/* A child that lives until its pipe closes; it does nothing else, so it is safe after fork(). */
static pid_t start_child(int wake[2])
{
	pid_t child;
	char byte;

	assert_int_equal(pipe2(wake, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(wake[1]);
		_exit(read(wake[0], &byte, 1) < 0);
	}
	return child;
}

/* Until the kernel has told the end of a leader that is known to be gone. */
static void drain_until_told(const struct ss_thread *leader)
{
	int64_t begin_ns = ss_now_ns(CLOCK_MONOTONIC);

	while (!leader->exit_mono_ns) {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - begin_ns < DEADLINE_NS);
		ss_roster_drain(roster);
	}
	assert_in_range(leader->exit_mono_ns, leader->birth_mono_ns + 1, begin_ns + DEADLINE_NS);
}

static void follow_children(bool connector)
{
	const int32_t pids[] = { getpid() };
	const struct ss_selection selection = { .pids = pids, .npids = 1, .follow = true };
	int first_wake[2], second_wake[2];
	pid_t first, second;
	int64_t end;

	first = start_child(first_wake);
	assert_int_equal(begin_real(&selection, connector), 0);
	assert_int_equal(born_tid(first)->found, SS_FOUND_FOLLOW);
	second = start_child(second_wake);
	update_real();
	assert_non_null(born_tid(second));
	assert_int_equal(born_tid(second)->found, SS_FOUND_FOLLOW);
	assert_int_equal(born_tid(second)->pid, second);
	assert_int_equal(born_tid(second)->ppid, getpid());
	close(first_wake[1]);
	close(second_wake[1]);
	assert_int_equal(waitpid(first, NULL, 0), first);
	assert_int_equal(waitpid(second, NULL, 0), second);
	if (connector) {
		/* They could have stayed as zombies, so a worker has the last word. */
		drain_until_told(born_tid(first));
		drain_until_told(born_tid(second));
		update_real();
		assert_int_equal(told.nended, 0);
		end = born_tid(first)->exit_mono_ns;
		ss_roster_mark_ended(roster, born_tid(first));
		ss_roster_mark_ended(roster, born_tid(second));
		assert_int_equal(born_tid(first)->exit_mono_ns, end);
	} else {
		roster->full_mono_ns = 0;
		update_real();
		assert_non_null(ended_tid(first));
		assert_non_null(ended_tid(second));
	}
	assert_int_equal(stats().processes, 1);
	close(first_wake[0]);
	close(second_wake[0]);
}

static void scan__follow__children_join(void **state)
{
	(void)state;
	follow_children(false);
}

static void connector__follow__children_join(void **state)
{
	(void)state;
	follow_children(true);
}

/* The program that a process executes decides; nothing but its exec event tells of it. */
static void connector__match__judged_again_at_exec(void **state)
{
	const struct ss_selection selection = { .match = &regex };
	int64_t begin_ns;
	int wake[2], status;
	pid_t child;
	char byte;

	(void)state;
	compile("ss-roster-needle");
	assert_int_equal(begin_real(&selection, true), 0);
	assert_int_equal(pipe2(wake, O_CLOEXEC), 0);
	assert_int_equal(told.nborn, 0);
	child = fork();
	if (!child) {
		dup2(wake[0], 0);
		if (read(wake[0], &byte, 1) == 1)
			execl("/bin/sh", "sh", "-c", "read x; exit 7 # ss-roster-needle", NULL);
		_exit(1);
	}
	ss_roster_drain(roster);
	assert_int_equal(told.nborn, 0);
	assert_int_equal(write(wake[1], "x", 1), 1);
	begin_ns = ss_now_ns(CLOCK_MONOTONIC);
	while (!told.nborn) {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - begin_ns < DEADLINE_NS);
		ss_roster_drain(roster);
	}
	assert_int_equal(told.born[0]->pid, child);
	assert_int_equal(told.born[0]->found, SS_FOUND_MATCH);
	assert_string_equal(told.born[0]->comm, "sh");
	close(wake[1]);
	close(wake[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, roster_setup, roster_teardown)
	const struct CMUnitTest tests[] = {
		TEST(real__thread_given_as_process__is_esrch),
		TEST(real__tid__found_with_its_process),
		TEST(scan__threads_come_and_go__all_seen),
		TEST(scan__one_replaces_another__seen_after_its_end),
		TEST(scan__nothing_born__nothing_listed),
		TEST(scan__follow__children_join),
		TEST(unseen__births_between_updates__bounded),
		TEST(still__process_that_sleeps__until_it_runs),
		TEST(exit_record__plausible_age__taken),
		TEST(exit_record__after_end__until_reaped),
		TEST(connector__threads_come_and_go__exact_instants),
		TEST(connector__shorter_than_an_interval__born_and_ended),
		TEST(connector__worker_was_first__exact_end),
		TEST(connector__stash_full__is_counted),
		TEST(connector__follow__children_join),
		TEST(connector__match__judged_again_at_exec),
	};

	return cmocka_run_group_tests_name("roster_live", tests, NULL, NULL);
}
