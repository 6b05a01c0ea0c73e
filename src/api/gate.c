#include "api/gate.h"

#include "base/clock.h"
#include "http/exchange.h"

void gate_init(struct gate *gate, struct executor *executor)
{
	*gate = (struct gate){ 0 };
	buf_init(&gate->headers, 0);
	auth_init(&gate->auth, executor);
}

void gate_finish(struct gate *gate)
{
	auth_finish(&gate->auth);
	buf_finish(&gate->headers);
}

static void set_headers(struct gate *gate, const struct web_header *headers, size_t count)
{
	gate->headers.len = 0;
	for (size_t i = 0; i < count; i++) {
		buf_append(&gate->headers, headers[i].name);
		buf_append(&gate->headers, SLICE(": "));
		buf_append(&gate->headers, headers[i].value);
		buf_append(&gate->headers, SLICE("\r\n"));
	}
}

void gate_set(struct gate *gate, const struct web_config *config)
{
	rate_limit_set(
			&gate->rate_limit, config->rate_interval_ns, config->rate_burst, clock_monotonic_ns());
	set_headers(gate, config->headers, config->header_count);
	auth_set(&gate->auth, config);
}

bool gate_is_open(const struct gate *gate)
{
	return gate->rate_limit.interval_ns == 0 && gate->headers.len == 0 && auth_is_open(&gate->auth);
}

bool gate_admit(void *data, struct exchange *exchange)
{
	struct gate *gate = data;
	if (!rate_limit_take(&gate->rate_limit, clock_monotonic_ns())) {
		gate->rate_limited++;
		exchange_set_error(exchange, 429, SLICE("Too Many Requests\n"));
		exchange_answer(exchange);
		return false;
	}
	buf_append(&exchange->response.fields, buf_slice(&gate->headers));
	return auth_admit(&gate->auth, exchange);
}
