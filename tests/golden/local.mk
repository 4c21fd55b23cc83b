# SPDX-License-Identifier: GPL-2.0-or-later
# The program on captured trees of /proc, compared byte by byte. A new case is one line.
GOLDEN_TESTS = \
	tests/golden/bad-record.case \
	tests/golden/blocked.case \
	tests/golden/hostile-name.case \
	tests/golden/idle.case \
	tests/golden/linux-5.10-schedstats.case \
	tests/golden/linux-5.10.case \
	tests/golden/linux-6.1-schedstats.case \
	tests/golden/linux-6.12-rt-schedstats.case \
	tests/golden/linux-6.12-schedstats.case \
	tests/golden/linux-7.2-schedstats.case \
	tests/golden/linux-7.2.case \
	tests/golden/moved.case \
	tests/golden/no-sched.case \
	tests/golden/preempted.case \
	tests/golden/restart.case \
	tests/golden/reused-tid.case \
	tests/golden/running.case \
	tests/golden/schedstats-old.case \
	tests/golden/schedstats.case \
	tests/golden/start-exit.case \
	tests/golden/stopped.case \
	tests/golden/suspend.case \
	tests/golden/woken.case \
	tests/golden/zombie.case

TEST_EXTENSIONS += .case
CASE_LOG_COMPILER = $(srcdir)/tests/golden/run
TESTS += $(GOLDEN_TESTS)

EXTRA_DIST += \
	$(GOLDEN_TESTS) \
	tests/golden/README.md \
	tests/golden/run
