#include "transfer/line_value.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/quote.h"
#include "store/slots.h"
#include "transfer/line_json.h"

enum { SHOWN_MAX = 64 }; /* bytes of a text in a message */

/* ---- Faults ---- */

/* family "x", sample 3: */
static void append_place(const struct line_reader *r, struct buf *text)
{
	if (r->family.ptr == NULL) {
		return;
	}
	buf_append_string(text, "family ");
	quote_append(text, slice_first(r->family, SHOWN_MAX));
	if (r->sample > 0) {
		buf_printf(text, ", sample %zu", r->sample);
	}
	buf_append_string(text, ": ");
}

static bool fail_with(struct line_reader *r, struct buf *text)
{
	if (r->what.ptr == NULL) {
		r->what = arena_copy(r->arena, buf_slice(text));
	}
	buf_finish(text);
	return false;
}

bool line_fail(struct line_reader *r, const char *what)
{
	struct buf text;
	buf_init(&text, 0);
	append_place(r, &text);
	buf_append_string(&text, what);
	return fail_with(r, &text);
}

bool line_fail_at(struct line_reader *r, const char *key, struct slice value, const char *what)
{
	struct buf text;
	buf_init(&text, 0);
	append_place(r, &text);
	buf_printf(&text, "its %s ", key);
	if (value.ptr != NULL) {
		quote_append(&text, slice_first(value, SHOWN_MAX));
		buf_append_byte(&text, ' ');
	}
	buf_append_string(&text, what);
	return fail_with(r, &text);
}

/* ---- Values ---- */

bool line_read_fields(struct line_reader *r, const cJSON *item, const char *const *names,
		size_t count, const cJSON **ret_fields)
{
	struct slice what;
	if (!cJSON_IsObject(item)) {
		return line_fail(r, "it is no object");
	}
	if (!line_json_fields(item, names, count, ret_fields, r->arena, &what)) {
		return line_fail(r, arena_copy_string(r->arena, what));
	}
	return true;
}

bool line_read_text(
		struct line_reader *r, const cJSON *item, const char *key, struct slice *ret_text)
{
	*ret_text = slice_make(NULL, 0);
	if (item == NULL) {
		return true;
	}
	if (!cJSON_IsString(item)) {
		return line_fail_at(r, key, slice_make(NULL, 0), "is no string");
	}
	*ret_text = line_json_text(item->valuestring, r->arena);
	return true;
}

bool line_read_flag(struct line_reader *r, const cJSON *item, const char *key, bool *ret_flag)
{
	*ret_flag = cJSON_IsTrue(item);
	return item == NULL || cJSON_IsBool(item)
			|| line_fail_at(r, key, slice_make(NULL, 0), "is neither true nor false");
}

bool line_read_count(struct line_reader *r, const cJSON *item, const char *key, uint64_t *ret_count)
{
	static const double exact_max = 9007199254740992.0; /* 2^53 */
	*ret_count = 0;
	if (item == NULL) {
		return true;
	}
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < exact_max)) {
		return line_fail_at(r, key, slice_make(NULL, 0), "is no number");
	}
	*ret_count = (uint64_t)item->valuedouble;
	return true;
}

bool line_read_place(struct line_reader *r, const cJSON *item, const char *key, uint32_t *ret_place)
{
	uint64_t place = SLOT_NONE;
	if (item != NULL
			&& (!line_read_count(r, item, key, &place) || place >= SLOT_NONE
					|| (double)place != item->valuedouble)) {
		return line_fail_at(r, key, slice_make(NULL, 0), "is none: 0, 1, 2 and so on are");
	}
	*ret_place = (uint32_t)place;
	return true;
}

/* ---- Times ---- */

/* Digits from *at on, at most so many; how many there were. */
static size_t take_digits(struct slice text, size_t at, size_t most, int64_t *number)
{
	size_t count = 0;
	while (count < most && at + count < text.len && text.ptr[at + count] >= '0'
			&& text.ptr[at + count] <= '9') {
		*number = *number * 10 + (text.ptr[at + count] - '0');
		count++;
	}
	return count;
}

static bool parse_time(struct slice text, int64_t *ret_ns)
{
	enum { SECOND_NS = 1000000000, SECOND_DIGITS = 10, DECIMALS = 9 };
	int64_t seconds = 0;
	int64_t ns = 0;
	size_t at = take_digits(text, 0, SECOND_DIGITS, &seconds);
	if (at == 0) {
		return false;
	}
	if (at < text.len && text.ptr[at] == '.') {
		size_t decimals = take_digits(text, at + 1, DECIMALS, &ns);
		at += 1 + decimals;
		if (decimals == 0) {
			return false;
		}
		for (; decimals < DECIMALS; decimals++) {
			ns *= 10;
		}
	}
	return at == text.len && !__builtin_mul_overflow(seconds, SECOND_NS, &seconds)
			&& !__builtin_add_overflow(seconds, ns, ret_ns);
}

bool line_read_time(struct line_reader *r, const cJSON *item, const char *key, int64_t *ret_ns)
{
	struct slice text;
	*ret_ns = 0;
	return line_read_text(r, item, key, &text)
			&& (text.ptr == NULL || parse_time(text, ret_ns)
					|| line_fail_at(
							r, key, text, "is no time: Unix seconds with up to nine decimals are"));
}

/* ---- Labels ---- */

static bool read_label(struct line_reader *r, const cJSON *item, struct label *ret_label)
{
	struct slice name = line_json_text(item->string, r->arena);
	if (name.len == 0) {
		return line_fail(r, "a label without a name");
	}
	if (!cJSON_IsString(item)) {
		return line_fail_at(r, "label", name, "is no string");
	}
	struct slice value = line_json_text(item->valuestring, r->arena);
	*ret_label = (struct label){
		.name = labels_escape(r->arena, name),
		.value = labels_escape(r->arena, value),
	};
	return true;
}

bool line_read_labels(
		struct line_reader *r, const cJSON *item, const char *key, struct labels *ret_labels)
{
	struct labels labels = { 0 };
	if (item != NULL && !cJSON_IsObject(item)) {
		return line_fail_at(r, key, slice_make(NULL, 0), "are no object of names and values");
	}
	size_t count = item == NULL ? 0 : (size_t)cJSON_GetArraySize(item);
	labels.pairs = arena_alloc(r->arena, (count + 1) * sizeof(struct label));
	for (const cJSON *child = item == NULL ? NULL : item->child; child != NULL;
			child = child->next) {
		if (!read_label(r, child, &labels.pairs[labels.count++])) {
			return false;
		}
	}
	labels_sort(&labels);
	for (size_t i = 1; i < labels.count; i++) {
		if (slice_equal(labels.pairs[i - 1].name, labels.pairs[i].name)) {
			return line_fail_at(
					r, "label", labels_unescape(r->arena, labels.pairs[i].name), "is there twice");
		}
	}
	*ret_labels = labels;
	return true;
}

/* ---- Base64 ---- */

/* The bits that are left over must be 0, so that the text is the only one for its bytes. */
static bool decode_base64(struct slice text, char *out, size_t *ret_len)
{
	unsigned bits = 0;
	unsigned bit_count = 0;
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = base64_digit(text.ptr[i], BASE64_STANDARD);
		if (digit < 0) {
			return false;
		}
		bits = bits << 6 | (unsigned)digit;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			out[len++] = (char)(bits >> bit_count & 0xff);
		}
	}
	*ret_len = len;
	return bit_count < 6 && (bits & ((1u << bit_count) - 1)) == 0;
}

bool line_read_base64(
		struct line_reader *r, const cJSON *item, const char *key, struct slice *ret_bytes)
{
	struct slice text;
	size_t len;
	if (!line_read_text(r, item, key, &text)) {
		return false;
	}
	*ret_bytes = slice_make(NULL, 0);
	if (text.len == 0) {
		return true;
	}
	struct slice digits = text;
	for (int i = 0; i < 2 && slice_ends_with(digits, SLICE("=")); i++) {
		digits.len--;
	}
	char *bytes = arena_text(r->arena, text.len);
	if (text.len % 4 != 0 || !decode_base64(digits, bytes, &len)) {
		return line_fail_at(r, key, slice_make(NULL, 0), "is no base64");
	}
	*ret_bytes = slice_make(bytes, len);
	return true;
}
