/*
 * Without the consistency check nothing is refused: what contradicts is kept
 * aside, and exposed when what it contradicts is gone.
 */

#include "unit/store_scenario.h"

#define A "{instance=\"\",job=\"a\"}"
#define B "{instance=\"\",job=\"b\"}"
#define C "{instance=\"\",job=\"c\"}"

static const struct store_scenario scenarios[] = {
	{ "without contradictions", { { "put", "job=a", "m 1\n" }, { "put", "job=b", "m 2\n" } },
			"# TYPE m untyped\nm" A " 1\nm" B " 2\n", 0 },
	{ "types: the first wins",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# TYPE m counter\nm 2\nn 2\n" } },
			"# TYPE m gauge\nm" A " 1\n# TYPE n untyped\nn" B " 2\n", 1 },
	{ "promoted by a delete",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# TYPE m counter\nm 2\n" }, { "delete", "job=a", "" } },
			"# TYPE m counter\nm" B " 2\n", 0 },
	{ "promoted by an empty put",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# TYPE m counter\nm 2\n" }, { "put", "job=a", "" } },
			"# TYPE m counter\nm" B " 2\n", 0 },
	{ "promoted by a change of type",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# TYPE m counter\nm 2\n" },
					{ "post", "job=a", "# TYPE m counter\nm 3\n" } },
			"# TYPE m counter\nm" A " 3\nm" B " 2\n", 0 },
	{ "a shadowed group may change its mind",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# TYPE m counter\nm 2\n" },
					{ "put", "job=b", "# TYPE m gauge\nm 3\n" } },
			"# TYPE m gauge\nm" A " 1\nm" B " 3\n", 0 },
	{ "a shadowed group may go",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# TYPE m counter\nm 2\n" }, { "delete", "job=b", "" } },
			"# TYPE m gauge\nm" A " 1\n", 0 },
	{ "of those that wait, the oldest comes first",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=c", "# TYPE m counter\nm 3\n" },
					{ "put", "job=b", "# TYPE m histogram\nm_count 2\n" },
					{ "delete", "job=a", "" } },
			"# TYPE m counter\nm" C " 3\n", 1 },
	{ "all that agree are promoted together",
			{ { "put", "job=a", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# TYPE m counter\nm 2\n" },
					{ "put", "job=c", "# TYPE m counter\nm 3\n" }, { "delete", "job=a", "" } },
			"# TYPE m counter\nm" B " 2\nm" C " 3\n", 0 },
	{ "suffixes: the first wins",
			{ { "put", "job=a", "# TYPE h histogram\nh_count 1\n" },
					{ "put", "job=b", "h_sum 1\n" } },
			"# TYPE h histogram\nh_bucket{instance=\"\",job=\"a\",le=\"+Inf\"} 1\nh_sum" A
			" 0\nh_count" A " 1\n",
			1 },
	{ "suffixes: promoted by a change of type",
			{ { "put", "job=a", "# TYPE h histogram\nh_count 1\n" },
					{ "put", "job=b", "h_sum 1\n" }, { "put", "job=a", "# TYPE h gauge\nh 1\n" } },
			"# TYPE h gauge\nh" A " 1\n# TYPE h_sum untyped\nh_sum" B " 1\n", 0 },
	{ "suffixes in one push: one of both is exposed",
			{ { "put", "job=a", "h_sum 1\n# TYPE h histogram\nh_count 1\n" } },
			"# TYPE h histogram\nh_bucket{instance=\"\",job=\"a\",le=\"+Inf\"} 1\nh_sum" A
			" 0\nh_count" A " 1\n",
			1 },
	{ "a claim that is shadowed itself",
			{ { "put", "job=b", "# TYPE h summary\nh_count 1\n" },
					{ "put", "job=a", "h_sum 1\n# TYPE h gauge\nh 1\n" } },
			"# TYPE h summary\nh_sum" B " 0\nh_count" B " 1\n", 2 },
	{ "series of another shape",
			{ { "put", "job=a", "m{instance=\"i\"} 1\n" }, { "put", "job=a,instance=i", "m 2\n" } },
			"# TYPE m untyped\nm{instance=\"i\",job=\"a\"} 1\n", 1 },
	{ "series of another shape, promoted",
			{ { "put", "job=a", "m{instance=\"i\"} 1\n" }, { "put", "job=a,instance=i", "m 2\n" },
					{ "put", "job=a", "m 1\n" } },
			"# TYPE m untyped\nm" A " 1\nm{instance=\"i\",job=\"a\"} 2\n", 0 },
	{ "series within one family", { { "put", "job=a", "m 1\nm 2\nn 1\n" } },
			"# TYPE n untyped\nn" A " 1\n", 1 },
	{ "never valid: it stays where it is",
			{ { "put", "job=a", "m 1\nm 2\n" }, { "put", "job=b", "m 1\n" },
					{ "delete", "job=b", "" } },
			"", 1 },
	{ "equal buckets",
			{ { "put", "job=a",
					"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\n" } },
			"", 1 },
	{ "a reserved label", { { "put", "job=a", "m{__a=\"1\"} 1\nn 1\n" } },
			"# TYPE n untyped\nn" A " 1\n", 1 },
	{ "le in the key", { { "put", "job=a,le=1", "# TYPE h histogram\nh_count 1\n" } }, "", 1 },
	{ "a declared type", { { "put", "job=a", "# TYPE go_threads counter\ngo_threads 1\n" } }, "",
			1 },
	{ "a declared help is shown whatever was pushed",
			{ { "put", "job=a", "# TYPE own_requests counter\nown_requests 1\n" } },
			"# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests" A " 1\n",
			0 },
	{ "help of a shadowed block is not exposed",
			{ { "put", "job=a", "# HELP m b\n# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# HELP m a\n# TYPE m counter\nm 2\n" } },
			"# HELP m b\n# TYPE m gauge\nm" A " 1\n", 1 },
	{ "nor hidden when it is promoted",
			{ { "put", "job=a", "# HELP m b\n# TYPE m gauge\nm 1\n" },
					{ "put", "job=b", "# HELP m a\n# TYPE m counter\nm 2\n" },
					{ "delete", "job=a", "" } },
			"# HELP m a\n# TYPE m counter\nm" B " 2\n", 0 },

	/* ---- Twins ---- */
	{ "a twin's series", { { "put", "job=a", "m 1\n" }, { "put", "job=a,instance=", "m 2\n" } },
			"# TYPE m untyped\nm" A " 1\n", 1 },
	{ "a twin's other series",
			{ { "put", "job=a", "m 1\n" }, { "put", "job=a,instance=", "n 2\nm{x=\"1\"} 3\n" } },
			"# TYPE m untyped\nm" A " 1\nm{instance=\"\",job=\"a\",x=\"1\"} 3\n"
			"# TYPE n untyped\nn" A " 2\n",
			0 },
	{ "a twin takes over",
			{ { "put", "job=a", "m 1\n" }, { "put", "job=a,instance=", "m 2\n" },
					{ "delete", "job=a", "" } },
			"# TYPE m untyped\nm" A " 2\n", 0 },
	{ "three of a kind",
			{ { "put", "job=a", "m 1\n" }, { "put", "job=a,instance=", "m 2\n" },
					{ "put", "job=a,z=", "m 3\n" }, { "delete", "job=a", "" } },
			"# TYPE m untyped\nm" A " 2\n", 1 },
	{ "a twin's series, already there",
			{ { "put", "job=a", "n 1\n" }, { "put", "job=a,instance=", "m 2\n" },
					{ "put", "job=a", "m 1\n" } },
			"# TYPE m untyped\nm" A " 2\n", 1 },
};

static void test_scenarios(void)
{
	store_scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), false);
}

/* Timestamps are refused even so. */
static void test_timestamps(void)
{
	struct store_driver d;
	store_driver_init_unchecked(&d);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=a", "m 1 1\n"), PUSH_E_INCONSISTENT);
	CHECK_STRING(d.fault, "pushed metrics must not have timestamps");
	CHECK(d.leaves_trace);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=b", "m 1\nm 1 1\n"), PUSH_E_INCONSISTENT);
	CHECK_STRING(store_driver_page(&d), "");
	CHECK_INT(d.store.contents->group_count, 2);
	store_driver_finish(&d);
}

/* Only one of several twins shows its times. */
static void test_times_of_twins(void)
{
	struct store_driver d;
	store_driver_init_unchecked(&d);
	d.now_ns = 0;
	store_driver_push(&d, STORE_PUT, "job=a", "");
	store_driver_push(&d, STORE_PUT, "job=a,instance=", "");
	store_driver_push(&d, STORE_PUT, "job=a,z=", "");
	CHECK_INT(d.store.contents->shadowed_groups, 2);
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds" A " 0\npush_time_seconds" A " 1.000000\n");
	store_driver_delete(&d, "job=a,instance=");
	store_driver_delete(&d, "job=a");
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds{instance=\"\",job=\"a\",z=\"\"} 0\n"
			"push_time_seconds{instance=\"\",job=\"a\",z=\"\"} 3.000000\n");
	store_driver_delete(&d, "job=a,z=");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* More wait than are looked through at once. */
static void test_many_are_promoted(void)
{
	enum { MANY = 1000 };
	struct store_driver d;
	char key[32];
	store_driver_init_unchecked(&d);
	store_driver_push(&d, STORE_PUT, "job=first", "# TYPE m gauge\nm 1\n");
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "job=%d", i);
		store_driver_push(&d, STORE_PUT, key, "# TYPE m counter\nm 1\n");
	}
	CHECK_INT(d.store.contents->shadowed_blocks, MANY);
	struct page page;
	struct buf text;
	buf_init(&text, 0);
	struct slice before = store_driver_whole_page(&d, NULL);
	CHECK(page_init(&page, &d.store, &(struct page_options){ 0 }));
	store_driver_delete(&d, "job=first");
	for (int i = 0; i < 1000 && d.store.contents->shadowed_blocks > 0; i++) {
		store_tidy(&d.store);
	}
	CHECK_INT(d.store.contents->shadowed_blocks, 0);
	while (store_driver_page_next(&page, &text)) {
	}
	CHECK(slice_equal(buf_slice(&text), before));
	page_finish(&page);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "job=%d", i);
		store_driver_delete(&d, key);
	}
	store_driver_check_empty(&d);
	store_driver_finish(&d);
	buf_finish(&text);
}

static void test_splice_of_shadowed(void)
{
	struct store_driver d;
	store_driver_init_unchecked(&d);
	store_driver_push(&d, STORE_PUT, "job=a", "# TYPE m gauge\nm 1\n");
	store_driver_push(&d, STORE_PUT, "job=b", "# TYPE m counter\nm 2\n");
	CHECK(store_driver_splice(&d, STORE_PUT, "job=b", "# TYPE m counter\nm 3\n"));
	CHECK_STRING(store_driver_page(&d), "# TYPE m gauge\nm" A " 1\n");
	store_driver_delete(&d, "job=a");
	CHECK_STRING(store_driver_page(&d), "# TYPE m counter\nm" B " 3\n");
	CHECK(store_driver_splice(&d, STORE_PUT, "job=b", "# TYPE m counter\nm 4\n"));
	CHECK_STRING(store_driver_page(&d), "# TYPE m counter\nm" B " 4\n");
	store_driver_delete(&d, "job=b");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_scenarios);
	RUN(test_timestamps);
	RUN(test_times_of_twins);
	RUN(test_many_are_promoted);
	RUN(test_splice_of_shadowed);
	return check_done();
}
