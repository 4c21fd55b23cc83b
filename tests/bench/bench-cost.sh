#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-cost [N]...: CPU time for one sample of one thread, with N threads (1000 and 5000) that
# sleep, and with N of which a tenth runs. Of two runs that differ in their number of samples
# only the difference counts, which leaves out starting and stopping. BENCH_SOURCES: which of ours;
# BENCH_LOADS: sleepers, mixed, or both.
. "$(dirname "$0")/lib.sh"

few=20
many=220
pidstat_few=1
pidstat_many=5

# command_of CANDIDATE SAMPLES: sets the command line as "$@" cannot: run it.
run_candidate() {
	case $1 in
	loop) set -- "$BENCH/bareloop" "$load" 50 "$2" ;;
	pidstat) set -- pidstat -t -p "$load" 1 "$2" ;;
	*-csv) set -- "$SCHEDSAMPLER" -q -p "$load" -i 50 -n "$2" --source "${1%-csv}" \
		-F csv -o /dev/null ;;
	*) set -- "$SCHEDSAMPLER" -q -p "$load" -i 50 -n "$2" --source "$1" \
		--no-idle -o /dev/null ;;
	esac
	"$BENCH/benchrun" "$tmp/cost" "$@" >/dev/null || die "$* failed"
	read -r cpu_us _ <"$tmp/cost"
}

# measure CANDIDATE N: one more figure into its file.
measure() {
	a=$few
	b=$many
	if [ "$1" = pidstat ]; then
		a=$pidstat_few
		b=$pidstat_many
	fi
	run_candidate "$1" "$a"
	cpu_a=$cpu_us
	run_candidate "$1" "$b"
	calculate "($cpu_us - $cpu_a) / ($b - $a) / $2" >"$tmp/$1.last"
	cat "$tmp/$1.last" >>"$tmp/$1.us"
}

# What the program in the kernel takes alone, for N threads: the rest is account, rows and output. One
# more figure, and one more ratio.
snapshot_alone() {
	start_tracer bpf-stats "$BENCH/bpfhold" stats
	start_sampler "$tmp/alone.csv" --source bpf-snapshot -p "$load"
	until_true more_lines "$ticks" 100
	bpftool prog show | awk -v n="$1" '
		match($0, /name read_[al]/) && match($0, /run_time_ns [0-9]+ run_cnt [0-9]+/) {
			split(substr($0, RSTART, RLENGTH), figure, " ")
			printf "%.4g\n", figure[2] / 1000 / figure[4] / n
		}
	' >"$tmp/alone.last"
	stop_sampler
	kill -TERM "$tracer"
	end_of "$tracer"
	[ -s "$tmp/alone.last" ] || die "bpftool does not show the program"
	cat "$tmp/alone.last" >>"$tmp/alone.us"
	[ "$peers" = loop ] || calculate "$(cat "$tmp/pidstat.last") / $(cat "$tmp/alone.last")" \
		>>"$tmp/alone.pidstat.ratio"
}

compare() {
	say "== $1 $2"
	rm -f "$tmp"/*.us "$tmp"/*.ratio
	start_load "$1" "$2"
	round=0
	while [ "$round" -lt "$BENCH_ROUNDS" ]; do
		round=$((round + 1))
		# shellcheck disable=SC2086
		for candidate in $(in_turn "$round" $candidates); do
			measure "$candidate" "$2"
		done
		case $ours in
		*bpf-snapshot*) ! command -v bpftool >/dev/null || snapshot_alone "$2" ;;
		esac
		for candidate in $candidates; do
			for peer in $peers; do
				calculate "$(cat "$tmp/$candidate.last") / $(cat "$tmp/$peer.last")" \
					>>"$tmp/$candidate.$peer.ratio"
			done
		done
	done
	end_load
	if [ -s "$tmp/alone.us" ]; then
		say "bpf-snapshot in the kernel alone: $(median "$tmp/alone.us") us a thread-sample"
		[ "$peers" = loop ] || verdict "pidstat / bpf-snapshot in the kernel alone, $2 $1" \
			"$(median "$tmp/alone.pidstat.ratio")" 200+
	fi
	for candidate in $candidates; do
		printf '%-14s %8.3f us a thread-sample' "$candidate" "$(median "$tmp/$candidate.us")"
		for peer in $peers; do
			printf '  %9.4f x %s' "$(median "$tmp/$candidate.$peer.ratio")" "$peer"
		done
		echo
	done
	for candidate in $ours; do
		if [ "$1" = sleepers ]; then
			verdict "$candidate / loop, $2 threads asleep" \
				"$(median "$tmp/$candidate.loop.ratio")" 1.3
		elif [ "$peers" != loop ]; then
			verdict "pidstat / $candidate, $2 threads mixed" \
				"$(calculate "1 / $(median "$tmp/$candidate.pidstat.ratio")")" 20+
		fi
	done
}

: "${BENCH_SOURCES:=procfs taskstats bpf bpf-snapshot}"
ours=
for source in $BENCH_SOURCES; do
	if "$SCHEDSAMPLER" -q --source $source -p $$ -i 10 -n 1 -F csv >/dev/null 2>&1; then
		ours="$ours $source $source-csv"
	else
		say "not here: $source"
	fi
done
peers=loop
if command -v pidstat >/dev/null; then
	peers="$peers pidstat"
else
	say "not here: pidstat (sysstat)"
fi
candidates="$peers $ours"
say "of each source: text without idle threads; -csv: every row; all to /dev/null"
[ $# -gt 0 ] || set -- 1000 5000
for n; do
	for what in ${BENCH_LOADS:-sleepers mixed}; do
		compare "$what" "$n"
	done
done
