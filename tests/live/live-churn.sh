#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# 2,000 threads a second that live for a moment: each has its rows or is counted as lost; with
# all that this machine allows, and with procfs alone as an ordinary user.
. "$(dirname "$0")/lib.sh"

churn() {
	say "== $*"
	start_workload churn=2000 "$SS_LIVE_SECONDS"
	start_sampler "$out/churn.csv" -p "$targets" "$@"
	go
	await_report "$tmp/report"
	stop_sampler
	end_workload
	made=$(sed -n 's/.* made=\([0-9]*\) .*/\1/p' "$tmp/report")
	[ "$made" -gt $((SS_LIVE_SECONDS * 500)) ] || die "the workload made only $made threads"
	sums "$csv" || die "sums"
	presence "$csv" "tids=$(tids_of "$tmp/report")" "made=$made" || {
		[ -z "${SS_LIVE_KEEP:-}" ] || cp "$tmp/report" "$csv" "$ticks" "$SS_LIVE_KEEP"
		die "presence"
	}
}

churn --source auto
if "$SCHEDSAMPLER" -q --source bpf-snapshot -p $$ -i 10 -n 1 >/dev/null 2>&1; then
	churn --source bpf-snapshot
fi
become_user
churn --source procfs
