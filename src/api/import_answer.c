#include "api/import_state.h"
#include "base/number.h"
#include "format/json.h"

void import_refuse(struct import *import, const struct import_item *item, struct slice reason)
{
	struct import_outcome *outcome = &import->outcome;
	struct arena *arena = &import->exchange->arena;
	outcome->refused++;
	if (outcome->fault_count < IMPORT_FAULTS_MAX) {
		outcome->faults[outcome->fault_count++] = (struct import_fault){
			.line = item->number,
			.group = arena_copy(arena, item->group),
			.reason = arena_copy(arena, reason),
		};
	}
}

static void append_count(struct buf *out, const char *head, uint64_t count)
{
	char digits[NUMBER_TEXT_MAX];
	buf_append_string(out, head);
	buf_append(out, slice_make(digits, number_format_uint(count, digits)));
}

static void append_faults(struct buf *out, const struct import_outcome *outcome)
{
	buf_append(out, SLICE(",\"faults\":["));
	for (size_t i = 0; i < outcome->fault_count; i++) {
		const struct import_fault *fault = &outcome->faults[i];
		append_count(out, i == 0 ? "{\"line\":" : ",{\"line\":", fault->line);
		if (fault->group.len > 0) {
			buf_append(out, SLICE(",\"group\":"));
			json_append_string(out, fault->group);
		}
		buf_append(out, SLICE(",\"reason\":"));
		json_append_string(out, fault->reason);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
}

static void set_json(struct exchange *exchange, int status, struct buf *text)
{
	exchange->response.status = status;
	exchange->response.content_type = SLICE("application/json");
	exchange->response.body = arena_copy(&exchange->arena, buf_slice(text));
	buf_finish(text);
}

void import_set_answer(struct import *import)
{
	const struct import_outcome *outcome = &import->outcome;
	struct buf out;
	buf_init(&out, 0);
	append_count(&out, "{\"status\":\"success\",\"data\":{\"groups\":", outcome->groups);
	append_count(&out, ",\"series\":", outcome->series);
	append_count(&out, ",\"unchanged\":", outcome->unchanged);
	if (import->only_newer) {
		append_count(&out, ",\"kept\":", outcome->kept);
	}
	append_count(&out, ",\"expired\":", outcome->expired);
	append_count(&out, ",\"refused\":", outcome->refused);
	buf_append_string(&out, outcome->is_cut ? ",\"cut\":true" : "");
	append_faults(&out, outcome);
	buf_append(&out, SLICE("}}"));
	set_json(import->exchange, 200, &out);
}

void import_set_error(struct exchange *exchange, int status, struct slice text)
{
	struct buf out;
	buf_init(&out, 0);
	buf_append(&out, SLICE("{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":"));
	json_append_string(&out, text);
	buf_append_byte(&out, '}');
	set_json(exchange, status, &out);
}
