#include "api/targets_api.h"

#include "api/answer.h"
#include "api/json_answer.h"
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
	targets_json_append(&out, api->targets, target, true);
	json_answer_data(exchange, status, buf_slice(&out));
	buf_finish(&out);
	targets_answer(api, exchange);
}

void targets_answer_error(struct api *api, struct exchange *exchange, int status, struct slice text)
{
	json_answer_error(exchange, status, text);
	targets_answer(api, exchange);
}

static int too_large(struct exchange *exchange, size_t bytes_max, struct slice *reterr_text)
{
	*reterr_text = arena_printf(
			&exchange->arena, "the body has too many bytes: %zu are allowed", bytes_max);
	return 413;
}

int targets_decode_body(struct exchange *exchange, size_t bytes_max, struct slice *ret_body,
		struct slice *reterr_text)
{
	enum http_content_result result =
			answer_decode_body(exchange, bytes_max, ret_body, reterr_text);
	switch (result) {
	case HTTP_CONTENT_OK:
		return 0;
	case HTTP_CONTENT_E_TOO_LARGE:
		return too_large(exchange, bytes_max, reterr_text);
	case HTTP_CONTENT_E_CORRUPT:
		return 400;
	}
	return 400;
}

bool targets_take_body(
		struct api *api, struct exchange *exchange, size_t bytes_max, struct slice *ret_body)
{
	struct slice text;
	int status = targets_decode_body(exchange, bytes_max, ret_body, &text);
	if (status != 0) {
		targets_answer_error(api, exchange, status, text);
	}
	return status == 0;
}
