#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A reader that is stopped for three seconds finds all windows afterwards, one a tick, and exact.
. "$(dirname "$0")/lib.sh"
need_bpf

is_stopped() {
	grep -qs '^State:.T' "/proc/$1/status"
}

start_workload spin,sleep,halfload,pingpong,burst 60
start_sampler "$out/late.csv" --source bpf -p "$targets"
go
until_true more_lines "$ticks" 20
kill -STOP "$sampler"
until_true is_stopped "$sampler"
# How long it was stopped is what the test is about, not something to wait for.
sleep 3
kill -CONT "$sampler"
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
[ "$missed" -ge 50 ] || die "the program was not stopped for long"
awk -v interval_ns="$interval_ns" -v least=90 -f "$live/late.awk" -f "$live/csv.awk" "$csv" || {
	[ -z "${SS_LIVE_KEEP:-}" ] || cp "$csv" "$ticks" "$SS_LIVE_KEEP"
	die "windows are missing"
}
