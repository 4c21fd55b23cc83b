#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Threads that are not read because they or their process did not run: they have their rows all the
# same, and what they do in between is not missed.
. "$(dirname "$0")/lib.sh"

# Some tick was closed without reading a thread, or the sampler has ended.
some_still() {
	! is_alive "$sampler" || [ "$(awk -f "$live/column.awk" -f "$live/csv.awk" \
		-v name=still "$ticks" | sort -n | tail -1)" -gt 0 ]
}

still_while_idle() {
	say "== $1: idle"
	start_workload idle 60
	start_sampler "$out/still.csv" --source "$1" -p "$targets"
	tries=100
	until some_still; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || skip "something else runs on this machine all the time," \
			"or this process has a CPU quota"
		sleep 0.1
	done
	stop_sampler
	end_workload
	sums "$csv"
	presence "$csv" "tids=$(printf %s "$targets" | tr , ' ')"
	grep -q ",,$2," "$csv" || die "no row is of quality $2"
}

# What a process did not do is inferred; what the kernel says of each thread is seen.
still_while_idle procfs estimate
live_truth procfs sleep,burst
if "$SCHEDSAMPLER" -q --source taskstats -p $$ -i 10 -n 1 >/dev/null 2>&1; then
	still_while_idle taskstats estimate
	live_truth taskstats sleep,burst
fi
if "$SCHEDSAMPLER" -q --source bpf-snapshot -p $$ -i 10 -n 1 >/dev/null 2>&1; then
	still_while_idle bpf-snapshot snapshot
fi
