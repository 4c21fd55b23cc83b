/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kinds of threads and their director have in common. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <sys/types.h>

#define NS_PER_S 1000000000LL
#define NS_PER_MS 1000000LL
#define NS_PER_US 1000LL
#define WORKERS_MAX 20000
#define STACK_BYTES (64 * 1024)

enum phase { PARKED, RUNNING, STOPPING, ENDING };

struct worker {
	const struct kind *kind;
	long unit;		/* 0...: of several of one kind */
	int role;		/* which of the unit's threads */
	long arg;		/* N of KIND=N where that is not a number of units */
	int fd[2][2];		/* pingpong: two pipes; dio: fd[0][0] is the file */
	pid_t pid, tid;
	pthread_t thread;
	int64_t cpu0_ns, cpu_ns;	/* CLOCK_THREAD_CPUTIME_ID, parked before and after */
	int64_t nvcsw;			/* voluntary switches before it last went to park */
	int64_t begin_ns, end_ns;	/* CLOCK_MONOTONIC around its running phase */
	int64_t loops, slept_ns, slept_max_ns, made, made_cpu_ns;
	char skip[120];
};

struct kind {
	const char *name;
	const char *help;
	void (*run)(struct worker *w);
	/** By the main thread, before there are others: sets w->skip where it cannot be. */
	void (*prepare)(struct worker *w);
	/** By the thread itself, before it parks. */
	void (*enter)(struct worker *w);
	/** By the main thread, once all threads and processes have ended. */
	void (*finish)(void);
	int threads;		/* of one unit; 0 counts as 1 */
	bool child;		/* the unit is a process of its own */
	bool rate;		/* KIND=N is an argument for one unit */
	bool exits;		/* the unit's first thread ends instead of parking */
};

/* Shared with child processes. */
struct shared {
	_Atomic uint32_t phase, arrived, parked;
	int64_t time_ns;	/* of the running phase */
	size_t n;
	struct worker worker[WORKERS_MAX];
};

extern struct shared *wl_shared;
extern const char *wl_dio_dir;		/* where the dio kind makes its file */
extern const struct kind wl_kinds[];	/* ends with a NULL name */

int64_t wl_clock_ns(clockid_t id);

/** Sleep while *word is @value; @wait_ns < 0: no limit. True when that was over. */
bool wl_futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t wait_ns);
void wl_futex_wake(_Atomic uint32_t *word);

static inline bool wl_running(void)
{
	return atomic_load_explicit(&wl_shared->phase, memory_order_relaxed) == RUNNING;
}

#endif
