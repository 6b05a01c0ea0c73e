/* The groups of a Pushgateway, cut out of its API's answer at every split, and its times. */

#include <math.h>

#include "base/arena.h"
#include "check.h"
#include "transfer/gateway_scan.h"
#include "transfer/gateway_time.h"

static struct arena arena;

/* ---- Cutting ---- */

/* The groups, one a line, and how it ended. */
static struct slice cut(struct slice text, size_t split)
{
	static const char *const ends[] = { "", "more", "end", "syntax", "large" };
	struct gateway_scan scan;
	struct buf out;
	struct slice parts[] = { slice_first(text, split), slice_skip(text, split) };
	enum gateway_scan_result result = GATEWAY_SCAN_MORE;
	gateway_scan_init(&scan);
	buf_init(&out, 0);
	for (size_t i = 0; i < 2 && (result == GATEWAY_SCAN_MORE || result == GATEWAY_SCAN_END); i++) {
		struct slice group;
		struct slice copy = parts[i].len == 0 ? SLICE("") : arena_copy(&arena, parts[i]);
		while ((result = gateway_scan_next(&scan, &copy, &group)) == GATEWAY_SCAN_GROUP) {
			buf_append(&out, group);
			buf_append_byte(&out, '\n');
		}
	}
	buf_append_string(&out, ends[result]);
	buf_append_string(&out, scan.has_data ? "" : " without data");
	struct slice copy = arena_copy(&arena, buf_slice(&out));
	gateway_scan_finish(&scan);
	buf_finish(&out);
	return copy;
}

static void test_cutting(void)
{
	static const struct {
		const char *text;
		const char *groups;
	} cases[] = {
		{ "{\"status\":\"success\",\"data\":[]}", "end" },
		{ " {\"data\": [ {} , {\"a\":[{}]}\n] }\n", "{}\n{\"a\":[{}]}\nend" },
		{ "{\"data\":[{\"a\":\"}]\\\"\\\\\"}],\"status\":\"success\"}",
				"{\"a\":\"}]\\\"\\\\\"}\nend" },
		{ "{\"x\":{\"data\":[{}]},\"y\":[{\"data\":[]}],\"data\":[{\"b\":1}]}", "{\"b\":1}\nend" },
		{ "{\"status\":\"error\",\"data\":{\"a\":[{}]}}", "end without data" },
		{ "{\"datadatadata\":[{}]}", "end without data" },
		{ "{\"data\":[{\"a\":1},{\"b\":", "{\"a\":1}\nmore" },
		{ "{\"data\":[{\"a\":1}", "{\"a\":1}\nmore" },
		{ "", "more without data" },
		{ "<html>", "syntax without data" },
		{ "[{}]", "syntax without data" },
		{ "{\"data\":[1]}", "syntax" },
		{ "{\"data\":[]} x", "syntax" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = slice_of_string(cases[i].text);
		for (size_t split = 0; split <= text.len; split++) {
			CHECK_STRING(cut(text, split), cases[i].groups);
		}
		arena_reset(&arena);
	}
}

/* ---- Times ---- */

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: none */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-27T11:46:42.285776302Z", 1795780002285776302 },
		{ "2026-11-27T11:46:42.5Z", 1795780002500000000 },
		{ "2020-03-10T00:54:08.025744841+05:30", 1583781848025744841 },
		{ "2020-02-29T23:59:59-01:00", 1583024399000000000 },
		{ "2000-12-31T23:59:59.0000000019Z", 978307199000000001 },
		{ "0001-01-01T00:00:00Z", -1 },
		{ "1970-01-01T00:00:00+01:00", -1 },
		{ "2262-01-01T00:00:00Z", -1 },
		{ "2026-13-27T11:46:42Z", -1 },
		{ "2026-11-27T11:46:42.Z", -1 },
		{ "2026-11-27T11:46:42", -1 },
		{ "2026-11-27 11:46:42Z", -1 },
		{ "2026-11-27T11:46:42Zx", -1 },
		{ "", -1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = -1;
		bool is_time = gateway_time_parse(slice_of_string(cases[i].text), &ns);
		CHECK(is_time == (cases[i].ns >= 0));
		CHECK_INT(is_time ? ns : -1, cases[i].ns);
	}
}

static void test_times_of_gauges(void)
{
	struct slice stamp = SLICE("2026-11-27T11:46:42.285776302Z");
	CHECK_INT(gateway_time_of_gauge(0, stamp), 0);
	CHECK_INT(gateway_time_of_gauge(1.7957800022857764e+09, stamp), 1795780002285776302);
	/* Of another time: an older gateway restored it, say. */
	CHECK_INT(gateway_time_of_gauge(1.5, stamp), 1500000000);
	CHECK_INT(gateway_time_of_gauge(1.5, SLICE("")), 1500000000);
	CHECK_INT(gateway_time_of_gauge(-1, stamp), 0);
	CHECK_INT(gateway_time_of_gauge(NAN, stamp), 0);
	CHECK_INT(gateway_time_of_gauge(1e30, stamp), 0);
}

int main(void)
{
	arena_init(&arena);
	RUN(test_cutting);
	RUN(test_times);
	RUN(test_times_of_gauges);
	arena_finish(&arena);
	return check_done();
}
