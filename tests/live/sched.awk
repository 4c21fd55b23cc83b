# SPDX-License-Identifier: GPL-2.0-or-later
# The sums of the waits of threads. Input: for each thread /proc/uptime and two files of
# /proc/PID/sched: of the reader, whose exec_start is the scheduler's clock now, and its own. Prints
# "mono_ns tid now sleep block iowait sleep_start block_start" in nanoseconds, "-" for what is not
# there. Variable: tids, in that order.

BEGIN {
	split(tids, tid, " ")
}

FNR == 1 {
	file = file % 3 + 1
	if (file == 1) {
		tell()
		mono_ns = $1 * 1e9
	}
}

# "123.456789" are nanoseconds without the dot.
/^[a-z_.]+ *:/ {
	name = $1
	sub(/:$/, "", name)
	sub(/^.*[.]/, "", name)
	value = $NF
	sub(/[.]/, "", value)
	if (file == 3)
		is[name] = value
	else if (name == "exec_start")
		now = value
}

function field(name) {
	return name in is ? is[name] : "-"
}

function tell() {
	if (mono_ns) {
		printf "%.0f ", mono_ns
		print tid[++told], now, field("sum_sleep_runtime"), field("sum_block_runtime"),
		      field("iowait_sum"), field("sleep_start"), field("block_start")
	}
	delete is
}

END {
	tell()
}
