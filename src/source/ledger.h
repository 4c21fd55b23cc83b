/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's event ledger has told of each watched thread, and the windows that follow from
 * it. No BPF here: slots and records are plain memory (bpf/wire.h), so that all of it is tested
 * without a kernel. Not thread-safe, except as said.
 */
#ifndef SS_SOURCE_LEDGER_H
#define SS_SOURCE_LEDGER_H

#include "bpf/wire.h"
#include "source/source.h"

struct ss_watch;

/* Where windows end, and what CLOCK_MONOTONIC was when the scheduler's clock was grid.epoch_ns. */
struct ss_ledger_clock {
	struct ss_grid grid;
	int64_t epoch_mono_ns;
};

struct ss_watches {
	const struct ss_slot *slot;	/* borrowed; the kernel writes it meanwhile */
	bool waits;			/* they are wanted */
	uint32_t n;			/* slots */
	struct ss_watch *watch;		/* one a slot */
	uint32_t *active;		/* slots with a thread */
	uint32_t nactive;
	uint32_t *unclaimed;		/* slots with a thread that was born and is not claimed */
	uint32_t nunclaimed;
	struct ss_link *link;		/* records that wait to be handed out */
	uint32_t nlinks, free_link;	/* index + 1; 0: none */
	int64_t lost;			/* records for which there was no memory */
};

/** Returns 0 or -ENOMEM. @slot: @n of them, borrowed. @waits: those of each window are told, too. */
int ss_watches_new(struct ss_watches *w, const struct ss_slot *slot, uint32_t n, bool waits);
void ss_watches_free(struct ss_watches *w);

/** A record arrived; @size is what the kernel says. Returns 0 or -EBADMSG. */
int ss_watches_record(struct ss_watches *w, const void *data, size_t size);

/** The slot of a thread that was born into a watched process and is not claimed, or -ENOENT. */
int64_t ss_watches_find_born(const struct ss_watches *w, int32_t pid, int32_t tid);

/** Whether records of @slot are waited for: of a thread that was born, or is claimed. */
bool ss_watches_in_use(const struct ss_watches *w, uint32_t slot);

/** @thread is what the kernel writes to @slot. Sets thread->slot. */
void ss_watches_claim(struct ss_watches *w, uint32_t slot, struct ss_thread *thread);

/** The opposite: the slot can be used for another thread when this returns true. */
bool ss_watches_drop(struct ss_watches *w, uint32_t slot);

/**
 * A slot whose thread ended long ago and was never claimed, free now; -ENOENT: none. Call it once a
 * tick until there is none.
 */
int64_t ss_watches_sweep(struct ss_watches *w);

/**
 * Copy what the kernel has of all claimed slots. All records that were sent before must be handed
 * in afterwards, and before ss_watches_close().
 */
void ss_watches_copy(struct ss_watches *w);

/** Whether records are still on their way that ss_watches_copy() says there are. */
bool ss_watches_incomplete(const struct ss_watches *w);

/**
 * Whether @thread waits for a CPU as far as is known: only its counters tell whether an event was
 * missed, which would show when it leaves the CPU, long after windows were handed out.
 */
bool ss_watches_is_queued(const struct ss_watches *w, const struct ss_thread *thread);

/**
 * Append to @shard all windows of @thread that closed up to @tick's end, the open one too when that
 * end is not on the grid. @counters: its switch-ins and completed runqueue waits, read after
 * ss_watches_copy(), or NULL. One call a thread at a time; different shards in parallel.
 */
void ss_watches_close(struct ss_watches *w, struct ss_shard *shard, struct ss_thread *thread,
		      const struct ss_tick *tick, const struct ss_ledger_clock *clock,
		      const struct ss_reading *counters);

#endif
