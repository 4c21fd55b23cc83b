# SPDX-License-Identifier: GPL-2.0-or-later
# The share of a column in the wall time of the threads of one name, in percent; of windows in
# which they did anything. Variables: comm, part.

FNR == 1 {
	csv_columns(csv_fields())
	next
}

{
	csv_fields()
	if (F[column["comm"]] != comm || F[column["nvcsw"]] + 0 == 0)
		next
	wall += F[column["wall_ns"]]
	sum += F[column[part]]
}

END {
	printf "%.3f\n", wall ? 100 * sum / wall : 0
}
