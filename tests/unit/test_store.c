/*
 * What pushes, deletes, wipes, failures and expiry do to what is stored.
 */

#include "unit/store_scenario.h"

#define J "{instance=\"\",job=\"j\"}"
#define I "{instance=\"i\",job=\"j\"}"

static const struct store_scenario scenarios[] = {
	/* ---- Ways in ---- */
	{ "a put stores", { { "put", "job=j", "m 1\n# HELP n Help.\n# TYPE n gauge\nn{a=\"b\"} 2\n" } },
			"# TYPE m untyped\nm" J " 1\n# HELP n Help.\n# TYPE n gauge\n"
			"n{a=\"b\",instance=\"\",job=\"j\"} 2\n",
			0 },
	{ "a put drops what it does not bring",
			{ { "put", "job=j", "m 1\nn 2\n" }, { "put", "job=j", "n 3\no 4\n" } },
			"# TYPE n untyped\nn" J " 3\n# TYPE o untyped\no" J " 4\n", 0 },
	{ "an empty put empties the group", { { "put", "job=j", "m 1\n" }, { "put", "job=j", "" } }, "",
			0 },
	{ "a post keeps other families",
			{ { "put", "job=j", "m 1\nn 2\n" }, { "post", "job=j", "n 3\no 4\n" } },
			"# TYPE m untyped\nm" J " 1\n# TYPE n untyped\nn" J " 3\n# TYPE o untyped\no" J " 4\n",
			0 },
	{ "a post replaces whole families",
			{ { "post", "job=j", "n{x=\"1\"} 1\nn{x=\"2\"} 2\n" },
					{ "post", "job=j", "n{x=\"3\"} 3\n" } },
			"# TYPE n untyped\nn{instance=\"\",job=\"j\",x=\"3\"} 3\n", 0 },
	{ "an empty post changes nothing", { { "put", "job=j", "m 1\n" }, { "post", "job=j", "" } },
			"# TYPE m untyped\nm" J " 1\n", 0 },
	{ "a delete takes the exact group",
			{ { "put", "job=j", "m 1\n" }, { "put", "job=j,instance=i", "m 2\n" },
					{ "delete", "job=j", "" } },
			"# TYPE m untyped\nm" I " 2\n", 0 },
	{ "a delete of nothing is fine", { { "put", "job=j", "m 1\n" }, { "delete", "job=j,a=", "" } },
			"# TYPE m untyped\nm" J " 1\n", 0 },
	{ "deleted, then put again",
			{ { "put", "job=j", "m 1\n" }, { "delete", "job=j", "" }, { "put", "job=j", "n 1\n" } },
			"# TYPE n untyped\nn" J " 1\n", 0 },
	{ "a wipe takes all",
			{ { "put", "job=j", "m 1\n" }, { "put", "job=k", "m 1\n" }, { "wipe", "", "" } }, "",
			0 },
	{ "wiped, then put with another type",
			{ { "put", "job=j", "# TYPE m gauge\nm 1\n" }, { "wipe", "", "" },
					{ "put", "job=k", "# TYPE m counter\nm 1\n" } },
			"# TYPE m counter\nm{instance=\"\",job=\"k\"} 1\n", 0 },
	{ "computed families are left out",
			{ { "put", "job=j",
					"# TYPE push_time_seconds histogram\npush_time_seconds_count 3\nm 1\n" } },
			"# TYPE m untyped\nm" J " 1\n", 0 },

	/* ---- Labels ---- */
	{ "grouping labels overwrite", { { "put", "job=j", "m{job=\"other\",instance=\"i\"} 1\n" } },
			"# TYPE m untyped\nm" I " 1\n", 0 },
	{ "an empty grouping label overwrites, too", { { "put", "job=j,a=", "m{a=\"b\"} 1\n" } },
			"# TYPE m untyped\nm{a=\"\",instance=\"\",job=\"j\"} 1\n", 0 },
	{ "labels are sorted", { { "put", "job=j,z=1,A=2", "m{k=\"3\",b=\"4\"} 1\n" } },
			"# TYPE m untyped\nm{A=\"2\",b=\"4\",instance=\"\",job=\"j\",k=\"3\",z=\"1\"} 1\n", 0 },
	{ "two samples that become one", { { "put!", "job=j", "m{job=\"a\"} 1\nm{job=\"b\"} 2\n" } },
			"", 0 },
	{ "an empty label is no label", { { "put!", "job=j", "m 1\nm{x=\"\"} 2\n" } }, "", 0 },
	{ "reserved label names", { { "put!", "job=j", "m{__a=\"1\"} 1\n" } }, "", 0 },
	{ "timestamps", { { "put!", "job=j", "m 1 1000\n" } }, "", 0 },
	{ "le in the key of a histogram",
			{ { "put!", "job=j,le=1", "# TYPE h histogram\nh_count 1\n" } }, "", 0 },
	{ "quantile in the key of a summary",
			{ { "put!", "job=j,quantile=1", "# TYPE s summary\ns_count 1\n" } }, "", 0 },
	{ "le in the key of a gauge", { { "put", "job=j,le=1", "m 1\n" } },
			"# TYPE m untyped\nm{instance=\"\",job=\"j\",le=\"1\"} 1\n", 0 },
	{ "equal buckets",
			{ { "put!", "job=j",
					"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\n" } },
			"", 0 },

	/* ---- Help ---- */
	{ "the smallest help is exposed",
			{ { "put", "job=j", "# HELP m b\nm 1\n" }, { "put", "job=k", "# HELP m a\nm 1\n" },
					{ "put", "job=l", "m 1\n" } },
			"# HELP m a\n# TYPE m untyped\nm" J " 1\nm{instance=\"\",job=\"k\"} 1\n"
			"m{instance=\"\",job=\"l\"} 1\n",
			0 },
	{ "the next when it goes",
			{ { "put", "job=j", "# HELP m b\nm 1\n" }, { "put", "job=k", "# HELP m a\nm 1\n" },
					{ "post", "job=k", "# HELP m c\nm 2\n" } },
			"# HELP m b\n# TYPE m untyped\nm" J " 1\nm{instance=\"\",job=\"k\"} 2\n", 0 },
	{ "none when none is left",
			{ { "put", "job=j", "m 1\n" }, { "put", "job=k", "# HELP m a\nm 1\n" },
					{ "delete", "job=k", "" } },
			"# TYPE m untyped\nm" J " 1\n", 0 },
};

static void test_scenarios(void)
{
	store_scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), true);
}

/* ---- Push times ---- */

static void test_push_times(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	d.now_ns = 1795161065494962249 - 1000000000;
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "m 1\n"), PUSH_OK);
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds" J " 0\npush_time_seconds" J " 1795161065.494962\n");
	/* A failure keeps the last success, and a success the last failure. */
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "m 1 1\n"), PUSH_E_INCONSISTENT);
	struct group_key key = store_driver_key(&d, "job=j");
	CHECK_INT(store_record_failure(
					  &d.store, &key, &(struct store_job_limits){ 0 }, 1795161067000000000, 0),
			STORE_RECORD_OK);
	CHECK_INT(store_driver_push(&d, STORE_POST, "job=j", ""), PUSH_OK);
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds" J " 1795161067.000000\n"
			"push_time_seconds" J " 1795161066.494962\n");
	store_driver_finish(&d);
}

static void test_failures_make_groups(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	struct group_key key = store_driver_key(&d, "job=j,a=b");
	struct group_key twin = store_driver_key(&d, "job=j,a=b,instance=");
	CHECK_INT(store_record_failure(&d.store, &key, &(struct store_job_limits){ 0 }, 5000000000, 0),
			STORE_RECORD_OK);
	CHECK_INT(store_record_failure(&d.store, &twin, &(struct store_job_limits){ 0 }, 6000000000, 0),
			STORE_RECORD_E_IMPOSSIBLE);
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds{a=\"b\",instance=\"\",job=\"j\"} 5.000000\n"
			"push_time_seconds{a=\"b\",instance=\"\",job=\"j\"} 0\n");
	CHECK_INT(d.store.contents->group_count, 1);
	store_driver_delete(&d, "job=j,a=b");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* ---- Expiry ---- */

static void test_expiry(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	CHECK_INT(store_expire(&d.store, INT64_MAX, 100), 0);
	store_driver_push_until(&d, STORE_PUT, "job=a", "m 1\n", 300);
	store_driver_push_until(&d, STORE_PUT, "job=b", "m 1\n", 100);
	store_driver_push_until(&d, STORE_PUT, "job=c", "m 1\n", 0);
	store_driver_push_until(&d, STORE_PUT, "job=d", "m 1\n", 100);
	CHECK_INT(store_expire(&d.store, 99, 100), 100);
	CHECK_INT(d.store.contents->group_count, 4);
	CHECK_INT(store_expire(&d.store, 100, 1), 100);
	CHECK_INT(d.store.contents->group_count, 3);
	CHECK_INT(store_expire(&d.store, 100, 100), 300);
	CHECK(store_driver_find(&d, "job=b") == NULL && store_driver_find(&d, "job=d") == NULL);
	/* A good push sets the deadline anew, a failed one does not. */
	store_driver_push_until(&d, STORE_POST, "job=a", "n 1\n", 500);
	store_driver_push_until(&d, STORE_POST, "job=a", "n 1 1\n", 900);
	CHECK_INT(store_expire(&d.store, 499, 100), 500);
	store_driver_push_until(&d, STORE_POST, "job=a", "", 0);
	CHECK_INT(store_expire(&d.store, INT64_MAX, 100), 0);
	CHECK_INT(d.store.counters.expired_groups, 2);
	CHECK_STRING(store_driver_page(&d),
			"# TYPE m untyped\nm{instance=\"\",job=\"a\"} 1\nm{instance=\"\",job=\"c\"} 1\n"
			"# TYPE n untyped\nn{instance=\"\",job=\"a\"} 1\n");
	store_driver_finish(&d);
}

/* ---- Changes ---- */

static void test_changes_are_reported(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	store_driver_push_until(&d, STORE_PUT, "job=a", "m 1\n", 100);
	store_driver_push(&d, STORE_POST, "job=b", "m 1\n");
	store_driver_push(&d, STORE_POST, "job=b", "m 1 1\n");
	store_driver_push(&d, STORE_POST, "job=b,a=", "m 1\n");
	store_driver_delete(&d, "job=c");
	store_driver_delete(&d, "job=b");
	store_expire(&d.store, 100, 100);
	store_wipe(&d.store);
	CHECK_STRING(buf_slice(&d.log),
			"1 put instance=\"\",job=\"a\"\n"
			"2 post instance=\"\",job=\"b\"\n"
			"3 failure instance=\"\",job=\"b\"\n"
			"4 delete instance=\"\",job=\"b\"\n"
			"5 expire instance=\"\",job=\"a\"\n"
			"6 wipe\n");
	store_driver_finish(&d);
}

/* ---- Limits ---- */

static void test_limits(void)
{
	static const struct {
		const char *name;
		struct store_limits limits;
		const char *key;
		const char *body;
		enum push_result result;
		enum store_limit limit;
	} cases[] = {
		{ "one group more", { .groups = 1 }, "job=k", "m 1\n", PUSH_E_LIMIT, STORE_LIMIT_GROUPS },
		{ "a group that is there", { .groups = 1 }, "job=j", "m 1\n", PUSH_OK, 0 },
		{ "a series more", { .series = 2 }, "job=j", "c 1\n", PUSH_E_LIMIT, STORE_LIMIT_SERIES },
		{ "a series instead", { .series = 2 }, "job=j", "a 2\n", PUSH_OK, 0 },
		{ "a series in another group", { .series = 2 }, "job=k", "a 2\n", PUSH_E_LIMIT,
				STORE_LIMIT_SERIES },
		{ "just as many", { .series = 3 }, "job=k", "a 2\n", PUSH_OK, 0 },
		{ "more in the group", { .series_per_group = 2 }, "job=j", "c 1\n", PUSH_E_LIMIT,
				STORE_LIMIT_SERIES_PER_GROUP },
		{ "another group has its own", { .series_per_group = 2 }, "job=k", "c 1\nd 1\n", PUSH_OK,
				0 },
		{ "one set of label names", { .label_sets = 1 }, "job=k", "a 1\n", PUSH_OK, 0 },
		{ "another set in the same family", { .label_sets = 1 }, "job=k,x=y", "a 1\n", PUSH_E_LIMIT,
				STORE_LIMIT_LABEL_SETS },
		{ "another set in another family", { .label_sets = 1 }, "job=k,x=y", "c 1\n", PUSH_OK, 0 },
		{ "an empty label makes no other set", { .label_sets = 1 }, "job=k,x=", "a 1\n", PUSH_OK,
				0 },
		{ "two sets", { .label_sets = 2 }, "job=k,x=y", "a 1\n", PUSH_OK, 0 },
		{ "more bytes", { .bytes = 4000 }, "job=k",
				"m{long=\""
				"0123456789012345678901234567890123456789012345678901234567890123456789\"} 1\n",
				PUSH_OK, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_options options = { .limits = cases[i].limits, .is_checked = true };
		struct store_driver d;
		int failures = check_failures;
		store_driver_init(&d, &options);
		CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "a 1\nb 1\n"), PUSH_OK);
		struct slice before = store_driver_page(&d);
		CHECK_INT(store_driver_push(&d, STORE_POST, cases[i].key, cases[i].body), cases[i].result);
		if (cases[i].result == PUSH_E_LIMIT) {
			CHECK_INT(d.limit, cases[i].limit);
			CHECK_INT(d.store.counters.refused[cases[i].limit], 1);
			CHECK_SLICE(store_driver_page(&d), before);
		}
		if (failures != check_failures) {
			fprintf(stderr, "in \"%s\"\n", cases[i].name);
		}
		store_driver_finish(&d);
	}
}

static void test_put_may_exchange_all_series(void)
{
	struct store_options options = { .limits = { .series = 2, .series_per_group = 2 },
		.is_checked = true };
	struct store_driver d;
	store_driver_init(&d, &options);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "a 1\nb 1\n"), PUSH_OK);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "c 1\nd 1\n"), PUSH_OK);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "c 1\nd 1\ne 1\n"), PUSH_E_LIMIT);
	CHECK_INT(d.store.contents->series, 2);
	store_driver_finish(&d);
}

static void test_bytes_are_limited(void)
{
	struct store_options options = { .limits = { .bytes = 20000 }, .is_checked = true };
	struct store_driver d;
	store_driver_init(&d, &options);
	int stored = 0;
	for (int i = 0; i < 1000; i++) {
		char key[32];
		snprintf(key, sizeof(key), "job=%d", i);
		stored += store_driver_push(&d, STORE_PUT, key, "metric_with_a_name 1\n") == PUSH_OK;
	}
	CHECK(stored > 20 && stored < 300);
	CHECK(d.store.contents->bytes <= 20000);
	/* What is there can still be exchanged. */
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=0", "metric_with_a_name 2\n"), PUSH_OK);
	CHECK_INT(d.store.counters.refused[STORE_LIMIT_BYTES], 1000 - stored);
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_scenarios);
	RUN(test_push_times);
	RUN(test_failures_make_groups);
	RUN(test_expiry);
	RUN(test_changes_are_reported);
	RUN(test_limits);
	RUN(test_put_may_exchange_all_series);
	RUN(test_bytes_are_limited);
	return check_done();
}
