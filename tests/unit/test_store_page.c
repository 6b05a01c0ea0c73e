/*
 * A page shows one version of the store, whatever changes while it is written.
 */

#include "unit/random.h"
#include "unit/store_driver.h"

enum {
	GROUPS = 12,
	FAMILIES = 8,
	PAGES_MAX = 6,
	LONG_TEXT = 30000, /* so that a page takes many pieces */
};

static char long_text[LONG_TEXT + 1];

static const char *const types[] = { "gauge", "counter", "untyped", "histogram" };

static struct slice without_help(struct store_driver *d, struct slice text)
{
	char *out = arena_text(&d->arena, text.len);
	size_t len = 0;
	while (text.len > 0) {
		const char *feed = slice_find_byte(text, '\n');
		struct slice line = slice_first(text, (size_t)(feed - text.ptr) + 1);
		text = slice_skip(text, line.len);
		if (!slice_starts_with(line, SLICE("# HELP "))) {
			memcpy(out + len, line.ptr, line.len);
			len += line.len;
		}
	}
	return slice_make(out, len);
}

/*
 * All but the HELP lines: they say what is known today. A family that is
 * exposed keeps some help as long as a page shows blocks that came with one.
 */
static bool is_same_page(struct store_driver *d, struct slice a, struct slice b)
{
	return slice_equal(without_help(d, a), without_help(d, b));
}

/* ---- One change between every two pieces ---- */

static const char *group_name(unsigned number)
{
	static char name[32];
	snprintf(name, sizeof(name), "job=%u", number);
	return name;
}

/* Families m0 to m7, some of them, one line each, every other one long. */
static const char *body_of(struct buf *body, unsigned families, unsigned type, unsigned value)
{
	body->len = 0;
	for (unsigned i = 0; i < FAMILIES; i++) {
		if ((families >> i & 1) == 0) {
			continue;
		}
		buf_printf(body, "# HELP m%u Help %u %.*s\n", i, value % 3, i == 5 ? 6000 : 0, long_text);
		buf_printf(body, "# TYPE m%u %s\n", i, types[type]);
		if (type == 3) {
			buf_printf(body, "m%u_count %u\n", i, value);
		} else {
			buf_printf(body, "m%u{long=\"%.*s\"} %u\n", i, i % 2 == 0 ? LONG_TEXT : 0, long_text,
					value);
		}
	}
	buf_append_byte(body, '\0');
	return body->ptr;
}

static void fill(struct store_driver *d)
{
	struct buf body;
	buf_init(&body, 0);
	for (unsigned i = 0; i < GROUPS; i++) {
		CHECK_INT(store_driver_push(d, STORE_PUT, group_name(i), body_of(&body, 0xff, 0, i)),
				PUSH_OK);
	}
	buf_finish(&body);
}

typedef void change_function(struct store_driver *d, unsigned number);

static void delete_group(struct store_driver *d, unsigned number)
{
	store_driver_delete(d, group_name(number % GROUPS));
}

static void put_group(struct store_driver *d, unsigned number)
{
	struct buf body;
	buf_init(&body, 0);
	store_driver_push(d, STORE_PUT, group_name(number % GROUPS), body_of(&body, number, 0, number));
	buf_finish(&body);
}

static void post_group(struct store_driver *d, unsigned number)
{
	struct buf body;
	buf_init(&body, 0);
	store_driver_push(d, STORE_POST, group_name(number % GROUPS),
			body_of(&body, 1u << number % FAMILIES, 0, number + 100));
	buf_finish(&body);
}

static void add_group(struct store_driver *d, unsigned number)
{
	struct buf body;
	buf_init(&body, 0);
	store_driver_push(
			d, STORE_PUT, group_name(GROUPS + number), body_of(&body, 0xff, 0, number + 200));
	buf_finish(&body);
}

static void splice_group(struct store_driver *d, unsigned number)
{
	struct buf body;
	buf_init(&body, 0);
	/* The help is part of the layout: a multiple of 3 keeps it. */
	unsigned group = number % GROUPS;
	CHECK(store_driver_splice(
			d, STORE_PUT, group_name(group), body_of(&body, 0xff, 0, group + 3 * (number + 100))));
	buf_finish(&body);
}

static void fail_group(struct store_driver *d, unsigned number)
{
	CHECK_INT(store_driver_push(d, STORE_PUT, group_name(number), "m0 1 1\n"), PUSH_E_INCONSISTENT);
}

static void wipe(struct store_driver *d, unsigned number)
{
	CHECK(store_wipe(&d->store));
	put_group(d, number);
}

static void expire(struct store_driver *d, unsigned number)
{
	struct buf body;
	buf_init(&body, 0);
	store_driver_push_until(d, STORE_POST, group_name(number % GROUPS), "", 10);
	store_expire(&d->store, 10, 1);
	buf_finish(&body);
}

/* Every family with other types, by and by. */
static void change_types(struct store_driver *d, unsigned number)
{
	struct buf body;
	buf_init(&body, 0);
	for (unsigned i = 0; i < GROUPS; i++) {
		store_driver_push(d, STORE_PUT, group_name(i), "");
	}
	CHECK_INT(store_driver_push(d, STORE_PUT, group_name(number % GROUPS),
					  body_of(&body, 0xff, number % 4, number)),
			PUSH_OK);
	buf_finish(&body);
}

static void add_families(struct store_driver *d, unsigned number)
{
	char body[64];
	snprintf(body, sizeof(body), "a%u 1\nm%u_x 2\nz%u 3\n", number, number % FAMILIES, number);
	CHECK_INT(store_driver_push(d, STORE_POST, "job=new", body), PUSH_OK);
}

static void tidy(struct store_driver *d, unsigned number)
{
	delete_group(d, number);
	store_tidy(&d->store);
}

static void nothing(struct store_driver *d, unsigned number)
{
}

static const struct {
	const char *name;
	change_function *change;
} changes[] = {
	{ "nothing", nothing },
	{ "delete", delete_group },
	{ "put", put_group },
	{ "post", post_group },
	{ "a new group", add_group },
	{ "splice", splice_group },
	{ "failure", fail_group },
	{ "wipe", wipe },
	{ "expire", expire },
	{ "types", change_types },
	{ "new families", add_families },
	{ "delete and tidy", tidy },
};
enum { CHANGES = sizeof(changes) / sizeof(changes[0]) };

/* The change comes `first` pieces after the beginning, and then before each. */
static void check_change(change_function *change, unsigned first)
{
	struct store_driver d;
	struct page page;
	struct buf text;
	unsigned pieces = 0;
	buf_init(&text, 0);
	store_driver_init(&d, NULL);
	fill(&d);
	struct slice expected = store_driver_whole_page(&d, NULL);
	CHECK(page_init(&page, &d.store, &(struct page_options){ 0 }));
	do {
		if (pieces >= first) {
			change(&d, pieces);
		}
		pieces++;
	} while (store_driver_page_next(&page, &text));
	page_finish(&page);
	CHECK(pieces > 6);
	CHECK(is_same_page(&d, buf_slice(&text), expected));
	CHECK(store_wipe(&d.store));
	store_driver_check_empty(&d);
	store_driver_finish(&d);
	buf_finish(&text);
}

static void test_change_between_pieces(void)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		int failures = check_failures;
		check_change(changes[i].change, 0);
		check_change(changes[i].change, 1);
		check_change(changes[i].change, 4);
		if (check_failures != failures) {
			fprintf(stderr, "with \"%s\" between pieces\n", changes[i].name);
		}
	}
}

/* ---- Many pages, many changes ---- */

struct open_page {
	struct page page;
	bool is_open;
	struct slice expected;
	struct buf text;
};

static void open_page(struct store_driver *d, struct open_page *page)
{
	page->expected = store_driver_whole_page(d, NULL);
	CHECK(page_init(&page->page, &d->store, &(struct page_options){ 0 }));
	buf_init(&page->text, 0);
	page->is_open = true;
}

static void close_page(struct open_page *page)
{
	page_finish(&page->page);
	buf_finish(&page->text);
	page->is_open = false;
}

static void step_page(struct store_driver *d, struct open_page *page)
{
	if (!store_driver_page_next(&page->page, &page->text)) {
		CHECK(is_same_page(d, buf_slice(&page->text), page->expected));
		close_page(page);
	}
}

static void touch_page(struct store_driver *d, struct random_source *random, struct open_page *page)
{
	if (!page->is_open) {
		open_page(d, page);
	} else if (random_once_in(random, 10)) {
		close_page(page);
	} else {
		step_page(d, page);
	}
}

static void change_something(struct store_driver *d, struct random_source *random)
{
	unsigned number = random_below(random, 1000);
	unsigned what = random_below(random, CHANGES);
	if (changes[what].change == splice_group) {
		return; /* the group may have other lines by now */
	}
	if (changes[what].change == change_types || changes[what].change == add_group) {
		if (!random_once_in(random, 4)) {
			return;
		}
		store_driver_delete(d, group_name(GROUPS + number));
	}
	if (changes[what].change == wipe && !random_once_in(random, 4)) {
		return;
	}
	if (changes[what].change == change_types) {
		store_wipe(&d->store);
	}
	changes[what].change(d, number);
}

static void test_many_pages(void)
{
	struct random_source random;
	random_init(&random);
	unsigned rounds = random_rounds(600);
	for (unsigned start = 0; start < rounds; start += 100) {
		struct store_driver d;
		struct open_page pages[PAGES_MAX] = { 0 };
		store_driver_init(&d, NULL);
		for (int i = 0; i < 100; i++) {
			if (random_once_in(&random, 2)) {
				change_something(&d, &random);
			} else {
				touch_page(&d, &random, &pages[random_below(&random, PAGES_MAX)]);
			}
			if (random_once_in(&random, 5)) {
				store_tidy(&d.store);
			}
		}
		for (int i = 0; i < PAGES_MAX; i++) {
			while (pages[i].is_open) {
				step_page(&d, &pages[i]);
			}
		}
		store_wipe(&d.store);
		store_driver_check_empty(&d);
		store_driver_finish(&d);
	}
}

/* ---- A family that comes and goes ---- */

static void check_coming_and_going(const char *first, const char *second)
{
	struct store_driver d;
	struct open_page pages[4] = { 0 };
	store_driver_init(&d, NULL);
	for (int i = 0; i < 4; i++) {
		store_driver_push(&d, STORE_PUT, "job=j", first);
		open_page(&d, &pages[i]);
		store_driver_push(&d, STORE_PUT, "job=j", second);
		if (i > 0) {
			while (pages[i - 1].is_open) {
				step_page(&d, &pages[i - 1]);
			}
		}
		store_tidy(&d.store);
	}
	while (pages[3].is_open) {
		step_page(&d, &pages[3]);
	}
	store_driver_delete(&d, "job=j");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

static void test_family_comes_and_goes(void)
{
	check_coming_and_going("# HELP m one\nm 1\n", "");
	check_coming_and_going("# HELP m one\nm 1\n", "# TYPE m counter\nm 1\n");
	check_coming_and_going("# HELP m one\nm 1\n", "# HELP m two\nm 1\n");
	check_coming_and_going("# HELP m one\n# TYPE m histogram\nm_count 1\n", "m_count 1\n");
}

/* A push that is refused names families that nobody has, while pages are open. */
static void test_refused_push(void)
{
	struct store_driver d;
	struct open_page pages[3] = { 0 };
	store_driver_init(&d, NULL);
	for (int i = 0; i < 3; i++) {
		open_page(&d, &pages[i]);
		CHECK_INT(store_driver_push(&d, STORE_PUT, "job=j",
						  "fresh 1\n# TYPE go_threads counter\n"
						  "go_threads 1\n"),
				PUSH_E_INCONSISTENT);
		store_tidy(&d.store);
	}
	for (int i = 0; i < 3; i++) {
		while (pages[i].is_open) {
			step_page(&d, &pages[i]);
		}
	}
	store_driver_delete(&d, "job=j");
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* ---- What a page is made of ---- */

static void test_own_lines(void)
{
	const struct slice own[DRIVER_DECLARATIONS] = { { NULL, 0 }, SLICE_INIT("own_requests 5\n") };
	struct store_driver d;
	store_driver_init(&d, NULL);
	CHECK_STRING(store_driver_whole_page(&d, own),
			"# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests 5\n");
	store_driver_push(&d, STORE_PUT, "job=j",
			"# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests 1\n"
			"# HELP go_threads Any.\n# TYPE go_threads gauge\ngo_threads 1\n");
	CHECK_STRING(store_driver_whole_page(&d, own),
			"# HELP go_threads Any.\n# TYPE go_threads gauge\n"
			"go_threads{instance=\"\",job=\"j\"} 1\n"
			"# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests 5\n"
			"own_requests{instance=\"\",job=\"j\"} 1\n"
			"# HELP push_failure_time_seconds Failed.\n# TYPE push_failure_time_seconds gauge\n"
			"push_failure_time_seconds{instance=\"\",job=\"j\"} 0\n"
			"# HELP push_time_seconds Pushed.\n# TYPE push_time_seconds gauge\n"
			"push_time_seconds{instance=\"\",job=\"j\"} 1001.000000\n");
	store_driver_finish(&d);
}

/* Lines and labels as long as several pieces. */
static void check_part(struct store_driver *d, const char *key, const struct slice *own,
		bool changes_meanwhile, const char *wanted)
{
	struct page_part part;
	struct page page;
	struct buf text;
	struct page_options options = d->page;
	page_part_init(&part, &d->store, store_driver_find(d, key), own, &d->arena);
	options.own_lines = own;
	options.part = &part;
	buf_init(&text, 0);
	CHECK(page_init(&page, &d->store, &options));
	if (changes_meanwhile) {
		store_driver_push(d, STORE_PUT, key, "other 1\n");
		store_driver_delete(d, key);
		while (store_tidy(&d->store)) {
		}
	}
	while (store_driver_page_next(&page, &text)) {
	}
	page_finish(&page);
	CHECK_STRING(buf_slice(&text), wanted);
	buf_finish(&text);
}

/* What one group has on the page, and nothing of the others. */
static void test_part(void)
{
	static const char wanted[] = "# TYPE a gauge\na{instance=\"\",job=\"y\"} 3\n"
								 "# HELP push_failure_time_seconds Failed.\n"
								 "# TYPE push_failure_time_seconds gauge\n"
								 "push_failure_time_seconds{instance=\"\",job=\"y\"} 0\n"
								 "# HELP push_time_seconds Pushed.\n"
								 "# TYPE push_time_seconds gauge\n"
								 "push_time_seconds{instance=\"\",job=\"y\"} 1003000001.000000\n"
								 "# TYPE z untyped\nz{instance=\"\",job=\"y\"} 1\n";
	struct store_driver d;
	struct slice own[DRIVER_DECLARATIONS] = { 0 };
	store_driver_init(&d, NULL);
	d.now_ns = INT64_C(1000000000) * 1000000000;
	store_driver_push(&d, STORE_PUT, "job=x", "# TYPE a gauge\na 1\n");
	d.now_ns += INT64_C(2999999) * 1000000000;
	store_driver_push(&d, STORE_PUT, "job=y", "z 1\n# TYPE a gauge\na 3\n");
	check_part(&d, "job=y", NULL, false, wanted);
	check_part(&d, "job=y", own, true, wanted);
	check_part(&d, "job=y", own, false, "");
	own[1] = SLICE("own_requests 1\n");
	check_part(&d, "job=nobody", own, false,
			"# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests 1\n");
	store_driver_finish(&d);
}

static void test_long_texts(void)
{
	enum { LONGER = 3 * PAGE_PIECE_BYTES };
	struct store_driver d;
	struct buf key;
	struct buf body;
	buf_init(&key, 0);
	buf_init(&body, 0);
	store_driver_init(&d, NULL);
	for (int i = 0; i < 3; i++) {
		key.len = 0;
		body.len = 0;
		buf_printf(&key, "job=%d,l=", i);
		buf_append_string(&body, "# HELP m ");
		for (int j = 0; j < LONGER; j++) {
			buf_append_byte(&key, 'x');
			buf_append_byte(&body, 'y');
		}
		buf_append_byte(&key, '\0');
		buf_append(&body, SLICE("\nm 1\nn 2\n\0"));
		CHECK_INT(store_driver_push(&d, STORE_PUT, key.ptr, body.ptr), PUSH_OK);
	}
	/* The key is in two lines and two push times of each group. */
	struct slice page = store_driver_whole_page(&d, NULL);
	CHECK(page.len > (3 * 4 + 1) * (size_t)LONGER && page.len < (3 * 4 + 2) * (size_t)LONGER);
	store_driver_finish(&d);
	buf_finish(&key);
	buf_finish(&body);
}

static void test_many_slots(void)
{
	struct store_driver d;
	char key[32];
	size_t lines = 0;
	store_driver_init(&d, NULL);
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "job=%d", i);
		store_driver_push(&d, STORE_PUT, key, "m 1\n");
	}
	for (int i = 0; i < 3000; i += 1 + i % 3) {
		snprintf(key, sizeof(key), "job=%d", i);
		store_driver_delete(&d, key);
	}
	struct slice page = store_driver_page(&d);
	for (size_t i = 0; i < page.len; i++) {
		lines += page.ptr[i] == '\n';
	}
	CHECK_INT(lines, 1 + d.store.contents->group_count);
	store_driver_finish(&d);
}

int main(void)
{
	memset(long_text, 'l', LONG_TEXT);
	RUN(test_own_lines);
	RUN(test_part);
	RUN(test_long_texts);
	RUN(test_many_slots);
	RUN(test_family_comes_and_goes);
	RUN(test_refused_push);
	RUN(test_change_between_pieces);
	RUN(test_many_pages);
	return check_done();
}
