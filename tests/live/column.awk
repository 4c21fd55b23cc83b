# SPDX-License-Identifier: GPL-2.0-or-later
# The values of one column of a CSV file. Variable: name.

{
	n = csv_fields()
	if (FNR == 1)
		csv_columns(n)
	else
		print F[column[name]]
}
