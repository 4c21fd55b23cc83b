#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real program under load, as whoever runs this and as an ordinary user.
. "$(dirname "$0")/lib.sh"
need redis-server
need redis-cli
need redis-benchmark

redis() {
	say "== $*"
	start_redis --io-threads 2
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
