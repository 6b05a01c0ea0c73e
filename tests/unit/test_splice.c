/*
 * Splicing: the same lines with other values, put into copies of the blocks.
 */

#include "unit/store_driver.h"

/* ---- What is spliced, what is left to the parser ---- */

static void test_bodies(void)
{
	static const struct {
		const char *name;
		const char *first;
		const char *second;
		bool is_spliced;
	} cases[] = {
		{ "the same", "m 1\n", "m 1\n", true },
		{ "a longer value", "m 1\nn 2\n", "m 123456.789\nn 2\n", true },
		{ "a shorter one", "m 123456789\nn 2\n", "m 1\nn 22222222222\n", true },
		{ "any float", "m 1\nn 1\no 1\n", "m NaN\nn -Inf\no 1e-400\n", true },
		{ "help and type", "# HELP m Help 1\n# TYPE m gauge\nm{a=\"b c\"} 1\n",
				"# HELP m Help 1\n# TYPE m gauge\nm{a=\"b c\"} 2\n", true },
		{ "another help", "# HELP m Help 1\nm 1\n", "# HELP m Help 2\nm 1\n", false },
		{ "another blank", "m 1\n", "m  1\n", false },
		{ "another label", "m{a=\"1\"} 1\n", "m{a=\"2\"} 1\n", false },
		{ "one line more", "m 1\n", "m 1\nn 1\n", false },
		{ "no float", "m 1\n", "m x\n", false },
		{ "a timestamp", "m 1\n", "m 1 1\n", false },
		{ "no line feed", "m 1\n", "m 1", false },
		{ "interleaved families", "m{a=\"1\"} 1\nn 1\nm 1\n", "m{a=\"1\"} 1\nn 1\nm 1\n", false },
		{ "nothing", "", "", false },
		{ "only comments", "# HELP m x\n", "# HELP m x\n", false },
		{ "a histogram",
				"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum "
				"3\nh_count 2\n",
				"# TYPE h histogram\nh_bucket{le=\"1\"} 10\nh_bucket{le=\"+Inf\"} 20\nh_sum "
				"3.5\nh_count 20\n",
				true },
		{ "a histogram with a bound that is respelt",
				"# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum "
				"3\nh_count "
				"2\n",
				"# TYPE h histogram\nh_bucket{le=\"1.0\"} 5\nh_bucket{le=\"+Inf\"} 6\nh_sum "
				"3\nh_count "
				"6\n",
				true },
		{ "a histogram without +Inf",
				"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 3\nh_count 2\n",
				"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 3\nh_count 2\n", false },
		{ "a negative bucket", "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
				"# TYPE h histogram\nh_bucket{le=\"+Inf\"} -2\nh_sum 3\nh_count 2\n", false },
		{ "a negative sum, which is fine but rare",
				"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
				"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum -3\nh_count 2\n", false },
		{ "a summary", "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\n",
				"# TYPE s summary\ns{quantile=\"0.5\"} -1.5\ns_sum -3\ns_count 200\n", true },
		{ "a summary's count that is no integer",
				"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\n",
				"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2.5\n", false },
		{ "a summary's count with a sign", "# TYPE s summary\ns_sum 3\ns_count 2\n",
				"# TYPE s summary\ns_sum 3\ns_count +2\n", false },
		{ "a summary's count with zeros", "# TYPE s summary\ns_sum 3\ns_count 2\n",
				"# TYPE s summary\ns_sum 3\ns_count 007\n", false },
		{ "a summary's count of zero", "# TYPE s summary\ns_sum 3\ns_count 2\n",
				"# TYPE s summary\ns_sum 3\ns_count 0\n", true },
		{ "computed families are left out", "push_time_seconds 1\nm 1\n",
				"push_time_seconds 1\nm 1\n", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_driver spliced;
		struct store_driver parsed;
		int failures = check_failures;
		store_driver_init(&spliced, NULL);
		store_driver_init(&parsed, NULL);
		CHECK_INT(store_driver_push(&spliced, STORE_PUT, "job=j", cases[i].first), PUSH_OK);
		CHECK_INT(store_driver_splice(&spliced, STORE_PUT, "job=j", cases[i].second),
				cases[i].is_spliced);
		/* Refused, it changes nothing; done, it is the same as a put. */
		store_driver_push(&parsed, STORE_PUT, "job=j", cases[i].first);
		if (cases[i].is_spliced) {
			CHECK_INT(store_driver_push(&parsed, STORE_PUT, "job=j", cases[i].second), PUSH_OK);
		}
		CHECK_SLICE(store_driver_page(&spliced), store_driver_page(&parsed));
		store_driver_delete(&spliced, "job=j");
		store_driver_check_empty(&spliced);
		if (failures != check_failures) {
			fprintf(stderr, "in \"%s\"\n", cases[i].name);
		}
		store_driver_finish(&spliced);
		store_driver_finish(&parsed);
	}
}

/* ---- When the group's layout is known ---- */

static void test_methods(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	CHECK(!store_driver_splice(&d, STORE_PUT, "job=j", "m 1\n"));
	store_driver_push(&d, STORE_PUT, "job=j", "m 1\n");
	CHECK(!store_driver_splice(&d, STORE_PUT, "job=j,a=b", "m 1\n"));
	CHECK(!store_driver_splice(&d, STORE_PUT, "job=j,a=", "m 1\n"));
	CHECK(store_driver_splice(&d, STORE_PUT, "job=j", "m 2\n"));
	CHECK(store_driver_splice(&d, STORE_POST, "job=j", "m 3\n"));
	/* Beside another family a put would have to drop it. */
	store_driver_push(&d, STORE_POST, "job=j", "n 1\n");
	CHECK(!store_driver_splice(&d, STORE_POST, "job=j", "m 4\n"));
	CHECK(!store_driver_splice(&d, STORE_PUT, "job=j", "n 4\n"));
	CHECK(store_driver_splice(&d, STORE_POST, "job=j", "n 4\n"));
	/* Any push of other lines makes it forget. */
	store_driver_push(&d, STORE_POST, "job=j", "");
	CHECK(!store_driver_splice(&d, STORE_POST, "job=j", "n 5\n"));
	/* A failure leaves the lines as they are. */
	store_driver_push(&d, STORE_PUT, "job=j", "m 1\nn 1\n");
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "m 1\nm 2\n"), PUSH_E_INCONSISTENT);
	CHECK(store_driver_splice(&d, STORE_PUT, "job=j", "m 5\nn 5\n"));
	CHECK_STRING(store_driver_page(&d),
			"# TYPE m untyped\nm{instance=\"\",job=\"j\"} 5\n"
			"# TYPE n untyped\nn{instance=\"\",job=\"j\"} 5\n");
	store_driver_delete(&d, "job=j");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

static void test_times_and_deadline(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	d.now_ns = 1000000000;
	store_driver_push_until(&d, STORE_PUT, "job=j", "m 1\n", 50);
	CHECK(store_driver_splice(&d, STORE_PUT, "job=j", "m 2\n"));
	CHECK_STRING(store_driver_times(&d),
			"push_failure_time_seconds{instance=\"\",job=\"j\"} 0\n"
			"push_time_seconds{instance=\"\",job=\"j\"} 3.000000\n");
	CHECK_INT(store_expire(&d.store, 100, 10), 0);
	CHECK(store_driver_find(&d, "job=j") != NULL);
	CHECK_STRING(
			buf_slice(&d.log), "1 put instance=\"\",job=\"j\"\n2 put instance=\"\",job=\"j\"\n");
	store_driver_finish(&d);
}

/* ---- Blocks of many chunks ---- */

enum { MANY_LINES = 2000, MANY_FAMILIES = 3000 };

static const char *many_lines(struct buf *body, const char *value)
{
	body->len = 0;
	for (int i = 0; i < MANY_LINES; i++) {
		buf_printf(
				body, "m{line=\"%d\",text=\"some more text\"} %s\n", i, i % 3 == 0 ? "7" : value);
	}
	buf_append_byte(body, '\0');
	return body->ptr;
}

static const char *many_families(struct buf *body, const char *value)
{
	body->len = 0;
	for (int i = 0; i < MANY_FAMILIES; i++) {
		buf_printf(body, "# HELP m%04d Help\nm%04d %s\n", i, i, value);
	}
	buf_append_byte(body, '\0');
	return body->ptr;
}

static void check_exchanged(const char *(*make)(struct buf *body, const char *value))
{
	static const char *const values[] = { "1", "22", "333", "4444", "12345678901234567890", "5" };
	struct store_driver spliced;
	struct store_driver parsed;
	struct buf body;
	buf_init(&body, 0);
	store_driver_init(&spliced, NULL);
	store_driver_init(&parsed, NULL);
	store_driver_push(&spliced, STORE_PUT, "job=j", make(&body, "0"));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		CHECK(store_driver_splice(&spliced, STORE_PUT, "job=j", make(&body, values[i])));
		store_driver_push(&parsed, STORE_PUT, "job=j", make(&body, values[i]));
		CHECK_SLICE(store_driver_page(&spliced), store_driver_page(&parsed));
	}
	store_driver_delete(&spliced, "job=j");
	store_driver_check_empty(&spliced);
	store_driver_finish(&spliced);
	store_driver_finish(&parsed);
	buf_finish(&body);
}

static void test_many_chunks(void)
{
	check_exchanged(many_lines);
}

static void test_many_blocks(void)
{
	check_exchanged(many_families);
}

/* ---- What happens between begin and end ---- */

enum meanwhile {
	NOTHING,
	DELETED,
	PUT_SAME,
	PUT_OTHER,
	POSTED,
	FAILED,
	WIPED,
	WIPED_TWICE,
	SPLICED,
	EXPIRED,
	AGAIN_AFTER_DELETE,
	MEANWHILE_COUNT
};

static void do_meanwhile(struct store_driver *d, enum meanwhile what, const char *same)
{
	switch (what) {
	case NOTHING:
	case MEANWHILE_COUNT:
		break;
	case DELETED:
		store_driver_delete(d, "job=j");
		break;
	case PUT_SAME:
		store_driver_push(d, STORE_PUT, "job=j", same);
		break;
	case PUT_OTHER:
		store_driver_push(d, STORE_PUT, "job=j", "other 1\n");
		break;
	case POSTED:
		store_driver_push(d, STORE_POST, "job=j", "m3 9\n");
		break;
	case FAILED:
		store_driver_push(d, STORE_POST, "job=j", "m3 9 9\n");
		break;
	case WIPED_TWICE:
		store_wipe(&d->store);
		store_driver_push(d, STORE_PUT, "job=j", same);
		store_wipe(&d->store);
		break;
	case WIPED:
		store_wipe(&d->store);
		while (store_tidy(&d->store)) {
		}
		break;
	case SPLICED:
		CHECK(store_driver_splice(d, STORE_PUT, "job=j", same));
		break;
	case EXPIRED:
		while (store_expire(&d->store, INT64_MAX, 10) != 0) {
		}
		break;
	case AGAIN_AFTER_DELETE:
		store_driver_delete(d, "job=j");
		store_driver_push(d, STORE_PUT, "job=j", same);
		break;
	}
}

static void check_meanwhile(enum meanwhile what, bool before_make, const char *value)
{
	struct store_driver d;
	struct driver_splice s;
	struct buf body;
	buf_init(&body, 0);
	store_driver_init(&d, NULL);
	store_driver_push_until(&d, STORE_PUT, "job=j", many_families(&body, "1"), 100);
	CHECK(store_driver_splice_begin(&d, &s, STORE_PUT, "job=j", many_families(&body, value)));
	const char *same = many_families(&body, "55555");
	if (before_make) {
		do_meanwhile(&d, what, same);
	}
	CHECK(splice_make(&s.splice));
	if (!before_make) {
		do_meanwhile(&d, what, same);
	}
	struct slice before = store_driver_page(&d);
	bool is_done = splice_end(&s.splice, d.now_ns, 0);
	CHECK_INT(is_done, what == NOTHING || what == FAILED);
	if (!is_done) {
		CHECK_SLICE(store_driver_page(&d), before);
	}
	store_driver_delete(&d, "job=j");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
	buf_finish(&body);
}

static void test_meanwhile_before_make(void)
{
	for (enum meanwhile what = NOTHING; what < MEANWHILE_COUNT; what++) {
		/* Each length leaves other gaps between the blocks. */
		const char *value = "1234567890";
		for (size_t len = 1; len <= strlen(value); len++) {
			check_meanwhile(what, true, value + strlen(value) - len);
		}
	}
}

static void test_meanwhile_after_make(void)
{
	for (enum meanwhile what = NOTHING; what < MEANWHILE_COUNT; what++) {
		check_meanwhile(what, false, "22");
	}
}

static void test_bytes_are_limited(void)
{
	struct store_options options = { .limits = { .bytes = 2000 }, .is_checked = true };
	struct store_driver d;
	struct buf body;
	buf_init(&body, 0);
	store_driver_init(&d, &options);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", "m 1\n"), PUSH_OK);
	buf_append(&body, SLICE("m 1."));
	for (int i = 0; i < 2000; i++) {
		buf_append_byte(&body, '0');
	}
	buf_append(&body, SLICE("\n\0"));
	CHECK(!store_driver_splice(&d, STORE_PUT, "job=j", body.ptr));
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j", body.ptr), PUSH_E_LIMIT);
	CHECK(store_driver_splice(&d, STORE_PUT, "job=j", "m 2\n"));
	store_driver_delete(&d, "job=j");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
	buf_finish(&body);
}

int main(void)
{
	RUN(test_bodies);
	RUN(test_methods);
	RUN(test_times_and_deadline);
	RUN(test_many_chunks);
	RUN(test_many_blocks);
	RUN(test_meanwhile_before_make);
	RUN(test_meanwhile_after_make);
	RUN(test_bytes_are_limited);
	return check_done();
}
