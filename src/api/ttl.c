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

static bool read(
		struct exchange *exchange, struct slice text, int64_t *ttl_ns, struct slice *reterr_text)
{
	int64_t read_ns;
	enum duration_result result = duration_parse(text, &read_ns);
	if (result != DURATION_OK) {
		return refuse(exchange, text, duration_error(result), reterr_text);
	}
	if (read_ns < 0) {
		return refuse(exchange, text, "it must not be negative; 0 means for ever", reterr_text);
	}
	*ttl_ns = read_ns;
	return true;
}

/* Both have to be good; that of the query goes before that of the header. */
static bool read_both(struct exchange *exchange, int64_t *ttl_ns, struct slice *reterr_text)
{
	struct slice in_header = exchange_header(exchange, SLICE("Weir-TTL"));
	struct slice in_query = exchange_query_parameter(exchange, SLICE("ttl"));
	if (in_header.ptr != NULL && !read(exchange, in_header, ttl_ns, reterr_text)) {
		return false;
	}
	if (in_query.ptr == NULL) {
		return true;
	}
	if (!http_percent_decode(in_query, &exchange->arena, &in_query)) {
		return refuse(
				exchange, in_query, "a percent sign needs two hexadecimal digits", reterr_text);
	}
	return read(exchange, in_query, ttl_ns, reterr_text);
}

bool ttl_of_exchange(const struct ttl_rule *rule, struct exchange *exchange, int64_t *ret_ttl_ns,
		struct slice *reterr_text)
{
	int64_t max_ns = rule->max_ns;
	int64_t ttl_ns = rule->usual_ns;
	if (!read_both(exchange, &ttl_ns, reterr_text)) {
		return false;
	}
	*ret_ttl_ns = max_ns != 0 && (ttl_ns == 0 || ttl_ns > max_ns) ? max_ns : ttl_ns;
	return true;
}
