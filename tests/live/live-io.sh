#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Threads that wait for a disk: the time is I/O wait, and the kernel's delay accounting has it too.
# TMPDIR says on which file system.
. "$(dirname "$0")/lib.sh"

setting() {
	cat "/proc/sys/kernel/$1" 2>/dev/null || :
}

# shares CSV KIND COLUMN: the share of a column in the wall time of a kind of thread, in percent.
share() {
	awk -v comm="wl-$2" -v part="$3" -f "$live/share.awk" -f "$live/csv.awk" "$1"
}

at_least() {
	say "$1: $2 % (at least $3 %)"
	awk -v got="$2" -v least="$3" 'BEGIN { exit !(got >= least) }' || die "$1"
}

# waits SOURCE WAKE_NS
waits() {
	say "== $1"
	start_workload dio,fsync "$SS_LIVE_SECONDS"
	start_sampler "$out/io.csv" --source "$1" -p "$targets"
	go
	await_report "$tmp/report"
	stop_sampler
	end_workload
	cat "$tmp/report"
	! grep -q skip= "$tmp/report" || skip "$(sed -n 's/.*skip=//p' "$tmp/report")"
	sums "$csv"
	at_least "iowait of dio" "$(share "$csv" dio iowait_ns)" 10
	awk -v wake_ns="$2" -f "$live/io.awk" -f "$live/csv.awk" "$tmp/report" "$csv" || {
		[ -z "${SS_LIVE_KEEP:-}" ] || cp "$tmp/report" "$csv" "$SS_LIVE_KEEP"
		die "dio"
	}
	at_least "iowait of fsync" "$(share "$csv" fsync iowait_ns)" 1
}

one=
if [ "$(setting sched_schedstats)" = 1 ]; then
	one=yes
	waits procfs 0
fi
if "$SCHEDSAMPLER" --probe | grep -q '^delayacct *yes'; then
	one=yes
	# A wakeup ends the delay, and then queues the thread, often by an interrupt on another CPU
	# (try_to_wake_up() of 5.10, traced: 8 us later, and 20 when it is moved).
	waits taskstats "$slew_ns"
	delays=${csv%.csv}.delays.csv
	[ -s "$delays" ] || die "no delays were recorded"
	blkio=$(awk -v name=blkio_ns -f "$live/column.awk" -f "$live/csv.awk" "$delays" |
		awk '{ n += $1 } END { printf "%.0f\n", n }')
	say "blkio delay: $blkio ns"
	[ "$blkio" -gt 0 ] || die "no block I/O delay"
fi
[ -n "$one" ] || skip "needs kernel.sched_schedstats=1, or CAP_NET_ADMIN and kernel.task_delayacct=1"
