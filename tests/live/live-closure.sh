#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A mixed load of 500 threads: every part comes from its own events, and together they are the wall
# time, to the nanosecond.
. "$(dirname "$0")/lib.sh"
need_bpf

start_workload spin,halfload,burst,pingpong,dio,yield,sleep=240,idle=240 $((SS_LIVE_SECONDS + 60))
start_causes futex cond pipe full fifo tcp4 tcp6 udp unix epoll poll timerfd eventfd flock sync direct
start_sampler "$out/closure.csv" --source bpf -p "$targets,$target"
go
echo go >&5
until_true more_lines "$ticks" $(($(wc -l <"$ticks") + SS_LIVE_SECONDS * 20))
echo stop >&3
await_report "$tmp/report"
echo stop >&5
stop_sampler
cat <&6 >/dev/null
end_of "$causes"
end_workload
sums "$csv"
failed=0
truth percent=0.01 slack_ns=20000 "$tmp/report" "$csv" >"$tmp/truth" || failed=1
# The lines of those that hardly run are long, and say little.
grep -v -E '^(sleep|idle) ' "$tmp/truth"
awk -v threads=490 -f "$live/closure.awk" -f "$live/csv.awk" "$csv" || failed=1
if [ "$failed" = 1 ] && [ -n "${SS_LIVE_KEEP:-}" ]; then
	cp "$tmp/report" "$csv" "$ticks" "$SS_LIVE_KEEP"
fi
[ "$failed" = 0 ] || die "truth or closure"
