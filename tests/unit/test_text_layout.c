/*
 * Layouts of text bodies: two bodies of one layout parse alike, but for their
 * values; any other difference shows.
 */

#include <stdlib.h>

#include "base/hash.h"
#include "check.h"
#include "format/text_layout.h"
#include "format/text_parse.h"
#include "unit/random.h"
#include "unit/text_dump.h"

enum { ROUNDS = 3000 };

static const struct format_options limits = {
	.samples = 100000,
	.labels = 100,
	.label_bytes = 1000,
};

static struct arena arena;

/* ---- Which bodies have a layout ---- */

static bool fits(struct slice body, struct text_layout *layout, struct batch *batch)
{
	struct format_error error;
	text_layout_scan(body, &arena, layout);
	return text_parse(body, &limits, &arena, batch, &error) == FORMAT_OK
			&& text_layout_fits(layout, batch);
}

static void test_fits(void)
{
	static const struct {
		const char *body;
		bool fits;
	} cases[] = {
		{ "", true },
		{ "\n# comment\n", true },
		{ "m 1\n", true },
		{ " m\t1\n", true },
		{ "m{a=\"b c\"} 1\n", true },
		{ "m{a=\"b 2\"} 1\n", true },
		{ "m NaN\n", true },
		{ "m 1", false },
		{ "m{}1\n", false },
		{ "m 1 2\n", false },
		{ "m x\n", false },
		{ "m 1\nn 1\nm 2\n", false },
		{ "# HELP m x\nm 1\n# TYPE n gauge\nn 2\n", true },
		{ "# TYPE s summary\ns_sum 1\ns_count 2\n", true },
		{ "# TYPE s summary\ns_count 2\ns_sum 1\n", false },
		{ "# TYPE s summary\ns_sum 1\ns_count 2.5\n", false },
		{ "# TYPE s summary\ns 7\ns_sum 1\ns_count 2\n", false },
		{ "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", true },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n", false },
		{ "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n", false },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 1\nh_count 2\n", false },
		{ "# TYPE h histogram\nh_bucket{a=\"1\",le=\"+Inf\"} 1\nh_sum{a=\"1\"} 1\nh_count{a=\"1\"} "
		  "1\n"
		  "h_bucket{a=\"2\",le=\"+Inf\"} 1\nh_sum{a=\"2\"} 1\nh_count{a=\"2\"} 1\n",
				true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_layout layout;
		struct batch batch;
		int failures = check_failures;
		CHECK_INT(fits(slice_of_string(cases[i].body), &layout, &batch), cases[i].fits);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
		arena_reset(&arena);
	}
}

/* ---- Random bodies ---- */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(random, array) ((array)[random_below(random, COUNT(array))])

static const char *const blanks[] = { " ", " ", " ", "\t", "  " };
static const char *const floats[] = { "0", "1", "-2.5", "1e9", "NaN", "+Inf", "-inf", ".5", "5.",
	"1234567890123456789", "0x", "1e-400" };
static const char *const labels[] = { "", "{}", "{a=\"b\"}", "{a=\"b c\"}", "{a=\"1 \", b=\"}\"}",
	"{a=\"\\\" 5\"}", "{a=\"#\",}" };
static const char *const lines[] = { "\n", " \n", "# comment 1\n", "#\n", "# HELP m 5\n",
	"# TYPE n gauge\n", "# HELP n a b 7\n" };

static const char *random_float(struct random_source *random)
{
	const char *text = PICK(random, floats);
	return strcmp(text, "0x") == 0 ? "7" : text;
}

static void append_sample(struct random_source *random, struct buf *body, unsigned family)
{
	buf_append_string(body, random_once_in(random, 10) ? " " : "");
	buf_printf(body, "f%u", family);
	buf_append_string(body, PICK(random, labels));
	buf_append_string(body, PICK(random, blanks));
	buf_append_string(body, random_float(random));
	buf_append_string(body, random_once_in(random, 30) ? " 12" : "");
	buf_append_byte(body, '\n');
}

static void append_histogram(struct random_source *random, struct buf *body, unsigned family)
{
	buf_printf(body, "# TYPE h%u histogram\n", family);
	buf_printf(body, "h%u_bucket{le=\"1\"} %u\n", family, random_below(random, 100));
	if (!random_once_in(random, 3)) {
		buf_printf(body, "h%u_bucket{le=\"+Inf\"} %u\n", family, random_below(random, 100));
	}
	buf_printf(body, "h%u_sum %s\n", family, random_float(random));
	buf_printf(body, "h%u_count %u\n", family, random_below(random, 100));
}

static void make_body(struct random_source *random, struct buf *body)
{
	unsigned count = random_below(random, 8);
	body->len = 0;
	for (unsigned i = 0; i < count; i++) {
		if (random_once_in(random, 3)) {
			buf_append_string(body, PICK(random, lines));
		} else if (random_once_in(random, 4)) {
			append_histogram(random, body, i);
		} else {
			append_sample(random, body, i);
		}
	}
}

/* The body with other values in the places that the layout found. */
static struct slice exchange_values(
		struct random_source *random, struct slice body, const struct text_layout *layout)
{
	struct buf out;
	buf_init(&out, 0);
	const char *at = body.ptr;
	for (size_t i = 0; i < layout->value_count; i++) {
		struct slice old = layout->values[i];
		buf_append(&out, slice_between(at, old.ptr));
		at = old.ptr + old.len;
		/* A negative value is one that histograms refuse. */
		char value[32];
		snprintf(value, sizeof(value), "%u%s", random_below(random, 100000),
				random_once_in(random, 2) ? "" : ".25");
		buf_append_string(&out, value);
	}
	buf_append(&out, slice_between(at, body.ptr + body.len));
	struct slice copy = out.len == 0 ? SLICE("") : arena_copy(&arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

static void set_values(struct batch *batch, const struct slice *values)
{
	for (struct batch_family *f = batch->families; f != NULL; f = f->next) {
		for (size_t i = 0; i < f->sample_count; i++) {
			f->samples[i].value = *values++;
		}
	}
}

static void check_exchanged(struct random_source *random, struct slice body)
{
	struct text_layout layout;
	struct text_layout other_layout;
	struct batch batch;
	struct batch other;
	struct format_error error;
	if (!fits(body, &layout, &batch)) {
		return;
	}
	struct slice exchanged = exchange_values(random, body, &layout);
	text_layout_scan(exchanged, &arena, &other_layout);
	CHECK(hash128_equal(layout.hash, other_layout.hash));
	CHECK_INT(other_layout.value_count, layout.value_count);
	CHECK_INT(text_parse(exchanged, &limits, &arena, &other, &error), FORMAT_OK);
	set_values(&batch, other_layout.values);
	CHECK_SLICE(text_dump(&other, &arena), text_dump(&batch, &arena));
}

/* One byte changed, put in or taken out: the hash is another, unless only a value is. */
static void check_mutated(struct random_source *random, struct slice body)
{
	struct text_layout layout;
	struct text_layout other;
	struct batch batch;
	struct batch other_batch;
	static const char bytes[] = " \t\n#ab1\"{}=,.e";
	if (body.len == 0 || !fits(body, &layout, &batch)) {
		return;
	}
	char *text = arena_text(&arena, body.len + 1);
	size_t place = random_below(random, (unsigned)body.len);
	char byte = bytes[random_below(random, sizeof(bytes) - 1)];
	bool inserts = random_once_in(random, 2);
	memcpy(text, body.ptr, place);
	text[place] = byte;
	size_t kept = place + !inserts;
	memcpy(text + place + 1, body.ptr + kept, body.len - kept);
	struct slice mutated = slice_make(text, body.len + inserts);
	text_layout_scan(mutated, &arena, &other);
	if (!other.is_plain || !hash128_equal(layout.hash, other.hash)) {
		return;
	}
	/* Then it is a body with other values, and nothing else. */
	CHECK_INT(other.value_count, layout.value_count);
	bool is_good = fits(mutated, &other, &other_batch);
	CHECK(is_good);
	if (is_good && other.value_count == layout.value_count) {
		set_values(&batch, other.values);
		CHECK_SLICE(text_dump(&other_batch, &arena), text_dump(&batch, &arena));
	}
}

static void test_random_bodies(void)
{
	struct random_source random;
	struct buf body;
	random_init(&random);
	buf_init(&body, 0);
	unsigned rounds = random_rounds(ROUNDS);
	for (unsigned i = 0; i < rounds && check_failures == 0; i++) {
		make_body(&random, &body);
		struct slice text = body.len == 0 ? SLICE("") : buf_slice(&body);
		check_exchanged(&random, text);
		for (int j = 0; j < 5; j++) {
			check_mutated(&random, text);
		}
		if (check_failures > 0) {
			fprintf(stderr, "of " SLICE_FMT "\n", SLICE_ARG(text));
		}
		arena_reset(&arena);
	}
	buf_finish(&body);
}

int main(void)
{
	hash_init();
	arena_init(&arena);
	RUN(test_fits);
	RUN(test_random_bodies);
	arena_finish(&arena);
	return check_done();
}
