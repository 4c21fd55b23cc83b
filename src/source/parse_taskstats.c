// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * struct taskstats of any kernel. The layout is written as the order of its fields, because one
 * version (15, Linux 6.14) put new fields between the old ones; a walk in that order needs one
 * number to cover it.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "source/parse.h"

#define VERSION_MIN 8
#define VERSION_LAYOUT_INTERLEAVED 15
/* Version 15 has a maximum and a minimum behind each of the eight delays of version 14. */
#define SIZE_V15 (432 + 8 * 16)

struct walk {
	const unsigned char *data;
	size_t len, at;
	size_t after_delay;	/* bytes behind each pair of count and total */
	bool short_of;		/* a field lay beyond the record */
	bool too_big;		/* a counter was beyond SS_COUNT_MAX */
};

static uint64_t take(struct walk *w, size_t size)
{
	uint64_t v64 = 0;
	uint32_t v32;

	if (w->at + size > w->len) {
		w->short_of = true;
		return 0;
	}
	if (size == sizeof(v32)) {
		memcpy(&v32, w->data + w->at, sizeof(v32));
		v64 = v32;
	} else {
		memcpy(&v64, w->data + w->at, sizeof(v64));
	}
	w->at += size;
	return v64;
}

static uint64_t take_count(struct walk *w)
{
	uint64_t count = take(w, 8);

	w->too_big |= count > SS_COUNT_MAX;
	return count;
}

static void take_delay(struct walk *w, struct ss_taskstats *ts, enum ss_delay_kind kind)
{
	uint64_t count = take_count(w), ns = take_count(w);

	w->at += w->after_delay;
	if (w->short_of)
		return;
	ts->delay_count[kind] = count;
	ts->delay_ns[kind] = ns;
	ts->delay_have |= 1u << kind;
}

int ss_parse_taskstats(const void *data, size_t len, struct ss_taskstats *ts)
{
	struct walk w = { .data = data, .len = len, .at = 16 };
	uint64_t run, tid, age_us;
	size_t comm_at;

	memset(ts, 0, sizeof(*ts));
	if (len < 16)
		return -EBADMSG;
	memcpy(&ts->version, data, sizeof(ts->version));
	if (ts->version < VERSION_MIN)
		return -EBADMSG;
	if (ts->version == VERSION_LAYOUT_INTERLEAVED) {
		if (len != SIZE_V15)
			return -EBADMSG;
		w.after_delay = 16;
	}

	take_delay(&w, ts, SS_DELAY_CPU);
	take_delay(&w, ts, SS_DELAY_BLKIO);
	take_delay(&w, ts, SS_DELAY_SWAPIN);
	take(&w, 8);			/* cpu_run_real_total */
	run = take_count(&w);		/* cpu_run_virtual_total: sum_exec_runtime */
	comm_at = w.at;
	w.at += sizeof(ts->comm) + 8 + 8;	/* ac_comm; ac_sched; ac_uid, ac_gid */
	tid = take(&w, 4);
	w.at += 4 + 8;			/* ac_ppid; ac_btime and its padding */
	age_us = take(&w, 8);		/* ac_etime */
	w.at += 15 * 8;			/* ac_utime .. cancelled_write_bytes */
	ts->reading.nvcsw = take_count(&w);
	ts->reading.nivcsw = take_count(&w);
	if (w.short_of || tid > INT32_MAX || age_us > INT64_MAX / 1000)
		return -EBADMSG;
	ts->age_us = (int64_t)age_us;
	memcpy(ts->comm, w.data + comm_at, sizeof(ts->comm) - 1);
	ts->tid = (int32_t)tid;
	ts->reading.run_ns = run;
	ts->reading.pcount = ts->delay_count[SS_DELAY_CPU];
	ts->reading.rq_ns = ts->delay_ns[SS_DELAY_CPU];
	ts->reading.have = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES;

	w.at += 3 * 8;			/* ac_utimescaled .. cpu_scaled_run_real_total */
	take_delay(&w, ts, SS_DELAY_FREEPAGES);
	if (ts->version >= 9)
		take_delay(&w, ts, SS_DELAY_THRASHING);
	if (ts->version >= 10)
		take(&w, 8);		/* ac_btime64 */
	if (ts->version >= 11)
		take_delay(&w, ts, SS_DELAY_COMPACT);
	if (ts->version >= 12)
		w.at += 4 * 8;		/* ac_tgid and padding .. ac_exe_inode */
	if (ts->version >= 13)
		take_delay(&w, ts, SS_DELAY_WPCOPY);
	if (ts->version >= 14)
		take_delay(&w, ts, SS_DELAY_IRQ);
	return w.too_big ? -EBADMSG : 0;
}
