# SPDX-License-Identifier: GPL-2.0-or-later
# Every thread of a recording has one window in every tick from its first to its last, whether the
# tick was kept or missed, each as long as the interval, and they join. Input: the samples.
# Variables: interval_ns, least (windows a thread), slew_ns.

FNR == 1 {
	csv_columns(csv_fields())
	next
}

{
	csv_fields()
	tid = F[column["tid"]]
	t = F[column["tick"]] + 0
	wall = F[column["wall_ns"]] + 0
	end = F[column["mono_ns"]] + 0
	quality[F[column["quality"]]]++
	rows++
	if (t > last_tick)
		last_tick = t
	if (tid in tick) {
		if (t != tick[tid] + 1)
			fail("tid " tid ": tick " t " after " tick[tid])
		# The grid follows CLOCK_MONOTONIC, which is slewed, by a few microseconds.
		if (end - wall - ended[tid] > slew_ns || ended[tid] - end + wall > slew_ns)
			fail("tid " tid " tick " t ": begins " end - wall - ended[tid] " ns after the last")
		if (n[tid] > 1 && (longest[tid] > interval_ns + slew_ns ||
				   shortest[tid] < interval_ns - slew_ns))
			fail("tid " tid " tick " tick[tid] ": a window of " longest[tid] " ns")
		longest[tid] = shortest[tid] = wall
	}
	tick[tid] = t
	ended[tid] = end
	n[tid]++
	# What a missed event left open is within its bound.
	left = F[column["residual_ns"]] + 0
	left = left < 0 ? -left : left
	if (left > (F[column["quality"]] == "repaired" ? F[column["bound_ns"]] + 0 : 0))
		residual++
}

END {
	for (tid in n) {
		threads++
		if (n[tid] < least)
			fail("tid " tid ": only " n[tid] " windows")
	}
	if (!threads)
		fail("no threads")
	printf "late: %d threads, %d windows, %d ticks; exact %d, repaired %d, ", threads, rows, last_tick,
	       quality["exact"], quality["repaired"]
	printf "with a residual beyond its bound %d\n", residual
	if (quality["exact"] + quality["repaired"] != rows)
		fail("windows of another quality")
	if (residual > rows / 1000)
		fail(residual " of " rows " windows have a residual beyond their bound")
}
