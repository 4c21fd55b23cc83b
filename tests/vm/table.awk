# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel by test: one table of all results, then the reasons of what did not pass, then the sum.
# Input: each kernel's table, lines of "TEST RESULT SECONDS REASON".

FNR == 1 {
	kernel = FILENAME
	sub(/\/table$/, "", kernel)
	kernels[++nkernels] = kernel
}

{
	if (!($1 in seen)) {
		seen[$1] = 1
		tests[++ntests] = $1
	}
	result[kernel, $1] = $2
	if ($1 == "boot")
		total[kernel] = $3
	count[$2]++
	if ($2 != "PASS") {
		reason = $0
		sub(/^[^ ]+ [^ ]+ [^ ]+ ?/, "", reason)
		reasons[++nreasons] = sprintf("%-4s %-8s %-22s %s", $2, kernel, $1, reason)
	}
}

function cell(kernel, test) {
	return (kernel, test) in result ? result[kernel, test] : "-"
}

END {
	printf "%-22s", "test"
	for (k = 1; k <= nkernels; k++)
		printf " %-8s", kernels[k]
	print ""
	for (t = 1; t <= ntests; t++) {
		printf "%-22s", tests[t]
		for (k = 1; k <= nkernels; k++)
			printf " %-8s", cell(kernels[k], tests[t])
		print ""
	}
	printf "%-22s", "seconds"
	for (k = 1; k <= nkernels; k++)
		printf " %-8d", total[kernels[k]]
	print ""
	for (r = 1; r <= nreasons; r++)
		print reasons[r]
	printf "kernels: %d passed, %d failed, %d skipped\n", count["PASS"], count["FAIL"],
	       count["SKIP"]
	exit count["FAIL"] > 0
}
