/*
 * The API: requests in, answers and pages out.
 */

#include "unit/api_driver.h"

#define J "{instance=\"\",job=\"j\"}"

/* ---- One request each ---- */

static void test_answers(void)
{
	static const struct {
		const char *line;
		const char *headers;
		const char *body;
		int status;
		const char *text; /* NULL: not looked at */
	} cases[] = {
		{ "PUT /metrics/job/j", "", "m 1\n", 200, "" },
		{ "POST /metrics/job/j", "", "", 200, "" },
		{ "PUT /metrics/job/j", "Content-Type: application/json\r\n", "m 1\n", 200, "" },
		{ "PUT /metrics/job/j", "", "m{a=b} 1\n", 400,
				"text format parsing error in line 1: expected '\"' at start of label value, found "
				"'b'\n    m{a=b} 1\n        ^\nhint: label values are in double quotes\n" },
		{ "PUT /metrics/job/j", "", "m 1", 400,
				"text format parsing error in line 1: unexpected end of input stream\n    m 1\n"
				"       ^\nhint: the last line ends in a line feed, too; curl sends it with "
				"--data-binary\n" },
		{ "PUT /metrics/job/j", "", "m 1 1\n", 400,
				"pushed metrics are invalid or inconsistent with existing metrics: pushed metrics "
				"must not have timestamps\n" },
		{ "PUT /metrics/job/x/p", "", "m 1\n", 400,
				"odd number of components in label string \"/p\"\n" },
		{ "PUT /metrics/job/x%FF", "", "m 1\n", 400,
				"pushed metrics are invalid or inconsistent with existing metrics: collected "
				"metric "
				"\"push_time_seconds\" has a label named \"job\" whose value is not utf8: "
				"\"x\\xff\"\n" },
		{ "PUT /metrics/job/x%zz", "", "m 1\n", 400, NULL },
		{ "PUT /metrics/job/j", "Weir-TTL: 5\r\n", "m 1\n", 400, NULL },
		{ "PUT /metrics/job/j?ttl=-5s", "", "m 1\n", 400, NULL },
		{ "PUT /metrics/job/j", "Content-Encoding: gzip\r\n", "m 1\n", 400, "unexpected EOF\n" },
		{ "PUT /metrics/job/j", "Content-Encoding: gzip\r\n", "", 400, "EOF\n" },
		{ "PUT /metrics/job/j", "Content-Encoding: br\r\n", "m 1\n", 200, "" },
		{ "PUT /metrics/job/j", "Content-Type: application/openmetrics-text\r\n",
				"# TYPE m counter\nm_total 1\n# EOF\n", 200, "" },
		{ "PUT /metrics/job/j", "Content-Type: application/openmetrics-text\r\n", "m 1\n", 400,
				"openmetrics parsing error in line 2: the body ends without \"# EOF\"\n    \n    "
				"^\n"
				"hint: the last line is \"# EOF\"; without it the body was cut off\n" },
		/* What weir's own counter has in OpenMetrics. */
		{ "PUT /metrics/job/j", "Content-Type: application/openmetrics-text\r\n",
				"pushgateway_http_requests_created 1\n# EOF\n", 400, NULL },
		{ "DELETE /metrics/job/j", "", "", 202, "" },
		{ "DELETE /metrics/job/j", "", "any body", 202, "" },
		{ "DELETE /metrics/job/x%FF", "", "", 202, "" },
		{ "DELETE /metrics/job/x/p", "", "", 400,
				"odd number of components in label string \"/p\"\n" },
		{ "GET /-/healthy", "", "", 200, "OK" },
		{ "GET /-/ready", "", "", 200, "OK" },
		{ "GET /-/healthy?format=text&format=metrics", "", "", 200, "OK" },
		{ "GET /-/healthy?format=metrics", "", "", 200,
				"# HELP weir_ready Whether all that is stored is loaded, and served.\n"
				"# TYPE weir_ready gauge\n"
				"weir_ready 1\n" },
		{ "GET /api/v1/metrics", "", "", 200, "{\"status\":\"success\",\"data\":[]}" },
		{ "OPTIONS /api/v1/x", "", "", 200, "" },
		{ "PUT /api/v1/admin/wipe", "", "", 202, "" },
		{ "GET /nothing", "", "", 404, "404 page not found\n" },
		{ "HEAD /metrics", "", "", 405, NULL },
		{ "PATCH /metrics/job/j", "", "", 405, "Method Not Allowed\n" },
		{ "GET //metrics", "", "", 301, "<a href=\"/metrics\">Moved Permanently</a>.\n\n" },
		{ "POST /metrics/job/x//a/b", "", "", 301, "" },
		{ "POST /metrics/JOB/x", "", "", 307, "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_driver d;
		int failures = check_failures;
		api_driver_init(&d);
		/* A refusal before the body may end the connection, so it has to be read as it is. */
		api_driver_feed(&d,
				api_driver_request(
						&d, cases[i].line, cases[i].headers, slice_of_string(cases[i].body)));
		api_driver_settle(&d, NULL);
		struct api_response response;
		if (strncmp(cases[i].line, "HEAD", 4) == 0) {
			CHECK(slice_starts_with(buf_slice(&d.connection.out), SLICE("HTTP/1.1 405 ")));
		} else if (api_driver_response(&d, &response)) {
			CHECK_INT(response.status, cases[i].status);
			if (cases[i].text != NULL) {
				CHECK_STRING(response.body, cases[i].text);
			}
		} else {
			CHECK(!"answered");
		}
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].line);
		}
		api_driver_finish(&d);
	}
}

static void test_fields(void)
{
	struct api_driver d;
	api_driver_init(&d);
	struct api_response response = api_driver_do(&d, "GET /metrics/job/x", "", SLICE(""));
	CHECK_STRING(api_driver_header(&response, "Allow"), "DELETE, OPTIONS, POST, PUT");
	CHECK_STRING(api_driver_header(&response, "X-Content-Type-Options"), "nosniff");
	response = api_driver_do(&d, "GET /METRICS?a=b", "", SLICE(""));
	CHECK_STRING(api_driver_header(&response, "Location"), "/metrics?a=b");
	response = api_driver_do(&d, "GET /metrics", "", SLICE(""));
	CHECK_STRING(api_driver_header(&response, "Content-Type"),
			"text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
	response = api_driver_do(&d, "GET /api/v1/metrics", "", SLICE(""));
	CHECK_STRING(api_driver_header(&response, "Content-Type"), "application/json");
	CHECK_STRING(api_driver_header(&response, "Access-Control-Allow-Origin"), "*");
	response = api_driver_do(&d, "PUT /metrics/job/j", "", SLICE("m 1\n"));
	CHECK(api_driver_header(&response, "Content-Type").ptr == NULL);
	api_driver_finish(&d);
}

static void test_unchecked(void)
{
	struct api_driver d;
	struct api_options options = api_driver_options();
	options.is_checked = false;
	options.routes.has_admin = false;
	api_driver_init_with(&d, &options);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/j", "m 1\nm 2\nn 1\n"), 202);
	CHECK_INT(api_driver_status(&d, "POST /metrics/job/j", "o 1 1\n"), 202);
	CHECK_INT(api_driver_status(&d, "POST /metrics/job/j", "o x\n"), 400);
	CHECK_INT(api_driver_status(&d, "PUT /api/v1/admin/wipe", ""), 404);
	CHECK_STRING(api_driver_page(&d), "n" J " 1\n");
	api_driver_finish(&d);
}

/* NUL is a byte like others, in values and in names. */
static void test_nul(void)
{
	static const char count[] = "{\"h\0z_count\"} 5\n";
	static const char histogram[] = "# TYPE \"h\0z\" histogram\n{\"h\0z_bucket\",le=\"+Inf\"} 1\n"
									"{\"h\0z_sum\"} 1\n{\"h\0z_count\"} 1\n";
	struct api_driver d;
	struct api_options options = api_driver_options();
	options.format_options.utf8_names = true;
	api_driver_init_with(&d, &options);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/x/a/%00", "m 1\n"), 200);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/x/a/%00/instance@base64/=", "m 1\n"), 400);
	struct slice body = slice_make(count, sizeof(count) - 1);
	CHECK_INT(api_driver_do(&d, "PUT /metrics/job/k", "", body).status, 200);
	body = slice_make(histogram, sizeof(histogram) - 1);
	CHECK_INT(api_driver_do(&d, "PUT /metrics/job/j", "", body).status, 400);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/l", "h_count 1\n"), 200);
	CHECK_INT(api_driver_status(&d, "DELETE /metrics/job/k", ""), 202);
	CHECK_INT(api_driver_do(&d, "PUT /metrics/job/j", "", body).status, 200);
	api_driver_finish(&d);
}

/* ---- Times to live ---- */

static void test_ttl(void)
{
	static const struct {
		int64_t usual_s;
		int64_t max_s;
		const char *line;
		const char *headers;
		int64_t ttl_s; /* 0: for ever */
	} cases[] = {
		{ 0, 0, "PUT /metrics/job/j", "", 0 },
		{ 0, 0, "PUT /metrics/job/j?ttl=10s", "", 10 },
		{ 0, 0, "PUT /metrics/job/j", "Weir-TTL: 1m\r\n", 60 },
		{ 0, 0, "PUT /metrics/job/j?ttl=10s", "Weir-TTL: 1m\r\n", 10 },
		{ 30, 0, "PUT /metrics/job/j", "", 30 },
		{ 30, 0, "PUT /metrics/job/j?ttl=0", "", 0 },
		{ 30, 0, "PUT /metrics/job/j?x=y&ttl=1h", "", 3600 },
		{ 30, 60, "PUT /metrics/job/j?ttl=1h", "", 60 },
		{ 0, 60, "PUT /metrics/job/j", "", 60 },
		{ 0, 60, "PUT /metrics/job/j?ttl=0s", "", 60 },
		{ 90, 60, "PUT /metrics/job/j?ttl=20s", "", 20 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_driver d;
		struct api_options options = api_driver_options();
		options.ttl_ns = cases[i].usual_s * 1000000000;
		options.ttl_max_ns = cases[i].max_s * 1000000000;
		api_driver_init_with(&d, &options);
		CHECK_INT(api_driver_do(&d, cases[i].line, cases[i].headers, SLICE("m 1\n")).status, 200);
		int64_t next_ns = store_expire(&d.store, 0, 1);
		CHECK_INT(next_ns, cases[i].ttl_s == 0 ? 0 : 1000000000 * (1 + cases[i].ttl_s));
		api_driver_finish(&d);
	}
}

/* ---- The page ---- */

static void test_page(void)
{
	struct api_driver d;
	api_driver_init(&d);
	api_driver_status(&d, "PUT /metrics/job/j/zone/n", "# HELP m Help.\nm 1\n");
	api_driver_status(&d, "PUT /metrics/job/k", "m 1 1\n");
	struct slice page = api_driver_do(&d, "GET /metrics", "", SLICE("")).body;
	static const char *const lines[] = {
		"# HELP m Help.\n# TYPE m untyped\nm{instance=\"\",job=\"j\",zone=\"n\"} 1\n",
		"\npush_time_seconds{instance=\"\",job=\"j\",zone=\"n\"} 1795161065.000000\n",
		"\npush_failure_time_seconds{instance=\"\",job=\"j\",zone=\"n\"} 0\n",
		"\npush_time_seconds{instance=\"\",job=\"k\"} 0\n",
		"\npush_failure_time_seconds{instance=\"\",job=\"k\"} 1795161065.000000\n",
		"\n# TYPE push_time_seconds gauge\n",
		"\npushgateway_http_requests_total{code=\"200\",handler=\"push\",method=\"put\"} 1\n",
		"\npushgateway_http_requests_total{code=\"400\",handler=\"push\",method=\"put\"} 1\n",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (memmem(page.ptr, page.len, lines[i], strlen(lines[i])) == NULL) {
			CHECK_STRING(page, lines[i]);
		}
	}
	api_driver_finish(&d);
}

static void test_gzip(void)
{
	struct api_driver d;
	struct buf body;
	buf_init(&body, 0);
	api_driver_init(&d);
	for (int i = 0; i < 30000; i++) {
		buf_printf(&body, "metric{number=\"%d\"} %d\n", i, i);
	}
	CHECK_INT(api_driver_do(&d, "PUT /metrics/job/j", "", buf_slice(&body)).status, 200);
	struct api_response plain = api_driver_do(&d, "GET /metrics", "", SLICE(""));
	struct api_response coded =
			api_driver_do(&d, "GET /metrics", "Accept-Encoding: gzip\r\n", SLICE(""));
	CHECK_STRING(api_driver_header(&coded, "Content-Encoding"), "gzip");
	CHECK(coded.body.len < plain.body.len / 4);
	struct slice page = api_driver_gunzip(&d, coded.body);
	/* What weir says of itself has changed; what was pushed has not. */
	struct slice start = SLICE("metric{instance=\"\",job=\"j\",number=\"0\"}");
	const char *in_plain = memmem(plain.body.ptr, plain.body.len, start.ptr, start.len);
	const char *in_page = memmem(page.ptr, page.len, start.ptr, start.len);
	CHECK(in_plain != NULL && in_page != NULL && memcmp(in_plain, in_page, 1000000) == 0);
	api_driver_finish(&d);
	buf_finish(&body);
}

int main(void)
{
	RUN(test_answers);
	RUN(test_fields);
	RUN(test_nul);
	RUN(test_unchecked);
	RUN(test_ttl);
	RUN(test_page);
	RUN(test_gzip);
	return check_done();
}
