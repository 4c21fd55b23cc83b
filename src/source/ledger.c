// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel tells of threads with a slot: records, births and copies of their ledgers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/watch.h"

#define COPY_TRIES 10000	/* the kernel writes for less than a microsecond */
#define WAIT_FOR_CLAIM_TICKS 100

int ss_watches_new(struct ss_watches *w, const struct ss_slot *slot, uint32_t n, bool waits)
{
	memset(w, 0, sizeof(*w));
	w->slot = slot;
	w->n = n;
	w->waits = waits;
	w->watch = calloc(n, sizeof(*w->watch));
	w->active = calloc(n, sizeof(*w->active));
	w->unclaimed = calloc(n, sizeof(*w->unclaimed));
	return w->watch && w->active && w->unclaimed ? 0 : -ENOMEM;
}

void ss_watches_free(struct ss_watches *w)
{
	free(w->watch);
	free(w->active);
	free(w->unclaimed);
	free(w->link);
	memset(w, 0, sizeof(*w));
}

static uint32_t take_link(struct ss_watches *w)
{
	uint32_t cap = w->nlinks ? w->nlinks * 2 : 1024, number = w->free_link;
	struct ss_link *grown;

	if (!number) {
		grown = realloc(w->link, cap * sizeof(*grown));
		if (!grown)
			return 0;
		w->link = grown;
		for (number = cap; number > w->nlinks; number--) {
			grown[number - 1].next = w->free_link;
			w->free_link = number;
		}
		w->nlinks = cap;
		number = w->free_link;
	}
	w->free_link = w->link[number - 1].next;
	return number;
}

/* Those up to @last. */
static void drop_links(struct ss_watches *w, struct ss_watch *watch, uint32_t last)
{
	uint32_t next;

	if (!last)
		return;
	next = w->link[last - 1].next;
	w->link[last - 1].next = w->free_link;
	w->free_link = watch->first;
	watch->first = next;
	if (!next)
		watch->last = 0;
	watch->done = 0;
}

static void remove_slot(struct ss_watches *w, uint32_t *list, uint32_t *n, uint32_t position)
{
	list[position] = list[--*n];
	w->watch[list[position]].position = position;
}

static void begin_watch(struct ss_watches *w, struct ss_watch *watch, uint32_t generation)
{
	drop_links(w, watch, watch->last);
	*watch = (struct ss_watch){ .generation = generation, .begun = true };
}

int ss_watches_record(struct ss_watches *w, const void *data, size_t size)
{
	const struct ss_record *r = data;
	struct ss_watch *watch;
	struct ss_link *link;
	uint32_t number;

	if (size < sizeof(*r) || r->slot >= w->n || r->kind > SS_RECORD_LEAVE ||
	    r->kind == SS_RECORD_OBJECT)
		return -EBADMSG;
	watch = &w->watch[r->slot];
	if (r->kind == SS_RECORD_BIRTH) {
		/* It was found by other means, and claimed, while this was on its way. */
		if (watch->thread && !watch->born && r->generation == watch->generation) {
			watch->born = true;
			return 0;
		}
		if (watch->begun)
			return -EBADMSG;
		begin_watch(w, watch, r->generation);
		watch->position = w->nunclaimed;
		w->unclaimed[w->nunclaimed++] = r->slot;
		watch->born = true;
		watch->pid = r->birth.pid;
		watch->tid = r->birth.tid;
		return 0;
	}
	/* Of a thread that had this slot before. */
	if (!watch->begun || r->generation != watch->generation)
		return 0;
	if (r->kind == SS_RECORD_LEAVE) {
		watch->left_at = r->left;
		watch->left = watch->exited = true;
		return 0;
	}
	drop_links(w, watch, watch->done);
	number = take_link(w);
	if (!number) {
		w->lost++;
		return 0;
	}
	link = &w->link[number - 1];
	link->kind = r->kind;
	link->next = 0;
	if (r->kind == SS_RECORD_WAIT) {
		link->window = r->part.window;
		link->wait = r->part.wait;
	} else {
		link->closed = r->closed;
		watch->told = r->closed.window + r->closed.more + 1;
	}
	if (watch->last)
		w->link[watch->last - 1].next = number;
	else
		watch->first = number;
	watch->last = number;
	watch->exited |= r->kind == SS_RECORD_EXIT;
	return 0;
}

int64_t ss_watches_find_born(const struct ss_watches *w, int32_t pid, int32_t tid)
{
	for (uint32_t i = w->nunclaimed; i-- > 0;) {
		const struct ss_watch *watch = &w->watch[w->unclaimed[i]];

		if (watch->tid == tid && watch->pid == pid)
			return w->unclaimed[i];
	}
	return -ENOENT;
}

bool ss_watches_in_use(const struct ss_watches *w, uint32_t slot)
{
	return w->watch[slot].begun;
}

void ss_watches_claim(struct ss_watches *w, uint32_t slot, struct ss_thread *thread)
{
	struct ss_watch *watch = &w->watch[slot];

	if (watch->born)
		remove_slot(w, w->unclaimed, &w->nunclaimed, watch->position);
	else
		begin_watch(w, watch, w->slot[slot].generation);
	watch->thread = thread;
	watch->waited = 0;
	watch->copied_seq = 1;		/* none: the kernel's is even when it is read */
	watch->position = w->nactive;
	w->active[w->nactive++] = slot;
	thread->slot_number = slot + 1;
}

static void end_watch(struct ss_watches *w, struct ss_watch *watch)
{
	drop_links(w, watch, watch->last);
	watch->thread = NULL;
	watch->born = watch->begun = false;
}

bool ss_watches_drop(struct ss_watches *w, uint32_t slot)
{
	struct ss_watch *watch = &w->watch[slot];

	remove_slot(w, w->active, &w->nactive, watch->position);
	watch->thread->slot_number = 0;
	end_watch(w, watch);
	return watch->exited;
}

int64_t ss_watches_sweep(struct ss_watches *w)
{
	for (uint32_t i = w->nunclaimed; i-- > 0;) {
		uint32_t slot = w->unclaimed[i];
		struct ss_watch *watch = &w->watch[slot];

		if (!watch->exited || watch->waited < WAIT_FOR_CLAIM_TICKS)
			continue;
		remove_slot(w, w->unclaimed, &w->nunclaimed, i);
		end_watch(w, watch);
		return slot;
	}
	/* The last call of this tick. */
	for (uint32_t i = 0; i < w->nunclaimed; i++) {
		struct ss_watch *watch = &w->watch[w->unclaimed[i]];

		if (watch->exited && watch->waited < WAIT_FOR_CLAIM_TICKS)
			watch->waited++;
	}
	return -ENOENT;
}

/* x86-64 keeps the order of loads; the compiler must too. */
static void copy_slot(struct ss_watch *watch, const struct ss_slot *slot)
{
	uint32_t seq, tries = 0;
	struct ss_ledger copy;

	watch->stale = false;
	do {
		/* The CPU that writes can have been taken from the machine meanwhile. */
		if (++tries > COPY_TRIES) {
			watch->stale = true;
			return;
		}
		seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
		if (seq == watch->copied_seq)
			return;
		copy = slot->ledger;
		if (!slot->events && copy.open.phase == SS_LEDGER_UNKNOWN) {
			copy.open.phase = slot->guess;
			copy.open.cause = slot->guess_cause;
		}
		__asm__ volatile("" ::: "memory");
	} while (seq & 1 || __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) != seq);
	watch->copy = copy;
	watch->copied_seq = seq;
}

/* Written without a lock: it may be half one name and half another, until the next tick. */
static void copy_name(struct ss_thread *thread, const struct ss_slot *slot)
{
	if (!slot->comm[0])
		return;
	memcpy(thread->comm, slot->comm, sizeof(slot->comm));
	thread->comm[sizeof(slot->comm) - 1] = '\0';
}

void ss_watches_copy(struct ss_watches *w)
{
	for (uint32_t i = 0; i < w->nactive; i++) {
		const struct ss_slot *slot = &w->slot[w->active[i]];
		struct ss_watch *watch = &w->watch[w->active[i]];

		copy_slot(watch, slot);
		copy_name(watch->thread, slot);
	}
}

bool ss_watches_incomplete(const struct ss_watches *w)
{
	for (uint32_t i = 0; i < w->nactive; i++) {
		const struct ss_watch *watch = &w->watch[w->active[i]];
		uint64_t next = watch->told > watch->next ? watch->told : watch->next;

		if (next && watch->copy.open.window > next)
			return true;
	}
	return false;
}

bool ss_watches_is_queued(const struct ss_watches *w, const struct ss_thread *thread)
{
	return w->watch[thread->slot_number - 1].copy.open.phase == SS_LEDGER_QUEUE;
}
