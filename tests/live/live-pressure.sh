#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A command that reads a file larger than the memory of its control group, again and again: its
# delays tell of direct reclaim and of thrashing.
. "$(dirname "$0")/lib.sh"
"$SCHEDSAMPLER" --probe | grep -q '^delayacct *yes' ||
	skip "needs CAP_NET_ADMIN and kernel.task_delayacct=1"
for root in /sys/fs/cgroup /sys/fs/cgroup/memory; do
	group=$root/schedsampler-test-$$
	[ -w "$root/cgroup.procs" ] && mkdir "$group" 2>/dev/null || continue
	for limit in memory.max memory.limit_in_bytes; do
		[ -w "$group/$limit" ] && break 2
	done
	rmdir "$group"
done
[ -d "$group" ] || skip "needs a memory control group to write to"
trap 'status=$?; rmdir "$group" 2>/dev/null; (exit "$status"); cleanup' EXIT
echo 16777216 >"$group/$limit" || { rmdir "$group"; skip "$group/$limit cannot be set"; }

# Together a little larger than the group: what was in use is evicted, and wanted again. Not through
# the page cache: what is there already is charged to nobody in the group.
for file in hot:9 stream:10; do
	path=$out/${file%:*}
	dd if=/dev/zero of="$path" bs=1M count="${file#*:}" oflag=direct 2>/dev/null ||
		dd if=/dev/zero of="$path" bs=1M count="${file#*:}" conv=fsync 2>/dev/null
	dd if="$path" iflag=nocache count=0 2>/dev/null
done
# What a shell is told to do: enter the group, then read.
"$SCHEDSAMPLER" -q -i 50 --source taskstats -f -o "$out/p.csv" -- sh -c \
	'echo $$ >"$1/cgroup.procs" && for i in $(seq 24); do
		cat "$2/hot" "$2/hot" "$2/stream" "$2/stream" >/dev/null
	done' sh "$group" "$out" || die "the command failed"
delays=$out/p.delays.csv
[ -s "$delays" ] || die "no delays were recorded"
total() {
	awk -v name="$1" -f "$live/column.awk" -f "$live/csv.awk" "$delays" |
		awk '{ n += $1 } END { printf "%.0f\n", n }'
}
for cause in freepages thrashing; do
	say "$cause: $(total ${cause}_count) delays, $(total ${cause}_ns) ns"
	[ "$(total ${cause}_count)" -gt 0 ] || die "no delay for $cause"
done
sums "$out/p.csv"
