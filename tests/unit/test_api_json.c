/*
 * /api/v1/metrics: what is in it, and that it is whole whatever goes on while
 * it is written.
 */

#include "base/number.h"
#include "format/json.h"
#include "format/json_native.h"
#include "format/protobuf_wire.h"
#include "guard.h"
#include "unit/api_driver.h"

/* ---- One group ---- */

/* ' stands for a quote, @ for the labels, ~ for the time. */
static struct slice spell_out(struct api_driver *d, const char *text)
{
	struct buf out;
	buf_init(&out, 0);
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '\'':
			buf_append_byte(&out, '"');
			break;
		case '@':
			buf_append(&out,
					SLICE("\"labels\":{\"instance\":\"\",\"job\":\"a\\\"b\",\"l\":\"\\\\x\\n\"}"));
			break;
		case '~':
			buf_append(&out, SLICE("\"time_stamp\":\"2026-11-20T07:51:05Z\""));
			break;
		default:
			buf_append_byte(&out, *text);
			break;
		}
	}
	struct slice copy = arena_copy(&d->arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

static void test_json(void)
{
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/a%22b/l/%5Cx%0A",
					  "# HELP m A <b> & \\\\ \\n.\n"
					  "# TYPE m gauge\n"
					  "m 15e9\n"
					  "m{job=\"x\",l=\"y\",n=\"\\\"\"} NaN\n"
					  "# TYPE s summary\n"
					  "s{quantile=\"0.5\"} 1\n"
					  "s{quantile=\"0.99\"} 2.5\n"
					  "s_sum 3\n"
					  "s_count 4\n"
					  "# TYPE h histogram\n"
					  "h_bucket{le=\"0.1\"} 1\n"
					  "h_bucket{le=\"+Inf\"} 2\n"
					  "h_sum 3\n"
					  "h_count 2\n"
					  "labels 1\n"
					  "last_push_successful 1\n"),
			200);
	CHECK_SLICE(api_driver_do(&d, "GET /api/v1/metrics", "", SLICE("")).body,
			spell_out(&d,
					"{'status':'success','data':[{"
					"'h':{~,'type':'HISTOGRAM','metrics':["
					"{'buckets':{'+Inf':'2','0.1':'1'},'count':'2',@,'sum':'3'}]},"
					"'labels':{'job':'a\\\"b','l':'\\\\x\\n'},"
					"'last_push_successful':true,"
					"'m':{~,'type':'GAUGE','help':'A \\u003cb\\u003e \\u0026 \\\\ \\n.','metrics':["
					"{@,'value':'1.5e+10'},"
					"{'labels':{'instance':'','job':'a\\\"b','l':'\\\\x\\n','n':'\\\"'},'value':'"
					"NaN'}]},"
					"'push_failure_time_seconds':{~,'type':'GAUGE',"
					"'help':'Last Unix time when changing this group in the Pushgateway failed.',"
					"'metrics':[{@,'value':'0'}]},"
					"'push_time_seconds':{~,'type':'GAUGE',"
					"'help':'Last Unix time when changing this group in the Pushgateway "
					"succeeded.',"
					"'metrics':[{@,'value':'1.795161065e+09'}]},"
					"'s':{~,'type':'SUMMARY','metrics':["
					"{'count':'4',@,'quantiles':{'0.5':'1','0.99':'2.5'},'sum':'3'}]}"
					"}]}"));
	api_driver_finish(&d);
}

static void test_json_after_failure(void)
{
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/j", "m 1 1\n"), 400);
	struct slice body = api_driver_do(&d, "GET /api/v1/metrics", "", SLICE("")).body;
	CHECK(slice_starts_with(body,
			SLICE("{\"status\":\"success\",\"data\":[{\"labels\":{\"job\":"
				  "\"j\"},\"last_push_successful\":false,")));
	api_driver_finish(&d);
}

/* ---- Numbers ---- */

struct number_case {
	const char *body;
	const char *metric; /* ' stands for a quote, @ for the labels */
};

static const struct number_case numbers[] = {
	{ "m 1000000\n", "{@,'value':'1e+06'}" },
	{ "m 0.00001\n", "{@,'value':'1e-05'}" },
	{ "m -0\n", "{@,'value':'-0'}" },
	{ "m -Inf\n", "{@,'value':'-Inf'}" },
	{ "m 1.50\n", "{@,'value':'1.5'}" },
	/* Counts are integers in Go where they are whole. */
	{ "# TYPE m summary\nm_sum 1000000\nm_count 1000000\n",
			"{'count':'1000000',@,'quantiles':{},'sum':'1e+06'}" },
	{ "# TYPE m summary\nm{quantile=\"1\"} 1e6\nm{quantile=\"0.1\"} 1\nm_sum 1\nm_count 1e3\n",
			"{'count':'1000',@,'quantiles':{'0.1':'1','1':'1e+06'},'sum':'1'}" },
	{ "# TYPE m histogram\nm_bucket{le=\"10\"} 1e6\nm_bucket{le=\"9\"} 1.5\n"
	  "m_bucket{le=\"-1\"} 0\nm_bucket{le=\"+Inf\"} 2e6\nm_sum 1e6\nm_count 2000000\n",
			"{'buckets':{'+Inf':'2000000','-1':'0','10':'1000000','9':'1.5'},"
			"'count':'2000000',@,'sum':'1e+06'}" },
	{ "# TYPE m gaugehistogram\nm_bucket{le=\"+Inf\"} 2\nm_sum -1\nm_count 2\n",
			"{'buckets':{'+Inf':'2'},'count':'2',@,'sum':'-1'}" },
};

static struct slice first_metric(struct slice json)
{
	const char *start = memmem(json.ptr, json.len, "\"metrics\":[", 11);
	const char *end = memmem(json.ptr, json.len, "]}", 2);
	return start == NULL || end < start ? SLICE("") : slice_between(start + 11, end);
}

static void test_numbers(void)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct api_driver d;
		api_driver_init(&d);
		CHECK_INT(api_driver_status(&d, "PUT /metrics/job/a%22b/l/%5Cx%0A", numbers[i].body), 200);
		struct slice json = api_driver_do(&d, "GET /api/v1/metrics?match[]=m", "", SLICE("")).body;
		CHECK_SLICE(first_metric(json), spell_out(&d, numbers[i].metric));
		api_driver_finish(&d);
	}
}

/* However a value is written, its JSON is what Go makes of it. */
static void test_values(void)
{
	static const char *const pieces[] = { "0", "00", "1", "7", "12", "999", "123456", "000", "-",
		".", "e", "5", "000001", "90" };
	struct random_source random;
	struct buf out;
	struct buf text;
	random_init(&random);
	buf_init(&out, 0);
	buf_init(&text, 0);
	for (unsigned round = 0; round < random_rounds(200000); round++) {
		char wanted[NUMBER_TEXT_MAX];
		text.len = 0;
		out.len = 0;
		unsigned count = 1 + random_below(&random, 6);
		for (unsigned i = 0; i < count; i++) {
			buf_append_string(&text, pieces[random_below(&random, 14)]);
		}
		if (!number_is_float(buf_slice(&text))) {
			continue;
		}
		json_append_value(&out, buf_slice(&text));
		size_t len = number_format(number_value(buf_slice(&text)), wanted);
		CHECK_SLICE(slice_make(out.ptr + 1, out.len - 2), slice_make(wanted, len));
	}
	buf_finish(&out);
	buf_finish(&text);
}

/* ---- Native histograms ---- */

struct native_case {
	double count_float; /* 0: the rest is integers */
	int schema;
	double zero_threshold;
	unsigned zero_count;
	int offset; /* of the first span; the second has a gap of `gap` */
	unsigned gap;
	int buckets[4]; /* deltas or counts, two a span; the same on both sides */
	const char *json;
};

static const struct native_case natives[] = {
	{ 0, 1, 0, 0, 0, 0, { 0, 2, -2, 0 },
			"[[1,'-1.414213562373095','-1','2'],[0,'1','1.414213562373095','2']]" },
	{ 20, 1, 0, 0, 0, 0, { 2, 2, -2, 0 },
			"[[1,'-2','-1.414213562373095','-2'],[1,'-1.414213562373095','-1','2'],"
			"[1,'-1','-0.7071067811865475','2'],[0,'0.7071067811865475','1','2'],"
			"[0,'1','1.414213562373095','2'],[0,'1.414213562373095','2','-2']]" },
	{ 0, 0, 0.001, 7, 3, 2, { 1000000, 0, 0, -999999 },
			"[[1,'-256','-128','1'],[1,'-128','-64','1000000'],"
			"[1,'-16','-8','1000000'],[1,'-8','-4','1000000'],[3,'-0.001','0.001','7'],"
			"[0,'4','8','1000000'],[0,'8','16','1000000'],[0,'64','128','1000000'],"
			"[0,'128','256','1']]" },
	{ 0, -4, 0, 0, 0, 0, { 1, 0, -1, 0 },
			"[[1,'-65536','-1','1'],[1,'-1','-1.52587890625e-05','1'],"
			"[0,'1.52587890625e-05','1','1'],[0,'1','65536','1']]" },
	{ 0, 8, 0, 0, 1, 0, { 1, 0, 0, -1 },
			"[[1,'-1.0081558981184175','-1.0054299011128027','1'],"
			"[1,'-1.0054299011128027','-1.0027112750502025','1'],"
			"[1,'-1.0027112750502025','-1','1'],[0,'1','1.0027112750502025','1'],"
			"[0,'1.0027112750502025','1.0054299011128027','1'],"
			"[0,'1.0054299011128027','1.0081558981184175','1']]" },
	/* The last bucket before infinity, and that of infinity. */
	{ 0, 0, 0, 0, 1024, 0, { 1, 0, -1, 0 },
			"[[1,'-Inf','-1.7976931348623157e+308','1'],"
			"[1,'-1.7976931348623157e+308','-8.98846567431158e+307','1'],"
			"[0,'8.98846567431158e+307','1.7976931348623157e+308','1'],"
			"[0,'1.7976931348623157e+308','+Inf','1']]" },
};

static uint64_t fold_sign(int64_t number)
{
	return (uint64_t)(number < 0 ? -number * 2 - 1 : number * 2);
}

static void put_side(struct buf *out, const struct native_case *c, uint32_t field)
{
	for (int i = 0; i < 2; i++) {
		size_t span = wire_open(out, field);
		int64_t offset = i == 0 ? c->offset : (int)c->gap;
		wire_put_uint(out, 1, fold_sign(offset));
		wire_put_uint(out, 2, 2);
		wire_close(out, span);
	}
	for (int i = 0; i < 4; i++) {
		if (c->count_float > 0) {
			wire_put_double(out, field + 2, c->buckets[i]);
		} else {
			wire_put_uint(out, field + 1, fold_sign(c->buckets[i]));
		}
	}
}

static void put_native(struct buf *out, const struct native_case *c)
{
	size_t metric = wire_open(out, 4);
	size_t histogram = wire_open(out, 7);
	wire_put_uint(out, 1, 20);
	wire_put_double(out, 2, 99.23);
	if (c->count_float > 0) {
		wire_put_double(out, 4, c->count_float);
	}
	wire_put_uint(out, 5, fold_sign(c->schema));
	wire_put_double(out, 6, c->zero_threshold);
	wire_put_uint(out, 7, c->zero_count);
	put_side(out, c, 9);
	put_side(out, c, 12);
	wire_close(out, histogram);
	wire_close(out, metric);
}

/* As from a Go client: a family behind its length. */
static struct slice native_body(struct api_driver *d, const struct native_case *c)
{
	struct buf family;
	struct buf body;
	buf_init(&family, 0);
	buf_init(&body, 0);
	wire_put_bytes(&family, 1, SLICE("m"));
	wire_put_uint(&family, 3, 4);
	put_native(&family, c);
	wire_put_varint(&body, family.len);
	buf_append(&body, buf_slice(&family));
	struct slice copy = arena_copy(&d->arena, buf_slice(&body));
	buf_finish(&family);
	buf_finish(&body);
	return copy;
}

static void test_native(void)
{
	for (size_t i = 0; i < sizeof(natives) / sizeof(natives[0]); i++) {
		struct arena arena;
		struct buf fields;
		struct buf out;
		struct api_driver d;
		api_driver_init(&d);
		arena_init(&arena);
		buf_init(&fields, 0);
		buf_init(&out, 0);
		put_native(&fields, &natives[i]);
		/* The fields of the Histogram alone. */
		struct wire_reader metric = wire_reader_of(buf_slice(&fields));
		struct wire_field field;
		CHECK(wire_next(&metric, &field));
		metric = wire_reader_of(field.bytes);
		CHECK(wire_next(&metric, &field));
		CHECK(json_append_native_buckets(&out, field.bytes, JSON_PUSHGATEWAY, &arena));
		CHECK_SLICE(buf_slice(&out), spell_out(&d, natives[i].json));
		buf_finish(&fields);
		buf_finish(&out);
		arena_finish(&arena);
		api_driver_finish(&d);
	}
}

/* What is broken is not written, and nothing is read beyond its end. */
static void test_broken_native(void)
{
	struct guard guard;
	struct buf fields;
	guard_init(&guard, 4096);
	buf_init(&fields, 0);
	put_native(&fields, &natives[2]);
	for (size_t len = 0; len < fields.len; len++) {
		struct arena arena;
		struct buf out;
		arena_init(&arena);
		buf_init(&out, 0);
		bool is_written = json_append_native_buckets(&out,
				guard_copy(&guard, slice_first(buf_slice(&fields), len)), JSON_PUSHGATEWAY, &arena);
		CHECK(is_written == (out.len > 0));
		buf_finish(&out);
		arena_finish(&arena);
	}
	buf_finish(&fields);
	guard_finish(&guard);
}

static void test_pushed_native(void)
{
	struct api_driver d;
	api_driver_init(&d);
	struct api_response response = api_driver_do(&d, "PUT /metrics/job/a%22b/l/%5Cx%0A",
			"Content-Type: application/vnd.google.protobuf; encoding=delimited; "
			"proto=io.prometheus.client.MetricFamily\r\n",
			native_body(&d, &natives[1]));
	CHECK_INT(response.status, 200);
	struct slice json = api_driver_do(&d, "GET /api/v1/metrics?match[]=m", "", SLICE("")).body;
	CHECK(memmem(json.ptr, json.len, "\"buckets\":[[1,\"-2\",\"-1.41", 25) != NULL);
	CHECK(memmem(json.ptr, json.len, "\"count\":\"20\",", 13) != NULL);
	CHECK(memmem(json.ptr, json.len, "\"sum\":\"99.23\"}]}", 16) != NULL);
	api_driver_finish(&d);
}

/* ---- Selectors ---- */

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

struct match_case {
	const char *query;
	size_t groups;
	size_t families;
	size_t metrics;
};

static const struct match_case matched[] = {
	{ "", 4, 12, 13 },
	{ "match=m", 4, 12, 13 },
	{ "x=y&match%5B%5D=m", 2, 2, 3 },
	{ "match[]=m", 2, 2, 3 },
	{ "match[]=m{l=%22x%22}", 1, 1, 1 },
	{ "match[]=m%7Bl%3D%22x%22%7D", 1, 1, 1 },
	{ "match[]=m{l!=%22x%22}", 2, 2, 2 },
	{ "match[]=m{l=~%22x|y%22}", 2, 2, 2 },
	{ "match[]=m{+l%20=+%22x%22+}", 1, 1, 1 },
	{ "match[]={job=%22a%22}", 1, 5, 6 },
	{ "match[]={job=%22nobody%22}", 0, 0, 0 },
	{ "match[]=nothing", 0, 0, 0 },
	{ "match[]=nothing&match[]=m&match[]=h", 2, 3, 4 },
	{ "match[]=h", 1, 1, 1 },
	{ "match[]=h_bucket", 1, 1, 1 },
	{ "match[]=h_bucket{le=%221%22}", 0, 0, 0 },
	{ "match[]=h_quantile", 0, 0, 0 },
	{ "match[]=s_count{job=%22a%22}", 1, 1, 1 },
	{ "match[]=s_bucket", 0, 0, 0 },
	{ "match[]=push_time_seconds", 4, 4, 4 },
	{ "match[]={__name__=~%22push_.*%22}", 4, 8, 8 },
	{ "match[]={__name__=~%22push_.*%22,job=~%22[ab]%22}", 2, 4, 4 },
	{ "match[]=push_time_seconds{instance=%22%22,empty=%22%22}", 4, 4, 4 },
	{ "match[]=push_time_seconds{instance!=%22%22}", 0, 0, 0 },
	/* Of the fourth group nothing but its times could be. */
	{ "match[]={job=%22d%22}", 1, 2, 2 },
	/* Families that have the names of keys are not shown. */
	{ "match[]=labels", 0, 0, 0 },
};

static void fill_for_selectors(struct api_driver *d)
{
	CHECK_INT(api_driver_status(d, "PUT /metrics/job/a",
					  "m 1\nm{l=\"x\"} 2\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\n"
					  "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"
					  "# TYPE s summary\ns_sum 1\ns_count 1\nlabels 1\n"),
			200);
	CHECK_INT(api_driver_status(d, "PUT /metrics/job/b", "m{l=\"y\"} 1\n"), 200);
	CHECK_INT(api_driver_status(d, "PUT /metrics/job/c", ""), 200);
	CHECK_INT(api_driver_status(d, "PUT /metrics/job/d", "last_push_successful 1\n"), 200);
}

static void test_match(void)
{
	struct api_driver d;
	api_driver_init(&d);
	fill_for_selectors(&d);
	for (size_t i = 0; i < sizeof(matched) / sizeof(matched[0]); i++) {
		const struct match_case *c = &matched[i];
		int failures = check_failures;
		struct slice line = arena_printf(&d.arena, "GET /api/v1/metrics?%s", c->query);
		struct api_response response =
				api_driver_do(&d, arena_copy_string(&d.arena, line), "", SLICE(""));
		CHECK_INT(response.status, 200);
		CHECK_INT(count(response.body, "\"last_push_successful\":"), c->groups);
		CHECK_INT(count(response.body, "\"time_stamp\":"), c->families);
		CHECK_INT(count(response.body, "\"value\":") + count(response.body, "\"count\":"),
				c->metrics);
		CHECK_INT(count(response.body, "\"labels\":{\"job\""), c->groups);
		if (check_failures != failures) {
			fprintf(stderr, "in %s:\n" SLICE_FMT "\n", c->query, SLICE_ARG(response.body));
		}
	}
	CHECK_STRING(api_driver_do(&d, "GET /api/v1/metrics?match[]=nothing", "", SLICE("")).body,
			"{\"status\":\"success\",\"data\":[]}");
	api_driver_finish(&d);
}

static void test_bad_match(void)
{
	static const struct {
		const char *query;
		const char *error; /* what follows "invalid parameter \"match[]\": ", ' for a quote */
	} cases[] = {
		{ "match[]=", "1:1: parse error: expected a metric name or \\'{\\', found end of input" },
		{ "match[]", "1:1: parse error: expected a metric name or \\'{\\', found end of input" },
		{ "match[]=m&match[]={}", "1:1: parse error: must contain at least one non-empty matcher" },
		{ "match[]=m{a=%22b}", "1:5: parse error: unterminated quoted string" },
		{ "match[]=m{%3Cb}", "1:3: parse error: expected a label name, found \\'\\u003c\\'" },
		{ "match[]=%zz", "invalid URL escape" },
		{ "match[]=%FF",
				"1:1: parse error: expected a metric name or \\'{\\', found \\'\\\\xff\\'" },
	};
	struct api_driver d;
	api_driver_init(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice line = arena_printf(&d.arena, "GET /api/v1/metrics?%s", cases[i].query);
		struct api_response response =
				api_driver_do(&d, arena_copy_string(&d.arena, line), "", SLICE(""));
		CHECK_INT(response.status, 400);
		CHECK_STRING(api_driver_header(&response, "Content-Type"), "application/json");
		struct slice text = arena_printf(&d.arena,
				"{'status':'error','errorType':'bad_data','error':'invalid parameter "
				"\\'match[]\\': %s'}",
				cases[i].error);
		CHECK_SLICE(response.body, spell_out(&d, arena_copy_string(&d.arena, text)));
	}
	api_driver_finish(&d);
}

/* An expression that would take for ever is an error like others. */
static void test_endless_match(void)
{
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/a",
					  "m{l=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"} 1\n"),
			200);
	struct api_response response = api_driver_do(
			&d, "GET /api/v1/metrics?match[]=m{l=~%22(a%2B)%2B[bc]%22}", "", SLICE(""));
	CHECK_INT(response.status, 400);
	CHECK(slice_starts_with(response.body,
			SLICE("{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
				  "\\\"match[]\\\": a regular expression takes too many steps")));
	CHECK_INT(api_driver_status(&d, "GET /api/v1/metrics", ""), 200);
	api_driver_finish(&d);
}

/* ---- While things change ---- */

enum { GROUPS = 2000, LONG_VALUE = 1500 };

static void push_group(struct api_driver *d, int number, const char *body)
{
	struct slice copy = arena_copy(&d->arena, slice_of_string(body));
	char line[64];
	snprintf(line, sizeof(line), "PUT /metrics/job/%d", number);
	api_driver_feed(d, api_driver_request(d, line, "", copy));
	api_driver_settle(d, NULL);
	d->connection.out.len = 0;
}

static void delete_group(struct api_driver *d, int number)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", number);
	struct label job = { .name = SLICE("job"), .value = slice_of_string(text) };
	struct group_key key;
	group_key_init(&key, (struct labels){ .pairs = &job, .count = 1 });
	store_delete(&d->store, &key);
}

static void fill(struct api_driver *d)
{
	char body[LONG_VALUE + 64] = "m{long=\"";
	size_t len = strlen(body);
	memset(body + len, 'l', LONG_VALUE);
	snprintf(body + len + LONG_VALUE, 48, "\"} 1\n# TYPE h histogram\nh_count 1\n");
	for (int i = 0; i < GROUPS; i++) {
		push_group(d, i, body);
	}
}

/* Every bracket is closed, every string ended, and nothing comes after. */
static bool is_whole(struct slice json)
{
	int depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];
		if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
			if (depth == 0) {
				return i + 1 == json.len;
			}
		}
	}
	return false;
}

typedef void change_function(struct api_driver *d, int piece);

static void change_nothing(struct api_driver *d, int piece)
{
}

static void delete_some(struct api_driver *d, int piece)
{
	for (int i = piece; i < GROUPS; i += 3) {
		delete_group(d, i);
	}
	store_tidy(&d->store);
}

static void wipe(struct api_driver *d, int piece)
{
	store_wipe(&d->store);
	while (store_tidy(&d->store)) {
	}
}

/* Whenever something is done for the body, something else has changed. */
static struct slice read_json(struct api_driver *d, const char *line, change_function *change,
		struct random_source *random)
{
	struct api_response response = { 0 };
	api_driver_feed(d, api_driver_request(d, line, "", SLICE("")));
	for (int step = 0; d->job_count > 0; step++) {
		change(d, step);
		api_driver_do_job(d, random_below(random, (unsigned)d->job_count));
		api_driver_pump(&d->connection);
	}
	CHECK(api_driver_response(d, &response));
	return response.body;
}

static void test_changes_between_pieces(void)
{
	static const struct {
		change_function *change;
		size_t fewest;
		size_t most;
	} cases[] = {
		{ change_nothing, GROUPS, GROUPS },
		{ delete_some, 1, GROUPS },
		{ wipe, 0, GROUPS },
	};
	struct random_source random;
	random_init(&random);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_driver d;
		api_driver_init(&d);
		fill(&d);
		struct slice json = read_json(&d, "GET /api/v1/metrics", cases[i].change, &random);
		CHECK(is_whole(json));
		size_t groups = count(json, "\"last_push_successful\":true");
		CHECK(groups >= cases[i].fewest && groups <= cases[i].most);
		/* Each group is there with all it had. */
		CHECK_INT(count(json, "\"h\":{"), groups);
		CHECK_INT(count(json, "\"m\":{"), groups);
		CHECK_INT(count(json, "\"push_time_seconds\":{"), groups);
		api_driver_finish(&d);
	}
}

/* ---- A large group ---- */

enum { LARGE_FAMILIES = 12000, LARGE_LINES = 20000 };

static void push_large(struct api_driver *d)
{
	struct buf body;
	buf_init(&body, 0);
	for (int i = 0; i < LARGE_FAMILIES; i++) {
		buf_printf(&body, "f%d 1\n", i);
	}
	for (int i = 0; i < LARGE_LINES; i++) {
		buf_printf(&body, "lines{n=\"%d\"} 1\n", i);
	}
	buf_append(&body, SLICE("# TYPE h histogram\n"));
	for (int i = 0; i < LARGE_LINES / 10; i++) {
		buf_printf(&body,
				"h_bucket{n=\"%d\",le=\"1\"} 1\nh_bucket{n=\"%d\",le=\"+Inf\"} 1\n"
				"h_sum{n=\"%d\"} 1\nh_count{n=\"%d\"} 1\n",
				i, i, i, i);
	}
	struct slice copy = arena_copy(&d->arena, buf_slice(&body));
	buf_finish(&body);
	CHECK_INT(api_driver_do(d, "PUT /metrics/job/large", "", copy).status, 200);
}

/* Other pushes to the group while it is listed and written. */
static void replace_large(struct api_driver *d, int step)
{
	struct label job = { .name = SLICE("job"), .value = SLICE("large") };
	struct group_key key;
	group_key_init(&key, (struct labels){ .pairs = &job, .count = 1 });
	if (step == 1) {
		while (store_delete(&d->store, &key) == STORE_DELETE_WAIT) {
		}
	}
	store_tidy(&d->store);
}

static void check_large(struct slice json)
{
	CHECK(is_whole(json));
	CHECK_INT(count(json, "\"last_push_successful\":"), 1);
	CHECK_INT(count(json, "\"time_stamp\":"), LARGE_FAMILIES + 4);
	CHECK_INT(count(json, "\"value\":"), LARGE_FAMILIES + LARGE_LINES + 2);
	CHECK_INT(count(json, "\"buckets\":{\"+Inf\":\"1\",\"1\":\"1\"}"), LARGE_LINES / 10);
	CHECK_INT(count(json, ",,") + count(json, "[,") + count(json, "{,") + count(json, ",]"), 0);
}

static void test_large_group(void)
{
	static const struct {
		const char *line;
		change_function *change;
	} cases[] = {
		{ "GET /api/v1/metrics", change_nothing },
		{ "GET /api/v1/metrics", replace_large },
		{ "GET /api/v1/metrics?match[]={job=%22large%22}", replace_large },
	};
	struct random_source random;
	random_init(&random);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_driver d;
		api_driver_init(&d);
		push_large(&d);
		check_large(read_json(&d, cases[i].line, cases[i].change, &random));
		api_driver_finish(&d);
	}
}

/* The loop lists a part at a time; all text is made by the work of jobs. */
static void test_large_group_off_the_loop(void)
{
	struct api_driver d;
	size_t works = 0;
	size_t bytes = 0;
	api_driver_init(&d);
	push_large(&d);
	api_driver_feed(&d, api_driver_request(&d, "GET /api/v1/metrics", "", SLICE("")));
	while (d.job_count > 0) {
		bool is_work = !d.jobs[0].is_worked;
		size_t before = d.connection.out.len;
		api_driver_do_job(&d, 0);
		CHECK(!is_work || d.connection.out.len == before);
		works += is_work;
		api_driver_pump(&d.connection);
		bytes = d.connection.out.len;
		/* Nothing comes before the first work, and no more than was made since. */
		CHECK(works > 0 || bytes == 0);
	}
	CHECK(works >= bytes / (2 * 1024 * 1024));
	CHECK(works > 3);
	api_driver_finish(&d);
}

/* The first selected metric is far behind: what comes before is left out. */
static void test_large_group_selected(void)
{
	struct api_driver d;
	struct random_source random;
	random_init(&random);
	api_driver_init(&d);
	push_large(&d);
	static const struct {
		const char *line;
		size_t groups;
		size_t families;
		size_t metrics;
	} cases[] = {
		{ "GET /api/v1/metrics?match[]=lines{n=%2219999%22}", 1, 1, 1 },
		{ "GET /api/v1/metrics?match[]=h_sum{n=~%221.%22}", 1, 1, 10 },
		{ "GET /api/v1/metrics?match[]=f7&match[]=push_time_seconds", 1, 2, 2 },
		{ "GET /api/v1/metrics?match[]=nothing", 0, 0, 0 },
		{ "GET /api/v1/metrics?match[]={__name__=~%22f.*%22,n!=%221%22}", 1, LARGE_FAMILIES,
				LARGE_FAMILIES },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice json = read_json(&d, cases[i].line, change_nothing, &random);
		CHECK(is_whole(json));
		CHECK_INT(count(json, "\"last_push_successful\":"), cases[i].groups);
		CHECK_INT(count(json, "\"time_stamp\":"), cases[i].families);
		CHECK_INT(count(json, "\"value\":") + count(json, "\"count\":"), cases[i].metrics);
	}
	api_driver_finish(&d);
}

/* The client leaves while units are at work. */
static void test_disconnect(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned steps = 0; steps < 12; steps++) {
		struct api_driver d;
		api_driver_init(&d);
		push_large(&d);
		push_group(&d, 1, "m 1\n");
		api_driver_feed(&d, api_driver_request(&d, "GET /api/v1/metrics", "", SLICE("")));
		for (unsigned i = 0; i < steps && d.job_count > 0; i++) {
			api_driver_do_job(&d, random_below(&random, (unsigned)d.job_count));
			api_driver_pump(&d.connection);
		}
		api_driver_disconnect(&d);
		api_driver_settle(&d, &random);
		CHECK(list_is_empty(&d.store.contents->history.snapshots));
		api_driver_finish(&d);
	}
}

/* A selector that fails when something was sent already: the client sees no end. */
static void test_late_failure(void)
{
	struct api_driver d;
	api_driver_init(&d);
	push_large(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/z",
					  "f1{l=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"} 1\n"),
			200);
	api_driver_feed(&d,
			api_driver_request(&d,
					"GET /api/v1/metrics?match[]={__name__=~%22f.*%22,l!~%22(a%2B)%2B[bc]%22}", "",
					SLICE("")));
	api_driver_settle(&d, NULL);
	struct slice out = buf_slice(&d.connection.out);
	CHECK(slice_starts_with(out, SLICE("HTTP/1.1 200")));
	CHECK(!slice_ends_with(out, SLICE("\r\n0\r\n\r\n")));
	CHECK(d.connection.session.cut);
	api_driver_finish(&d);
}

/* A request behind it on the same connection sees what it left. */
static void test_order(void)
{
	struct api_driver d;
	struct api_response response;
	api_driver_init(&d);
	push_large(&d);
	api_driver_feed(&d, api_driver_request(&d, "GET /api/v1/metrics", "", SLICE("")));
	api_driver_feed(&d, api_driver_request(&d, "DELETE /metrics/job/large", "", SLICE("")));
	api_driver_settle(&d, NULL);
	CHECK(api_driver_response(&d, &response));
	check_large(response.body);
	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, 202);
	api_driver_finish(&d);
}

int main(void)
{
	RUN(test_json);
	RUN(test_json_after_failure);
	RUN(test_numbers);
	RUN(test_values);
	RUN(test_native);
	RUN(test_broken_native);
	RUN(test_pushed_native);
	RUN(test_match);
	RUN(test_bad_match);
	RUN(test_endless_match);
	RUN(test_changes_between_pieces);
	RUN(test_large_group);
	RUN(test_large_group_off_the_loop);
	RUN(test_large_group_selected);
	RUN(test_disconnect);
	RUN(test_late_failure);
	RUN(test_order);
	return check_done();
}
