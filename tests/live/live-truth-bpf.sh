#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
need_bpf
live_truth bpf "$kinds_steady"
live_truth bpf "$kinds_busy"

# What they waited for is gathered only for an output that has it.
say "== bpf, without waits: $kinds_steady"
start_workload "$kinds_steady" "$SS_LIVE_SECONDS"
# shellcheck disable=SC2086
$as "$WORKLOAD" exec $((SS_LIVE_SECONDS + 240)) $SS_LIVE_WRAPPER "$SCHEDSAMPLER" -q -i 50 \
	--source bpf -p "$targets" -F csv >"$tmp/plain.csv" 2>"$tmp/stderr" 3>&- 4<&- &
sampler=$!
pids="$pids $sampler"
: >"$tmp/stdout"
until_true more_lines "$tmp/plain.csv" 1
go
await_report "$tmp/report"
# Three windows of six threads.
until_true more_lines "$tmp/plain.csv" $(($(wc -l <"$tmp/plain.csv") + 18))
kill -TERM "$sampler"
end_sampler
end_workload
sums "$tmp/plain.csv"
truth "$tmp/report" "$tmp/plain.csv"
