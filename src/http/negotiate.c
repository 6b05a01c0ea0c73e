#include "http/negotiate.h"

#include "http/field_value.h"

enum { QUALITY_ONE = 1000 };

/* ---- Ranges ---- */

/* In thousandths: "0.5" is 500, and so is ".5". What cannot be read is 0, the cautious answer. */
static int read_quality(struct slice text)
{
	int quality = 0;
	if (text.len != 0 && (text.ptr[0] == '0' || text.ptr[0] == '1')) {
		quality = (text.ptr[0] - '0') * QUALITY_ONE;
		text = slice_skip(text, 1);
	} else if (text.len < 2) {
		return 0;
	}
	if (text.len != 0 && text.ptr[0] != '.') {
		return 0;
	}
	int weight = QUALITY_ONE / 10;
	for (size_t i = 1; i < text.len; i++, weight /= 10) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return 0;
		}
		quality += (text.ptr[i] - '0') * weight;
	}
	return quality < QUALITY_ONE ? quality : QUALITY_ONE;
}

/* What is said of a range or coding; a parameter that is absent is empty. */
struct parameters {
	int quality; /* 1 when there is no q */
	struct slice version;
	struct slice proto;
	struct slice encoding;
	struct slice escaping;
};

static struct parameters read_parameters(struct slice text)
{
	struct parameters parameters = { .quality = QUALITY_ONE };
	struct slice name;
	struct slice value;
	while (field_take_parameter(&text, &name, &value)) {
		if (slice_equal_nocase(name, SLICE("q"))) {
			parameters.quality = read_quality(value);
		} else if (slice_equal_nocase(name, SLICE("version"))) {
			parameters.version = value;
		} else if (slice_equal_nocase(name, SLICE("proto"))) {
			parameters.proto = value;
		} else if (slice_equal_nocase(name, SLICE("encoding"))) {
			parameters.encoding = value;
		} else if (slice_equal_nocase(name, SLICE("escaping"))) {
			parameters.escaping = value;
		}
	}
	return parameters;
}

/* ---- Accept ---- */

/* An exposition, by the media type, and the version where it has several, that name it. */
static const struct form {
	struct slice type;
	struct slice version;
	struct slice content_type;
} forms[HTTP_EXPOSITION_COUNT] = {
	[HTTP_EXPOSITION_TEXT_0_0_4] = { SLICE_INIT("text/plain"), SLICE_INIT("0.0.4"),
			SLICE_INIT("text/plain; version=0.0.4; charset=utf-8") },
	[HTTP_EXPOSITION_TEXT_1_0_0] = { SLICE_INIT("text/plain"), SLICE_INIT("1.0.0"),
			SLICE_INIT("text/plain; version=1.0.0; charset=utf-8") },
	[HTTP_EXPOSITION_OPENMETRICS_0_0_1] = { SLICE_INIT("application/openmetrics-text"),
			SLICE_INIT("0.0.1"),
			SLICE_INIT("application/openmetrics-text; version=0.0.1; charset=utf-8") },
	[HTTP_EXPOSITION_OPENMETRICS_1_0_0] = { SLICE_INIT("application/openmetrics-text"),
			SLICE_INIT("1.0.0"),
			SLICE_INIT("application/openmetrics-text; version=1.0.0; charset=utf-8") },
	[HTTP_EXPOSITION_PROTOBUF] = { SLICE_INIT("application/vnd.google.protobuf"), SLICE_INIT(""),
			SLICE_INIT("application/vnd.google.protobuf; "
					   "proto=io.prometheus.client.MetricFamily; encoding=delimited") },
};

/* The first is meant when nothing is said. */
static const struct slice escapings[] = {
	SLICE_INIT("underscores"),
	SLICE_INIT("allow-utf-8"),
	SLICE_INIT("dots"),
	SLICE_INIT("values"),
};

/* One element of Accept. */
struct range {
	size_t index; /* from the left */
	int quality;
	int wildcards;
	enum http_exposition exposition; /* HTTP_EXPOSITION_COUNT: none that is offered */
	const struct slice *escaping;    /* NULL: none that is known */
};

/* Whether the range a goes before b. */
static bool is_before(const struct range *a, const struct range *b)
{
	if (a->quality != b->quality) {
		return a->quality > b->quality;
	}
	return a->wildcards != b->wildcards ? a->wildcards < b->wildcards : a->index < b->index;
}

static const struct slice *find_escaping(struct slice name)
{
	for (size_t i = 0; i < sizeof(escapings) / sizeof(escapings[0]); i++) {
		if (slice_equal(escapings[i], name)) {
			return &escapings[i];
		}
	}
	return NULL;
}

static int count_wildcards(struct slice type)
{
	if (slice_equal(type, SLICE("*/*")) || slice_equal(type, SLICE("*"))) {
		return 2;
	}
	return slice_equal_nocase(type, SLICE("text/*")) ? 1 : 0;
}

static bool is_offered(enum http_exposition exposition, struct http_offer offer)
{
	switch (exposition) {
	case HTTP_EXPOSITION_OPENMETRICS_0_0_1:
	case HTTP_EXPOSITION_OPENMETRICS_1_0_0:
		return offer.openmetrics;
	case HTTP_EXPOSITION_PROTOBUF:
		return offer.protobuf;
	case HTTP_EXPOSITION_TEXT_0_0_4:
	case HTTP_EXPOSITION_TEXT_1_0_0:
	case HTTP_EXPOSITION_COUNT:
		break;
	}
	return true;
}

/* Without a version, the first of the table; the forms of protobuf differ otherwise. */
static enum http_exposition find_exposition(
		struct slice type, const struct parameters *parameters, struct http_offer offer)
{
	for (enum http_exposition i = 0; i < HTTP_EXPOSITION_COUNT; i++) {
		const struct form *form = &forms[i];
		bool is_named = slice_equal_nocase(type, form->type);
		if (i == HTTP_EXPOSITION_PROTOBUF) {
			is_named = is_named && slice_equal(parameters->encoding, SLICE("delimited"))
					&& slice_equal(parameters->proto, SLICE("io.prometheus.client.MetricFamily"));
		} else if (parameters->version.len != 0) {
			is_named = is_named && slice_equal(parameters->version, form->version);
		}
		if (is_named && is_offered(i, offer)) {
			return i;
		}
	}
	return HTTP_EXPOSITION_COUNT;
}

static struct range read_range(struct slice element, struct http_offer offer)
{
	struct slice type = field_take(&element, ';');
	struct parameters parameters = read_parameters(element);
	struct range range = {
		.quality = parameters.quality,
		.wildcards = count_wildcards(type),
		.escaping = find_escaping(parameters.escaping),
	};
	range.exposition = range.wildcards != 0 ? HTTP_EXPOSITION_TEXT_0_0_4
											: find_exposition(type, &parameters, offer);
	return range;
}

/* The next one that is acceptable at all; index is that of the one before. */
static bool next_range(struct slice *accept, struct http_offer offer, struct range *range)
{
	while (accept->len != 0) {
		size_t index = range->index + 1;
		*range = read_range(field_take(accept, ','), offer);
		range->index = index;
		if (range->quality > 0) {
			return true;
		}
	}
	return false;
}

/* What the last range before the chosen one asked for. */
static struct slice inherited_escaping(
		struct slice accept, struct http_offer offer, const struct range *chosen)
{
	struct range last = { .escaping = &escapings[0], .quality = QUALITY_ONE + 1 };
	struct range range = { 0 };
	while (next_range(&accept, offer, &range)) {
		if (range.escaping != NULL && is_before(&range, chosen) && is_before(&last, &range)) {
			last = range;
		}
	}
	return *last.escaping;
}

struct http_negotiated http_negotiate_exposition(struct slice accept, struct http_offer offer)
{
	/* Text goes when nothing else does: before nothing, since no range has a quality of 0. */
	struct range chosen = { .exposition = HTTP_EXPOSITION_TEXT_0_0_4 };
	struct slice rest = accept;
	struct range range = { 0 };
	while (next_range(&rest, offer, &range)) {
		if (range.exposition != HTTP_EXPOSITION_COUNT && is_before(&range, &chosen)) {
			chosen = range;
		}
	}
	return (struct http_negotiated){
		.exposition = chosen.exposition,
		.escaping = chosen.escaping != NULL ? *chosen.escaping
											: inherited_escaping(accept, offer, &chosen),
	};
}

struct slice http_negotiated_type(
		const struct http_negotiated *negotiated, struct exchange *exchange)
{
	struct slice content_type = forms[negotiated->exposition].content_type;
	return arena_printf(&exchange->arena, SLICE_FMT "; escaping=" SLICE_FMT,
			SLICE_ARG(content_type), SLICE_ARG(negotiated->escaping));
}

/* ---- Accept-Encoding ---- */

enum http_coding http_negotiate_coding(struct slice accept_encoding, bool offers_zstd)
{
	int qualities[HTTP_CODING_COUNT] = { 0 };
	while (accept_encoding.len != 0) {
		struct slice element = field_take(&accept_encoding, ',');
		struct slice name = field_take(&element, ';');
		int quality = read_parameters(element).quality;
		if (slice_equal_nocase(name, http_coding_name(HTTP_CODING_GZIP))) {
			qualities[HTTP_CODING_GZIP] = quality;
		} else if (slice_equal_nocase(name, http_coding_name(HTTP_CODING_ZSTD)) && offers_zstd) {
			qualities[HTTP_CODING_ZSTD] = quality;
		} else if (slice_equal_nocase(name, http_coding_name(HTTP_CODING_IDENTITY))) {
			qualities[HTTP_CODING_IDENTITY] = quality;
		}
	}
	int zstd = qualities[HTTP_CODING_ZSTD];
	int gzip = qualities[HTTP_CODING_GZIP];
	int identity = qualities[HTTP_CODING_IDENTITY];
	if (gzip > 0 && gzip >= zstd && gzip >= identity) {
		return HTTP_CODING_GZIP;
	}
	return zstd > 0 && zstd >= identity ? HTTP_CODING_ZSTD : HTTP_CODING_IDENTITY;
}

/* ---- Several lines ---- */

static struct slice join(struct exchange *exchange, struct slice name, char *text)
{
	const struct http_request *request = &exchange->request;
	size_t len = 0;
	for (size_t i = 0; i < request->header_count; i++) {
		struct slice value = request->headers[i].value;
		if (slice_equal_nocase(request->headers[i].name, name) && value.len != 0) {
			memcpy(text + len, value.ptr, value.len);
			len += value.len;
			text[len++] = ',';
		}
	}
	return slice_make(text, len);
}

struct slice http_list_header(struct exchange *exchange, struct slice name)
{
	if (exchange_count_headers(exchange, name) < 2) {
		return exchange_header(exchange, name);
	}
	size_t bytes = 0;
	for (size_t i = 0; i < exchange->request.header_count; i++) {
		bytes += exchange->request.headers[i].value.len + 1;
	}
	return join(exchange, name, arena_text(&exchange->arena, bytes));
}
