// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The account of a thread over any sequence of readings: the parts add up to the wall time, none
 * is negative, and one that was not measured is zero.
 */
#include "account/account.h"
#include "fuzz.h"
#include "source/parse.h"

#define CPUS 2

static void check_parts(const struct ss_parts *p)
{
	const struct { uint32_t have; int64_t ns; } part[] = {
		{ SS_PART_RUN, p->run_ns }, { SS_PART_RQ, p->rq_ns },
		{ SS_PART_SLEEP, p->sleep_ns }, { SS_PART_BLOCK, p->block_ns },
		{ SS_PART_IOWAIT, p->iowait_ns }, { SS_PART_STOP, p->stop_ns },
	};
	uint64_t sum = (uint64_t)p->residual_ns;

	CHECK(p->wall_ns >= 0);
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		CHECK(part[i].ns >= 0);
		CHECK(part[i].ns == 0 || (p->have & part[i].have));
		sum += (uint64_t)part[i].ns;
	}
	CHECK(sum == (uint64_t)p->wall_ns);
	CHECK(p->quality < SS_QUALITY_COUNT);
	CHECK(p->bound_ns >= 0);
	CHECK(p->bound_ns == 0 || (p->have & SS_PART_BOUND));
	if (!(p->have & SS_PART_SWITCHES))
		CHECK(!p->nvcsw && !p->nivcsw);
	CHECK(!p->restarted || p->residual_ns == p->wall_ns);
}

static uint64_t take_time(const uint8_t **data, size_t *size)
{
	uint64_t value;

	fuzz_take(data, size, &value, sizeof(value));
	return value % SS_COUNT_MAX;
}

/* A later reading: a step from the last one, or anything. */
static void take_reading(const uint8_t **data, size_t *size, struct ss_reading *r)
{
	uint64_t *const counter[] = { &r->run_ns, &r->rq_ns, &r->pcount, &r->nvcsw, &r->nivcsw,
				      &r->exec_start_ns, &r->sleep_ns, &r->block_ns, &r->iowait_ns,
				      &r->sleep_start_ns, &r->block_start_ns, &r->blkio_ns };
	uint32_t head[2];
	uint8_t how;

	fuzz_take(data, size, head, sizeof(head));
	r->have = head[0] & 0x3ff;
	r->state = (head[0] >> 10) % (SS_STATE_DEAD + 1);
	r->flags = (head[0] >> 16) & 3;
	if (head[0] & (1u << 18)) {
		r->have |= SS_HAVE_PLACE;
		r->phase = (head[0] >> 19) % (SS_PHASE_IOWAIT + 1);
	}
	if (head[1] & (1u << 31))
		r->have |= SS_HAVE_SLEPT;
	r->cpu = (int32_t)(head[0] >> 24) - 1;
	r->mono_ns += head[1] % 1000000000;
	r->torn_ns = head[0] >> 31 ? head[1] % 1000 : 0;
	r->quiet_ns = r->mono_ns - head[1] % 10000;
	r->since_ns = head[1] % 3 ? r->mono_ns - head[1] % 100000 : INT64_MIN;
	r->bound_ns = head[1] % 100;
	for (size_t i = 0; i < sizeof(counter) / sizeof(counter[0]); i++) {
		uint32_t step;

		fuzz_take(data, size, &how, sizeof(how));
		switch (how % 8) {
		case 0:
			*counter[i] = take_time(data, size);
			break;
		case 1: case 2:
			fuzz_take(data, size, &step, sizeof(step));
			*counter[i] = (*counter[i] + step) % SS_COUNT_MAX;
			break;
		case 3:
			*counter[i] = (uint64_t)r->mono_ns;
			break;
		case 4: case 5:
			*counter[i] += how >> 3;
			break;
		}
	}
	r->slept_ns = r->sleep_ns;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_clock_offset offset[CPUS];
	struct ss_account_env env = { .offset = offset, .ncpus = CPUS, .tick_ns = 4000000,
				      .lag_max_ns = 9000000 };
	struct ss_reading r = { 0 };
	struct ss_account a;
	struct ss_parts parts;
	uint8_t how;

	for (int cpu = 0; cpu < CPUS; cpu++) {
		int16_t bound;

		offset[cpu].task_minus_mono_ns = -(int64_t)take_time(&data, &size);
		fuzz_take(&data, &size, &bound, sizeof(bound));
		offset[cpu].bound_ns = bound;
	}
	r.mono_ns = (int64_t)take_time(&data, &size);
	fuzz_take(&data, &size, &how, sizeof(how));
	if (how % 2) {
		ss_account_open_at_birth(&a, r.mono_ns, how);
	} else {
		take_reading(&data, &size, &r);
		ss_account_open(&a, &r, &env);
	}
	while (size) {
		fuzz_take(&data, &size, &how, sizeof(how));
		if (how == 255) {
			ss_account_close_exit(&a, NULL, r.mono_ns + 1000, size % 2, &env, &parts);
			check_parts(&parts);
			return 0;
		}
		take_reading(&data, &size, &r);
		if (how >= 240 && how < 250 && ss_account_stays_asleep(&a, 0, r.mono_ns)) {
			ss_account_close_asleep(&a, r.mono_ns, r.quiet_ns, &parts);
			check_parts(&parts);
			CHECK(!parts.run_ns && !parts.rq_ns && !parts.residual_ns);
			continue;
		}
		if (how >= 250) {
			ss_account_close_exit(&a, &r, r.mono_ns, how % 2, &env, &parts);
			check_parts(&parts);
			return 0;
		}
		if (!(r.have & SS_HAVE_STATE) && ss_account_is_idle(&a, &r))
			CHECK(a.prev.pcount == r.pcount);
		ss_account_close(&a, &r, &env, &parts);
		check_parts(&parts);
	}
	return 0;
}
