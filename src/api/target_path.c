#include "api/target_path.h"

#include "model/escaping.h"
#include "model/labels.h"

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
				|| c == '_' || c == '-' || c == ':' || (c == '.' && text.len > 2);
		if (!is_safe) {
			return false;
		}
	}
	return text.len > 0;
}

/* URL-safe, without padding; a lone = stands for nothing at all. */
static void append_base64(struct buf *out, struct slice text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (size_t i = 0; i < text.len; i += 3) {
		size_t count = text.len - i < 3 ? text.len - i : 3;
		uint32_t bits = 0;
		for (size_t j = 0; j < 3; j++) {
			bits = bits << 8 | (j < count ? (unsigned char)text.ptr[i + j] : 0);
		}
		for (size_t j = 0; j <= count; j++) {
			buf_append_byte(out, digits[bits >> (18 - 6 * j) & 63]);
		}
	}
	buf_append(out, text.len == 0 ? SLICE("=") : SLICE(""));
}

static void append_label(struct buf *out, const struct label *label, struct arena *arena)
{
	struct slice value = labels_unescape(arena, label->value);
	buf_append_byte(out, '/');
	escaping_append_label(out, label->name, ESCAPING_VALUES);
	if (is_plain(value)) {
		buf_append_byte(out, '/');
		buf_append(out, value);
	} else {
		buf_append(out, SLICE("@base64/"));
		append_base64(out, value);
	}
}

/* In a path U__a_2e_b is the label a.b. */
static bool looks_escaped(const struct group_key *key)
{
	for (size_t i = 0; i < key->labels.count; i++) {
		if (slice_starts_with(key->labels.pairs[i].name, SLICE("U__"))) {
			return true;
		}
	}
	return false;
}

static void append_id(struct buf *out, const struct target *target)
{
	char id[TARGET_ID_TEXT];
	target_id_format(&target->id, id);
	buf_append(out, SLICE("/metrics/"));
	buf_append(out, slice_make(id, sizeof(id)));
}

void target_path_append(struct buf *out, const struct target *target, struct arena *arena)
{
	const struct group_key *key = &target->key;
	if (looks_escaped(key)) {
		append_id(out, target);
		return;
	}
	buf_append(out, SLICE("/metrics/target"));
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < key->labels.count; i++) {
			const struct label *label = &key->labels.pairs[i];
			bool is_job = slice_equal(label->name, SLICE("job"));
			if (is_job == (pass == 0)) { /* the job comes first */
				append_label(out, label, arena);
			}
		}
	}
}
