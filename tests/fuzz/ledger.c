// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any sequence of records, contents of slots, claims and ticks: the parts of each window add up to
 * its wall time and none is negative, the windows of a thread come one after the other, its start
 * is in the first one, and the waits of each are all of the time for which it was blocked.
 */
#include <errno.h>

#include "fuzz.h"
#include "source/ledger.h"

#define SLOTS 6
#define OPS 300
#define INTERVAL_NS 1000000
#define EPOCH_NS (1LL << 40)
/* All windows up to the one that is told are handed out: none is told that is years ahead. */
#define AHEAD 32
/* No time that a kernel can count is beyond that, and eight of them have a sum. */
#define NS_MAX (1LL << 56)

struct machine {
	const uint8_t *data;
	size_t size;
	struct ss_slot slot[SLOTS];
	struct ss_thread thread[SLOTS];
	bool claimed[SLOTS], begun[SLOTS], exited[SLOTS];
	int64_t last[SLOTS];		/* window of the thread in that slot, when it has begun */
	struct ss_watches watches;
	struct ss_shard shard;
	struct ss_ledger_clock clock;
	int64_t index;
};

static uint8_t take_byte(struct machine *m)
{
	uint8_t value;

	fuzz_take(&m->data, &m->size, &value, sizeof(value));
	return value;
}

static uint64_t take_u64(struct machine *m)
{
	uint64_t value;

	fuzz_take(&m->data, &m->size, &value, sizeof(value));
	return value;
}

static int64_t take_ns(struct machine *m)
{
	return (int64_t)(take_u64(m) % (2 * NS_MAX)) - NS_MAX;
}

/* An instant of the scheduler's clock in a window around the current one. */
static uint64_t take_instant(struct machine *m)
{
	uint32_t value;

	fuzz_take(&m->data, &m->size, &value, sizeof(value));
	return EPOCH_NS - 2 * INTERVAL_NS +
	       value % ((uint64_t)(m->index + AHEAD) * INTERVAL_NS);
}

static uint64_t take_window(struct machine *m)
{
	int64_t window = m->index + (int8_t)take_byte(m) / (128 / AHEAD);

	return window < 0 ? 0 : (uint64_t)window;
}

/* What a kernel would tell, or anything. */
static void take_closed(struct machine *m, struct ss_closed *c)
{
	uint8_t how = take_byte(m), part = take_byte(m) % SS_LEDGER_PARTS;

	memset(c, 0, sizeof(*c));
	c->window = take_window(m);
	c->more = how & 1 ? take_byte(m) % AHEAD : 0;
	c->begin_ns = take_instant(m);
	c->end_ns = c->begin_ns + take_byte(m);
	c->phase = part;
	c->cpu = (int8_t)take_byte(m);
	c->flags = how >> 1 & 3;
	c->ns[part] = (int64_t)(c->end_ns - c->begin_ns);
	if (!(how & 8))
		return;
	c->begin_ns = take_u64(m) % NS_MAX;
	c->end_ns = take_u64(m) % NS_MAX;
	for (int i = 0; i < SS_LEDGER_PARTS; i++)
		c->ns[i] = take_ns(m);
	c->bound_ns = take_ns(m);
	c->nvcsw = (uint32_t)take_u64(m);
	c->nivcsw = (uint32_t)take_u64(m);
	c->phase = take_byte(m);
	c->flags = take_byte(m);
}

/* Of a few causes, so that some are the same. */
static void take_wait(struct machine *m, struct ss_wait *w)
{
	uint8_t how = take_byte(m);

	memset(w, 0, sizeof(*w));
	w->cause.kind = how & 3;
	w->cause.syscall = -1;
	w->cause.key[0] = how >> 2 & 1;
	w->waker = how >> 3 & 3;
	w->count = how >> 5 & 1;
	w->ns = take_byte(m);
	if (how & 64)
		w->ns = take_u64(m) % (NS_MAX / (2 * OPS));
	if (how & 128) {
		w->count = (uint32_t)take_u64(m);
		w->ended_ns = take_u64(m);
		w->max_ns = take_u64(m);
		fuzz_take(&m->data, &m->size, w->hist, sizeof(w->hist));
	}
}

static void take_switch(struct machine *m, struct ss_switch *s)
{
	s->now_ns = take_instant(m);
	s->skew_ns = take_byte(m);
	s->runtime_ns = take_byte(m) & 1 ? take_u64(m) % NS_MAX : take_byte(m);
	s->last_arrival_ns = take_instant(m);
	s->run_delay_ns = take_u64(m) % NS_MAX;
	s->pcount = take_byte(m) % 4;
}

static void tell(struct machine *m)
{
	uint8_t how = take_byte(m);
	struct ss_record *r = malloc(sizeof(*r));
	size_t size = sizeof(*r);
	int status;

	/* On the heap, and no larger than said: a sanitizer sees any read behind it. */
	CHECK(r);
	memset(r, 0, sizeof(*r));
	r->slot = how % (SLOTS + 1);
	r->kind = (how >> 3 & 3) + ((how & 192) == 128 ? 4 : 0);
	r->generation = r->slot < SLOTS ? m->slot[r->slot].generation : 0;
	if (how & 32)
		r->generation = take_byte(m);
	if (r->kind == SS_RECORD_WAIT) {
		r->part.window = take_window(m);
		take_wait(m, &r->part.wait);
	} else if (r->kind == SS_RECORD_LEAVE) {
		take_switch(m, &r->left);
	} else {
		take_closed(m, &r->closed);
	}
	if (r->kind == SS_RECORD_BIRTH)
		r->birth.pid = r->birth.tid = (int32_t)r->slot;
	if ((how & 192) == 192) {
		size = take_byte(m) % sizeof(*r);
		r = realloc(r, size + !size);
		CHECK(r);
	}
	status = ss_watches_record(&m->watches, r, size);
	CHECK(!status || status == -EBADMSG);
	if (size < sizeof(*r) || r->slot >= SLOTS || r->kind == SS_RECORD_OBJECT ||
	    r->kind > SS_RECORD_LEAVE)
		CHECK(status == -EBADMSG);
	free(r);
}

/* Whether or not they are what the open window has. */
static void write_waits(struct machine *m, struct ss_slot *s)
{
	struct ss_wait w;

	take_wait(m, &w);
	s->guess_cause = s->ledger.open.cause = w.cause;
	s->ledger.wait_ns = w.ns;
	s->ledger.wait_since_ns = take_instant(m);
	s->ledger.nwaits = take_byte(m) % (SS_LEDGER_WAITS + 2);
	s->ledger.evicted = take_byte(m) % 4;
	for (size_t i = 0; i < SS_LEDGER_WAITS; i++)
		take_wait(m, &s->ledger.wait[i]);
}

static void write_slot(struct machine *m)
{
	struct ss_slot *s = &m->slot[take_byte(m) % SLOTS];
	uint8_t how = take_byte(m);

	s->seq += 2;
	s->events = how & 1;
	s->guess = how >> 1 & 7;
	take_closed(m, &s->ledger.open);
	s->ledger.since_ns = take_instant(m);
	/* Long before the grid. */
	if (how & 16)
		s->ledger.since_ns /= 2;
	s->ledger.in_ns = s->ledger.since_ns;
	if (how & 32) {
		s->ledger.run_delay_ns = take_u64(m) % NS_MAX;
		s->ledger.pcount = take_byte(m) % 4;
		fuzz_take(&m->data, &m->size, s->comm, sizeof(s->comm));
	}
	if (how & 64)
		write_waits(m, s);
}

static void claim(struct machine *m)
{
	uint32_t number = take_byte(m) % SLOTS;
	int64_t born;

	if (m->claimed[number])
		return;
	born = ss_watches_find_born(&m->watches, (int32_t)number, (int32_t)number);
	CHECK(born < 0 || born == number);
	memset(&m->thread[number], 0, sizeof(m->thread[number]));
	ss_watches_claim(&m->watches, number, &m->thread[number]);
	CHECK(m->thread[number].slot_number == number + 1);
	CHECK(ss_watches_in_use(&m->watches, number));
	m->claimed[number] = true;
	m->begun[number] = m->exited[number] = false;
}

static void drop(struct machine *m, uint32_t number)
{
	if (!m->claimed[number])
		return;
	ss_watches_drop(&m->watches, number);
	CHECK(!m->thread[number].slot_number);
	CHECK(!ss_watches_in_use(&m->watches, number));
	m->claimed[number] = false;
	m->slot[number].generation++;
}

static void check_parts(const struct ss_parts *p)
{
	const int64_t part[] = { p->run_ns, p->rq_ns, p->sleep_ns, p->block_ns, p->iowait_ns,
				 p->stop_ns, p->stolen_ns };
	uint64_t sum = (uint64_t)p->residual_ns;

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		CHECK(part[i] >= 0);
		CHECK(part[i] == 0 || p->have);
		sum += (uint64_t)part[i];
	}
	CHECK(sum == (uint64_t)p->wall_ns);
	CHECK(p->quality < SS_QUALITY_COUNT);
	CHECK(p->bound_ns == 0 || (p->have & SS_PART_BOUND));
	if (!(p->have & SS_PART_SWITCHES))
		CHECK(!p->nvcsw && !p->nivcsw);
}

/* Those of a window are neighbours, in the order of the windows. */
static void check_waits(const struct ss_shard *shard)
{
	size_t n = 0;

	for (size_t i = 0; i < shard->nwindows; i++) {
		const struct ss_window *w = &shard->windows[i];
		const struct ss_parts *p = &w->parts;
		uint64_t ns = 0;

		for (; n < shard->nwaits; n++) {
			const struct ss_window_wait *wait = &shard->waits[n];

			/* The word that it has ended can have the number of another window. */
			if (wait->thread != w->thread || wait->tick != w->tick ||
			    wait->end_mono_ns != w->end_mono_ns)
				break;
			CHECK(wait->quality == p->quality);
			ns += wait->wait.ns;
		}
		CHECK(ns == (uint64_t)(p->sleep_ns + p->block_ns + p->iowait_ns + p->stop_ns));
	}
	CHECK(n == shard->nwaits);
}

static void check_windows(struct machine *m)
{
	CHECK(!m->shard.oom);
	check_waits(&m->shard);
	for (size_t i = 0; i < m->shard.nwindows; i++) {
		const struct ss_window *w = &m->shard.windows[i];
		size_t number = (size_t)(w->thread - m->thread);

		CHECK(number < SLOTS && m->claimed[number]);
		check_parts(&w->parts);
		if (m->begun[number])
			CHECK(!(w->event & SS_EVENT_START));
		/* The last one can be of a window that was told already, or of none. */
		m->exited[number] |= (w->event & SS_EVENT_EXIT) != 0;
		if (m->begun[number] && !m->exited[number])
			CHECK(w->tick == m->last[number] + 1);
		m->begun[number] = true;
		m->last[number] = w->tick;
	}
}

static void tick(struct machine *m, bool last)
{
	struct ss_tick t = { .interval_ns = INTERVAL_NS, .off_grid = last };
	struct ss_reading counters = { .pcount = take_byte(m) % 4 };
	uint32_t waited = (uint32_t)take_byte(m) * 65536;

	m->index += 1 + take_byte(m) % 8;
	t.index = m->index;
	t.end_ns = m->clock.epoch_mono_ns + m->index * INTERVAL_NS;
	if (last)
		t.end_ns -= (int64_t)take_byte(m) * INTERVAL_NS / 256;
	m->shard.tick = t.index;
	m->shard.nwindows = m->shard.nwaits = 0;
	ss_watches_copy(&m->watches);
	ss_watches_incomplete(&m->watches);
	/* Records that were sent meanwhile. */
	for (uint8_t n = take_byte(m) % 4; n > 0; n--)
		tell(m);
	for (uint32_t i = 0; i < SLOTS; i++) {
		bool queued;

		if (!m->claimed[i])
			continue;
		queued = ss_watches_is_queued(&m->watches, &m->thread[i]);
		counters.rq_ns = m->slot[i].ledger.run_delay_ns + waited;
		ss_watches_close(&m->watches, &m->shard, &m->thread[i], &t, &m->clock,
				 queued ? &counters : NULL);
	}
	check_windows(m);
	for (uint32_t i = 0; i < SLOTS; i++)
		if (m->exited[i])
			drop(m, i);
}

/* As bpf.c follows the clock. */
static void move_grid(struct machine *m)
{
	struct ss_grid *g = &m->clock.grid;
	int8_t change = (int8_t)take_byte(m);

	if ((uint64_t)m->index <= g->from)
		return;
	g->epoch_ns[0] = g->epoch_ns[1];
	g->from = (uint64_t)m->index + 4;
	g->epoch_ns[1] += (uint64_t)(int64_t)change;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine m;
	bool last = false;
	int64_t swept;
	uint8_t how;

	memset(&m, 0, sizeof(m));
	m.data = data;
	m.size = size;
	m.index = 3;
	m.clock.grid.interval_ns = INTERVAL_NS;
	m.clock.grid.epoch_ns[0] = m.clock.grid.epoch_ns[1] = EPOCH_NS;
	m.clock.epoch_mono_ns = EPOCH_NS / 2;
	CHECK(!ss_watches_new(&m.watches, m.slot, SLOTS, true));
	for (int ops = 0; m.size && !last && ops < OPS; ops++) {
		how = take_byte(&m);
		switch (how % 8) {
		case 0: case 1:
			tell(&m);
			break;
		case 2:
			write_slot(&m);
			break;
		case 3:
			claim(&m);
			break;
		case 4:
			move_grid(&m);
			break;
		case 5:
			/* Others tell that it ended, or it is not wanted any more. */
			m.thread[how / 8 % SLOTS].exit_mono_ns = INT64_MAX;
			if (how & 128)
				drop(&m, how / 8 % SLOTS);
			break;
		case 6:
			swept = ss_watches_sweep(&m.watches);
			CHECK(swept == -ENOENT || (swept >= 0 && swept < SLOTS));
			if (swept >= 0)
				CHECK(!m.claimed[swept]);
			break;
		default:
			last = how == 255;
			tick(&m, last);
			break;
		}
	}
	if (!last)
		tick(&m, true);
	CHECK(m.watches.nactive <= SLOTS && m.watches.nunclaimed <= SLOTS);
	CHECK(!m.watches.lost);
	ss_watches_free(&m.watches);
	free(m.shard.windows);
	free(m.shard.waits);
	return 0;
}
