# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the benchmarks share. Each runs its candidates by turns, in alternating order, and prints
# medians and ratios. BENCH_ROUNDS: how often; BENCH: where benchrun and bareloop are.
: "${BENCH:=$PWD/tests/bench}" "${BENCH_ROUNDS:=3}"
. "$(dirname "$0")/../live/lib.sh"
live=$(dirname "$0")/../live

# median FILE: of its numbers, one a line.
median() {
	sort -g "$1" | awk '{ v[NR] = $1 } END {
		printf "%.6g\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
	}'
}

# calculate EXPRESSION: with awk.
calculate() {
	awk "BEGIN { printf \"%.6g\\n\", $1 }"
}

# in_turn ROUND CANDIDATE...: the candidates, every other round backwards.
in_turn() {
	round=$1
	shift
	order=
	for candidate; do
		if [ $((round % 2)) = 1 ]; then
			order="$order $candidate"
		else
			order="$candidate $order"
		fi
	done
	echo "$order"
}

# verdict TEXT VALUE GOAL: VALUE at most GOAL, or for a GOAL with + behind it at least.
verdict() {
	awk -v text="$1" -v value="$2" -v goal="$3" 'BEGIN {
		least = sub(/[+]$/, "", goal)
		met = least ? value + 0 >= goal + 0 : value + 0 <= goal + 0
		printf "%s: %.4g (goal: at %s %s) %s\n", text, value, least ? "least" : "most",
		       goal, met ? "met" : "MISSED"
	}'
}

# has_open PID WORD: among its descriptors is one of that kind, or it has ended.
has_open() {
	! is_alive "$1" || find "/proc/$1/fd" -type l -printf '%l\n' 2>/dev/null | grep -q "$2"
}

# start_tracer KIND COMMAND...: until it has such descriptors, its last step before it waits.
start_tracer() {
	kind=$1
	shift
	"$@" >"$tmp/traced" 2>&1 &
	tracer=$!
	pids="$pids $tracer"
	until_true has_open "$tracer" "$kind"
	is_alive "$tracer" || die "$* ended: $(tail -n 1 "$tmp/traced")"
}

# start_load VERB N: of the workload, for long enough; ended with end_load. Sets load.
start_load() {
	rm -f "$tmp/told"
	mkfifo "$tmp/told"
	"$WORKLOAD" "$1" "$2" --seconds 3600 </dev/null >"$tmp/told" &
	load=$!
	pids="$pids $load"
	IFS= read -r _ <"$tmp/told" || die "the workload did not start"
}

end_load() {
	kill -TERM "$load"
	end_of "$load"
}

# What runs the benchmarks, for whoever reads the figures.
say "machine: $(uname -sr), $(getconf _NPROCESSORS_ONLN) CPUs, $(id -un)"
