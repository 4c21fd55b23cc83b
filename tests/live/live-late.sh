#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A reader that does not get to read for a while finds all windows afterwards, one a tick, and exact.
. "$(dirname "$0")/lib.sh"
need_bpf

is_stopped() {
	grep -qs '^State:.T' "/proc/$1/status"
}

# How long it is stopped is what the test is about, not something to wait for.
stopped() {
	kill -STOP "$sampler"
	until_true is_stopped "$sampler"
	sleep 3
	kill -CONT "$sampler"
}

# It opens the FIFO, which waits for the other side.
is_loaded() {
	grep -qs '^State:.S' "/proc/$1/status" && tr '\0' ' ' <"/proc/$1/cmdline" | grep -q '^sh -c exec'
}

# All CPUs are taken from all others at the same time, each for a second of the time of what takes
# it, at which the kernel ends that.
saturated() {
	spinners=
	mkfifo "$tmp/gun"
	for _ in $(seq "$(nproc)"); do
		(
			ulimit -t 1
			# shellcheck disable=SC2016
			exec chrt -f 50 sh -c 'exec <"$0"; while :; do :; done' "$tmp/gun"
		) 3>&- 4<&- &
		spinners="$spinners $!"
		pids="$pids $!"
	done
	for spinner in $spinners; do
		until_true is_loaded "$spinner"
	done
	: >"$tmp/gun"
	for spinner in $spinners; do
		end_of "$spinner"
		[ "$status" -ge 128 ] || die "a spinner was not ended by its limit: $status"
	done
}

# late HOW MISSED LEAST: the reader is HOW, and misses MISSED ticks; each thread has LEAST windows.
late() {
	say "== $1"
	start_workload spin,sleep,halfload,pingpong,burst 60
	start_sampler "$out/late.csv" --source bpf -p "$targets"
	go
	until_true more_lines "$ticks" 20
	"$1"
	now=$(wc -l <"$ticks")
	until_true more_lines "$ticks" $((now + 20))
	stop_sampler
	echo stop >&3
	await_report "$tmp/report"
	end_workload
	sums "$csv"
	missed=$(awk -v name=lost_ticks -f "$live/column.awk" -f "$live/csv.awk" "$ticks" |
		awk '{ n += $1 } END { print n + 0 }')
	say "$missed ticks were missed"
	[ "$missed" -ge "$2" ] || die "the program was not kept from reading for long"
	awk -v interval_ns="$interval_ns" -v least="$3" -v slew_ns="$slew_ns" \
		-f "$live/late.awk" -f "$live/csv.awk" "$csv" || {
		[ -z "${SS_LIVE_KEEP:-}" ] || cp "$csv" "$ticks" "$SS_LIVE_KEEP"
		die "windows are missing"
	}
}

late stopped 50 90
if chrt -f 50 true 2>/dev/null; then
	late saturated 10 50
else
	say "not here: real-time priorities"
fi
