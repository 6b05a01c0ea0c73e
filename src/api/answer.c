#include "api/answer.h"

#include "http/target.h"

void answer_empty(struct exchange *exchange, int status)
{
	exchange->response.status = status;
	exchange->response.body = slice_make(NULL, 0);
}

void answer_error(struct exchange *exchange, int status, struct slice text)
{
	exchange_set_error(exchange, status, ARENA_JOIN(&exchange->arena, text, SLICE("\n")));
}

void answer_add_cors(struct exchange *exchange)
{
	answer_add_cors_of(exchange, SLICE("GET, POST, DELETE, OPTIONS"));
}

void answer_add_cors_of(struct exchange *exchange, struct slice methods)
{
	exchange_add_field(exchange, SLICE("Access-Control-Allow-Headers"),
			SLICE("Accept, Authorization, Content-Type, Origin"));
	exchange_add_field(exchange, SLICE("Access-Control-Allow-Methods"), methods);
	exchange_add_field(exchange, SLICE("Access-Control-Allow-Origin"), SLICE("*"));
	exchange_add_field(exchange, SLICE("Access-Control-Expose-Headers"), SLICE("Date"));
	exchange_add_field(
			exchange, SLICE("Cache-Control"), SLICE("no-cache, no-store, must-revalidate"));
}

/* If-None-Match: "etag", W/"another" or *. The quotes tell where an etag begins and ends. */
static bool has_it(const struct exchange *exchange, struct slice etag)
{
	struct slice known = exchange_header(exchange, SLICE("If-None-Match"));
	struct slice weak = SLICE("W/");
	struct slice quoted = slice_skip(etag, slice_starts_with(etag, weak) ? weak.len : 0);
	return slice_equal(known, SLICE("*"))
			|| (known.len > 0 && memmem(known.ptr, known.len, quoted.ptr, quoted.len) != NULL);
}

bool answer_is_known(struct exchange *exchange, struct slice etag)
{
	bool is_known = has_it(exchange, etag);
	exchange_add_field(exchange, SLICE("Cache-Control"), SLICE("public, max-age=3600"));
	exchange_add_field(exchange, SLICE("ETag"), etag);
	if (is_known) {
		answer_empty(exchange, 304);
	}
	return is_known;
}

static struct push_url_limits url_limits(const struct api *api)
{
	const struct format_options *format = &api->options.format_options;
	return (struct push_url_limits){
		.labels = format->labels,
		.label_bytes = format->label_bytes,
		.utf8_names = format->utf8_names,
	};
}

static enum push_url_result parse_key(const struct api *api, struct exchange *exchange,
		const struct route *route, struct group_key *ret_key, struct slice *ret_text)
{
	struct push_url_limits limits = url_limits(api);
	enum push_url_result result =
			push_url_parse(route, &limits, &exchange->arena, ret_key, ret_text);
	if (result == PUSH_URL_OK && exchange->request.method != METHOD_DELETE) {
		result = push_url_check_values(ret_key, &exchange->arena, ret_text);
	}
	return result;
}

bool answer_find_key(const struct api *api, struct exchange *exchange, const struct route *route,
		struct group_key *ret_key)
{
	struct slice text;
	return parse_key(api, exchange, route, ret_key, &text) == PUSH_URL_OK;
}

bool answer_read_key(struct api *api, struct exchange *exchange, const struct route *route,
		struct group_key *ret_key)
{
	struct push_url_limits limits = url_limits(api);
	struct slice text;
	enum push_url_result result = parse_key(api, exchange, route, ret_key, &text);
	switch (result) {
	case PUSH_URL_OK:
		return true;
	case PUSH_URL_E_INVALID:
		api->stats->rejected[STATS_REJECTED_URL]++;
		answer_error(exchange, 400, text);
		return false;
	case PUSH_URL_E_LABELS:
		api->format_refused[FORMAT_LIMIT_LABELS]++;
		text = arena_printf(&exchange->arena,
				"too many grouping labels: %zu labels are allowed (--limit.labels)", limits.labels);
		break;
	case PUSH_URL_E_LABEL_BYTES:
		api->format_refused[FORMAT_LIMIT_LABEL_BYTES]++;
		text = arena_printf(&exchange->arena,
				"a grouping label is too long: %zu bytes are allowed (--limit.label-bytes)",
				limits.label_bytes);
		break;
	}
	api->stats->rejected[STATS_REJECTED_LIMIT]++;
	answer_error(exchange, 413, text);
	return false;
}

bool answer_is_to_prometheus(const struct exchange *exchange)
{
	return exchange_header(exchange, SLICE("X-Prometheus-Scrape-Timeout-Seconds")).ptr != NULL;
}

enum http_content_result answer_decode_body(struct exchange *exchange, size_t bytes_max,
		struct slice *ret_body, struct slice *reterr_text)
{
	struct slice raw = exchange->request.body;
	enum http_coding coding =
			http_coding_by_name(exchange_header(exchange, SLICE("Content-Encoding")));
	if (coding == HTTP_CODING_IDENTITY) {
		*ret_body = raw;
		return raw.len <= bytes_max ? HTTP_CONTENT_OK : HTTP_CONTENT_E_TOO_LARGE;
	}
	struct buf decoded;
	struct buf error;
	buf_init(&decoded, 0);
	buf_init(&error, 0);
	enum http_content_result result = http_content_decode(coding, raw, bytes_max, &decoded, &error);
	*ret_body = arena_copy(&exchange->arena, buf_slice(&decoded));
	struct slice text = arena_copy(&exchange->arena, slice_trim(buf_slice(&error)));
	*reterr_text = slice_take_line(&text);
	buf_finish(&decoded);
	buf_finish(&error);
	return result;
}

bool answer_decode_query(struct slice raw, struct arena *arena, struct slice *ret_text)
{
	struct slice copy = arena_copy(arena, raw);
	char *bytes = (char *)(uintptr_t)copy.ptr;
	for (size_t i = 0; i < copy.len; i++) {
		bytes[i] = bytes[i] == '+' ? ' ' : bytes[i];
	}
	return http_percent_decode(copy, arena, ret_text);
}

enum stats_method answer_stats_method(const struct exchange *exchange)
{
	switch (exchange->request.method) {
	case METHOD_DELETE:
		return STATS_METHOD_DELETE;
	case METHOD_OPTIONS:
		return STATS_METHOD_OPTIONS;
	case METHOD_POST:
		return STATS_METHOD_POST;
	case METHOD_PUT:
		return STATS_METHOD_PUT;
	case METHOD_PATCH:
		return STATS_METHOD_PATCH;
	case METHOD_GET:
	case METHOD_HEAD:
	case METHOD_OTHER:
		break;
	}
	return STATS_METHOD_GET;
}
