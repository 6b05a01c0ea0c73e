/*
 * Grouping keys in paths, from the path as it was sent.
 */

#include <stdlib.h>

#include "api/push_url.h"
#include "base/hash.h"
#include "check.h"
#include "guard.h"
#include "http/exchange.h"
#include "http/target.h"

enum { PATH_MAX_BYTES = 1 << 16 };

static struct push_url_limits limits = { .labels = 30, .label_bytes = 8000 };

static struct guard guard;
static struct arena arena;

/* The path percent-decoded, routed and parsed; the key's text or the error's. */
static enum push_url_result parse(struct slice path, struct slice *ret_text)
{
	struct http_request request = { .method = METHOD_POST };
	struct route route;
	struct group_key key;
	struct slice decoded;
	CHECK(http_percent_decode(path, &arena, &decoded));
	request.path = guard_copy(&guard, decoded);
	const struct routes routes = { .scrape_path = SLICE_INIT("/metrics") };
	enum route_result found = route_find(&routes, &request, &arena, &route);
	CHECK_INT(found, ROUTE_FOUND);
	if (found != ROUTE_FOUND || route.endpoint != ENDPOINT_PUSH) {
		*ret_text = SLICE("no push");
		return PUSH_URL_E_INVALID;
	}
	enum push_url_result result = push_url_parse(&route, &limits, &arena, &key, ret_text);
	if (result == PUSH_URL_OK) {
		result = push_url_check_values(&key, &arena, ret_text);
	}
	if (result == PUSH_URL_OK) {
		*ret_text = group_key_text(&key, &arena);
	}
	return result;
}

struct url_case {
	const char *path; /* behind /metrics/job */
	const char *text;
};

static void check_cases(const struct url_case *cases, size_t count, enum push_url_result wanted)
{
	for (size_t i = 0; i < count; i++) {
		struct slice text;
		int failures = check_failures;
		arena_reset(&arena);
		struct slice path = arena_printf(&arena, "/metrics/job%s", cases[i].path);
		CHECK_INT(parse(path, &text), wanted);
		CHECK_STRING(text, cases[i].text);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].path);
		}
	}
}

#define NO_INSTANCE "instance=\"\","

static void test_keys(void)
{
	static const struct url_case cases[] = {
		{ "/x", NO_INSTANCE "job=\"x\"" },
		{ "/x/", NO_INSTANCE "job=\"x\"" },
		{ "/x/a/b", "a=\"b\",instance=\"\",job=\"x\"" },
		{ "/x/a/", "a=\"\",instance=\"\",job=\"x\"" },
		{ "/x/a@base64/", "a=\"\",instance=\"\",job=\"x\"" },
		{ "/x/instance/i", "instance=\"i\",job=\"x\"" },
		{ "/x/z/1/b/2/A/3", "A=\"3\",b=\"2\",instance=\"\",job=\"x\",z=\"1\"" },
		{ "/x/a/1/a/2", "a=\"2\",instance=\"\",job=\"x\"" },
		{ "/x/a/1/b/3/a/2", "a=\"2\",b=\"3\",instance=\"\",job=\"x\"" },
		{ "/x/job/y", NO_INSTANCE "job=\"x\"" },
		{ "/a@base64", NO_INSTANCE "job=\"a@base64\"" },
		{ "/x/a/b@base64", "a=\"b@base64\",instance=\"\",job=\"x\"" },
		{ "/a+b", NO_INSTANCE "job=\"a+b\"" },
		{ "/a%20b%25", NO_INSTANCE "job=\"a b%\"" },
		{ "/%22%5C%0A", NO_INSTANCE "job=\"\\\"\\\\\\n\"" },
		{ "/%09%0D", NO_INSTANCE "job=\"\t\r\"" },
		{ "/Bj%C3%B6rn", NO_INSTANCE "job=\"Bj\xc3\xb6rn\"" },
		{ "/Bj\xc3\xb6rn", NO_INSTANCE "job=\"Bj\xc3\xb6rn\"" },
		{ "/a#b", NO_INSTANCE "job=\"a#b\"" },
		{ "/x/_/1/a_9/2", "_=\"1\",a_9=\"2\",instance=\"\",job=\"x\"" },
		{ "/x/le/0.5/quantile/1", "instance=\"\",job=\"x\",le=\"0.5\",quantile=\"1\"" },
		{ "/x/U__label_2e_name/1", "U__label_2e_name=\"1\",instance=\"\",job=\"x\"" },
		/* Base64, URL-safe, padded or not. */
		{ "@base64/dGVzdC9qb2I", NO_INSTANCE "job=\"test/job\"" },
		{ "@base64/dGVzdC9qb2I=", NO_INSTANCE "job=\"test/job\"" },
		{ "@base64/dGVzdC9qb2I===", NO_INSTANCE "job=\"test/job\"" },
		{ "@base64/QQ", NO_INSTANCE "job=\"A\"" },
		{ "@base64/QR", NO_INSTANCE "job=\"A\"" },
		{ "@base64/Q%0AQ", NO_INSTANCE "job=\"A\"" },
		{ "@base64/Q%0D%0AQ%0A", NO_INSTANCE "job=\"A\"" },
		{ "@base64/zqDPgc6_zrw", NO_INSTANCE "job=\"\xce\xa0\xcf\x81\xce\xbf\xce\xbc\"" },
		{ "@base64/Pz8_fn5-", NO_INSTANCE "job=\"???~~~\"" },
		{ "/x/path@base64/L3Zhci90bXA", "instance=\"\",job=\"x\",path=\"/var/tmp\"" },
		{ "/x/a@base64/=/b/c", "a=\"\",b=\"c\",instance=\"\",job=\"x\"" },
		{ "/x/a@base64/==/b/c", "a=\"\",b=\"c\",instance=\"\",job=\"x\"" },
		{ "/x/job@base64/eQ", NO_INSTANCE "job=\"x\"" },
	};
	check_cases(cases, sizeof(cases) / sizeof(cases[0]), PUSH_URL_OK);
}

static void test_errors(void)
{
	static const struct url_case cases[] = {
		{ "/a%2Fb", "odd number of components in label string \"/b\"" },
		{ "/x/p/a%2Fb", "odd number of components in label string \"/p/a/b\"" },
		{ "/x/a", "odd number of components in label string \"/a\"" },
		{ "/x/a/b/", "odd number of components in label string \"/a/b/\"" },
		{ "@base64/=", "job name is required" },
		{ "@base64/==", "job name is required" },
		{ "@base64/%0A", "job name is required" },
		{ "@base64/=/a", "odd number of components in label string \"/a\"" },
		{ "@base64/=/a-b/c", "improper label name \"a-b\"" },
		{ "@base64/QQ=QQ",
				"invalid base64 encoding in job name \"\": illegal base64 data at input byte 2" },
		{ "@base64/A",
				"invalid base64 encoding in job name \"\": illegal base64 data at input byte 0" },
		{ "@base64/zqDPgc6+zrz",
				"invalid base64 encoding in job name \"\xce\xa0\\xcf\": illegal "
				"base64 data at input byte 7" },
		{ "/x/l@base64/foo.bar",
				"invalid base64 encoding for label l=\"foo.bar\": illegal base64 data at input "
				"byte "
				"3" },
		{ "/x/a=b/c", "improper label name \"a=b\"" },
		{ "/x/a-b/c", "improper label name \"a-b\"" },
		{ "/x/a.b/c", "improper label name \"a.b\"" },
		{ "/x/a:b/c", "improper label name \"a:b\"" },
		{ "/x/1a/c", "improper label name \"1a\"" },
		{ "/x/%C3%A9/c", "improper label name \"\xc3\xa9\"" },
		{ "/x/%FF/c", "improper label name \"\\xff\"" },
		{ "/x/@base64/eA", "improper label name \"\"" },
		{ "/x/__a/c", "improper label name \"__a\"" },
		{ "/x/__a@base64/c", "improper label name \"__a\"" },
		{ "/x/a/b/__name__/c", "improper label name \"__name__\"" },
		/* What would make the page unreadable may be deleted, not pushed to. */
		{ "/x%FF",
				"pushed metrics are invalid or inconsistent with existing metrics: collected "
				"metric "
				"\"push_time_seconds\" has a label named \"job\" whose value is not utf8: "
				"\"x\\xff\"" },
		{ "/x/a@base64/_w",
				"pushed metrics are invalid or inconsistent with existing metrics: collected "
				"metric "
				"\"push_time_seconds\" has a label named \"a\" whose value is not utf8: "
				"\"\\xff\"" },
		{ "/x/a/%ED%A0%80",
				"pushed metrics are invalid or inconsistent with existing metrics: collected "
				"metric "
				"\"push_time_seconds\" has a label named \"a\" whose value is not utf8: "
				"\"\\xed\\xa0\\x80\"" },
	};
	check_cases(cases, sizeof(cases) / sizeof(cases[0]), PUSH_URL_E_INVALID);
}

static void test_utf8_keys(void)
{
	static const struct url_case cases[] = {
		{ "/x/U__foo_2e_bar/v", "\"foo.bar\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U__label_2e_name2@base64/bGFiZWwvdmFsdWUy",
				"instance=\"\",job=\"x\",\"label.name2\"=\"label/value2\"" },
		{ "/x/U__foo__bar/v", "foo_bar=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U__foo/v", "foo=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U___e9_/v", "instance=\"\",job=\"x\",\"\xc3\xa9\"=\"v\"" },
		{ "/x/U___1F600_/v", "instance=\"\",job=\"x\",\"\xf0\x9f\x98\x80\"=\"v\"" },
		{ "/x/U__a_20_b/v", "\"a b\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U__a_2f_b/v", "\"a/b\"=\"v\",instance=\"\",job=\"x\"" },
		/* What is not rightly encoded is a name as it stands. */
		{ "/x/U__in_xxx_valid/v", "U__in_xxx_valid=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U___d800_/v", "U___d800_=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U___1234567_/v", "U___1234567_=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U__a_/v", "U__a_=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U__a_2e/v", "U__a_2e=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U_/v", "U_=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/u__a_2e_b/v", "instance=\"\",job=\"x\",u__a_2e_b=\"v\"" },
		/* As they are. */
		{ "/x/a.b/v", "\"a.b\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/a-b@base64/dg", "\"a-b\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/1/v", "\"1\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/%C3%A9/v", "instance=\"\",job=\"x\",\"\xc3\xa9\"=\"v\"" },
		{ "/x/a:b/v", "\"a:b\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/a=b/v", "\"a=b\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/_/v", "_=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/@/v", "\"@\"=\"v\",instance=\"\",job=\"x\"" },
		/* Kept escaped. */
		{ "/x/%22%5C%0A/v", "\"\\\"\\\\\\n\"=\"v\",instance=\"\",job=\"x\"" },
		{ "/x/U__a_22__5c__a_/v", "\"a\\\"\\\\\\n\"=\"v\",instance=\"\",job=\"x\"" },
		/* One label, however its name is written; the last counts, and the path's job. */
		{ "/x/a.b/1/U__a_2e_b/2", "\"a.b\"=\"2\",instance=\"\",job=\"x\"" },
		{ "/x/U__a_2e_b/1/a.b/2", "\"a.b\"=\"2\",instance=\"\",job=\"x\"" },
		{ "/x/U__job/y", "instance=\"\",job=\"x\"" },
		{ "/x/U__instance/i", "instance=\"i\",job=\"x\"" },
		/* A suffix that is decoded is part of the name. */
		{ "/x/U__a_40_base64/=", "\"a@base64\"=\"=\",instance=\"\",job=\"x\"" },
		/* Values are not decoded. */
		{ "/U__a_2e_b/a/U__a_2e_b", "a=\"U__a_2e_b\",instance=\"\",job=\"U__a_2e_b\"" },
	};
	limits.utf8_names = true;
	check_cases(cases, sizeof(cases) / sizeof(cases[0]), PUSH_URL_OK);
	limits.utf8_names = false;
}

static void test_utf8_errors(void)
{
	static const struct url_case cases[] = {
		{ "/x/U__/v", "improper label name \"U__\"" },
		{ "/x/U__@base64/dg", "improper label name \"U__\"" },
		{ "/x/@base64/dg", "improper label name \"\"" },
		{ "/x/U______a/v", "improper label name \"__a\"" },
		{ "/x/U______/v", "improper label name \"__\"" },
		{ "/x/U___5f__5f_a/v", "improper label name \"__a\"" },
		{ "/x/U______name____/v", "improper label name \"__name__\"" },
		{ "/x/__a/v", "improper label name \"__a\"" },
		{ "/x/__a.b/v", "improper label name \"__a.b\"" },
		{ "/x/%FF/v", "improper label name \"\\xff\"" },
		{ "/x/U__%FF/v", "improper label name \"\\xff\"" },
		{ "/x/a%ED%A0%80/v", "improper label name \"a\\xed\\xa0\\x80\"" },
		{ "/x/a/b/c.d", "odd number of components in label string \"/a/b/c.d\"" },
		{ "/x/a.b@base64/foo.bar",
				"invalid base64 encoding for label \"a.b\"=\"foo.bar\": illegal base64 data at "
				"input byte 3" },
		{ "/x/U__a_a_b@base64/foo.bar",
				"invalid base64 encoding for label \"a\\nb\"=\"foo.bar\": illegal base64 data at "
				"input byte 3" },
		{ "/x/U__a_a_b/%FF%5C",
				"pushed metrics are invalid or inconsistent with existing metrics: collected "
				"metric \"push_time_seconds\" has a label named \"a\\nb\" whose value is not utf8: "
				"\"\\xff\\\\\"" },
	};
	limits.utf8_names = true;
	check_cases(cases, sizeof(cases) / sizeof(cases[0]), PUSH_URL_E_INVALID);
	limits.utf8_names = false;
}

static void test_nul(void)
{
	struct slice text;
	CHECK_INT(parse(SLICE("/metrics/job/a%00b"), &text), PUSH_URL_OK);
	CHECK_SLICE(text, SLICE("instance=\"\",job=\"a\0b\""));
}

static void test_limits(void)
{
	struct buf path;
	struct slice text;
	buf_init(&path, 0);
	buf_append(&path, SLICE("/metrics/job/x"));
	/* The job counts, too. */
	for (size_t i = 1; i < limits.labels; i++) {
		buf_printf(&path, "/l%zu/v", i);
	}
	CHECK_INT(parse(buf_slice(&path), &text), PUSH_URL_OK);
	buf_append(&path, SLICE("/more/v"));
	CHECK_INT(parse(buf_slice(&path), &text), PUSH_URL_E_LABELS);
	for (size_t more = 0; more < 2; more++) {
		path.len = 0;
		buf_append(&path, SLICE("/metrics/job/"));
		for (size_t i = 0; i < limits.label_bytes + more; i++) {
			buf_append_byte(&path, 'x');
		}
		CHECK_INT(parse(buf_slice(&path), &text), more == 0 ? PUSH_URL_OK : PUSH_URL_E_LABEL_BYTES);
	}
	buf_finish(&path);
}

int main(void)
{
	hash_init();
	guard_init(&guard, PATH_MAX_BYTES);
	arena_init(&arena);
	RUN(test_keys);
	RUN(test_errors);
	RUN(test_utf8_keys);
	RUN(test_utf8_errors);
	RUN(test_nul);
	RUN(test_limits);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
