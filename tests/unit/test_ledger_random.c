// SPDX-License-Identifier: GPL-2.0-or-later
#include "ledger.h"

/* Each differs from the first in one field, but the last. More than a ledger gathers. */
static const struct ss_cause causes[] = {
	{ SS_WAIT_FUTEX, SS_OBJECT_FUTEX, 202, -1, { 0x1000, 0 } },
	{ SS_WAIT_SYSCALL, SS_OBJECT_FUTEX, 202, -1, { 0x1000, 0 } },
	{ SS_WAIT_FUTEX, SS_OBJECT_ANON, 202, -1, { 0x1000, 0 } },
	{ SS_WAIT_FUTEX, SS_OBJECT_FUTEX, 449, -1, { 0x1000, 0 } },
	{ SS_WAIT_FUTEX, SS_OBJECT_FUTEX, 202, -1, { 0x1001, 0 } },
	{ SS_WAIT_FUTEX, SS_OBJECT_FUTEX, 202, -1, { 0x1000, 1 } },
	{ SS_WAIT_UNKNOWN, SS_OBJECT_NONE, -1, -1, { 0, 0 } },
};
static const uint64_t wakers[] = { 0, SS_WAKER_INTERRUPT, 100ULL << 32 | 101 };

#define CAUSES SS_ARRAY_SIZE(causes)
#define WAKERS SS_ARRAY_SIZE(wakers)

/* The waits of one window, by cause and waker. */
struct waits {
	struct {
		uint64_t ns, ended_ns, max_ns, count;
	} of[CAUSES][WAKERS];
};

/* What a thread really did, window by window; found without any function of the ledger. */
#define WINDOWS 4096
struct truth {
	uint64_t end_ns[WINDOWS];
	uint64_t window;		/* in which the newest instant lies */
	size_t cause;			/* of its wait */
	uint64_t wait_since_ns;
	struct {
		__s64 ns[SS_LEDGER_PARTS];
		uint32_t nvcsw, nivcsw;
		struct waits waits, told;	/* told: what the ledger says of them */
	} in[WINDOWS];
};

static struct truth truth;

static bool is_asleep(uint8_t phase)
{
	return phase == SS_LEDGER_SLEEP || phase == SS_LEDGER_BLOCK || phase == SS_LEDGER_IOWAIT ||
	       phase == SS_LEDGER_STOP;
}

static int64_t blocked_ns(const __s64 *part)
{
	return part[SS_LEDGER_SLEEP] + part[SS_LEDGER_BLOCK] + part[SS_LEDGER_IOWAIT] +
	       part[SS_LEDGER_STOP];
}

static void truth_begins(const struct ss_grid *g, uint64_t at_ns)
{
	memset(&truth, 0, sizeof(truth));
	truth.end_ns[0] = g->epoch_ns[0];
	for (uint64_t w = 1; w < WINDOWS; w++) {
		truth.end_ns[w] = truth.end_ns[w - 1] + g->interval_ns;
		if (w == g->from)
			truth.end_ns[w] += g->epoch_ns[1] - g->epoch_ns[0];
	}
	while (at_ns >= truth.end_ns[truth.window])
		truth.window++;
	/* It is not known what it waits for if it is asleep. */
	truth.cause = CAUSES - 1;
	truth.wait_since_ns = at_ns;
}

/* @waker counts where the phase ends: before that nobody knows. */
static void truth_goes_on(uint8_t phase, uint64_t from_ns, uint64_t to_ns, size_t waker)
{
	for (; to_ns >= truth.end_ns[truth.window]; truth.window++) {
		uint64_t ns = truth.end_ns[truth.window] - from_ns;

		truth.in[truth.window].ns[phase] += (int64_t)ns;
		if (is_asleep(phase))
			truth.in[truth.window].waits.of[truth.cause][0].ns += ns;
		from_ns = truth.end_ns[truth.window];
	}
	truth.in[truth.window].ns[phase] += (int64_t)(to_ns - from_ns);
	if (is_asleep(phase))
		truth.in[truth.window].waits.of[truth.cause][waker].ns += to_ns - from_ns;
}

static void truth_ends_wait(uint64_t at_ns, size_t waker)
{
	uint64_t length_ns = at_ns - truth.wait_since_ns;
	struct waits *w = &truth.in[truth.window].waits;

	w->of[truth.cause][waker].count++;
	w->of[truth.cause][waker].ended_ns += length_ns;
	if (length_ns > w->of[truth.cause][waker].max_ns)
		w->of[truth.cause][waker].max_ns = length_ns;
}

static void assert_true_parts(const struct ss_closed *closed, uint64_t window)
{
	for (int part = 0; part < SS_LEDGER_PARTS; part++)
		assert_int_equal(closed->ns[part], truth.in[window].ns[part]);
	assert_int_equal(closed->nvcsw, truth.in[window].nvcsw);
	assert_int_equal(closed->nivcsw, truth.in[window].nivcsw);
}

static size_t cause_index(const struct ss_cause *c)
{
	for (size_t i = 0; i < CAUSES; i++)
		if (c->kind == causes[i].kind && c->object == causes[i].object &&
		    c->syscall == causes[i].syscall && c->key[0] == causes[i].key[0] &&
		    c->key[1] == causes[i].key[1])
			return i;
	fail_msg("nothing had cause %d", c->kind);
	return 0;
}

static size_t waker_index(uint64_t waker)
{
	for (size_t i = 0; i < WAKERS; i++)
		if (waker == wakers[i])
			return i;
	fail_msg("nobody is waker %llu", (unsigned long long)waker);
	return 0;
}

static void add_part(struct waits *to, const struct ss_wait *w)
{
	size_t cause = cause_index(&w->cause), waker = waker_index(w->waker);
	uint32_t n = 0;

	for (int i = 0; i < SS_WAIT_BUCKETS; i++)
		n += w->hist[i];
	assert_int_equal(n, w->count);
	if (w->count)
		assert_true(w->hist[ss_wait_bucket(w->max_ns)] > 0);
	assert_true(w->count ? w->ended_ns >= w->max_ns : !w->ended_ns && !w->max_ns);
	to->of[cause][waker].ns += w->ns;
	to->of[cause][waker].ended_ns += w->ended_ns;
	to->of[cause][waker].count += w->count;
	if (w->max_ns > to->of[cause][waker].max_ns)
		to->of[cause][waker].max_ns = w->max_ns;
}

static void assert_true_waits(const struct waits *w, uint64_t window)
{
	uint64_t ns = 0;

	assert_memory_equal(w, &truth.in[window].waits, sizeof(*w));
	for (size_t i = 0; i < CAUSES * WAKERS; i++)
		ns += w->of[i / WAKERS][i % WAKERS].ns;
	assert_int_equal(ns, blocked_ns(truth.in[window].ns));
}

/* The window of each part is one that has not been told. */
static void take_parts(void)
{
	for (size_t i = 0; i < told.nparts; i++)
		add_part(&truth.in[told.part[i].window].told, &told.part[i].wait);
	told.nparts = 0;
}

/* All that closed since the last call: conservation, alignment, order and truth. */
static void check_told(uint64_t *next, uint64_t *begin_ns)
{
	for (size_t i = 0; i < told.nparts; i++)
		assert_true(told.part[i].window >= *next);
	take_parts();
	for (size_t i = 0; i < told.n; i++) {
		const struct ss_closed *c = &told.closed[i];

		assert_int_equal(c->window, *next);
		assert_int_equal(c->begin_ns, *begin_ns);
		assert_int_equal(c->end_ns, truth.end_ns[c->window]);
		assert_int_equal(sum(c), c->end_ns - c->begin_ns);
		assert_int_equal(c->flags, 0);
		assert_int_equal(c->bound_ns, 0);
		assert_true_parts(c, c->window);
		assert_true_waits(&truth.in[c->window].told, c->window);
		for (uint64_t w = c->window + 1; w <= c->window + c->more; w++) {
			struct ss_closed whole = { .phase = c->phase };
			struct waits waits = { 0 };
			uint64_t ns = truth.end_ns[w] - truth.end_ns[w - 1];

			whole.ns[c->phase] = (int64_t)ns;
			assert_true_parts(&whole, w);
			if (is_asleep(c->phase))
				waits.of[cause_index(&c->cause)][0].ns = ns;
			assert_true_waits(&waits, w);
		}
		*next = c->window + c->more + 1;
		*begin_ns = truth.end_ns[*next - 1];
	}
	told.n = 0;
}

/* How long a phase takes: nothing, next to nothing, up to the end of a window, or many of them. */
static uint64_t random_time(const struct ss_grid *g, uint64_t now_ns, uint64_t pace)
{
	switch (next_random() % pace) {
	case 0:
		return 0;
	case 1:
		return next_random() % 3;
	case 2:
		return truth.end_ns[truth.window] - now_ns;
	case 3:
		return truth.end_ns[truth.window + next_random() % 5] - now_ns;
	case 4:
		return next_random() % (g->interval_ns * 12);
	default:
		return next_random() % (g->interval_ns * 2 / pace);
	}
}

/* Somebody who cannot wait takes a copy at instants before the next event. */
static void derive(const struct thread *t, uint64_t until_ns)
{
	struct ss_ledger copy = t->ledger;
	uint64_t at_ns = copy.since_ns;

	derived.n = derived.nparts = 0;
	telling = &derived;
	for (int i = 0; i < 3; i++) {
		at_ns += next_random() % (until_ns - at_ns + 1);
		ss_ledger_advance(&copy, t->grid, at_ns);
	}
	telling = &told;
}

/* With what had given way before, the waits of each window that was derived. */
static void check_derived_waits(const struct waits *before)
{
	size_t part = 0;

	for (size_t i = 0; i < derived.n; i++) {
		struct waits waits = { 0 };

		if (!i)
			waits = *before;
		while (part < derived.nparts &&
		       derived.part[part].window == derived.closed[i].window)
			add_part(&waits, &derived.part[part++].wait);
		assert_true_waits(&waits, derived.closed[i].window);
	}
	assert_int_equal(part, derived.nparts);
}

/* What was derived is what the event closes, which may come to more windows of the same kind. */
static void check_derived(size_t already)
{
	const struct ss_closed *c = &told.closed[already];
	uint64_t whole;

	if (!derived.n)
		return;
	assert_true(told.n > already);
	assert_int_equal(derived.closed[0].window, c->window);
	assert_int_equal(derived.closed[0].begin_ns, c->begin_ns);
	assert_int_equal(derived.closed[0].end_ns, c->end_ns);
	assert_int_equal(derived.closed[0].nvcsw, c->nvcsw);
	assert_int_equal(derived.closed[0].nivcsw, c->nivcsw);
	assert_memory_equal(derived.closed[0].ns, c->ns, sizeof(c->ns));
	whole = c->window + derived.closed[0].more;
	for (size_t i = 1; i < derived.n; i++) {
		const struct ss_closed *d = &derived.closed[i];

		assert_int_equal(d->window, whole + 1);
		assert_int_equal(d->ns[c->phase], truth.end_ns[d->window] -
				 truth.end_ns[d->window - 1]);
		assert_int_equal(sum(d), d->ns[c->phase]);
		assert_memory_equal(&d->cause, &c->cause, sizeof(c->cause));
		whole += 1 + d->more;
	}
	assert_true(whole <= c->window + c->more);
}

static void blocks(struct thread *t, uint64_t at_ns)
{
	truth.cause = next_random() % CAUSES;
	truth.wait_since_ns = at_ns;
	t->cause = causes[truth.cause];
	/* Through any descriptor, it is the same object. */
	t->cause.fd = (int32_t)(next_random() % 4) - 1;
}

/*
 * It runs, time is stolen from it, and then, which nothing tells of one that was not preempted, its
 * counter stands still; it is in @phase in the end.
 */
static void runs(struct thread *t, uint64_t from_ns, uint64_t to_ns, uint8_t phase)
{
	uint64_t stolen_ns = 0, gap_ns = 0;

	if (next_random() % 4 == 0)
		stolen_ns = next_random() % (to_ns - from_ns + 1);
	if (next_random() % 4 == 0 && phase == SS_LEDGER_QUEUE)
		gap_ns = next_random() % (to_ns - from_ns - stolen_ns + 1);
	truth_goes_on(SS_LEDGER_RUN, from_ns, to_ns - stolen_ns - gap_ns, 0);
	truth_goes_on(SS_LEDGER_STOLEN, to_ns - stolen_ns - gap_ns, to_ns - gap_ns, 0);
	truth_goes_on(SS_LEDGER_UNEXPLAINED, to_ns - gap_ns, to_ns, 0);
	/* Windows that ended since then were derived of one that ran. */
	if (truth.window && to_ns - stolen_ns - gap_ns < truth.end_ns[truth.window - 1])
		derived.n = derived.nparts = 0;
	if (phase == SS_LEDGER_QUEUE)
		truth.in[truth.window].nivcsw++;
	else
		truth.in[truth.window].nvcsw++;
	if (is_asleep(phase))
		blocks(t, to_ns);
	t->k.runtime_ns -= gap_ns;
	leaves_cpu(t, to_ns, stolen_ns, phase, true);
}

/*
 * A simulated thread: runs, is preempted, sleeps in all ways, for random times on a random grid.
 * The windows must be the simulation's to the nanosecond, and so must the waits.
 */
static void ledger__random_schedule__conserves_time_and_finds_the_truth(void **state)
{
	uint64_t gave_way = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct ss_grid g = random_grid(200);
		uint64_t now_ns = g.epoch_ns[0] + next_random() % (g.interval_ns * 3);
		uint8_t phase = (uint8_t)(next_random() % SS_LEDGER_STOP + SS_LEDGER_RUN);
		struct thread t = begins(&g, now_ns, phase);
		/* Few events a window, or many waits in each. */
		uint64_t begin_ns = now_ns, next, pace = round % 2 ? 8 : 200;

		truth_begins(&g, now_ns);
		next = truth.window;
		for (int step = 0; step < 1000 && truth.window + 20 < WINDOWS; step++) {
			uint64_t at_ns = now_ns + random_time(&g, now_ns, pace);
			struct waits before = truth.in[truth.window].told;
			size_t waker = next_random() % WAKERS;
			uint8_t was = phase;

			derive(&t, at_ns);
			if (was != SS_LEDGER_RUN)
				truth_goes_on(was, now_ns, at_ns, waker);
			switch (phase) {
			case SS_LEDGER_RUN:
				phase = (uint8_t)(next_random() % 5 + SS_LEDGER_QUEUE);
				runs(&t, now_ns, at_ns, phase);
				break;
			case SS_LEDGER_QUEUE:
				phase = SS_LEDGER_RUN;
				gets_cpu(&t, at_ns, true);
				break;
			default:
				phase = SS_LEDGER_QUEUE;
				truth_ends_wait(at_ns, waker);
				t.waker = wakers[waker];
				wakes(&t, at_ns, true);
				gave_way += t.ledger.evicted;
				break;
			}
			now_ns = at_ns;
			check_derived(0);
			check_derived_waits(&before);
			check_told(&next, &begin_ns);
			assert_int_equal(t.ledger.open.window, truth.window);
			assert_true_parts(&t.ledger.open, truth.window);
		}
	}
	assert_true(gave_way > 100);
}

/* Events that are missed leave the causes uncertain, but not how much was waited in all. */
static void ledger__random_misses__waits_are_all_blocked_time(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct ss_grid g = random_grid(200);
		uint64_t now_ns = g.epoch_ns[0], waits_ns[8] = { 0 };
		uint8_t phase = SS_LEDGER_RUN;
		struct thread t = begins(&g, now_ns, phase);

		for (int step = 0; step < 1000; step++) {
			bool seen = next_random() % 4;

			now_ns += next_random() % (g.interval_ns / 2);
			t.cause = causes[next_random() % CAUSES];
			t.waker = wakers[next_random() % WAKERS];
			if (phase == SS_LEDGER_RUN) {
				phase = (uint8_t)(next_random() % 5 + SS_LEDGER_QUEUE);
				leaves_cpu(&t, now_ns, 0, phase, seen);
			} else if (phase == SS_LEDGER_QUEUE) {
				phase = SS_LEDGER_RUN;
				gets_cpu(&t, now_ns, seen);
			} else {
				phase = SS_LEDGER_QUEUE;
				wakes(&t, now_ns, seen);
			}
			for (size_t i = 0; i < told.nparts; i++)
				waits_ns[told.part[i].window % 8] += told.part[i].wait.ns;
			for (size_t i = 0; i < told.n; i++) {
				const struct ss_closed *c = &told.closed[i];

				assert_int_equal(waits_ns[c->window % 8], blocked_ns(c->ns));
				waits_ns[c->window % 8] = 0;
			}
			told.n = told.nparts = 0;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ledger__random_schedule__conserves_time_and_finds_the_truth),
		cmocka_unit_test(ledger__random_misses__waits_are_all_blocked_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
