// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "source/parse.h"

#define RULE "-------------------------------------------------------------------\n"

/* Linux 6.18, kernel.sched_schedstats = 0. */
static const char sched_6_18[] =
	"redis-server (4711, #threads: 5)\n"
	RULE
	"se.exec_start                                :       3929042.760569\n"
	"se.vruntime                                  :          1332.784845\n"
	"se.sum_exec_runtime                          :             6.260646\n"
	"se.nr_migrations                             :                    2\n"
	"nr_switches                                  :                   18\n"
	"nr_voluntary_switches                        :                   10\n"
	"nr_involuntary_switches                      :                    8\n"
	"se.load.weight                               :              1048576\n"
	"se.avg.load_sum                              :                46890\n"
	"se.avg.last_update_time                      :        3929042759680\n"
	"se.avg.util_est                              :                    0\n"
	"policy                                       :                    0\n"
	"prio                                         :                  120\n"
	"se.slice                                     :              1400000\n"
	"clock-delta                                  :                   30\n"
	"mm->numa_scan_seq                            :                    0\n"
	"numa_preferred_nid                           :                   -1\n"
	"current_node=0, numa_group_id=0\n"
	"numa_faults node=0 task_private=0 task_shared=0 group_private=0 group_shared=0\n";

/* Linux 6.1, kernel.sched_schedstats = 1. */
static const char sched_6_1[] =
	"jbd2/vda1-8 (215, #threads: 1)\n"
	RULE
	"se.exec_start                                :      98765432.000001\n"
	"se.vruntime                                  :           -12.000345\n"
	"se.sum_exec_runtime                          :          1234.567890\n"
	"se.nr_migrations                             :                   77\n"
	"sum_sleep_runtime                            :      98000000.123456\n"
	"sum_block_runtime                            :           500.000500\n"
	"wait_start                                   :             0.000000\n"
	"sleep_start                                  :      98765432.000002\n"
	"block_start                                  :             0.000003\n"
	"sleep_max                                    :          5000.111111\n"
	"block_max                                    :            40.222222\n"
	"wait_sum                                     :             9.876543\n"
	"wait_count                                   :                 4321\n"
	"iowait_sum                                   :           450.000450\n"
	"iowait_count                                 :                  310\n"
	"avg_atom                                     :             0.285714\n"
	"nr_switches                                  :                 4321\n"
	"nr_voluntary_switches                        :                 4300\n"
	"nr_involuntary_switches                      :                   21\n"
	"policy                                       :                    0\n";

/* Linux 5.10, kernel.sched_schedstats = 1: no sum_block_runtime (that came with 5.16). */
static const char sched_5_10[] =
	"worker (99, #threads: 2)\n"
	RULE
	"se.exec_start                                :         10000.000000\n"
	"se.sum_exec_runtime                          :            20.000000\n"
	"se.statistics.sum_sleep_runtime              :          9000.000000\n"
	"se.statistics.sleep_start                    :             0.000000\n"
	"se.statistics.block_start                    :             0.000000\n"
	"se.statistics.iowait_sum                     :             7.000000\n"
	"nr_voluntary_switches                        :                    3\n"
	"nr_involuntary_switches                      :                    1\n"
	"policy                                       :                    3\n";

/* The old kind of names with all sums, from a kernel that was given the missing one. */
static const char sched_5_15_patched[] =
	"worker (99, #threads: 2)\n"
	RULE
	"se.exec_start                                :         10000.000000\n"
	"se.sum_exec_runtime                          :            20.000000\n"
	"se.statistics.sum_sleep_runtime              :          9000.000000\n"
	"se.statistics.sum_block_runtime              :             8.000000\n"
	"se.statistics.sleep_start                    :             0.000000\n"
	"se.statistics.block_start                    :          9999.000000\n"
	"se.statistics.iowait_sum                     :             7.000000\n"
	"nr_voluntary_switches                        :                    3\n"
	"nr_involuntary_switches                      :                    1\n"
	"policy                                       :                    1\n";

static const char stat_6_18[] =
	"4711 (redis-server) S 1 4711 4711 0 -1 4194368 25436 0 12 0 871 320 0 0 20 0 5 0 "
	"7261 75120640 3584 18446744073709551615 94210 95800 140720 0 0 0 0 4097 1088 1 0 0 17 1 "
	"0 0 3 0 0 96000 96500 97000 140721 140722 140723 140724 0\n";

typedef int (*parse_fn)(const char *text, size_t len, struct ss_reading *r);

/* From a buffer of exactly that size, so that a sanitizer sees any read beyond it. */
static int parse_exact(parse_fn parse, const char *text, size_t len, struct ss_reading *r)
{
	char *copy = malloc(len + !len);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	memset(r, 0, sizeof(*r));
	err = parse(copy, len, r);
	free(copy);
	return err;
}

static int parse_text(parse_fn parse, const char *text, struct ss_reading *r)
{
	return parse_exact(parse, text, strlen(text), r);
}

/* @part knows no more than @full, and nothing else. */
static void assert_is_part(const struct ss_reading *part, const struct ss_reading *full)
{
	assert_int_equal(part->have & ~full->have, 0);
	assert_int_equal(part->flags & ~full->flags, 0);
	if (part->have & SS_HAVE_RUN)
		assert_int_equal(part->run_ns, full->run_ns);
	if (part->have & SS_HAVE_RQ)
		assert_int_equal(part->rq_ns, full->rq_ns);
	if (part->have & SS_HAVE_PCOUNT)
		assert_int_equal(part->pcount, full->pcount);
	if (part->have & SS_HAVE_EXEC_START)
		assert_int_equal(part->exec_start_ns, full->exec_start_ns);
	if (part->have & SS_HAVE_SWITCHES) {
		assert_int_equal(part->nvcsw, full->nvcsw);
		assert_int_equal(part->nivcsw, full->nivcsw);
	}
	if (part->have & SS_HAVE_SCHEDSTATS) {
		assert_int_equal(part->sleep_ns, full->sleep_ns);
		assert_int_equal(part->block_ns, full->block_ns);
		assert_int_equal(part->iowait_ns, full->iowait_ns);
		assert_int_equal(part->sleep_start_ns, full->sleep_start_ns);
		assert_int_equal(part->block_start_ns, full->block_start_ns);
	}
}

static void assert_cuts_are_parts(parse_fn parse, const char *text)
{
	struct ss_reading full, part;
	int err;

	assert_int_equal(parse_text(parse, text, &full), 0);
	for (size_t len = 0; len < strlen(text); len++) {
		err = parse_exact(parse, text, len, &part);
		assert_true(err == 0 || err == -EBADMSG);
		if (!err)
			assert_is_part(&part, &full);
	}
}

static void schedstat__three_numbers__are_run_rq_and_pcount(void **state)
{
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_schedstat, "4034457 464971 3\n", &r), 0);
	assert_int_equal(r.have, SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT);
	assert_int_equal(r.run_ns, 4034457);
	assert_int_equal(r.rq_ns, 464971);
	assert_int_equal(r.pcount, 3);
	assert_int_equal(parse_text(ss_parse_schedstat, "1152921504606846975 0 1\n", &r), 0);
	assert_int_equal(r.run_ns, SS_COUNT_MAX);
}

static void schedstat__all_zero__is_nothing_known(void **state)
{
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_schedstat, "0 0 0\n", &r), 0);
	assert_int_equal(r.have, 0);
	assert_int_equal(parse_text(ss_parse_schedstat, "0 0 1\n", &r), 0);
	assert_int_equal(r.have, SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT);
}

static void schedstat__malformed__is_rejected(void **state)
{
	static const char *const bad[] = {
		"", "\n", "1 2\n", "1 2 3", "1 2 3 \n", "1 2 3 4\n", " 1 2 3\n", "1  2 3\n",
		"1\t2 3\n", "-1 2 3\n", "+1 2 3\n", "1 2 x\n", "0x1 2 3\n", "1.0 2 3\n",
		"1 2 3\n\n", "18446744073709551616 2 3\n", "1 2 99999999999999999999999\n",
		"1152921504606846976 2 3\n", "1 1152921504606846976 3\n", "1 2 1152921504606846976\n",
	};
	struct ss_reading r;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_text(ss_parse_schedstat, bad[i], &r), -EBADMSG);
	assert_int_equal(parse_exact(ss_parse_schedstat, "1 2\0003\n", 6, &r), -EBADMSG);
	assert_int_equal(parse_exact(ss_parse_schedstat, "1 2 3\n\0", 7, &r), -EBADMSG);
}

static void sched__without_schedstats__has_times_and_switches(void **state)
{
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_sched, sched_6_18, &r), 0);
	assert_int_equal(r.have, SS_HAVE_RUN | SS_HAVE_EXEC_START | SS_HAVE_SWITCHES);
	assert_int_equal(r.flags, SS_READING_FAIR);
	assert_int_equal(r.exec_start_ns, 3929042760569);
	assert_int_equal(r.run_ns, 6260646);
	assert_int_equal(r.nvcsw, 10);
	assert_int_equal(r.nivcsw, 8);
}

static void sched__with_schedstats__has_the_sums(void **state)
{
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_sched, sched_6_1, &r), 0);
	assert_int_equal(r.have, SS_HAVE_RUN | SS_HAVE_EXEC_START | SS_HAVE_SWITCHES |
			 SS_HAVE_SCHEDSTATS);
	assert_int_equal(r.flags, SS_READING_FAIR);
	assert_int_equal(r.exec_start_ns, 98765432000001);
	assert_int_equal(r.run_ns, 1234567890);
	assert_int_equal(r.sleep_ns, 98000000123456);
	assert_int_equal(r.block_ns, 500000500);
	assert_int_equal(r.iowait_ns, 450000450);
	assert_int_equal(r.sleep_start_ns, 98765432000002);
	assert_int_equal(r.block_start_ns, 3);
	assert_int_equal(r.nvcsw, 4300);
	assert_int_equal(r.nivcsw, 21);
}

static void sched__old_names__are_matched_and_marked(void **state)
{
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_sched, sched_5_15_patched, &r), 0);
	assert_int_equal(r.have, SS_HAVE_RUN | SS_HAVE_EXEC_START | SS_HAVE_SWITCHES |
			 SS_HAVE_SCHEDSTATS);
	assert_int_equal(r.flags, SS_READING_OLD_SCHEDSTATS);	/* SCHED_FIFO: not fair */
	assert_int_equal(r.sleep_ns, 9000000000);
	assert_int_equal(r.block_ns, 8000000);
	assert_int_equal(r.iowait_ns, 7000000);
	assert_int_equal(r.block_start_ns, 9999000000);
}

static void sched__without_a_sum_of_block__tells_its_io_part(void **state)
{
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_sched, sched_5_10, &r), 0);
	assert_int_equal(r.have, SS_HAVE_RUN | SS_HAVE_EXEC_START | SS_HAVE_SWITCHES |
			 SS_HAVE_BLKIO | SS_HAVE_SLEPT);
	assert_int_equal(r.blkio_ns, 7000000);
	assert_int_equal(r.slept_ns, 9000000000);
	assert_int_equal(r.flags, SS_READING_FAIR | SS_READING_OLD_SCHEDSTATS);	/* SCHED_BATCH */
}

/* A sched file with these lines behind the heading. */
#define SCHED(lines) "x (1, #threads: 1)\n" RULE lines
#define SWITCHES "nr_voluntary_switches : 1\nnr_involuntary_switches : 2\n"
#define TIMES "se.exec_start : 3.000000\nse.sum_exec_runtime : 4.000000\n"

static void sched__malformed__is_rejected(void **state)
{
	static const char *const bad[] = {
		"", "\n", RULE, SCHED(""), TIMES SWITCHES, SCHED(TIMES), SCHED(SWITCHES),
		"x (1, #threads: 1)\n---\n" TIMES SWITCHES,
		SCHED("se.exec_start : 3.000000\n" SWITCHES),
		SCHED("se.sum_exec_runtime : 3.000000\n" SWITCHES),
		SCHED(TIMES "nr_voluntary_switches : 1\n"),
		SCHED(TIMES "nr_involuntary_switches : 1\n"),
		/* Twice. */
		SCHED(TIMES SWITCHES "exec_start : 3.000000\n"),
		SCHED(TIMES SWITCHES SWITCHES),
		/* No such numbers. */
		SCHED("se.exec_start : 3\nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED("se.exec_start : 3.00000\nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED("se.exec_start : 3.0000000\nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED("se.exec_start : -3.000000\nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED("se.exec_start : 3.-00001\nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED("se.exec_start : .000001\nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED("se.exec_start : 3.000000 \nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED("se.exec_start :\nse.sum_exec_runtime : 4.000000\n" SWITCHES),
		SCHED(TIMES "nr_voluntary_switches : -1\nnr_involuntary_switches : 2\n"),
		SCHED(TIMES "nr_voluntary_switches : 1.5\nnr_involuntary_switches : 2\n"),
		SCHED(TIMES "nr_voluntary_switches : 18446744073709551616\n"
		      "nr_involuntary_switches : 2\n"),
		SCHED(TIMES SWITCHES "policy : x\n"),
		SCHED(TIMES "nr_voluntary_switches : 1152921504606846976\n"
		      "nr_involuntary_switches : 2\n"),
		/* Beyond SS_COUNT_MAX, and beyond 64 bits of nanoseconds. */
		SCHED("se.exec_start : 1152921504606.846976\nse.sum_exec_runtime : 4.000000\n"
		      SWITCHES),
		SCHED("se.exec_start : 18446744073710.000000\nse.sum_exec_runtime : 4.000000\n"
		      SWITCHES),
		SCHED("se.exec_start : 18446744073709.551616\nse.sum_exec_runtime : 4.000000\n"
		      SWITCHES),
	};
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_sched, SCHED(TIMES SWITCHES), &r), 0);
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++)
		if (parse_text(ss_parse_sched, bad[i], &r) != -EBADMSG)
			fail_msg("accepted, number %zu: %s", i, bad[i]);
	assert_int_equal(parse_text(ss_parse_sched, SCHED("se.exec_start : 1152921504606.846975\n"
		"se.sum_exec_runtime : 4.000000\n" SWITCHES), &r), 0);
	assert_int_equal(r.exec_start_ns, SS_COUNT_MAX);
}

static void sched__embedded_nul__is_no_part_of_a_number(void **state)
{
	static const char in_value[] = SCHED("se.exec_start : 3.000\000000\n"
					     "se.sum_exec_runtime : 4.000000\n" SWITCHES);
	static const char in_name[] = SCHED("se.exec\0_start : 3.000000\n"
					    "se.sum_exec_runtime : 4.000000\n" SWITCHES);
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_exact(ss_parse_sched, in_value, sizeof(in_value) - 1, &r), -EBADMSG);
	assert_int_equal(parse_exact(ss_parse_sched, in_name, sizeof(in_name) - 1, &r), -EBADMSG);
}

static void sched__similar_names__are_others(void **state)
{
	struct ss_reading r;

	(void)state;
	assert_int_equal(parse_text(ss_parse_sched, SCHED(TIMES SWITCHES
		"exec_start2 : 9.000000\nxexec_start : 9.000000\nexec_star : 9.000000\n"
		"exec_start.x : 9.000000\n : 9.000000\n. : 9.000000\n: 9\nse. : 9.000000\n"), &r), 0);
	assert_int_equal(r.exec_start_ns, 3000000);
	assert_int_equal(r.run_ns, 4000000);
}

/* What a thread names itself stands before the rule, raw. */
static void sched__hostile_name__forges_nothing(void **state)
{
	static const char *const forged[] = {
		"a\nse.exec_start : 0.000000\n (1, #threads: 1)\n" RULE TIMES SWITCHES,
		"\n------------- (1, #threads: 1)\n" RULE TIMES SWITCHES,
		"\n\n\n\n: 1\n (1, #threads: 1)\n" RULE TIMES SWITCHES,
		"nr_switches : 7 (1, #threads: 1)\n" RULE TIMES SWITCHES,
	};
	struct ss_reading r;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(forged); i++) {
		assert_int_equal(parse_text(ss_parse_sched, forged[i], &r), 0);
		assert_int_equal(r.exec_start_ns, 3000000);
		assert_int_equal(r.run_ns, 4000000);
		assert_int_equal(r.nvcsw, 1);
		assert_int_equal(r.nivcsw, 2);
	}
}

static void sched__last_line_cut_off__is_not_used(void **state)
{
	struct ss_reading r;

	(void)state;
	/* "12" may be the beginning of "1234". */
	assert_int_equal(parse_text(ss_parse_sched, SCHED(TIMES "nr_voluntary_switches : 1\n"
		"nr_involuntary_switches : 12"), &r), -EBADMSG);
	assert_int_equal(parse_text(ss_parse_sched, SCHED(TIMES SWITCHES "policy : 0"), &r), 0);
	assert_int_equal(r.flags, 0);
}

static void cuts__at_every_byte__never_give_a_wrong_value(void **state)
{
	(void)state;
	assert_cuts_are_parts(ss_parse_schedstat, "4034457 464971 39\n");
	assert_cuts_are_parts(ss_parse_sched, sched_6_18);
	assert_cuts_are_parts(ss_parse_sched, sched_6_1);
	assert_cuts_are_parts(ss_parse_sched, sched_5_10);
	assert_cuts_are_parts(ss_parse_sched, sched_5_15_patched);
}

static int parse_stat(const char *text, size_t len, struct ss_stat *st)
{
	char *copy = malloc(len + !len);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = ss_parse_stat(copy, len, st);
	free(copy);
	return err;
}

static void stat__of_a_process__gives_the_fields(void **state)
{
	struct ss_stat st;

	(void)state;
	assert_int_equal(parse_stat(stat_6_18, strlen(stat_6_18), &st), 0);
	assert_int_equal(st.tid, 4711);
	assert_int_equal(st.ppid, 1);
	assert_int_equal(st.state, 'S');
	assert_int_equal(st.cpu, 1);
	assert_int_equal(st.num_threads, 5);
	assert_int_equal(st.start_ticks, 7261);
	assert_int_equal(st.policy, 0);
	assert_int_equal(st.flags, 4194368);
	assert_string_equal(st.comm, "redis-server");
}

/* Behind the name: fields 3 to 52. */
#define FIELDS " 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 " \
	       "0 0 0 0 0 0 0 0 0 0 0\n"

static void stat__hostile_name__is_taken_whole(void **state)
{
	static const char *const names[] = {
		"", ")", "(", ") R 1", ") R 1 (", "((((", "))))", "a b", "a\\nb", "\n", "-1 0 0",
		"kworker/u8:3-events_unbound_and_a_name_of_63_bytes_which_is_max",
	};
	char text[256];
	struct ss_stat st;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(names); i++) {
		int n = snprintf(text, sizeof(text), "12 (%s) D" FIELDS, names[i]);

		assert_int_equal(parse_stat(text, (size_t)n, &st), 0);
		assert_string_equal(st.comm, names[i]);
		assert_int_equal(st.state, 'D');
		assert_int_equal(st.start_ticks, 77);
		assert_int_equal(st.cpu, 2);
		assert_int_equal(st.policy, 3);
	}
}

static void stat__malformed__is_rejected(void **state)
{
	static const char *const bad[] = {
		"", "\n", "12", "12 ", "12 (", "12 (x", "12 (x)", "12 (x) ", "12 (x) S", "12 (x) S\n",
		" 12 (x) S" FIELDS, "-12 (x) S" FIELDS, "2147483648 (x) S" FIELDS, "x (x) S" FIELDS,
		"12(x) S" FIELDS, "12 x) S" FIELDS, "12 (x)S" FIELDS, "12 (x)  S" FIELDS,
		"12 (x) Q" FIELDS, "12 (x) SS" FIELDS, "12 (x) 1" FIELDS,
		/* 64 bytes are more than the kernel prints. */
		"12 (0123456789012345678901234567890123456789012345678901234567890123) S" FIELDS,
		/* ppid, threads, start, cpu, policy out of range. */
		"12 (x) S -1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 0\n",
		"12 (x) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 -1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 0\n",
		"12 (x) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 -77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 0\n",
		"12 (x) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 -2 0 3 0\n",
		"12 (x) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2147483648 0 3 0\n",
		"12 (x) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 -3 0\n",
		/* A number of more than 64 bits, no number, none. */
		"12 (x) S 1 1 1 0 -1 64 18446744073709551616 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 0\n",
		"12 (x) S 1 1 1 0 -1 64 x 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 0\n",
		"12 (x) S 1 1 1 0 -1 64  0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 0\n",
		"12 (x) S 1 1 1 0 - 64 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 3 0\n",
	};
	struct ss_stat st;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++)
		if (parse_stat(bad[i], strlen(bad[i]), &st) != -EBADMSG)
			fail_msg("accepted, number %zu: %s", i, bad[i]);
	assert_int_equal(parse_stat("12 (a\0b) S" FIELDS, sizeof("12 (a\0b) S" FIELDS) - 1, &st),
			 -EBADMSG);
}

static void stat__cut_at_every_byte__never_gives_a_wrong_value(void **state)
{
	struct ss_stat full, part;
	int err;

	(void)state;
	assert_int_equal(parse_stat(stat_6_18, strlen(stat_6_18), &full), 0);
	for (size_t len = 0; len < strlen(stat_6_18); len++) {
		err = parse_stat(stat_6_18, len, &part);
		assert_true(err == 0 || err == -EBADMSG);
		if (!err)
			assert_memory_equal(&part, &full, sizeof(full));
	}
}

static void state_of_letter__every_byte__is_a_state_or_none(void **state)
{
	static const struct { const char *letters; int state; } known[] = {
		{ "R", SS_STATE_RUNNABLE }, { "SIP", SS_STATE_SLEEP }, { "DKW", SS_STATE_BLOCK },
		{ "Tt", SS_STATE_STOP }, { "ZXx", SS_STATE_DEAD },
	};
	int count = 0;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(known); i++)
		for (const char *l = known[i].letters; *l; l++)
			assert_int_equal(ss_state_of_letter(*l), known[i].state);
	for (int c = -128; c < 128; c++)
		count += ss_state_of_letter((char)c) >= 0;
	assert_int_equal(count, 12);
}

static void loadavg__of_the_kernel__gives_runnable_and_newest_pid(void **state)
{
	static const char good[] = "0.20 0.18 12.12 3/80 11206\n";
	static const char *const bad[] = {
		"", "\n", "0.20 0.18 0.12 1/80 11206", "0.20 0.18 0.12 1/80 11206 \n",
		"0.20 0.18 0.12 1/80\n", "0.20 0.18 0.12 1 80 11206\n", "0.20 0.18 1/80 11206\n",
		"0,20 0.18 0.12 1/80 11206\n", "-0.20 0.18 0.12 1/80 11206\n", "0.20 0.18 0.12 -1/80 1\n",
		"0.20 0.18 0.12 1/80 18446744073709551616\n", "0.20 0.18 0.12 1/80 11206\nx",
		". . . / \n",
	};
	uint64_t runnable = 0, last = 0;

	(void)state;
	assert_int_equal(ss_parse_loadavg(good, strlen(good), &runnable, &last), 0);
	assert_int_equal(runnable, 3);
	assert_int_equal(last, 11206);
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++)
		assert_int_equal(ss_parse_loadavg(bad[i], strlen(bad[i]), &runnable, &last), -EBADMSG);
	for (size_t len = 0; len < strlen(good); len++)
		assert_int_equal(ss_parse_loadavg(good, len, &runnable, &last), -EBADMSG);
	assert_int_equal(ss_parse_loadavg("0.20 0.18 0.12 1/80 11206\0\n", 27, &runnable, &last),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedstat__three_numbers__are_run_rq_and_pcount),
		cmocka_unit_test(schedstat__all_zero__is_nothing_known),
		cmocka_unit_test(schedstat__malformed__is_rejected),
		cmocka_unit_test(sched__without_schedstats__has_times_and_switches),
		cmocka_unit_test(sched__with_schedstats__has_the_sums),
		cmocka_unit_test(sched__old_names__are_matched_and_marked),
		cmocka_unit_test(sched__without_a_sum_of_block__tells_its_io_part),
		cmocka_unit_test(sched__malformed__is_rejected),
		cmocka_unit_test(sched__embedded_nul__is_no_part_of_a_number),
		cmocka_unit_test(sched__similar_names__are_others),
		cmocka_unit_test(sched__hostile_name__forges_nothing),
		cmocka_unit_test(sched__last_line_cut_off__is_not_used),
		cmocka_unit_test(cuts__at_every_byte__never_give_a_wrong_value),
		cmocka_unit_test(stat__of_a_process__gives_the_fields),
		cmocka_unit_test(stat__hostile_name__is_taken_whole),
		cmocka_unit_test(stat__malformed__is_rejected),
		cmocka_unit_test(stat__cut_at_every_byte__never_gives_a_wrong_value),
		cmocka_unit_test(state_of_letter__every_byte__is_a_state_or_none),
		cmocka_unit_test(loadavg__of_the_kernel__gives_runnable_and_newest_pid),
	};

	return cmocka_run_group_tests_name("parse_proc", tests, NULL, NULL);
}
