#include "base/utf8.h"

#include <stdint.h>

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The second byte decides about overlong forms, surrogates and the upper end. */
static bool is_second(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return is_continuation(second);
	}
}

size_t utf8_sequence(struct slice text)
{
	const unsigned char *bytes = (const unsigned char *)text.ptr;
	unsigned char first = bytes[0];
	size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first > 0xf4 || len > text.len) {
		return 0;
	}
	if (len > 1 && !is_second(first, bytes[1])) {
		return 0;
	}
	for (size_t i = 2; i < len; i++) {
		if (!is_continuation(bytes[i])) {
			return 0;
		}
	}
	return len;
}

bool utf8_is_valid(struct slice text)
{
	while (text.len > 0) {
		uint64_t eight;
		if (text.len >= sizeof(eight)) {
			memcpy(&eight, text.ptr, sizeof(eight));
			if ((eight & 0x8080808080808080u) == 0) {
				text = slice_skip(text, sizeof(eight));
				continue;
			}
		}
		size_t len = utf8_sequence(text);
		if (len == 0) {
			return false;
		}
		text = slice_skip(text, len);
	}
	return true;
}

size_t utf8_count(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		count += !is_continuation((unsigned char)text.ptr[i]);
	}
	return count;
}
