/*
 * Names that need quotes, on pages for scrapers that want an escaping scheme:
 * nothing may be there twice, whatever was pushed.
 */

#include "unit/store_driver.h"

static void put(struct store_driver *d, const char *key, const char *body)
{
	CHECK_INT(store_driver_push(d, STORE_PUT, key, body), PUSH_OK);
}

static struct slice page_under(struct store_driver *d, enum escaping escaping)
{
	d->page.escaping = escaping;
	return store_driver_page(d);
}

static void test_schemes(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	put(&d, "job=j",
			"# HELP \"a.b\" Help.\n# TYPE \"a.b\" gauge\n{\"a.b\",\"x.y\"=\"1\",z=\"2\"} 5\n");
	CHECK_STRING(page_under(&d, ESCAPING_ALLOW_UTF8),
			"# HELP \"a.b\" Help.\n# TYPE \"a.b\" gauge\n"
			"{\"a.b\",instance=\"\",job=\"j\",\"x.y\"=\"1\",z=\"2\"} 5\n");
	CHECK_STRING(page_under(&d, ESCAPING_UNDERSCORES),
			"# HELP a_b Help.\n# TYPE a_b gauge\n"
			"a_b{instance=\"\",job=\"j\",x_y=\"1\",z=\"2\"} 5\n");
	CHECK_STRING(page_under(&d, ESCAPING_DOTS),
			"# HELP a_dot_b Help.\n# TYPE a_dot_b gauge\n"
			"a_dot_b{instance=\"\",job=\"j\",x_dot_y=\"1\",z=\"2\"} 5\n");
	CHECK_STRING(page_under(&d, ESCAPING_VALUES),
			"# HELP U__a_2e_b Help.\n# TYPE U__a_2e_b gauge\n"
			"U__a_2e_b{instance=\"\",job=\"j\",U__x_2e_y=\"1\",z=\"2\"} 5\n");
	store_driver_finish(&d);
}

/* The suffix stays a suffix. */
static void test_histogram(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	put(&d, "job=j",
			"# TYPE \"h.s\" histogram\n{\"h.s_bucket\",le=\"1\"} 1\n{\"h.s_bucket\",le=\"+Inf\"} "
			"2\n"
			"{\"h.s_sum\"} 3\n{\"h.s_count\"} 2\n");
	CHECK_STRING(page_under(&d, ESCAPING_DOTS),
			"# TYPE h_dot_s histogram\nh_dot_s_bucket{instance=\"\",job=\"j\",le=\"1\"} 1\n"
			"h_dot_s_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 2\n"
			"h_dot_s_sum{instance=\"\",job=\"j\"} 3\nh_dot_s_count{instance=\"\",job=\"j\"} 2\n");
	d.page.format = PAGE_OPENMETRICS;
	CHECK_STRING(page_under(&d, ESCAPING_UNDERSCORES),
			"# TYPE h_s histogram\nh_s_bucket{instance=\"\",job=\"j\",le=\"1.0\"} 1\n"
			"h_s_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 2\n"
			"h_s_sum{instance=\"\",job=\"j\"} 3\nh_s_count{instance=\"\",job=\"j\"} 2\n"
			"# EOF\n");
	store_driver_finish(&d);
}

static void test_families_give_way(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	put(&d, "job=j", "{\"a.b\"} 1\n{\"a-b\"} 2\na_b 3\n{\"c.d\"} 4\n{\"c-d\"} 5\nU__c_2e_d 6\n");
	CHECK_STRING(page_under(&d, ESCAPING_UNDERSCORES),
			"# TYPE U__c_2e_d untyped\nU__c_2e_d{instance=\"\",job=\"j\"} 6\n"
			"# TYPE U__a_2d_b untyped\nU__a_2d_b{instance=\"\",job=\"j\"} 2\n"
			"# TYPE U__a_2e_b untyped\nU__a_2e_b{instance=\"\",job=\"j\"} 1\n"
			"# TYPE a_b untyped\na_b{instance=\"\",job=\"j\"} 3\n"
			"# TYPE c_d untyped\nc_d{instance=\"\",job=\"j\"} 5\n"
			"# TYPE U__c_2e_d_ untyped\nU__c_2e_d_{instance=\"\",job=\"j\"} 4\n");
	store_driver_finish(&d);
}

/* h.x becomes h_x, whose buckets would be those of somebody else. */
static void test_suffixes_give_way(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	put(&d, "job=j", "# TYPE \"h.x\" summary\n{\"h.x_sum\"} 1\n{\"h.x_count\"} 2\nh_x_count 3\n");
	CHECK_STRING(page_under(&d, ESCAPING_UNDERSCORES),
			"# TYPE U__h_2e_x summary\nU__h_2e_x_sum{instance=\"\",job=\"j\"} 1\n"
			"U__h_2e_x_count{instance=\"\",job=\"j\"} 2\n"
			"# TYPE h_x_count untyped\nh_x_count{instance=\"\",job=\"j\"} 3\n");
	put(&d, "job=j", "# TYPE h_x summary\nh_x_sum 1\nh_x_count 2\n{\"h.x_count\"} 3\n");
	CHECK_STRING(page_under(&d, ESCAPING_UNDERSCORES),
			"# TYPE U__h_2e_x__count untyped\nU__h_2e_x__count{instance=\"\",job=\"j\"} 3\n"
			"# TYPE h_x summary\nh_x_sum{instance=\"\",job=\"j\"} 1\n"
			"h_x_count{instance=\"\",job=\"j\"} 2\n");
	store_driver_finish(&d);
}

static void test_labels_give_way(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	/* In one line, and in two lines that would be one series. */
	put(&d, "job=j", "m{\"a.b\"=\"1\",a_b=\"2\"} 1\nn{\"a.b\"=\"1\"} 2\nn{a_b=\"1\"} 3\n");
	put(&d, "job=k", "o{\"a.b\"=\"1\"} 4\np{\"..x\"=\"1\"} 5\n");
	CHECK_STRING(page_under(&d, ESCAPING_UNDERSCORES),
			"# TYPE m untyped\nm{U__a_2e_b=\"1\",a_b=\"2\",instance=\"\",job=\"j\"} 1\n"
			"# TYPE n untyped\nn{U__a_2e_b=\"1\",instance=\"\",job=\"j\"} 2\n"
			"n{a_b=\"1\",instance=\"\",job=\"j\"} 3\n"
			"# TYPE o untyped\no{a_b=\"1\",instance=\"\",job=\"k\"} 4\n"
			"# TYPE p untyped\np{U___2e__2e_x=\"1\",instance=\"\",job=\"k\"} 5\n");
	store_driver_finish(&d);
}

static void test_grouping_labels(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	put(&d, "a.b=1,job=j", "m 1\n");
	put(&d, "a_b=1,job=j", "m 2\n");
	CHECK_STRING(page_under(&d, ESCAPING_UNDERSCORES),
			"# TYPE m untyped\nm{U__a_2e_b=\"1\",instance=\"\",job=\"j\"} 1\n"
			"m{a_b=\"1\",instance=\"\",job=\"j\"} 2\n");
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds{U__a_2e_b=\"1\",instance=\"\",job=\"j\"} 0\n"
			"push_failure_time_seconds{a_b=\"1\",instance=\"\",job=\"j\"} 0\n"
			"push_time_seconds{U__a_2e_b=\"1\",instance=\"\",job=\"j\"} 1001.000000\n"
			"push_time_seconds{a_b=\"1\",instance=\"\",job=\"j\"} 1002.000000\n");
	d.page.escaping = ESCAPING_ALLOW_UTF8;
	CHECK_STRING(store_driver_page(&d),
			"# TYPE m untyped\nm{\"a.b\"=\"1\",instance=\"\",job=\"j\"} 1\n"
			"m{a_b=\"1\",instance=\"\",job=\"j\"} 2\n");
	store_driver_finish(&d);
}

/* The same body with other values, names in quotes and bounds that are whole numbers. */
static void test_splice(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	const char *first =
			"# TYPE \"h.s\" histogram\n{\"h.s_bucket\",le=\"1\"} 1\n"
			"{\"h.s_bucket\",le=\"2\"} 1\n{\"h.s_bucket\",le=\"+Inf\"} 2\n{\"h.s_sum\"} 3\n"
			"{\"h.s_count\"} 2\n";
	const char *second = "# TYPE \"h.s\" histogram\n{\"h.s_bucket\",le=\"1\"} 1000\n"
						 "{\"h.s_bucket\",le=\"2\"} 1e9\n{\"h.s_bucket\",le=\"+Inf\"} 2e9\n"
						 "{\"h.s_sum\"} 3\n{\"h.s_count\"} 2e9\n";
	put(&d, "job=j", first);
	CHECK(store_driver_splice(&d, STORE_PUT, "job=j", second));
	d.page.format = PAGE_OPENMETRICS;
	CHECK_STRING(page_under(&d, ESCAPING_ALLOW_UTF8),
			"# TYPE \"h.s\" histogram\n"
			"{\"h.s_bucket\",instance=\"\",job=\"j\",le=\"1.0\"} 1000\n"
			"{\"h.s_bucket\",instance=\"\",job=\"j\",le=\"2.0\"} 1e9\n"
			"{\"h.s_bucket\",instance=\"\",job=\"j\",le=\"+Inf\"} 2e9\n"
			"{\"h.s_sum\",instance=\"\",job=\"j\"} 3\n{\"h.s_count\",instance=\"\",job=\"j\"} 2e9\n"
			"# EOF\n");
	store_driver_finish(&d);
}

/* Identity does not depend on how a name is written. */
static void test_collisions_of_series(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	put(&d, "job=j", "{\"a.b\",\"c.d\"=\"1\",instance=\"i\"} 1\n");
	CHECK_INT(store_driver_push(&d, STORE_PUT, "instance=i,job=j", "{\"a.b\",\"c.d\"=\"1\"} 2\n"),
			PUSH_E_INCONSISTENT);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "c.d=1,job=j", "{\"a.b\",instance=\"i\"} 2\n"),
			PUSH_E_INCONSISTENT);
	put(&d, "c.d=2,job=j", "{\"a.b\",instance=\"i\"} 2\n");
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_schemes);
	RUN(test_histogram);
	RUN(test_families_give_way);
	RUN(test_suffixes_give_way);
	RUN(test_labels_give_way);
	RUN(test_grouping_labels);
	RUN(test_splice);
	RUN(test_collisions_of_series);
	return check_done();
}
