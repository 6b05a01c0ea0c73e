/*
 * Where paths lead, and where those lead that are nearly one.
 */

#include <stdlib.h>

#include "api/route.h"
#include "base/hash.h"
#include "check.h"
#include "guard.h"
#include "http/target.h"

enum { PATH_MAX_BYTES = 1 << 12 };

static struct guard guard;
static struct arena arena;

static const struct method_name {
	struct slice name;
	enum http_method method;
} methods[] = {
	{ SLICE_INIT("CONNECT"), METHOD_OTHER },
	{ SLICE_INIT("DELETE"), METHOD_DELETE },
	{ SLICE_INIT("GET"), METHOD_GET },
	{ SLICE_INIT("HEAD"), METHOD_HEAD },
	{ SLICE_INIT("OPTIONS"), METHOD_OPTIONS },
	{ SLICE_INIT("PATCH"), METHOD_PATCH },
	{ SLICE_INIT("POST"), METHOD_POST },
	{ SLICE_INIT("PUT"), METHOD_PUT },
	{ SLICE_INIT("get"), METHOD_OTHER },
};

static const struct routes plain = { .scrape_path = SLICE_INIT("/metrics") };
static const struct routes with_admin = {
	.scrape_path = SLICE_INIT("/metrics"),
	.has_admin = true,
};
static const struct routes prefixed = {
	.prefix = SLICE_INIT("/a/b"),
	.scrape_path = SLICE_INIT("/metrics"),
	.has_admin = true,
};
static const struct routes moved_scrape = { .scrape_path = SLICE_INIT("/x/scrape") };

/* What comes of "GET /path?query". */
static struct slice describe(const struct routes *routes, const char *request_line)
{
	static const char *const endpoints[] = { "none", "metrics", "push", "healthy", "ready", "quit",
		"page", "static", "openapi", "api export", "api import", "api metrics", "api query",
		"api status", "targets", "target", "target action", "services", "service", "targets export",
		"targets import", "discovery", "collector", "hosts", "rules", "target page", "wipe",
		"api options", "orwell hosts", "orwell images", "orwell collectors" };
	struct http_request request = { 0 };
	struct slice line = slice_of_string(request_line);
	const char *blank = slice_find_byte(line, ' ');
	struct slice method = slice_between(line.ptr, blank);
	struct route route;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (slice_equal(methods[i].name, method)) {
			request.method = methods[i].method;
		}
	}
	request.method_name = method;
	request.target = slice_skip(line, method.len + 1);
	bool is_split = http_target_split(&request, &arena);
	CHECK(is_split);
	request.path = guard_copy(&guard, request.path);
	enum route_result result = route_find(routes, &request, &arena, &route);
	switch (result) {
	case ROUTE_FOUND:
		return slice_of_string(endpoints[route.endpoint]);
	case ROUTE_MOVED:
		return arena_printf(&arena, "%d " SLICE_FMT, route.status, SLICE_ARG(route.location));
	case ROUTE_OPTIONS:
		return arena_printf(&arena, "options [" SLICE_FMT "]", SLICE_ARG(route.allowed));
	case ROUTE_NOT_ALLOWED:
		return arena_printf(&arena, "405 [" SLICE_FMT "]", SLICE_ARG(route.allowed));
	case ROUTE_NOT_FOUND:
		break;
	}
	return SLICE("404");
}

struct route_case {
	const char *request;
	const char *wanted;
};

static void check_cases(const struct routes *routes, const struct route_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int failures = check_failures;
		CHECK_STRING(describe(routes, cases[i].request), cases[i].wanted);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].request);
		}
		arena_reset(&arena);
	}
}

#define CHECK_CASES(routes, cases)                                                                 \
	check_cases((routes), (cases), sizeof(cases) / sizeof((cases)[0]))
#define PUSH_ALLOWED "[DELETE, OPTIONS, POST, PUT]"

static void test_endpoints(void)
{
	static const struct route_case cases[] = {
		{ "GET /metrics", "metrics" },
		{ "GET /metrics?x=y", "metrics" },
		{ "GET /%6Detrics", "metrics" },
		{ "PUT /metrics/job/x", "push" },
		{ "POST /metrics/job/x", "push" },
		{ "DELETE /metrics/job/x", "push" },
		{ "PUT /metrics/job@base64/eA", "push" },
		{ "PUT /metrics/job/x/", "push" },
		{ "PUT /metrics/job/x/a/b", "push" },
		{ "PUT http://host/metrics/job/x", "push" },
		{ "GET /-/healthy", "healthy" },
		{ "GET /-/ready", "ready" },
		{ "GET /-/quit", "quit" },
		{ "PUT /-/quit", "quit" },
		{ "POST /-/quit", "quit" },
		{ "GET /", "page" },
		{ "GET /status", "page" },
		{ "GET /status?page=2", "page" },
		{ "GET /openapi.json", "openapi" },
		{ "HEAD /openapi.json", "openapi" },
		{ "POST /openapi.json", "405 [GET, HEAD, OPTIONS]" },
		{ "GET /openapi.json/", "301 /openapi.json" },
		{ "HEAD /OpenAPI.json", "307 /openapi.json" },
		{ "GET /static/style.css", "static" },
		{ "GET /static/", "static" },
		{ "GET /static/a/b", "static" },
		{ "GET /api/v1/export", "api export" },
		{ "POST /api/v1/import", "404" },
		{ "GET /api/v1/metrics", "api metrics" },
		{ "GET /api/v1/query", "api query" },
		{ "POST /api/v1/query", "api query" },
		{ "PUT /api/v1/query", "405 [GET, OPTIONS, POST]" },
		{ "GET /api/v1/query/x", "404" },
		{ "GET /api/v1/status", "api status" },
		{ "GET /api/v1/targets", "targets" },
		{ "POST /api/v1/targets", "targets" },
		{ "GET /api/v1/targets/x", "target" },
		{ "PUT /api/v1/targets/x", "target" },
		{ "PATCH /api/v1/targets/x", "target" },
		{ "DELETE /api/v1/targets/x", "target" },
		{ "GET /api/v1/services", "services" },
		{ "POST /api/v1/services", "services" },
		{ "PATCH /api/v1/services/x", "service" },
		{ "DELETE /api/v1/services/x%2By", "service" },
		{ "POST /api/v1/targets/x/heartbeat", "target action" },
		{ "POST /api/v1/targets/x/a/b", "target action" },
		{ "GET /api/v1/targets/export", "targets export" },
		{ "POST /api/v1/targets/import", "targets import" },
		{ "PUT /api/v1/targets", "405 [GET, OPTIONS, POST]" },
		{ "POST /api/v1/targets/x", "405 [DELETE, GET, OPTIONS, PATCH, PUT]" },
		{ "GET /api/v1/targets/", "301 /targets" },
		{ "GET /api/v1/sd", "discovery" },
		{ "GET /service_discovery/targets/", "discovery" },
		{ "GET /service_discovery/targets", "301 /service_discovery/targets/" },
		{ "GET /service_discovery/collector", "collector" },
		{ "GET /service_discovery/hosts", "hosts" },
		{ "GET /api/v1/rules.yml", "rules" },
		{ "GET /metrics/target/job/x/a/b", "target page" },
		{ "GET /metrics/target/job@base64/eA", "target page" },
		{ "GET /metrics/target/job/", "404" },
		{ "GET /metrics/target", "404" },
		{ "GET /metrics/f81d4fae-7dec-41d0-a765-00a0c91e6bf6", "target page" },
		{ "GET /metrics/10.0.0.1", "target page" },
		{ "GET /metrics/10.0.0.1/", "target page" },
		{ "GET /metrics/%6Aobs", "target page" },
		{ "GET /metrics/x%2Fy", "404" },
		{ "GET /metrics/JOB", "target page" },
		{ "POST /metrics/jobx", "404" },
		{ "OPTIONS /metrics/Job/", "404" },
		{ "GET /metrics/job", "404" },
		{ "GET /metrics/job@base64", "404" },
		{ "GET /metrics/target/", "404" },
		{ "POST /metrics/x", "405 [GET, OPTIONS]" },
		{ "HEAD /metrics/x", "405 [GET, OPTIONS]" },
		{ "OPTIONS /metrics/x", "options [GET, OPTIONS]" },
		{ "GET /hosts", "orwell hosts" },
		{ "POST /hosts/", "orwell hosts" },
		{ "PUT /hosts", "orwell hosts" },
		{ "PATCH /hosts", "405 [GET, OPTIONS, POST, PUT]" },
		{ "GET /hosts/x", "orwell hosts" },
		{ "DELETE /hosts/x/", "orwell hosts" },
		{ "POST /hosts/x", "405 [DELETE, GET, OPTIONS, PUT]" },
		{ "POST /hosts/image", "orwell hosts" },
		{ "GET /hosts/image", "405 [OPTIONS, POST]" },
		{ "POST /hosts/x/heartbeat", "orwell hosts" },
		{ "POST /hosts/x/heartbeat/", "orwell hosts" },
		{ "GET /hosts/x/heartbeat", "405 [OPTIONS, POST]" },
		{ "POST /hosts/x/y/heartbeat", "404" },
		{ "POST /hosts/x/heartbeats", "404" },
		{ "GET /hosts/x/y", "404" },
		{ "GET /host", "404" },
		{ "GET /hostsx", "404" },
		{ "POST /images/collector", "orwell images" },
		{ "PUT /images/1", "orwell images" },
		{ "POST /collectors/collector", "405 [DELETE, GET, OPTIONS, PUT]" },
		{ "DELETE /collectors/1", "orwell collectors" },
		{ "GET /db/flush", "404" },
		{ "PUT /metrics/target/job/x", "405 [GET, OPTIONS]" },
		{ "OPTIONS /api/v1/metrics", "api options" },
		{ "OPTIONS /api/v1/anything/else", "api options" },
	};
	CHECK_CASES(&plain, cases);
}

static void test_not_found(void)
{
	static const struct route_case cases[] = {
		{ "GET /nothing", "404" },
		{ "GET /api", "404" },
		{ "GET /api/v1/", "404" },
		{ "GET /api/v2/metrics", "404" },
		{ "PUT /api/v1/admin/wipe", "404" },
		{ "POST /metrics/job", "404" },
		{ "POST /metrics/job@base64/", "404" },
		{ "POST /metrics/jobs/x", "404" },
		{ "GET /static", "301 /static/" },
		{ "POST /static", "404" },
		{ "POST /-/quitx", "404" },
		{ "GET /-/", "404" },
		{ "GET /status/x", "404" },
		{ "GET /statusx", "404" },
		{ "GET /api/", "404" },
		{ "GET /api/v1/status/x", "404" },
		{ "POST /api/v1/", "404" },
		{ "CONNECT host:80", "404" },
		{ "OPTIONS /nothing", "404" },
		{ "PATCH /nothing", "404" },
		{ "GET /metricsx", "404" },
	};
	CHECK_CASES(&plain, cases);
}

static void test_other_methods(void)
{
	static const struct route_case cases[] = {
		{ "HEAD /metrics", "405 [GET, OPTIONS]" },
		{ "POST /metrics", "405 [GET, OPTIONS]" },
		{ "PUT /metrics", "405 [GET, OPTIONS]" },
		{ "DELETE /metrics", "405 [GET, OPTIONS]" },
		{ "PATCH /metrics", "405 [GET, OPTIONS]" },
		{ "get /metrics", "405 [GET, OPTIONS]" },
		{ "GET /metrics/job/x", "405 " PUSH_ALLOWED },
		{ "HEAD /metrics/job/x", "405 " PUSH_ALLOWED },
		{ "PATCH /metrics/job/x/a/b", "405 " PUSH_ALLOWED },
		{ "GET /metrics/job@base64/x", "405 " PUSH_ALLOWED },
		{ "POST /", "405 [GET, OPTIONS]" },
		{ "HEAD /", "405 [GET, OPTIONS]" },
		{ "POST /status", "405 [GET, OPTIONS]" },
		{ "PUT /static/x", "405 [GET, OPTIONS]" },
		{ "DELETE /-/quit", "405 [GET, OPTIONS, POST, PUT]" },
		{ "HEAD /-/quit", "405 [GET, OPTIONS, POST, PUT]" },
		{ "OPTIONS /-/quit", "options [GET, OPTIONS, POST, PUT]" },
		{ "OPTIONS /static/", "options [GET, OPTIONS]" },
		{ "HEAD /api/v1/status", "405 [GET, OPTIONS]" },
		{ "POST /-/healthy", "405 [GET, OPTIONS]" },
		{ "OPTIONS /metrics", "options [GET, OPTIONS]" },
		{ "OPTIONS /metrics/job/x", "options " PUSH_ALLOWED },
		{ "OPTIONS /-/ready", "options [GET, OPTIONS]" },
		{ "OPTIONS *", "options []" },
		{ "POST /api/v1/metrics", "405 [GET, OPTIONS]" },
		{ "HEAD /api/v1/metrics", "405 [GET, OPTIONS]" },
	};
	CHECK_CASES(&plain, cases);
}

static void test_redirects(void)
{
	static const struct route_case cases[] = {
		/* Paths that are not clean: 301 whatever the method. */
		{ "GET //metrics", "301 /metrics" },
		{ "GET /x/../metrics", "301 /metrics" },
		{ "GET /./metrics", "301 /metrics" },
		{ "GET /metrics/.", "301 /metrics" },
		{ "GET /metrics/..", "301 /" },
		{ "GET /../..", "301 /" },
		{ "GET /..", "301 /" },
		{ "POST /metrics/job/x//a/b", "301 /metrics/job/x/a/b" },
		{ "POST /metrics/job/x%2F%2Fa/b", "301 /metrics/job/x/a/b" },
		{ "POST /metrics/job//a/b", "301 /metrics/job/a/b" },
		{ "POST /metrics/job/x/a//", "301 /metrics/job/x/a/" },
		{ "DELETE /metrics/job/../x", "301 /metrics/x" },
		{ "PUT /a//b?x=1&y=%20", "301 /a/b?x=1&y=%20" },
		{ "PUT /a//%22%20%C3%A9%25?q", "301 /a/%22%20%C3%A9%25?q" },
		{ "PUT /a//b?", "301 /a/b" },
		{ "OPTIONS //api/v1/x", "301 /api/v1/x" },
		{ "GET //api/v1", "301 /api/v1/" },
		{ "PUT /x/../api/v1?q", "301 /api/v1/?q" },
		{ "HEAD //status", "301 /status" },
		/* A slash too many or too few, another case. */
		{ "GET /metrics/", "301 /metrics" },
		{ "GET /METRICS", "301 /metrics" },
		{ "GET /Metrics/?x=y", "301 /metrics?x=y" },
		{ "POST /metrics/", "404" },
		{ "GET /-/HEALTHY/", "301 /-/healthy" },
		{ "POST /metrics/job/", "307 /metrics/job" },
		{ "PUT /Metrics/JOB/", "404" },
		{ "DELETE /Metrics/job/", "404" },
		{ "OPTIONS /metrics/job/", "404" },
		{ "GET /STATUS", "301 /status" },
		{ "GET /Status/", "301 /status" },
		{ "GET /status/", "301 /status" },
		{ "POST /STATUS", "404" },
		{ "POST /status/", "404" },
		{ "HEAD /STATUS", "404" },
		{ "OPTIONS /STATUS", "404" },
		{ "GET /Static", "301 /static/" },
		{ "GET /STATIC/A%20b", "301 /static/A%20b" },
		{ "POST /STATIC/x", "404" },
		{ "GET /-/QUIT", "301 /-/quit" },
		{ "POST /-/Quit/?x", "307 /-/quit?x" },
		{ "DELETE /-/QUIT", "404" },
		{ "POST /metrics/JOB/x", "307 /metrics/job/x" },
		{ "POST /METRICS/job/X/Y/z", "307 /metrics/job/X/Y/z" },
		{ "DELETE /metrics/JOB@Base64/eA", "307 /metrics/job@base64/eA" },
		{ "DELETE /metrics/JOB/x/a/b/", "307 /metrics/job/x/a/b/" },
		{ "DELETE /metrics/JOB@Base64/eA/l/v", "404" },
		{ "GET /metrics/JOB/x", "404" },
		/* Behind /api/v1 the location loses it. */
		{ "GET /api/v1", "301 /api/v1/" },
		{ "GET /api/v1?x", "301 /api/v1/?x" },
		{ "GET /api/v1/metrics/", "301 /metrics" },
		{ "GET /api/v1/METRICS", "301 /metrics" },
		{ "GET /api/v1/Status/?x", "301 /status?x" },
		{ "POST /api/v1/STATUS", "404" },
		{ "GET /API/v1/status", "404" },
		{ "GET /api/V1/status", "404" },
		/* What leads to the API must not be escaped. */
		{ "GET /api/v1/%73tatus", "api status" },
		{ "GET /%61pi/v1/status", "404" },
		{ "GET /api%2Fv1/status", "404" },
		{ "OPTIONS /api/%761/x", "404" },
		{ "GET http://host/api/v1/status", "api status" },
		{ "GET http://host/api%2Fv1/status", "404" },
	};
	CHECK_CASES(&plain, cases);
}

static void test_admin(void)
{
	static const struct route_case cases[] = {
		{ "PUT /api/v1/admin/wipe", "wipe" },
		{ "POST /api/v1/import", "api import" },
		{ "PUT /api/v1/import", "405 [OPTIONS, POST]" },
		{ "POST /api/v1/admin/wipe", "405 [OPTIONS, PUT]" },
		{ "GET /api/v1/admin/wipe", "405 [OPTIONS, PUT]" },
		{ "PUT /api/v1/admin/wipe/", "307 /admin/wipe" },
		{ "PUT /api/v1/admin/WIPE", "307 /admin/wipe" },
	};
	CHECK_CASES(&with_admin, cases);
}

static void test_prefix(void)
{
	static const struct route_case cases[] = {
		{ "GET /a/b/", "page" },
		{ "GET /a/b/status", "page" },
		{ "GET /a/b/metrics", "metrics" },
		{ "GET /a%2Fb/metrics", "metrics" },
		{ "PUT /a/b/metrics/job/x/l/v", "push" },
		{ "DELETE /a/b/metrics/job@base64/eA", "push" },
		{ "GET /a/b/static/style.css", "static" },
		{ "GET /a/b/-/ready", "ready" },
		{ "GET /a/b/api/v1/status", "api status" },
		{ "OPTIONS /a/b/api/v1/any", "api options" },
		{ "PUT /a/b/api/v1/admin/wipe", "wipe" },
		/* Nothing is outside of it. */
		{ "GET /", "404" },
		{ "GET /a", "404" },
		{ "GET /a/", "404" },
		{ "GET /a/bc", "404" },
		{ "GET /a/bmetrics", "404" },
		{ "GET /metrics", "404" },
		{ "GET /status", "404" },
		{ "POST /metrics/job/x", "404" },
		{ "GET /api/v1/status", "404" },
		{ "GET /api/v1", "404" },
		{ "OPTIONS /api/v1/x", "404" },
		/* Nearly right, as without a prefix. */
		{ "GET /a/b", "301 /a/b/" },
		{ "GET /a/b?x=1", "301 /a/b/?x=1" },
		{ "GET /A/B", "301 /a/b/" },
		{ "GET /A/B/", "301 /a/b/" },
		{ "POST /a/b", "404" },
		{ "OPTIONS /a/b", "404" },
		{ "POST /a/b/", "405 [GET, OPTIONS]" },
		{ "POST /A/b/", "404" },
		{ "GET /A/b/Status/", "301 /a/b/status" },
		{ "GET /A/b/static", "301 /a/b/static/" },
		{ "POST /A/b/metrics/job/x", "307 /a/b/metrics/job/x" },
		{ "POST /a/b/metrics/job/", "307 /a/b/metrics/job" },
		{ "POST /A/b/metrics/job/", "404" },
		{ "GET /A/b/api/v1/status", "404" },
		{ "GET /a/B/api/v1", "404" },
	};
	CHECK_CASES(&prefixed, cases);
}

/* A Pushgateway's redirects under /api/v1 lead nowhere when it has a prefix. */
static void test_api_redirects_keep_the_prefix(void)
{
	static const struct route_case cases[] = {
		{ "GET /a/b/api/v1", "301 /a/b/api/v1/" },
		{ "GET //a/b/api/v1", "301 /a/b/api/v1/" },
		{ "GET /a/b/api/v1/status/", "301 /a/b/api/v1/status" },
		{ "GET /a/b/api/v1/METRICS?x", "301 /a/b/api/v1/metrics?x" },
		{ "PUT /a/b/api/v1/admin/wipe/", "307 /a/b/api/v1/admin/wipe" },
	};
	CHECK_CASES(&prefixed, cases);
}

/* A client makes a GET of what is moved by 301: a push would be lost. */
static void test_cleaning_below_a_prefix_keeps_the_method(void)
{
	static const struct route_case cases[] = {
		{ "POST /a/b/metrics/job/x//l/v", "307 /a/b/metrics/job/x/l/v" },
		{ "PUT //a/b/metrics/job/x?q", "307 /a/b/metrics/job/x?q" },
		{ "DELETE /a/b/x/../metrics/job/x", "307 /a/b/metrics/job/x" },
		{ "POST /a/b/api/v1", "307 /a/b/api/v1/" },
		{ "GET /a/b//metrics", "301 /a/b/metrics" },
	};
	CHECK_CASES(&prefixed, cases);
}

/* A Pushgateway has GET /-/quit outside of its prefix. */
static void test_quit_is_below_the_prefix(void)
{
	static const struct route_case cases[] = {
		{ "GET /a/b/-/quit", "quit" },
		{ "PUT /a/b/-/quit", "quit" },
		{ "GET /-/quit", "404" },
		{ "POST /-/quit", "404" },
		{ "OPTIONS /-/quit", "404" },
		{ "GET /-/QUIT", "404" },
		{ "GET /a/b/-/quit/", "301 /a/b/-/quit" },
	};
	CHECK_CASES(&prefixed, cases);
}

static void test_scrape_path(void)
{
	static const struct route_case cases[] = {
		{ "GET /x/scrape", "metrics" },
		{ "GET /x/scrape/", "301 /x/scrape" },
		{ "GET /X/Scrape", "301 /x/scrape" },
		{ "POST /x/scrape", "405 [GET, OPTIONS]" },
		{ "GET /x", "404" },
		{ "GET /metrics", "404" },
		{ "GET /metrics/", "404" },
		{ "POST /metrics/job/x", "push" },
		{ "POST /x/scrape/job/x", "404" },
		{ "GET /api/v1/metrics", "api metrics" },
	};
	CHECK_CASES(&moved_scrape, cases);
}

/* Profiles of the process are for nobody. */
static void test_no_profiling(void)
{
	static const struct route_case cases[] = {
		{ "GET /debug/pprof/", "404" },
		{ "GET /debug/pprof", "404" },
		{ "GET /debug/pprof/profile", "404" },
		{ "POST /debug/pprof/symbol", "404" },
	};
	CHECK_CASES(&plain, cases);
}

int main(void)
{
	hash_init();
	guard_init(&guard, PATH_MAX_BYTES);
	arena_init(&arena);
	RUN(test_endpoints);
	RUN(test_not_found);
	RUN(test_other_methods);
	RUN(test_redirects);
	RUN(test_admin);
	RUN(test_prefix);
	RUN(test_api_redirects_keep_the_prefix);
	RUN(test_cleaning_below_a_prefix_keeps_the_method);
	RUN(test_quit_is_below_the_prefix);
	RUN(test_scrape_path);
	RUN(test_no_profiling);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
