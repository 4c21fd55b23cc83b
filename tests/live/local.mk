# SPDX-License-Identifier: GPL-2.0-or-later
# Workloads that know their own truth; the scripts compare recordings with it.
check_PROGRAMS += tests/live/workload
tests_live_workload_SOURCES = \
	tests/live/kinds.c \
	tests/live/workload.c \
	tests/live/workload.h
tests_live_workload_LDADD =

check_PROGRAMS += tests/live/causes
tests_live_causes_SOURCES = \
	tests/live/causes.c \
	tests/live/causes.h \
	tests/live/causes_fd.c \
	tests/live/causes_file.c \
	tests/live/causes_thread.c
tests_live_causes_LDADD =

LIVE_TESTS = \
	tests/live/live-bad.sh \
	tests/live/live-causes.sh \
	tests/live/live-churn.sh \
	tests/live/live-cli.sh \
	tests/live/live-closure.sh \
	tests/live/live-exec.sh \
	tests/live/live-io.sh \
	tests/live/live-late.sh \
	tests/live/live-moved.sh \
	tests/live/live-mariadb.sh \
	tests/live/live-pressure.sh \
	tests/live/live-redis.sh \
	tests/live/live-still.sh \
	tests/live/live-sums.sh \
	tests/live/live-truth-bpf.sh \
	tests/live/live-truth-bpf-snapshot.sh \
	tests/live/live-truth-procfs.sh \
	tests/live/live-truth-taskstats.sh \
	tests/live/live-user.sh
TESTS += $(LIVE_TESTS)

EXTRA_DIST += \
	$(LIVE_TESTS) \
	tests/live/causes.awk \
	tests/live/closure.awk \
	tests/live/column.awk \
	tests/live/csv.awk \
	tests/live/exec.awk \
	tests/live/io.awk \
	tests/live/kernelsums.awk \
	tests/live/kinds.awk \
	tests/live/late.awk \
	tests/live/lib.sh \
	tests/live/presence.awk \
	tests/live/sched.awk \
	tests/live/share.awk \
	tests/live/sums.awk \
	tests/live/truth.awk \
	tests/live/waits.awk
