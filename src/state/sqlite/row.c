#include "state/sqlite/row.h"

#include <endian.h>
#include <string.h>

#include "base/hash.h"

uint64_t row_sum(uint64_t number, int kind, uint64_t grp, struct slice data)
{
	const uint64_t columns[] = { htole64(number), htole64((uint64_t)kind), htole64(grp) };
	uint64_t seed = checksum64(slice_make((const char *)columns, sizeof(columns)), 0);
	return checksum64(data, seed);
}

void row_put_clock(const struct state_clock *clock, char bytes[static ROW_CLOCK_BYTES])
{
	const uint64_t numbers[] = {
		htole64((uint64_t)clock->virtual_ns),
		htole64((uint64_t)clock->at.wall_ns),
		htole64(clock->at.boot_ns),
	};
	memcpy(bytes, numbers, sizeof(numbers));
	memcpy(bytes + sizeof(numbers), clock->at.boot_id, sizeof(clock->at.boot_id));
}

void row_get_clock(const char bytes[static ROW_CLOCK_BYTES], struct state_clock *ret_clock)
{
	uint64_t numbers[3];
	memcpy(numbers, bytes, sizeof(numbers));
	ret_clock->virtual_ns = (int64_t)le64toh(numbers[0]);
	ret_clock->at.wall_ns = (int64_t)le64toh(numbers[1]);
	ret_clock->at.boot_ns = le64toh(numbers[2]);
	memcpy(ret_clock->at.boot_id, bytes + sizeof(numbers), sizeof(ret_clock->at.boot_id));
}
