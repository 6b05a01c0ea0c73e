#include "api/orwell_answer.h"

#include "api/targets_api.h"
#include "api/unavailable.h"
#include "format/json.h"

/* ---- Faults ---- */

void orwell_faults_init(struct orwell_faults *faults)
{
	buf_init(&faults->text, 0);
}

void orwell_faults_finish(struct orwell_faults *faults)
{
	buf_finish(&faults->text);
}

void orwell_faults_add(struct orwell_faults *faults, const char *place, struct slice name,
		const char *type, struct slice message)
{
	struct buf *out = &faults->text;
	buf_append(out, out->len > 0 ? SLICE(",") : SLICE(""));
	buf_printf(out, "{\"loc\":[\"%s\"", place);
	if (name.len > 0) {
		buf_append_byte(out, ',');
		json_append_string(out, name);
	}
	buf_append(out, SLICE("],\"msg\":"));
	json_append_string(out, message);
	buf_printf(out, ",\"type\":\"%s\"}", type);
}

/* ---- Answers ---- */

static void set(struct exchange *exchange, int status, struct buf *json)
{
	buf_append_byte(json, '\n');
	exchange->response.status = status;
	exchange->response.content_type = SLICE("application/json");
	exchange->response.body = arena_copy(&exchange->arena, buf_slice(json));
	buf_finish(json);
}

bool orwell_answer_faults(struct api *api, struct exchange *exchange, struct orwell_faults *faults)
{
	struct buf out;
	if (faults->text.len == 0) {
		return false;
	}
	buf_init(&out, 0);
	buf_append(&out, SLICE("{\"detail\":["));
	buf_append(&out, buf_slice(&faults->text));
	buf_append(&out, SLICE("]}"));
	orwell_faults_finish(faults);
	set(exchange, 422, &out);
	targets_answer(api, exchange);
	return true;
}

void orwell_answer(struct api *api, struct exchange *exchange, struct buf *json)
{
	set(exchange, 200, json);
	targets_answer(api, exchange);
}

void orwell_set_error(struct exchange *exchange, int status, struct slice text)
{
	struct buf out;
	buf_init(&out, 0);
	buf_append(&out, SLICE("{\"detail\":{\"error\":"));
	json_append_string(&out, text);
	buf_printf(&out, ",\"code\":%d}}", status);
	set(exchange, status, &out);
}

void orwell_answer_error(struct api *api, struct exchange *exchange, int status, struct slice text)
{
	orwell_set_error(exchange, status, text);
	targets_answer(api, exchange);
}

bool orwell_is_loading(struct api *api, struct exchange *exchange)
{
	if (!api->targets->is_loading) {
		return false;
	}
	if (!targets_wait(api, exchange)) {
		unavailable_add_retry(exchange);
		orwell_answer_error(api, exchange, 503, SLICE("the targets are being loaded"));
	}
	return true;
}
