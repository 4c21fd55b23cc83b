# SPDX-License-Identifier: GPL-2.0-or-later
# A new test is one line: tests/unit/test_NAME.c becomes this program.
UNIT_TESTS = \
	tests/unit/test_account \
	tests/unit/test_batch \
	tests/unit/test_buf \
	tests/unit/test_caps \
	tests/unit/test_connector \
	tests/unit/test_fdcache \
	tests/unit/test_fields \
	tests/unit/test_launch \
	tests/unit/test_ledger \
	tests/unit/test_ledger_random \
	tests/unit/test_ledger_waits \
	tests/unit/test_log \
	tests/unit/test_moved \
	tests/unit/test_offcpu \
	tests/unit/test_options \
	tests/unit/test_parse_proc \
	tests/unit/test_parse_syscall \
	tests/unit/test_parse_taskstats \
	tests/unit/test_pool \
	tests/unit/test_procfs \
	tests/unit/test_quota \
	tests/unit/test_resource_name \
	tests/unit/test_resources \
	tests/unit/test_roster \
	tests/unit/test_roster_live \
	tests/unit/test_rows \
	tests/unit/test_sampled \
	tests/unit/test_sink \
	tests/unit/test_sink_csv \
	tests/unit/test_sink_jsonl \
	tests/unit/test_sink_text \
	tests/unit/test_sink_tree \
	tests/unit/test_snapshot \
	tests/unit/test_syscall \
	tests/unit/test_tick \
	tests/unit/test_util \
	tests/unit/test_watches \
	tests/unit/test_watches_lives \
	tests/unit/test_watches_random \
	tests/unit/test_watches_waits \
	tests/unit/test_writer

if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

EXTRA_DIST += \
	tests/unit/account.h \
	tests/unit/capture.h \
	tests/unit/data/taskstats-10.bin \
	tests/unit/data/taskstats-13.bin \
	tests/unit/data/taskstats-14.bin \
	tests/unit/data/taskstats-17.bin \
	tests/unit/ledger.h \
	tests/unit/random.h \
	tests/unit/roster.h \
	tests/unit/sinks.h \
	tests/unit/watches.h
