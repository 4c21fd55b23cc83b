#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What threads wait for, and who ends that, against threads that know it.
. "$(dirname "$0")/lib.sh"
need_bpf

# live_causes NAME...: those causes at the same time.
live_causes() {
	start_causes "$@"
	start_sampler "$out/causes.csv" --source bpf -p "$target"
	echo go >&5
	until_true more_lines "$ticks" $(($(wc -l <"$ticks") + SS_LIVE_SECONDS * 20))
	echo stop >&5
	while read -r line <&6 && [ "$line" != end ]; do
		printf '%s\n' "$line"
	done >"$tmp/report"
	end_of "$causes"
	end_sampler
	sums "$csv"
	name=${csv%.csv}
	awk -f "$live/causes.awk" -f "$live/csv.awk" "$tmp/report" "$name.resources.csv" "$csv" \
		"$name.wakes.csv" "$name.waits.csv" && return
	[ -z "${SS_LIVE_KEEP:-}" ] || cp "$tmp/report" "$name".*csv "$SS_LIVE_KEEP"
	die "$*"
}

if [ $# -gt 0 ]; then
	live_causes "$@"
	exit
fi
live_causes futex shared cond pipe full fifo tcp4 tcp6 accept udp unix named
live_causes epoll poll polls select sleep timerfd eventfd sigwait flock fcntl ipc tty uring
# A signal of any thread wakes those that read signals; after a fork others have page faults.
live_causes signalfd
live_causes child
live_causes sync direct
live_causes fault
