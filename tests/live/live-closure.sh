#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A mixed load of 500 threads: every part comes from its own events, and together they are the wall
# time, to the nanosecond.
. "$(dirname "$0")/lib.sh"
need_bpf
: "${CAUSES:=$PWD/tests/live/causes}"

mkdir "$tmp/files"
mkfifo "$tmp/causes-in" "$tmp/causes-told"
start_workload spin,halfload,burst,pingpong,dio,yield,sleep=240,idle=240 $((SS_LIVE_SECONDS + 60))
TMPDIR=$tmp/files "$CAUSES" futex cond pipe full fifo tcp4 tcp6 udp unix epoll poll timerfd eventfd \
	flock sync direct <"$tmp/causes-in" >"$tmp/causes-told" 3>&- 4<&- &
causes=$!
pids="$pids $causes"
exec 5>"$tmp/causes-in" 6<"$tmp/causes-told"
read -r word target <&6
[ "$word" = ready ] || die "causes: $word $target"
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
truth "$tmp/report" "$csv" >"$tmp/truth" || {
	cat "$tmp/truth"
	die "truth"
}
grep -v -E '^(sleep|idle) ' "$tmp/truth"
awk -v threads=490 -f "$live/closure.awk" -f "$live/csv.awk" "$csv" || {
	[ -z "${SS_LIVE_KEEP:-}" ] || cp "$csv" "$ticks" "$SS_LIVE_KEEP"
	die "closure"
}
