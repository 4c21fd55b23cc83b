#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Exit statuses, and what is on stdout and stderr when things go wrong.
# shellcheck disable=SC2086 # $source and $at_once are words
. "$(dirname "$0")/lib.sh"

failures=0
checks=0
at_once="--source procfs"	# where it matters nothing: loading programs takes time
esc=$(printf '\033')

# wrong WHAT: note a failure and go on.
wrong() {
	say "FAIL: $*"
	failures=$((failures + 1))
}

# run OPTION...: sets status; the output is in $tmp/1 and $tmp/2.
run() {
	checks=$((checks + 1))
	status=0
	schedsampler "$@" </dev/null >"$tmp/1" 2>"$tmp/2" || status=$?
}

# refused STATUS VALUE OPTION...: ends with STATUS, nothing on stdout, and one line on stderr in
# which VALUE stands.
refused() {
	expected=$1
	value=$2
	shift 2
	run "$@"
	[ "$status" = "$expected" ] || wrong "[$*] ended with $status, not $expected"
	[ ! -s "$tmp/1" ] || wrong "[$*] wrote to stdout: $(head -n 1 "$tmp/1")"
	lines=$(wc -l <"$tmp/2")
	[ "$lines" = 1 ] || wrong "[$*] wrote $lines lines to stderr: $(cat "$tmp/2")"
	grep -qF -e "$value" "$tmp/2" || wrong "[$*] does not name '$value': $(cat "$tmp/2")"
}

# fine OPTION...: ends with 0 and says nothing on stderr.
fine() {
	run "$@"
	[ "$status" = 0 ] || wrong "[$*] ended with $status: $(cat "$tmp/2")"
	[ ! -s "$tmp/2" ] || wrong "[$*] wrote to stderr: $(cat "$tmp/2")"
}

# column FILE NAME: its values.
column() {
	awk -v name="$2" -f "$live/column.awk" -f "$live/csv.awk" "$1"
}

# No byte of FILE is a control character but a newline.
is_plain() {
	[ "$(LC_ALL=C tr -d '\n\040-\176\200-\377' <"$1" | wc -c)" = 0 ]
}

is_jsonl() {
	[ "$(grep -cv '^{"type":"[a-z]*",.*}$' "$1")" = 0 ]
}

start_workload idle=2,hostile 600	# more than the test needs
pid=${targets%%,*}
go

say "== usage: exit 2"
refused 2 target
refused 2 target -i 50
refused 2 nonsense --nonsense
refused 2 Z -Z
refused 2 pid -p
refused 2 idle -p "$pid" --idle=x
refused 2 command -p "$pid" --
refused 2 stray -p "$pid" stray
for id in 0 -1 99999999999 4294967297 1x x1 1.5 ' 1' '' "$pid," "$pid,,$pid" "$pid,0" 0x1; do
	refused 2 "'" -p "$id"
	refused 2 "'" -t "$id"
done
refused 2 99999999999 -p 99999999999
refused 2 1x -t 1x
refused 2 "''" -m ''
for regex in '(' '[a' 'a{2,1}' '*('; do
	refused 2 "$regex" -m "$regex"
done
refused 2 "Unmatched" -m '('
for time in 0 999us 0.5ms -5 abc '' 5x 50msx 1e99 99999999999999999999 2000hz 0hz inf; do
	refused 2 "'$time'" -p "$pid" -i "$time"
done
for time in 0 -5 abc '' 99999999999999999999; do
	refused 2 "'$time'" -p "$pid" -d "$time"
done
for count in 0 -1 x '' 99999999999999999999; do
	refused 2 "'$count'" -p "$pid" -n "$count"
done
refused 2 xml -p "$pid" -F xml
refused 2 "''" -p "$pid" -F ''
refused 2 magic -p "$pid" --source magic
refused 2 nope -p "$pid" --columns tick,nope
refused 2 "''" -p "$pid" -o ''
refused 2 "'-1'" -p "$pid" --tolerance -1

say "== run time: exit 1"
gone=4194304		# PID_MAX_LIMIT: no kernel gives this number away
refused 1 "$gone" -p "$gone"
refused 1 "$gone" -p "$pid,$gone"
refused 1 "$gone" -t "$gone"
refused 1 "$tmp/missing/x.csv" -p "$pid" -o "$tmp/missing/x.csv"
refused 1 "$tmp/told/" -p "$pid" -o "$tmp/told/"
refused 1 /dev/full -q $at_once -p "$pid" -i 10 -n 50 -F csv -o /dev/full
for format in text csv jsonl; do
	checks=$((checks + 1))
	status=0
	schedsampler -q $at_once -p "$pid" -i 10 -n 50 -F "$format" >/dev/full 2>"$tmp/2" || status=$?
	[ "$status" = 1 ] || wrong "-F $format to a full stdout ended with $status"
	[ "$(wc -l <"$tmp/2")" = 1 ] || wrong "-F $format to a full stdout said: $(cat "$tmp/2")"
done

say "== fine: exit 0"
for option in -h --help -V --version --list-columns --probe; do
	fine "$option"
	[ -s "$tmp/1" ] || wrong "$option printed nothing"
	is_plain "$tmp/1" || wrong "$option prints control characters"
	status=0
	schedsampler "$option" >/dev/full 2>"$tmp/2" || status=$?
	[ "$status" = 1 ] || wrong "$option to a full stdout ended with $status"
done
# The account opens at the first. A ledger has the windows of ticks that were missed, too.
fine -q -p "$pid" -i 10 -n 3 -o "$tmp/x.csv"
[ "$(column "$tmp/x.ticks.csv" tick | wc -l)" = 4 ] ||
	wrong "-n 3 made other than three ticks"
fine -q -p "$pid" -i 10 -n 3 -F csv --source procfs
[ "$(column "$tmp/1" tick | uniq | wc -l)" = 3 ] ||
	wrong "-n 3 wrote other than three ticks"
fine -q $at_once -p "$pid" -i 10 -d 100ms -F csv
sums "$tmp/1" >/dev/null || wrong "-d 100ms: sums"
fine -q $at_once -m 'no such process.$' -i 10 -n 2 -F csv
fine -q -t "$pid" -i 10 -n 2 -F csv
[ "$(column "$tmp/1" tid | uniq)" = "$pid" ] ||
	wrong "-t watched other threads too"

say "== a hostile name"
name=$(printf 'a) R (\n"x,\033[1m')
fine -q -p "$pid" -i 10 -n 2 -F csv
column "$tmp/1" comm | tr '\n' @ | grep -qF "$(printf '%s' "$name" | tr '\n' @)" ||
	wrong "csv does not give the name back"
fine -q $at_once -p "$pid" -i 10 -n 2 -F jsonl
is_plain "$tmp/1" || wrong "jsonl holds control characters"
is_jsonl "$tmp/1" || wrong "jsonl: a line is not one object"
fine -q $at_once -p "$pid" -i 10 -n 2 -F text
is_plain "$tmp/1" || wrong "text that is not on a terminal holds control characters"
if command -v script >/dev/null; then
	script -qec "NO_COLOR=1 '$SCHEDSAMPLER' -q $at_once -p $pid -i 10 -n 2" /dev/null \
		</dev/null >"$tmp/1" 2>&1 3>&- 4<&-
	! grep -q "$esc" "$tmp/1" || wrong "NO_COLOR: escape sequences on a terminal"
	script -qec "'$SCHEDSAMPLER' -q $at_once -p $pid -i 10 -n 2 -F csv" /dev/null \
		</dev/null >"$tmp/1" 2>&1 3>&- 4<&-
	! grep -q "$esc" "$tmp/1" || wrong "csv: the name's escape sequence reaches a terminal"
fi

say "== signals"
for signal in INT TERM; do
	source=
	for format in csv jsonl text; do
		start_sampler "$tmp/x.csv" $source -p "$pid" -o "$tmp/y.$format"
		kill -"$signal" "$sampler"
		end_of "$sampler"
		checks=$((checks + 1))
		[ "$status" = 0 ] || wrong "SIG$signal ended it with $status: $(cat "$tmp/stderr")"
		[ ! -s "$tmp/stderr" ] || wrong "SIG$signal: $(cat "$tmp/stderr")"
		sums "$tmp/x.csv" >/dev/null || wrong "SIG$signal: sums"
		for file in "$tmp/x.csv" "$ticks" "$tmp/y.$format"; do
			[ "$(tail -c 1 "$file" | wc -l)" = 1 ] || wrong "SIG$signal: $file: half a line"
		done
		[ "$format" != jsonl ] || is_jsonl "$tmp/y.jsonl" || wrong "SIG$signal: jsonl"
		source=$at_once
	done
done

# The end waits for a reader that does not read: more than a pipe holds went the other way.
took_signal() {
	pending=$(sed -n 's/^ShdPnd:.*\(.\)$/\1/p' "/proc/$sampler/status")
	[ "$pending" = 0 ]
}
holds() {
	[ "$(wc -c <"$1")" -gt "$2" ]
}
checks=$((checks + 1))
mkfifo "$tmp/pipe"
"$WORKLOAD" exec 120 "$SCHEDSAMPLER" -q $at_once -a -i 5 -F csv -o "$tmp/pipe" -o "$tmp/x.csv" \
	2>"$tmp/2" 3>&- 4<&- &
sampler=$!
pids="$pids $sampler"
exec 5<"$tmp/pipe"
until_true holds "$tmp/x.csv" 400000
kill -INT "$sampler"
until_true took_signal
kill -INT "$sampler"
end_of "$sampler"
exec 5<&-
[ "$status" = 130 ] || wrong "the second SIGINT ended it with $status, not 130"

checks=$((checks + 1))
{
	code=0
	schedsampler -q -p "$pid" -i 5 -F csv 2>"$tmp/2" || code=$?
	echo "$code" >"$tmp/code"
} | head -n 1 >"$tmp/1"
case $(cat "$tmp/code") in
0 | 141) ;;
*) wrong "a closed pipe ended it with $(cat "$tmp/code")" ;;
esac
[ ! -s "$tmp/2" ] || wrong "a closed pipe: $(cat "$tmp/2")"
[ "$(wc -l <"$tmp/1")" = 1 ] || wrong "a closed pipe: no header was written"

say "== the target ends"
start_sampler "$tmp/x.csv" -p "$targets"
end_workload
end_of "$sampler"
checks=$((checks + 1))
[ "$status" = 0 ] || wrong "the target's end ended it with $status: $(cat "$tmp/stderr")"
sums "$tmp/x.csv" >/dev/null || wrong "the target's end: sums"
presence "$tmp/x.csv" >"$tmp/1" || wrong "the target's end: $(cat "$tmp/1")"
grep -q ' 5 exits' "$tmp/1" || grep -q ' 4 exits' "$tmp/1" ||
	wrong "the target's end: $(cat "$tmp/1")"

say "== launch"
launched() {
	expected=$1
	shift
	run -q $source -i 5 -o "$tmp/x.csv" -- "$@"
	[ "$status" = "$expected" ] || wrong "[-- $*] ended with $status, not $expected"
}
source=
launched 0 true
launched 0 "$WORKLOAD" demo 1
sums "$tmp/x.csv" >/dev/null || wrong "launch: sums"
source=$at_once
launched 7 sh -c 'exit 7'
launched 143 sh -c 'kill -TERM $$'
launched 137 sh -c 'kill -KILL $$'
printf '\177not a program' >"$tmp/garbage"
chmod 0755 "$tmp/garbage"
launched 126 "$tmp/garbage"
launched 0 sh -c 'echo told'
[ "$(cat "$tmp/1")" = told ] || wrong "the command's stdout is not on stdout"
# It stays a zombie until it has been read: its last row has its parts, from any source.
run -q -i 5 --source procfs -o "$tmp/x.csv" -- sh -c 'sleep 0.03; exit 3'
[ "$status" = 3 ] || wrong "launch from procfs ended with $status"
awk -v name=run_ns -f "$live/column.awk" -f "$live/csv.awk" "$tmp/x.csv" >"$tmp/2"
[ -n "$(tail -n 1 "$tmp/2")" ] || wrong "launch from procfs: what the command ran last is missing"
printf '#!/bin/sh\n' >"$tmp/script"
refused 126 "$tmp/script" -- "$tmp/script"
refused 127 "$tmp/nothing" -- "$tmp/nothing"
refused 127 no-such-command -- no-such-command

say "== a directory"
start_workload idle=2 60
go
fine -q -p "$targets" -i 10 -n 5 -o "$tmp/dir/"
[ ! -s "$tmp/1" ] || wrong "-o DIR/ wrote to stdout"
[ -s "$(echo "$tmp"/dir/*/meta.json)" ] || wrong "-o DIR/: no meta.json"
for table in "$tmp"/dir/*/global/ticks "$tmp"/dir/*/thread/*/*/samples; do
	ls "$table"/*.csv >/dev/null || wrong "-o DIR/: nothing in $table"
done
[ "$(echo "$tmp"/dir/*/thread/"${targets%%,*}"/* | wc -w)" = 3 ] ||
	wrong "-o DIR/: not three threads"
for file in "$tmp"/dir/*/thread/*/*/samples/*.csv; do
	sums "$file" >/dev/null || wrong "$file: sums"
done
end_workload

if [ "$(id -u)" = 0 ] && [ "$(cat /proc/2/comm 2>/dev/null)" = kthreadd ]; then
	say "== a kernel thread"
	fine -q -p 2 -i 10 -n 3 -F csv
	sums "$tmp/1" >/dev/null || wrong "kthreadd: sums"
	# A tick can be over before the ledger has found the thread; it has those that were missed, too.
	awk -F, 'NR == 2 { first = $1 }
		$4 == 2 && $5 == 2 && $6 == "kthreadd" && $1 == first + NR - 2 { rows++ }
		END { exit !(rows >= 2 && rows == NR - 1) }' "$tmp/1" ||
		wrong "kthreadd has not its rows: $(cat "$tmp/1")"
else
	say "not here: kernel threads"
fi

mkdir "$tmp/small"
if mount -t tmpfs -o size=128k none "$tmp/small" 2>/dev/null; then
	say "== a full disk"
	start_workload idle=20 60
	refused 1 "$tmp/small/x.csv" -q -p "$targets" -i 1 -d 30 -o "$tmp/small/x.csv"
	sums "$tmp/small/x.csv" >/dev/null || wrong "a full disk: sums"
	[ "$(tail -c 1 "$tmp/small/x.csv" | wc -l)" = 1 ] || wrong "a full disk: half a line"
	[ "$(wc -c <"$tmp/small/x.csv")" -gt 50000 ] || wrong "a full disk: it holds too little"
	umount "$tmp/small"
	end_workload
else
	say "not here: a full disk needs CAP_SYS_ADMIN"
fi

say "== as an ordinary user"
become_user
if [ "$(id -u)" = 0 ]; then
	refused 1 "$tmp/private" -p 1 -o "$tmp/private/x.csv"
fi
refused 1 "$gone" -p "$gone"
start_workload idle 60
refused 1 taskstats -p "$targets" --source taskstats -n 1
refused 1 "CAP_NET_ADMIN" -p "$targets" --source taskstats -n 1
fine -q -p "$targets" -i 10 -n 2 -F csv
end_workload

say "$checks checks, $failures failures"
[ "$failures" = 0 ]
