#include <stddef.h>

#include "redis/client.h"

/* CRC-16/XMODEM, as Redis Cluster's specification has it. */
static uint16_t crc16(struct slice bytes)
{
	uint16_t crc = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (uint16_t)((unsigned char)bytes.ptr[i] << 8);
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint16_t)((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
		}
	}
	return crc;
}

/* What is between the first brace and the next closing one, unless that is nothing. */
static struct slice hashed_part(struct slice key)
{
	const char *open = slice_find_byte(key, '{');
	if (open == NULL) {
		return key;
	}
	struct slice rest = slice_between(open + 1, key.ptr + key.len);
	const char *close = slice_find_byte(rest, '}');
	return close == NULL || close == rest.ptr ? key : slice_between(rest.ptr, close);
}

uint16_t redis_slot(struct slice key)
{
	return crc16(hashed_part(key)) % REDIS_SLOTS;
}
