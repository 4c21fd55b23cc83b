# SPDX-License-Identifier: GPL-2.0-or-later
# A new target is NAME.c with seeds in corpus/NAME: one line in FUZZ_TARGETS, two at the end. "make
# check" runs each on its seeds only, with any compiler; "make check-fuzz" looks for new inputs.
FUZZ_TARGETS = \
	tests/fuzz/account.fuzz \
	tests/fuzz/connector.fuzz \
	tests/fuzz/escape.fuzz \
	tests/fuzz/ledger.fuzz \
	tests/fuzz/loadavg.fuzz \
	tests/fuzz/maps.fuzz \
	tests/fuzz/number.fuzz \
	tests/fuzz/options.fuzz \
	tests/fuzz/resource.fuzz \
	tests/fuzz/row.fuzz \
	tests/fuzz/sched.fuzz \
	tests/fuzz/schedstat.fuzz \
	tests/fuzz/stat.fuzz \
	tests/fuzz/syscall.fuzz \
	tests/fuzz/taskstats_message.fuzz \
	tests/fuzz/taskstats_record.fuzz

TEST_EXTENSIONS += .fuzz
FUZZ_LOG_COMPILER = $(srcdir)/tests/fuzz/run
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)

FUZZ_COMMON = tests/fuzz/check.h tests/fuzz/fuzz.h tests/fuzz/taskstats.h
if ENABLE_FUZZ
LIBFUZZER = -fsanitize=fuzzer
else
FUZZ_COMMON += tests/fuzz/replay.c
LIBFUZZER =
endif

# FUZZ_SECONDS=60: for each target.
check-fuzz:
if ENABLE_FUZZ
	FUZZ_SECONDS=$${FUZZ_SECONDS:-60} $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(FUZZ_TARGETS)'
else
	@echo 'this needs ./configure CC=clang --enable-fuzz' >&2; exit 1
endif
.PHONY: check-fuzz

EXTRA_DIST += \
	tests/fuzz/corpus \
	tests/fuzz/replay.c \
	tests/fuzz/run

tests_fuzz_account_fuzz_SOURCES = tests/fuzz/account.c $(FUZZ_COMMON)
tests_fuzz_account_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_connector_fuzz_SOURCES = tests/fuzz/connector.c $(FUZZ_COMMON)
tests_fuzz_connector_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_escape_fuzz_SOURCES = tests/fuzz/escape.c $(FUZZ_COMMON)
tests_fuzz_escape_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_ledger_fuzz_SOURCES = tests/fuzz/ledger.c $(FUZZ_COMMON)
tests_fuzz_ledger_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_loadavg_fuzz_SOURCES = tests/fuzz/loadavg.c $(FUZZ_COMMON)
tests_fuzz_loadavg_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_maps_fuzz_SOURCES = tests/fuzz/maps.c $(FUZZ_COMMON)
tests_fuzz_maps_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_number_fuzz_SOURCES = tests/fuzz/number.c $(FUZZ_COMMON)
tests_fuzz_number_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_options_fuzz_SOURCES = tests/fuzz/options.c $(FUZZ_COMMON)
tests_fuzz_options_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_resource_fuzz_SOURCES = tests/fuzz/resource.c $(FUZZ_COMMON)
tests_fuzz_resource_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_row_fuzz_SOURCES = tests/fuzz/row.c $(FUZZ_COMMON)
tests_fuzz_row_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_sched_fuzz_SOURCES = tests/fuzz/sched.c $(FUZZ_COMMON)
tests_fuzz_sched_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_schedstat_fuzz_SOURCES = tests/fuzz/schedstat.c $(FUZZ_COMMON)
tests_fuzz_schedstat_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_stat_fuzz_SOURCES = tests/fuzz/stat.c $(FUZZ_COMMON)
tests_fuzz_stat_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_syscall_fuzz_SOURCES = tests/fuzz/syscall.c $(FUZZ_COMMON)
tests_fuzz_syscall_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_taskstats_message_fuzz_SOURCES = tests/fuzz/taskstats_message.c $(FUZZ_COMMON)
tests_fuzz_taskstats_message_fuzz_LDFLAGS = $(LIBFUZZER)
tests_fuzz_taskstats_record_fuzz_SOURCES = tests/fuzz/taskstats_record.c $(FUZZ_COMMON)
tests_fuzz_taskstats_record_fuzz_LDFLAGS = $(LIBFUZZER)
