# SPDX-License-Identifier: GPL-2.0-or-later
# Two files of /proc/PID/sched: of the reader, whose exec_start is the scheduler's clock now, and of
# a thread. Prints the sums of its waits. Variables: tid, time_ns.

# "123.456789" are nanoseconds without the dot.
/^[a-z_.]+ *:/ {
	name = $1
	sub(/:$/, "", name)
	sub(/^.*[.]/, "", name)
	value = $NF
	sub(/[.]/, "", value)
	if (FNR != NR)
		is[name] = value
	else if (name == "exec_start")
		now = value
}

function field(name) {
	return name in is ? is[name] : "-"
}

END {
	print time_ns, tid, now, field("sum_sleep_runtime"), field("sum_block_runtime"),
	      field("iowait_sum"), field("sleep_start"), field("block_start")
}
