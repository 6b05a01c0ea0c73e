/*
 * The protobuf page: the same samples as on the text page, each family in one
 * message, whatever changes while it is made and in whatever order its parts
 * are.
 */

#include "api/protobuf_page.h"

#include "base/number.h"
#include "format/protobuf_parse.h"
#include "format/protobuf_wire.h"
#include "format/text_parse.h"
#include "unit/random.h"
#include "unit/store_driver.h"

enum { JOBS_MAX = 16 };

struct page_driver {
	struct store_driver d;
	struct executor executor;
	struct job *jobs[JOBS_MAX];
	bool worked[JOBS_MAX];
	size_t job_count;
	size_t works; /* done on "threads" */
	size_t longest_piece;
	struct protobuf_page_result result;
	bool is_closed;
	bool is_ready;
};

static void add_job(struct page_driver *p, struct job *job, bool is_worked)
{
	assert(p->job_count < JOBS_MAX);
	p->worked[p->job_count] = is_worked;
	p->jobs[p->job_count++] = job;
}

static void submit(struct executor *executor, struct job *job)
{
	add_job(LIST_ENTRY(executor, struct page_driver, executor), job, false);
}

static void defer(struct executor *executor, struct job *job)
{
	add_job(LIST_ENTRY(executor, struct page_driver, executor), job, true);
}

static void do_job(struct page_driver *p, size_t number)
{
	struct job *job = p->jobs[number];
	if (!p->worked[number]) {
		p->worked[number] = true;
		p->works++;
		job->work(job);
		return;
	}
	p->job_count--;
	memmove(&p->jobs[number], &p->jobs[number + 1], (p->job_count - number) * sizeof(job));
	memmove(&p->worked[number], &p->worked[number + 1], p->job_count - number);
	job->done(job);
}

static void page_driver_init(struct page_driver *p)
{
	*p = (struct page_driver){ .executor = { .submit = submit, .defer = defer } };
	store_driver_init(&p->d, NULL);
}

static void page_driver_finish(struct page_driver *p)
{
	CHECK(list_is_empty(&p->d.store.contents->history.snapshots));
	store_driver_finish(&p->d);
}

/* ---- Pages ---- */

static void on_closed(void *data, const struct protobuf_page_result *result)
{
	struct page_driver *p = data;
	p->result = *result;
	p->is_closed = true;
}

static void on_ready(void *data)
{
	struct page_driver *p = data;
	p->is_ready = true;
}

static struct http_body *open_page(struct page_driver *p, const struct slice *own)
{
	struct protobuf_page_options options = {
		.page = { .escaping = p->d.page.escaping, .own_lines = own },
		.closed = on_closed,
		.data = p,
	};
	struct http_body *body = protobuf_page_create(&p->executor, &p->d.store, &options);
	CHECK(body != NULL);
	body->ready = on_ready;
	body->ready_data = p;
	p->is_closed = false;
	p->is_ready = true;
	return body;
}

typedef void change_function(struct page_driver *p, unsigned step);

static void change_nothing(struct page_driver *p, unsigned step)
{
}

/* All pieces; something changes before each job. */
static struct slice read_page(struct page_driver *p, struct http_body *body,
		change_function *change, struct random_source *random)
{
	struct buf out;
	struct http_piece piece;
	enum http_body_state state = HTTP_BODY_PIECE;
	buf_init(&out, 0);
	for (unsigned step = 0; state != HTTP_BODY_END && state != HTTP_BODY_FAILED; step++) {
		state = body->next(body, &piece);
		size_t before = out.len;
		for (size_t i = 0; state == HTTP_BODY_PIECE && i < piece.count; i++) {
			buf_append(&out, piece.parts[i]);
		}
		size_t len = out.len - before;
		p->longest_piece = len > p->longest_piece ? len : p->longest_piece;
		p->is_ready = state != HTTP_BODY_LATER;
		while (!p->is_ready) {
			CHECK(p->job_count > 0);
			change(p, step);
			do_job(p, random_below(random, (unsigned)p->job_count));
		}
	}
	CHECK_INT(state, HTTP_BODY_END);
	body->close(body);
	while (p->job_count > 0) {
		do_job(p, 0);
	}
	CHECK(p->is_closed);
	CHECK_INT(p->result.bytes, out.len);
	struct slice copy = arena_copy(&p->d.arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

/* ---- What is on them ---- */

static void dump_sample(struct buf *out, const struct batch_family *family, size_t number)
{
	const struct sample *sample = &family->samples[number];
	char value[NUMBER_TEXT_MAX];
	buf_append(out, family->name);
	buf_append(out, sample_suffix(sample->role));
	for (size_t i = 0; i < sample->labels.count; i++) {
		buf_append_byte(out, ',');
		buf_append(out, sample->labels.pairs[i].name);
		buf_append_byte(out, '=');
		buf_append(out, sample->labels.pairs[i].value);
	}
	size_t len = number_format(number_value(sample->value), value);
	buf_append_byte(out, ' ');
	buf_append(out, slice_make(value, len));
	buf_append_byte(out, '\n');
}

/* Families with type, help if wanted, and samples, values as doubles. */
static struct slice dump_page(
		struct page_driver *p, struct slice page, format_decode *decode, bool has_help)
{
	struct batch batch;
	struct format_error error = { 0 };
	struct buf out;
	CHECK_INT(decode(page, &driver_limits, &p->d.arena, &batch, &error), FORMAT_OK);
	CHECK_STRING(error.what, "");
	CHECK(batch.fault.text.ptr == NULL);
	buf_init(&out, 0);
	for (const struct batch_family *f = batch.families; f != NULL; f = f->next) {
		buf_append(&out, metric_type_name(f->type));
		buf_append_byte(&out, ' ');
		buf_append(&out, has_help ? f->help : SLICE(""));
		buf_append_byte(&out, '\n');
		for (size_t i = 0; i < f->sample_count; i++) {
			CHECK(f->samples[i].extra == NULL || f->samples[i].extra->problem.len == 0);
			dump_sample(&out, f, i);
		}
	}
	struct slice copy = out.len == 0 ? SLICE("") : arena_copy(&p->d.arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

static void check_same(struct slice got, struct slice wanted)
{
	size_t at = 0;
	if (slice_equal(got, wanted)) {
		return;
	}
	while (at < got.len && at < wanted.len && got.ptr[at] == wanted.ptr[at]) {
		at++;
	}
	at = at > 200 ? at - 200 : 0;
	CHECK_SLICE(slice_first(slice_skip(got, at), 400), slice_first(slice_skip(wanted, at), 400));
}

/* Whole messages, and no family in two of them. */
static void check_messages(struct page_driver *p, struct slice page)
{
	struct slice before = SLICE("");
	const char *at = page.ptr;
	const char *end = page.ptr + page.len;
	while (at < end) {
		uint64_t len = 0;
		struct wire_field field;
		CHECK_INT(wire_read_varint(&at, end, &len), WIRE_OK);
		CHECK(len <= (uint64_t)(end - at));
		struct wire_reader reader = wire_reader_of(slice_make(at, (size_t)len));
		CHECK(wire_next(&reader, &field));
		CHECK_INT(field.tag, WIRE_TAG(1, WIRE_BYTES));
		if (p->d.page.escaping == ESCAPING_ALLOW_UTF8) {
			CHECK(slice_compare(before, field.bytes) < 0);
		}
		before = field.bytes;
		at += len;
	}
}

/* Both pages of now, the one in protobuf made while things change. */
static void check_page(struct page_driver *p, const struct slice *own, change_function *change,
		struct random_source *random)
{
	struct slice text = store_driver_whole_page(&p->d, own);
	struct slice page = read_page(p, open_page(p, own), change, random);
	check_messages(p, page);
	/* The help is that of now, on both pages. */
	bool has_help = change == change_nothing;
	check_same(
			dump_page(p, page, protobuf_parse, has_help), dump_page(p, text, text_parse, has_help));
}

/* ---- Cases ---- */

static void test_empty(void)
{
	struct page_driver p;
	struct random_source random = { 1 };
	page_driver_init(&p);
	CHECK_STRING(read_page(&p, open_page(&p, NULL), change_nothing, &random), "");
	page_driver_finish(&p);
}

static void test_types(void)
{
	struct page_driver p;
	struct random_source random = { 1 };
	page_driver_init(&p);
	CHECK_INT(store_driver_push(&p.d, STORE_PUT, "job=j",
					  "# HELP c_total A \\\\ \\n.\n# TYPE c_total counter\nc_total 1\n"
					  "# TYPE g gauge\ng{a=\"\\\\\\\"\\n\"} -1.50\n"
					  "u NaN\n"
					  "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n"
					  "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 2\nh_count 3\n"
					  "# TYPE gh gaugehistogram\ngh_bucket{le=\"1\"} 1\ngh_sum 2\ngh_count 3\n"),
			PUSH_OK);
	CHECK_INT(store_driver_push(&p.d, STORE_PUT, "job=k",
					  "# TYPE h gaugehistogram\nh_bucket{le=\"1\"} 1\nh_sum 2\nh_count 3\n"),
			PUSH_OK);
	p.d.format = FORMAT_OPENMETRICS;
	CHECK_INT(store_driver_push(&p.d, STORE_PUT, "job=l",
					  "# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE e stateset\ne{e=\"a\"} 1\n"
					  "# TYPE og gaugehistogram\nog_bucket{le=\"+Inf\"} 2\nog_gcount 2\nog_gsum 1\n"
					  "# TYPE c counter\nc_total 2 # {x=\"y\"} 0.5 1.5\nc_created 1.5\n# EOF\n"),
			PUSH_OK);
	p.d.format = FORMAT_TEXT;
	struct slice page = read_page(&p, open_page(&p, NULL), change_nothing, &random);
	struct batch batch;
	struct format_error error;
	CHECK_INT(protobuf_parse(page, &driver_limits, &p.d.arena, &batch, &error), FORMAT_OK);
	struct buf out;
	buf_init(&out, 0);
	for (const struct batch_family *f = batch.families; f != NULL; f = f->next) {
		buf_append(&out, f->name);
		buf_append_byte(&out, ' ');
		buf_append(&out, metric_type_upper_name(f->type));
		buf_printf(&out, " %zu\n", f->sample_count);
	}
	CHECK_STRING(buf_slice(&out),
			"c_total COUNTER 2\ne GAUGE 1\ng GAUGE 1\ngh GAUGE_HISTOGRAM 4\nh HISTOGRAM 8\n"
			"i_info GAUGE 1\nog GAUGE_HISTOGRAM 3\npush_failure_time_seconds GAUGE 3\n"
			"push_time_seconds GAUGE 3\ns SUMMARY 3\nu UNTYPED 1\n");
	buf_finish(&out);
	/* What text cannot say. */
	const struct sample *created = &batch.families->samples[1];
	CHECK_STRING(created->extra->created, "1.5");
	CHECK_STRING(created->extra->exemplar, "{x=\"y\"} 0.5 1.5");
	page_driver_finish(&p);
}

static void test_own_lines(void)
{
	struct page_driver p;
	struct random_source random = { 1 };
	struct slice own[DRIVER_DECLARATIONS] = { { 0 } };
	own[1] = SLICE("own_requests{code=\"200\"} 5\nown_requests{code=\"400\"} 6\n");
	page_driver_init(&p);
	check_page(&p, own, change_nothing, &random);
	CHECK_INT(store_driver_push(&p.d, STORE_PUT, "job=j",
					  "# HELP own_requests Requests.\n# TYPE own_requests counter\n"
					  "own_requests{code=\"500\"} 1\n# TYPE go_threads gauge\ngo_threads 7\n"),
			PUSH_OK);
	check_page(&p, own, change_nothing, &random);
	page_driver_finish(&p);
}

/* Names under each scheme, some of which are the same under it. */
static void test_names(void)
{
	struct random_source random;
	random_init(&random);
	for (enum escaping escaping = 0; escaping < ESCAPING_COUNT; escaping++) {
		struct page_driver p;
		page_driver_init(&p);
		p.d.page.escaping = escaping;
		CHECK_INT(store_driver_push(&p.d, STORE_PUT, "job=j,a.b=c",
						  "{\"a.b\",\"c.d\"=\"e\",c_d=\"f\"} 1\na_b 2\n{\"a.c\"} 2\nz 1\n"
						  "# TYPE \"h.i\" histogram\n{\"h.i_bucket\",le=\"1\",\"é\"=\"x\"} 1\n"
						  "{\"h.i_sum\",\"é\"=\"x\"} 2\n{\"h.i_count\",\"é\"=\"x\"} 3\n"),
				PUSH_OK);
		CHECK_INT(store_driver_push(&p.d, STORE_PUT, "job=k", "a_b 2\nz{\"x.y\"=\"1\"} 1\n"),
				PUSH_OK);
		check_page(&p, NULL, change_nothing, &random);
		page_driver_finish(&p);
	}
}

/* ---- Large families ---- */

static void push_lines(
		struct page_driver *p, const char *key, const char *head, const char *line, int count)
{
	struct buf body;
	buf_init(&body, 0);
	buf_append_string(&body, head);
	for (int i = 0; i < count; i++) {
		for (const char *c = line; *c != '\0'; c++) {
			if (*c == '#') {
				buf_printf(&body, "%d", i);
			} else {
				buf_append_byte(&body, *c);
			}
		}
	}
	buf_append_byte(&body, '\0');
	CHECK_INT(store_driver_push(&p->d, STORE_PUT, key, body.ptr), PUSH_OK);
	buf_finish(&body);
}

static const char histogram_lines[] = "h_bucket{n=\"#\",le=\"1\"} #\nh_bucket{n=\"#\",le=\"2\"} #\n"
									  "h_sum{n=\"#\"} #\nh_count{n=\"#\"} #\n";

static void delete_and_push(struct page_driver *p, unsigned step)
{
	static const char *const keys[] = { "job=j", "job=k", "job=l", "job=7" };
	if (step % 3 == 2) {
		store_driver_delete(&p->d, keys[step % 4]);
	}
	store_driver_push(&p->d, STORE_POST, keys[(step + 1) % 4],
			"# TYPE h histogram\nh_sum 1\nh_count 1\n# TYPE new gauge\nnew 1\n");
	store_tidy(&p->d.store);
}

static void test_large_blocks(void)
{
	struct random_source random;
	random_init(&random);
	for (int i = 0; i < 2; i++) {
		struct page_driver p;
		page_driver_init(&p);
		push_lines(&p, "job=j", "# TYPE h histogram\n", histogram_lines, 12000);
		push_lines(&p, "job=k", "# TYPE h histogram\n# HELP h H.\n", histogram_lines, 8000);
		push_lines(&p, "job=l", "# TYPE g gauge\n", "g{n=\"#\"} #\n", 40000);
		push_lines(&p, "job=m", "# TYPE z gauge\n", "z{n=\"#\"} #\n", 40000);
		check_page(&p, NULL, i == 0 ? change_nothing : delete_and_push, &random);
		CHECK(p.works > 8);
		CHECK(p.longest_piece < 1024 * 1024);
		page_driver_finish(&p);
	}
}

static void test_many_groups(void)
{
	enum { GROUPS = 22000 };
	struct random_source random;
	struct page_driver p;
	random_init(&random);
	page_driver_init(&p);
	for (int i = 0; i < GROUPS; i++) {
		char key[64];
		snprintf(key, sizeof(key), "job=%d,some_longer_label=value%d", i, i);
		CHECK_INT(store_driver_push(&p.d, STORE_PUT, key, "# TYPE m gauge\nm 1\n"), PUSH_OK);
	}
	CHECK_INT(store_driver_push(&p.d, STORE_PUT, "job=7", "m 1\n"), PUSH_E_INCONSISTENT);
	check_page(&p, NULL, delete_and_push, &random);
	CHECK(p.longest_piece < 1024 * 1024);
	page_driver_finish(&p);
}

/* Names in quotes, in a family that is made in slices. */
static void test_large_names(void)
{
	struct random_source random;
	struct page_driver p;
	random_init(&random);
	page_driver_init(&p);
	push_lines(
			&p, "job=j", "# TYPE \"a.b\" gauge\n", "{\"a.b\",\"n.o\"=\"#\",n_o=\"\"} #\n", 30000);
	push_lines(&p, "job=l", "# TYPE \"a.c\" gauge\n", "{\"a.c\",\"n.o\"=\"#\",\"n/o\"=\"\"} #\n",
			30000);
	push_lines(&p, "job=k", "", "m#{\"m.#\"=\"x\"} 1\n", 300);
	check_page(&p, NULL, change_nothing, &random);
	page_driver_finish(&p);
}

static void test_disconnect(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned jobs = 0; jobs < 12; jobs++) {
		struct page_driver p;
		struct http_piece piece;
		page_driver_init(&p);
		push_lines(&p, "job=j", "# TYPE h histogram\n", histogram_lines, 12000);
		struct http_body *body = open_page(&p, NULL);
		enum http_body_state state = body->next(body, &piece);
		for (unsigned i = 0; i < jobs && p.job_count > 0; i++) {
			p.is_ready = false;
			do_job(&p, random_below(&random, (unsigned)p.job_count));
			state = p.is_ready ? body->next(body, &piece) : state;
		}
		body->close(body);
		while (p.job_count > 0) {
			do_job(&p, random_below(&random, (unsigned)p.job_count));
		}
		CHECK(p.is_closed);
		page_driver_finish(&p);
	}
}

/* ---- Anything ---- */

static void append_random_family(struct buf *body, struct random_source *random, unsigned number)
{
	static const char *const types[] = { "gauge", "counter", "summary", "histogram", "untyped" };
	static const char *const labels[] = { "", "a=\"b\",", "c=\"\\\\\\\"\\n\",", "\"d.e\"=\"é\",",
		"c=\"\",", "d_e=\"x\"," };
	unsigned type = number % 5;
	bool is_quoted = number % 3 == 0;
	char name[16];
	snprintf(name, sizeof(name), is_quoted ? "f.%u" : "f%u", number);
	buf_printf(body, "# TYPE \"%s\" %s\n", name, types[type]);
	if (random_once_in(random, 2)) {
		buf_printf(body, "# HELP \"%s\" Help %u \\\\.\n", name, random_below(random, 3));
	}
	unsigned metrics = 1 + random_below(random, random_once_in(random, 8) ? 200 : 3);
	for (unsigned i = 0; i < metrics; i++) {
		char set[64];
		snprintf(set, sizeof(set), "%sn=\"%u\"", labels[random_below(random, 6)], i);
		unsigned value = random_below(random, 1000);
		if (type == 2) {
			buf_printf(body, "{\"%s\",quantile=\"0.5\",%s} %u\n", name, set, value);
		} else if (type == 3) {
			buf_printf(body, "{\"%s_bucket\",%s,le=\"0.5\"} %u\n", name, set, value);
		} else {
			buf_printf(body, "{\"%s\",%s} %u.5\n", name, set, value);
			continue;
		}
		buf_printf(body, "{\"%s_sum\",%s} %u.25\n{\"%s_count\",%s} %u\n", name, set, value, name,
				set, value);
	}
}

static void push_random(struct page_driver *p, struct random_source *random)
{
	static const char *const keys[] = { "job=j", "job=k", "job=j,i=1", "job=j,a.b=1",
		"job=,d_e=2" };
	const char *key = keys[random_below(random, 5)];
	struct buf body;
	if (random_once_in(random, 6)) {
		store_driver_delete(&p->d, key);
		return;
	}
	buf_init(&body, 0);
	unsigned families = random_below(random, 12);
	for (unsigned i = 0; i < families; i++) {
		if (random_once_in(random, 2)) {
			append_random_family(&body, random, i);
		}
	}
	buf_append_byte(&body, '\0');
	store_driver_push(&p->d, random_once_in(random, 2) ? STORE_PUT : STORE_POST, key, body.ptr);
	buf_finish(&body);
}

static struct random_source changes;

static void change_randomly(struct page_driver *p, unsigned step)
{
	push_random(p, &changes);
	store_tidy(&p->d.store);
}

static void test_anything(void)
{
	struct random_source random;
	random_init(&random);
	changes = random;
	for (unsigned round = 0; round < random_rounds(40); round++) {
		struct page_driver p;
		int failures = check_failures;
		page_driver_init(&p);
		p.d.page.escaping = (enum escaping)(round % ESCAPING_COUNT);
		for (unsigned i = 0; i < 30; i++) {
			push_random(&p, &random);
			if (random_once_in(&random, 3)) {
				check_page(&p, NULL, change_randomly, &random);
			}
		}
		page_driver_finish(&p);
		if (check_failures != failures) {
			return;
		}
	}
}

int main(void)
{
	RUN(test_empty);
	RUN(test_types);
	RUN(test_own_lines);
	RUN(test_names);
	RUN(test_large_blocks);
	RUN(test_many_groups);
	RUN(test_large_names);
	RUN(test_disconnect);
	RUN(test_anything);
	return check_done();
}
