#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-lateness [SECONDS]: how late ticks of 1 ms are while twice as many threads spin as there
# are CPUs, against cyclictest with the same policy and interval, by turns.
. "$(dirname "$0")/lib.sh"

seconds=${1:-20}
command -v cyclictest >/dev/null || skip "cyclictest (rt-tests) is not installed"

# p99 FILE: of microseconds and how often, from least to most.
p99() {
	awk '{ us[NR] = $1; n[NR] = $2; all += $2 } END {
		for (i = 1; i <= NR && seen < 0.99 * all; i++)
			seen += n[i]
		print us[i - 1]
	}' "$1"
}

measure() {
	if [ "$1" = cyclictest ]; then
		cyclictest -q -t 1 -p 1 -i 1000 -l $((seconds * 1000)) -h 100000 \
			>"$tmp/histogram" || skip "cyclictest -p 1 is not permitted"
		awk '/^[0-9]+ [0-9]+/ { print $1 + 0, $2 + 0 }
		     /Histogram Overflows:/ { print 100000, $4 + 0 }' "$tmp/histogram" >"$tmp/counts"
	else
		"$SCHEDSAMPLER" -q -p "$load" -i 1 -n $((seconds * 1000)) -o "$tmp/x.csv"
		awk -v name=lateness_ns -f "$live/column.awk" -f "$live/csv.awk" "$tmp/x.ticks.csv" |
			awk 'NR > 1 { print int($1 / 1000) }' | sort -n | uniq -c |
			awk '{ print $2, $1 }' >"$tmp/counts"
		missed=$(awk -v name=lost_ticks -f "$live/column.awk" -f "$live/csv.awk" \
			"$tmp/x.ticks.csv" | awk '{ n += $1 } END { print n + 0 }')
	fi
	p99 "$tmp/counts" >"$tmp/$1.last"
	cat "$tmp/$1.last" >>"$tmp/$1.p99"
}

start_load run "spin=$((2 * $(getconf _NPROCESSORS_ONLN)))"
round=0
while [ "$round" -lt "$BENCH_ROUNDS" ]; do
	round=$((round + 1))
	for candidate in $(in_turn "$round" schedsampler cyclictest); do
		measure "$candidate"
	done
	say "round $round: p99 schedsampler $(cat "$tmp/schedsampler.last") us ($missed ticks missed)," \
		"cyclictest $(cat "$tmp/cyclictest.last") us"
	calculate "$(cat "$tmp/schedsampler.last") / $(cat "$tmp/cyclictest.last")" >>"$tmp/ratio"
done
end_load
say "median p99: schedsampler $(median "$tmp/schedsampler.p99") us," \
	"cyclictest $(median "$tmp/cyclictest.p99") us"
verdict "p99 lateness, schedsampler / cyclictest" "$(median "$tmp/ratio")" 1.5
