/*
 * What a client wants back, and what a body is said to be.
 */

#include <stdlib.h>

#include "base/memory.h"
#include "check.h"
#include "guard.h"
#include "http/field_value.h"
#include "http/media_type.h"
#include "http/negotiate.h"

static struct guard guard;

#define PROTOBUF "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"
#define OPENMETRICS "application/openmetrics-text"

enum {
	TEXT = HTTP_EXPOSITION_TEXT_0_0_4,
	TEXT_1 = HTTP_EXPOSITION_TEXT_1_0_0,
	OM_0 = HTTP_EXPOSITION_OPENMETRICS_0_0_1,
	OM_1 = HTTP_EXPOSITION_OPENMETRICS_1_0_0,
	PROTO = HTTP_EXPOSITION_PROTOBUF,
};

/* Everything offered unless the offer says otherwise. */
struct accept_case {
	const char *accept;
	int exposition;
	const char *escaping; /* NULL: underscores */
};

static void check_accept(const struct accept_case *test, struct http_offer offer)
{
	struct slice accept = guard_copy(&guard, slice_of_string(test->accept));
	struct http_negotiated negotiated = http_negotiate_exposition(accept, offer);
	struct slice escaping =
			slice_of_string(test->escaping == NULL ? "underscores" : test->escaping);
	if ((int)negotiated.exposition != test->exposition
			|| !slice_equal(negotiated.escaping, escaping)) {
		check_fail(__FILE__, __LINE__, test->accept);
		CHECK_INT(negotiated.exposition, test->exposition);
		CHECK_SLICE(negotiated.escaping, escaping);
	}
}

static void check_accepts(const struct accept_case *tests, size_t count, struct http_offer offer)
{
	for (size_t i = 0; i < count; i++) {
		check_accept(&tests[i], offer);
	}
}

#define CHECK_ACCEPTS(tests, ...)                                                                  \
	check_accepts(tests, sizeof(tests) / sizeof((tests)[0]), (struct http_offer){ __VA_ARGS__ })

/* What real clients send. */
static const struct accept_case clients[] = {
	/* none, curl and Go, requests in Python, wget */
	{ "", TEXT, NULL },
	{ "*/*", TEXT, NULL },
	/* Prometheus 2.42 */
	{ OPENMETRICS ";version=1.0.0," OPENMETRICS ";version=0.0.1;q=0.75,"
				  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			OM_1, NULL },
	/* the same with native histograms */
	{ PROTOBUF ";encoding=delimited," OPENMETRICS ";version=1.0.0;q=0.8," OPENMETRICS
			   ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			PROTO, NULL },
	/* Prometheus 2.55 */
	{ OPENMETRICS ";version=1.0.0;q=0.5," OPENMETRICS ";version=0.0.1;q=0.4,"
				  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			OM_1, NULL },
	{ PROTOBUF ";encoding=delimited;q=0.5," OPENMETRICS ";version=1.0.0;q=0.4," OPENMETRICS
			   ";version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			PROTO, NULL },
	/* Prometheus 3 */
	{ OPENMETRICS ";version=1.0.0;escaping=allow-utf-8;q=0.5," OPENMETRICS
				  ";version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
				  "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			OM_1, "allow-utf-8" },
	{ PROTOBUF ";encoding=delimited;escaping=allow-utf-8;q=0.6," OPENMETRICS
			   ";version=1.0.0;escaping=allow-utf-8;q=0.5," OPENMETRICS
			   ";version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
			   "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			PROTO, "allow-utf-8" },
	/* Prometheus 3 with legacy names */
	{ OPENMETRICS ";version=1.0.0;escaping=underscores;q=0.5," OPENMETRICS
				  ";version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores;q=0.3,"
				  "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
			OM_1, "underscores" },
	/* Prometheus 3 with scrape_protocols: [PrometheusText1.0.0] and [PrometheusText0.0.4] */
	{ "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5", TEXT_1, "allow-utf-8" },
	{ "text/plain;version=0.0.4;q=0.6,*/*;q=0.5", TEXT, NULL },
	/* Prometheus 1 and vmagent */
	{ PROTOBUF ";encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", PROTO, NULL },
	{ "text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT, NULL },
	/* Telegraf */
	{ PROTOBUF ";encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3", PROTO, NULL },
	/* Firefox, Chrome, Safari, Java's HttpURLConnection */
	{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT, NULL },
	{ "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
	  "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
			TEXT, NULL },
	{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT, NULL },
	{ "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", TEXT, NULL },
	{ "application/json, text/plain, */*", TEXT, NULL },
};

static const struct accept_case ranges[] = {
	/* versions */
	{ "text/plain", TEXT, NULL },
	{ "text/plain;version=0.0.4", TEXT, NULL },
	{ "text/plain;version=1.0.0", TEXT_1, NULL },
	{ "text/plain;version=2.0.0;escaping=dots", TEXT, "dots" },
	{ OPENMETRICS, OM_0, NULL },
	{ OPENMETRICS ";version=0.0.1", OM_0, NULL },
	{ OPENMETRICS ";version=1.0.0", OM_1, NULL },
	{ OPENMETRICS ";version=2.0.0", TEXT, NULL },
	{ OPENMETRICS ";version=1", TEXT, NULL },
	{ OPENMETRICS ";version=", OM_0, NULL },
	{ OPENMETRICS ";version=2.0.0," OPENMETRICS ";version=1.0.0;q=0.5", OM_1, NULL },
	{ OPENMETRICS ";charset=utf-8;version=1.0.0", OM_1, NULL },
	/* protobuf */
	{ PROTOBUF ";encoding=delimited", PROTO, NULL },
	{ PROTOBUF ";encoding=text", TEXT, NULL },
	{ PROTOBUF ";encoding=compact-text," OPENMETRICS ";q=0.1", OM_0, NULL },
	{ PROTOBUF, TEXT, NULL },
	{ "application/vnd.google.protobuf;encoding=delimited", TEXT, NULL },
	{ "application/vnd.google.protobuf;encoding=delimited;proto=other", TEXT, NULL },
	{ "application/vnd.google.protobuf;encoding=delimited;proto=io.prometheus.client.MetricFamily",
			PROTO, NULL },
	/* wildcards are for text */
	{ "text/*", TEXT, NULL },
	{ "application/*", TEXT, NULL },
	{ "*/*," OPENMETRICS, OM_0, NULL },
	{ "*/*;q=0.6," OPENMETRICS ";q=0.5", TEXT, NULL },
	{ "text/*;q=0.6," OPENMETRICS ";q=0.5", TEXT, NULL },
	{ "*;q=0.6," OPENMETRICS ";q=0.5", TEXT, NULL },
	{ "*/*,text/*,text/plain;version=1.0.0", TEXT_1, NULL },
	{ "*/*;escaping=dots,text/*;escaping=values", TEXT, "values" },
	{ "image/*;q=0.9," OPENMETRICS ";q=0.5", OM_0, NULL },
	{ "*/plain," OPENMETRICS ";q=0.5", OM_0, NULL },
	/* order */
	{ "text/plain," OPENMETRICS, TEXT, NULL },
	{ OPENMETRICS ",text/plain", OM_0, NULL },
	{ "text/plain;q=0.5," OPENMETRICS ";q=0.6", OM_0, NULL },
	{ "text/plain;q=0.599," OPENMETRICS ";q=0.6", OM_0, NULL },
	{ "text/plain;q=0.5," OPENMETRICS ";q=0.50", TEXT, NULL },
	{ "text/plain;q=1.0," OPENMETRICS ";q=1", TEXT, NULL },
	{ "text/plain;q=0.9," OPENMETRICS ";q=7", TEXT, NULL },
	{ "text/plain;q=0.9," OPENMETRICS ";q=1.5", OM_0, NULL },
	/* never */
	{ OPENMETRICS ";q=0", TEXT, NULL },
	{ OPENMETRICS ";q=0.000,text/plain;version=1.0.0;q=0.001", TEXT_1, NULL },
	{ OPENMETRICS ";q=-1", TEXT, NULL },
	{ OPENMETRICS ";q=x," PROTOBUF ";encoding=delimited;q=0.1", PROTO, NULL },
	{ "text/plain;q=0," OPENMETRICS ";q=0.1", OM_0, NULL },
	/* how it is written */
	{ "Application/OpenMetrics-Text;Version=1.0.0", OM_1, NULL },
	{ "  application/openmetrics-text ; version = \"1.0.0\" ; Q = 0.5 , text/plain;q=0.4 ", OM_1,
			NULL },
	{ "text/plain;x=\"a,application/openmetrics-text;q=1,b\";q=0.5", TEXT, NULL },
	{ "image/png;x=\"\\\",\"," OPENMETRICS ";q=0.5", OM_0, NULL },
	{ OPENMETRICS ";x=\"never closed;version=2.0.0,text/plain", OM_0, NULL },
	{ ",,;,;;q=1,=,;=," OPENMETRICS ";;;version=1.0.0;;,,", OM_1, NULL },
	{ OPENMETRICS ";version=0.0.1;version=1.0.0", OM_1, NULL },
	{ "xapplication/openmetrics-text", TEXT, NULL },
	{ "application/openmetrics-textx", TEXT, NULL },
	{ "\t" OPENMETRICS "\t;\tversion=1.0.0", OM_1, NULL },
	/* escaping */
	{ "text/plain;escaping=allow-utf-8", TEXT, "allow-utf-8" },
	{ "text/plain;escaping=underscores", TEXT, "underscores" },
	{ "text/plain;escaping=dots", TEXT, "dots" },
	{ "text/plain;escaping=values", TEXT, "values" },
	{ "text/plain; Escaping=\"dots\"", TEXT, "dots" },
	{ "text/plain;escaping=DOTS", TEXT, NULL },
	{ "text/plain;escaping=", TEXT, NULL },
	{ "text/plain;escaping=other", TEXT, NULL },
	{ "*/*;escaping=values", TEXT, "values" },
	{ "image/png;escaping=dots", TEXT, "dots" },
	{ "image/png;escaping=dots;q=0", TEXT, NULL },
	{ "image/png;escaping=dots,text/plain;q=0.5", TEXT, "dots" },
	{ "image/png;escaping=dots,text/plain;q=0.5;escaping=values", TEXT, "values" },
	{ "image/png;escaping=dots,text/plain;q=0.5;escaping=other", TEXT, "dots" },
	{ "text/plain,image/png;escaping=dots", TEXT, NULL },
	{ "text/plain;q=0.5,image/png;escaping=dots", TEXT, "dots" },
	{ "image/png;escaping=dots;q=0.8,image/gif;escaping=values;q=0.9,text/plain;q=0.5", TEXT,
			"dots" },
	{ "image/png;escaping=dots,image/gif;escaping=values", TEXT, "values" },
	{ "image/png;escaping=dots,image/gif;escaping=other", TEXT, "dots" },
	{ "image/png;escaping=dots,image/gif", TEXT, "dots" },
};

static void test_clients(void)
{
	CHECK_ACCEPTS(clients, .openmetrics = true, .protobuf = true);
}

static void test_ranges(void)
{
	CHECK_ACCEPTS(ranges, .openmetrics = true, .protobuf = true);
}

static void test_offers(void)
{
	static const struct accept_case without_openmetrics[] = {
		{ OPENMETRICS ";version=1.0.0", TEXT, NULL },
		{ OPENMETRICS ";version=1.0.0;escaping=allow-utf-8;q=0.5," OPENMETRICS
					  ";version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
					  "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
				TEXT_1, "allow-utf-8" },
		{ OPENMETRICS ";escaping=dots,text/plain;q=0.5", TEXT, "dots" },
		{ OPENMETRICS "," PROTOBUF ";encoding=delimited;q=0.5", PROTO, NULL },
	};
	static const struct accept_case without_protobuf[] = {
		{ PROTOBUF ";encoding=delimited", TEXT, NULL },
		{ PROTOBUF ";encoding=delimited;escaping=allow-utf-8;q=0.6," OPENMETRICS
				   ";version=1.0.0;q=0.5",
				OM_1, "allow-utf-8" },
	};
	CHECK_ACCEPTS(without_openmetrics, .protobuf = true);
	CHECK_ACCEPTS(without_protobuf, .openmetrics = true);
}

static void test_content_types(void)
{
	static const char protobuf[] =
			"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
			"encoding=delimited; escaping=dots";
	static const char *const types[HTTP_EXPOSITION_COUNT] = {
		[HTTP_EXPOSITION_TEXT_0_0_4] = "text/plain; version=0.0.4; charset=utf-8; escaping=dots",
		[HTTP_EXPOSITION_TEXT_1_0_0] = "text/plain; version=1.0.0; charset=utf-8; escaping=dots",
		[HTTP_EXPOSITION_OPENMETRICS_0_0_1] =
				"application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=dots",
		[HTTP_EXPOSITION_OPENMETRICS_1_0_0] =
				"application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=dots",
		[HTTP_EXPOSITION_PROTOBUF] = protobuf,
	};
	struct exchange exchange = { 0 };
	arena_init(&exchange.arena);
	for (enum http_exposition i = 0; i < HTTP_EXPOSITION_COUNT; i++) {
		struct http_negotiated negotiated = { .exposition = i, .escaping = SLICE("dots") };
		CHECK_STRING(http_negotiated_type(&negotiated, &exchange), types[i]);
	}
	arena_finish(&exchange.arena);
}

static void test_codings(void)
{
	static const struct {
		const char *header;
		enum http_coding coding;
	} tests[] = {
		{ "", HTTP_CODING_IDENTITY },
		{ "gzip", HTTP_CODING_GZIP },
		{ "GZip", HTTP_CODING_GZIP },
		{ "deflate, gzip, br", HTTP_CODING_GZIP },
		{ "deflate , gzip ; q=0.5 , br", HTTP_CODING_GZIP },
		{ "gzip;q=0", HTTP_CODING_IDENTITY },
		{ "gzip;q=0.000", HTTP_CODING_IDENTITY },
		{ "gzip;Q=0.001", HTTP_CODING_GZIP },
		{ "gzip;q=1", HTTP_CODING_GZIP },
		{ "gzip;q=.5", HTTP_CODING_GZIP },
		{ "gzip;q=.", HTTP_CODING_IDENTITY },
		{ "gzip;q = 0.3", HTTP_CODING_GZIP },
		{ "gzip;level=3;q=0", HTTP_CODING_IDENTITY },
		{ "gzip;q=x", HTTP_CODING_IDENTITY },
		{ "gzip;q=", HTTP_CODING_IDENTITY },
		{ "gzip;q", HTTP_CODING_IDENTITY },
		{ "gzip;q=0.5x", HTTP_CODING_IDENTITY },
		{ "gzip;q=05", HTTP_CODING_IDENTITY },
		{ "gzip;q=0.12345678901234567890", HTTP_CODING_GZIP },
		{ "*", HTTP_CODING_IDENTITY },
		{ "*;q=1", HTTP_CODING_IDENTITY },
		{ "identity", HTTP_CODING_IDENTITY },
		{ "identity, gzip", HTTP_CODING_GZIP },
		{ "identity;q=1, gzip;q=0.5", HTTP_CODING_IDENTITY },
		{ "identity;q=0.5, gzip;q=0.5", HTTP_CODING_GZIP },
		{ "identity;q=0, gzip;q=0.1", HTTP_CODING_GZIP },
		{ "identity;q=0", HTTP_CODING_IDENTITY },
		{ "xgzip, gzipx, x-gzip", HTTP_CODING_IDENTITY },
		{ ",;,gzip;,;", HTTP_CODING_GZIP },
		{ "snappy", HTTP_CODING_IDENTITY },
		{ "zstd", HTTP_CODING_ZSTD },
		{ "ZSTD", HTTP_CODING_ZSTD },
		{ "zstd;q=0", HTTP_CODING_IDENTITY },
		{ "zstd;q=0.5, identity", HTTP_CODING_IDENTITY },
		{ "zstd;q=0.5, identity;q=0.5", HTTP_CODING_ZSTD },
		{ "zstd;q=0.5, gzip;q=0.4", HTTP_CODING_ZSTD },
		{ "zstd;q=0.4, gzip;q=0.5", HTTP_CODING_GZIP },
		{ "zstd;q=0.5, gzip;q=0", HTTP_CODING_ZSTD },
		{ "zstd;q=0, gzip;q=0.1", HTTP_CODING_GZIP },
		{ "zstd, gzip", HTTP_CODING_GZIP },
		{ "gzip;q=0.5, zstd;q=0.5, identity;q=0.6", HTTP_CODING_IDENTITY },
		{ "gzip, deflate, br, zstd", HTTP_CODING_GZIP }, /* Chrome */
		{ "zstd, *;q=0.1", HTTP_CODING_ZSTD },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct slice header = guard_copy(&guard, slice_of_string(tests[i].header));
		if (http_negotiate_coding(header, true) != tests[i].coding) {
			check_fail(__FILE__, __LINE__, tests[i].header);
		}
	}
	CHECK_INT(http_negotiate_coding(SLICE("zstd"), false), HTTP_CODING_IDENTITY);
	CHECK_INT(http_negotiate_coding(SLICE("zstd, gzip;q=0.1"), false), HTTP_CODING_GZIP);
	CHECK_INT(http_negotiate_coding(slice_make(NULL, 0), true), HTTP_CODING_IDENTITY);
}

/* A list in several lines is one list. */
static void test_list_header(void)
{
	struct http_header headers[] = {
		{ SLICE("Accept"), SLICE("image/png") },
		{ SLICE("Host"), SLICE("a") },
		{ SLICE("ACCEPT"), SLICE("") },
		{ SLICE("accept"), SLICE("text/plain; q=0.5") },
		{ SLICE("Accept-Encoding"), SLICE("gzip") },
	};
	struct exchange exchange = { .request = { .headers = headers, .header_count = 5 } };
	arena_init(&exchange.arena);
	CHECK_STRING(http_list_header(&exchange, SLICE("Accept")), "image/png,text/plain; q=0.5,");
	CHECK_STRING(http_list_header(&exchange, SLICE("accept-encoding")), "gzip");
	CHECK(http_list_header(&exchange, SLICE("Accept-Language")).ptr == NULL);
	arena_finish(&exchange.arena);
}

static void test_media_types(void)
{
	enum kind { NEITHER, IS_OPENMETRICS, IS_PROTOBUF };
	static const struct {
		const char *header;
		enum kind kind;
	} tests[] = {
		{ "", NEITHER },
		{ "text/plain", NEITHER },
		{ "text/plain; version=0.0.4; charset=utf-8", NEITHER },
		{ "application/x-www-form-urlencoded", NEITHER },
		{ "application/json", NEITHER },
		{ ";", NEITHER },
		{ OPENMETRICS, IS_OPENMETRICS },
		{ OPENMETRICS "; version=1.0.0; charset=utf-8", IS_OPENMETRICS },
		{ OPENMETRICS ";charset=utf-8;version=0.0.1", IS_OPENMETRICS },
		{ "APPLICATION/OPENMETRICS-TEXT; VERSION=1.0.0; CHARSET=UTF-8", IS_OPENMETRICS },
		{ "  application/openmetrics-text ; version = \"1.0.0\" ", IS_OPENMETRICS },
		{ OPENMETRICS "; version=1.0.0; charset=\"utf-8\"; escaping=values", IS_OPENMETRICS },
		{ OPENMETRICS ";x=\"a;version=2.0.0\"", IS_OPENMETRICS },
		{ OPENMETRICS ";version=", IS_OPENMETRICS },
		{ OPENMETRICS ";", IS_OPENMETRICS },
		{ OPENMETRICS "; version=2.0.0", NEITHER },
		{ OPENMETRICS "; version=1.0", NEITHER },
		{ OPENMETRICS "; charset=iso-8859-1", NEITHER },
		{ OPENMETRICS ", " OPENMETRICS, NEITHER },
		{ "application/openmetrics-texts", NEITHER },
		{ PROTOBUF "; encoding=delimited", IS_PROTOBUF },
		{ "application/vnd.google.protobuf; encoding=\"delimited\"; "
		  "proto=\"io.prometheus.client.MetricFamily\"; escaping=values",
				IS_PROTOBUF },
		{ "Application/Vnd.Google.Protobuf;Encoding=delimited;Proto="
		  "io.prometheus.client.MetricFamily",
				IS_PROTOBUF },
		{ PROTOBUF, NEITHER },
		{ PROTOBUF ";encoding=text", NEITHER },
		{ PROTOBUF ";encoding=Delimited", NEITHER },
		{ "application/vnd.google.protobuf;encoding=delimited", NEITHER },
		{ "application/vnd.google.protobuf;encoding=delimited;proto=", NEITHER },
		{ "application/x-protobuf;encoding=delimited;proto=io.prometheus.client.MetricFamily",
				NEITHER },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct slice header = guard_copy(&guard, slice_of_string(tests[i].header));
		if (media_type_is_openmetrics(header) != (tests[i].kind == IS_OPENMETRICS)
				|| media_type_is_protobuf(header) != (tests[i].kind == IS_PROTOBUF)) {
			check_fail(__FILE__, __LINE__, tests[i].header);
		}
	}
	CHECK(!media_type_is_openmetrics(slice_make(NULL, 0)));
	CHECK(!media_type_is_protobuf(slice_make(NULL, 0)));
	CHECK(media_type_parameter(SLICE("a/b;c=d"), SLICE("e")).ptr == NULL);
	CHECK_STRING(media_type_parameter(SLICE("a/b;c=d;E=\"f;g=h\""), SLICE("e")), "f;g=h");
}

static void check_take(const char *text, char separator, const char *part, const char *left)
{
	struct slice rest = guard_copy(&guard, slice_of_string(text));
	CHECK_STRING(field_take(&rest, separator), part);
	CHECK_STRING(rest, left);
}

static void test_field_values(void)
{
	check_take("", ',', "", "");
	check_take(",", ',', "", "");
	check_take(" a , b", ',', "a", " b");
	check_take("\"a,b\",c", ',', "\"a,b\"", "c");
	check_take("\"a\\\",b\",c", ',', "\"a\\\",b\"", "c");
	check_take("\"a,b", ',', "\"a,b", "");
	check_take("\"\\", ',', "\"\\", "");
	check_take("a\\,b", ',', "a\\", "b");

	struct slice rest = SLICE(" a ; b=c;d = \"e;f\" ;g=\"");
	struct slice name;
	struct slice value;
	static const char *const pairs[][2] = {
		{ "a", "" },
		{ "b", "c" },
		{ "d", "e;f" },
		{ "g", "\"" },
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		CHECK(field_take_parameter(&rest, &name, &value));
		CHECK_STRING(name, pairs[i][0]);
		CHECK_STRING(value, pairs[i][1]);
	}
	CHECK(!field_take_parameter(&rest, &name, &value));
}

/* Anything may come; the guard page ends the test when it is read beyond. */
static void test_garbage(void)
{
	static const char *const pieces[] = { "text/plain", "application/openmetrics-text", "*/*",
		"text/*", "gzip", "zstd", "identity", ";", ";", ",", ",", "=", "\"", "\\", " ", "\t",
		"q=", "q=0.5", "0", "1", ".", "version=1.0.0", "version", "escaping=dots", "\xff", PROTOBUF,
		";encoding=delimited", "charset=utf-8" };
	enum { PIECES = sizeof(pieces) / sizeof(pieces[0]), BYTES_MAX = 400 };
	srand(1);
	for (int i = 0; i < 200000; i++) {
		char text[BYTES_MAX];
		size_t len = 0;
		for (int count = rand() % 12; count > 0; count--) {
			const char *piece = pieces[rand() % PIECES];
			size_t bytes = strlen(piece);
			if (rand() % 8 == 0) {
				bytes = (size_t)rand() % (bytes + 1);
			}
			if (len + bytes < BYTES_MAX) {
				memcpy(text + len, piece, bytes);
				len += bytes;
			}
		}
		struct slice header = guard_copy(&guard, slice_make(text, len));
		struct http_offer offer = { .openmetrics = rand() % 2 != 0, .protobuf = rand() % 2 != 0 };
		struct http_negotiated negotiated = http_negotiate_exposition(header, offer);
		CHECK(negotiated.exposition < HTTP_EXPOSITION_COUNT && negotiated.escaping.len != 0);
		CHECK(offer.protobuf || negotiated.exposition != HTTP_EXPOSITION_PROTOBUF);
		http_negotiate_coding(header, true);
		media_type_is_openmetrics(header);
		media_type_is_protobuf(header);
	}
}

/* A megabyte of ranges takes a moment, not a minute. */
static void test_long_header(void)
{
	size_t bytes = 1 << 20;
	char *text = memory_alloc(bytes);
	for (size_t i = 0; i < bytes; i++) {
		text[i] = "a/b;q=0.5,"[i % 10];
	}
	memcpy(text + bytes - 15, ",*/*;escaping=x", 15);
	struct http_negotiated negotiated = http_negotiate_exposition(
			guard_copy(&guard, slice_make(text, bytes)), (struct http_offer){ .protobuf = true });
	CHECK_INT(negotiated.exposition, TEXT);
	free(text);
}

int main(void)
{
	guard_init(&guard, 1 << 20);
	RUN(test_clients);
	RUN(test_ranges);
	RUN(test_offers);
	RUN(test_content_types);
	RUN(test_codings);
	RUN(test_list_header);
	RUN(test_media_types);
	RUN(test_field_values);
	RUN(test_garbage);
	RUN(test_long_header);
	guard_finish(&guard);
	return check_done();
}
