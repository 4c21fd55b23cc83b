# SPDX-License-Identifier: GPL-2.0-or-later
# /proc/uptime and two files of /proc/PID/sched: of the reader, whose exec_start is the scheduler's
# clock now, and of a thread. Prints the sums of its waits. Variable: tid.

FNR == 1 {
	file++
	if (file == 1)
		mono_ns = $1 * 1e9
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

END {
	printf "%.0f ", mono_ns
	print tid, now, field("sum_sleep_runtime"), field("sum_block_runtime"),
	      field("iowait_sum"), field("sleep_start"), field("block_start")
}
