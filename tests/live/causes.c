/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that know what they wait for: one for each cause, and one that ends its waits where a
 * thread does that.
 *
 *	TMPDIR=FOLDER causes [NAME]...
 *
 * Makes files in FOLDER and leaves them there. Prints "ready PID", waits for a line, works until the
 * next one, and then prints for each cause
 *
 *	NAME tid=N kind=KIND syscall=CALL key=N name=PATTERN waker=TID[|interrupt]|interrupt|any \
 *		begin_ns=N end_ns=N blocked_ns=N waits=N
 *
 * or "NAME skip=REASON". A key of - can be any, as can a name of -, and then there need not be a
 * resource; "none": there is none. Instants are of CLOCK_MONOTONIC.
 */
#include "causes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

const char *dir;

static _Atomic bool running;
static struct causes *const group[] = { &thread_causes, &fd_causes, &file_causes };
#define GROUPS (sizeof(group) / sizeof(group[0]))

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

void rest(long ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

void skip(struct cause *c, const char *what)
{
	snprintf(c->skip, sizeof(c->skip), "%s: %s", what, strerror(errno));
}

void pattern(struct cause *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->pattern, sizeof(c->pattern), format, args);
	va_end(args);
}

void key_is_inode(struct cause *c, int fd)
{
	struct stat st;

	if (!fstat(fd, &st))
		snprintf(c->key, sizeof(c->key), "%llu", (unsigned long long)st.st_ino);
}

void key_is(struct cause *c, uint64_t key)
{
	snprintf(c->key, sizeof(c->key), "%llu", (unsigned long long)key);
}

/* A token through a descriptor, for all that reads and writes. */
void read_token(struct cause *c)
{
	char token[8];

	if (read(c->fd[0], token, sizeof(token)) <= 0)
		abort();
}

void write_token(struct cause *c)
{
	if (write(c->fd[1], "x", 1) != 1)
		abort();
}

sigset_t usr1(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return set;
}

void signal_wake(struct cause *c)
{
	syscall(SYS_tgkill, getpid(), c->tid, SIGUSR1);
}

static pthread_barrier_t barrier;

static void *wait_thread(void *arg)
{
	struct cause *c = arg;

	prctl(PR_SET_NAME, c->name);
	c->tid = c->waiter_tid = gettid();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	c->begin_ns = now_ns();
	while (atomic_load_explicit(&running, memory_order_relaxed)) {
		int64_t before_ns = now_ns();

		c->wait(c);
		c->blocked_ns += now_ns() - before_ns;
		c->waits++;
	}
	c->end_ns = now_ns();
	c->tid = 0;
	return NULL;
}

static void *wake_thread(void *arg)
{
	struct cause *c = arg;
	unsigned turn = 0;

	c->waker_tid = gettid();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	/* To the end of the other, which can be in a last wait. */
	while (atomic_load(&running) || c->tid) {
		/* One that holds a lock lets it go for a moment. */
		rest(c->holds ? MS / 5 : (5 + turn++ % 10) * MS);
		if (c->tid)
			c->wake(c);
	}
	return NULL;
}

static void report(struct cause *c)
{
	static const char *const wakers[] = { "", "|interrupt", "interrupt", "any" };

	if (c->skip[0]) {
		printf("%s skip=%s\n", c->name, c->skip);
		return;
	}
	printf("%s tid=%d kind=%s syscall=%s key=%s name=%s waker=", c->name, (int)c->waiter_tid,
	       c->kind, c->call, c->key[0] ? c->key : "-", c->pattern[0] ? c->pattern : "-");
	if (c->waker <= PACKET)
		printf("%d", (int)c->waker_tid);
	printf("%s", wakers[c->waker]);
	printf(" begin_ns=%lld end_ns=%lld blocked_ns=%lld waits=%lld\n", (long long)c->begin_ns,
	       (long long)c->end_ns, (long long)c->blocked_ns, (long long)c->waits);
}

/* What is to be done with each cause, in their order. */
static void for_each(void (*act)(struct cause *c))
{
	for (size_t g = 0; g < GROUPS; g++)
		for (size_t i = 0; i < group[g]->n; i++)
			act(&group[g]->cause[i]);
}

static char **wanted;		/* names; none: all */
static unsigned threads = 1;

static void prepare(struct cause *c)
{
	bool is_wanted = !*wanted;

	for (char **name = wanted; *name; name++)
		is_wanted |= !strcmp(*name, c->name);
	if (is_wanted)
		c->prepare(c);
	else
		snprintf(c->skip, sizeof(c->skip), "not asked for");
	if (!c->skip[0])
		threads += 1 + (c->wake != NULL);
}

static void start(struct cause *c)
{
	if (!c->skip[0] && (pthread_create(&c->waiter, NULL, wait_thread, c) ||
			    (c->wake && pthread_create(&c->helper, NULL, wake_thread, c))))
		exit(1);
}

static void end(struct cause *c)
{
	if (c->skip[0])
		return;
	pthread_join(c->waiter, NULL);
	if (c->wake)
		pthread_join(c->helper, NULL);
	if (c->finish)
		c->finish(c);
}

int main(int argc, char **argv)
{
	sigset_t set = usr1();
	char line[16];

	/* For those who read it, and as nothing else. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	dir = getenv("TMPDIR");
	if (!dir || argc < 1)
		return 1;
	wanted = argv + 1;
	for_each(prepare);
	pthread_barrier_init(&barrier, NULL, threads);
	for_each(start);
	pthread_barrier_wait(&barrier);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	running = true;
	pthread_barrier_wait(&barrier);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	running = false;
	for_each(end);
	for_each(report);
	puts("end");
	return 0;
}
