#include "api/targets_api.h"

#include "api/answer.h"
#include "api/json_answer.h"
#include "http/content.h"
#include "targets/targets_json.h"

void targets_answer(struct api *api, struct exchange *exchange)
{
	answer_add_cors(exchange);
	stats_count_request(api->stats, STATS_HANDLER_API_TARGETS, answer_stats_method(exchange),
			(unsigned)exchange->response.status);
	exchange_answer(exchange);
}

void targets_answer_target(
		struct api *api, struct exchange *exchange, int status, const struct target *target)
{
	struct buf out;
	buf_init(&out, 0);
	targets_json_append(&out, api->targets, target);
	json_answer_data(exchange, status, buf_slice(&out));
	buf_finish(&out);
	targets_answer(api, exchange);
}

void targets_answer_error(struct api *api, struct exchange *exchange, int status, struct slice text)
{
	json_answer_error(exchange, status, text);
	targets_answer(api, exchange);
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
