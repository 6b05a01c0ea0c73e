#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/json_answer.h"
#include "api/query_result.h"
#include "api/task.h"
#include "base/memory.h"
#include "http/coded_body.h"
#include "http/media_type.h"

enum { FORM_BYTES_MAX = 1024 * 1024 };

/* An instant query: its result as a response body, with what was asked for. */
struct query_run {
	struct query_result result;
	struct api_task task; /* what comes behind on the same connection waits */
	struct api *api;
	struct arena arena;
	struct query query;
	struct http_body *body;
};

/* ---- Answers ---- */

static void count_answer(struct api *api, const struct exchange *exchange)
{
	stats_count_request(api->stats, STATS_HANDLER_API_QUERY, answer_stats_method(exchange),
			(unsigned)exchange->response.status);
}

static void refuse(struct api *api, struct exchange *exchange, int status, struct slice error_type,
		struct slice text)
{
	json_answer_fault(exchange, status, error_type, text);
	count_answer(api, exchange);
	exchange_answer(exchange);
}

static void refuse_failed(struct query_run *run, struct exchange *exchange)
{
	switch (run->result.failure) {
	case QUERY_E_TIMEOUT:
		refuse(run->api, exchange, 503, SLICE("timeout"),
				SLICE("the query took longer than it may: see the parameter \"timeout\""));
		return;
	case QUERY_E_PATTERN:
	case QUERY_IS_GOOD:
		break;
	}
	refuse(run->api, exchange, 422, SLICE("execution"),
			SLICE("a regular expression takes too many steps on a value"));
}

/* ---- The form ---- */

/*
 * What is no form is not looked at, as in Go. False when the exchange was answered with
 * what is wrong.
 */
static bool take_form(struct api *api, struct exchange *exchange, struct slice *ret_form)
{
	struct slice text;
	*ret_form = SLICE("");
	if (exchange->request.method != METHOD_POST
			|| !media_type_is_form(exchange_header(exchange, SLICE("Content-Type")))) {
		return true;
	}
	switch (answer_decode_body(exchange, FORM_BYTES_MAX, ret_form, &text)) {
	case HTTP_CONTENT_OK:
		return true;
	case HTTP_CONTENT_E_TOO_LARGE:
		refuse(api, exchange, 413, SLICE("bad_data"),
				arena_printf(&exchange->arena, "the form has too many bytes: %d are allowed",
						FORM_BYTES_MAX));
		return false;
	case HTTP_CONTENT_E_CORRUPT:
		refuse(api, exchange, 400, SLICE("bad_data"), text);
		return false;
	}
	return false;
}

/* ---- Running ---- */

static void close_run(struct worked_source *source)
{
	struct query_result *result = LIST_ENTRY(source, struct query_result, source);
	struct query_run *run = LIST_ENTRY(result, struct query_run, result);
	query_result_finish(result);
	api_task_end(&run->task);
	arena_finish(&run->arena);
	free(run);
}

/* There is a first piece, or none because the query failed. */
static void on_first(void *data)
{
	struct query_run *run = data;
	struct http_body *body = run->body;
	struct exchange *exchange = run->task.exchange;
	run->task.exchange = NULL;
	if (worked_body_has_failed(body)) {
		refuse_failed(run, exchange);
		body->close(body);
		return;
	}
	exchange->response.status = 200;
	exchange->response.content_type = SLICE("application/json");
	count_answer(run->api, exchange);
	coded_body_answer(&run->api->coded_pool, exchange, body);
	exchange_answer(exchange);
}

static void begin(struct query_run *run, struct exchange *exchange)
{
	struct api *api = run->api;
	query_result_init(&run->result, api, &run->query);
	run->result.source.close = close_run;
	run->body = worked_body_create(api->executor, &run->result.source);
	run->body->ready = on_first;
	run->body->ready_data = run;
	api_task_begin(&run->task, api, exchange);
	if (worked_body_begin(run->body)) {
		on_first(run);
	}
}

void query_handle(struct api *api, struct exchange *exchange)
{
	struct slice form;
	struct slice fault;
	if (!take_form(api, exchange, &form)) {
		return;
	}
	struct query_run *run = memory_zalloc(1, sizeof(*run));
	run->api = api;
	arena_init(&run->arena);
	if (query_parameters_read(&run->query, exchange, form, &run->arena, &fault)) {
		begin(run, exchange);
		return;
	}
	fault = arena_copy(&exchange->arena, fault);
	arena_finish(&run->arena);
	free(run);
	refuse(api, exchange, 400, SLICE("bad_data"), fault);
}
