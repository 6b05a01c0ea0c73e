/*
 * /api/v1/query: what is written, where a limit cuts, and that an answer is of one
 * version whatever changes while it is made, in whatever order.
 */

#include "api/query_duration.h"
#include "unit/api_driver.h"

enum { LINES = 4000, GROUPS = 4 };

static struct api_response get(struct api_driver *d, const char *query)
{
	struct slice line = arena_printf(&d->arena, "GET /api/v1/query?%s", query);
	return api_driver_do(d, arena_copy_string(&d->arena, line), "", SLICE(""));
}

/* ' stands for a quote. */
static struct slice spell(struct api_driver *d, const char *text)
{
	struct slice copy = arena_copy(&d->arena, slice_of_string(text));
	char *bytes = (char *)(uintptr_t)copy.ptr;
	for (size_t i = 0; i < copy.len; i++) {
		bytes[i] = bytes[i] == '\'' ? '"' : bytes[i];
	}
	return copy;
}

static void test_durations(void)
{
	static const int64_t second = 1000000000;
	static const struct {
		const char *text;
		int64_t ns; /* -1: none */
	} cases[] = {
		{ "0", 0 },
		{ "1", second },
		{ "1.5", second + second / 2 },
		{ "1e3", 1000 * second },
		{ "0s", 0 },
		{ "1s", second },
		{ "1ms", second / 1000 },
		{ "1h30m", 5400 * second },
		{ "1y2w3d4h5m6s7ms", 33019506 * second + 7000000 },
		{ "292y", INT64_C(9208512000) * second },
		{ "293y", -1 },
		{ "9223372036s855ms", -1 },
		{ "99999999999999999999s", -1 },
		{ "1e300", -1 },
		{ "NaN", -1 },
		{ "Inf", -1 },
		{ "", -1 },
		{ "s", -1 },
		{ "1x", -1 },
		{ "1.5s", -1 },
		{ "-1s", -1 },
		{ "30m1h", -1 },
		{ "1s1s", -1 },
		{ "1s 1ms", -1 },
		{ "1m1", -1 },
		{ "1\xc2\xb5s", -1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = -1;
		bool is_duration = query_duration_parse(slice_of_string(cases[i].text), &ns);
		CHECK(is_duration == (cases[i].ns >= 0));
		CHECK_INT(is_duration ? ns : -1, cases[i].ns);
	}
}

/* ---- What is written ---- */

static void test_answer(void)
{
	static const struct {
		const char *query;
		const char *result; /* between the brackets and behind them, ' for a quote */
	} cases[] = {
		{ "query=m",
				"{'metric':{'__name__':'m','a':'<\\\\','job':'j'},'value':[1795161065,'1500000']}]}"
				"}" },
		{ "query=m&time=1795161065.25",
				"{'metric':{'__name__':'m','a':'<\\\\','job':'j'},'value':[1795161065.250,'1500000'"
				"]}"
				"]}}" },
		{ "query=s_count",
				"{'metric':{'__name__':'s_count','job':'j'},'value':[1795161065,'2']}]}}" },
		{ "query=s",
				"{'metric':{'__name__':'s','job':'j','quantile':'0.5'},"
				"'value':[1795161065,'NaN']}]}}" },
		{ "query={__name__=~'s_.*'}&limit=1",
				"{'metric':{'__name__':'s_sum','job':'j'},'value':[1795161065,'-Inf']}]},"
				"'warnings':['results truncated due to limit']}" },
		{ "query=push_time_seconds",
				"{'metric':{'__name__':'push_time_seconds','job':'j'},"
				"'value':[1795161065,'1795161065']}]}}" },
		{ "query=nothing", "]}}" },
		{ "query=s_bucket&query=m&x=y&limit=&time=", "]}}" },
	};
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/j",
					  "m{a=\"<\\\\\",b=\"\"} 15e5\n"
					  "# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum -Inf\ns_count 2\n"),
			200);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice query = spell(&d, cases[i].query);
		struct buf escaped;
		buf_init(&escaped, 0);
		for (size_t j = 0; j < query.len; j++) {
			buf_append(&escaped, query.ptr[j] == '"' ? SLICE("%22") : slice_make(&query.ptr[j], 1));
		}
		struct api_response response = get(&d, arena_copy_string(&d.arena, buf_slice(&escaped)));
		buf_finish(&escaped);
		CHECK_INT(response.status, 200);
		struct slice wanted = ARENA_JOIN(&d.arena,
				spell(&d, "{'status':'success','data':{'resultType':'vector','result':["),
				spell(&d, cases[i].result));
		struct buf shown;
		buf_init(&shown, 0);
		for (size_t j = 0; j < response.body.len; j++) {
			bool is_less = slice_starts_with(slice_skip(response.body, j), SLICE("\\u003c"));
			buf_append_byte(&shown, is_less ? '<' : response.body.ptr[j]);
			j += is_less ? 5 : 0;
		}
		CHECK_SLICE(buf_slice(&shown), wanted);
		buf_finish(&shown);
	}
	api_driver_finish(&d);
}

/* ---- Large answers ---- */

static void push_lines(struct api_driver *d, int group, const char *value)
{
	char line[64];
	struct buf body;
	buf_init(&body, 0);
	for (int i = 0; i < LINES; i++) {
		buf_printf(&body, "big{number=\"%d\",text=\"some more text\"} %s\n", i, value);
	}
	snprintf(line, sizeof(line), "PUT /metrics/job/%d", group);
	api_driver_feed(d, api_driver_request(d, line, "", buf_slice(&body)));
	api_driver_settle(d, NULL);
	d->connection.out.len = 0;
	buf_finish(&body);
}

static size_t count(struct slice text, const char *what)
{
	size_t found = 0;
	const char *place;
	while ((place = memmem(text.ptr, text.len, what, strlen(what))) != NULL) {
		text = slice_between(place + 1, text.ptr + text.len);
		found++;
	}
	return found;
}

static void test_limits(void)
{
	struct random_source random;
	struct api_driver d;
	random_init(&random);
	api_driver_init(&d);
	for (int i = 0; i < GROUPS; i++) {
		push_lines(&d, i, "1");
	}
	struct slice whole = get(&d, "query=big").body;
	CHECK_INT(count(whole, "\"metric\""), LINES * GROUPS);
	for (unsigned i = random_rounds(8); i > 0; i--) {
		size_t limit = 1 + random_below(&random, LINES * GROUPS - 1);
		struct slice query = arena_printf(&d.arena, "query=big&limit=%zu", limit);
		struct slice cut = get(&d, arena_copy_string(&d.arena, query)).body;
		struct slice end = SLICE("]},\"warnings\":[\"results truncated due to limit\"]}");
		CHECK_INT(count(cut, "\"metric\""), limit);
		CHECK(slice_ends_with(cut, end));
		CHECK(slice_starts_with(whole, slice_first(cut, cut.len - end.len)));
	}
	struct slice query = arena_printf(&d.arena, "query=big&limit=%d", LINES * GROUPS);
	CHECK_SLICE(get(&d, arena_copy_string(&d.arena, query)).body, whole);
	api_driver_finish(&d);
}

/* Of one version: values change between any two of its parts. */
static void test_changes_meanwhile(void)
{
	struct random_source random;
	struct api_driver d;
	random_init(&random);
	api_driver_init(&d);
	for (int i = 0; i < GROUPS; i++) {
		push_lines(&d, i, "1");
	}
	api_driver_feed(&d, SLICE("GET /api/v1/query?query={job!=%22%22} HTTP/1.1\r\nHost: h\r\n\r\n"));
	for (unsigned step = 0; d.job_count > 0; step++) {
		api_driver_do_job(&d, random_below(&random, (unsigned)d.job_count));
		struct label job = { .name = SLICE("job"), .value = SLICE("2") };
		struct group_key key;
		group_key_init(&key, (struct labels){ .pairs = &job, .count = 1 });
		if (step == 1) {
			store_delete(&d.store, &key);
		}
		if (step == 3) {
			store_wipe(&d.store);
		}
		store_tidy(&d.store);
		api_driver_pump(&d.connection);
	}
	struct api_response response;
	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, 200);
	CHECK_INT(count(response.body, "\"big\""), LINES * GROUPS);
	CHECK_INT(count(response.body, "\"push_time_seconds\""), GROUPS);
	CHECK_INT(count(get(&d, "query=big").body, "\"metric\""), 0);
	api_driver_finish(&d);
}

/* ---- What fails ---- */

static void test_endless(void)
{
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/j",
					  "m{l=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"} 1\n"),
			200);
	struct api_response response = get(&d, "query=m{l=~%22(a%2B)%2B[bc]%22}");
	CHECK_INT(response.status, 422);
	CHECK_STRING(response.body,
			"{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"a regular expression "
			"takes too many steps on a value\"}");
	response = get(&d, "query=m&timeout=-1");
	CHECK_INT(response.status, 503);
	CHECK(memmem(response.body.ptr, response.body.len, "\"timeout\"", 9) != NULL);
	api_driver_finish(&d);
}

/* Behind what was sent already: the answer has no end then. */
static void test_endless_at_the_end(void)
{
	struct api_driver d;
	api_driver_init(&d);
	for (int i = 0; i < GROUPS; i++) {
		push_lines(&d, i, "1");
	}
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/j",
					  "m{l=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"} 1\n"),
			200);
	struct slice line =
			SLICE("GET /api/v1/query?query={__name__=~%22big|m%22,l!~%22(a%2B)%2B[bc]%22} "
				  "HTTP/1.1\r\nHost: h\r\n\r\n");
	api_driver_feed(&d, line);
	api_driver_settle(&d, NULL);
	CHECK(slice_starts_with(buf_slice(&d.connection.out), SLICE("HTTP/1.1 200 ")));
	CHECK(!slice_ends_with(buf_slice(&d.connection.out), SLICE("0\r\n\r\n")));
	CHECK(d.connection.session.cut);
	api_driver_finish(&d);
}

int main(void)
{
	RUN(test_durations);
	RUN(test_answer);
	RUN(test_limits);
	RUN(test_changes_meanwhile);
	RUN(test_endless);
	RUN(test_endless_at_the_end);
	return check_done();
}
