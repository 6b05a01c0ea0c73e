#include "targets/target_id.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/hash.h"

static const char digits[] = "0123456789abcdef";

/* A dash stands in front of these bytes. */
static bool has_dash(size_t index)
{
	return index == 4 || index == 6 || index == 8 || index == 10;
}

static void mark(struct target_id *id, unsigned version)
{
	id->bytes[6] = (unsigned char)((id->bytes[6] & 0x0f) | version << 4);
	id->bytes[8] = (unsigned char)((id->bytes[8] & 0x3f) | 0x80); /* the usual variant */
}

struct target_id target_id_make(void)
{
	struct target_id id;
	/* So few bytes come at once, or not at all. */
	if (getrandom(id.bytes, sizeof(id.bytes), 0) != (ssize_t)sizeof(id.bytes)) {
		abort();
	}
	mark(&id, 4);
	return id;
}

/* Low byte first, whatever the machine does. */
static void put_number(unsigned char *bytes, uint64_t number)
{
	for (size_t i = 0; i < sizeof(number); i++) {
		bytes[i] = (unsigned char)(number >> 8 * i);
	}
}

struct target_id target_id_of_key(const struct group_key *key)
{
	struct target_id id;
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < key->labels.count; i++) {
		const struct label *label = &key->labels.pairs[i];
		if (label->value.len > 0) {
			buf_append(&text, label->name);
			buf_append_byte(&text, '\0');
			buf_append(&text, label->value);
			buf_append_byte(&text, '\0');
		}
	}
	struct hash128 hash = checksum128(buf_slice(&text));
	buf_finish(&text);
	put_number(id.bytes, hash.low);
	put_number(id.bytes + sizeof(hash.low), hash.high);
	mark(&id, 8);
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
