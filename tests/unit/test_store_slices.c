/*
 * Pushes that are applied in slices, with everything else going on between.
 */

#include "unit/store_driver.h"

enum { LARGE = SLICE_FAMILIES + 7 };

/* "# TYPE f0 gauge\nf0 1\n" ... */
static struct slice large_body(struct store_driver *d, unsigned families, const char *extra)
{
	struct buf body;
	buf_init(&body, 0);
	for (unsigned i = 0; i < families; i++) {
		buf_printf(&body, "# TYPE f%u gauge\nf%u 1\n", i, i);
	}
	buf_append_string(&body, extra);
	struct slice copy = arena_copy(&d->arena, buf_slice(&body));
	buf_finish(&body);
	return copy;
}

static void begin(struct store_driver *d, struct driver_push *push, enum store_method method,
		const char *key, struct slice body)
{
	CHECK(store_driver_prepare(d, method, key, body, push));
}

static enum push_result finish(struct store_driver *d, struct driver_push *push)
{
	enum push_result result;
	do {
		result = store_driver_step(d, push);
	} while (result == PUSH_AGAIN);
	if (result == PUSH_WAIT) {
		prepared_push_drop(&push->prepared);
	}
	return result;
}

static size_t count_lines(struct slice text, struct slice start)
{
	size_t count = 0;
	while (text.len > 0) {
		const char *feed = slice_find_byte(text, '\n');
		count += slice_starts_with(text, start);
		text = slice_skip(text, (size_t)(feed + 1 - text.ptr));
	}
	return count;
}

/* How often a family has a line on the page. */
static size_t count_in_page(struct store_driver *d, const char *start)
{
	return count_lines(store_driver_whole_page(d, NULL), slice_of_string(start));
}

static void check_numbers_ascend(struct store_driver *d)
{
	struct slice log = buf_slice(&d->log);
	unsigned long long last = 0;
	while (log.len > 0) {
		unsigned long long number = strtoull(log.ptr, NULL, 10);
		CHECK(number > last);
		last = number;
		const char *feed = slice_find_byte(log, '\n');
		log = slice_skip(log, (size_t)(feed + 1 - log.ptr));
	}
}

static void test_all_or_nothing(void)
{
	struct store_driver d;
	struct driver_push push;
	store_driver_init(&d, NULL);
	store_driver_push(&d, STORE_PUT, "job=k", "# TYPE f9 gauge\nf9 1\n");
	begin(&d, &push, STORE_PUT, "job=j", large_body(&d, LARGE, ""));
	enum push_result result = PUSH_AGAIN;
	int steps = 0;
	while (result == PUSH_AGAIN) {
		struct page page;
		/* While it commits no page can be opened; before and after all is whole. */
		if (page_init(&page, &d.store, &(struct page_options){ 0 })) {
			page_finish(&page);
			size_t lines = count_in_page(&d, "f");
			CHECK(lines == 1 || lines == LARGE + 1);
		}
		result = store_driver_step(&d, &push);
		steps++;
	}
	CHECK_INT(result, PUSH_OK);
	CHECK(steps > 4);
	CHECK_INT(count_in_page(&d, "f"), LARGE + 1);
	store_driver_delete(&d, "job=j");
	store_driver_delete(&d, "job=k");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

static void test_refused(void)
{
	static const struct {
		const char *there;
		const char *extra;
	} cases[] = {
		{ "# TYPE f2050 counter\nf2050 1\n", "" },
		{ "m{instance=\"i\"} 1\n", "m 1\n" },
		{ "h 1\n", "h_count 1\n# TYPE h histogram\nh_sum 1\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_driver d;
		struct driver_push push;
		store_driver_init(&d, NULL);
		store_driver_push(&d, STORE_PUT, "job=j", cases[i].there);
		struct slice before = store_driver_page(&d);
		begin(&d, &push, STORE_PUT, "job=j,instance=i", large_body(&d, LARGE, cases[i].extra));
		CHECK_INT(finish(&d, &push), PUSH_E_INCONSISTENT);
		CHECK_SLICE(store_driver_page(&d), before);
		CHECK(store_driver_find(&d, "job=j,instance=i") == NULL);
		store_driver_delete(&d, "job=j");
		store_driver_check_empty(&d);
		store_driver_finish(&d);
	}
}

static void test_over_the_limit(void)
{
	struct store_options options = { .limits = { .series = LARGE - 1 }, .is_checked = true };
	struct store_driver d;
	struct driver_push push;
	store_driver_init(&d, &options);
	begin(&d, &push, STORE_PUT, "job=j", large_body(&d, LARGE, ""));
	CHECK_INT(finish(&d, &push), PUSH_E_LIMIT);
	CHECK_INT(d.limit, STORE_LIMIT_SERIES);
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* A put of little that drops a lot is sliced, too. */
static void test_large_removal(void)
{
	struct store_driver d;
	struct driver_push push;
	store_driver_init(&d, NULL);
	begin(&d, &push, STORE_PUT, "job=j", large_body(&d, LARGE, ""));
	CHECK_INT(finish(&d, &push), PUSH_OK);
	begin(&d, &push, STORE_PUT, "job=j", SLICE("m 1\n"));
	CHECK_INT(store_driver_step(&d, &push), PUSH_AGAIN);
	CHECK_INT(finish(&d, &push), PUSH_OK);
	CHECK_STRING(store_driver_page(&d), "# TYPE m untyped\nm{instance=\"\",job=\"j\"} 1\n");
	store_driver_delete(&d, "job=j");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* A post keeps what else there is, in the order that finds it again. */
static void test_large_post(void)
{
	struct store_driver d;
	struct driver_push push;
	store_driver_init(&d, NULL);
	store_driver_push(&d, STORE_PUT, "job=j", "z 1\nf6 2\na 1\n");
	begin(&d, &push, STORE_POST, "job=j", large_body(&d, 7 + LARGE, ""));
	CHECK_INT(finish(&d, &push), PUSH_OK);
	CHECK_INT(count_in_page(&d, "f"), 7 + LARGE);
	CHECK_INT(store_driver_push(&d, STORE_POST, "job=j", "a 2\nz 3\n# TYPE f0 gauge\nf0 9\n"),
			PUSH_OK);
	CHECK_INT(count_in_page(&d, "f0{instance=\"\",job=\"j\"} 9"), 1);
	CHECK_INT(count_in_page(&d, "a{"), 1);
	CHECK_INT(d.store.contents->series, LARGE + 7 + 2);
	store_driver_delete(&d, "job=j");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* ---- A large delete ---- */

/* Pages show all of the group or nothing, whatever is pushed meanwhile. */
static void check_delete(bool by_expiry, bool with_pushes)
{
	struct store_driver d;
	struct driver_push push;
	struct page before;
	struct buf text;
	buf_init(&text, 0);
	store_driver_init(&d, NULL);
	store_driver_push(&d, STORE_PUT, "job=k", "# TYPE f9 gauge\nf9 1\n");
	begin(&d, &push, STORE_PUT, "job=j", large_body(&d, LARGE, ""));
	push.op.deadline_ns = 10;
	CHECK_INT(finish(&d, &push), PUSH_OK);
	CHECK(page_init(&before, &d.store, &(struct page_options){ 0 }));
	for (int i = 0; i < 1000 && store_driver_find(&d, "job=j") != NULL; i++) {
		if (by_expiry) {
			store_expire(&d.store, 10, 5);
		} else {
			store_driver_delete_slice(&d, "job=j");
		}
		if (with_pushes) {
			store_driver_push(&d, STORE_PUT, "job=k", "# TYPE f9 gauge\nf9 1\n");
			store_driver_push(&d, STORE_PUT, "job=j", "f1 1\n");
			store_driver_push(&d, STORE_PUT, "job=l", "m 1 1\n");
		}
		struct page page;
		if (page_init(&page, &d.store, &(struct page_options){ 0 })) {
			page_finish(&page);
			size_t lines = count_in_page(&d, "f");
			CHECK(lines == LARGE + 1 || lines == 1 || lines == 2);
		}
	}
	while (store_driver_page_next(&before, &text)) {
	}
	CHECK_INT(count_lines(buf_slice(&text), SLICE("f")), LARGE + 1);
	page_finish(&before);
	check_numbers_ascend(&d);
	CHECK(store_wipe(&d.store));
	store_driver_check_empty(&d);
	store_driver_finish(&d);
	buf_finish(&text);
}

static void test_large_delete(void)
{
	check_delete(false, false);
	check_delete(false, true);
	check_delete(true, false);
	check_delete(true, true);
}

/* ---- Meanwhile ---- */

enum meanwhile {
	PUT_ELSEWHERE, /* families that the large push does not bring */
	PUT_NEW_GROUP,
	PUT_SAME_FAMILIES,
	PUT_SAME_GROUP,
	POST_VALUES, /* of a family that is exposed and not claimed */
	FAIL_SAME_GROUP,
	FAIL_TWIN,
	FAIL_OTHER,
	DELETE_SAME,
	DELETE_OTHER,
	EXPIRE_OTHER,
	WIPE,
	SPLICE_OTHER,
	LARGE_OTHER,
	MEANWHILE_COUNT,
};

static void do_meanwhile(struct store_driver *d, enum meanwhile what)
{
	struct group_key key = store_driver_key(d, "job=j");
	struct group_key twin = store_driver_key(d, "job=j,instance=");
	struct driver_push push;
	switch (what) {
	case PUT_ELSEWHERE:
		store_driver_push(d, STORE_PUT, "job=other", "m 1\nn 2\n");
		break;
	case PUT_NEW_GROUP:
		store_driver_push(d, STORE_PUT, "job=fresh", "m 1\n");
		break;
	case PUT_SAME_FAMILIES:
		store_driver_push(d, STORE_PUT, "job=other", "# TYPE f7 counter\nf7 1\n");
		break;
	case PUT_SAME_GROUP:
		CHECK_INT(store_driver_push(d, STORE_PUT, "job=j", "m 7\n"), PUSH_WAIT);
		break;
	case POST_VALUES:
		CHECK_INT(store_driver_push(d, STORE_POST, "job=other", "m 5\n"), PUSH_OK);
		break;
	case FAIL_SAME_GROUP:
		store_record_failure(&d->store, &key, &(struct store_job_limits){ 0 }, d->now_ns, 0);
		break;
	case FAIL_TWIN:
		store_record_failure(&d->store, &twin, &(struct store_job_limits){ 0 }, d->now_ns, 0);
		break;
	case FAIL_OTHER:
		store_driver_push(d, STORE_PUT, "job=other", "m 5 5\n");
		break;
	case DELETE_SAME:
		if (store_driver_find(d, "job=j") != NULL) {
			CHECK_INT(store_driver_delete_slice(d, "job=j"), STORE_DELETE_WAIT);
		}
		break;
	case DELETE_OTHER:
		store_driver_delete_slice(d, "job=other");
		break;
	case EXPIRE_OTHER:
		store_expire(&d->store, INT64_MAX, 100);
		break;
	case WIPE:
		CHECK(!store_wipe(&d->store));
		break;
	case SPLICE_OTHER:
		store_driver_splice(d, STORE_PUT, "job=other", "m 8\n# TYPE f3 gauge\nf3 1\n");
		break;
	case LARGE_OTHER:
		begin(d, &push, STORE_PUT, "job=large", large_body(d, LARGE, ""));
		CHECK_INT(finish(d, &push), PUSH_WAIT);
		break;
	case MEANWHILE_COUNT:
		break;
	}
}

/* Each group's push times and each series once. */
static void check_page_is_sane(struct store_driver *d)
{
	CHECK_INT(count_in_page(d, "push_time_seconds"), d->store.contents->group_count);
	CHECK_INT(count_in_page(d, "push_failure_time_seconds"), d->store.contents->group_count);
	CHECK_INT(count_in_page(d, "f0{instance=\"\",job=\"j\"}"), 1);
	CHECK_INT(count_in_page(d, "f2050{instance=\"\",job=\"j\"}"), 1);
}

/* Once after each slice, so at every point. */
static void check_meanwhile(enum meanwhile what, bool is_new, int at)
{
	struct store_driver d;
	struct driver_push push;
	store_driver_init(&d, NULL);
	store_driver_push_until(
			&d, STORE_PUT, "job=other", "m 1\n# TYPE f3 gauge\nf3 1\n", INT64_MAX - 1);
	if (!is_new) {
		store_driver_push(&d, STORE_PUT, "job=j", "x 1\n# TYPE f5 gauge\nf5 5\n");
	}
	begin(&d, &push, STORE_PUT, "job=j", large_body(&d, LARGE, ""));
	enum push_result result = PUSH_AGAIN;
	for (int i = 0; result == PUSH_AGAIN; i++) {
		if (i == at || (at < 0 && i > 0)) {
			do_meanwhile(&d, what);
		}
		struct page page;
		if (page_init(&page, &d.store, &(struct page_options){ 0 })) {
			page_finish(&page);
			size_t lines = count_in_page(&d, "f");
			CHECK(lines <= 3 || lines >= LARGE);
		}
		result = store_driver_step(&d, &push);
	}
	CHECK_INT(result, PUSH_OK);
	check_page_is_sane(&d);
	check_numbers_ascend(&d);
	CHECK(store_wipe(&d.store));
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

static void test_meanwhile(void)
{
	for (enum meanwhile what = 0; what < MEANWHILE_COUNT; what++) {
		for (int at = -1; at < 9; at++) {
			if (at == 0) {
				continue; /* not begun: an ordinary order of things */
			}
			int failures = check_failures;
			check_meanwhile(what, false, at);
			check_meanwhile(what, true, at);
			if (check_failures != failures) {
				fprintf(stderr, "meanwhile %d, at slice %d\n", (int)what, at);
			}
		}
	}
}

/*
 * Unchecked, what waits must not be exposed beside what a large push has
 * checked already.
 */
static void check_promotion(const char *winner, const char *waiting, const char *extra)
{
	for (int at = 1; at < 12; at++) {
		struct store_driver d;
		struct driver_push push;
		store_driver_init_unchecked(&d);
		store_driver_push(&d, STORE_PUT, "job=j,a=1", winner);
		store_driver_push(&d, STORE_PUT, "job=j,b=2", waiting);
		begin(&d, &push, STORE_PUT, "job=j,c=3", large_body(&d, LARGE, extra));
		enum push_result result = PUSH_AGAIN;
		for (int i = 0; result == PUSH_AGAIN; i++) {
			if (i == at) {
				store_driver_delete(&d, "job=j,a=1");
			}
			result = store_driver_step(&d, &push);
		}
		CHECK_INT(result, PUSH_OK);
		CHECK_INT(count_in_page(&d, "m{b=\"2\",c=\"3\""), 1);
		store_driver_finish(&d);
	}
}

static void test_promotion_meanwhile(void)
{
	/* Two families of other types; two blocks with a series in common. */
	check_promotion("# TYPE m counter\nm 1\n", "# TYPE m gauge\nm{c=\"3\"} 1\n",
			"# TYPE m counter\nm{b=\"2\"} 1\n");
	check_promotion("m{b=\"2\"} 1\n", "m{a=\"1\"} 1\nm{c=\"3\"} 1\n", "m{b=\"2\"} 1\n");
}

int main(void)
{
	RUN(test_all_or_nothing);
	RUN(test_refused);
	RUN(test_over_the_limit);
	RUN(test_large_removal);
	RUN(test_large_post);
	RUN(test_large_delete);
	RUN(test_meanwhile);
	RUN(test_promotion_meanwhile);
	return check_done();
}
