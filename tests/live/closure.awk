# SPDX-License-Identifier: GPL-2.0-or-later
# How exactly the windows of a ledger close. Input: the samples. Variable: threads, how many there
# are at least.

FNR == 1 {
	csv_columns(csv_fields())
	next
}

{
	csv_fields()
	quality = F[column["quality"]]
	residual = F[column["residual_ns"]] + 0
	residual = residual < 0 ? -residual : residual
	rows[quality]++
	seen[F[column["tid"]]] = 1
	if (residual)
		open[quality]++
	if (residual > largest[quality])
		largest[quality] = residual
	if (quality == "repaired" && residual > F[column["bound_ns"]] + 0)
		fail("tid " F[column["tid"]] " tick " F[column["tick"]] ": a residual of " residual \
		     " ns beyond its bound")
	if (F[column["bound_ns"]] + 0 > bound)
		bound = F[column["bound_ns"]] + 0
}

END {
	for (tid in seen)
		n++
	for (quality in rows)
		printf "closure: %s: %d rows, %d with a residual, the largest %d ns\n", quality,
		       rows[quality], open[quality], largest[quality]
	printf "closure: %d threads; the largest bound is %d ns\n", n, bound
	if (n < threads)
		fail("only " n + 0 " threads")
	if (open["exact"] > rows["exact"] / 1000)
		fail("too many windows do not close")
	if (largest["exact"] > 20000)
		fail("a residual of " largest["exact"] " ns")
	if (rows["exact"] < 99 * rows["repaired"])
		fail("too many windows are repaired")
}
