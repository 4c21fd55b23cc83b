// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ledgers of simulated threads, the records that they send, and what is handed out of them, for
 * whatever instants at which slots are copied, records arrive and records are lost.
 */
#include "watches.h"
#include "bpf/ledger.h"
#include "random.h"

#define THREADS 4
#define TICKS 60
#define QUIET 15	/* the last ticks, before which nothing is missed any more */
#define WINDOWS (TICKS + 20)
#define CAUSES 7	/* more than a ledger gathers */
#define WAKERS 3
#define QUEUE 65536

/* The waits of one window: key[0] is the number of their cause. */
struct waits {
	struct {
		uint64_t ns, ended_ns, max_ns, count;
	} of[CAUSES][WAKERS];
};

static struct waits told[THREADS][WINDOWS], handed_out[THREADS][WINDOWS];
static struct {
	int64_t told[WINDOWS][SS_LEDGER_PARTS], handed_out[WINDOWS][SS_LEDGER_PARTS];
} parts[THREADS];
#define NEVER UINT64_MAX
static uint64_t misses;		/* the kernel misses one event in so many; 0: none */
static bool is_told[THREADS][WINDOWS];
static struct {
	struct ss_switch k;
	uint64_t at_ns;		/* of its next event */
	uint8_t phase;
} is[THREADS];
static struct ss_record queue[QUEUE];
static size_t sent, taken;

static void add_wait(struct waits *to, const struct ss_wait *w)
{
	assert_true(w->cause.key[0] < CAUSES && w->waker < WAKERS);
	to->of[w->cause.key[0]][w->waker].ns += w->ns;
	to->of[w->cause.key[0]][w->waker].ended_ns += w->ended_ns;
	to->of[w->cause.key[0]][w->waker].count += w->count;
	if (w->max_ns > to->of[w->cause.key[0]][w->waker].max_ns)
		to->of[w->cause.key[0]][w->waker].max_ns = w->max_ns;
}

static struct ss_record *send(const struct ss_ledger *l, uint32_t kind)
{
	const char *s = (const char *)l - offsetof(struct ss_slot, ledger);

	assert_true(sent < QUEUE);
	queue[sent] = record_of(((const struct ss_slot *)s)->number, kind, NULL);
	return &queue[sent++];
}

static void send_closed(const struct ss_ledger *l, const struct ss_closed *closed, uint32_t kind)
{
	struct ss_record *r = send(l, kind);
	struct ss_wait whole = { .cause = closed->cause };

	r->closed = *closed;
	for (uint64_t w = closed->window; w <= closed->window + closed->more; w++) {
		assert_true(w < WINDOWS);
		is_told[r->slot][w] = true;
		whole.ns = ss_grid_end(&at.grid, w) - ss_grid_end(&at.grid, w - 1);
		if (w == closed->window)
			memcpy(parts[r->slot].told[w], closed->ns, sizeof(closed->ns));
		else
			parts[r->slot].told[w][closed->phase] = (int64_t)whole.ns;
		if (w > closed->window && ss_ledger_is_asleep(closed->phase))
			add_wait(&told[r->slot][w], &whole);
	}
}

static void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed)
{
	send_closed(l, closed, SS_RECORD_WINDOW);
}

static void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait)
{
	struct ss_record *r = send(l, SS_RECORD_WAIT);

	r->part.window = l->open.window;
	r->part.wait = *wait;
	add_wait(&told[r->slot][l->open.window], wait);
}

static uint64_t random_time(void)
{
	return next_random() % (uint64_t)(misses || next_random() % 64 ? 2 * MS : 4 * INTERVAL);
}

static void begins(uint32_t number)
{
	uint64_t now_ns = in_window(5, (int64_t)(next_random() % INTERVAL));

	is[number].k = (struct ss_switch){ .last_arrival_ns = now_ns, .pcount = 1 };
	is[number].at_ns = now_ns + random_time();
	is[number].phase = SS_LEDGER_RUN;
	slot[number].events = 1;
	ss_ledger_begin(&slot[number].ledger, &at.grid, now_ns, SS_LEDGER_RUN, 0);
	ss_watches_claim(&watches, number, &thread[number]);
}

static void leaves_cpu(uint32_t number, struct ss_ledger *l, struct ss_switch *k, bool seen)
{
	struct ss_cause cause = { .syscall = -1, .fd = -1, .key = { next_random() % CAUSES } };
	uint8_t phase = (uint8_t)(next_random() % 5 + SS_LEDGER_QUEUE);

	if (seen && next_random() % 1000 == 0)
		phase = SS_LEDGER_DEAD;
	cause.kind = cause.key[0] ? SS_WAIT_FUTEX : SS_WAIT_UNKNOWN;
	k->runtime_ns += k->now_ns - k->last_arrival_ns;
	if (phase == SS_LEDGER_QUEUE)
		k->last_queued_ns = k->now_ns;
	is[number].phase = phase;
	if (!seen)
		return;
	ss_ledger_switch_out(l, &at.grid, k, phase, &cause, phase != SS_LEDGER_QUEUE);
	if (phase != SS_LEDGER_DEAD)
		return;
	l->open.end_ns = k->now_ns;
	ss_ledger_emit_waits(l);
	send_closed(l, &l->open, SS_RECORD_EXIT);
	is[number].at_ns = UINT64_MAX;
}

static void gets_cpu(uint32_t number, struct ss_ledger *l, struct ss_switch *k, bool seen)
{
	if (seen)
		ss_ledger_switch_in(l, &at.grid, k, 0);
	k->run_delay_ns += k->now_ns - k->last_queued_ns;
	k->last_queued_ns = 0;
	k->last_arrival_ns = k->now_ns;
	k->pcount++;
	is[number].phase = SS_LEDGER_RUN;
}

static void wakes(uint32_t number, struct ss_ledger *l, struct ss_switch *k, bool seen)
{
	if (seen)
		ss_ledger_wakeup(l, &at.grid, k->now_ns, next_random() % WAKERS);
	k->last_queued_ns = k->now_ns;
	is[number].phase = SS_LEDGER_QUEUE;
}

static void event(uint32_t number)
{
	struct ss_ledger *l = &slot[number].ledger;
	struct ss_switch *k = &is[number].k;
	bool seen = !misses || next_random() % misses;

	k->now_ns = is[number].at_ns;
	is[number].at_ns += random_time();
	slot[number].seq += seen ? 2 : 0;
	if (is[number].phase == SS_LEDGER_RUN)
		leaves_cpu(number, l, k, seen);
	else if (is[number].phase == SS_LEDGER_QUEUE)
		gets_cpu(number, l, k, seen);
	else
		wakes(number, l, k, seen);
}

static void go_on(uint64_t until_ns)
{
	for (uint32_t i = 0; i < THREADS; i++)
		while (is[i].at_ns < until_ns)
			event(i);
}

/* Records up to @to arrive; one in @loses is lost. */
static void take(size_t to, uint64_t loses)
{
	for (; taken < to; taken++)
		if (!loses || next_random() % loses)
			assert_int_equal(ss_watches_record(&watches, &queue[taken],
							   sizeof(queue[taken])), 0);
}

/* @hides: records that were sent before the copy can arrive after the tick. */
static void ticks(int64_t index, uint64_t loses, bool hides)
{
	uint64_t end_ns = ss_grid_end(&at.grid, (uint64_t)index);
	struct ss_tick t = tick_on_grid(index);
	size_t least, before = sent;

	/* The program is late sometimes. */
	go_on(end_ns + MS + (next_random() % 4 ? 0 : random_time()));
	ss_watches_copy(&watches);
	least = hides && next_random() % 4 == 0 ? before : sent;
	go_on(end_ns + MS + random_time());
	if (taken < least)
		take(least, loses);
	take(taken + next_random() % (sent - taken + 1), loses);
	close_all(&t, NULL);
	for (size_t i = 0; i < shard.nwindows; i++) {
		const struct ss_window *w = window(i);
		int64_t *ns = parts[w->thread - thread].handed_out[w->tick];

		ns[SS_LEDGER_RUN] = w->parts.run_ns;
		ns[SS_LEDGER_QUEUE] = w->parts.rq_ns;
		ns[SS_LEDGER_SLEEP] = w->parts.sleep_ns;
		ns[SS_LEDGER_BLOCK] = w->parts.block_ns;
		ns[SS_LEDGER_IOWAIT] = w->parts.iowait_ns;
		ns[SS_LEDGER_STOP] = w->parts.stop_ns;
		ns[SS_LEDGER_STOLEN] = w->parts.stolen_ns;
	}
	for (size_t i = 0; i < shard.nwaits; i++) {
		const struct ss_window_wait *w = &shard.waits[i];

		assert_true(w->tick < WINDOWS);
		add_wait(&handed_out[w->thread - thread][w->tick], &w->wait);
	}
}

/* Returns how many windows were compared with those of the kernel: all, when no record is lost. */
static size_t run(uint64_t loses, bool hides)
{
	int64_t next[THREADS] = { 0 };
	bool exact = !loses && !hides && !misses;
	size_t n = 0;

	memset(told, 0, sizeof(told));
	memset(handed_out, 0, sizeof(handed_out));
	memset(is_told, 0, sizeof(is_told));
	memset(parts, 0, sizeof(parts));
	sent = taken = 0;
	at.grid.from = 6 + next_random() % TICKS;
	at.grid.epoch_ns[1] = at.grid.epoch_ns[0] + next_random() % 600 - 300;
	for (uint32_t i = 0; i < THREADS; i++)
		begins(i);
	for (int64_t index = 5; index < TICKS; index += next_random() % 8 ? 1 : 3) {
		if (misses && index > TICKS - QUIET)
			misses = NEVER;
		ticks(index, loses, hides);
		for (size_t i = 0; i < shard.nwindows; i++) {
			const struct ss_window *w = window(i);
			uint32_t number = (uint32_t)(w->thread - thread);

			assert_true(w->tick == next[number] || !next[number]);
			next[number] = w->tick + 1;
		}
		for (uint32_t i = 0; i < THREADS; i++)
			if (thread[i].exit_mono_ns && thread[i].slot_number)
				ss_watches_drop(&watches, i);
	}
	assert_int_equal(watches.lost, 0);
	for (uint32_t i = 0; i < THREADS && exact; i++) {
		for (int64_t w = 0; w < next[i]; w++) {
			if (!is_told[i][w])
				continue;
			assert_memory_equal(&handed_out[i][w], &told[i][w], sizeof(told[0][0]));
			n++;
		}
	}
	return n;
}

static void watches__random_schedule__hand_out_what_the_ledger_has(void **state)
{
	size_t n = 0;

	for (int round = 0; round < 200; round++) {
		n += run(0, false);
		teardown(state);
		setup(state);
	}
	assert_true(n > 200 * TICKS);
}

/* That the waits are all of the blocked time is what close_all() checks. */
static void watches__random_losses__waits_are_all_blocked_time(void **state)
{
	for (int round = 0; round < 200; round++) {
		run(round % 4 ? 4ULL << round % 8 : 0, true);
		teardown(state);
		setup(state);
	}
}

/* What was handed out before the kernel knew that it had missed an event is put right later. */
static void watches__random_misses__sums_are_those_of_the_ledger(void **state)
{
	for (int round = 0; round < 200; round++) {
		misses = 20;
		run(0, false);
		for (uint32_t i = 0; i < THREADS; i++) {
			int64_t late_ns[SS_LEDGER_PARTS] = { 0 };

			/* What its last window owes has none to go to. */
			if (is[i].phase == SS_LEDGER_DEAD)
				continue;
			for (size_t j = 0; j < WINDOWS * SS_LEDGER_PARTS; j++) {
				size_t window = j / SS_LEDGER_PARTS, part = j % SS_LEDGER_PARTS;

				if (is_told[i][window])
					late_ns[part] += parts[i].told[window][part] -
							 parts[i].handed_out[window][part];
			}
			/* The windows are as long: what is not explained follows from the rest. */
			for (size_t part = 0; part < SS_LEDGER_UNEXPLAINED; part++)
				assert_int_equal(late_ns[part], 0);
		}
		misses = 0;
		teardown(state);
		setup(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(watches__random_schedule__hand_out_what_the_ledger_has),
		test(watches__random_losses__waits_are_all_blocked_time),
		test(watches__random_misses__sums_are_those_of_the_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
