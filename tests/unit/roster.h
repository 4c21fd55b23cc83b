/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A roster and what it told: the engine's side of it, for the tests of the roster.
 */
#ifndef TESTS_UNIT_ROSTER_H
#define TESTS_UNIT_ROSTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/procfs.h"
#include "base/util.h"
#include "roster/table.h"

#define SECOND SS_NSEC_PER_SEC

#define LOG_MAX 4096
struct told {
	struct ss_thread *born[LOG_MAX], *ended[LOG_MAX];
	int nborn, nended;
};

static struct told told;
static struct ss_procfs procfs;
static struct ss_roster *roster;
static struct ss_tick now;
static struct ss_caps caps;
static int32_t missing;
static regex_t regex;		/* freed by teardown(), because skip() jumps */
static bool have_regex;

static void on_born(void *arg, struct ss_thread *thread)
{
	struct told *t = arg;

	assert_true(t->nborn < LOG_MAX);
	t->born[t->nborn++] = thread;
}

static void on_ended(void *arg, struct ss_thread *thread)
{
	struct told *t = arg;

	assert_true(t->nended < LOG_MAX);
	t->ended[t->nended++] = thread;
}

static const struct ss_roster_ops ops = { .born = on_born, .ended = on_ended };

static inline struct ss_thread *born_tid(int32_t tid)
{
	for (int i = 0; i < told.nborn; i++)
		if (told.born[i]->tid == tid)
			return told.born[i];
	return NULL;
}

static inline struct ss_thread *ended_tid(int32_t tid)
{
	for (int i = 0; i < told.nended; i++)
		if (told.ended[i]->tid == tid)
			return told.ended[i];
	return NULL;
}

static inline void forget(void)
{
	told.nborn = told.nended = 0;
}

static inline void compile(const char *text)
{
	assert_int_equal(regcomp(&regex, text, REG_EXTENDED | REG_NOSUB), 0);
	have_regex = true;
}

static inline struct ss_roster_stats stats(void)
{
	struct ss_roster_stats s;

	ss_roster_stats(roster, &s);
	return s;
}

static inline int roster_setup(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	memset(&now, 0, sizeof(now));
	memset(&caps, 0, sizeof(caps));
	memset(&procfs, 0, sizeof(procfs));
	procfs.root = procfs.base = -1;
	roster = NULL;
	missing = 0;
	return 0;
}

static inline int roster_teardown(void **state)
{
	(void)state;
	ss_roster_free(roster);
	ss_procfs_close(&procfs);
	if (have_regex)
		regfree(&regex);
	have_regex = false;
	return 0;
}

#endif
