/*
 * Metrics read back from blocks: what was pushed, metric by metric, with what
 * is noted beside the lines; and the same when a block is read in parts.
 */

#include "store/read.h"

#include "format/protobuf_wire.h"
#include "unit/random.h"
#include "unit/store_driver.h"

/* ---- Metrics as text ---- */

static void dump_sample(struct buf *out, struct slice family, const struct sample *sample)
{
	buf_append(out, family);
	buf_append(out, sample_suffix(sample->role));
	buf_append_string(out, sample->role == SAMPLE_QUANTILE ? "{*" : "{");
	for (size_t i = 0; i < sample->labels.count; i++) {
		buf_append_string(out, i == 0 ? "" : ",");
		buf_append(out, sample->labels.pairs[i].name);
		buf_append_byte(out, '=');
		buf_append(out, sample->labels.pairs[i].value);
	}
	buf_append(out, SLICE("} "));
	buf_append(out, sample->value);
	if (sample->extra != NULL) {
		buf_append(out, SLICE(" # "));
		buf_append(out, sample->extra->exemplar);
		buf_append(out, SLICE(" c "));
		buf_append(out, sample->extra->created);
		buf_printf(out, " n %zu", sample->extra->native.len);
		buf_append_string(out, sample->extra->is_added ? " added" : "");
	}
	buf_append_byte(out, '\n');
}

/* Each metric's samples, then a line of its own. */
static void dump_metrics(struct buf *out, struct block_reader *reader)
{
	struct arena arena;
	const struct sample *samples;
	size_t count;
	arena_init(&arena);
	while (block_reader_next(reader, &arena, &samples, &count)) {
		for (size_t i = 0; i < count; i++) {
			dump_sample(out, reader->family, &samples[i]);
		}
		buf_append(out, SLICE("-\n"));
		arena_reset(&arena);
	}
	arena_finish(&arena);
}

static const struct block *find_block(
		struct store_driver *d, const char *key, const char *name, struct slice *ret_family)
{
	const struct group *group = store_driver_find(d, key);
	for (uint32_t i = 0; group != NULL && i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		if (slice_equal(member->family->name, slice_of_string(name))) {
			*ret_family = member->family->name;
			return slot_content(*slots_at(&member->family->slots, member->slot));
		}
	}
	assert(!"no such block");
	return NULL;
}

static struct slice dump_block(struct store_driver *d, const char *name)
{
	struct slice family;
	const struct block *block = find_block(d, "job=j", name, &family);
	struct block_reader reader;
	struct buf out;
	buf_init(&out, 0);
	block_reader_init(&reader, block, family);
	dump_metrics(&out, &reader);
	struct slice copy = arena_copy(&d->arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

/* ---- What was pushed ---- */

struct read_case {
	enum format_id format;
	const char *body;
	const char *family;
	const char *metrics;
};

static const struct read_case cases[] = {
	{ FORMAT_TEXT, "m 1\nm{a=\"b\\\\\"} +Inf\nm{a=\"\\\"\",c=\"d\\n\"} 3\n", "m",
			"m{instance=,job=j} 1\n-\n"
			"m{a=b\\\\,instance=,job=j} +Inf\n-\n"
			"m{a=\\\",c=d\\n,instance=,job=j} 3\n-\n" },
	{ FORMAT_TEXT, "# TYPE x_total counter\nx_total{q=\"}{ ,=\"} 1e3\n", "x_total",
			"x_total{instance=,job=j,q=}{ ,=} 1e3\n-\n" },
	/* Names that look like a suffix, but are the family's own. */
	{ FORMAT_TEXT, "# TYPE a_bucket gauge\na_bucket{le=\"1\"} 5\na_bucket{le=\"2\"} 6\n",
			"a_bucket",
			"a_bucket{instance=,job=j,le=1} 5\n-\na_bucket{instance=,job=j,le=2} 6\n-\n" },
	{ FORMAT_TEXT,
			"# TYPE s summary\n"
			"s{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} 2\ns_sum 3\ns_count 4\n"
			"s_sum{a=\"b\"} 5\ns_count{a=\"b\"} 6\n",
			"s",
			"s{*instance=,job=j,quantile=0.5} 1\ns{*instance=,job=j,quantile=0.9} 2\n"
			"s_sum{instance=,job=j} 3\ns_count{instance=,job=j} 4\n-\n"
			"s_sum{a=b,instance=,job=j} 5\ns_count{a=b,instance=,job=j} 6\n-\n" },
	/* Bounds between other labels, and first of all. */
	{ FORMAT_TEXT,
			"# TYPE h histogram\n"
			"h_bucket{z=\"1\",le=\"1\"} 1\nh_bucket{z=\"1\",le=\"+Inf\"} 2\n"
			"h_sum{z=\"1\"} 3\nh_count{z=\"1\"} 2\n"
			"h_bucket{z=\"2\",le=\"+Inf\"} 0\nh_sum{z=\"2\"} 0\nh_count{z=\"2\"} 0\n",
			"h",
			"h_bucket{instance=,job=j,le=1,z=1} 1\nh_bucket{instance=,job=j,le=+Inf,z=1} 2\n"
			"h_sum{instance=,job=j,z=1} 3\nh_count{instance=,job=j,z=1} 2\n-\n"
			"h_bucket{instance=,job=j,le=+Inf,z=2} 0\n"
			"h_sum{instance=,job=j,z=2} 0\nh_count{instance=,job=j,z=2} 0\n-\n" },
	/* A label's name is not a bound's in the other type. */
	{ FORMAT_TEXT, "# TYPE s summary\ns{le=\"1\",quantile=\"1\"} 1\ns_sum{le=\"1\"} 2\n", "s",
			"s{*instance=,job=j,le=1,quantile=1} 1\ns_sum{instance=,job=j,le=1} 2\n"
			"s_count{instance=,job=j,le=1} 0\n-\n" },
	/* Names in quotes. */
	{ FORMAT_TEXT, "{\"a.b\"} 1\n{\"a.b\",\"c.d\"=\"e\",f=\"g\"} 2\n", "a.b",
			"a.b{instance=,job=j} 1\n-\na.b{c.d=e,f=g,instance=,job=j} 2\n-\n" },
	{ FORMAT_TEXT, "{\"a\\\"\\\\b\",\"c=\\\"d\"=\"e\"} 2\n", "a\\\"\\\\b",
			"a\\\"\\\\b{c=\\\"d=e,instance=,job=j} 2\n-\n" },
	{ FORMAT_TEXT,
			"# TYPE \"h.d\" histogram\n"
			"{\"h.d_bucket\",le=\"+Inf\"} 2\n{\"h.d_sum\"} 3\n{\"h.d_count\"} 2\n",
			"h.d",
			"h.d_bucket{instance=,job=j,le=+Inf} 2\n"
			"h.d_sum{instance=,job=j} 3\nh.d_count{instance=,job=j} 2\n-\n" },
	/* Exemplars and times of creation. */
	{ FORMAT_OPENMETRICS,
			"# TYPE x counter\nx_total 1 # {t=\"a\"} 0.5\nx_created 1520879607.789\n"
			"x_total{a=\"b\"} 2\n# EOF\n",
			"x_total",
			"x_total{instance=,job=j} 1 # {t=\"a\"} 0.5 c 1520879607.789 n 0\n-\n"
			"x_total{a=b,instance=,job=j} 2\n-\n" },
	{ FORMAT_OPENMETRICS,
			"# TYPE h histogram\n"
			"h_bucket{le=\"1\"} 1 # {} 0.5 1\nh_bucket{le=\"+Inf\"} 1 # {x=\"y\"} 7\n"
			"h_count 1\nh_sum 3\nh_created 5\n# EOF\n",
			"h",
			"h_bucket{instance=,job=j,le=1} 1 # {} 0.5 1 c  n 0\n"
			"h_bucket{instance=,job=j,le=+Inf} 1 # {x=\"y\"} 7 c  n 0\n"
			"h_sum{instance=,job=j} 3\nh_count{instance=,job=j} 1 #  c 5 n 0\n-\n" },
	/* What OpenMetrics leaves out. */
	{ FORMAT_OPENMETRICS,
			"# TYPE h histogram\n"
			"h_bucket{a=\"1\",le=\"1.0\"} 1\nh_bucket{a=\"1\",le=\"+Inf\"} 1\n"
			"h_bucket{a=\"2\",le=\"1.0\"} 1\nh_bucket{a=\"2\",le=\"+Inf\"} 1\nh_created{a=\"2\"} "
			"5\n"
			"# EOF\n",
			"h",
			"h_bucket{a=1,instance=,job=j,le=1} 1\nh_bucket{a=1,instance=,job=j,le=+Inf} 1\n-\n"
			"h_bucket{a=2,instance=,job=j,le=1} 1\n"
			"h_bucket{a=2,instance=,job=j,le=+Inf} 1 #  c 5 n 0\n-\n" },
	{ FORMAT_OPENMETRICS,
			"# TYPE g gaugehistogram\n"
			"g_bucket{le=\"+Inf\"} 1\ng_gcount 1\ng_gsum 3\n# EOF\n",
			"g",
			"g_bucket{instance=,job=j,le=+Inf} 1\n"
			"g_gsum{instance=,job=j} 3\ng_gcount{instance=,job=j} 1\n-\n" },
	{ FORMAT_OPENMETRICS, "# TYPE s summary\ns_count 1\ns_count{a=\"b\"} 2\n# EOF\n", "s",
			"s_count{instance=,job=j} 1\n-\ns_count{a=b,instance=,job=j} 2\n-\n" },
	{ FORMAT_OPENMETRICS, "# TYPE i info\ni_info{v=\"1\"} 1\n# EOF\n", "i_info",
			"i_info{instance=,job=j,v=1} 1\n-\n" },
};

static void test_pushed(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct read_case *c = &cases[i];
		struct store_driver d;
		int failures = check_failures;
		store_driver_init(&d, NULL);
		d.format = c->format;
		CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", c->body), PUSH_OK);
		if (check_failures == failures) {
			CHECK_STRING(dump_block(&d, c->family), c->metrics);
		} else {
			fprintf(stderr, "case %zu: " SLICE_FMT "\n", i, SLICE_ARG(d.fault));
		}
		store_driver_finish(&d);
	}
}

/* Two native histograms in protobuf: what lines cannot say comes back as it was. */
static void test_native(void)
{
	struct store_driver d;
	struct buf body;
	store_driver_init(&d, NULL);
	d.format = FORMAT_PROTOBUF;
	buf_init(&body, 0);
	buf_append_byte(&body, '\0'); /* the length of the family */
	wire_put_bytes(&body, 1, SLICE("n"));
	wire_put_uint(&body, 3, 4);
	for (int i = 0; i < 2; i++) {
		size_t metric = wire_open(&body, 4);
		size_t label = wire_open(&body, 1);
		wire_put_bytes(&body, 1, SLICE("a"));
		wire_put_bytes(&body, 2, i == 0 ? SLICE("1") : SLICE("2"));
		wire_close(&body, label);
		size_t histogram = wire_open(&body, 7);
		wire_put_uint(&body, 1, 3);
		wire_put_double(&body, 2, 4.5);
		wire_put_uint(&body, 5, 2); /* schema 1 */
		size_t span = wire_open(&body, 12);
		wire_put_uint(&body, 1, 0);
		wire_put_uint(&body, 2, 1);
		wire_close(&body, span);
		wire_put_uint(&body, 13, 6); /* a delta of 3 */
		wire_close(&body, histogram);
		wire_close(&body, metric);
	}
	body.ptr[0] = (char)(body.len - 1);
	struct driver_push push = { 0 };
	struct slice copy = arena_copy(&d.arena, buf_slice(&body));
	CHECK(store_driver_prepare(&d, STORE_PUT, "job=j", copy, &push));
	CHECK_INT(store_driver_step(&d, &push), PUSH_OK);
	CHECK_STRING(dump_block(&d, "n"),
			"n_bucket{a=1,instance=,job=j,le=+Inf} 3 #  c  n 0 added\n"
			"n_sum{a=1,instance=,job=j} 4.5\n"
			"n_count{a=1,instance=,job=j} 3 #  c  n 10\n-\n"
			"n_bucket{a=2,instance=,job=j,le=+Inf} 3 #  c  n 0 added\n"
			"n_sum{a=2,instance=,job=j} 4.5\n"
			"n_count{a=2,instance=,job=j} 3 #  c  n 10\n-\n");
	buf_finish(&body);
	store_driver_finish(&d);
}

/* Lines that are in no block. */
static void test_text(void)
{
	struct block_reader reader;
	struct buf out;
	buf_init(&out, 0);
	block_reader_init_text(&reader,
			SLICE("s{m=\"put\",quantile=\"0.5\"} 1\ns_sum{m=\"put\"} 2\ns_count{m=\"put\"} 3\n"
				  "s_sum 4\n"),
			METRIC_SUMMARY, SLICE("s"));
	dump_metrics(&out, &reader);
	block_reader_init_text(&reader, SLICE(""), METRIC_GAUGE, SLICE("g"));
	dump_metrics(&out, &reader);
	block_reader_init_text(&reader, SLICE("g 1\n"), METRIC_GAUGE, SLICE("g"));
	dump_metrics(&out, &reader);
	CHECK_STRING(buf_slice(&out),
			"s{*m=put,quantile=0.5} 1\ns_sum{m=put} 2\ns_count{m=put} 3\n-\ns_sum{} 4\n-\n"
			"g{} 1\n-\n");
	buf_finish(&out);
}

/* ---- Parts ---- */

/* Metrics of a few lines each, up to some hundred, over many chunks. */
static void append_random_family(struct buf *body, struct random_source *random, int type)
{
	static const char *const types[] = { "gauge", "summary", "histogram" };
	unsigned metrics = 1 + random_below(random, 200);
	buf_printf(body, "# TYPE f %s\n", types[type]);
	for (unsigned i = 0; i < metrics; i++) {
		unsigned lines = random_once_in(random, 20) ? 300 : random_below(random, 6);
		if (type == 0) {
			buf_printf(body, "f{n=\"%u\"} %u\n", i, lines);
			continue;
		}
		for (unsigned j = 0; j < lines; j++) {
			if (type == 1) {
				buf_printf(body, "f{n=\"%u\",quantile=\"0.%03u\"} %u\n", i, j + 1, j);
			} else {
				buf_printf(body, "f_bucket{n=\"%u\",le=\"%u\"} %u\n", i, j + 1, j);
			}
		}
		if (type == 2) {
			buf_printf(body, "f_bucket{n=\"%u\",le=\"+Inf\"} %u\n", i, lines);
		}
		buf_printf(body, "f_sum{n=\"%u\"} 1\nf_count{n=\"%u\"} %u\n", i, i, lines);
	}
}

static void check_parts(struct store_driver *d, struct random_source *random)
{
	struct slice family;
	const struct block *block = find_block(d, "job=j", "f", &family);
	struct slice whole = dump_block(d, "f");
	struct buf out;
	buf_init(&out, 0);
	size_t chunk = 0;
	while (chunk < block->chunk_count) {
		struct block_reader reader;
		size_t end = chunk + 1 + random_below(random, 3);
		end = end < block->chunk_count ? end : block->chunk_count;
		block_reader_init_part(&reader, block, family, chunk, end);
		dump_metrics(&out, &reader);
		chunk = end;
	}
	CHECK_SLICE(buf_slice(&out), whole);
	buf_finish(&out);
}

static void test_parts(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned round = 0; round < random_rounds(60); round++) {
		struct store_driver d;
		struct buf body;
		store_driver_init(&d, NULL);
		buf_init(&body, 0);
		append_random_family(&body, &random, (int)(round % 3));
		buf_append_byte(&body, '\0');
		CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", body.ptr), PUSH_OK);
		check_parts(&d, &random);
		buf_finish(&body);
		store_driver_finish(&d);
	}
}

int main(void)
{
	RUN(test_pushed);
	RUN(test_native);
	RUN(test_text);
	RUN(test_parts);
	return check_done();
}
