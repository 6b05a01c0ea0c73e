#include "api/targets_api.h"

#include "api/answer.h"
#include "api/json_answer.h"
#include "api/unavailable.h"
#include "http/content.h"
#include "targets/targets_json.h"

void targets_answer(struct api *api, struct exchange *exchange)
{
	answer_add_cors(exchange);
	stats_count_request(api->stats, STATS_HANDLER_API_TARGETS, answer_stats_method(exchange),
			(unsigned)exchange->response.status);
	exchange_answer(exchange);
}

/* A change that waits to be stored; its exchange has its answer. */
struct stored_change {
	struct api *api;
	struct exchange *exchange;
	struct slice location;
};

static void on_stored(void *data, struct slice why_not)
{
	struct stored_change *change = data;
	struct exchange *exchange = change->exchange;
	if (why_not.ptr != NULL) {
		unavailable_add_retry(exchange);
		json_answer_error(exchange, 503,
				ARENA_JOIN(&exchange->arena, SLICE("it is changed, but not stored: "), why_not));
	} else if (change->location.len > 0) {
		exchange_add_field(exchange, SLICE("Location"), change->location);
	}
	targets_answer(change->api, exchange);
}

void targets_answer_when_stored(struct api *api, struct exchange *exchange, struct slice location)
{
	const struct targets_keeper *keeper = &api->targets_keeper;
	struct stored_change *change = arena_alloc(&exchange->arena, sizeof(*change));
	*change = (struct stored_change){ .api = api, .exchange = exchange, .location = location };
	if (keeper->when_stored == NULL) {
		on_stored(change, slice_make(NULL, 0));
	} else {
		keeper->when_stored(keeper->data, on_stored, change);
	}
}

void targets_set_target(
		struct api *api, struct exchange *exchange, int status, const struct target *target)
{
	struct buf out;
	buf_init(&out, 0);
	targets_json_append(&out, api->targets, target);
	json_answer_data(exchange, status, buf_slice(&out));
	buf_finish(&out);
}

void targets_answer_error(struct api *api, struct exchange *exchange, int status, struct slice text)
{
	json_answer_error(exchange, status, text);
	targets_answer(api, exchange);
}

bool targets_are_loading(struct api *api, struct exchange *exchange)
{
	if (api->targets->is_loading) {
		unavailable_add_retry(exchange);
		targets_answer_error(api, exchange, 503, SLICE("the targets are being loaded"));
	}
	return api->targets->is_loading;
}

bool targets_are_away(struct api *api, struct exchange *exchange)
{
	const struct targets_keeper *keeper = &api->targets_keeper;
	struct slice why = slice_make(NULL, 0);
	if (targets_are_loading(api, exchange)) {
		return true;
	}
	if (keeper->why_away != NULL) {
		why = keeper->why_away(keeper->data);
	}
	if (why.ptr != NULL) {
		unavailable_add_retry(exchange);
		targets_answer_error(api, exchange, 503,
				ARENA_JOIN(&exchange->arena, SLICE("nothing was changed: "), why));
	}
	return why.ptr != NULL;
}

static bool refuse_size(struct api *api, struct exchange *exchange, size_t bytes_max)
{
	targets_answer_error(api, exchange, 413,
			arena_printf(
					&exchange->arena, "the body has too many bytes: %zu are allowed", bytes_max));
	return false;
}

bool targets_take_body(
		struct api *api, struct exchange *exchange, size_t bytes_max, struct slice *ret_body)
{
	struct slice raw = exchange->request.body;
	enum http_coding coding =
			http_coding_by_name(exchange_header(exchange, SLICE("Content-Encoding")));
	if (coding == HTTP_CODING_IDENTITY) {
		*ret_body = raw;
		return raw.len <= bytes_max || refuse_size(api, exchange, bytes_max);
	}
	struct buf decoded;
	struct buf error;
	buf_init(&decoded, 0);
	buf_init(&error, 0);
	enum http_content_result result = http_content_decode(coding, raw, bytes_max, &decoded, &error);
	*ret_body = arena_copy(&exchange->arena, buf_slice(&decoded));
	struct slice text = arena_copy(&exchange->arena, slice_trim(buf_slice(&error)));
	buf_finish(&decoded);
	buf_finish(&error);
	switch (result) {
	case HTTP_CONTENT_OK:
		return true;
	case HTTP_CONTENT_E_TOO_LARGE:
		return refuse_size(api, exchange, bytes_max);
	case HTTP_CONTENT_E_CORRUPT:
		targets_answer_error(api, exchange, 400, slice_take_line(&text));
		return false;
	}
	return false;
}
