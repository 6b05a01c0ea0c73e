/* Lines of exports: what is stored comes back as it was, and what cannot be right is refused. */

#include "unit/line_store.h"
#include "unit/store_driver.h"

/* ---- There and back ---- */

static struct slice page_of(struct store_driver *d, enum page_format format)
{
	d->page.format = format;
	return store_driver_whole_page(d, NULL);
}

static void check_same(struct store_driver *d, struct store_driver *moved)
{
	CHECK_SLICE(page_of(moved, PAGE_TEXT), page_of(d, PAGE_TEXT));
	CHECK_SLICE(page_of(moved, PAGE_OPENMETRICS), page_of(d, PAGE_OPENMETRICS));
	CHECK_INT(moved->store.contents->group_count, d->store.contents->group_count);
	CHECK_INT(moved->store.contents->series, d->store.contents->series);
	CHECK_INT(moved->store.contents->blocks, d->store.contents->blocks);
	CHECK_INT(moved->store.contents->shadowed_blocks, d->store.contents->shadowed_blocks);
	CHECK_INT(moved->store.contents->shadowed_groups, d->store.contents->shadowed_groups);
}

static void import(struct store_driver *d, struct slice text, enum line_store_result wanted)
{
	while (text.len > 0) {
		struct slice what;
		struct slice line = slice_take_line(&text);
		enum line_store_result result = line_store_import_line(&d->store, line, &d->arena, &what);
		if (result != LINE_STORE_OTHER) {
			CHECK_INT(result, wanted);
		}
		if (what.len > 0) {
			fprintf(stderr, SLICE_FMT ": " SLICE_FMT "\n", SLICE_ARG(line), SLICE_ARG(what));
		}
	}
}

/*
 * What is exported makes the same store of an empty one, and changes nothing in that one. What is
 * shadowed comes on lines of its own, behind those that replace the group.
 */
static void check_round_trip(struct store_driver *d)
{
	bool is_all_shown = d->store.contents->shadowed_blocks == 0;
	struct store_driver moved;
	struct buf text;
	struct buf again;
	buf_init(&text, 0);
	buf_init(&again, 0);
	store_driver_init(&moved, &d->store.options);
	line_store_export(&d->store, &text);
	import(&moved, buf_slice(&text), LINE_STORE_TAKEN);
	check_same(d, &moved);
	line_store_export(&moved.store, &again);
	CHECK_SLICE(buf_slice(&again), buf_slice(&text));
	if (is_all_shown) {
		import(&moved, buf_slice(&text), LINE_STORE_UNCHANGED);
	}
	store_driver_finish(&moved);
	buf_finish(&again);
	buf_finish(&text);
}

static void push(struct store_driver *d, enum format_id format, const char *key, const char *body)
{
	d->format = format;
	enum push_result result = store_driver_push(d, STORE_POST, key, body);
	if (result != PUSH_OK) {
		fprintf(stderr, "%s is refused: " SLICE_FMT "\n", body, SLICE_ARG(d->fault));
	}
	CHECK_INT(result, PUSH_OK);
}

static const char openmetrics[] =
		"# TYPE h_seconds histogram\n"
		"# HELP h_seconds Took\\nso \\\\long, \\\"it\\\" says.\n"
		"# UNIT h_seconds seconds\n"
		"h_seconds_bucket{le=\"0.5\",a=\"x\"} 1 # {trace=\"o\\\"p\"} 0.3 12.5\n"
		"h_seconds_bucket{le=\"+Inf\",a=\"x\"} 3\n"
		"h_seconds_count{a=\"x\"} 3\n"
		"h_seconds_sum{a=\"x\"} 1.50\n"
		"h_seconds_created{a=\"x\"} 1520879607.789\n"
		"# TYPE c counter\n"
		"c_total 17.000 # {trace_id=\"t\"} 0.67\n"
		"c_created 12.25\n"
		"# TYPE i info\n"
		"i_info{v=\"1\",\"dotted.name\"=\"y\"} 1\n"
		"# TYPE s stateset\n"
		"s{s=\"on\"} 1\n"
		"s{s=\"off\"} 0\n"
		"# TYPE g gaugehistogram\n"
		"g_bucket{le=\"+Inf\"} 5\n"
		"g_gcount 5\n"
		"g_gsum 7\n"
		"# EOF\n";

static const char text[] =
		"# HELP m A backslash \\\\ and a line\\nfeed, \"quoted\".\n"
		"# TYPE m gauge\n"
		"m{b=\"2\",a=\"q\\\"uote\",empty=\"\"} 1.500e+00\n"
		"m NaN\n"
		"m{a=\"\xc3\xb6<&>\xe2\x80\xa8\t\"} -Inf\n"
		"# HELP q\n"
		"# TYPE q summary\n"
		"q{quantile=\"0.5\"} 4773\n"
		"q_sum 1.7560473e+07\n"
		"q_count 2693\n"
		"{\"dotted.metric \\\"x\\\"\",\"a.b\"=\"c\"} 123456789012345678901234567890\n";

static void test_round_trip(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	check_round_trip(&d);
	push(&d, FORMAT_OPENMETRICS, "job=open", openmetrics);
	push(&d, FORMAT_TEXT, "job=text,instance=back\\\\slash", text);
	push(&d, FORMAT_TEXT, "job=two", "old 1\nolder 1\n");
	push(&d, FORMAT_TEXT, "job=two", "old 2\nnew{instance=\"\"} 3\n");
	push(&d, FORMAT_TEXT, "job=empty,instance=", "");
	d.now_ns += 123456789;
	push(&d, FORMAT_TEXT, "job=odd,a\xc3\xb6=\xf0\x9f\x8d\xba", "z 0.10\n");
	CHECK_INT(store_driver_push(&d, STORE_POST, "job=failed", "m 1\nm 1\n"), PUSH_E_INCONSISTENT);
	check_round_trip(&d);
	store_driver_finish(&d);
}

/* Lines stay in their order, also those of families that a group got late, or lost. */
static void test_order(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	push(&d, FORMAT_TEXT, "job=gone", "x 1\n");
	push(&d, FORMAT_TEXT, "job=a", "y 1\n");
	push(&d, FORMAT_TEXT, "job=gone2", "x 1\n");
	push(&d, FORMAT_TEXT, "job=b", "x 1\n");
	push(&d, FORMAT_TEXT, "job=a", "x 1\n");
	store_driver_delete(&d, "job=gone");
	store_driver_delete(&d, "job=gone2");
	push(&d, FORMAT_TEXT, "job=c", "y 1\n");
	push(&d, FORMAT_TEXT, "job=b", "y 1\n");
	push(&d, FORMAT_TEXT, "job=c", "x 1\n");
	check_round_trip(&d);
	store_driver_finish(&d);
}

/* A slot far away is not asked for: those before it would take memory. */
static void test_places_are_limited(void)
{
	struct store_driver d;
	struct slice what;
	store_driver_init(&d, NULL);
	CHECK_INT(line_store_import_line(&d.store,
					  SLICE("{\"labels\":{\"job\":\"j\"},\"place\":4294967294,\"families\":[]}"),
					  &d.arena, &what),
			LINE_STORE_TAKEN);
	CHECK_INT(store_driver_find(&d, "job=j")->slot, 0);
	CHECK_INT(line_store_import_line(&d.store,
					  SLICE("{\"labels\":{\"job\":\"k\"},\"place\":7,\"families\":[]}"), &d.arena,
					  &what),
			LINE_STORE_TAKEN);
	CHECK_INT(store_driver_find(&d, "job=k")->slot, 7);
	push(&d, FORMAT_TEXT, "job=next", "m 1\n");
	CHECK_INT(store_driver_find(&d, "job=next")->slot, 1);
	store_driver_finish(&d);
}

/* A label value may have any character, U+0000 among them. */
static void test_zeros(void)
{
	struct store_driver d;
	struct group_key key;
	struct prepared_push prepared;
	struct batch_fault fault;
	struct store_push op;
	struct label labels[] = { { SLICE("job"), SLICE("\0a\\\\u0000\0") } };
	struct label own[] = { { SLICE("z"), SLICE("\1\x1f\x7f\0") } };
	struct sample sample = { .labels = { own, 1 }, .value = SLICE("1") };
	struct batch_family family = { .name = SLICE("m"), .samples = &sample, .sample_count = 1 };
	struct batch batch = { .families = &family, .family_count = 1, .sample_count = 1 };
	struct prepare_options options = { .is_checked = true, .max_bytes = SIZE_MAX };
	store_driver_init(&d, NULL);
	group_key_init(&key, (struct labels){ labels, 1 });
	CHECK_INT(prepare_push(&batch, &key, &options, &d.arena, &prepared, &fault), PREPARE_OK);
	push_init(&op, &d.store, STORE_PUT, &key, &prepared, &d.arena);
	CHECK_INT(push_step(&op), PUSH_OK);
	check_round_trip(&d);
	store_driver_finish(&d);
}

static int compare_lines(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* What changes meanwhile is written before its turn. */
static struct slice sorted_lines(struct store_driver *d, const struct buf *exported)
{
	enum { LINES_MAX = 4000 };
	struct slice *lines = arena_alloc(&d->arena, LINES_MAX * sizeof(*lines));
	struct slice rest = buf_slice(exported);
	size_t count = 0;
	while (rest.len > 0) {
		assert(count < LINES_MAX);
		lines[count++] = slice_take_line(&rest);
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	return arena_join(&d->arena, lines, count);
}

/* Each is of the moment when it began, whatever the others have seen already. */
static void test_exports_at_once(void)
{
	enum { GROUPS = 3000, EXPORTS = 3 };
	struct store_driver d;
	struct listing listings[EXPORTS];
	struct listing_unit *unit;
	struct buf before;
	char key[32];
	store_driver_init(&d, NULL);
	buf_init(&before, 0);
	for (int i = 0; i < GROUPS; i++) {
		snprintf(key, sizeof(key), "job=%d", i);
		push(&d, FORMAT_TEXT, key, "m 1\n");
	}
	line_store_export(&d.store, &before);
	for (int i = 0; i < EXPORTS; i++) {
		CHECK(listing_begin(&listings[i], &d.store));
		CHECK_INT(listing_next(&listings[i], &unit), LISTING_AGAIN); /* the first slice */
	}
	for (int i = 0; i < GROUPS; i += 100) {
		snprintf(key, sizeof(key), "job=%d", i);
		push(&d, FORMAT_TEXT, key, "n 2\n");
		push(&d, FORMAT_TEXT, key, "m 2\n");
		snprintf(key, sizeof(key), "job=%d", i + 1);
		store_driver_delete(&d, key);
	}
	push(&d, FORMAT_TEXT, "job=new", "m 2\n");
	for (int i = 0; i < EXPORTS; i++) {
		struct buf exported;
		buf_init(&exported, 0);
		line_store_export_rest(&listings[i], &exported);
		CHECK_SLICE(sorted_lines(&d, &exported), sorted_lines(&d, &before));
		buf_finish(&exported);
	}
	buf_finish(&before);
	store_driver_finish(&d);
}

/* What comes up and is pushed again meanwhile is still there as it was. */
static void test_export_while_promoted(void)
{
	struct store_driver d;
	struct listing listing;
	struct buf before;
	struct buf exported;
	store_driver_init_unchecked(&d);
	buf_init(&before, 0);
	buf_init(&exported, 0);
	push(&d, FORMAT_TEXT, "job=a", "# TYPE m gauge\nm 1\n");
	push(&d, FORMAT_TEXT, "job=b", "# HELP m It waits.\n# TYPE m counter\nm 2\n");
	line_store_export(&d.store, &before);
	CHECK(listing_begin(&listing, &d.store));
	store_driver_delete(&d, "job=a");
	push(&d, FORMAT_TEXT, "job=b", "# TYPE m counter\nm 3\n");
	line_store_export_rest(&listing, &exported);
	CHECK_SLICE(buf_slice(&exported), buf_slice(&before));
	store_driver_delete(&d, "job=b");
	store_driver_check_empty(&d);
	buf_finish(&exported);
	buf_finish(&before);
	store_driver_finish(&d);
}

static void test_lives(void)
{
	struct store_driver d;
	clock_freeze(50, 1000000000000000000);
	store_driver_init(&d, NULL);
	CHECK_INT(store_driver_push_until(&d, STORE_PUT, "job=a", "m 1\n", 1000000050), PUSH_OK);
	check_round_trip(&d);
	struct buf exported;
	buf_init(&exported, 0);
	line_store_export(&d.store, &exported);
	CHECK(memmem(exported.ptr, exported.len, "\"expires\":\"1000000001\"", 22) != NULL);
	buf_finish(&exported);
	store_driver_finish(&d);
	clock_thaw();
}

/* What contradicts what is exposed goes last, and finds its place taken again. */
static void test_shadowed(void)
{
	struct store_driver d;
	store_driver_init_unchecked(&d);
	push(&d, FORMAT_TEXT, "job=late", "x 1\n");
	push(&d, FORMAT_TEXT, "job=a", "# TYPE m counter\nm 1\n");
	push(&d, FORMAT_TEXT, "job=late", "# TYPE m gauge\nm 1\n");
	push(&d, FORMAT_TEXT, "job=b", "# TYPE m gauge\nm 1\n");
	push(&d, FORMAT_TEXT, "job=a,instance=", "y 1\n");
	CHECK_INT(d.store.contents->shadowed_blocks, 2);
	CHECK_INT(d.store.contents->shadowed_groups, 1);
	check_round_trip(&d);
	store_driver_finish(&d);
}

/* Of a group all or nothing is taken, whatever times its families have. */
static void test_all_or_nothing(void)
{
	static const char line[] =
			"{\"labels\":{\"job\":\"b\"},\"pushed\":\"9\",\"families\":["
			"{\"name\":\"n\",\"type\":\"gauge\",\"pushed\":\"7\",\"samples\":[{\"value\":\"1\"}]},"
			"{\"name\":\"m\",\"type\":\"gauge\",\"pushed\":\"9\",\"samples\":[{\"value\":\"1\"}]}]"
			"}";
	struct store_driver d;
	struct slice what;
	store_driver_init(&d, NULL);
	push(&d, FORMAT_TEXT, "job=a", "# TYPE m counter\nm 1\n");
	push(&d, FORMAT_TEXT, "job=b", "n 5\n");
	struct slice before = page_of(&d, PAGE_TEXT);
	CHECK_INT(line_store_import_line(&d.store, slice_of_string(line), &d.arena, &what),
			LINE_STORE_REFUSED);
	CHECK_SLICE(page_of(&d, PAGE_TEXT), before);
	store_driver_delete(&d, "job=a");
	CHECK_INT(line_store_import_line(&d.store, slice_of_string(line), &d.arena, &what),
			LINE_STORE_TAKEN);
	CHECK_STRING(store_driver_page(&d),
			"# TYPE m gauge\nm{instance=\"\",job=\"b\"} 1\n"
			"# TYPE n gauge\nn{instance=\"\",job=\"b\"} 1\n");
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds{instance=\"\",job=\"b\"} 0\n"
			"push_time_seconds{instance=\"\",job=\"b\"} 9.000000\n");
	store_driver_delete(&d, "job=b");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* ---- What is refused ---- */

#define GROUP(families) "{\"labels\":{\"job\":\"j\"},\"families\":[" families "]}"
#define FAMILY(type, samples)                                                                      \
	GROUP("{\"name\":\"m\",\"type\":\"" type "\",\"pushed\":\"1\",\"samples\":[" samples "]}")
#define GAUGE(sample) FAMILY("gauge", sample)
#define HISTOGRAM(samples) FAMILY("histogram", samples)
#define BUCKET "{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"+Inf\"},\"value\":\"1\""
#define TOTAL "{\"suffix\":\"_count\",\"value\":\"1\""

static const struct line_case {
	const char *what;
	struct slice text;
	const char *fault; /* NULL: it is read */
} cases[] = {
	{ "a group", SLICE_INIT(GROUP("")), NULL },
	{ "with blanks", SLICE_INIT(" { \"labels\" : {\"job\":\"j\"} , \"families\" : [ ] } "), NULL },
	{ "with times",
			SLICE_INIT("{\"labels\":{\"job\":\"j\"},\"pushed\":\"1.000000001\",\"failed\":\"0\","
					   "\"expires\":\"9223372036.854775807\",\"adds\":false,\"families\":[]}"),
			NULL },
	{ "a gauge", SLICE_INIT(GAUGE("{\"value\":\"-1.50e3\"}")), NULL },
	{ "a header", SLICE_INIT("{\"weir_export\":1,\"written_by\":\"other\",\"x\":[]}"), NULL },
	{ "numbers of all kinds",
			SLICE_INIT("{\"weir_export\":1,\"x\":[0,-0,10,-1.50,0.5e1,1E-2,2e+3,\"\\u00e4\\/\"]}"),
			NULL },
	{ "an end", SLICE_INIT("{\"weir_export_end\":1,\"lines\":1,\"groups\":1}"), NULL },
	{ "a bucket", SLICE_INIT(HISTOGRAM(BUCKET "}")), NULL },
	{ "a bucket that was added", SLICE_INIT(HISTOGRAM(BUCKET ",\"added\":true}")), NULL },
	{ "an exemplar", SLICE_INIT(FAMILY("counter", "{\"value\":\"1\",\"exemplar\":\"{} 1\"}")),
			NULL },
	{ "native", SLICE_INIT(HISTOGRAM(TOTAL ",\"native\":\"IQAAAAAAAPA/CAE=\"}")), NULL },
	{ "an escaped name",
			SLICE_INIT(GROUP("{\"name\":\"a\\\"b\\n\\u0000\",\"type\":\"gauge\","
							 "\"pushed\":\"1\",\"samples\":[{\"value\":\"1\"}]}")),
			NULL },

	{ "nothing", SLICE_INIT(""), "no JSON at byte 1" },
	{ "a string", SLICE_INIT("\"x\""), "it is no object with labels and families" },
	{ "a list", SLICE_INIT("[]"), "it is no object with labels and families" },
	{ "an empty object", SLICE_INIT("{}"), "it is no object with labels and families" },
	{ "half a line", SLICE_INIT("{\"labels\":{\"job\":\"j\"},\"fam"), "it ends within a string" },
	{ "a line without its end", SLICE_INIT("{\"labels\":{\"job\":\"j\"}"), "no JSON at byte 21" },
	{ "two lines in one", SLICE_INIT("{\"labels\":{}}{}"), "more than one value, at byte 14" },
	{ "no UTF-8", SLICE_INIT("{\"labels\":{\"job\":\"\xc0\x80\"}}"), "it is not UTF-8" },
	{ "half a character", SLICE_INIT("{\"labels\":{\"job\":\"\\ud800\"}}"), "no JSON at byte 19" },
	{ "a line feed", SLICE_INIT("{\"labels\":{\"job\":\"\n\"}}"),
			"a control character in a string, which JSON has escaped" },
	{ "a zero", SLICE_INIT("{\"labels\":{\"job\":\"\0\"}}"),
			"a control character in a string, which JSON has escaped" },
	{ "a quote behind a backslash at the end", SLICE_INIT("{\"\\"), "it ends within a string" },
	{ "another escape", SLICE_INIT("{\"labels\":{\"job\":\"\\x\"}}"),
			"an escape that there is not in JSON" },
	{ "an escaped zero byte", SLICE_INIT("{\"labels\":{\"job\":\"\\\0\"}}"),
			"an escape that there is not in JSON" },
	{ "other digits", SLICE_INIT("{\"labels\":{\"job\":\"a\\u12G4\"}}"),
			"a \\u without four hexadecimal digits" },
	{ "three digits", SLICE_INIT("{\"labels\":{\"job\":\"\\u123\"}}"),
			"a \\u without four hexadecimal digits" },
	{ "a zero in front", SLICE_INIT("{\"weir_export\":01}"),
			"a number that JSON writes in another way" },
	{ "two zeros", SLICE_INIT("{\"weir_export\":00}"), "a number that JSON writes in another way" },
	{ "a point at the end", SLICE_INIT("{\"weir_export\":1.}"),
			"a number that JSON writes in another way" },
	{ "an exponent without digits", SLICE_INIT("{\"weir_export\":1e}"),
			"a number that JSON writes in another way" },
	{ "a sign alone", SLICE_INIT("{\"weir_export\":-}"),
			"a number that JSON writes in another way" },
	{ "a sign in an exponent alone", SLICE_INIT("{\"weir_export\":-1.5e+}"),
			"a number that JSON writes in another way" },
	{ "a zero behind a sign", SLICE_INIT("{\"weir_export\":-01}"),
			"a number that JSON writes in another way" },
	{ "a form feed", SLICE_INIT("{\"labels\":{}\f}"),
			"something outside of strings that is no part of JSON" },
	{ "a zero byte behind", SLICE_INIT("{}\0"),
			"something outside of strings that is no part of JSON" },
	{ "a byte order mark",
			SLICE_INIT("\xef\xbb\xbf"
					   "{}"),
			"something outside of strings that is no part of JSON" },
	{ "deep", SLICE_INIT("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"), "too many brackets in brackets" },
	{ "another version", SLICE_INIT("{\"weir_export\":2}"),
			"it is of a version of exports that this weir does not know" },
	{ "an end of another version", SLICE_INIT("{\"weir_export_end\":\"1\"}"),
			"it is of a version of exports that this weir does not know" },
	{ "an end with half a group", SLICE_INIT("{\"weir_export_end\":1,\"groups\":-1}"),
			"its groups is no number" },

	{ "no labels", SLICE_INIT("{\"families\":[]}"), "there is no grouping label job" },
	{ "labels in a list", SLICE_INIT("{\"labels\":[],\"families\":[]}"),
			"its labels are no object of names and values" },
	{ "no job", SLICE_INIT("{\"labels\":{\"job\":\"\"},\"families\":[]}"),
			"there is no grouping label job" },
	{ "a number for a label", SLICE_INIT("{\"labels\":{\"job\":1},\"families\":[]}"),
			"its label \"job\" is no string" },
	{ "a label twice", SLICE_INIT("{\"labels\":{\"job\":\"a\",\"job\":\"b\"},\"families\":[]}"),
			"its label \"job\" is there twice" },
	{ "no name", SLICE_INIT("{\"labels\":{\"job\":\"a\",\"\":\"b\"},\"families\":[]}"),
			"a label without a name" },
	{ "a reserved name", SLICE_INIT("{\"labels\":{\"job\":\"a\",\"__x\":\"\"},\"families\":[]}"),
			"grouping labels must not begin with __" },
	{ "no families", SLICE_INIT("{\"labels\":{\"job\":\"a\"}}"), "it needs a list of families" },
	{ "a misspelt key", SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"expire\":\"1\",\"families\":[]}"),
			"there is no key \"expire\"" },
	{ "a key twice", SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"families\":[],\"families\":[]}"),
			"there is twice the key \"families\"" },
	{ "a number for a time",
			SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"pushed\":1,\"families\":[]}"),
			"its pushed is no string" },
	{ "a date",
			SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"pushed\":\"2026-11-27\",\"families\":[]}"),
			"its pushed \"2026-11-27\" is no time: Unix seconds with up to nine decimals are" },
	{ "a time before 1970",
			SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"pushed\":\"-1\",\"families\":[]}"),
			"its pushed \"-1\" is no time: Unix seconds with up to nine decimals are" },
	{ "a time that cannot be",
			SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"failed\":\"9223372036.854775808\","
					   "\"families\":[]}"),
			"its failed \"9223372036.854775808\" is no time: Unix seconds with up to nine decimals "
			"are" },
	{ "too many decimals",
			SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"failed\":\"1.0000000001\",\"families\":[]}"),
			"its failed \"1.0000000001\" is no time: Unix seconds with up to nine decimals are" },
	{ "no place", SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"place\":0.5,\"families\":[]}"),
			"its place is none: 0, 1, 2 and so on are" },
	{ "a place too far",
			SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"place\":4294967295,\"families\":[]}"),
			"its place is none: 0, 1, 2 and so on are" },
	{ "no flag", SLICE_INIT("{\"labels\":{\"job\":\"a\"},\"adds\":1,\"families\":[]}"),
			"its adds is neither true nor false" },

	{ "no family", SLICE_INIT(GROUP("1")), "it is no object" },
	{ "a family without a name", SLICE_INIT(GROUP("{}")), "a family without a name" },
	{ "an empty name", SLICE_INIT(GROUP("{\"name\":\"\"}")),
			"family \"\": it is not for a family to be pushed" },
	{ "a computed family", SLICE_INIT(GROUP("{\"name\":\"push_time_seconds\"}")),
			"family \"push_time_seconds\": it is not for a family to be pushed" },
	{ "no type", SLICE_INIT(GROUP("{\"name\":\"m\"}")),
			"family \"m\": its type is none, such as gauge" },
	{ "another type", SLICE_INIT(GROUP("{\"name\":\"m\",\"type\":\"Gauge\"}")),
			"family \"m\": its type \"Gauge\" is none, such as gauge" },
	{ "no time", SLICE_INIT(GROUP("{\"name\":\"m\",\"type\":\"gauge\"}")),
			"family \"m\": it needs the time it was pushed" },
	{ "no samples", SLICE_INIT(GROUP("{\"name\":\"m\",\"type\":\"gauge\",\"pushed\":\"1\"}")),
			"family \"m\": it needs a list of samples" },
	{ "not one sample", SLICE_INIT(GAUGE("")), "family \"m\": it needs a list of samples" },
	{ "a family twice",
			SLICE_INIT(GROUP("{\"name\":\"m\",\"type\":\"gauge\",\"pushed\":\"1\",\"samples\":[{"
							 "\"value\":\"1\"}]},{\"name\":\"m\",\"type\":\"gauge\",\"pushed\":"
							 "\"2\",\"samples\":[{\"value\":\"1\"}]}")),
			"family \"m\": it is there twice" },

	{ "no value", SLICE_INIT(GAUGE("{}")),
			"family \"m\", sample 1: its value is no number in a string" },
	{ "a bare number", SLICE_INIT(GAUGE("{\"value\":1}")),
			"family \"m\", sample 1: its value is no string" },
	{ "no number", SLICE_INIT(GAUGE("{\"value\":\"1\"},{\"value\":\"1 \"}")),
			"family \"m\", sample 2: its value \"1 \" is no number in a string" },
	{ "a line in a value", SLICE_INIT(GAUGE("{\"value\":\"1\\nm 2\"}")),
			"family \"m\", sample 1: its value \"1\\nm 2\" is no number in a string" },
	{ "a bucket of a gauge", SLICE_INIT(GAUGE(BUCKET "}")),
			"family \"m\", sample 1: its suffix \"\" is none of its family's type" },
	{ "an unknown suffix", SLICE_INIT(HISTOGRAM("{\"suffix\":\"_max\",\"value\":\"1\"}")),
			"family \"m\", sample 1: its suffix \"_max\" is none of its family's type" },
	{ "a bucket without a bound", SLICE_INIT(HISTOGRAM("{\"suffix\":\"_bucket\",\"value\":\"1\"}")),
			"family \"m\", sample 1: its le is no number" },
	{ "a long bound",
			SLICE_INIT(FAMILY("summary", "{\"labels\":{\"quantile\":\"0.50\"},\"value\":\"1\"}")),
			"family \"m\", sample 1: its quantile \"0.50\" is not written in the shortest form, "
			"such "
			"as 0.5" },
	{ "a grouping label", SLICE_INIT(GAUGE("{\"labels\":{\"job\":\"x\"},\"value\":\"1\"}")),
			"family \"m\", sample 1: its label \"job\" is a grouping label already" },
	{ "an exemplar of a gauge", SLICE_INIT(GAUGE("{\"value\":\"1\",\"exemplar\":\"{} 1\"}")),
			"family \"m\", sample 1: its exemplar can only be with a counter or a bucket" },
	{ "no exemplar", SLICE_INIT(HISTOGRAM(BUCKET ",\"exemplar\":\"1\"}")),
			"family \"m\", sample 1: its exemplar \"1\" is none, such as {id=\"x\"} 0.5" },
	{ "a time of creation amid", SLICE_INIT(HISTOGRAM(BUCKET ",\"created\":\"1\"}," TOTAL "}")),
			"family \"m\", sample 1: its created can only be with a metric's last sample" },
	{ "no time of creation", SLICE_INIT(HISTOGRAM(TOTAL ",\"created\":\"NaN\"}")),
			"family \"m\", sample 1: its created \"NaN\" is no time" },
	{ "no base64", SLICE_INIT(HISTOGRAM(TOTAL ",\"native\":\"AB=C\"}")),
			"family \"m\", sample 1: its native is no base64" },
	{ "base64 without padding", SLICE_INIT(HISTOGRAM(TOTAL ",\"native\":\"IQ\"}")),
			"family \"m\", sample 1: its native is no base64" },
	{ "base64 with more bits", SLICE_INIT(HISTOGRAM(TOTAL ",\"native\":\"IR==\"}")),
			"family \"m\", sample 1: its native is no base64" },
	{ "no native histogram", SLICE_INIT(HISTOGRAM(TOTAL ",\"native\":\"AAAA\"}")),
			"family \"m\", sample 1: its native is no native histogram of that count" },
	{ "native at a bucket", SLICE_INIT(HISTOGRAM(BUCKET ",\"native\":\"IQAAAAAAAPA/CAE=\"}")),
			"family \"m\", sample 1: its native can only be with a histogram's last sample" },
	{ "an added sum", SLICE_INIT(HISTOGRAM("{\"suffix\":\"_sum\",\"value\":\"1\",\"added\":true}")),
			"family \"m\", sample 1: its added can only be with a bucket" },
	{ "a metric in two places",
			SLICE_INIT(HISTOGRAM(BUCKET "},{\"suffix\":\"_count\",\"labels\":{\"a\":\"b\"},"
										"\"value\":\"1\"}," TOTAL "}")),
			"family \"m\", sample 3: it is not beside the other samples of its metric" },
};

static void test_cases(void)
{
	struct arena arena;
	hash_init();
	arena_init(&arena);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct line line;
		struct line_error error = { 0 };
		bool is_read = line_read(cases[i].text, &arena, &line, &error);
		if (is_read != (cases[i].fault == NULL)) {
			fprintf(stderr, "in \"%s\": " SLICE_FMT "\n", cases[i].what, SLICE_ARG(error.what));
		}
		CHECK(is_read == (cases[i].fault == NULL));
		if (!is_read && cases[i].fault != NULL) {
			CHECK_STRING(error.what, cases[i].fault);
		}
		arena_reset(&arena);
	}
	arena_finish(&arena);
}

/* Who is meant is said even when something behind it is wrong. */
static void test_key_of_fault(void)
{
	struct arena arena;
	struct line line;
	struct line_error error;
	arena_init(&arena);
	CHECK(!line_read(
			SLICE("{\"families\":1,\"labels\":{\"job\":\"a\\\"b\"}}"), &arena, &line, &error));
	CHECK_STRING(error.labels, "instance=\"\",job=\"a\\\"b\"");
	arena_finish(&arena);
}

int main(void)
{
	RUN(test_round_trip);
	RUN(test_order);
	RUN(test_places_are_limited);
	RUN(test_zeros);
	RUN(test_exports_at_once);
	RUN(test_export_while_promoted);
	RUN(test_lives);
	RUN(test_shadowed);
	RUN(test_all_or_nothing);
	RUN(test_cases);
	RUN(test_key_of_fault);
	return check_done();
}
