// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>

#include "base/util.h"
#include "source/taskstats.h"

/* Byte offsets of the fields that are used; of a delay: its count, the total is 8 behind. */
struct layout {
	uint16_t version, size;
	uint16_t run, comm, tid, etime, nvcsw, nivcsw;
	uint16_t delay[SS_DELAY_COUNT];		/* 0: not in this version */
};

#define OFFSETS_UP_TO_14 \
	.run = 72, .comm = 80, .tid = 128, .etime = 144, .nvcsw = 272, .nivcsw = 280
#define DELAYS_8 [SS_DELAY_CPU] = 16, [SS_DELAY_BLKIO] = 32, [SS_DELAY_SWAPIN] = 48, \
		 [SS_DELAY_FREEPAGES] = 312
#define DELAYS_9 DELAYS_8, [SS_DELAY_THRASHING] = 328
#define DELAYS_11 DELAYS_9, [SS_DELAY_COMPACT] = 352
#define DELAYS_13 DELAYS_11, [SS_DELAY_WPCOPY] = 400
#define DELAYS_14 DELAYS_13, [SS_DELAY_IRQ] = 416

static const struct layout layouts[] = {
	{ .version = 8, .size = 328, OFFSETS_UP_TO_14, .delay = { DELAYS_8 } },
	{ .version = 9, .size = 344, OFFSETS_UP_TO_14, .delay = { DELAYS_9 } },
	{ .version = 10, .size = 352, OFFSETS_UP_TO_14, .delay = { DELAYS_9 } },
	{ .version = 11, .size = 368, OFFSETS_UP_TO_14, .delay = { DELAYS_11 } },
	{ .version = 12, .size = 400, OFFSETS_UP_TO_14, .delay = { DELAYS_11 } },
	{ .version = 13, .size = 416, OFFSETS_UP_TO_14, .delay = { DELAYS_13 } },
	{ .version = 14, .size = 432, OFFSETS_UP_TO_14, .delay = { DELAYS_14 } },
	/* A maximum and a minimum behind each total. */
	{ .version = 15, .size = 560, .run = 120, .comm = 128, .tid = 176, .etime = 192,
	  .nvcsw = 320, .nivcsw = 328,
	  .delay = { [SS_DELAY_CPU] = 16, [SS_DELAY_BLKIO] = 48, [SS_DELAY_SWAPIN] = 80,
		     [SS_DELAY_FREEPAGES] = 360, [SS_DELAY_THRASHING] = 392,
		     [SS_DELAY_COMPACT] = 432, [SS_DELAY_WPCOPY] = 496, [SS_DELAY_IRQ] = 528 } },
	/* These at the end, then the instants of the maxima; then what is not known yet. */
	{ .version = 16, .size = 560, OFFSETS_UP_TO_14, .delay = { DELAYS_14 } },
	{ .version = 17, .size = 688, OFFSETS_UP_TO_14, .delay = { DELAYS_14 } },
	{ .version = 40, .size = 1000, OFFSETS_UP_TO_14, .delay = { DELAYS_14 } },
};

#define SIZE_MAX_RECORD 1000
#define FILL 0xa5	/* what is not used must not get into a result */

static void put(unsigned char *record, size_t at, uint64_t value, size_t size)
{
	memcpy(record + at, &value, size);
}

/* Every value is another one. */
static void make_record(unsigned char *record, const struct layout *l)
{
	memset(record, FILL, l->size);
	put(record, 0, l->version, 2);
	put(record, l->run, 1001, 8);
	memcpy(record + l->comm, "name (1) R\n", 12);
	put(record, l->tid, 4711, 4);
	put(record, l->etime, 5000001, 8);
	put(record, l->nvcsw, 1002, 8);
	put(record, l->nivcsw, 1003, 8);
	for (int kind = 0; kind < SS_DELAY_COUNT; kind++) {
		if (!l->delay[kind])
			continue;
		put(record, l->delay[kind], 2000 + (uint64_t)kind, 8);
		put(record, l->delay[kind] + 8u, 3000 + (uint64_t)kind, 8);
	}
}

/* From a buffer of exactly that size, so that a sanitizer sees any read beyond it. */
static int parse_exact(const void *data, size_t len, struct ss_taskstats *ts,
		       int (*parse)(const void *, size_t, struct ss_taskstats *))
{
	void *copy = malloc(len + !len);
	int err;

	assert_non_null(copy);
	memcpy(copy, data, len);
	memset(ts, FILL, sizeof(*ts));
	err = parse(copy, len, ts);
	free(copy);
	return err;
}

/* All but the delays, of which a short record has fewer. */
static void assert_values(const struct ss_taskstats *ts, const struct layout *l)
{
	assert_int_equal(ts->version, l->version);
	assert_int_equal(ts->tid, 4711);
	assert_int_equal(ts->age_us, 5000001);
	assert_string_equal(ts->comm, "name (1) R\n");
	assert_int_equal(ts->reading.have,
			 SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES);
	assert_int_equal(ts->reading.run_ns, 1001);
	assert_int_equal(ts->reading.nvcsw, 1002);
	assert_int_equal(ts->reading.nivcsw, 1003);
	assert_int_equal(ts->reading.pcount, 2000);
	assert_int_equal(ts->reading.rq_ns, 3000);
	for (int kind = 0; kind < SS_DELAY_COUNT; kind++) {
		if (!(ts->delay_have & 1u << kind))
			continue;
		assert_int_not_equal(l->delay[kind], 0);
		assert_int_equal(ts->delay_count[kind], 2000 + kind);
		assert_int_equal(ts->delay_ns[kind], 3000 + kind);
	}
}

/* The header of the building machine says where the fields of its version are. */
static void layout__of_13__is_that_of_the_header(void **state)
{
	(void)state;
#if TASKSTATS_VERSION < 13 || TASKSTATS_VERSION == 15
	skip();
#else
	const struct layout *l = &layouts[5];

	assert_int_equal(l->version, 13);
	assert_int_equal(offsetof(struct taskstats, cpu_count), l->delay[SS_DELAY_CPU]);
	assert_int_equal(offsetof(struct taskstats, cpu_delay_total), l->delay[SS_DELAY_CPU] + 8);
	assert_int_equal(offsetof(struct taskstats, blkio_count), l->delay[SS_DELAY_BLKIO]);
	assert_int_equal(offsetof(struct taskstats, swapin_count), l->delay[SS_DELAY_SWAPIN]);
	assert_int_equal(offsetof(struct taskstats, cpu_run_virtual_total), l->run);
	assert_int_equal(offsetof(struct taskstats, ac_comm), l->comm);
	assert_int_equal(offsetof(struct taskstats, ac_pid), l->tid);
	assert_int_equal(offsetof(struct taskstats, ac_etime), l->etime);
	assert_int_equal(offsetof(struct taskstats, nvcsw), l->nvcsw);
	assert_int_equal(offsetof(struct taskstats, nivcsw), l->nivcsw);
	assert_int_equal(offsetof(struct taskstats, freepages_count), l->delay[SS_DELAY_FREEPAGES]);
	assert_int_equal(offsetof(struct taskstats, thrashing_count), l->delay[SS_DELAY_THRASHING]);
	assert_int_equal(offsetof(struct taskstats, compact_count), l->delay[SS_DELAY_COMPACT]);
	assert_int_equal(offsetof(struct taskstats, wpcopy_count), l->delay[SS_DELAY_WPCOPY]);
#endif
}

static void record__of_every_version__gives_its_fields(void **state)
{
	unsigned char record[SIZE_MAX_RECORD];
	struct ss_taskstats ts;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];
		uint32_t have = 0;

		for (int kind = 0; kind < SS_DELAY_COUNT; kind++)
			have |= l->delay[kind] ? 1u << kind : 0;
		make_record(record, l);
		assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), 0);
		assert_values(&ts, l);
		assert_int_equal(ts.delay_have, have);
	}
}

static void record__cut_at_every_byte__never_gives_a_wrong_value(void **state)
{
	unsigned char record[SIZE_MAX_RECORD];
	struct ss_taskstats ts;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];

		make_record(record, l);
		for (size_t len = 0; len < l->size; len++) {
			int err = parse_exact(record, len, &ts, ss_parse_taskstats);
			bool enough = len >= l->nivcsw + 8u && l->version != 15;

			/* The size of version 15 is the only sign of its odd layout. */
			assert_int_equal(err, enough ? 0 : -EBADMSG);
			if (!err)
				assert_values(&ts, l);
		}
	}
}

static void record__of_a_version_without_rules__is_rejected(void **state)
{
	unsigned char record[2 * SIZE_MAX_RECORD] = { 0 };
	struct ss_taskstats ts;

	(void)state;
	for (uint16_t version = 0; version < 8; version++) {
		make_record(record, &layouts[0]);
		put(record, 0, version, 2);
		assert_int_equal(parse_exact(record, layouts[0].size, &ts, ss_parse_taskstats),
				 -EBADMSG);
	}
	make_record(record, &layouts[7]);
	for (size_t len = 500; len < sizeof(record); len++)
		assert_int_equal(parse_exact(record, len, &ts, ss_parse_taskstats),
				 len == 560 ? 0 : -EBADMSG);
}

static void assert_counter_is_bounded(const struct layout *l, size_t at)
{
	unsigned char record[SIZE_MAX_RECORD];
	struct ss_taskstats ts;

	make_record(record, l);
	put(record, at, SS_COUNT_MAX, 8);
	assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), 0);
	put(record, at, SS_COUNT_MAX + 1, 8);
	assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), -EBADMSG);
}

static void record__with_impossible_values__is_rejected(void **state)
{
	const struct layout *l = &layouts[6];
	unsigned char record[SIZE_MAX_RECORD];
	struct ss_taskstats ts;

	(void)state;
	make_record(record, l);
	put(record, l->tid, UINT64_C(1) << 31, 4);
	assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), -EBADMSG);
	make_record(record, l);
	put(record, l->etime, INT64_MAX / 1000 + 1, 8);
	assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), -EBADMSG);
	put(record, l->etime, INT64_MAX / 1000, 8);
	assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), 0);
	assert_int_equal(ts.age_us, INT64_MAX / 1000);
	/* Each counter that is used. */
	for (int kind = 0; kind < SS_DELAY_COUNT; kind++) {
		assert_counter_is_bounded(l, l->delay[kind]);
		assert_counter_is_bounded(l, l->delay[kind] + 8u);
	}
	assert_counter_is_bounded(l, l->run);
	assert_counter_is_bounded(l, l->nvcsw);
	assert_counter_is_bounded(l, l->nivcsw);
	/* A name without an end. */
	memset(record + l->comm, 'x', TS_COMM_LEN);
	assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), 0);
	assert_int_equal(strlen(ts.comm), sizeof(ts.comm) - 1);
	/* It lost its pid meanwhile. */
	put(record, l->tid, 0, 4);
	assert_int_equal(parse_exact(record, l->size, &ts, ss_parse_taskstats), 0);
	assert_int_equal(ts.tid, 0);
}

/* A TASKSTATS_CMD_NEW message as taskstats_user_cmd() builds it. */
struct message {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	struct nlattr aggr;
	struct nlattr pid_attr;
	uint32_t pid;
	struct nlattr stats_attr;
	unsigned char record[432];
};

static struct message make_message(void)
{
	struct message m = {
		.nl = { .nlmsg_len = sizeof(m), .nlmsg_type = 27, .nlmsg_seq = 1 },
		.genl = { .cmd = TASKSTATS_CMD_NEW, .version = TASKSTATS_GENL_VERSION },
		.aggr = { .nla_type = TASKSTATS_TYPE_AGGR_PID,
			  .nla_len = sizeof(m) - offsetof(struct message, aggr) },
		.pid_attr = { .nla_type = TASKSTATS_TYPE_PID, .nla_len = 8 },
		.pid = 4711,
		.stats_attr = { .nla_type = TASKSTATS_TYPE_STATS,
				.nla_len = sizeof(struct nlattr) + sizeof(m.record) },
	};

	make_record(m.record, &layouts[6]);
	return m;
}

static int parse_message(const struct message *m, size_t len, struct ss_taskstats *ts)
{
	return parse_exact(m, len, ts, ss_taskstats_parse_message);
}

static void message__of_the_kernel__gives_the_record(void **state)
{
	struct message m = make_message();
	struct ss_taskstats ts;

	(void)state;
	assert_int_equal(parse_message(&m, sizeof(m), &ts), 0);
	assert_values(&ts, &layouts[6]);
	assert_int_equal(ts.delay_have, 0xff);
}

static void message__without_a_thread__is_enomsg(void **state)
{
	struct message m = make_message();
	struct ss_taskstats ts;

	(void)state;
	m.aggr.nla_type = TASKSTATS_TYPE_AGGR_TGID;
	assert_int_equal(parse_message(&m, sizeof(m), &ts), -ENOMSG);
	m.nl.nlmsg_len = offsetof(struct message, aggr);
	assert_int_equal(parse_message(&m, sizeof(m), &ts), -ENOMSG);
}

static void message__without_a_record__is_rejected(void **state)
{
	struct message m = make_message();
	struct ss_taskstats ts;

	(void)state;
	m.stats_attr.nla_type = TASKSTATS_TYPE_TGID;
	assert_int_equal(parse_message(&m, sizeof(m), &ts), -EBADMSG);
	m = make_message();
	m.aggr.nla_len = sizeof(struct nlattr);
	assert_int_equal(parse_message(&m, sizeof(m), &ts), -EBADMSG);
	m = make_message();
	put(m.record, 0, 7, 2);
	assert_int_equal(parse_message(&m, sizeof(m), &ts), -EBADMSG);
}

static void message__with_any_length__never_gives_a_wrong_value(void **state)
{
	struct message m = make_message();
	struct ss_taskstats ts;
	int err;

	(void)state;
	for (size_t len = 0; len < sizeof(m); len++)
		assert_int_equal(parse_message(&m, len, &ts), -EBADMSG);
	for (uint32_t len = 0; len < 2 * sizeof(m); len++) {
		m.nl.nlmsg_len = len;
		err = parse_message(&m, sizeof(m), &ts);
		/* Its attribute then reaches beyond it. */
		assert_int_equal(err, len == sizeof(m) ? 0 :
				 len > sizeof(m) || len < offsetof(struct message, aggr) ? -EBADMSG :
				 -ENOMSG);
	}
	m.nl.nlmsg_len = UINT32_MAX;
	assert_int_equal(parse_message(&m, sizeof(m), &ts), -EBADMSG);
	for (uint32_t len = 0; len <= UINT16_MAX; len++) {
		m = make_message();
		m.stats_attr.nla_len = (uint16_t)len;
		err = parse_message(&m, sizeof(m), &ts);
		assert_int_equal(err, len >= sizeof(struct nlattr) + 288 &&
				 len <= sizeof(struct nlattr) + 432 ? 0 : -EBADMSG);
		if (!err)
			assert_values(&ts, &layouts[6]);
		m = make_message();
		m.aggr.nla_len = (uint16_t)len;
		err = parse_message(&m, sizeof(m), &ts);
		if (len == sizeof(m) - offsetof(struct message, aggr))
			assert_int_equal(err, 0);
		else
			assert_true(err == -EBADMSG || err == -ENOMSG);
		m = make_message();
		m.pid_attr.nla_len = (uint16_t)len;
		err = parse_message(&m, sizeof(m), &ts);
		assert_true(err == 0 || err == -EBADMSG);
		if (!err)
			assert_values(&ts, &layouts[6]);
	}
}

/*
 * Answers of real kernels for a thread that was parked after it had read from a disk, and what
 * /proc/PID/task/TID/{schedstat,sched} of the same thread said then.
 */
static void answer__of_real_kernels__says_what_proc_says(void **state)
{
	static const struct {
		uint16_t version;
		int32_t tid;
		uint64_t run_ns, rq_ns, pcount, nvcsw, nivcsw, iowait_count;
	} said[] = {
		{ 10, 207, 232216119, 3165921, 2362, 2360, 2, 2357 },	/* 5.10 */
		{ 13, 219, 280736423, 8185088, 3849, 3846, 3, 3843 },	/* 6.1 */
		{ 14, 265, 287610560, 8037109, 4761, 4761, 0, 4758 },	/* 6.12 */
		{ 17, 227, 225966522, 5507587, 4038, 4037, 1, 4034 },	/* 7.2 */
	};
	const char *top = getenv("srcdir");

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(said); i++) {
		unsigned char answer[2048];
		struct ss_taskstats ts;
		char path[4096];
		FILE *file;
		size_t n;

		snprintf(path, sizeof(path), "%s/tests/unit/data/taskstats-%d.bin", top ? top : ".",
			 said[i].version);
		file = fopen(path, "rb");
		assert_non_null(file);
		n = fread(answer, 1, sizeof(answer), file);
		fclose(file);
		assert_int_equal(parse_exact(answer, n, &ts, ss_taskstats_parse_message), 0);
		assert_int_equal(ts.version, said[i].version);
		assert_int_equal(ts.tid, said[i].tid);
		assert_string_equal(ts.comm, "wl-dio");
		assert_int_equal(ts.reading.run_ns, said[i].run_ns);
		assert_int_equal(ts.reading.rq_ns, said[i].rq_ns);
		assert_int_equal(ts.reading.pcount, said[i].pcount);
		assert_int_equal(ts.reading.nvcsw, said[i].nvcsw);
		assert_int_equal(ts.reading.nivcsw, said[i].nivcsw);
		assert_true(ts.delay_have & 1u << SS_DELAY_BLKIO);
		/* Other waits for block I/O may be in delay accounting's only. */
		assert_in_range(ts.delay_count[SS_DELAY_BLKIO], said[i].iowait_count,
				said[i].iowait_count + 2);
		assert_int_equal(ts.delay_count[SS_DELAY_CPU], said[i].pcount);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout__of_13__is_that_of_the_header),
		cmocka_unit_test(record__of_every_version__gives_its_fields),
		cmocka_unit_test(record__cut_at_every_byte__never_gives_a_wrong_value),
		cmocka_unit_test(record__of_a_version_without_rules__is_rejected),
		cmocka_unit_test(record__with_impossible_values__is_rejected),
		cmocka_unit_test(answer__of_real_kernels__says_what_proc_says),
		cmocka_unit_test(message__of_the_kernel__gives_the_record),
		cmocka_unit_test(message__without_a_thread__is_enomsg),
		cmocka_unit_test(message__without_a_record__is_rejected),
		cmocka_unit_test(message__with_any_length__never_gives_a_wrong_value),
	};

	return cmocka_run_group_tests_name("parse_taskstats", tests, NULL, NULL);
}
