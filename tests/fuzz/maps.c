// SPDX-License-Identifier: GPL-2.0-or-later
/* An address in the text of /proc/PID/maps; and the links of descriptors. */
#include <errno.h>

#include "fuzz.h"
#include "source/resource_name.h"

static void check_maps(const char *text, size_t size, uint64_t address)
{
	const char *end = text + size, *behind;
	char name[SS_NAME_SIZE];
	struct ss_mapping m, again;
	int err = ss_maps_find(text, size, address, &m);

	CHECK(err == 0 || err == -ENOENT || err == -EBADMSG);
	if (err)
		return;
	CHECK(m.start <= address && address < m.end);
	behind = m.name + m.name_len;
	CHECK(m.name > text && behind < end && *behind == '\n');
	CHECK(!memchr(m.name, '\n', m.name_len) && (!m.name_len || *m.name != ' '));
	ss_name_mapped(name, &m, address);
	CHECK(*name && strlen(name) < sizeof(name));
	/* Its line alone says the same. */
	while (text < m.name && memchr(text, '\n', (size_t)(m.name - text)))
		text = (const char *)memchr(text, '\n', (size_t)(m.name - text)) + 1;
	CHECK(!ss_maps_find(text, (size_t)(behind + 1 - text), address, &again));
	CHECK(!memcmp(&m, &again, sizeof(m)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t address, inode;
	char *text;

	fuzz_take(&data, &size, &address, sizeof(address));
	text = fuzz_string(data, size);
	check_maps(text, size, address);
	if (!ss_parse_pipe_link(text, &inode))
		CHECK(!strncmp(text, "pipe:[", 6) && text[strlen(text) - 1] == ']' &&
		      inode == strtoull(text + 6, NULL, 10));
	free(text);
	return 0;
}
