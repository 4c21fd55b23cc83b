#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A thread that executes a program takes the number of its process's leader (de_thread()): its old
# number has ended, and the other one is another thread's from then on.
. "$(dirname "$0")/lib.sh"
takeovers=2

# more_ticks N: that many have been written since.
more_ticks() {
	until_true more_lines "$ticks" $(($(wc -l <"$ticks") + $1))
}

# await_told WORD: the line that begins with it, in $tmp/report.
await_told() {
	IFS= read -r line <&4 || die "the workload ended early"
	[ "${line%% *}" = "$1" ] || die "the workload says $line, not $1"
	echo "$line" >>"$tmp/report"
}

exec_by_thread() {
	say "== $*"
	rm -f "$tmp/in" "$tmp/told" "$tmp/report"
	mkfifo "$tmp/in" "$tmp/told"
	"$WORKLOAD" takeover $takeovers <"$tmp/in" >"$tmp/told" &
	workload=$!
	pids="$pids $workload"
	exec 3>"$tmp/in" 4<"$tmp/told"
	await_told after
	start_sampler "$out/exec.csv" -p "$workload" "$@"
	for _ in $(seq $takeovers); do
		more_ticks 2
		echo >&3
		await_told before
		await_told after
	done
	more_ticks 2
	echo >&3
	exec 3>&- 4<&-
	end_of "$workload"
	[ "$status" = 0 ] || die "the workload ended with $status"
	end_sampler
	sums "$csv" || die "sums"
	awk -v pid="$workload" -v slew_ns="$slew_ns" -f "$live/exec.awk" -f "$live/csv.awk" \
		"$tmp/report" "$csv" || {
		[ -z "${SS_LIVE_KEEP:-}" ] || cp "$tmp/report" "$csv" "$ticks" "$SS_LIVE_KEEP"
		die "exec"
	}
}

for source in bpf bpf-snapshot taskstats procfs; do
	if "$SCHEDSAMPLER" -q --source $source -p $$ -i 10 -n 1 >/dev/null 2>&1; then
		exec_by_thread --source $source
	else
		say "not here: $source"
	fi
done
