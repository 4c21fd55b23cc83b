// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for libFuzzer where there is none: runs the target once with each file named on the
 * command line, so that what was found stays found on every compiler.
 */
#include "fuzz.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		uint8_t *data = malloc(1 << 20), *exact;
		FILE *f = fopen(argv[i], "rb");
		size_t size;

		CHECK(f && data);
		printf("%s\n", argv[i]);
		fflush(stdout);
		size = fread(data, 1, 1 << 20, f);
		CHECK(!ferror(f) && feof(f));
		exact = realloc(data, size + !size);
		CHECK(exact);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
		fclose(f);
	}
	printf("%d inputs\n", argc - 1);
	return argc > 1 ? 0 : 1;
}
