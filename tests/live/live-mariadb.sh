#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A database under load: what its threads waited for.
. "$(dirname "$0")/lib.sh"
need_bpf
need mariadbd
need mariadb-install-db
need mariadb
need sysbench
user=$(id -un)
socket=$out/socket

sql() {
	mariadb --no-defaults --socket="$socket" --user="$user" "$@" 2>"$tmp/sql"
}

answers() {
	! is_alive "$server" || sql -e 'SELECT 1' >/dev/null
}

bench() {
	sysbench oltp_read_write --db-driver=mysql --mysql-socket="$socket" --mysql-user="$user" \
		--mysql-db=sbtest --tables=2 --table-size=10000 --threads=8 "$@"
}

mariadb-install-db --no-defaults --datadir="$out/data" --user="$user" --skip-test-db \
	--auth-root-authentication-method=socket --auth-root-socket-user="$user" \
	>"$tmp/install" 2>&1 || die "mariadb-install-db: $(tail -n 1 "$tmp/install")"
mariadbd --no-defaults --datadir="$out/data" --user="$user" --socket="$socket" --skip-networking \
	--pid-file="$out/pid" >"$tmp/log" 2>&1 &
server=$!
pids="$pids $server"
until_true answers
is_alive "$server" || die "mariadbd ended: $(tail -n 1 "$tmp/log")"
sql -e 'CREATE DATABASE sbtest' || die "$(cat "$tmp/sql")"
bench prepare >"$tmp/bench" || die "sysbench: $(tail -n 1 "$tmp/bench")"

bench --time=3600 run >"$tmp/bench" 2>&1 &
load=$!
pids="$pids $load"
start_sampler "$out/mariadb.csv" --source bpf -p "$server" -d "${SS_LIVE_SECONDS}s"
end_sampler
is_alive "$load" || die "sysbench: $(tail -n 1 "$tmp/bench")"
kill -TERM "$load"
end_of "$load"
sums "$csv" || die "sums"
awk -v max=0.1 -f "$live/kinds.awk" -f "$live/csv.awk" "$csv" "${csv%.csv}.waits.csv" || die "waits"
kill -TERM "$server"
end_of "$server"
