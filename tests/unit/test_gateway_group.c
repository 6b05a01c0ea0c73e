/* A Pushgateway's groups as lines of an export, with its page and without: odd ones, as recorded.
 */

#include "base/hash.h"
#include "check.h"
#include "transfer/gateway_group.h"
#include "unit/protobuf_text.h"

static struct arena arena;

/* ---- Groups ---- */

#define PUSHED                                                                                     \
	"\"push_time_seconds\":{\"time_stamp\":\"2026-11-27T11:46:42.285776302Z\","                    \
	"\"type\":\"GAUGE\",\"help\":\"x\",\"metrics\":[{\"labels\":{\"instance\":\"\","               \
	"\"job\":\"j\"},\"value\":\"1.7957800022857764e+09\"}]}"
#define FAILED                                                                                     \
	"\"push_failure_time_seconds\":{\"time_stamp\":\"2026-11-27T11:46:42.285776302Z\","            \
	"\"type\":\"GAUGE\",\"metrics\":[{\"labels\":{\"instance\":\"\","                              \
	"\"job\":\"j\"},\"value\":\"0\"}]}"
#define HEAD "{\"labels\":{\"job\":\"j\"},\"last_push_successful\":true," FAILED "," PUSHED
#define FAMILY(name, type, metrics)                                                                \
	",\"" name "\":{\"time_stamp\":\"2026-11-27T11:46:40Z\",\"type\":\"" type                      \
	"\",\"metrics\":[" metrics "]}"
#define LABELS "\"labels\":{\"instance\":\"\",\"job\":\"j\"}"

#define LINE "{\"labels\":{\"job\":\"j\"},\"pushed\":\"1795780002.285776302\",\"families\":["
#define LINE_FAMILY(name, type, samples)                                                           \
	"{\"name\":\"" name "\",\"type\":\"" type "\",\"pushed\":\"1795780000\",\"samples\":[" samples \
	"]}"

#define PAGE_LABELS "1:{1:\"instance\" 2:\"\"} 1:{1:\"job\" 2:\"j\"}"
#define PAGE_PUSHED "1:\"push_time_seconds\" 3:1 4:{" PAGE_LABELS " 2:{1:1795780002.2857764}}|"

static const struct group_case {
	const char *text;
	const char *page; /* see protobuf_text.h; NULL: none */
	const char *line; /* or why not: "changed", "invalid: ..." */
	size_t lossy;
} groups[] = {
	/* The API alone. */
	{ HEAD "}", NULL, LINE "]}", 0 },
	{ HEAD FAMILY("m", "GAUGE", "{" LABELS ",\"value\":\"+Inf\"}") "}", NULL,
			LINE LINE_FAMILY("m", "gauge", "{\"value\":\"+Inf\"}") "]}", 0 },
	{ HEAD FAMILY("m", "UNTYPED",
			  "{\"labels\":{\"a\":\"\\u0000 \\n \\\" \\\\ "
			  "\\u003c\",\"b\":\"\",\"instance\":\"i\",\"job\":\"j\"},"
			  "\"value\":\"1\"}") "}",
			NULL,
			LINE LINE_FAMILY("m", "untyped",
					"{\"labels\":{\"a\":\"\\u0000 \\n \\\" \\\\ "
					"\\u003c\",\"b\":\"\",\"instance\":\"i\"},"
					"\"value\":\"1\"}") "]}",
			0 },
	{ HEAD FAMILY("s", "SUMMARY",
			  "{\"count\":\"4\"," LABELS
			  ",\"quantiles\":{\"+Inf\":\"9\",\"0.5\":\"NaN\",\"1e-05\":\"2\",\"NaN\":\"1\"},"
			  "\"sum\":\"1e+20\"}") "}",
			NULL,
			LINE LINE_FAMILY("s", "summary",
					"{\"labels\":{\"quantile\":\"1e-05\"},\"value\":\"2\"},"
					"{\"labels\":{\"quantile\":\"0.5\"},\"value\":\"NaN\"},"
					"{\"labels\":{\"quantile\":\"+Inf\"},\"value\":\"9\"},"
					"{\"suffix\":\"_sum\",\"value\":\"1e+20\"},"
					"{\"suffix\":\"_count\",\"value\":\"4\"}") "]}",
			0 },
	{ HEAD FAMILY("h", "HISTOGRAM",
			  "{\"buckets\":{\"0.1\":\"1\",\"10\":\"3\",\"5\":\"2\"},\"count\":\"4\"," LABELS
			  ",\"sum\":\"3\"}") "}",
			NULL,
			LINE LINE_FAMILY("h", "histogram",
					"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"0.1\"},\"value\":\"1\"},"
					"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"5\"},\"value\":\"2\"},"
					"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"10\"},\"value\":\"3\"},"
					"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"+Inf\"},\"value\":\"4\","
					"\"added\":true},"
					"{\"suffix\":\"_sum\",\"value\":\"3\"},"
					"{\"suffix\":\"_count\",\"value\":\"4\"}") "]}",
			0 },
	{ HEAD FAMILY("h", "GAUGE_HISTOGRAM",
			  "{\"buckets\":[[3,\"-0.001\",\"0.001\",\"1\"]],\"count\":\"1\"," LABELS
			  ",\"sum\":\"0\"}") "}",
			NULL,
			LINE LINE_FAMILY("h", "gauge_histogram",
					"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"+Inf\"},\"value\":\"1\","
					"\"added\":true},"
					"{\"suffix\":\"_sum\",\"value\":\"0\"},"
					"{\"suffix\":\"_count\",\"value\":\"1\"}") "]}",
			1 },

	/* Metrics named as keys of a group take their places. */
	{ "{\"labels\":{\"time_stamp\":\"2026-11-27T11:46:40Z\",\"type\":\"GAUGE\",\"metrics\":["
	  "{" LABELS ",\"value\":\"3\"}]},"
	  "\"last_push_successful\":{\"time_stamp\":\"2026-11-27T11:46:40Z\",\"type\":\"GAUGE\","
	  "\"metrics\":["
	  "{" LABELS ",\"value\":\"4\"}]}," PUSHED "}",
			NULL,
			LINE LINE_FAMILY("labels", "gauge", "{\"value\":\"3\"}") "," LINE_FAMILY(
					"last_push_successful", "gauge", "{\"value\":\"4\"}") "]}",
			0 },
	/* Labels named as what families have do not make them one. */
	{ "{\"labels\":{\"job\":\"j\",\"metrics\":\"m\",\"type\":\"t\"}," PUSHED "}", NULL,
			"{\"labels\":{\"job\":\"j\",\"metrics\":\"m\",\"type\":\"t\"},\"pushed\":\"1795780002."
			"285776302\","
			"\"families\":[]}",
			0 },

	/* Only a push that was refused. */
	{ "{\"labels\":{\"job\":\"j\"},\"last_push_successful\":false,"
	  "\"push_failure_time_seconds\":{\"time_stamp\":\"2026-11-27T11:46:42.285776302Z\",\"type\":"
	  "\"GAUGE\","
	  "\"metrics\":[{" LABELS ",\"value\":\"1.7957800022857764e+09\"}]},"
	  "\"push_time_seconds\":{\"time_stamp\":\"2026-11-27T11:46:42.285776302Z\",\"type\":\"GAUGE\","
	  "\"metrics\":[{" LABELS ",\"value\":\"0\"}]}}",
			"1:\"push_time_seconds\" 3:1 4:{" PAGE_LABELS " 2:{1:0.0}}|",
			"{\"labels\":{\"job\":\"j\"},\"failed\":\"1795780002.285776302\",\"families\":[]}", 0 },

	/* With the page: order of quantiles, exemplars, native histograms. */
	{ HEAD FAMILY("s", "SUMMARY",
			  "{\"count\":\"4\"," LABELS
			  ",\"quantiles\":{\"0.5\":\"1\",\"0.99\":\"2\"},\"sum\":\"3\"}") "}",
			PAGE_PUSHED "1:\"s\" 3:2 4:{" PAGE_LABELS
						" 4:{1:4 2:3.0 3:{1:0.99 2:2.0} 3:{1:0.5 2:1.0}}}|",
			LINE LINE_FAMILY("s", "summary",
					"{\"labels\":{\"quantile\":\"0.99\"},\"value\":\"2\"},"
					"{\"labels\":{\"quantile\":\"0.5\"},\"value\":\"1\"},"
					"{\"suffix\":\"_sum\",\"value\":\"3\"},"
					"{\"suffix\":\"_count\",\"value\":\"4\"}") "]}",
			0 },
	{ HEAD FAMILY("h", "HISTOGRAM",
			  "{\"buckets\":[[0,\"1\",\"2\",\"1\"]],\"count\":\"1\"," LABELS ",\"sum\":\"3\"}") "}",
			PAGE_PUSHED "1:\"h\" 3:4 4:{" PAGE_LABELS " 7:{1:1 2:3.0 5:~0 12:{1:~1 2:1} 13:~1}}|",
			LINE LINE_FAMILY("h", "histogram",
					"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"+Inf\"},\"value\":\"1\","
					"\"added\":true},"
					"{\"suffix\":\"_sum\",\"value\":\"3\"},"
					"{\"suffix\":\"_count\",\"value\":\"1\",\"native\":\"KABiBAgCEAFoAg==\"}") "]}",
			0 },
	{ HEAD FAMILY("c", "COUNTER", "{" LABELS ",\"value\":\"7\"}") "}",
			PAGE_PUSHED "1:\"c\" 3:0 4:{" PAGE_LABELS
						" 3:{1:7.0 2:{1:{1:\"t\" 2:\"x\"} 2:1.0} 3:{1:1000}}}|",
			LINE LINE_FAMILY("c", "counter",
					"{\"value\":\"7\",\"exemplar\":\"{t=\\\"x\\\"} 1\",\"created\":\"1000\"}") "]}",
			0 },
	/* A metric that the page does not have: as the API says it. */
	{ HEAD FAMILY("m", "GAUGE", "{" LABELS ",\"value\":\"5\"}") "}",
			PAGE_PUSHED "1:\"m\" 3:1 4:{1:{1:\"job\" 2:\"j\"} 2:{1:6.0}}|",
			LINE LINE_FAMILY("m", "gauge", "{\"value\":\"5\"}") "]}", 0 },
	/* Names of any UTF-8. */
	{ HEAD FAMILY("a.b \\\"c\\\"", "GAUGE",
			  "{\"labels\":{\"d.e\":\"\xc3\xa9\",\"instance\":\"\",\"job\":\"j\"},\"value\":"
			  "\"5\"}") "}",
			PAGE_PUSHED "1:\"a.b \\x22c\\x22\" 3:1 4:{1:{1:\"d.e\" 2:\"\\xc3\\xa9\"} " PAGE_LABELS
						" 2:{1:5.0}}|",
			LINE LINE_FAMILY("a.b \\\"c\\\"", "gauge",
					"{\"labels\":{\"d.e\":\"\xc3\xa9\"},\"value\":\"5\"}") "]}",
			0 },

	/* The page is of another push, or of before the group was. */
	{ HEAD "}", "1:\"push_time_seconds\" 3:1 4:{" PAGE_LABELS " 2:{1:1795780001.2857764}}|",
			"changed", 0 },
	{ HEAD "}", "", "changed", 0 },

	/* What weir cannot take. */
	{ "{\"labels\":{\"job\":\"\\ufffd\"}," PUSHED "}", NULL,
			"invalid: some label or name in it is not UTF-8", 0 },
	{ "{\"labels\":{\"job\":\"\xef\xbf\xbd\\\\ufffd\"}," PUSHED "}", NULL,
			"{\"labels\":{\"job\":\"\xef\xbf\xbd\\\\ufffd\"},\"pushed\":\"1795780002.285776302\","
			"\"families\":[]}",
			0 },
	{ HEAD FAMILY("m", "7", "{" LABELS ",\"value\":\"5\"}") "}", NULL,
			"invalid: \"m\": has a type that is not known", 0 },
	{ HEAD FAMILY("m", "GAUGE", "{" LABELS ",\"value\":\"five\"}") "}", NULL,
			"invalid: \"m\": has a metric that cannot be read", 0 },
	{ HEAD FAMILY("m", "GAUGE", "{" LABELS "}") "}", NULL,
			"invalid: \"m\": has a metric that cannot be read", 0 },
	{ HEAD FAMILY("h", "HISTOGRAM",
			  "{" LABELS ",\"buckets\":{\"x\":\"1\"},\"count\":\"1\",\"sum\":\"1\"}") "}",
			NULL, "invalid: \"h\": has a metric that cannot be read", 0 },
	{ HEAD FAMILY("m", "COUNTER", "{" LABELS ",\"value\":\"5\"}") "}",
			PAGE_PUSHED "1:\"m\" 3:1 4:{" PAGE_LABELS " 2:{1:5.0}}|",
			"invalid: \"m\": is not a COUNTER", 0 },
	{ "{\"last_push_successful\":true}", NULL, "invalid: its labels cannot be told", 0 },
	{ "{\"labels\":{\"job\":1}}", NULL, "invalid: its labels cannot be told", 0 },
	{ "{\"labels\":", NULL, "invalid: no JSON at byte 10", 0 },
};

/* The line, or why there is none. */
static struct slice describe(
		enum gateway_group_result result, const struct gateway_group *group, struct slice what)
{
	struct buf out;
	struct line_writer writer;
	buf_init(&out, 0);
	line_writer_init(&writer, &out);
	switch (result) {
	case GATEWAY_GROUP_OK:
		gateway_group_write(group, &writer);
		break;
	case GATEWAY_GROUP_CHANGED:
		buf_append_string(&out, "changed\n");
		break;
	case GATEWAY_GROUP_E_INVALID:
		buf_append_string(&out, "invalid: ");
		buf_append(&out, what);
		buf_append_byte(&out, '\n');
		break;
	}
	out.len--;
	struct slice copy = arena_copy(&arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

static void check_group(const struct group_case *one)
{
	struct gateway_page page;
	struct gateway_group group;
	struct slice what = { 0 };
	gateway_page_init(&page);
	if (one->page != NULL) {
		CHECK(gateway_page_read(&page, protobuf_text_body(&arena, one->page)));
	}
	enum gateway_group_result result = gateway_group_read(
			slice_of_string(one->text), one->page != NULL ? &page : NULL, &arena, &group, &what);
	CHECK_STRING(describe(result, &group, what), one->line);
	CHECK_INT(group.lossy_metrics, one->lossy);
	gateway_page_finish(&page);
	arena_reset(&arena);
}

static void test_groups(void)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		check_group(&groups[i]);
	}
}

/* A large one is on several lines, and they are in proportion. */
static void test_large_group(void)
{
	enum { FAMILIES = 100, SAMPLES = 500 };
	struct gateway_family families[FAMILIES];
	struct label job = { SLICE("job"), SLICE("j") };
	struct sample samples[SAMPLES] = { { .value = SLICE("1") } };
	struct gateway_group group = { .families = families, .family_count = FAMILIES };
	struct buf out;
	struct line_writer writer;
	group_key_init(&group.head.key, (struct labels){ .pairs = &job, .count = 1 });
	for (size_t i = 0; i < SAMPLES; i++) {
		samples[i] = samples[0];
	}
	for (size_t i = 0; i < FAMILIES; i++) {
		families[i] = (struct gateway_family){
			.head = { .name = SLICE("m"), .type = METRIC_GAUGE },
			.samples = samples,
			.sample_count = SAMPLES,
		};
	}
	buf_init(&out, 0);
	line_writer_init(&writer, &out);
	gateway_group_write(&group, &writer);
	CHECK_INT(writer.counts.groups, 1);
	CHECK_INT(writer.counts.families, FAMILIES);
	CHECK_INT(writer.counts.lines, out.len / GATEWAY_LINE_BYTES + 1);
	struct slice rest = buf_slice(&out);
	for (uint64_t i = 0; i < writer.counts.lines; i++) {
		struct slice line = slice_take_line(&rest);
		CHECK(line.len < 2 * GATEWAY_LINE_BYTES);
		CHECK((memmem(line.ptr, line.len, "\"adds\":true", 11) != NULL) == (i > 0));
	}
	CHECK_INT(rest.len, 0);
	buf_finish(&out);
}

/* ---- The page ---- */

static void test_page(void)
{
	struct gateway_page page;
	struct label pairs[] = { { SLICE("src"), SLICE("a") }, { SLICE("dst"), SLICE("b") } };
	struct label swapped[] = { { SLICE("src"), SLICE("b") }, { SLICE("dst"), SLICE("a") } };
	struct labels labels = { .pairs = pairs, .count = 2 };
	struct slice body = protobuf_text_body(&arena,
			"1:\"m\" 3:1 4:{1:{1:\"dst\" 2:\"b\"} 1:{1:\"src\" 2:\"a\"} 2:{1:1.0}} "
			"4:{1:{1:\"dst\" 2:\"a\"} 1:{1:\"src\" 2:\"b\"} 2:{1:2.0}} 4:{2:{1:3.0}}|");
	gateway_page_init(&page);
	CHECK(gateway_page_read(&page, body));
	CHECK_INT(page.metric_count, 3);
	CHECK(gateway_page_gauge(gateway_page_find(&page, SLICE("m"), &labels)) == 1);
	labels.pairs = swapped;
	CHECK(gateway_page_gauge(gateway_page_find(&page, SLICE("m"), &labels)) == 2);
	CHECK(gateway_page_find(&page, SLICE("n"), &labels).ptr == NULL);
	labels.count = 1;
	CHECK(gateway_page_find(&page, SLICE("m"), &labels).ptr == NULL);
	labels.count = 0;
	CHECK(gateway_page_gauge(gateway_page_find(&page, SLICE("m"), &labels)) == 3);
	gateway_page_finish(&page);

	/* Cut anywhere, it is no page. */
	for (size_t len = 1; len < body.len; len++) {
		gateway_page_init(&page);
		CHECK(!gateway_page_read(&page, slice_make(body.ptr, len)));
		gateway_page_finish(&page);
	}
	arena_reset(&arena);
}

int main(void)
{
	hash_init();
	arena_init(&arena);
	RUN(test_groups);
	RUN(test_large_group);
	RUN(test_page);
	arena_finish(&arena);
	return check_done();
}
