#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# compare-peers [KINDS]: the same threads over the same time by schedsampler --source bpf and by
# others that see the scheduler's events: run, runqueue and off-CPU time by perf sched timehist,
# off-CPU time by offcputime. Exits with 1 where one of threads with fewer than 5,000 switches a
# second differs by more than 2 % from them and from the kernel's own counter.
. "$(dirname "$0")/lib.sh"
need_bpf
kinds=${1:-spin,sleep,halfload,pingpong,burst=4,fsync}
bench=$(dirname "$0")
compared=0
failed=0

# The kernel's own account of each thread while all are parked: tid, run, runqueue in nanoseconds.
snapshot() {
	for task in /proc/"$workload"/task/*; do
		echo "${task##*/} $(cat "$task/schedstat")"
	done
}

# compare PEER FILE: of the workload's report and the samples with what the peer wrote.
compare() {
	compared=$((compared + 1))
	awk -v peer="$1" -v interval_ns="$interval_ns" -f "$bench/peers.awk" -f "$live/csv.awk" \
		"$tmp/report" "$tmp/before" "$tmp/after" "$csv" "$2" || {
		failed=1
		[ -z "${SS_LIVE_KEEP:-}" ] ||
			cp "$tmp/report" "$tmp/before" "$tmp/after" "$csv" "$2" "$SS_LIVE_KEEP"
	}
}

# What perf sched record does, but by the clock of the samples, and with wakeups: that one prefers
# sched_waking, which can be long before the thread is queued and the kernel's account begins.
record() {
	perf record -a -R -m 16M -c 1 -k CLOCK_MONOTONIC -o "$tmp/perf.data" -e sched:sched_switch \
		-e sched:sched_wakeup -e sched:sched_wakeup_new "$@"
}

with_perf() {
	say "== perf sched timehist"
	start_workload "$kinds" "$SS_LIVE_SECONDS"
	start_sampler "$out/peers.csv" --source bpf -p "$targets"
	mkfifo "$tmp/control" "$tmp/answer"
	# It waits for "enable".
	record -r 1 -D -1 --control "fifo:$tmp/control,$tmp/answer" \
		>"$tmp/perf.out" 2>&1 3>&- 4<&- &
	perf=$!
	pids="$pids $perf"
	echo enable >"$tmp/control"
	head -c 4 "$tmp/answer" >"$tmp/ack"
	snapshot >"$tmp/before"
	go
	await_report "$tmp/report"
	snapshot >"$tmp/after"
	echo stop >"$tmp/control"
	end_of "$perf"
	stop_sampler
	end_workload
	[ "$status" = 0 ] || say "$(cat "$tmp/perf.out")"
	perf sched timehist --state -i "$tmp/perf.data" >"$tmp/timehist" 2>"$tmp/perf.out"
	if grep -i lost "$tmp/perf.out"; then
		say "not compared: perf lost events"
	else
		compare timehist "$tmp/timehist"
	fi
	rm -f "$tmp/perf.data"
}

with_offcputime() {
	say "== offcputime"
	start_workload "$kinds" "$SS_LIVE_SECONDS"
	start_sampler "$out/peers.csv" --source bpf -p "$targets"
	offcputime -p "$targets" --perf-max-stack-depth 8 --stack-storage-size 16384 600 \
		>"$tmp/offcpu" 2>&1 3>&- 4<&- &
	tracer=$!
	pids="$pids $tracer"
	until_true has_open "$tracer" bpf_link
	snapshot >"$tmp/before"
	go
	await_report "$tmp/report"
	snapshot >"$tmp/after"
	kill -INT "$tracer"
	end_of "$tracer"
	stop_sampler
	end_workload
	compare offcputime "$tmp/offcpu"
}

if ! command -v perf >/dev/null; then
	say "not here: perf (linux-perf)"
elif ! record -- true >"$tmp/why" 2>&1; then
	say "not here: perf record: $(tail -n 1 "$tmp/why")"
else
	with_perf
fi
if command -v offcputime >/dev/null; then
	with_offcputime
else
	say "not here: offcputime (libbpf-tools)"
fi
[ "$compared" -gt 0 ] || skip "nobody to compare with"
[ "$failed" = 0 ] || die "the figures differ"
