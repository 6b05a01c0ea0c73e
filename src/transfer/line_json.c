#include "transfer/line_json.h"

#include <pthread.h>

#include "base/buf.h"
#include "base/quote.h"
#include "base/utf8.h"

static pthread_mutex_t parsing = PTHREAD_MUTEX_INITIALIZER;

/* ---- Before it is parsed ---- */

struct scan {
	struct slice text;
	size_t at;
	size_t depth;
	size_t values;
	size_t zeros; /* \u0000 */
	const char *fault;
};

static bool fail(struct scan *scan, const char *fault)
{
	scan->fault = fault;
	return false;
}

static bool is_zero(struct slice escape)
{
	return slice_starts_with(escape, SLICE("\\u0000"));
}

/* 0 behind the end. */
static char byte_at(const struct scan *scan, size_t offset)
{
	return scan->at + offset < scan->text.len ? scan->text.ptr[scan->at + offset] : '\0';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex_digit(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/* Behind the backslash. cJSON reads an escape with other digits as the end of the text. */
static bool scan_escape(struct scan *scan)
{
	char c = byte_at(scan, 0);
	if (scan->at == scan->text.len) {
		return fail(scan, "it ends within a string");
	}
	if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL) {
		return fail(scan, "an escape that there is not in JSON");
	}
	for (size_t i = 1; c == 'u' && i <= 4; i++) {
		if (!is_hex_digit(byte_at(scan, i))) {
			return fail(scan, "a \\u without four hexadecimal digits");
		}
	}
	scan->at += c == 'u' ? 5 : 1;
	return true;
}

/* From behind the opening quote to behind the closing one. */
static bool scan_string(struct scan *scan)
{
	while (scan->at < scan->text.len) {
		unsigned char c = (unsigned char)scan->text.ptr[scan->at];
		if (c < ' ') {
			return fail(scan, "a control character in a string, which JSON has escaped");
		}
		scan->zeros += c == '\\' && is_zero(slice_skip(scan->text, scan->at));
		scan->at++;
		if (c == '"') {
			return true;
		}
		if (c == '\\' && !scan_escape(scan)) {
			return false;
		}
	}
	return fail(scan, "it ends within a string");
}

/* False when there is none. */
static bool skip_digits(struct scan *scan)
{
	size_t start = scan->at;
	while (is_digit(byte_at(scan, 0))) {
		scan->at++;
	}
	return scan->at > start;
}

/* -12.5e+3: cJSON takes whatever strtod() does, such as 01 and 1. */
static bool scan_number(struct scan *scan)
{
	scan->at += byte_at(scan, 0) == '-';
	size_t start = scan->at;
	bool is_good = skip_digits(scan);
	is_good = is_good && (scan->text.ptr[start] != '0' || scan->at == start + 1);
	if (is_good && byte_at(scan, 0) == '.') {
		scan->at++;
		is_good = skip_digits(scan);
	}
	if (is_good && (byte_at(scan, 0) | 0x20) == 'e') {
		scan->at++;
		scan->at += byte_at(scan, 0) == '-' || byte_at(scan, 0) == '+';
		is_good = skip_digits(scan);
	}
	return is_good || fail(scan, "a number that JSON writes in another way");
}

/* What cJSON takes for blanks: every byte up to the blank, and a byte order mark. */
static bool is_blank_to_cjson_alone(char byte)
{
	return (byte >= '\0' && byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r')
			|| (unsigned char)byte >= 0x80;
}

static bool scan_plain(struct scan *scan)
{
	char c = scan->text.ptr[scan->at - 1];
	if (is_digit(c) || c == '-') {
		scan->at--;
		return scan_number(scan);
	}
	return !is_blank_to_cjson_alone(c)
			|| fail(scan, "something outside of strings that is no part of JSON");
}

static bool scan_byte(struct scan *scan)
{
	switch (scan->text.ptr[scan->at++]) {
	case '"':
		return scan_string(scan);
	case '[':
	case '{':
		scan->values++;
		scan->depth++;
		return scan->depth <= LINE_JSON_DEPTH_MAX || fail(scan, "too many brackets in brackets");
	case ']':
	case '}':
		scan->depth -= scan->depth > 0;
		return true;
	case ',':
		scan->values++;
		return scan->values <= LINE_JSON_VALUES_MAX || fail(scan, "too many values on one line");
	default:
		return scan_plain(scan);
	}
}

/* The text with C0 80 for each \u0000. */
static struct slice replace_zeros(struct slice text, struct arena *arena)
{
	char *copy = arena_text(arena, text.len);
	char *out = copy;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\\' || i + 1 == text.len) {
			*out++ = text.ptr[i];
		} else if (is_zero(slice_skip(text, i))) {
			memcpy(out, "\xc0\x80", 2);
			out += 2;
			i += strlen("\\u0000") - 1;
		} else {
			*out++ = text.ptr[i++];
			*out++ = text.ptr[i];
		}
	}
	return slice_between(copy, out);
}

/* ---- The tree ---- */

cJSON *line_json_parse(struct slice text, struct arena *arena, struct slice *reterr_what)
{
	struct scan scan = { .text = text };
	if (!utf8_is_valid(text)) {
		*reterr_what = SLICE("it is not UTF-8");
		return NULL;
	}
	while (scan.at < text.len) {
		if (!scan_byte(&scan)) {
			*reterr_what = slice_of_string(scan.fault);
			return NULL;
		}
	}
	struct slice clean = scan.zeros == 0 ? text : replace_zeros(text, arena);
	const char *end = NULL;
	pthread_mutex_lock(&parsing);
	cJSON *tree = cJSON_ParseWithLengthOpts(clean.ptr, clean.len, &end, false);
	pthread_mutex_unlock(&parsing);
	size_t place = end == NULL ? 0 : (size_t)(end - clean.ptr);
	bool is_all = tree != NULL && slice_trim(slice_skip(clean, place)).len == 0;
	if (!is_all) {
		cJSON_Delete(tree);
		*reterr_what = arena_printf(arena,
				tree == NULL ? "no JSON at byte %zu" : "more than one value, at byte %zu",
				place + 1);
		return NULL;
	}
	return tree;
}

struct slice line_json_text(const char *string, struct arena *arena)
{
	size_t len = strlen(string);
	char *text = arena_text(arena, len);
	char *out = text;
	for (size_t i = 0; i < len; i++) {
		bool is_zero_here = (unsigned char)string[i] == 0xc0;
		*out++ = is_zero_here ? '\0' : string[i];
		i += is_zero_here;
	}
	return slice_between(text, out);
}

/* ---- Members ---- */

static struct slice describe_name(const char *what, const cJSON *field, struct arena *arena)
{
	enum { SHOWN_MAX = 64 };
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, what);
	quote_append(&text, slice_first(line_json_text(field->string, arena), SHOWN_MAX));
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

bool line_json_fields(const cJSON *object, const char *const *names, size_t count,
		const cJSON **ret_fields, struct arena *arena, struct slice *reterr_what)
{
	memset((void *)ret_fields, 0, count * sizeof(*ret_fields));
	for (const cJSON *field = object->child; field != NULL; field = field->next) {
		size_t i = 0;
		while (i < count && strcmp(names[i], field->string) != 0) {
			i++;
		}
		if (i == count || ret_fields[i] != NULL) {
			*reterr_what = describe_name(
					i == count ? "there is no key " : "there is twice the key ", field, arena);
			return false;
		}
		ret_fields[i] = field;
	}
	return true;
}
