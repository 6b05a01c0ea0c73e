#include "api/credentials.h"

#include <stddef.h>

#include "base/base64.h"

/* Four digits; the last one or two of the text's last four may be padding. */
static bool decode_four(const char *four, bool is_last, char *out, size_t *ret_len)
{
	size_t digits = 4;
	while (is_last && digits > 2 && four[digits - 1] == '=') {
		digits--;
	}
	unsigned bits = 0;
	for (size_t i = 0; i < 4; i++) {
		int digit = i < digits ? base64_digit(four[i], BASE64_STANDARD) : 0;
		if (digit < 0) {
			return false;
		}
		bits = bits << 6 | (unsigned)digit;
	}
	out[0] = (char)(bits >> 16);
	out[1] = (char)(bits >> 8);
	out[2] = (char)bits;
	*ret_len = digits - 1;
	return true;
}

/* As Go's base64.StdEncoding: padded, bits behind the last byte ignored. */
static bool decode_base64(struct slice text, struct arena *arena, struct slice *ret_bytes)
{
	if (text.len % 4 != 0) {
		return false;
	}
	char *out = arena_text(arena, text.len / 4 * 3);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t used;
		if (!decode_four(text.ptr + i, i + 4 == text.len, out + len, &used)) {
			return false;
		}
		len += used;
	}
	*ret_bytes = slice_make(out, len);
	return true;
}

bool credentials_read(
		struct slice authorization, struct arena *arena, struct credentials *ret_credentials)
{
	static const struct slice scheme = SLICE_INIT("Basic ");
	struct slice pair;
	if (!slice_equal_nocase(slice_first(authorization, scheme.len), scheme)
			|| !decode_base64(slice_skip(authorization, scheme.len), arena, &pair)) {
		return false;
	}
	const char *colon = slice_find_byte(pair, ':');
	if (colon == NULL) {
		return false;
	}
	ret_credentials->user = slice_between(pair.ptr, colon);
	ret_credentials->password = slice_skip(pair, ret_credentials->user.len + 1);
	return true;
}

bool credentials_read_token(struct slice authorization, struct slice *ret_token)
{
	static const struct slice scheme = SLICE_INIT("Bearer ");
	if (!slice_equal_nocase(slice_first(authorization, scheme.len), scheme)) {
		return false;
	}
	*ret_token = slice_skip(authorization, scheme.len);
	return true;
}
