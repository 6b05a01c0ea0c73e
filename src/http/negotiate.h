#pragma once

/*
 * What a client wants back: Accept and Accept-Encoding (RFC 9110, section
 * 12.5). Nothing here fails: who asks for what weir does not have gets the
 * text format, uncompressed.
 */

#include <stdbool.h>

#include "base/slice.h"
#include "http/content.h"
#include "http/exchange.h"

/* The forms of a page of metrics. */
enum http_exposition {
	HTTP_EXPOSITION_TEXT_0_0_4,
	HTTP_EXPOSITION_TEXT_1_0_0, /* the same page under the name that Prometheus 3 asks for */
	HTTP_EXPOSITION_OPENMETRICS_0_0_1,
	HTTP_EXPOSITION_OPENMETRICS_1_0_0,
	HTTP_EXPOSITION_PROTOBUF, /* delimited */
	HTTP_EXPOSITION_COUNT,
};

/* What there is beside text. */
struct http_offer {
	bool openmetrics;
	bool protobuf;
};

struct http_negotiated {
	enum http_exposition exposition;
	struct slice escaping; /* underscores, allow-utf-8, dots or values; static */
};

/* One of its two versions. */
static inline bool http_negotiated_is_openmetrics(const struct http_negotiated *negotiated)
{
	return negotiated->exposition == HTTP_EXPOSITION_OPENMETRICS_0_0_1
			|| negotiated->exposition == HTTP_EXPOSITION_OPENMETRICS_1_0_0;
}

/*
 * A header whose value is a list, with commas between the values of several
 * lines; then in the exchange's arena. ptr NULL when it is absent.
 */
struct slice http_list_header(struct exchange *exchange, struct slice name);

/*
 * By the Accept header: of the ranges that name what is offered, the one with
 * the highest q; of equals the more specific one, then the first. Wildcards
 * stand for text 0.0.4.
 *
 * The escaping is what the range asks for. When it does not, what the ranges
 * above it asked for last, although they were passed over: as Go's expfmt.
 */
struct http_negotiated http_negotiate_exposition(struct slice accept, struct http_offer offer);

/* The response's Content-Type, in the exchange's arena. */
struct slice http_negotiated_type(
		const struct http_negotiated *negotiated, struct exchange *exchange);

/*
 * By the Accept-Encoding header: gzip, zstd where it is offered, or identity.
 * A coding is used when it is named, allowed and ranked no lower than
 * identity; a lone "*" names none, as Pushgateway has it. Of equals gzip, since
 * several threads can work on one page.
 */
enum http_coding http_negotiate_coding(struct slice accept_encoding, bool offers_zstd);
