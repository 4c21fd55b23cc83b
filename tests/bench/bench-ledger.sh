#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-ledger: what --source bpf costs those whom it watches, and others, against tools that see
# the same events: perf bench sched pipe, a Redis server under load, the time to the first sample,
# memory. Both ends of the pipe on one CPU switch at every operation and nothing is idle: then its
# CPU time is what it takes alone, and hardly depends on what else the machine does, as the time
# that passes does. A thread that waits on another CPU is woken there, which spreads much more. What
# programs that do nothing cost at the same tracepoints (empty) is the least that can be had.
: "${BENCH_ROUNDS:=10}" "${BENCH_LOOPS:=150000}" "${BENCH_REQUESTS:=150000}"
. "$(dirname "$0")/lib.sh"
need_bpf

# quartiles FILE: its median, and where the middle half of its numbers lies.
quartiles() {
	sort -g "$1" | awk -v median="$(median "$1")" '{ v[NR] = $1 } END {
		printf "%.4g (%.4g to %.4g)\n", median, v[int((NR + 3) / 4)], v[int((3 * NR + 2) / 4)]
	}'
}

# start_candidate NAME PID: it watches PID.
start_candidate() {
	tracer=
	case $1 in
	none) ;;
	schedsampler) start_sampler "$tmp/cost.csv" --source bpf -p "$2" ;;
	no-waits) start_tracer bpf_link "$SCHEDSAMPLER" -q --source bpf -p "$2" -F csv ;;
	unwatched) start_sampler "$tmp/cost.csv" --source bpf -p "$load" ;;
	empty) start_tracer bpf_link "$BENCH/bpfhold" empty sched_switch sched_waking sched_wakeup ;;
	offcputime) start_tracer bpf_link offcputime -p "$2" 600 ;;
	perf-sched) start_tracer perf_event perf sched record -o "$tmp/perf.data" ;;
	perf-trace) start_tracer perf_event perf trace -s -p "$2" -o "$tmp/perf.trace" ;;
	esac
}

end_candidate() {
	case $1 in
	none) ;;
	schedsampler | unwatched) stop_sampler 2>/dev/null ;;	# it can have ended with its target
	*)
		kill -TERM "$tracer" 2>/dev/null || :
		end_of "$tracer"
		rm -f "$tmp"/perf.*
		;;
	esac
}

held_stopped() {
	[ -s "$tmp/held" ] && grep -qs '^State:.T' "/proc/$(cat "$tmp/held")/status"
}

# hold COMMAND...: started, and stopped before its first instruction. Sets bench, held.
hold() {
	rm -f "$tmp/held"
	# shellcheck disable=SC2016
	"$BENCH/benchrun" "$tmp/cost" sh -c 'echo $$ >"$0"; kill -STOP $$; exec "$@"' "$tmp/held" \
		"$@" >"$tmp/said" &
	bench=$!
	pids="$pids $bench"
	until_true held_stopped
	held=$(cat "$tmp/held")
	pids="$pids $held"
}

pipe() {
	# shellcheck disable=SC2086
	hold $pinned perf bench -f simple sched pipe -T -l "$BENCH_LOOPS"
	start_candidate "$1" "$held"
	kill -CONT "$held"
	end_of "$bench"
	[ "$status" = 0 ] || die "perf bench ended with $status"
	forget "$held"
	end_candidate "$1"
	calculate "$(cat "$tmp/said") * 1e6 / $BENCH_LOOPS" >"$tmp/$1.time.last"
	read -r cpu_us _ <"$tmp/cost"
	calculate "$cpu_us / $BENCH_LOOPS" >"$tmp/$1.cpu.last"
}

# What the threads of the server have run, in nanoseconds.
server_ns() {
	cat /proc/"$server"/task/*/schedstat | awk '{ ns += $1 } END { printf "%.0f\n", ns }'
}

redis() {
	start_redis --auto-aof-rewrite-percentage 0
	start_candidate "$1" "$server"
	before_ns=$(server_ns)
	redis-benchmark -p "$port" -t set -c 20 -n "$BENCH_REQUESTS" --csv >"$tmp/said" 2>&1 ||
		die "redis-benchmark failed"
	calculate "($(server_ns) - $before_ns) / 1000 / $BENCH_REQUESTS" >"$tmp/$1.cpu.last"
	awk -F'"' '$2 == "SET" { print 1e6 / $4 }' "$tmp/said" >"$tmp/$1.time.last"
	end_candidate "$1"
	kill -TERM "$server"
	end_of "$server"
	rm -rf "$out/appendonlydir" "$out/appendonly.aof"
}

# compare BENCH CANDIDATE...: microseconds an operation, of time and of CPU, and their ratios.
compare() {
	what=$1
	shift
	rm -f "$tmp"/*.all "$tmp"/*.last
	turn=0
	while [ "$turn" -lt "$BENCH_ROUNDS" ]; do
		turn=$((turn + 1))
		for candidate in $(in_turn "$turn" "$@"); do
			"$what" "$candidate"
		done
		for candidate; do
			for figure in time cpu; do
				last=$(cat "$tmp/$candidate.$figure.last")
				echo "$last" >>"$tmp/$candidate.$figure.all"
				calculate "$last / $(cat "$tmp/none.$figure.last")" \
					>>"$tmp/$candidate.$figure.ratio.all"
			done
		done
	done
	for candidate; do
		for figure in time cpu; do
			printf '%-13s %-4s %-26s us  x none: %s\n' "$candidate" "$figure" \
				"$(quartiles "$tmp/$candidate.$figure.all")" \
				"$(quartiles "$tmp/$candidate.$figure.ratio.all")"
		done
	done
}

# ratio CANDIDATE FIGURE
ratio() {
	median "$tmp/$1.$2.ratio.all"
}

pipe_case() {
	say "== perf bench sched pipe, $1"
	# shellcheck disable=SC2086
	compare pipe none schedsampler no-waits unwatched empty $tracers
	verdict "watched / none, CPU time, $1" "$(ratio schedsampler cpu)" 1.05
	verdict "watched / none, time, $1" "$(ratio schedsampler time)" 1.05
	verdict "unwatched / none, CPU time, $1" "$(ratio unwatched cpu)" 1.01
	verdict "unwatched / none, time, $1" "$(ratio unwatched time)" 1.01
}

first_row() {
	rm -f "$tmp/rows"
	mkfifo "$tmp/rows"
	begin_ns=$(date +%s%N)
	"$SCHEDSAMPLER" -q --source bpf -i 1 -n 1000 -p "$load" -F jsonl -o - >"$tmp/rows" \
		2>/dev/null &
	sampler=$!
	pids="$pids $sampler"
	exec 4<"$tmp/rows"
	IFS= read -r _ <&4
	IFS= read -r _ <&4 || die "no first row"
	calculate "($(date +%s%N) - $begin_ns) / 1e6 - 1" >>"$tmp/first.all"
	exec 4<&-		# it ends with nobody to write to
	end_of "$sampler"
}

# MiB of the program at most, of that what it maps of files and maps, and in maps of the kernel.
memory() {
	awk -v threads="$1" '
		$1 == "VmHWM:" { peak = $2 }
		$1 == "RssFile:" { file = $2 }
		$1 == "memlock:" { maps += $2 / 1024 }
		END {
			printf "%d threads: peak RSS %.1f MiB, of that %.1f mapped; " \
			       "BPF maps %.1f MiB\n", threads, peak / 1024, file / 1024, maps / 1024
		}
	' "/proc/$sampler/status" /proc/"$sampler"/fdinfo/*
}

tracers=
if command -v offcputime >/dev/null; then
	tracers=offcputime
else
	say "not here: offcputime (libbpf-tools)"
fi
start_load run idle
if command -v perf >/dev/null; then
	pinned="taskset -c 0"
	pipe_case "one CPU"
	pinned=
	pipe_case "all CPUs"
	tracers="$tracers perf-sched perf-trace"
else
	say "not here: perf (linux-perf)"
fi
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	say "== redis-server, SET"
	# shellcheck disable=SC2086
	compare redis none schedsampler no-waits $tracers
	verdict "throughput, schedsampler / none" \
		"$(calculate "1 / $(ratio schedsampler time)")" 0.98+
	verdict "CPU time a request, schedsampler / none" "$(ratio schedsampler cpu)" 1.02
else
	say "not here: redis-server, redis-benchmark (redis)"
fi

say "== start"
rm -f "$tmp/first.all"
turn=0
while [ "$turn" -lt "$BENCH_ROUNDS" ]; do
	turn=$((turn + 1))
	first_row
done
say "first row: $(quartiles "$tmp/first.all") ms"
verdict "ms to the first row" "$(median "$tmp/first.all")" 300

say "== memory"
start_sampler "$tmp/memory.csv" --source bpf -p "$load"
memory 1
stop_sampler
end_load
start_load mixed 5000
start_sampler "$tmp/memory.csv" --source bpf -p "$load"
memory 5000
stop_sampler
end_load
