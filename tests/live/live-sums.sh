#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's own sums of sleep, block and I/O wait against what was recorded over the same time:
# within 2 % of the wall time of each thread.
. "$(dirname "$0")/lib.sh"
[ "$(cat /proc/sys/kernel/sched_schedstats 2>/dev/null)" = 1 ] ||
	skip "needs kernel.sched_schedstats=1"
: "${SS_SUMS_SECONDS:=5}"

# snapshot FILE: the kernel's sums of all threads. The instant of each is from /proc/uptime, read with
# the rest: its 10 ms are less than what starting a program can take.
snapshot() {
	# shellcheck disable=SC2046
	awk -v tids="$tids" -f "$live/sched.awk" $(for tid in $tids; do
		echo /proc/uptime /proc/self/sched "/proc/$workload/task/$tid/sched"
	done) >"$1"
}

# compare SOURCE WAKE_NS
compare() {
	say "== $1${wrong:+; the kernel's sums of $wrong are known to be wrong here}"
	# More than the test needs: it ends when it is told to.
	start_workload "$kinds" $((SS_SUMS_SECONDS + 60))
	start_sampler "$out/sums.csv" --source "$1" -p "$targets"
	go
	tids=$(cd "/proc/$workload/task" && echo [0-9]*)
	# The first windows after the start are not steady.
	rows=$(wc -l <"$csv")
	until_true more_lines "$csv" $((rows + 40))
	snapshot "$tmp/before"
	ticks_then=$(wc -l <"$ticks")
	until_true more_lines "$ticks" $((ticks_then + SS_SUMS_SECONDS * 20))
	snapshot "$tmp/after"
	echo stop >&3
	await_report "$tmp/report"
	stop_sampler
	end_workload
	sums "$csv"
	awk -v wrong="$wrong" -v wake_ns="$2" -f "$live/kernelsums.awk" -f "$live/csv.awk" "$tmp/report" "$tmp/before" \
		"$tmp/after" "$csv" || {
		[ -z "${SS_LIVE_KEEP:-}" ] || cp "$tmp/before" "$tmp/after" "$csv" "$SS_LIVE_KEEP"
		die "$1"
	}
}

# Since 6.12 a thread that sleeps can stay queued for a while (delayed dequeue): what it sleeps
# meanwhile is in none of the kernel's sums of sleep, and its start mark for block I/O goes to
# another thread, which has delay accounting wrong. There the workloads' own truth counts, with
# which live-truth-procfs.sh and live-truth-taskstats.sh compare.
kinds=spin,sleep,idle,halfload,burst,pingpong,dio,fsync
wrong=
! kernel_since 6 12 || wrong="sleep"
compare procfs 0
if "$SCHEDSAMPLER" -q --source taskstats -p $$ -i 10 -n 1 >/dev/null 2>&1; then
	! kernel_since 6 12 || wrong="sleep block iowait"
	compare taskstats "$slew_ns"
fi
