// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/waits.h"

#include <stdlib.h>

static int by_cause(const void *a, const void *b)
{
	const struct ss_wait *x = &((const struct ss_window_wait *)a)->wait;
	const struct ss_wait *y = &((const struct ss_window_wait *)b)->wait;

	if (x->cause.kind != y->cause.kind)
		return x->cause.kind < y->cause.kind ? -1 : 1;
	if (x->cause.object != y->cause.object)
		return x->cause.object < y->cause.object ? -1 : 1;
	if (x->cause.syscall != y->cause.syscall)
		return x->cause.syscall < y->cause.syscall ? -1 : 1;
	for (int i = 0; i < 2; i++)
		if (x->cause.key[i] != y->cause.key[i])
			return x->cause.key[i] < y->cause.key[i] ? -1 : 1;
	return x->waker < y->waker ? -1 : x->waker > y->waker;
}

static void join_waits(struct ss_wait *wait, const struct ss_wait *more)
{
	wait->ns += more->ns;
	wait->ended_ns += more->ended_ns;
	wait->count += more->count;
	if (more->max_ns > wait->max_ns)
		wait->max_ns = more->max_ns;
	for (size_t i = 0; i < SS_WAIT_BUCKETS; i++)
		wait->hist[i] = (uint16_t)(wait->hist[i] + more->hist[i]);
}

/* One for each cause and waker, as far as the buckets hold it: a cause can give way and come back. */
static size_t join_same(struct ss_window_wait *waits, size_t n)
{
	struct ss_window_wait *last;
	size_t i, kept = 0;

	if (n > 1)
		qsort(waits, n, sizeof(*waits), by_cause);
	for (i = 0; i < n; i++) {
		last = kept ? &waits[kept - 1] : NULL;
		if (last && !by_cause(last, &waits[i]) &&
		    last->wait.count + waits[i].wait.count <= SS_WAIT_COUNT_MAX)
			join_waits(&last->wait, &waits[i].wait);
		else
			waits[kept++] = waits[i];
	}
	return kept;
}

size_t ss_waits_complete(struct ss_shard *shard, size_t first, const struct ss_window *window)
{
	const struct ss_parts *p = &window->parts;
	int64_t blocked_ns = p->sleep_ns + p->block_ns + p->iowait_ns + p->stop_ns;
	struct ss_window_wait *unknown;
	int64_t rest = blocked_ns;
	size_t i, n = first;

	for (i = first; i < shard->nwaits; i++)
		if (shard->waits[i].tick == window->tick)
			shard->waits[n++] = shard->waits[i];
	shard->nwaits = n;
	for (i = first; i < n; i++)
		rest -= (int64_t)shard->waits[i].wait.ns;
	/* One was lost, and one that gave way after the copy was made is told twice instead. */
	if (rest < 0) {
		rest = blocked_ns;
		shard->nwaits = first;
	}
	unknown = rest > 0 ? ss_shard_add_wait(shard) : NULL;
	if (unknown) {
		unknown->thread = window->thread;
		unknown->tick = window->tick;
		unknown->wait = (struct ss_wait){
			.cause = { .kind = SS_WAIT_UNKNOWN, .syscall = -1, .fd = -1 },
			.ns = (uint64_t)rest,
		};
	}
	n = shard->nwaits - first;
	if (n)
		n = join_same(&shard->waits[first], n);
	shard->nwaits = first + n;
	for (i = first; i < shard->nwaits; i++) {
		shard->waits[i].end_mono_ns = window->end_mono_ns;
		shard->waits[i].quality = p->quality;
	}
	return shard->nwaits;
}
