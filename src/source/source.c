// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

const struct ss_source_ops *const ss_sources[] = {
	&ss_source_bpf,
	&ss_source_bpf_snapshot,
	&ss_source_taskstats,
	&ss_source_procfs,
	NULL,
};

static bool grow_windows(struct ss_shard *shard, size_t cap)
{
	struct ss_window *grown = realloc(shard->windows, cap * sizeof(*grown));

	if (!grown)
		return false;
	shard->windows = grown;
	shard->windows_cap = cap;
	return true;
}

struct ss_window *ss_shard_add_window(struct ss_shard *shard)
{
	struct ss_window *w;

	/* More than one a thread only after a pause of the program. */
	if (shard->nwindows == shard->windows_cap &&
	    !grow_windows(shard, shard->windows_cap ? shard->windows_cap * 2 : 64)) {
		shard->oom = true;
		return NULL;
	}
	w = &shard->windows[shard->nwindows++];
	memset(w, 0, sizeof(*w));
	w->tick = shard->tick;
	return w;
}

struct ss_window_wait *ss_shard_add_wait(struct ss_shard *shard)
{
	struct ss_window_wait *w;

	if (shard->nwaits == shard->waits_cap) {
		size_t cap = shard->waits_cap ? shard->waits_cap * 2 : 64;

		w = realloc(shard->waits, cap * sizeof(*w));
		if (!w) {
			shard->oom = true;
			return NULL;
		}
		shard->waits = w;
		shard->waits_cap = cap;
	}
	w = &shard->waits[shard->nwaits++];
	memset(w, 0, sizeof(*w));
	return w;
}

bool ss_shard_grow(struct ss_shard *shard)
{
	size_t cap = shard->cap ? shard->cap * 2 : 64;
	void *threads, *delays, *gone;

	if (shard->n < shard->cap)
		return true;
	threads = realloc(shard->threads, cap * sizeof(*shard->threads));
	if (threads)
		shard->threads = threads;
	delays = realloc(shard->delays, cap * sizeof(*shard->delays));
	if (delays)
		shard->delays = delays;
	gone = realloc(shard->gone, cap * sizeof(*shard->gone));
	if (gone)
		shard->gone = gone;
	if (!threads || !delays || !gone ||
	    (shard->windows_cap < cap && !grow_windows(shard, cap)))
		return false;
	shard->cap = cap;
	return true;
}
