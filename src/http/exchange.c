#include "http/exchange.h"

#include <assert.h>

#include "http/server.h"
#include "http/session.h"

static const struct slice none = { NULL, 0 };

struct slice exchange_header(const struct exchange *exchange, struct slice name)
{
	const struct http_request *request = &exchange->request;
	for (size_t i = 0; i < request->header_count; i++) {
		if (slice_equal_nocase(request->headers[i].name, name)) {
			return request->headers[i].value;
		}
	}
	return none;
}

size_t exchange_count_headers(const struct exchange *exchange, struct slice name)
{
	const struct http_request *request = &exchange->request;
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++) {
		count += slice_equal_nocase(request->headers[i].name, name);
	}
	return count;
}

struct slice exchange_query_parameter(const struct exchange *exchange, struct slice name)
{
	struct slice rest = exchange->request.query;
	while (rest.len != 0) {
		const char *and = slice_find_byte(rest, '&');
		struct slice pair = and == NULL ? rest : slice_between(rest.ptr, and);
		rest = slice_skip(rest, and == NULL ? rest.len : pair.len + 1);

		const char *equals = slice_find_byte(pair, '=');
		struct slice key = equals == NULL ? pair : slice_between(pair.ptr, equals);
		if (slice_equal(key, name)) {
			return slice_skip(pair, equals == NULL ? pair.len : key.len + 1);
		}
	}
	return none;
}

struct exchange *exchange_before(const struct exchange *exchange)
{
	const struct http_session *session = exchange->session;
	if (session == NULL || exchange->link.prev == &session->exchanges) {
		return NULL;
	}
	return LIST_ENTRY(exchange->link.prev, struct exchange, link);
}

void exchange_add_field(struct exchange *exchange, struct slice name, struct slice value)
{
	struct buf *fields = &exchange->response.fields;
	buf_append(fields, name);
	buf_append(fields, SLICE(": "));
	buf_append(fields, value);
	buf_append(fields, SLICE("\r\n"));
}

static bool has_field(const struct exchange *exchange, struct slice name)
{
	struct slice rest = buf_slice(&exchange->response.fields);
	while (rest.len > name.len) {
		if (rest.ptr[name.len] == ':' && slice_starts_with(rest, name)) {
			return true;
		}
		(void)slice_take_line(&rest);
	}
	return false;
}

void exchange_add_missing_field(struct exchange *exchange, struct slice name, struct slice value)
{
	if (!has_field(exchange, name)) {
		exchange_add_field(exchange, name, value);
	}
}

void exchange_set_error(struct exchange *exchange, int status, struct slice text)
{
	exchange->response.status = status;
	exchange->response.content_type = SLICE("text/plain; charset=utf-8");
	exchange->response.body = arena_copy(&exchange->arena, text);
	exchange_add_missing_field(exchange, SLICE("X-Content-Type-Options"), SLICE("nosniff"));
}

void exchange_admit(struct exchange *exchange)
{
	assert(exchange->wire.awaits_admission);
	exchange->wire.awaits_admission = false;
	if (exchange->session == NULL) {
		http_server_give_back(exchange->wire.server, exchange);
	} else {
		http_session_admit(exchange->session);
	}
}

void exchange_answer(struct exchange *exchange)
{
	assert(!exchange->answered);
	exchange->answered = true;
	if (exchange->wire.is_handed) {
		exchange->wire.is_handed = false;
		exchange->wire.server->unanswered--;
	}
	if (exchange->session == NULL) {
		http_server_give_back(exchange->wire.server, exchange);
	} else if (exchange->wire.awaits_admission) {
		exchange->wire.awaits_admission = false;
		http_session_turn_away(exchange->session);
	} else {
		http_session_answered(exchange->session);
	}
}
