/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of each slot and its records: for ledger.c and ledger_windows.c alone. */
#ifndef SS_SOURCE_WATCH_H
#define SS_SOURCE_WATCH_H

#include "source/ledger.h"

/* A record in the list of its slot. */
struct ss_link {
	uint32_t next;		/* index + 1 */
	uint32_t kind;		/* enum ss_record_kind: a window, an exit or a wait */
	union {
		struct ss_closed closed;
		struct {
			uint64_t window;
			struct ss_wait wait;
		};
	};
};

struct ss_watch {
	struct ss_thread *thread;	/* NULL: not claimed */
	int32_t pid, tid;
	uint32_t generation;
	uint32_t position;		/* in active[] or unclaimed[] */
	uint32_t first, last;		/* records, index + 1 */
	uint32_t done;			/* the last of them that was handed out */
	uint64_t told;			/* first window that no record has told of */
	uint32_t copied_seq;
	uint64_t next;			/* first window that has not been handed out */
	uint64_t derived;		/* first of those that no record has told of; or next */
	int64_t owed[SS_LEDGER_PARTS];	/* to later windows: what records told of derived ones, */
					/* less what those were handed out with */
	struct ss_ledger copy;
	struct ss_switch left_at;
	bool born, exited, begun;
	bool left;			/* its account ends at left_at, and has not been closed */
	bool stale;			/* its slot could not be copied at this tick */
	uint8_t late;			/* ticks for which records have been missing */
	uint32_t waited;		/* ticks since it ended, for a record of that or for a claim */
};

#endif
