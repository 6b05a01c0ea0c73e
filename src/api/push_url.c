#include "api/push_url.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "model/escaping.h"

static const struct slice base64_suffix = SLICE_INIT("@base64");

/* ---- Base64 ---- */

/*
 * As Go's base64.RawURLEncoding reads it: line ends are skipped, bits behind
 * the last byte ignored. On failure the place of the bad input is set, and
 * the value is what was decoded until then.
 */
static bool decode_base64(
		struct arena *arena, struct slice text, struct slice *ret_value, size_t *reterr_place)
{
	while (text.len > 0 && text.ptr[text.len - 1] == '=') {
		text.len--;
	}
	char *out = arena_text(arena, text.len);
	size_t len = 0;
	unsigned digits = 0; /* of the current four */
	unsigned bits = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '\n' || c == '\r') {
			continue;
		}
		int digit = base64_digit(c, BASE64_URL);
		if (digit < 0) {
			*ret_value = slice_make(out, len);
			*reterr_place = i;
			return false;
		}
		bits = bits << 6 | (unsigned)digit;
		if (++digits == 4) {
			out[len++] = (char)(bits >> 16);
			out[len++] = (char)(bits >> 8);
			out[len++] = (char)bits;
			digits = 0;
			bits = 0;
		}
	}
	*ret_value = slice_make(out, len);
	if (digits == 1) {
		*reterr_place = text.len - 1;
		return false;
	}
	if (digits >= 2) {
		bits <<= 6 * (4 - digits);
		out[len++] = (char)(bits >> 16);
	}
	if (digits == 3) {
		out[len++] = (char)(bits >> 8);
	}
	*ret_value = slice_make(out, len);
	return true;
}

/* ---- Errors ---- */

/* before "quoted" after */
static enum push_url_result refuse(struct arena *arena, struct slice *reterr_text,
		struct slice before, struct slice quoted, struct slice after)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append(&text, before);
	quote_append(&text, quoted);
	buf_append(&text, after);
	*reterr_text = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return PUSH_URL_E_INVALID;
}

static struct slice bad_base64(struct arena *arena, size_t place)
{
	return arena_printf(arena, ": illegal base64 data at input byte %zu", place);
}

/* ---- Labels ---- */

static struct slice take_component(struct slice *rest)
{
	const char *slash = slice_find_byte(*rest, '/');
	struct slice component = slash == NULL ? *rest : slice_between(rest->ptr, slash);
	*rest = slice_skip(*rest, component.len + (slash != NULL));
	return component;
}

/* The name meant; false when there can be no label of that name. */
static bool decode_name(const struct push_url_limits *limits, struct arena *arena,
		struct slice name, struct slice *ret_name)
{
	*ret_name = limits->utf8_names ? escaping_undo_values(arena, name) : name;
	bool is_name = labels_is_name(*ret_name)
			|| (limits->utf8_names && ret_name->len > 0 && utf8_is_valid(*ret_name));
	return is_name && !slice_starts_with(*ret_name, SLICE("__"));
}

static enum push_url_result refuse_base64(
		struct arena *arena, const struct label *label, size_t place, struct slice *reterr_text)
{
	struct buf before;
	buf_init(&before, 0);
	buf_append_string(&before, "invalid base64 encoding for label ");
	if (labels_is_name(label->name)) {
		buf_append(&before, label->name);
	} else {
		quote_append(&before, label->name);
	}
	buf_append_byte(&before, '=');
	enum push_url_result result =
			refuse(arena, reterr_text, buf_slice(&before), label->value, bad_base64(arena, place));
	buf_finish(&before);
	return result;
}

static enum push_url_result parse_label(const struct push_url_limits *limits, struct slice name,
		struct slice value, struct arena *arena, struct label *ret_label, struct slice *reterr_text)
{
	bool is_base64 = slice_ends_with(name, base64_suffix);
	struct slice decoded;
	size_t place;
	if (is_base64) {
		name.len -= base64_suffix.len;
	}
	*ret_label = (struct label){ .value = value };
	if (!decode_name(limits, arena, name, &ret_label->name)) {
		struct slice shown = ret_label->name.len > 0 ? ret_label->name : name;
		return refuse(arena, reterr_text, SLICE("improper label name "), shown, SLICE(""));
	}
	if (is_base64 && !decode_base64(arena, value, &decoded, &place)) {
		return refuse_base64(arena, ret_label, place, reterr_text);
	}
	ret_label->value = is_base64 ? decoded : value;
	return PUSH_URL_OK;
}

static size_t count_byte(struct slice text, char byte)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		count += text.ptr[i] == byte;
	}
	return count;
}

static enum push_url_result parse_labels(const struct push_url_limits *limits, struct slice text,
		struct arena *arena, struct labels *ret_labels, struct slice *reterr_text)
{
	size_t components = text.len <= 1 ? 0 : count_byte(text, '/');
	ret_labels->pairs = arena_alloc(arena, (components / 2 + 1) * sizeof(struct label));
	ret_labels->count = 0;
	if (components % 2 != 0) {
		return refuse(arena, reterr_text, SLICE("odd number of components in label string "), text,
				SLICE(""));
	}
	struct slice rest = text.len == 0 ? text : slice_skip(text, 1);
	while (ret_labels->count < components / 2) {
		struct slice name = take_component(&rest);
		struct slice value = take_component(&rest);
		struct label *label = &ret_labels->pairs[ret_labels->count++];
		enum push_url_result result = parse_label(limits, name, value, arena, label, reterr_text);
		if (result != PUSH_URL_OK) {
			return result;
		}
	}
	return PUSH_URL_OK;
}

static enum push_url_result refuse_value(
		struct arena *arena, const struct label *label, struct slice *reterr_text)
{
	struct buf before;
	buf_init(&before, 0);
	buf_append_string(&before,
			"pushed metrics are invalid or inconsistent with existing metrics: collected metric "
			"\"push_time_seconds\" has a label named ");
	quote_append(&before, labels_unescape(arena, label->name));
	buf_append_string(&before, " whose value is not utf8: ");
	enum push_url_result result = refuse(arena, reterr_text, buf_slice(&before),
			labels_unescape(arena, label->value), SLICE(""));
	buf_finish(&before);
	return result;
}

static enum push_url_result finish_labels(
		const struct push_url_limits *limits, struct arena *arena, struct labels *labels)
{
	if (labels->count > limits->labels) {
		return PUSH_URL_E_LABELS;
	}
	for (size_t i = 0; i < labels->count; i++) {
		struct label *label = &labels->pairs[i];
		if (label->name.len > limits->label_bytes || label->value.len > limits->label_bytes) {
			return PUSH_URL_E_LABEL_BYTES;
		}
		label->name = labels_escape(arena, label->name);
		label->value = labels_escape(arena, label->value);
	}
	return PUSH_URL_OK;
}

enum push_url_result push_url_parse(const struct route *route, const struct push_url_limits *limits,
		struct arena *arena, struct group_key *ret_key, struct slice *reterr_text)
{
	struct label job = { .name = SLICE("job"), .value = route->job };
	struct labels labels;
	size_t place;
	if (route->job_is_base64 && !decode_base64(arena, route->job, &job.value, &place)) {
		return refuse(arena, reterr_text, SLICE("invalid base64 encoding in job name "), job.value,
				bad_base64(arena, place));
	}
	enum push_url_result result = parse_labels(limits, route->labels, arena, &labels, reterr_text);
	if (result != PUSH_URL_OK) {
		return result;
	}
	if (job.value.len == 0) {
		*reterr_text = SLICE("job name is required");
		return PUSH_URL_E_INVALID;
	}
	/* The job of the path counts, so it comes last. */
	labels.pairs[labels.count++] = job;
	result = finish_labels(limits, arena, &labels);
	if (result == PUSH_URL_OK) {
		group_key_init(ret_key, labels);
	}
	return result;
}

enum push_url_result push_url_check_values(
		const struct group_key *key, struct arena *arena, struct slice *reterr_text)
{
	for (size_t i = 0; i < key->labels.count; i++) {
		if (!utf8_is_valid(key->labels.pairs[i].value)) {
			return refuse_value(arena, &key->labels.pairs[i], reterr_text);
		}
	}
	return PUSH_URL_OK;
}
