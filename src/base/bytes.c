#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>

static const struct unit {
	const char *name; /* what may follow the number, without the B */
	uint64_t bytes;
} units[] = {
	{ "", 1 },
	{ "K", 1000 },
	{ "M", 1000000 },
	{ "G", 1000000000 },
	{ "T", 1000000000000 },
	{ "Ki", (uint64_t)1 << 10 },
	{ "Mi", (uint64_t)1 << 20 },
	{ "Gi", (uint64_t)1 << 30 },
	{ "Ti", (uint64_t)1 << 40 },
};

static const struct unit *find_unit(struct slice name)
{
	if (name.len > 0 && (name.ptr[name.len - 1] == 'B' || name.ptr[name.len - 1] == 'b')) {
		name.len--;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (slice_equal_nocase(slice_of_string(units[i].name), name)) {
			return &units[i];
		}
	}
	return NULL;
}

enum bytes_result bytes_parse(struct slice text, uint64_t *ret_bytes)
{
	uint64_t number = 0;
	size_t digits = 0;
	for (; digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9'; digits++) {
		uint64_t digit = (uint64_t)(text.ptr[digits] - '0');
		if (number > (INT64_MAX - digit) / 10) {
			return BYTES_E_TOO_MANY;
		}
		number = number * 10 + digit;
	}
	if (digits == 0) {
		return BYTES_E_SYNTAX;
	}
	const struct unit *unit = find_unit(slice_skip(text, digits));
	if (unit == NULL) {
		return BYTES_E_UNIT;
	}
	if (number > INT64_MAX / unit->bytes) {
		return BYTES_E_TOO_MANY;
	}
	*ret_bytes = number * unit->bytes;
	return BYTES_OK;
}

const char *bytes_error(enum bytes_result result)
{
	switch (result) {
	case BYTES_OK:
		return "fine";
	case BYTES_E_SYNTAX:
		return "not a size, write it like 1048576, 64MiB or 1GB";
	case BYTES_E_UNIT:
		return "unknown unit, a size takes KiB, MiB, GiB, TiB, KB, MB, GB and TB, as in 64MiB";
	case BYTES_E_TOO_MANY:
		return "more than a size can be (8388607TiB)";
	}
	return "not a size";
}

struct slice bytes_format(uint64_t bytes, char text[static BYTES_TEXT_BYTES])
{
	static const char *const suffixes[] = { "", "KiB", "MiB", "GiB", "TiB" };
	size_t power = 0;
	while (bytes != 0 && bytes % 1024 == 0 && power + 1 < sizeof(suffixes) / sizeof(suffixes[0])) {
		bytes /= 1024;
		power++;
	}
	int len = snprintf(text, BYTES_TEXT_BYTES, "%" PRIu64 "%s", bytes, suffixes[power]);
	return slice_make(text, (size_t)len);
}
