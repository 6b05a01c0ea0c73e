#include "api/query_parameters.h"

#include <math.h>
#include <stdio.h>

#include "api/answer.h"
#include "api/query_duration.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/quote.h"
#include "base/rfc3339.h"
#include "http/chars.h"

enum {
	SECOND_MS = 1000,
	MS_NS = 1000000,
	SECOND_NS = 1000000000,
	FAR_MS = 5 * 60 * SECOND_MS, /* for so long Prometheus takes a value for the latest */
	WORK_SECONDS = 120,          /* as Prometheus has it */
	QUOTED_MAX = 100,            /* bytes of what was sent, in a sentence */
};

static const char only_selectors[] =
		"; weir answers a series selector, such as up{job=\"web\"}, and no other PromQL: "
		"that is up to a Prometheus that scrapes it";

static const double seconds_max = 9e15; /* about what Prometheus can tell */

struct reader {
	struct query *query;
	const struct exchange *exchange;
	struct slice form;
	struct arena *arena;
	struct slice *reterr_text;
};

/* ---- What is wrong ---- */

/* invalid parameter "name": what is wrong with it */
static bool refuse(struct reader *reader, const char *name, struct slice what)
{
	*reader->reterr_text = arena_printf(
			reader->arena, "invalid parameter \"%s\": " SLICE_FMT, name, SLICE_ARG(what));
	return false;
}

/* ... cannot parse "x" to a valid timestamp: what would be one */
static bool refuse_value(
		struct reader *reader, const char *name, struct slice value, const char *wanted)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append(&text, SLICE("cannot parse "));
	quote_append(&text, slice_first(value, QUOTED_MAX));
	buf_printf(&text, " to %s", wanted);
	refuse(reader, name, buf_slice(&text));
	buf_finish(&text);
	return false;
}

/* ---- Finding ---- */

/* %41 at the front; -1: there is none. */
static int escaped_byte(struct slice text)
{
	bool is_escape = text.len > 2 && text.ptr[0] == '%';
	int high = is_escape ? http_hex_digit(text.ptr[1]) : -1;
	int low = is_escape ? http_hex_digit(text.ptr[2]) : -1;
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A name may be percent-encoded. Without memory, however many names there are. */
static bool is_named(struct slice raw, struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (raw.len > 0 && raw.ptr[0] == name.ptr[i]) {
			raw = slice_skip(raw, 1);
		} else if (escaped_byte(raw) == name.ptr[i]) {
			raw = slice_skip(raw, 3);
		} else {
			return false;
		}
	}
	return raw.len == 0;
}

/* The first of that name, as it is in the text; ptr NULL: there is none. */
static struct slice find_raw(struct slice text, struct slice name)
{
	while (text.len > 0) {
		const char *and = slice_find_byte(text, '&');
		struct slice pair = and == NULL ? text : slice_between(text.ptr, and);
		text = slice_skip(text, pair.len + (and != NULL));
		const char *equals = slice_find_byte(pair, '=');
		struct slice raw = equals == NULL ? pair : slice_between(pair.ptr, equals);
		if (pair.len > 0 && is_named(raw, name)) {
			return slice_skip(pair, raw.len + (equals != NULL));
		}
	}
	return slice_make(NULL, 0);
}

/* Empty when there is none. */
static bool find(struct reader *reader, const char *name, struct slice *ret_value)
{
	struct slice wanted = slice_of_string(name);
	struct slice raw = find_raw(reader->form, wanted);
	if (raw.ptr == NULL) {
		raw = find_raw(reader->exchange->request.query, wanted);
	}
	*ret_value = slice_make(NULL, 0);
	return raw.len == 0 || answer_decode_query(raw, reader->arena, ret_value)
			|| refuse(reader, name, SLICE("invalid URL escape"));
}

/* ---- Times ---- */

static bool read_duration(struct reader *reader, const char *name, int64_t *ret_ns)
{
	struct slice value;
	if (!find(reader, name, &value)) {
		return false;
	}
	return value.len == 0 || query_duration_parse(value, ret_ns)
			|| refuse_value(reader, name, value,
					"a valid duration: it has to be seconds, such as 1.5, or like 1m30s");
}

static struct slice format_time(struct arena *arena, int64_t ms)
{
	unsigned long long positive = ms < 0 ? -(unsigned long long)ms : (unsigned long long)ms;
	const char *sign = ms < 0 ? "-" : "";
	if (positive % SECOND_MS == 0) {
		return arena_printf(arena, "%s%llu", sign, positive / SECOND_MS);
	}
	return arena_printf(arena, "%s%llu.%03llu", sign, positive / SECOND_MS, positive % SECOND_MS);
}

static bool parse_time(struct slice text, int64_t *ret_ms)
{
	int64_t seconds;
	int32_t ns;
	if (rfc3339_parse(text, &seconds, &ns)) {
		*ret_ms = seconds * SECOND_MS + ns / MS_NS;
		return true;
	}
	if (!number_is_float(text) || !(fabs(number_value(text)) <= seconds_max)) {
		return false;
	}
	*ret_ms = llround(number_value(text) * SECOND_MS);
	return true;
}

static bool read_time(struct reader *reader)
{
	struct slice value;
	int64_t now_ms = clock_wall_ns() / MS_NS;
	int64_t ms = now_ms;
	if (!find(reader, "time", &value)) {
		return false;
	}
	if (value.len > 0 && !parse_time(value, &ms)) {
		return refuse_value(reader, "time", value,
				"a valid timestamp: it has to be Unix seconds, such as 1795161340.637, "
				"or RFC 3339, such as 2026-11-20T07:55:40.637Z");
	}
	reader->query->time = format_time(reader->arena, ms);
	reader->query->is_far = ms < now_ms - FAR_MS || ms > now_ms + FAR_MS;
	return true;
}

/* ---- The others ---- */

static bool read_limit(struct reader *reader)
{
	struct slice value;
	int64_t number = 0;
	if (!find(reader, "limit", &value)) {
		return false;
	}
	if (value.len > 0 && (!number_parse_int(value, &number) || number < 0)) {
		return refuse_value(reader, "limit", value,
				"a valid limit: it has to be a whole number from 0 on, 0 for none");
	}
	reader->query->limit = (uint64_t)number;
	return true;
}

static bool read_timeout(struct reader *reader)
{
	const int64_t longest_ns = (int64_t)WORK_SECONDS * SECOND_NS;
	int64_t ns = longest_ns;
	if (!read_duration(reader, "timeout", &ns)) {
		return false;
	}
	ns = ns > longest_ns ? longest_ns : ns < 0 ? 0 : ns;
	reader->query->work_ns_limit = (uint64_t)ns;
	return true;
}

/* Each series has just one value, however old it is: there is nothing to look back on. */
static bool read_lookback(struct reader *reader)
{
	int64_t ignored;
	return read_duration(reader, "lookback_delta", &ignored);
}

/* ---- The selector ---- */

/* 2:7: parse error: what */
static bool refuse_selector(
		struct reader *reader, struct slice text, const struct selector_error *error)
{
	size_t line = 1;
	size_t start = 0;
	for (size_t i = 0; i < error->position; i++) {
		if (text.ptr[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	return refuse(reader, "query",
			arena_printf(reader->arena, "%zu:%zu: parse error: " SLICE_FMT "%s", line,
					error->position - start + 1, SLICE_ARG(error->what),
					error->is_outside ? only_selectors : ""));
}

/* What may be known of all series that can match. */
static void look_at_matchers(struct query *query)
{
	const struct selector *selector = &query->selectors.selectors[0];
	for (size_t i = 0; i < selector->count; i++) {
		const struct matcher *matcher = &selector->matchers[i];
		query->has_patterns = query->has_patterns || matcher->pattern != NULL;
		if (matcher->name.len == 0 && matcher->kind == MATCHER_EQUAL && query->name.len == 0) {
			query->name = matcher->value;
		}
	}
}

static bool read_selector(struct reader *reader)
{
	struct slice text;
	struct selector_error error = { 0 };
	if (!find(reader, "query", &text)) {
		return false;
	}
	if (slice_trim(text).len == 0) {
		return refuse(reader, "query",
				SLICE("unknown position: parse error: no expression found in input; it has to be "
					  "a series selector, such as up{job=\"web\"}, in the URL or, with POST, "
					  "in a form (application/x-www-form-urlencoded)"));
	}
	if (!selectors_add(&reader->query->selectors, text, reader->arena, &error)) {
		return refuse_selector(reader, text, &error);
	}
	look_at_matchers(reader->query);
	return true;
}

bool query_parameters_read(struct query *query, const struct exchange *exchange, struct slice form,
		struct arena *arena, struct slice *reterr_text)
{
	struct reader reader = {
		.query = query,
		.exchange = exchange,
		.form = form,
		.arena = arena,
		.reterr_text = reterr_text,
	};
	*query = (struct query){ 0 };
	return read_limit(&reader) && read_time(&reader) && read_timeout(&reader)
			&& read_lookback(&reader) && read_selector(&reader);
}
