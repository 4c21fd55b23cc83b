// SPDX-License-Identifier: GPL-2.0-or-later
/* Causes from a captured tree, and those of a thread that really waits. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/procfs.h"
#include "source/sampled.h"

#define TASK "00/11/task/12"
#define FUTEX "202 0x7f5750 0x89 0x0 0x0 0x0 0x0 0x7ffce52a0350 0x7f575689084f\n"
#define NANOSLEEP "230 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffce52a0350 0x7f575689084f\n"
#define RESTART "219 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffce52a0350 0x7f575689084f\n"

struct fixture {
	char tree[64];
	struct ss_procfs procfs;
	struct ss_source_env env;
	struct ss_fdbudget budget;
	struct ss_shard shard;
	struct ss_thread thread;
	struct ss_window window;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_file(const struct fixture *f, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->tree, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void init(struct fixture *f, int32_t pid, int32_t tid)
{
	f->env.procfs = &f->procfs;
	f->env.waits = true;
	ss_fdbudget_init(&f->budget, 64);
	ss_fdcache_init(&f->shard.files, &f->budget);
	f->thread.pid = pid;
	f->thread.tid = tid;
	for (int i = 0; i < SS_THREAD_FILES; i++)
		ss_fdent_init(&f->thread.file[i]);
	f->thread.account.open = true;
	f->thread.account.phase = SS_PHASE_SLEEP;
	f->thread.account.prev.have = SS_HAVE_PCOUNT;
	f->thread.account.prev.pcount = 1;
	f->window.thread = &f->thread;
	f->window.tick = 7;
	f->window.end_mono_ns = 1000;
	f->window.parts.have = SS_PART_SLEEP;
	f->window.parts.sleep_ns = 50;
}

static int setup(void **state)
{
	static const char *const dirs[] = { "00", "00/11", "00/11/task", TASK };
	struct fixture *f = calloc(1, sizeof(*f));
	struct ss_procfs_clock clock;
	char path[128];

	*state = f;
	strcpy(f->tree, "/tmp/ss-sampled-XXXXXX");
	assert_non_null(mkdtemp(f->tree));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->tree, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	make_file(f, "00/clock", "1 1 1 1\n");
	assert_int_equal(ss_procfs_open_replay(&f->procfs, f->tree), 0);
	assert_int_equal(ss_procfs_next(&f->procfs, &clock), 1);
	init(f, 11, 12);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ss_fdcache_clear(&f->shard.files);
	assert_int_equal(atomic_load(&f->budget.left), f->budget.size);
	ss_procfs_close(&f->procfs);
	free(f->shard.waits);
	nftw(f->tree, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* What the window says now; NULL: nothing. */
static const struct ss_window_wait *sample(struct fixture *f)
{
	f->shard.nwaits = 0;
	ss_sampled_wait(&f->env, &f->shard, &f->window);
	assert_true(f->shard.nwaits <= 1);
	return f->shard.nwaits ? &f->shard.waits[0] : NULL;
}

static struct ss_cause sample_cause(struct fixture *f)
{
	const struct ss_window_wait *w = sample(f);

	assert_non_null(w);
	return w->wait.cause;
}

static void sampled__blocked__all_blocked_time_has_its_cause(void **state)
{
	struct fixture *f = *state;
	const struct ss_window_wait *w;

	make_file(f, TASK "/syscall", FUTEX);
	f->window.parts.block_ns = 7;
	f->window.parts.iowait_ns = 500;
	f->window.parts.stop_ns = 1000;
	f->window.parts.run_ns = 10000;
	w = sample(f);
	assert_non_null(w);
	assert_ptr_equal(w->thread, &f->thread);
	assert_int_equal(w->tick, 7);
	assert_int_equal(w->end_mono_ns, 1000);
	assert_int_equal(w->quality, SS_QUALITY_SAMPLED);
	assert_int_equal(w->wait.ns, 1557);
	assert_int_equal(w->wait.count, 0);
	assert_int_equal(w->wait.waker, 0);
	assert_int_equal(w->wait.cause.kind, SS_WAIT_FUTEX);
	assert_int_equal(w->wait.cause.key[0], 0x7f5750);
	assert_int_equal(w->wait.cause.key[1], 0);
}

static void sampled__not_blocked_or_not_asked__has_no_row(void **state)
{
	struct fixture *f = *state;

	make_file(f, TASK "/syscall", FUTEX);
	f->window.parts.sleep_ns = 0;
	assert_null(sample(f));
	f->window.parts.sleep_ns = 50;
	f->env.waits = false;
	assert_null(sample(f));
	assert_int_equal(f->shard.files.opened, 0);
}

static void sampled__files_absent__there_is_no_row_and_no_loss(void **state)
{
	struct fixture *f = *state;

	assert_null(sample(f));
	f->thread.account.phase = SS_PHASE_STOP;
	assert_null(sample(f));
	f->thread.account.phase = SS_PHASE_RUN;
	assert_null(sample(f));
	f->thread.look = SS_LOOK_UNTRIED;
	assert_null(sample(f));
	assert_int_equal(f->thread.look, SS_LOOK_NONE);
	f->thread.look = SS_LOOK_UNTRIED;
	f->window.event = SS_EVENT_EXIT;
	assert_null(sample(f));
	assert_int_equal(f->shard.lost_reads + f->shard.lost_parse, 0);
}

static void sampled__not_switched_in__file_is_not_read_again(void **state)
{
	struct fixture *f = *state;

	make_file(f, TASK "/syscall", FUTEX);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_FUTEX);
	make_file(f, TASK "/syscall", NANOSLEEP);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_FUTEX);
	f->thread.account.prev.pcount++;
	assert_int_equal(sample_cause(f).kind, SS_WAIT_TIMER);
	assert_int_equal(f->shard.files.opened, 1);
	/* Without a count of switch-ins each tick looks. */
	f->thread.account.prev.have = 0;
	make_file(f, TASK "/syscall", FUTEX);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_FUTEX);
}

static void sampled__not_asleep_at_the_tick__is_unknown(void **state)
{
	struct fixture *f = *state;

	make_file(f, TASK "/syscall", FUTEX);
	for (int phase = SS_PHASE_UNKNOWN; phase <= SS_PHASE_QUEUE; phase++) {
		f->thread.account.phase = (uint8_t)phase;
		assert_int_equal(sample_cause(f).kind, SS_WAIT_UNKNOWN);
		assert_int_equal(sample_cause(f).syscall, -1);
		assert_int_equal(sample_cause(f).fd, -1);
	}
	f->thread.account.phase = SS_PHASE_SLEEP;
	f->window.event = SS_EVENT_EXIT;
	assert_int_equal(sample_cause(f).kind, SS_WAIT_UNKNOWN);
}

static void sampled__woken_meanwhile__is_unknown_and_looked_at_again(void **state)
{
	struct fixture *f = *state;

	make_file(f, TASK "/syscall", "running\n");
	assert_int_equal(sample_cause(f).kind, SS_WAIT_UNKNOWN);
	make_file(f, TASK "/syscall", FUTEX);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_FUTEX);
	assert_int_equal(f->shard.lost_parse, 0);
}

static void sampled__malformed__is_unknown_and_counted(void **state)
{
	struct fixture *f = *state;

	make_file(f, TASK "/syscall", FUTEX "x");
	assert_int_equal(sample_cause(f).kind, SS_WAIT_UNKNOWN);
	assert_int_equal(f->shard.lost_parse, 1);
}

static void sampled__restarted_call__keeps_the_cause_before(void **state)
{
	struct fixture *f = *state;

	make_file(f, TASK "/syscall", RESTART);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_SYSCALL);
	assert_int_equal(sample_cause(f).syscall, SYS_restart_syscall);
	f->thread.account.prev.pcount++;
	make_file(f, TASK "/syscall", NANOSLEEP);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_TIMER);
	f->thread.account.prev.pcount++;
	f->thread.account.phase = SS_PHASE_STOP;
	assert_int_equal(sample_cause(f).kind, SS_WAIT_STOP);
	f->thread.account.prev.pcount++;
	f->thread.account.phase = SS_PHASE_SLEEP;
	make_file(f, TASK "/syscall", RESTART);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_TIMER);
	assert_int_equal(sample_cause(f).syscall, SYS_clock_nanosleep);
}

static void sampled__kernel_thread__is_told_without_files(void **state)
{
	struct fixture *f = *state;

	f->thread.kernel = true;
	assert_int_equal(sample_cause(f).kind, SS_WAIT_KERNEL);
	f->thread.account.phase = SS_PHASE_RUN;
	assert_int_equal(sample_cause(f).kind, SS_WAIT_UNKNOWN);
	assert_int_equal(f->shard.files.opened, 0);
}

static void sampled__without_syscall__wchan_tells_the_kind(void **state)
{
	struct fixture *f = *state;

	make_file(f, TASK "/wchan", "anon_pipe_read");
	assert_int_equal(sample_cause(f).kind, SS_WAIT_PIPE);
	assert_int_equal(sample_cause(f).object, SS_OBJECT_NONE);
	assert_int_equal(sample_cause(f).syscall, -1);
	f->thread.account.prev.pcount++;
	make_file(f, TASK "/wchan", "0");
	/* It is remembered that the other file is of no use. */
	make_file(f, TASK "/syscall", FUTEX);
	assert_int_equal(sample_cause(f).kind, SS_WAIT_UNKNOWN);
	assert_int_equal(f->shard.lost_reads + f->shard.lost_parse, 0);
}

static void sampled__captured_tree__descriptors_lead_nowhere(void **state)
{
	struct fixture *f = *state;
	struct ss_cause c;

	make_file(f, TASK "/syscall",
		  "0 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffce52a0350 0x7f575689084f\n");
	assert_non_null(sample(f));	/* from here on its file is open */
	f->thread.pid = f->thread.tid = getpid();
	f->thread.account.prev.pcount++;
	c = sample_cause(f);
	assert_int_equal(c.syscall, SYS_read);
	assert_int_equal(c.object, SS_OBJECT_NONE);
	assert_int_equal(c.fd, -1);
}

/* A thread that reads from a descriptor until there is something. */
struct reader {
	int fd;
	_Atomic int32_t tid;
	pthread_t thread;
};

static void *read_one(void *arg)
{
	struct reader *r = arg;
	char bytes[8];

	r->tid = gettid();
	assert_true(read(r->fd, bytes, sizeof(bytes)) > 0);
	return NULL;
}

static void *wait_for_one(void *arg)
{
	struct reader *r = arg;
	struct epoll_event event;

	r->tid = gettid();
	assert_int_equal(epoll_wait(r->fd, &event, 1, -1), 1);
	return NULL;
}

/* The cause of a thread of ours that blocks on @fd, once it does. @wake ends its wait. */
static struct ss_cause cause_of_wait(struct fixture *f, void *(*run)(void *), int fd, int wake)
{
	static const uint64_t one = 1;
	struct reader r = { .fd = fd };
	struct ss_cause cause;

	assert_int_equal(pthread_create(&r.thread, NULL, run, &r), 0);
	while (!r.tid)
		sched_yield();
	f->thread.tid = r.tid;
	ss_procfs_drop_files(&f->shard, &f->thread);
	f->thread.account.prev.pcount++;
	/* It can be on its way there, in another call. */
	do {
		f->thread.account.prev.pcount++;
		cause = sample_cause(f);
	} while (cause.syscall != (run == read_one ? SYS_read : SYS_epoll_wait) || cause.fd < 0);
	assert_int_equal(f->thread.look, SS_LOOK_SYSCALL);
	assert_true(write(wake, &one, sizeof(one)) > 0);
	assert_int_equal(pthread_join(r.thread, NULL), 0);
	assert_int_equal(cause.fd, fd);
	return cause;
}

static void assert_inode(const struct ss_cause *cause, int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(cause->key[0], st.st_ino);
	assert_int_equal(cause->key[1], st.st_dev);
}

static int setup_live(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	strcpy(f->tree, "/tmp/ss-sampled-XXXXXX");
	assert_non_null(mkdtemp(f->tree));
	assert_int_equal(ss_procfs_open(&f->procfs), 0);
	init(f, getpid(), getpid());
	return 0;
}

/* The kernel may not tell it: then nothing can be compared. */
static void need_syscall(struct fixture *f)
{
	char path[64], text[8];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", f->thread.pid, f->thread.pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
		skip();
	close(fd);
}

static void sampled__live_pipes__have_kind_inode_and_device(void **state)
{
	struct fixture *f = *state;
	char path[80];
	struct ss_cause c;
	int fd[2];

	need_syscall(f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(fd), 0);
		for (int again = 0; again < 2; again++) {
			c = cause_of_wait(f, read_one, fd[0], fd[1]);
			assert_int_equal(c.kind, SS_WAIT_PIPE);
			assert_int_equal(c.object, SS_OBJECT_PIPE);
			assert_inode(&c, fd[0]);
		}
		/* The second one has the same number as the first, and is another. */
		close(fd[0]);
		close(fd[1]);
	}
	snprintf(path, sizeof(path), "%s/fifo", f->tree);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd[0] = open(path, O_RDWR);
	assert_true(fd[0] >= 0);
	c = cause_of_wait(f, read_one, fd[0], fd[0]);
	assert_int_equal(c.kind, SS_WAIT_FIFO);
	assert_int_equal(c.object, SS_OBJECT_FIFO);
	assert_inode(&c, fd[0]);
	close(fd[0]);
}

static void sampled__live_sockets__unix_is_told_from_others(void **state)
{
	static const struct sockaddr_in any = { .sin_family = AF_INET };
	struct fixture *f = *state;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct ss_cause c;
	int fd[2];

	need_syscall(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	c = cause_of_wait(f, read_one, fd[0], fd[1]);
	assert_int_equal(c.kind, SS_WAIT_UNIX);
	assert_int_equal(c.object, SS_OBJECT_UNIX);
	assert_inode(&c, fd[0]);
	close(fd[0]);
	close(fd[1]);
	fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
	fd[1] = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd[0] < 0 || bind(fd[0], (const struct sockaddr *)&any, sizeof(any)) ||
	    getsockname(fd[0], (struct sockaddr *)&address, &len) ||
	    connect(fd[1], (struct sockaddr *)&address, len))
		skip();
	c = cause_of_wait(f, read_one, fd[0], fd[1]);
	assert_int_equal(c.kind, SS_WAIT_SOCKET);
	assert_int_equal(c.object, SS_OBJECT_SOCKET);
	assert_inode(&c, fd[0]);
	close(fd[0]);
	close(fd[1]);
}

static void sampled__live_anonymous__are_of_the_descriptor(void **state)
{
	struct fixture *f = *state;
	struct epoll_event event = { .events = EPOLLIN };
	int counter = eventfd(0, 0), epoll = epoll_create1(0);
	struct ss_cause c;

	need_syscall(f);
	assert_true(counter >= 0 && epoll >= 0);
	c = cause_of_wait(f, read_one, counter, counter);
	assert_int_equal(c.kind, SS_WAIT_EVENTFD);
	assert_int_equal(c.object, SS_OBJECT_EVENTFD);
	assert_int_equal(c.key[0], counter);
	assert_int_equal(c.key[1], 0);
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event), 0);
	c = cause_of_wait(f, wait_for_one, epoll, counter);
	assert_int_equal(c.kind, SS_WAIT_EPOLL);
	assert_int_equal(c.object, SS_OBJECT_EPOLL);
	assert_int_equal(c.key[0], epoll);
	close(epoll);
	close(counter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup_live, teardown)
		CAPTURED(sampled__blocked__all_blocked_time_has_its_cause),
		CAPTURED(sampled__not_blocked_or_not_asked__has_no_row),
		CAPTURED(sampled__files_absent__there_is_no_row_and_no_loss),
		CAPTURED(sampled__not_switched_in__file_is_not_read_again),
		CAPTURED(sampled__not_asleep_at_the_tick__is_unknown),
		CAPTURED(sampled__woken_meanwhile__is_unknown_and_looked_at_again),
		CAPTURED(sampled__malformed__is_unknown_and_counted),
		CAPTURED(sampled__restarted_call__keeps_the_cause_before),
		CAPTURED(sampled__kernel_thread__is_told_without_files),
		CAPTURED(sampled__without_syscall__wchan_tells_the_kind),
		CAPTURED(sampled__captured_tree__descriptors_lead_nowhere),
		LIVE(sampled__live_pipes__have_kind_inode_and_device),
		LIVE(sampled__live_sockets__unix_is_told_from_others),
		LIVE(sampled__live_anonymous__are_of_the_descriptor),
	};

	alarm(60);	/* for a wait that is never seen */
	return cmocka_run_group_tests_name("sampled", tests, NULL, NULL);
}
