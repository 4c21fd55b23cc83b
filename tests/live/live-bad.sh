#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Machines that are not as they should be: no /proc, another's /proc, hidden processes, a chroot.
# Each gives a clear message or a degraded result.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
need unshare
need setpriv
unshare -m true 2>/dev/null || skip "needs to make a mount namespace"

failed=0
wrong() {
	say "FAIL: $*"
	sed 's/^/	/' "$tmp/1" "$tmp/2"
	failed=1
}

# expect STATUS TEXT COMMAND...: it ends so, and says that on one line of stderr and nothing else.
expect() {
	expected=$1 text=$2
	shift 2
	status=0
	"$@" >"$tmp/1" 2>"$tmp/2" </dev/null || status=$?
	say "[$*] $status: $(head -n 1 "$tmp/2")"
	[ "$status" = "$expected" ] || wrong "ended with $status, not $expected"
	[ -z "$text" ] || grep -q -e "$text" "$tmp/2" || wrong "does not say: $text"
	[ -z "$text" ] || [ "$(wc -l <"$tmp/2")" = 1 ] || wrong "not one line"
}

rows() {
	[ "$(grep -c -E '^[0-9]' "$tmp/1")" -ge "$1" ] || wrong "less than $1 rows"
}

become_user
user=$as
as=
start_workload idle 60

# A sanitizer needs /proc for itself, and says so.
if ldd "$SCHEDSAMPLER" | grep -q 'lib[at]san'; then
	say "not here, with a sanitizer: a machine without /proc"
else
	say "== no /proc"
	expect 1 "mount -t proc" unshare -m sh -c 'umount -l /proc; exec "$@"' sh "$SCHEDSAMPLER" -p 1 -n 1
	expect 1 "mount -t proc" unshare -m sh -c 'umount -l /proc; exec "$@"' sh "$SCHEDSAMPLER" --probe

	say "== something else where /proc should be"
	expect 1 "mount -t proc" unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' sh \
		"$SCHEDSAMPLER" -p 1 -n 1
fi

say "== hidepid=2: others' processes do not exist for a user, their own do"
hidden='mount -t proc -o hidepid=2 none /proc && exec "$@"'
# shellcheck disable=SC2086
expect 1 "$workload" unshare -m sh -c "$hidden" sh $user "$SCHEDSAMPLER" -p "$workload" -n 1
# shellcheck disable=SC2086
expect 0 "" unshare -m sh -c "$hidden" sh $user "$SCHEDSAMPLER" -q -i 10 -n 3 -F csv \
	-- "$WORKLOAD" exec 20 sleep 0.1
rows 3

say "== a PID namespace with its own /proc"
expect 0 "" unshare -p -f --mount-proc "$SCHEDSAMPLER" -q -i 10 -n 3 -F csv -p 1
rows 3
expect 0 "" unshare -p -f --mount-proc "$SCHEDSAMPLER" --probe

say "== a PID namespace that sees the /proc of another"
expect 0 "" unshare -p -f "$SCHEDSAMPLER" --probe
grep -q '^taskstats *no *not used' "$tmp/1" || wrong "taskstats would ask for other threads"
grep -q '^sched-clock *yes' "$tmp/1" || wrong "the scheduler's clock is not known"
[ -z "${SS_VM_RESULTS:-}" ] || cp "$tmp/1" "$SS_VM_RESULTS/probe-foreign.txt"
expect 0 "" unshare -p -f "$SCHEDSAMPLER" -q -i 10 -n 3 -F csv --source procfs -p "$workload"
rows 3

say "== a chroot with /proc and nothing else"
mkdir -p "$tmp/jail/proc"
ldd "$SCHEDSAMPLER" | grep -o '/[^ ]*' | while IFS= read -r library; do
	mkdir -p "$tmp/jail$(dirname "$library")"
	cp -L "$library" "$tmp/jail$library"
done
cp "$SCHEDSAMPLER" "$tmp/jail/schedsampler"
chroot='mount -t proc none "$1/proc" && exec chroot "$1" /schedsampler -q -i 10 -n 3 -F csv -p "$2"'
expect 0 "" unshare -m sh -c "$chroot" sh "$tmp/jail" "$workload"
rows 3
ldd "$SCHEDSAMPLER" | grep -q 'lib[at]san' ||
	expect 1 "mount -t proc" chroot "$tmp/jail" /schedsampler -p 1 -n 1

say "== a process that may not be read"
# shellcheck disable=SC2086
expect 1 "" unshare -m sh -c 'mount -t proc -o hidepid=1 none /proc && exec "$@"' sh \
	$user "$SCHEDSAMPLER" -p "$workload" -n 1

say "== one CPU of several"
if [ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ]; then
	expect 0 "" taskset -c 0 "$SCHEDSAMPLER" --probe
	grep -q '^sched-clock *partly' "$tmp/1" || wrong "sched-clock is not partly known"
	[ -z "${SS_VM_RESULTS:-}" ] || cp "$tmp/1" "$SS_VM_RESULTS/probe-one-cpu.txt"
fi
expect 0 "" "$SCHEDSAMPLER" --probe
if grep -q '^bpf *yes' "$tmp/1"; then
	say "== no type information"
	expect 0 "" unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh \
		"$SCHEDSAMPLER" --probe
	grep -q '^bpf *no *no type information' "$tmp/1" || wrong "bpf is said to work"
	[ -z "${SS_VM_RESULTS:-}" ] || cp "$tmp/1" "$SS_VM_RESULTS/probe-no-btf.txt"

	say "== little memory may be locked, which counts until 5.11"
	expect 0 "" setpriv --bounding-set -sys_resource --inh-caps -sys_resource \
		prlimit --memlock=65536 "$SCHEDSAMPLER" --probe
	grep -q '^bpf *\(yes\|no *not permitted: too little memory\)' "$tmp/1" ||
		wrong "what to do is not said"
	[ -z "${SS_VM_RESULTS:-}" ] || cp "$tmp/1" "$SS_VM_RESULTS/probe-memlock.txt"

	# It cannot be taken back from 1, and only a guest of ours is ours to change.
	setting=/proc/sys/kernel/unprivileged_bpf_disabled
	values=$(cat "$setting")
	[ -z "${SS_VM_RESULTS:-}" ] || values="0 2 1"
	for value in $values; do
		[ -z "${SS_VM_RESULTS:-}" ] || echo "$value" >"$setting"
		say "== kernel.unprivileged_bpf_disabled = $(cat "$setting"): a user may not, whatever it is"
		# shellcheck disable=SC2086
		expect 0 "" $user "$SCHEDSAMPLER" --probe
		grep -A 2 '^bpf *no *not permitted' "$tmp/1" | grep -q 'root.*CAP_BPF and CAP_PERFMON' ||
			wrong "what to do is not said"
		# shellcheck disable=SC2086
		expect 0 "" $user "$SCHEDSAMPLER" -q -i 10 -n 3 -F csv -- "$WORKLOAD" exec 20 sleep 0.1
		rows 3
	done
fi
end_workload
exit "$failed"
