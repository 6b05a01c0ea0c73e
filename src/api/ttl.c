#include "api/ttl.h"

#include "base/buf.h"
#include "base/duration.h"
#include "base/quote.h"
#include "http/target.h"

static bool refuse(
		struct exchange *exchange, struct slice text, const char *why, struct slice *reterr_text)
{
	struct buf out;
	buf_init(&out, 0);
	buf_append(&out, SLICE("invalid time to live "));
	quote_append(&out, slice_first(text, 64));
	buf_printf(&out, ": %s", why);
	*reterr_text = arena_copy(&exchange->arena, buf_slice(&out));
	buf_finish(&out);
	return false;
}

bool ttl_of_exchange(const struct ttl_rule *rule, struct exchange *exchange, int64_t *ret_ttl_ns,
		struct slice *reterr_text)
{
	int64_t ttl_ns = rule->usual_ns;
	struct slice text = exchange_query_parameter(exchange, SLICE("ttl"));
	if (text.ptr == NULL) {
		text = exchange_header(exchange, SLICE("Weir-TTL"));
	} else if (!http_percent_decode(text, &exchange->arena, &text)) {
		return refuse(exchange, text, "a percent sign needs two hexadecimal digits", reterr_text);
	}
	if (text.ptr != NULL) {
		enum duration_result result = duration_parse(text, &ttl_ns);
		if (result != DURATION_OK) {
			return refuse(exchange, text, duration_error(result), reterr_text);
		}
		if (ttl_ns < 0) {
			return refuse(exchange, text, "it must not be negative; 0 means for ever", reterr_text);
		}
	}
	int64_t max_ns = rule->max_ns;
	*ret_ttl_ns = max_ns != 0 && (ttl_ns == 0 || ttl_ns > max_ns) ? max_ns : ttl_ns;
	return true;
}
