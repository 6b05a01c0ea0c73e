/*
 * Lines read with patience: what is taken of some texts, and what is counted. The result is written
 * back as lines, families in the order in which they came.
 */

#include "base/hash.h"
#include "check.h"
#include "guard.h"
#include "ingest/lines.h"

struct reading {
	struct arena arena;
	struct ingest_lines lines;
	struct batch batch;
	struct buf text;
};

static struct label key_pairs[] = {
	{ SLICE_INIT("instance"), SLICE_INIT("h") },
	{ SLICE_INIT("job"), SLICE_INIT("node") },
};
static const struct labels key = { .pairs = key_pairs, .count = 2 };
static struct format_options options = { .samples = 5, .labels = 4, .label_bytes = 40 };
static struct guard guard;

static void begin(struct reading *r)
{
	*r = (struct reading){ 0 };
	arena_init(&r->arena);
	buf_init(&r->text, 0);
	ingest_lines_init(&r->lines, &options, &key, &r->arena);
}

static void write_sample(
		struct buf *out, const struct batch_family *family, const struct sample *sample)
{
	buf_append(out, family->name);
	buf_append(out, sample_suffix(sample->role));
	for (size_t i = 0; i < sample->labels.count; i++) {
		buf_append(out, i == 0 ? SLICE("{") : SLICE(","));
		buf_append(out, sample->labels.pairs[i].name);
		buf_append(out, SLICE("=\""));
		buf_append(out, sample->labels.pairs[i].value);
		buf_append(out, SLICE("\""));
	}
	buf_append(out, sample->labels.count > 0 ? SLICE("} ") : SLICE(" "));
	buf_append(out, sample->value);
	buf_append_byte(out, '\n');
}

static struct slice end(struct reading *r)
{
	ingest_lines_collect(&r->lines, &r->batch);
	size_t count = 0;
	for (const struct batch_family *f = r->batch.families; f != NULL; f = f->next) {
		for (size_t i = 0; i < f->sample_count; i++) {
			write_sample(&r->text, f, &f->samples[i]);
			count++;
		}
	}
	CHECK_INT(r->batch.sample_count, count);
	CHECK(!r->batch.has_timestamps);
	ingest_lines_finish(&r->lines);
	return r->text.len == 0 ? SLICE("") : buf_slice(&r->text);
}

static void finish(struct reading *r)
{
	buf_finish(&r->text);
	arena_finish(&r->arena);
}

/* ---- What is taken ---- */

static const struct {
	const char *text;
	const char *taken;
} taken[] = {
	{ "", "" },
	{ "\n\r\n \t\n", "" },
	{ "m 1", "m 1\n" },
	{ "m 1\r", "m 1\n" },
	{ "m 1 1700000000000", "m 1\n" },
	{ "m 1\nn 2\r\no 3", "m 1\nn 2\no 3\n" },
	{ "# words\n#\nm 1\n# HELP m Text", "m 1\n" },
	{ "m{} nan\nn{,} 1\no +Inf", "m nan\no +Inf\n" },
	/* Grouping labels, and other values of theirs. */
	{ "m{instance=\"h\",job=\"node\",a=\"1\"} 1", "m{a=\"1\"} 1\n" },
	{ "m{instance=\"i\"} 1", "m{exported_instance=\"i\"} 1\n" },
	{ "m{job=\"j\",exported_job=\"k\",z=\"1\"} 1",
			"m{exported_exported_job=\"j\",exported_job=\"k\",z=\"1\"} 1\n" },
	{ "m{instance=\"\"} 1\nm 2", "m 2\n" },
	/* The newest of a series. */
	{ "m 1 10\nm 2 9", "m 1\n" },
	{ "m 1 9\nm 2 10", "m 2\n" },
	{ "m 1 9\nm 2 9", "m 2\n" },
	{ "m 1\nm 2", "m 2\n" },
	{ "m 1 9\nm 2", "m 2\n" },
	{ "m{b=\"2\",a=\"1\"} 1\nm{a=\"1\",b=\"2\"} 2", "m{a=\"1\",b=\"2\"} 2\n" },
	{ "m{a=\"\"} 1\nm 2", "m{a=\"\"} 2\n" },
	/* Values of labels. */
	{ "m{a=\"b,c=d} \\\"e\\\" \\\\ \\n\"} 1", "m{a=\"b,c=d} \\\"e\\\" \\\\ \\n\"} 1\n" },
	{ "m{a=\"\xc3\xa4 b\"} 1", "m{a=\"\xc3\xa4 b\"} 1\n" },
	/* Histograms and summaries. */
	{ "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_sum 2\nh_count 1",
			"h_bucket{le=\"1\"} 1\nh_sum 2\nh_count 1\n" },
	{ "h_bucket{le=\"1.0\"} 1", "h_bucket{le=\"1.0\"} 1\n" },
	{ "# TYPE s summary\ns{quantile=\"0.50\"} 1", "s{quantile=\"0.5\"} 1\n" },
	{ "k_sum 1\nk_bucket{le=\"1\"} 2", "k_sum 1\nk_bucket{le=\"1\"} 2\n" },
};

static void test_taken(void)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct reading r;
		begin(&r);
		ingest_lines_read(&r.lines, guard_copy(&guard, slice_of_string(taken[i].text)));
		CHECK_STRING(end(&r), taken[i].taken);
		finish(&r);
	}
}

/* ---- What is left out ---- */

static const struct {
	const char *line;
	enum ingest_reason reason;
} rejected[] = {
	{ "# TYPE m thing", INGEST_SYNTAX },
	{ "1m 1", INGEST_NAME },
	{ "{a=\"b\"} 1", INGEST_NAME },
	{ "\x01", INGEST_NAME },
	{ "m{a=b} 1", INGEST_LABEL },
	{ "m{a=\"b} 1", INGEST_LABEL },
	{ "m{a=\"\\x\"} 1", INGEST_LABEL },
	{ "m{a=\"\xff\"} 1", INGEST_LABEL },
	{ "m{a-b=\"\"} 1", INGEST_LABEL },
	{ "m{a=\"1\",a=\"1\"} 1", INGEST_DUPLICATE },
	{ "m", INGEST_VALUE },
	{ "m nf", INGEST_VALUE },
	{ "m 1,5", INGEST_VALUE },
	{ "m 1 1.5", INGEST_TIMESTAMP },
	{ "m 1 2 3", INGEST_TIMESTAMP },
	{ "m 1 99999999999999999999", INGEST_TIMESTAMP },
	{ "m{a=\"1\",b=\"2\",c=\"3\",d=\"4\",e=\"5\"} 1", INGEST_LIMIT },
	{ "m{a=\"12345678901234567890123456789012345678901\"} 1", INGEST_LIMIT },
};

/* Whatever stands around it: a line before, a line behind, a carriage return. */
static void test_rejected(void)
{
	static const char *const frames[] = { "a 1\n%s\nb 2", "%s\r\na 1\nb 2\n", "a 1\nb 2\n%s" };
	for (size_t i = 0; i < sizeof(rejected) / sizeof(rejected[0]); i++) {
		for (size_t frame = 0; frame < sizeof(frames) / sizeof(frames[0]); frame++) {
			struct reading r;
			begin(&r);
			const char *hole = strstr(frames[frame], "%s");
			struct slice text = ARENA_JOIN(&r.arena, slice_between(frames[frame], hole),
					slice_of_string(rejected[i].line), slice_of_string(hole + 2));
			ingest_lines_read(&r.lines, guard_copy(&guard, text));
			CHECK_STRING(end(&r), "a 1\nb 2\n");
			CHECK_INT(r.lines.counts.lines, 3);
			CHECK_INT(r.lines.counts.rejected[rejected[i].reason], 1);
			CHECK(r.lines.fault.len > 0);
			finish(&r);
		}
	}
}

static void test_types_of_one_list(void)
{
	struct reading r;
	begin(&r);
	ingest_lines_read(&r.lines, SLICE("# TYPE m gauge\nm{a=\"1\"} 1\n"));
	ingest_lines_read(&r.lines, SLICE("m{a=\"2\"} 2"));
	ingest_lines_read(&r.lines, SLICE("# TYPE m counter\n# HELP m Text\nm{a=\"3\"} 3"));
	ingest_lines_read(&r.lines, SLICE("# TYPE m summary\nm_sum 4"));
	CHECK_STRING(end(&r), "m{a=\"1\"} 1\nm{a=\"2\"} 2\nm{a=\"3\"} 3\n");
	CHECK_INT(r.batch.families->type, METRIC_COUNTER);
	CHECK_STRING(r.batch.families->help, "Text");
	CHECK_INT(r.lines.counts.rejected[INGEST_TYPE], 1);
	finish(&r);
}

static void test_known_histogram(void)
{
	struct reading r;
	begin(&r);
	ingest_lines_know(&r.lines, SLICE("h"), METRIC_HISTOGRAM);
	ingest_lines_read(&r.lines, SLICE("h_bucket{le=\"1.0\"} 1"));
	ingest_lines_read(&r.lines, SLICE("h_sum 2\nh_count 1\nh 3"));
	CHECK_INT(r.lines.counts.rejected[INGEST_TYPE], 1);
	CHECK_STRING(end(&r), "h_bucket{le=\"1\"} 1\nh_sum 2\nh_count 1\n");
	CHECK_INT(r.batch.family_count, 1);
	CHECK_INT(r.batch.families->type, METRIC_HISTOGRAM);
	finish(&r);
}

static void test_counts(void)
{
	struct reading r;
	begin(&r);
	ingest_lines_read(&r.lines, SLICE("a 1 1\na 2 2\nb 1\nc 1\nd 1\ne 1 5"));
	ingest_lines_read(&r.lines, SLICE("f 1\na 3 3\n# words"));
	CHECK_STRING(end(&r), "a 3\nb 1\nc 1\nd 1\ne 1\n");
	CHECK_INT(r.lines.counts.lines, 8);
	CHECK_INT(r.lines.counts.timestamps, 4);
	CHECK_INT(r.lines.counts.superseded, 2);
	CHECK_INT(r.lines.counts.rejected[INGEST_LIMIT], 1);
	finish(&r);
}

/* However many lines are wrong, not much is kept of them. */
static void test_many_wrong_lines(void)
{
	enum { LINES = 20000 };
	struct reading r;
	struct buf text;
	buf_init(&text, 0);
	for (int i = 0; i < LINES; i++) {
		buf_append_string(&text, "a word too many for a line\n");
	}
	begin(&r);
	ingest_lines_read(&r.lines, buf_slice(&text));
	CHECK_STRING(end(&r), "");
	CHECK_INT(r.lines.counts.rejected[INGEST_VALUE], LINES);
	CHECK(r.arena.used_bytes < 64 * 1024);
	finish(&r);
	buf_finish(&text);
}

int main(void)
{
	hash_init();
	guard_init(&guard, 4096);
	RUN(test_taken);
	RUN(test_rejected);
	RUN(test_types_of_one_list);
	RUN(test_known_histogram);
	RUN(test_counts);
	RUN(test_many_wrong_lines);
	guard_finish(&guard);
	return check_done();
}
