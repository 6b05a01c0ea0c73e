#include "http/chars.h"

#include <stdint.h>

/* Bit n of word n / 64: byte n may stand in a token. */
static const uint64_t token_bytes[4] = { 0x03ff6cfa00000000, 0x57ffffffc7fffffe, 0, 0 };

bool http_is_token(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if ((token_bytes[byte / 64] >> (byte % 64) & 1) == 0) {
			return false;
		}
	}
	return text.len != 0;
}
