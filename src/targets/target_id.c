#include "targets/target_id.h"

#include <stdlib.h>
#include <sys/random.h>

static const char digits[] = "0123456789abcdef";

/* A dash stands in front of these bytes. */
static bool has_dash(size_t index)
{
	return index == 4 || index == 6 || index == 8 || index == 10;
}

struct target_id target_id_make(void)
{
	struct target_id id;
	/* So few bytes come at once, or not at all. */
	if (getrandom(id.bytes, sizeof(id.bytes), 0) != (ssize_t)sizeof(id.bytes)) {
		abort();
	}
	id.bytes[6] = (unsigned char)((id.bytes[6] & 0x0f) | 0x40); /* version 4 */
	id.bytes[8] = (unsigned char)((id.bytes[8] & 0x3f) | 0x80); /* the usual variant */
	return id;
}

void target_id_format(const struct target_id *id, char ret_text[static TARGET_ID_TEXT])
{
	char *out = ret_text;
	for (size_t i = 0; i < TARGET_ID_BYTES; i++) {
		if (has_dash(i)) {
			*out++ = '-';
		}
		*out++ = digits[id->bytes[i] >> 4];
		*out++ = digits[id->bytes[i] & 15];
	}
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool target_id_parse(struct slice text, struct target_id *ret_id)
{
	struct target_id id;
	size_t at = 0;
	if (text.len != TARGET_ID_TEXT) {
		return false;
	}
	for (size_t i = 0; i < TARGET_ID_BYTES; i++) {
		if (has_dash(i) && text.ptr[at++] != '-') {
			return false;
		}
		int high = digit_value(text.ptr[at++]);
		int low = digit_value(text.ptr[at++]);
		if (high < 0 || low < 0) {
			return false;
		}
		id.bytes[i] = (unsigned char)(high << 4 | low);
	}
	*ret_id = id;
	return true;
}
