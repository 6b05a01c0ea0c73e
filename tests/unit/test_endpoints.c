/*
 * The small endpoints: status as JSON, the web page's files, and the end.
 */

#include "config/table.h"
#include "config/value.h"
#include "ui/assets.h"
#include "unit/api_driver.h"

static bool has(struct slice text, const char *part)
{
	return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* ---- /api/v1/status ---- */

static void test_status(void)
{
	struct api_driver d;
	api_driver_init(&d);
	struct api_response response = api_driver_do(&d, "GET /api/v1/status", "", SLICE(""));
	CHECK_INT(response.status, 200);
	CHECK_STRING(api_driver_header(&response, "Content-Type"), "application/json");
	CHECK_STRING(api_driver_header(&response, "Access-Control-Allow-Origin"), "*");
	CHECK(slice_starts_with(response.body,
			SLICE("{\"status\":\"success\",\"data\":{\"build_information\":{\"branch\":\"\","
				  "\"buildDate\":\"\",\"buildUser\":\"\",\"goVersion\":\"\",\"revision\":\"\","
				  "\"version\":\"0.")));
	CHECK(slice_ends_with(response.body, SLICE("},\"start_time\":\"2026-11-20T07:51:05Z\"}}")));
	CHECK(has(response.body, "\"timeout.body\":\"1m0s\""));
	CHECK_INT(stats_requests(&d.stats, STATS_HANDLER_API_STATUS, STATS_METHOD_GET, 200), 1);
	api_driver_finish(&d);
}

/* Every setting is there, sorted by name, with the value that --print-config shows. */
static void test_flags(void)
{
	struct api_driver d;
	struct buf wanted;
	const struct setting *sorted[CONFIG_SETTINGS_MAX];
	api_driver_init(&d);
	buf_init(&wanted, 0);
	settings_by_name(sorted);
	buf_append_string(&wanted, "\"flags\":{");
	for (size_t i = 0; i < settings_count; i++) {
		CHECK(i == 0 || strcmp(sorted[i - 1]->name, sorted[i]->name) < 0);
		buf_printf(&wanted, "%s\"%s\":\"", i == 0 ? "" : ",", sorted[i]->name);
		value_print(&d.config, sorted[i], &wanted);
		buf_append_byte(&wanted, '"');
	}
	buf_append_byte(&wanted, '}');
	struct slice body = api_driver_do(&d, "GET /api/v1/status", "", SLICE("")).body;
	CHECK(memmem(body.ptr, body.len, wanted.ptr, wanted.len) != NULL);
	buf_finish(&wanted);
	api_driver_finish(&d);
}

/* ---- /static/ ---- */

static void test_static(void)
{
	struct api_driver d;
	const struct asset *style = assets_find(SLICE("style.css"));
	api_driver_init(&d);
	struct api_response response = api_driver_do(&d, "GET /static/style.css?v=1", "", SLICE(""));
	CHECK_INT(response.status, 200);
	CHECK(slice_equal(response.body, style->content));
	CHECK_STRING(api_driver_header(&response, "Content-Type"), "text/css; charset=utf-8");
	CHECK_STRING(api_driver_header(&response, "Cache-Control"), "public, max-age=3600");
	CHECK_STRING(api_driver_header(&response, "X-Content-Type-Options"), "nosniff");
	CHECK(slice_equal(api_driver_header(&response, "ETag"), style->etag));
	static const char *const missing[] = { "GET /static/", "GET /static/none.css",
		"GET /static/style.css/", "GET /static/STYLE.css", "GET /static/style.css/x" };
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		response = api_driver_do(&d, missing[i], "", SLICE(""));
		CHECK_INT(response.status, 404);
		CHECK_STRING(response.body, "404 page not found\n");
	}
	CHECK_INT(stats_requests(&d.stats, STATS_HANDLER_STATIC, STATS_METHOD_GET, 200), 1);
	CHECK_INT(stats_requests(&d.stats, STATS_HANDLER_STATIC, STATS_METHOD_GET, 404), 5);
	api_driver_finish(&d);
}

static void test_static_not_modified(void)
{
	static const struct {
		const char *before; /* of If-None-Match */
		bool has_etag;
		int status;
	} cases[] = {
		{ "", true, 304 },
		{ "W/", true, 304 },
		{ "\"other\", ", true, 304 },
		{ "*", false, 304 },
		{ "\"other\"", false, 200 },
		{ "", false, 200 },
	};
	struct api_driver d;
	struct slice etag = assets_find(SLICE("style.css"))->etag;
	api_driver_init(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char header[200];
		snprintf(header, sizeof(header), "If-None-Match: %s" SLICE_FMT "\r\n", cases[i].before,
				cases[i].has_etag ? (int)etag.len : 0, etag.ptr);
		struct api_response response =
				api_driver_do(&d, "GET /static/style.css", header, SLICE(""));
		CHECK_INT(response.status, cases[i].status);
		CHECK(slice_equal(api_driver_header(&response, "ETag"), etag));
		CHECK_INT(response.body.len > 0, cases[i].status == 200);
	}
	api_driver_finish(&d);
}

/* ---- /-/quit ---- */

static unsigned quits;

static void on_quit(void *data)
{
	quits++;
}

static void test_quit_is_off(void)
{
	static const char *const lines[] = { "PUT /-/quit", "POST /-/quit" };
	struct api_driver d;
	api_driver_init(&d);
	for (size_t i = 0; i < 2; i++) {
		struct api_response response = api_driver_do(&d, lines[i], "", SLICE(""));
		CHECK_INT(response.status, 403);
		CHECK_STRING(response.body, "Lifecycle API is not enabled.");
		CHECK_STRING(api_driver_header(&response, "Content-Type"), "text/plain; charset=utf-8");
	}
	CHECK_INT(d.connection.session.requests, 2);
	api_driver_finish(&d);
}

static void test_quit(void)
{
	struct api_driver d;
	struct api_options options = api_driver_options();
	options.quit = on_quit;
	api_driver_init_with(&d, &options);
	struct api_response response = api_driver_do(&d, "GET /-/quit", "", SLICE(""));
	CHECK_INT(response.status, 405);
	CHECK_STRING(response.body, "Only POST or PUT requests allowed.");
	CHECK(api_driver_header(&response, "Allow").ptr == NULL);
	CHECK_INT(api_driver_status(&d, "DELETE /-/quit", ""), 405);
	CHECK_INT(quits, 0);
	response = api_driver_do(&d, "PUT /-/quit", "", SLICE(""));
	CHECK_INT(response.status, 200);
	CHECK_STRING(response.body, "Requesting termination... Goodbye!");
	CHECK_STRING(api_driver_header(&response, "Connection"), "close");
	CHECK_INT(quits, 1);
	api_driver_finish(&d);
}

/* ---- Content codings ---- */

/* All but the API looks at the coding of a body first, also where there is nothing. */
static void test_miscoded(void)
{
	static const struct {
		const char *line;
		int status;
	} cases[] = {
		{ "GET /nothing", 400 },
		{ "GET /status", 400 },
		{ "GET /metrics/", 400 },
		{ "GET /api/x", 400 },
		{ "GET //metrics", 301 },
		{ "GET /api/v1", 301 },
		{ "GET /api/v1/x", 404 },
		{ "GET /api/v1/status", 200 },
	};
	struct api_driver d;
	api_driver_init(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_response response =
				api_driver_do(&d, cases[i].line, "Content-Encoding: gzip\r\n", SLICE(""));
		CHECK_INT(response.status, cases[i].status);
	}
	api_driver_finish(&d);
}

int main(void)
{
	RUN(test_status);
	RUN(test_flags);
	RUN(test_static);
	RUN(test_static_not_modified);
	RUN(test_quit_is_off);
	RUN(test_quit);
	RUN(test_miscoded);
	return check_done();
}
