/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for other threads, for signals, children and time. */
#include "causes.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void futex_prepare(struct cause *c)
{
	c->memory = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	c->word = (_Atomic uint32_t *)(c->memory + 64);
	key_is(c, (uint64_t)(uintptr_t)c->word);
	pattern(c, "^0x%lx$", (unsigned long)(uintptr_t)c->word);
}

static void shared_prepare(struct cause *c)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/shared", dir);
	c->fd[0] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->fd[0] < 0 || ftruncate(c->fd[0], 2 * BLOCK)) {
		skip(c, path);
		return;
	}
	c->memory = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd[0], BLOCK);
	c->word = (_Atomic uint32_t *)(c->memory + 64);
	key_is(c, (uint64_t)(uintptr_t)c->word);
	pattern(c, "^%s[+]0x1040$", path);
}

static void futex_wait(struct cause *c)
{
	int op = c->fd[0] ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE;

	while (!atomic_exchange(c->word, 0))
		syscall(SYS_futex, c->word, op, 0, NULL, NULL, 0);
}

static void futex_wake(struct cause *c)
{
	atomic_store(c->word, 1);
	syscall(SYS_futex, c->word, c->fd[0] ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void cond_prepare(struct cause *c)
{
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->cond, NULL);
}

static void cond_wait(struct cause *c)
{
	pthread_mutex_lock(&c->mutex);
	while (!c->token)
		pthread_cond_wait(&c->cond, &c->mutex);
	c->token = false;
	pthread_mutex_unlock(&c->mutex);
}

static void cond_wake(struct cause *c)
{
	pthread_mutex_lock(&c->mutex);
	c->token = true;
	pthread_mutex_unlock(&c->mutex);
	pthread_cond_signal(&c->cond);
}

static void nothing_prepare(struct cause *c)
{
	pattern(c, "none");
}

static void sleep_wait(struct cause *c)
{
	(void)c;
	rest(10 * MS);
}

static void sigwait_wait(struct cause *c)
{
	sigset_t set = usr1();
	int number;

	(void)c;
	sigwait(&set, &number);
}

/* What comes before the wait is not of its kind, and short beside it. */
static void child_wait(struct cause *c)
{
	pid_t child = fork();

	(void)c;
	if (!child) {
		rest(50 * MS);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void ipc_prepare(struct cause *c)
{
	nothing_prepare(c);
	c->fd[0] = semget(IPC_PRIVATE, 1, 0600);
	if (c->fd[0] < 0)
		skip(c, "semget");
}

static void ipc_wait(struct cause *c)
{
	struct sembuf take = { 0, -1, 0 };

	semop(c->fd[0], &take, 1);
}

static void ipc_wake(struct cause *c)
{
	struct sembuf give = { 0, 1, 0 };

	semop(c->fd[0], &give, 1);
}

static void ipc_finish(struct cause *c)
{
	semctl(c->fd[0], 0, IPC_RMID);
}

static struct cause causes[] = {
	{ .name = "futex", .kind = "futex", .call = "futex", .waker = THREAD,
	  .prepare = futex_prepare, .wait = futex_wait, .wake = futex_wake },
	{ .name = "shared", .kind = "futex", .call = "futex", .waker = THREAD,
	  .prepare = shared_prepare, .wait = futex_wait, .wake = futex_wake },
	{ .name = "cond", .kind = "futex", .call = "futex", .waker = THREAD,
	  .prepare = cond_prepare, .wait = cond_wait, .wake = cond_wake },
	{ .name = "sleep", .kind = "timer", .call = "clock_nanosleep", .waker = INTERRUPT,
	  .prepare = nothing_prepare, .wait = sleep_wait },
	{ .name = "sigwait", .kind = "signal", .call = "rt_sigtimedwait", .waker = THREAD,
	  .prepare = nothing_prepare, .wait = sigwait_wait, .wake = signal_wake },
	{ .name = "child", .kind = "child", .call = "wait4|clone", .waker = ANY,
	  .prepare = nothing_prepare, .wait = child_wait },
	{ .name = "ipc", .kind = "ipc", .call = "semop|semtimedop", .waker = THREAD,
	  .prepare = ipc_prepare, .wait = ipc_wait, .wake = ipc_wake, .finish = ipc_finish },
};

struct causes thread_causes = CAUSES(causes);
