/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mutex that lends priority. The sampling threads are real-time and share short critical sections
 * with writers that are not: on a busy machine, a writer that is preempted inside one would hold up
 * a tick until it gets a CPU again.
 */
#ifndef SS_BASE_MUTEX_H
#define SS_BASE_MUTEX_H

#include <pthread.h>

static inline void ss_mutex_init(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	/* A kernel without PI futexes has plain ones. */
	if (pthread_mutex_init(mutex, &attr))
		pthread_mutex_init(mutex, NULL);
	pthread_mutexattr_destroy(&attr);
}

#endif
