#include "api/json_answer.h"

#include "format/json.h"

static struct slice type_of(int status)
{
	switch (status) {
	case 400:
		return SLICE("bad_data");
	case 404:
		return SLICE("not_found");
	case 409:
		return SLICE("conflict");
	case 413:
	case 429:
		return SLICE("limit");
	case 422:
		return SLICE("unprocessable");
	case 503:
		return SLICE("unavailable");
	default:
		return SLICE("internal");
	}
}

static void set_body(struct exchange *exchange, int status, struct buf *text)
{
	exchange->response.status = status;
	exchange->response.content_type = SLICE("application/json");
	exchange->response.body = arena_copy(&exchange->arena, buf_slice(text));
	buf_finish(text);
}

static void append_fault(struct buf *out, struct slice error_type, struct slice text)
{
	buf_append(out, SLICE("{\"status\":\"error\",\"errorType\":\""));
	buf_append(out, error_type);
	buf_append(out, SLICE("\",\"error\":"));
	json_append_string(out, text);
	buf_append_byte(out, '}');
}

void json_answer_error(struct exchange *exchange, int status, struct slice text)
{
	struct buf out;
	buf_init(&out, 0);
	append_fault(&out, type_of(status), text);
	buf_append_byte(&out, '\n');
	set_body(exchange, status, &out);
}

void json_answer_fault(
		struct exchange *exchange, int status, struct slice error_type, struct slice text)
{
	struct buf out;
	buf_init(&out, 0);
	append_fault(&out, error_type, text);
	set_body(exchange, status, &out);
}

void json_answer_data(struct exchange *exchange, int status, struct slice data)
{
	struct buf out;
	buf_init(&out, 0);
	buf_append(&out, SLICE("{\"status\":\"success\",\"data\":"));
	buf_append(&out, data);
	buf_append(&out, SLICE("}\n"));
	set_body(exchange, status, &out);
}
