# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the live tests share. Sourced; it leaves the script with an empty directory $tmp and ends
# every process in $pids with it. SS_LIVE_SECONDS: how long workloads run.
set -eu

live=$(dirname "$0")
: "${SCHEDSAMPLER:=$PWD/schedsampler}" "${WORKLOAD:=$PWD/tests/live/workload}"
: "${CAUSES:=$PWD/tests/live/causes}"
: "${SS_LIVE_SECONDS:=10}" "${SS_LIVE_WRAPPER:=}"
interval_ns=50000000
slew_ns=${SS_LIVE_SLEW_NS:-5000}	# what the two clocks are found to part by between ticks
as=			# words before a command: as whom it runs
pids=
wait_s=60		# for an event that must come

say() {
	printf '%s\n' "$*"
}

die() {
	say "FAIL: $*"
	exit 1
}

# The test cannot be made here: say what is missing.
skip() {
	say "SKIP: $*"
	exit 77
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

cleanup() {
	status=$?
	trap - EXIT
	exec 3>&- 4<&-
	for process in $pids; do
		kill -TERM "$process" 2>/dev/null || :
		kill -CONT "$process" 2>/dev/null || :
	done
	for process in $pids; do
		wait "$process" 2>/dev/null || :
	done
	rm -rf "$tmp"
	exit "$status"
}

tmp=$(mktemp -d)
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
for program in "$SCHEDSAMPLER" "$WORKLOAD"; do
	[ -x "$program" ] || die "$program has not been built"
done

# From here on as an ordinary user: with copies of the programs that anyone may read.
become_user() {
	[ "$(id -u)" = 0 ] || return 0
	need setpriv
	chmod 0755 "$tmp"
	mkdir "$tmp/bin" "$tmp/user"
	cp "$SCHEDSAMPLER" "$tmp/bin/schedsampler"
	cp "$WORKLOAD" "$tmp/bin/workload"
	chmod 0755 "$tmp/bin" "$tmp/bin/schedsampler" "$tmp/bin/workload"
	chown 65534:65534 "$tmp/user"
	SCHEDSAMPLER=$tmp/bin/schedsampler
	WORKLOAD=$tmp/bin/workload
	as="setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs"
	$as test -x "$SCHEDSAMPLER" || skip "user 65534 cannot reach $tmp: set TMPDIR"
	mkdir "$tmp/private"
	chmod 0700 "$tmp/private"
	out=$tmp/user
}
out=$tmp		# where $as may write

# until_true COMMAND...: wait for an event that shows only when looked at.
until_true() {
	tries=$((wait_s * 20))
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || die "waited $wait_s s for: $*"
		sleep 0.05
	done
}

# Whether a process of ours runs still; a zombie waits for end_of.
is_alive() {
	grep -qs '^State:.[^XZ]' "/proc/$1/status"
}

# more_lines FILE N: FILE has more than N lines, or the sampler has ended.
more_lines() {
	! is_alive "$sampler" || { [ -e "$1" ] && [ "$(wc -l <"$1")" -gt "$2" ]; }
}

# forget PID: it has been waited for.
forget() {
	left=
	for process in $pids; do
		[ "$process" = "$1" ] || left="$left $process"
	done
	pids=$left
}

# end_of PID: wait for its end; its exit status is in $status.
end_of() {
	status=0
	wait "$1" 2>/dev/null || status=$?
	forget "$1"
}

# start_workload KINDS SECONDS: all threads exist and sleep. Sets workload, targets.
start_workload() {
	rm -f "$tmp/in" "$tmp/told"
	mkfifo "$tmp/in" "$tmp/told"
	TMPDIR=$out $as "$WORKLOAD" run "$1" --seconds "$2" <"$tmp/in" >"$tmp/told" &
	workload=$!
	pids="$pids $workload"
	exec 3>"$tmp/in" 4<"$tmp/told"
	IFS= read -r ready <&4 || die "the workload did not start"
	targets=${ready#*pids=}
	targets=${targets%% *}
}

go() {
	echo go >&3
}

# Every thread sleeps again; what they say of themselves is in FILE.
await_report() {
	: >"$1"
	while IFS= read -r line <&4; do
		[ "$line" != "done" ] || return 0
		printf '%s\n' "$line" >>"$1"
	done
	die "the workload ended early"
}

end_workload() {
	printf 'go\nstop\nend\n' >&3	# whatever phase it is in
	exec 3>&- 4<&-
	end_of "$workload"
	[ "$status" = 0 ] || die "the workload ended with $status"
}

# The program, for at most as long as any test takes.
schedsampler() {
	# shellcheck disable=SC2086
	$as "$WORKLOAD" exec $((SS_LIVE_SECONDS + 240)) $SS_LIVE_WRAPPER "$SCHEDSAMPLER" "$@" \
		3>&- 4<&-
}

# start_sampler FILE.csv OPTION...: its first samples have been written; it can have ended since.
# Sets sampler, csv, ticks.
start_sampler() {
	csv=$1
	ticks=${csv%.csv}.ticks.csv
	rm -f "$csv" "$ticks"		# of a run before: they would pass for this one's
	shift
	# shellcheck disable=SC2086
	$as "$WORKLOAD" exec $((SS_LIVE_SECONDS + 240)) $SS_LIVE_WRAPPER "$SCHEDSAMPLER" \
		-q -i "$((interval_ns / 1000))us" -o "$csv" "$@" >"$tmp/stdout" 2>"$tmp/stderr" 3>&- 4<&- &
	sampler=$!
	pids="$pids $sampler"
	until_true more_lines "$csv" 1
	[ -s "$csv" ] && return
	end_sampler
	die "schedsampler ended without a sample"
}

# End it with SIGTERM after at least one more whole window; it must end well and say nothing.
stop_sampler() {
	until_true more_lines "$ticks" $(($(wc -l <"$ticks") + 1))
	kill -TERM "$sampler" || :
	end_sampler
}

end_sampler() {
	end_of "$sampler"
	cat "$tmp/stderr"
	[ "$status" = 0 ] || die "schedsampler ended with $status"
	[ ! -s "$tmp/stderr" ] || die "schedsampler -q wrote to stderr"
	[ ! -s "$tmp/stdout" ] || die "schedsampler wrote to stdout"
}

sums() {
	awk -f "$live/sums.awk" -f "$live/csv.awk" "$@"
}

# presence CSV [VARIABLE=VALUE]...
presence() {
	file=$1
	shift
	for variable; do
		shift
		set -- "$@" -v "$variable"
	done
	awk -v slew_ns="$slew_ns" "$@" -f "$live/presence.awk" -f "$live/csv.awk" "${file%.csv}.ticks.csv" "$file"
}

truth() {
	awk -f "$live/truth.awk" -f "$live/csv.awk" "$@"
}

# The threads in a report that live to the end.
tids_of() {
	sed -n 's/^thread .* tid=\([0-9]*\) .* exits=0$/\1/p' "$1" | tr '\n' ' '
}

# live_truth SOURCE KINDS: sample a workload from before its work to after it, and compare.
live_truth() {
	say "== $1: $2"
	start_workload "$2" "$SS_LIVE_SECONDS"
	start_sampler "$out/truth.csv" --source "$1" -p "$targets"
	go
	await_report "$tmp/report"
	stop_sampler
	end_workload
	failed=0
	sums "$csv" || failed=1
	presence "$csv" "tids=$(tids_of "$tmp/report") ${targets%%,*}" || failed=1
	truth "$tmp/report" "$csv" || failed=1
	if [ "$failed" = 1 ] && [ -n "${SS_LIVE_KEEP:-}" ]; then
		cp "$tmp/report" "$csv" "$ticks" "$SS_LIVE_KEEP"
	fi
	[ "$failed" = 0 ] || die "$1: $2"
}

# The waits that the last live_truth recorded, of a source that samples them.
sampled_waits() {
	awk -f "$live/waits.awk" -f "$live/csv.awk" "$tmp/report" "$csv" "${csv%.csv}.waits.csv" ||
		die "sampled waits"
}

# start_causes NAME...: threads that know what they wait for, until "go" and "stop" on 5; 6 is what
# they say. Sets causes, target.
start_causes() {
	rm -rf "$tmp/files" "$tmp/causes-in" "$tmp/causes-told"
	mkdir "$tmp/files"
	mkfifo "$tmp/causes-in" "$tmp/causes-told"
	TMPDIR=$tmp/files "$CAUSES" "$@" <"$tmp/causes-in" >"$tmp/causes-told" 3>&- 4<&- &
	causes=$!
	pids="$pids $causes"
	exec 5>"$tmp/causes-in" 6<"$tmp/causes-told"
	read -r word target <&6
	[ "$word" = ready ] || die "causes: $word $target"
}

# Whether the server that answers is ours: another may have the port.
answers() {
	is_alive "$server" || return 0
	redis-cli -p "$port" info server 2>/dev/null | tr -d '\r' | grep -qx "process_id:$server"
}

# start_redis OPTION...: with its files in $out. Sets server, port.
start_redis() {
	port=$((20000 + $$ % 20000))
	for try in 1 2 3 4 5 6 7 8 9 10; do
		$as redis-server --port "$port" --bind 127.0.0.1 --dir "$out" --save '' \
			--appendonly yes --logfile "$out/redis.log" "$@" &
		server=$!
		pids="$pids $server"
		until_true answers
		! is_alive "$server" || return 0
		end_of "$server"
		port=$((port + 1))
	done
	die "redis-server found no free port in $try tries: $(tail -n 1 "$out/redis.log")"
}

# What is steady, and what changes all the time.
# shellcheck disable=SC2034
kinds_steady=spin,sleep,idle,stop,throttled
# shellcheck disable=SC2034
kinds_busy=pingpong,dio,halfload,burst,hostile,yield,exiter,deadleader,churn=200

# kernel_since MAJOR MINOR
kernel_since() {
	uname -r | awk -F '[.-]' -v major="$1" -v minor="$2" \
		'{ exit !($1 > major || ($1 == major && $2 >= minor)) }'
}

# need_bpf [NAME]: whether that source works here; it says why not.
need_bpf() {
	set -- "${1:-bpf}"
	"$SCHEDSAMPLER" --probe >"$tmp/why" || :
	grep -q "^$1 *yes" "$tmp/why" || skip "needs $1: $(sed -n "s/^$1 *no *//p" "$tmp/why")"
}

need_taskstats() {
	start_workload idle 60
	$as "$SCHEDSAMPLER" --source taskstats -p "$targets" -i 10 -n 1 -F csv >/dev/null \
		2>"$tmp/why" 3>&- 4<&- ||
		skip "taskstats needs CAP_NET_ADMIN: $(cat "$tmp/why")"
	end_workload
}
