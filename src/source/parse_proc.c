// SPDX-License-Identifier: GPL-2.0-or-later
/* Parsers of the files under /proc. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/util.h"
#include "source/parse.h"

#ifndef SCHED_BATCH
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#endif

static bool skip_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	++*p;
	return true;
}

static void skip_blanks(const char **p, const char *end)
{
	while (*p < end && **p == ' ')
		++*p;
}

static int parse_count(const char **p, const char *end, uint64_t *value)
{
	return ss_parse_u64(p, end, value) || *value > SS_COUNT_MAX ? -EBADMSG : 0;
}

int ss_parse_schedstat(const char *text, size_t len, struct ss_reading *r)
{
	const char *p = text, *end = text + len;
	uint64_t run, rq, pcount;

	if (parse_count(&p, end, &run) || !skip_char(&p, end, ' ') ||
	    parse_count(&p, end, &rq) || !skip_char(&p, end, ' ') ||
	    parse_count(&p, end, &pcount) || !skip_char(&p, end, '\n') || p != end)
		return -EBADMSG;
	/* proc_pid_schedstat() prints "0 0 0" when sched_info is off: nothing is known then. */
	if (!run && !rq && !pcount)
		return 0;
	r->run_ns = run;
	r->rq_ns = rq;
	r->pcount = pcount;
	r->have |= SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT;
	return 0;
}

/* "123.456789": milliseconds and six decimals, as SPLIT_NS() prints them, to nanoseconds. */
static int parse_split_ns(const char *p, const char *end, uint64_t *ns)
{
	uint64_t ms, fraction;
	const char *dot;

	if (ss_parse_u64(&p, end, &ms) || !skip_char(&p, end, '.'))
		return -EBADMSG;
	dot = p;
	if (ss_parse_u64(&p, end, &fraction) || p != end || p - dot != 6)
		return -EBADMSG;
	if (__builtin_mul_overflow(ms, SS_NSEC_PER_MSEC, ns) ||
	    __builtin_add_overflow(*ns, fraction, ns) || *ns > SS_COUNT_MAX)
		return -EBADMSG;
	return 0;
}

/* Which lines of the sched file are used, by the last dotted component of their names. */
enum sched_field {
	EXEC_START, SUM_EXEC_RUNTIME, NVCSW, NIVCSW, POLICY,
	SLEEP_START, BLOCK_START, SUM_SLEEP, SUM_BLOCK, IOWAIT_SUM,
	SCHED_FIELDS
};

static const struct {
	const char *name;
	bool split;		/* milliseconds with decimals; else a plain number */
} sched_fields[SCHED_FIELDS] = {
	[EXEC_START] = { "exec_start", true },
	[SUM_EXEC_RUNTIME] = { "sum_exec_runtime", true },
	[NVCSW] = { "nr_voluntary_switches", false },
	[NIVCSW] = { "nr_involuntary_switches", false },
	[POLICY] = { "policy", false },
	[SLEEP_START] = { "sleep_start", true },
	[BLOCK_START] = { "block_start", true },
	[SUM_SLEEP] = { "sum_sleep_runtime", true },
	[SUM_BLOCK] = { "sum_block_runtime", true },
	[IOWAIT_SUM] = { "iowait_sum", true },
};

/* The rule under the heading. It is longer than any name that could forge one in the heading. */
static const char rule[] = "--------------------------------";

/* The text behind the heading's rule, or NULL. */
static const char *skip_heading(const char *p, const char *end)
{
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl)
			return NULL;
		if (nl - p >= (long)strlen(rule) && !memcmp(p, rule, strlen(rule)))
			return nl + 1;
		p = nl + 1;
	}
	return NULL;
}

static int field_of_name(const char *name, size_t len)
{
	const char *dot = memrchr(name, '.', len);
	int f;

	if (dot) {
		len -= (size_t)(dot + 1 - name);
		name = dot + 1;
	}
	for (f = 0; f < SCHED_FIELDS; f++) {
		const char *want = sched_fields[f].name;

		if (*want == *name && strlen(want) == len && !memcmp(want, name, len))
			return f;
	}
	return -1;
}

#define BIT(f) (1u << (f))
#define SCHED_REQUIRED (BIT(EXEC_START) | BIT(SUM_EXEC_RUNTIME) | BIT(NVCSW) | BIT(NIVCSW))
#define SCHED_STATS (BIT(SLEEP_START) | BIT(BLOCK_START) | BIT(SUM_SLEEP) | BIT(SUM_BLOCK) | \
		     BIT(IOWAIT_SUM))

int ss_parse_sched(const char *text, size_t len, struct ss_reading *r)
{
	static const char old_prefix[] = "se.statistics.";
	const char *end = text + len, *p = skip_heading(text, end);
	uint64_t value[SCHED_FIELDS] = { 0 };
	bool old_names = false;
	uint32_t seen = 0;

	if (!p)
		return -EBADMSG;
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p)), *colon, *name_end, *v;
		int f;

		if (!stop)	/* cut off: its number may lack digits */
			break;
		colon = memchr(p, ':', (size_t)(stop - p));
		if (!colon)
			goto next;
		for (name_end = colon; name_end > p && name_end[-1] == ' '; name_end--)
			;
		f = name_end > p ? field_of_name(p, (size_t)(name_end - p)) : -1;
		if (f < 0)
			goto next;
		v = colon + 1;
		skip_blanks(&v, stop);
		if (sched_fields[f].split) {
			if (parse_split_ns(v, stop, &value[f]))
				return -EBADMSG;
		} else if (parse_count(&v, stop, &value[f]) || v != stop) {
			return -EBADMSG;
		}
		if (seen & BIT(f))
			return -EBADMSG;
		seen |= BIT(f);
		if (!strncmp(p, old_prefix, strlen(old_prefix)))
			old_names = true;
next:
		p = stop + 1;
	}
	if ((seen & SCHED_REQUIRED) != SCHED_REQUIRED)
		return -EBADMSG;

	r->run_ns = value[SUM_EXEC_RUNTIME];
	r->exec_start_ns = value[EXEC_START];
	r->nvcsw = value[NVCSW];
	r->nivcsw = value[NIVCSW];
	r->have |= SS_HAVE_RUN | SS_HAVE_EXEC_START | SS_HAVE_SWITCHES;
	if (seen & BIT(POLICY)) {
		uint64_t policy = value[POLICY];

		if (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE)
			r->flags |= SS_READING_FAIR;
	}
	if (old_names)
		r->flags |= SS_READING_OLD_SCHEDSTATS;
	if ((seen & SCHED_STATS) == SCHED_STATS) {
		r->sleep_ns = value[SUM_SLEEP];
		r->block_ns = value[SUM_BLOCK];
		r->iowait_ns = value[IOWAIT_SUM];
		r->sleep_start_ns = value[SLEEP_START];
		r->block_start_ns = value[BLOCK_START];
		r->have |= SS_HAVE_SCHEDSTATS;
	} else if ((seen & BIT(IOWAIT_SUM)) && old_names) {
		/* Until 5.15 there is no sum of blocked time: only its I/O part can be told. */
		r->blkio_ns = value[IOWAIT_SUM];
		r->have |= SS_HAVE_BLKIO;
		if ((seen & BIT(SUM_SLEEP)) && (r->flags & SS_READING_FAIR)) {
			r->slept_ns = value[SUM_SLEEP];
			r->have |= SS_HAVE_SLEPT;
		}
	}
	return 0;
}

int ss_state_of_letter(char letter)
{
	switch (letter) {
	case 'R':
		return SS_STATE_RUNNABLE;
	case 'S':
	case 'I':	/* TASK_IDLE: uninterruptible, but not load and not waiting for a device */
	case 'P':	/* TASK_PARKED */
		return SS_STATE_SLEEP;
	case 'D':
	case 'K':	/* TASK_WAKEKILL, shown until 4.13 */
	case 'W':
		return SS_STATE_BLOCK;
	case 'T':
	case 't':
		return SS_STATE_STOP;
	case 'Z':
	case 'X':
	case 'x':
		return SS_STATE_DEAD;
	}
	return -1;
}

int ss_parse_stat(const char *text, size_t len, struct ss_stat *st)
{
	const char *p = text, *end = text + len, *open, *close;
	uint64_t tid, unsigned_value;
	int64_t value;
	size_t comm_len;
	int field;

	memset(st, 0, sizeof(*st));
	if (ss_parse_u64(&p, end, &tid) || tid > INT32_MAX || !skip_char(&p, end, ' ') ||
	    !skip_char(&p, end, '('))
		return -EBADMSG;
	open = p;
	/* No later field can hold a ')': the last one ends the name, whatever the name holds. */
	close = memrchr(open, ')', (size_t)(end - open));
	if (!close)
		return -EBADMSG;
	comm_len = (size_t)(close - open);
	if (comm_len >= SS_COMM_LEN || memchr(open, '\0', comm_len))
		return -EBADMSG;
	memcpy(st->comm, open, comm_len);
	st->tid = (int32_t)tid;

	p = close + 1;
	if (!skip_char(&p, end, ' ') || p == end)
		return -EBADMSG;
	st->state = *p++;
	if (ss_state_of_letter(st->state) < 0)
		return -EBADMSG;
	for (field = 4; field <= 41; field++) {
		if (!skip_char(&p, end, ' '))
			return -EBADMSG;
		if (p < end && *p == '-') {
			if (ss_parse_s64(&p, end, &value))
				return -EBADMSG;
			unsigned_value = UINT64_MAX;	/* none of the fields kept below is negative */
		} else {
			if (ss_parse_u64(&p, end, &unsigned_value))
				return -EBADMSG;
			value = 0;
		}
		switch (field) {
		case 4:
			if (unsigned_value > INT32_MAX)
				return -EBADMSG;
			st->ppid = (int32_t)unsigned_value;
			break;
		case 9:
			st->flags = unsigned_value;
			break;
		case 20:
			if (unsigned_value > INT32_MAX)
				return -EBADMSG;
			st->num_threads = (int32_t)unsigned_value;
			break;
		case 22:
			if (unsigned_value == UINT64_MAX)
				return -EBADMSG;
			st->start_ticks = unsigned_value;
			break;
		case 39:
			if (unsigned_value > INT32_MAX)
				return -EBADMSG;
			st->cpu = (int32_t)unsigned_value;
			break;
		case 41:
			if (unsigned_value > UINT32_MAX)
				return -EBADMSG;
			st->policy = (uint32_t)unsigned_value;
			break;
		}
	}
	/* More follows on every kernel: without it the last number may have been cut off. */
	return skip_char(&p, end, ' ') ? 0 : -EBADMSG;
}

int ss_parse_loadavg(const char *text, size_t len, uint64_t *runnable, uint64_t *last_pid)
{
	const char *p = text, *end = text + len;
	uint64_t number;
	int i;

	for (i = 0; i < 3; i++)
		if (ss_parse_u64(&p, end, &number) || !skip_char(&p, end, '.') ||
		    ss_parse_u64(&p, end, &number) || !skip_char(&p, end, ' '))
			return -EBADMSG;
	if (ss_parse_u64(&p, end, runnable) || !skip_char(&p, end, '/') ||
	    ss_parse_u64(&p, end, &number) || !skip_char(&p, end, ' ') ||
	    ss_parse_u64(&p, end, last_pid) || !skip_char(&p, end, '\n') || p != end)
		return -EBADMSG;
	return 0;
}
