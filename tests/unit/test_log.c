#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "check.h"

static int reading_end;
static char line[2 * LOG_LINE_BYTES];

/* 2026-03-04T05:06:07.089Z */
static const int64_t WALL_NS = 1772600767089000000;

static void open_log(enum log_level level, enum log_format format)
{
	static int ends[2] = { -1, -1 };
	if (ends[0] < 0 && pipe2(ends, O_NONBLOCK) != 0) {
		abort();
	}
	reading_end = ends[0];
	log_redirect(ends[1]);
	log_configure(level, format);
	clock_freeze(0, WALL_NS);
}

/* What was written since; empty when nothing was. */
static struct slice logged(void)
{
	ssize_t bytes = read(reading_end, line, sizeof(line));
	return slice_make(line, bytes < 0 ? 0 : (size_t)bytes);
}

static void test_logfmt(void)
{
	open_log(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_info("listening address=%s port=%d", "127.0.0.1", 9091);
	CHECK_STRING(logged(),
			"time=2026-03-04T05:06:07.089Z level=info msg=listening address=127.0.0.1 port=9091\n");
	log_warn("cannot push group=%s", "a=\"b\"");
	CHECK_STRING(logged(),
			"time=2026-03-04T05:06:07.089Z level=warn msg=\"cannot push\" "
			"group=\"a=\\\"b\\\"\"\n");
	log_error("stopping");
	CHECK_STRING(logged(), "time=2026-03-04T05:06:07.089Z level=error msg=stopping\n");
}

static void test_json(void)
{
	open_log(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	log_debug("connection closed peer=%s:%u bytes=%zu name=%s", "::1", 80u, (size_t)7, "12");
	CHECK_STRING(logged(),
			"{\"time\":\"2026-03-04T05:06:07.089Z\",\"level\":\"debug\",\"msg\":\"connection "
			"closed\",\"peer\":\"::1:80\",\"bytes\":7,\"name\":\"12\"}\n");
}

static void test_levels(void)
{
	open_log(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
	log_debug("no");
	log_info("no");
	CHECK_STRING(logged(), "");
	CHECK(!log_shows(LOG_LEVEL_INFO));
	CHECK(log_shows(LOG_LEVEL_WARN));
}

static void test_values(void)
{
	static const struct {
		const char *value;
		const char *logfmt;
		const char *json;
	} cases[] = {
		{ "", "\"\"", "\"\"" },
		{ "plain", "plain", "\"plain\"" },
		{ "two words", "\"two words\"", "\"two words\"" },
		{ "a\nlevel=error", "\"a\\nlevel=error\"", "\"a\\nlevel=error\"" },
		{ "\r\t\x01\x7f", "\"\\r\\t\\u0001\\u007f\"", "\"\\r\\t\\u0001\\u007f\"" },
		{ "C:\\x", "\"C:\\\\x\"", "\"C:\\\\x\"" },
		{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"", "\"gr\xc3\xbc\xc3\x9f\"" },
		{ "\xff\xc3", "\"\\ufffd\\ufffd\"", "\"\\ufffd\\ufffd\"" },
		{ "100%d", "100%d", "\"100%d\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char wanted[200];
		open_log(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
		log_info("x v=%s", cases[i].value);
		snprintf(wanted, sizeof(wanted), "v=%s\n", cases[i].logfmt);
		CHECK_STRING(
				slice_skip(logged(), strlen("time=2026-03-04T05:06:07.089Z level=info msg=x ")),
				wanted);
		open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
		log_info("x v=%s", cases[i].value);
		snprintf(wanted, sizeof(wanted), ",\"v\":%s}\n", cases[i].json);
		struct slice got = logged();
		CHECK_STRING(slice_skip(got, got.len - strlen(wanted)), wanted);
	}
}

static void test_conversions(void)
{
	open_log(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_info("x a=%.*s b=%lld c=%ju d=%x e=%.2f f=%g g=%c h=%i%% i=%.3s j=k l=%ld", 2, "abc", -5ll,
			(uintmax_t)UINT64_MAX, 255u, 1.005, 0.25, 'z', 50, "wxyz", -1l);
	struct slice got = logged();
	const char *tail = "msg=x a=ab b=-5 c=18446744073709551615 d=ff e=1.00 f=0.25 g=z h=50% i=wxy "
					   "j=k l=-1\n";
	CHECK(slice_ends_with(got, slice_of_string(tail)));
	const char *volatile none = NULL;
	log_info("%d targets lost state=%s", 3, none);
	CHECK(slice_ends_with(logged(), SLICE(" msg=\"3 targets lost\" state=\"\"\n")));
	log_info("key=%s", "only");
	CHECK(slice_ends_with(logged(), SLICE(" msg=\"\" key=only\n")));
}

/* A line is cut, but whole: quotes and braces are closed, one newline ends it. */
static void test_long_lines(void)
{
	char *value = malloc(3 * LOG_LINE_BYTES);
	for (size_t len = LOG_LINE_BYTES - 120; len < LOG_LINE_BYTES + 20; len++) {
		memset(value, len % 2 == 0 ? 'x' : '"', len);
		value[len] = '\0';
		open_log(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
		log_info("x v=%s w=%d", value, 5);
		struct slice got = logged();
		CHECK(got.len <= LOG_LINE_BYTES);
		CHECK(slice_ends_with(got, SLICE("\"}\n")) || slice_ends_with(got, SLICE(",\"w\":5}\n")));
		open_log(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
		log_info("x v=%s w=%d", value, 5);
		got = logged();
		CHECK(got.len <= LOG_LINE_BYTES);
		CHECK(slice_ends_with(got, SLICE("\"\n")) || slice_ends_with(got, SLICE(" w=5\n"))
				|| slice_ends_with(got, SLICE("x\n")));
	}
	free(value);
}

int main(void)
{
	RUN(test_logfmt);
	RUN(test_json);
	RUN(test_levels);
	RUN(test_values);
	RUN(test_conversions);
	RUN(test_long_lines);
	return check_done();
}
