/*
 * What may stand beside what: the consistency check, from push to page, and
 * what it says.
 */

#include "unit/store_scenario.h"

#define J "{instance=\"\",job=\"j\"}"
#define I "{instance=\"i\",job=\"j\"}"

static const struct store_scenario scenarios[] = {
	/* ---- A refused push changes nothing ---- */
	{ "a refused put removes nothing",
			{ { "put", "job=j", "m 1\n" }, { "put!", "job=j", "n 1\nn 2\n" } },
			"# TYPE m untyped\nm" J " 1\n", 0 },
	{ "one bad family refuses all",
			{ { "put", "job=k", "# TYPE n gauge\nn 1\n" },
					{ "post!", "job=j", "m 1\n# TYPE n counter\nn 1\n" } },
			"# TYPE n gauge\nn{instance=\"\",job=\"k\"} 1\n", 0 },
	{ "one bad family refuses all, whatever the order",
			{ { "put", "job=k", "# TYPE n gauge\nn 1\n" },
					{ "post!", "job=j", "# TYPE n counter\nn 1\nm 1\n" } },
			"# TYPE n gauge\nn{instance=\"\",job=\"k\"} 1\n", 0 },

	/* ---- Types ---- */
	{ "another group's type counts",
			{ { "put", "job=j", "# TYPE m gauge\nm 1\n" },
					{ "put!", "job=k", "# TYPE m counter\nm 1\n" } },
			"# TYPE m gauge\nm" J " 1\n", 0 },
	{ "untyped is a type, too",
			{ { "put", "job=j", "m 1\n" }, { "put!", "job=k", "# TYPE m gauge\nm 1\n" } },
			"# TYPE m untyped\nm" J " 1\n", 0 },
	{ "a group changes the type of its own family",
			{ { "put", "job=j", "# TYPE m gauge\nm 1\n" },
					{ "post", "job=j", "# TYPE m counter\nm 2\n" } },
			"# TYPE m counter\nm" J " 2\n", 0 },
	{ "not while another has it",
			{ { "put", "job=j", "# TYPE m gauge\nm 1\n" },
					{ "put", "job=k", "# TYPE m gauge\nm 1\n" },
					{ "put!", "job=j", "# TYPE m counter\nm 2\n" } },
			"# TYPE m gauge\nm" J " 1\nm{instance=\"\",job=\"k\"} 1\n", 0 },
	{ "the type is free when its last group is gone",
			{ { "put", "job=j", "# TYPE m gauge\nm 1\n" }, { "put", "job=j", "" },
					{ "put", "job=k", "# TYPE m counter\nm 2\n" } },
			"# TYPE m counter\nm{instance=\"\",job=\"k\"} 2\n", 0 },
	{ "histograms and gauge histograms agree",
			{ { "put", "job=j", "# TYPE h histogram\nh_count 1\n" },
					{ "put", "job=k", "# TYPE h gaugehistogram\nh_count 2\n" } },
			"# TYPE h histogram\n"
			"h_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 1\nh_sum" J " 0\nh_count" J " 1\n"
			"h_bucket{instance=\"\",job=\"k\",le=\"+Inf\"} 2\nh_sum{instance=\"\",job=\"k\"} 0\n"
			"h_count{instance=\"\",job=\"k\"} 2\n",
			0 },
	{ "a declared type", { { "put!", "job=j", "# TYPE go_threads counter\ngo_threads 1\n" } }, "",
			0 },
	{ "a declared type that agrees",
			{ { "put", "job=j", "# TYPE go_threads gauge\ngo_threads 1\n" } },
			"# TYPE go_threads gauge\ngo_threads" J " 1\n", 0 },
	{ "a declared help", { { "put!", "job=j", "# TYPE own_requests counter\nown_requests 1\n" } },
			"", 0 },
	{ "a declared help that agrees",
			{ { "put", "job=j",
					"# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests "
					"1\n" } },
			"# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests" J " 1\n",
			0 },

	/* ---- _count, _sum, _bucket ---- */
	{ "a count beside a histogram of another",
			{ { "put", "job=j", "# TYPE h histogram\nh_count 1\n" },
					{ "put!", "job=k", "h_count 1\n" } },
			"# TYPE h histogram\n"
			"h_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 1\nh_sum" J " 0\nh_count" J " 1\n",
			0 },
	{ "a histogram beside a count of another",
			{ { "put", "job=k", "h_count 1\n" },
					{ "put!", "job=j", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n" } },
			"# TYPE h_count untyped\nh_count{instance=\"\",job=\"k\"} 1\n", 0 },
	{ "a summary beside a sum",
			{ { "put", "job=k", "s_sum 1\n" },
					{ "put!", "job=j", "# TYPE s summary\ns_count 1\n" } },
			"# TYPE s_sum untyped\ns_sum{instance=\"\",job=\"k\"} 1\n", 0 },
	{ "a summary has no buckets",
			{ { "put", "job=k", "s_bucket 1\n" },
					{ "put", "job=j", "# TYPE s summary\ns_count 1\n" } },
			"# TYPE s summary\ns_sum" J " 0\ns_count" J " 1\n"
			"# TYPE s_bucket untyped\ns_bucket{instance=\"\",job=\"k\"} 1\n",
			0 },
	{ "a gauge has neither",
			{ { "put", "job=k", "g_count 1\n" }, { "put", "job=j", "# TYPE g gauge\ng 1\n" } },
			"# TYPE g gauge\ng" J
			" 1\n# TYPE g_count untyped\ng_count{instance=\"\",job=\"k\"} 1\n",
			0 },
	{ "within one push",
			{ { "put!", "job=j", "h_sum 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\n" } }, "", 0 },
	{ "with what a post keeps",
			{ { "put", "job=j", "h_sum 1\n" },
					{ "post!", "job=j", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n" } },
			"# TYPE h_sum untyped\nh_sum" J " 1\n", 0 },
	{ "not with what a put drops",
			{ { "put", "job=j", "h_sum 1\n" },
					{ "put", "job=j", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n" } },
			"# TYPE h histogram\nh_bucket{instance=\"\",job=\"j\",le=\"1\"} 1\n"
			"h_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 0\nh_sum" J " 0\nh_count" J " 0\n",
			0 },
	{ "a type change makes a clash",
			{ { "put", "job=j", "# TYPE h gauge\nh 1\nh_sum 1\n" },
					{ "post!", "job=j", "# TYPE h summary\nh{quantile=\"1\"} 1\n" } },
			"# TYPE h gauge\nh" J " 1\n# TYPE h_sum untyped\nh_sum" J " 1\n", 0 },
	{ "a type change ends a clash",
			{ { "put", "job=j", "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n" },
					{ "post", "job=j", "h_sum 1\n# TYPE h gauge\nh 1\n" } },
			"# TYPE h gauge\nh" J " 1\n# TYPE h_sum untyped\nh_sum" J " 1\n", 0 },
	{ "a histogram's wider suffixes",
			{ { "put", "job=j", "# TYPE h summary\nh_count 1\n" },
					{ "post", "job=k", "h_bucket 1\n" },
					{ "post!", "job=j", "# TYPE h histogram\nh_count 1\n" } },
			"# TYPE h summary\nh_sum" J " 0\nh_count" J " 1\n"
			"# TYPE h_bucket untyped\nh_bucket{instance=\"\",job=\"k\"} 1\n",
			0 },

	/* ---- The same series from groups of other shapes ---- */
	{ "a body label that is another group's key",
			{ { "put", "job=j", "m{instance=\"i\"} 1\n" },
					{ "put!", "job=j,instance=i", "m 2\n" } },
			"# TYPE m untyped\nm" I " 1\n", 0 },
	{ "the other way round",
			{ { "put", "job=j,instance=i", "m 2\n" },
					{ "put!", "job=j", "m{instance=\"i\"} 1\n" } },
			"# TYPE m untyped\nm" I " 2\n", 0 },
	{ "neither shape contains the other",
			{ { "put", "job=j,a=1", "m{b=\"2\"} 1\n" }, { "put!", "job=j,b=2", "m{a=\"1\"} 2\n" } },
			"# TYPE m untyped\nm{a=\"1\",b=\"2\",instance=\"\",job=\"j\"} 1\n", 0 },
	{ "one of many lines",
			{ { "put", "job=j,a=1", "m{b=\"1\"} 1\nm{b=\"2\"} 1\nm{b=\"3\"} 1\n" },
					{ "put!", "job=j,b=2", "m{a=\"0\"} 2\nm{a=\"1\"} 2\n" } },
			"# TYPE m untyped\nm{a=\"1\",b=\"1\",instance=\"\",job=\"j\"} 1\n"
			"m{a=\"1\",b=\"2\",instance=\"\",job=\"j\"} 1\n"
			"m{a=\"1\",b=\"3\",instance=\"\",job=\"j\"} 1\n",
			0 },
	{ "the same key in part, but another series",
			{ { "put", "job=j,a=1", "m{b=\"2\",c=\"3\"} 1\n" },
					{ "put", "job=j,b=2", "m{a=\"1\"} 2\n" } },
			"# TYPE m untyped\nm{a=\"1\",b=\"2\",c=\"3\",instance=\"\",job=\"j\"} 1\n"
			"m{a=\"1\",b=\"2\",instance=\"\",job=\"j\"} 2\n",
			0 },
	{ "an empty label in the key of the other",
			{ { "put", "job=j,a=", "m{b=\"1\"} 1\n" }, { "put!", "job=j,b=1", "m 2\n" } },
			"# TYPE m untyped\nm{a=\"\",b=\"1\",instance=\"\",job=\"j\"} 1\n", 0 },
	{ "an empty label in the body of the other",
			{ { "put", "job=j", "m{b=\"1\",c=\"\"} 1\n" }, { "put!", "job=j,b=1", "m 2\n" } },
			"# TYPE m untyped\nm{b=\"1\",c=\"\",instance=\"\",job=\"j\"} 1\n", 0 },
	{ "another metric of the family's",
			{ { "put", "job=j", "# TYPE h histogram\nh_bucket{a=\"1\",le=\"+Inf\"} 1\n" },
					{ "put!", "job=j,a=1", "# TYPE h histogram\nh_sum 1\n" } },
			"# TYPE h histogram\nh_bucket{a=\"1\",instance=\"\",job=\"j\",le=\"+Inf\"} 1\n"
			"h_sum{a=\"1\",instance=\"\",job=\"j\"} 0\nh_count{a=\"1\",instance=\"\",job=\"j\"} "
			"0\n",
			0 },
	{ "free when the other is gone",
			{ { "put", "job=j", "m{instance=\"i\"} 1\n" }, { "delete", "job=j", "" },
					{ "put", "job=j,instance=i", "m 2\n" } },
			"# TYPE m untyped\nm" I " 2\n", 0 },
	{ "three shapes",
			{ { "put", "job=j", "m{a=\"1\",b=\"2\"} 1\n" },
					{ "put", "job=j,a=1", "m{b=\"3\"} 1\n" },
					{ "put!", "job=j,b=2", "m{a=\"1\"} 1\n" },
					{ "put!", "job=j,b=3", "m{a=\"1\"} 1\n" }, { "put!", "job=j,a=1,b=2", "m 1\n" },
					{ "put", "job=j,b=2", "m 1\n" } },
			"# TYPE m untyped\nm{a=\"1\",b=\"2\",instance=\"\",job=\"j\"} 1\n"
			"m{a=\"1\",b=\"3\",instance=\"\",job=\"j\"} 1\nm{b=\"2\",instance=\"\",job=\"j\"} "
			"1\n",
			0 },

	/* ---- Twins: two keys that normalise to the same ---- */
	{ "a twin is refused", { { "put", "job=j", "m 1\n" }, { "put!", "job=j,instance=", "n 1\n" } },
			"# TYPE m untyped\nm" J " 1\n", 0 },
	{ "even when it is empty", { { "put", "job=j", "" }, { "put!", "job=j,a=", "n 1\n" } }, "", 0 },
	{ "but not after the other is gone",
			{ { "put", "job=j", "m 1\n" }, { "delete", "job=j", "" },
					{ "put", "job=j,instance=", "n 1\n" } },
			"# TYPE n untyped\nn" J " 1\n", 0 },
};

static void test_scenarios(void)
{
	store_scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), true);
}

/* ---- In which words ---- */

static void test_faults(void)
{
	static const struct {
		const char *before; /* pushed to {job=k} */
		const char *key;
		const char *body;
		const char *fault;
		bool leaves_trace;
	} cases[] = {
		{ "", "job=j", "m 1 1\n", "pushed metrics must not have timestamps", true },
		{ "# TYPE m gauge\nm 1\n", "job=j", "# TYPE m counter\nm 2\n",
				"collected metric \"m\" { label:{name:\"instance\" value:\"\"} "
				"label:{name:\"job\" value:\"j\"} counter:{value:2}} is not a GAUGE",
				true },
		{ "", "job=j", "m 1\nm 2\n",
				"collected metric \"m\" { label:{name:\"instance\" value:\"\"} "
				"label:{name:\"job\" value:\"j\"} untyped:{value:2}} "
				"was collected before with the same name and label values",
				true },
		{ "", "job=j", "m{__a=\"b\"} 1\n",
				"collected metric \"m\" { label:{name:\"__a\" value:\"b\"} "
				"label:{name:\"instance\" value:\"\"} label:{name:\"job\" value:\"j\"} "
				"untyped:{value:1}} has a label with an invalid name: __a",
				true },
		{ "m{a=\"1\"} 1\n", "job=k,a=1", "m 3\n",
				"collected metric \"m\" { label:{name:\"a\" value:\"1\"} "
				"label:{name:\"instance\" value:\"\"} label:{name:\"job\" value:\"k\"} "
				"untyped:{value:3}} was collected before with the same name and label values",
				true },
		{ "", "job=j", "# TYPE go_threads counter\ngo_threads 1\n",
				"gathered metric family go_threads has type COUNTER but should have GAUGE", true },
		{ "", "job=j", "# HELP own_requests \\\\n\n# TYPE own_requests counter\nown_requests 1\n",
				"gathered metric family own_requests has help \"\\\\\\\\n\" but should have "
				"\"Requests.\"",
				true },
		{ "# TYPE h histogram\nh_count 1\n", "job=j", "h_sum 1\n",
				"collected metric named \"h_sum\" collides with previously collected histogram "
				"named \"h\"",
				true },
		{ "h_sum 1\n", "job=j", "# TYPE h summary\nh_count 1\n",
				"collected histogram or summary named \"h\" collides with previously collected "
				"metric named \"h_sum\"",
				true },
		{ "h_bucket 1\n", "job=j", "# TYPE h histogram\nh_count 1\n",
				"collected histogram named \"h\" collides with previously collected "
				"metric named \"h_bucket\"",
				true },
		{ "", "job=j,quantile=x", "# TYPE s summary\ns_count 1\n",
				"collected metric \"s\" { label:{name:\"instance\" value:\"\"} "
				"label:{name:\"job\" value:\"j\"} label:{name:\"quantile\" value:\"x\"} "
				"summary:{value:0}} must not have an explicit \"quantile\" label",
				true },
		{ "", "job=j,le=x", "# TYPE h histogram\nh_count 1\n",
				"collected metric \"h\" { label:{name:\"instance\" value:\"\"} "
				"label:{name:\"job\" value:\"j\"} label:{name:\"le\" value:\"x\"} "
				"histogram:{value:1}} "
				"must not have an explicit \"le\" label",
				false },
		{ "", "job=k,instance=", "m 1\n",
				"collected metric \"push_time_seconds\" { label:{name:\"instance\" value:\"\"} "
				"label:{name:\"job\" value:\"k\"} gauge:{value:0}} "
				"was collected before with the same name and label values",
				false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_driver d;
		store_driver_init(&d, NULL);
		CHECK_INT(store_driver_push(&d, STORE_PUT, "job=k", cases[i].before), PUSH_OK);
		CHECK_INT(
				store_driver_push(&d, STORE_PUT, cases[i].key, cases[i].body), PUSH_E_INCONSISTENT);
		CHECK_STRING(d.fault, cases[i].fault);
		CHECK_INT(d.leaves_trace, cases[i].leaves_trace);
		store_driver_finish(&d);
	}
}

int main(void)
{
	RUN(test_scenarios);
	RUN(test_faults);
	return check_done();
}
