# SPDX-License-Identifier: GPL-2.0-or-later
# Ratios against other programs in the same run; no part of "make check".
BENCHES = \
	tests/bench/bench-cost.sh \
	tests/bench/bench-lateness.sh \
	tests/bench/bench-ledger.sh \
	tests/bench/bench-memory.sh \
	tests/bench/compare-peers.sh
bench_programs = \
	tests/bench/bareloop \
	tests/bench/benchrun
if HAVE_BPF
bench_programs += tests/bench/bpfhold
endif
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)

bench: all tests/live/workload$(EXEEXT) $(bench_programs)
	@for bench in $(BENCHES); do \
		$(AM_TESTS_ENVIRONMENT) "$(srcdir)/$$bench" || exit; \
	done
.PHONY: bench

EXTRA_DIST += \
	$(BENCHES) \
	tests/bench/lib.sh \
	tests/bench/peers.awk

tests_bench_bareloop_LDADD =

tests_bench_benchrun_LDADD =

tests_bench_bpfhold_LDADD = $(LIBBPF_LIBS)
