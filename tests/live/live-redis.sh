#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real program under load, as whoever runs this and as an ordinary user.
. "$(dirname "$0")/lib.sh"
need redis-server
need redis-cli
need redis-benchmark

# Whether the server that answers is ours: another may have the port.
answers() {
	is_alive "$server" || return 0
	redis-cli -p "$port" info server 2>/dev/null | tr -d '\r' | grep -qx "process_id:$server"
}

start_redis() {
	port=$((20000 + $$ % 20000))
	for try in 1 2 3 4 5 6 7 8 9 10; do
		$as redis-server --port "$port" --bind 127.0.0.1 --dir "$out" --save '' \
			--appendonly yes --io-threads 2 --logfile "$out/redis.log" &
		server=$!
		pids="$pids $server"
		until_true answers
		! is_alive "$server" || return 0
		end_of "$server"
		port=$((port + 1))
	done
	die "redis-server found no free port in $try tries: $(tail -n 1 "$out/redis.log")"
}

redis() {
	say "== $*"
	start_redis
	redis-benchmark -p "$port" -t set,get -c 20 -n 100000000 -q >/dev/null 2>&1 &
	load=$!
	pids="$pids $load"
	start_sampler "$out/redis.csv" -p "$server" -d "${SS_LIVE_SECONDS}s" "$@"
	end_sampler
	kill -TERM "$load"
	end_of "$load"
	sums "$csv" || die "sums"
	presence "$csv" "tids=$(cd "/proc/$server/task" && echo *)" || die "presence"
	awk -F, -v pid="$server" '$5 == pid { wall += $7; run += $8 } END {
		printf "redis: its main thread ran %.1f %% of %.1f s\n", 100 * run / wall, wall / 1e9
		exit run <= 0
	}' "$csv" || die "the main thread did not run"
	kill -TERM "$server"
	end_of "$server"
}

# The waits that the last redis() recorded.
kinds() {
	awk -v max=0.1 -f "$live/kinds.awk" -f "$live/csv.awk" "$csv" "${csv%.csv}.waits.csv" ||
		die "waits"
}

redis --source auto
! "$SCHEDSAMPLER" --probe | grep -q "^source *bpf" || kinds
become_user
redis --source procfs
