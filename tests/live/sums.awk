# SPDX-License-Identifier: GPL-2.0-or-later
# Every row of the samples is well formed and its parts add up to its wall time, exactly.
# Integers below 2^53 are exact in awk's numbers; a window of 104 days is longer.

BEGIN {
	columns = "tick,time_ns,mono_ns,pid,tid,comm,wall_ns,run_ns,rq_ns,sleep_ns,block_ns," \
		  "iowait_ns,stop_ns,residual_ns,nvcsw,nivcsw,cpu,event,quality"
	split("tick time_ns mono_ns pid tid wall_ns residual_ns", required, " ")
	split("run_ns rq_ns sleep_ns block_ns iowait_ns stop_ns", part, " ")
	split("nvcsw nivcsw cpu", optional, " ")
}

{
	n = csv_fields()
}

FNR == 1 {
	if (substr($0, 1, length(columns)) != columns)
		fail("header: " $0)
	csv_columns(n)
	width = n
	next
}

{
	if (n != width)
		fail(n " fields, not " width)
	for (i in required) {
		if (F[column[required[i]]] !~ /^-?[0-9]+$/)
			fail(required[i] " is '" F[column[required[i]]] "'")
	}
	sum = F[column["residual_ns"]] + 0
	wall = F[column["wall_ns"]] + 0
	for (i in part) {
		# Empty: not measured.
		if (F[column[part[i]]] !~ /^[0-9]*$/)
			fail(part[i] " is '" F[column[part[i]]] "'")
		sum += F[column[part[i]]]
	}
	if ("stolen_ns" in column)
		sum += F[column["stolen_ns"]]
	for (i in optional) {
		if (F[column[optional[i]]] !~ /^[0-9]*$/)
			fail(optional[i] " is '" F[column[optional[i]]] "'")
	}
	if (wall < 0 || sum != wall)
		fail("parts of tid " F[column["tid"]] " are " sum " of wall " wall)
	if (F[column["event"]] !~ /^(start|exit|start\+exit)?$/)
		fail("event is '" F[column["event"]] "'")
	if (F[column["quality"]] !~ /^(exact|repaired|snapshot|estimate|counter)$/)
		fail("quality is '" F[column["quality"]] "'")
	tid = F[column["tid"]]
	if (F[column["tick"]] + 0 < tick[tid])
		fail("tid " tid ": tick " F[column["tick"]] " after " tick[tid])
	tick[tid] = F[column["tick"]] + 0
	if (tick[tid] > last_tick)
		last_tick = tick[tid]
	rows++
}

END {
	if (!rows)
		fail("no rows")
	print "sums: " rows + 0 " rows of " last_tick + 0 " ticks add up"
}
