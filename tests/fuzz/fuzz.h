/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share. Each is one function that takes bytes and checks what must hold for
 * whatever they are; libFuzzer calls it, or replay.c with the files of the corpus.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold ends the program, as a crash does. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* The bytes as a NUL-terminated string on the heap: a sanitizer sees any read behind it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* The next bytes of the input as a value; zeros behind its end. */
static inline void fuzz_take(const uint8_t **data, size_t *size, void *value, size_t n)
{
	size_t have = n < *size ? n : *size;

	memset(value, 0, n);
	if (have)
		memcpy(value, *data, have);
	*data += have;
	*size -= have;
}

#endif
