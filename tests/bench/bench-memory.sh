#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-memory [N]: peak resident memory while N threads (5000) are recorded every 50 ms, against
# pidstat and the bare loop.
. "$(dirname "$0")/lib.sh"

n=${1:-5000}

measure() {
	name=$1
	shift
	"$BENCH/benchrun" "$tmp/cost" "$@" >/dev/null || die "$* failed"
	read -r _ kib <"$tmp/cost"
	calculate "$kib / 1024" >"$tmp/$name.mib"
	printf '%-20s %8.2f MiB\n' "$name" "$(cat "$tmp/$name.mib")"
}

start_load mixed "$n"
measure loop "$BENCH/bareloop" "$load" 50 20
measure schedsampler-csv "$SCHEDSAMPLER" -q -p "$load" -i 50 -n 60 -o "$tmp/x.csv"
measure schedsampler-text "$SCHEDSAMPLER" -q -p "$load" -i 50 -n 60 -o /dev/null
say "schedsampler / bare loop:" \
	"$(calculate "$(cat "$tmp/schedsampler-csv.mib") / $(cat "$tmp/loop.mib")")"
if command -v pidstat >/dev/null; then
	measure pidstat pidstat -t -p "$load" 1 2
	say "schedsampler / pidstat:" \
		"$(calculate "$(cat "$tmp/schedsampler-csv.mib") / $(cat "$tmp/pidstat.mib")")"
else
	say "not here: pidstat (sysstat)"
fi
end_load
verdict "MB with $n threads at 50 ms" \
	"$(calculate "$(cat "$tmp/schedsampler-csv.mib") * 1.048576")" 30
