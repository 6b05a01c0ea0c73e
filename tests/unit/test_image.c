/* State files: written, read back, damaged; and what the store is meanwhile. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/protobuf_native.h"
#include "state/image/image.h"
#include "state/image/input.h"
#include "state/image/output.h"
#include "store_driver.h"

enum { SECOND = 1000000000 };

/* ---- Files in memory ---- */

static int make_file(struct slice bytes)
{
	int fd = memfd_create("state", MFD_CLOEXEC);
	assert(fd >= 0);
	for (size_t done = 0; done < bytes.len;) {
		ssize_t count = write(fd, bytes.ptr + done, bytes.len - done);
		assert(count > 0);
		done += (size_t)count;
	}
	assert(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static struct slice file_bytes(struct arena *arena, int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = arena_text(arena, (size_t)len + 1);
	assert(pread(fd, text, (size_t)len, 0) == len);
	assert(lseek(fd, 0, SEEK_SET) == 0);
	return slice_make(text, (size_t)len);
}

static struct slice written(struct store_driver *d)
{
	struct image_written result;
	int fd = make_file(SLICE(""));
	CHECK_INT(image_write(&d->store, fd, &result), IMAGE_WRITE_OK);
	struct slice bytes = file_bytes(&d->arena, fd);
	CHECK_INT(result.bytes, bytes.len);
	close(fd);
	return bytes;
}

/* "PLACE KEY: what" for each fault, in the driver's log. */
static void on_fault(void *data, const struct image_fault *fault)
{
	struct store_driver *d = data;
	buf_append(&d->log, fault->key.ptr == NULL ? SLICE("?") : fault->key);
	buf_printf(&d->log, ": %s\n", fault->what);
}

static enum image_read_result read_back(
		struct store_driver *d, struct slice bytes, struct image_report *ret_report)
{
	struct image_read_options options = {
		.checks = { .native_is_right = native_is_right },
		.on_fault = on_fault,
		.data = d,
	};
	list_remove(&d->listener.link); /* the log is for faults */
	int fd = make_file(bytes);
	enum image_read_result result = image_read(&d->store, fd, &options, ret_report);
	close(fd);
	return result;
}

/* ---- Stores ---- */

static struct slice page_of(struct store_driver *d, enum page_format format)
{
	d->page.format = format;
	return store_driver_whole_page(d, NULL);
}

/* The other one has the same pages. */
static void check_same(struct store_driver *d, struct store_driver *restored)
{
	CHECK_SLICE(page_of(restored, PAGE_TEXT), page_of(d, PAGE_TEXT));
	CHECK_SLICE(page_of(restored, PAGE_OPENMETRICS), page_of(d, PAGE_OPENMETRICS));
	store_driver_check_since(d, restored);
	CHECK_INT(restored->store.contents->group_count, d->store.contents->group_count);
	CHECK_INT(restored->store.contents->series, d->store.contents->series);
	CHECK_INT(restored->store.contents->blocks, d->store.contents->blocks);
	CHECK_INT(restored->store.contents->shadowed_blocks, d->store.contents->shadowed_blocks);
	CHECK_INT(restored->store.contents->shadowed_groups, d->store.contents->shadowed_groups);
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

static const char histogram[] =
		"# TYPE h_seconds histogram\n"
		"# HELP h_seconds Took\\nso \\\\long, \\\"it\\\" says.\n"
		"# UNIT h_seconds seconds\n"
		"h_seconds_bucket{le=\"0.5\",a=\"x\"} 1 # {trace=\"o\\\"p\"} 0.3 12.5\n"
		"h_seconds_bucket{le=\"1.0\",a=\"x\"} 2.0 # {} 0.7\n"
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
		"g_bucket{le=\"1.0\"} 4\n"
		"g_bucket{le=\"+Inf\"} 5\n"
		"g_gcount 5\n"
		"g_gsum 7\n"
		"# EOF\n";

static const char text[] = "# HELP m A backslash \\\\ and a line\\nfeed.\n"
						   "# TYPE m gauge\n"
						   "m{b=\"2\",a=\"q\\\"uote\",empty=\"\"} 1.500e+00\n"
						   "m NaN\n"
						   "m{a=\"\xc3\xb6\"} -Inf\n"
						   "# TYPE q summary\n"
						   "q{quantile=\"0.5\"} 4773\n"
						   "q_sum 1.7560473e+07\n"
						   "q_count 2693\n"
						   "{\"dotted.metric\",\"a.b\"=\"c\"} 0x\n";

static void fill(struct store_driver *d)
{
	char body[sizeof(text)];
	memcpy(body, text, sizeof(text));
	body[sizeof(text) - sizeof("0x\n")] = '5';
	body[sizeof(text) - sizeof("x\n")] = '0';
	push(d, FORMAT_OPENMETRICS, "job=open", histogram);
	push(d, FORMAT_TEXT, "job=text,instance=i", body);
	push(d, FORMAT_TEXT, "job=text,instance=i", "later 1\n# TYPE q summary\nq_sum 1\nq_count 1\n");
	push(d, FORMAT_TEXT, "job=empty", "");
	push(d, FORMAT_TEXT, "job=inst,instance=,zone=", "z{instance=\"gone\",zone=\"\"} 1\n");
	push(d, FORMAT_TEXT, "job=own", "own{job=\"other\",instance=\"kept\"} 1\n");
	store_driver_push(d, STORE_PUT, "job=failed", "m{ 1\n");
	store_driver_push(d, STORE_PUT, "job=text,instance=i", "m 1 5\n");
	store_driver_push(d, STORE_PUT, "job=only_failed", "m 1 5\n");
}

static void test_round_trip(void)
{
	struct store_driver d;
	struct store_driver restored;
	struct image_report report;
	store_driver_init(&d, NULL);
	store_driver_init(&restored, NULL);
	fill(&d);
	struct slice bytes = written(&d);
	CHECK_INT(read_back(&restored, bytes, &report), IMAGE_READ_OK);
	CHECK_INT(report.groups, d.store.contents->group_count);
	CHECK_INT(report.series, d.store.contents->series);
	CHECK_INT(report.bytes, bytes.len);
	CHECK_INT(report.faults, 0);
	CHECK(strncmp(report.written_by, "weir ", 5) == 0);
	check_same(&d, &restored);
	/* Once more, from what was restored. */
	struct store_driver again;
	store_driver_init(&again, NULL);
	CHECK_INT(read_back(&again, written(&restored), &report), IMAGE_READ_OK);
	check_same(&d, &again);
	store_driver_finish(&again);
	store_driver_finish(&restored);
	store_driver_finish(&d);
}

/* Each family keeps the time of the push that it came with. */
static void test_push_times(void)
{
	struct store_driver d;
	struct store_driver restored;
	struct image_report report;
	store_driver_init(&d, NULL);
	store_driver_init(&restored, NULL);
	push(&d, FORMAT_TEXT, "job=a", "m 1\nn 1\n");
	int64_t first_ns = d.now_ns;
	push(&d, FORMAT_TEXT, "job=a", "n 2\n");
	int64_t second_ns = d.now_ns;
	push(&d, FORMAT_TEXT, "job=a", "");
	CHECK_INT(read_back(&restored, written(&d), &report), IMAGE_READ_OK);
	struct group *group = store_driver_find(&restored, "job=a");
	CHECK_INT(group->times.pushed_ns, d.now_ns);
	CHECK_INT(group->member_count, 2);
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct block *block = slot_content(*slots_at(&member->family->slots, member->slot));
		bool is_first = slice_equal(member->family->name, SLICE("m"));
		CHECK_INT(block_pack(block)->pushed_ns, is_first ? first_ns : second_ns);
	}
	store_driver_finish(&restored);
	store_driver_finish(&d);
}

/* ---- What is not exposed ---- */

static void test_shadowed(void)
{
	struct store_driver d;
	struct store_driver restored;
	struct image_report report;
	store_driver_init_unchecked(&d);
	store_driver_init(&restored, NULL); /* checked, and still nothing is refused */
	/* The group of the smallest slot is the one that is shadowed. */
	push(&d, FORMAT_TEXT, "job=a", "first 1\n");
	push(&d, FORMAT_TEXT, "job=b", "# TYPE m counter\nm 1\n");
	push(&d, FORMAT_TEXT, "job=c", "# TYPE m summary\nm_sum 1\nm_count 1\n");
	push(&d, FORMAT_TEXT, "job=a", "# TYPE m gauge\nm 1\n");
	push(&d, FORMAT_TEXT, "job=a,instance=", "twin 1\n");
	push(&d, FORMAT_TEXT, "job=q,le=1", "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n");
	store_driver_delete(&d, "job=a");
	push(&d, FORMAT_TEXT, "job=a", "first 1\n# TYPE m gauge\nm 1\n");
	CHECK_INT(d.store.contents->shadowed_groups, 1);
	CHECK_INT(d.store.contents->shadowed_blocks, 3);
	CHECK_INT(read_back(&restored, written(&d), &report), IMAGE_READ_OK);
	check_same(&d, &restored);
	CHECK(restored.store.options.is_checked);
	/* What gave way first is promoted first, in both. */
	store_driver_delete(&d, "job=b");
	store_driver_delete(&restored, "job=b");
	check_same(&d, &restored);
	store_driver_delete(&d, "job=a,instance=");
	store_driver_delete(&restored, "job=a,instance=");
	check_same(&d, &restored);
	store_driver_finish(&restored);
	store_driver_finish(&d);
}

/* A store that is fuller than its limits now allow is restored and takes no more. */
static void test_limits(void)
{
	struct store_options options = { .is_checked = true, .limits = { .groups = 1, .series = 1 } };
	struct store_driver d;
	struct store_driver restored;
	struct image_report report;
	store_driver_init(&d, NULL);
	store_driver_init(&restored, &options);
	push(&d, FORMAT_TEXT, "job=a", "m 1\nn 1\n");
	push(&d, FORMAT_TEXT, "job=b", "m 1\n");
	CHECK_INT(read_back(&restored, written(&d), &report), IMAGE_READ_OK);
	check_same(&d, &restored);
	CHECK_INT(store_driver_push(&restored, STORE_PUT, "job=c", "m 1\n"), PUSH_E_LIMIT);
	store_driver_finish(&restored);
	store_driver_finish(&d);
}

/* ---- Time ---- */

static const struct expiry_case {
	const char *what;
	int64_t wall_passed_s; /* by the wall clock, since the file was written */
	uint64_t passed_s;     /* by the others */
	bool is_another_start; /* of the machine */
	int64_t left_s;        /* of 100; 0: the group is not put in */
} expiry_cases[] = {
	{ "at once", 0, 0, false, 100 },
	{ "a while", 40, 40, false, 60 },
	{ "too long", 101, 101, false, 0 },
	{ "just too long", 100, 100, false, 0 },
	{ "the wall clock ten years ahead", 315360000, 40, false, 60 },
	{ "the wall clock ten years behind", -315360000, 40, false, 60 },
	{ "another start, a while", 40, 7, true, 60 },
	{ "another start, too long", 3600, 7, true, 0 },
	{ "another start, the wall clock behind", -315360000, 7, true, 100 },
	{ "another start, the wall clock far ahead", 315360000, 7, true, 100 },
};

/* The start of the machine in both headers is another one. */
static struct slice change_start(struct arena *arena, struct slice bytes)
{
	struct slice copy = arena_copy(arena, bytes);
	for (int i = 0; i < STATE_HEADERS; i++) {
		struct state_header header;
		char *at = (char *)(uintptr_t)copy.ptr + i * sizeof(header);
		memcpy(&header, at, sizeof(header));
		header.boot_id[0] ^= 1;
		header.check =
				checksum64(slice_make((char *)&header, offsetof(struct state_header, check)), 0);
		memcpy(at, &header, sizeof(header));
	}
	return copy;
}

static void test_expiry(void)
{
	for (size_t i = 0; i < sizeof(expiry_cases) / sizeof(expiry_cases[0]); i++) {
		const struct expiry_case *c = &expiry_cases[i];
		const uint64_t then_ns = UINT64_C(1000) * SECOND;
		const int64_t wall_ns = INT64_C(1700000000) * SECOND;
		int before = check_failures;
		struct store_driver d;
		struct store_driver restored;
		struct image_report report;
		store_driver_init(&d, NULL);
		store_driver_init(&restored, NULL);
		clock_freeze(then_ns, wall_ns);
		store_driver_push_until(
				&d, STORE_PUT, "job=a", "m 1\n", (int64_t)then_ns + INT64_C(100) * SECOND);
		store_driver_push(&d, STORE_PUT, "job=b", "m 1\n");
		struct slice bytes = written(&d);
		bytes = c->is_another_start ? change_start(&d.arena, bytes) : bytes;
		uint64_t now_ns =
				c->is_another_start ? 7 * (uint64_t)SECOND : then_ns + c->passed_s * SECOND;
		clock_freeze(now_ns, wall_ns + c->wall_passed_s * SECOND);
		CHECK_INT(read_back(&restored, bytes, &report), IMAGE_READ_OK);
		const struct group *group = store_driver_find(&restored, "job=a");
		int64_t left_s = group == NULL ? 0 : (group->deadline_ns - (int64_t)now_ns) / SECOND;
		CHECK_INT(left_s, c->left_s);
		CHECK_INT(report.expired, c->left_s == 0);
		CHECK_INT(store_driver_find(&restored, "job=b")->deadline_ns, 0);
		if (check_failures != before) {
			fprintf(stderr, "in the case: %s\n", c->what);
		}
		store_driver_finish(&restored);
		store_driver_finish(&d);
	}
	clock_thaw();
}

/* ---- While the store goes on ---- */

struct writing {
	struct listing listing;
	struct state_output output;
	int fd;
};

static void begin_writing(struct writing *w, struct store_driver *d)
{
	w->fd = make_file(SLICE(""));
	bool is_begun = listing_begin(&w->listing, &d->store);
	assert(is_begun);
	state_output_begin(&w->output, w->fd);
}

/* One slice; false at the end. */
static bool go_on_writing(struct writing *w)
{
	struct listing_unit *unit;
	switch (listing_next(&w->listing, &unit)) {
	case LISTING_UNIT:
		state_output_unit(&w->output, unit);
		listing_unit_destroy(unit);
		return true;
	case LISTING_AGAIN:
		return true;
	case LISTING_END:
		break;
	}
	return false;
}

static struct slice end_writing(struct writing *w, struct arena *arena)
{
	while (go_on_writing(w)) {
	}
	CHECK(state_output_end(&w->output));
	state_output_finish(&w->output);
	listing_end(&w->listing);
	struct slice bytes = file_bytes(arena, w->fd);
	close(w->fd);
	return bytes;
}

static void check_restored(struct store_driver *d, struct slice bytes, struct slice page)
{
	struct store_driver restored;
	struct image_report report;
	store_driver_init(&restored, NULL);
	CHECK_INT(read_back(&restored, bytes, &report), IMAGE_READ_OK);
	CHECK(slice_equal(page_of(&restored, PAGE_TEXT), page));
	store_driver_finish(&restored);
}

static void push_many(struct store_driver *d, int count, const char *body)
{
	for (int i = 0; i < count; i++) {
		char key[64];
		snprintf(key, sizeof(key), "job=many,instance=%d", i);
		push(d, FORMAT_TEXT, key, body);
	}
}

/* Whatever happens to the groups meanwhile, the file has what was there when it was begun. */
static void test_one_version(void)
{
	enum { GROUPS = 6000 };
	struct store_driver d;
	struct writing w;
	store_driver_init(&d, NULL);
	push_many(&d, GROUPS, "m 1\nn 1\n");
	struct slice before = page_of(&d, PAGE_TEXT);
	begin_writing(&w, &d);
	CHECK(go_on_writing(&w)); /* some groups are listed already */
	store_driver_push(&d, STORE_PUT, "job=many,instance=5", "m 2\n");
	store_driver_push(&d, STORE_PUT, "job=many,instance=5999", "m 2\n");
	CHECK(store_driver_splice(&d, STORE_PUT, "job=many,instance=5998", "m 3\nn 3\n"));
	store_driver_push(&d, STORE_POST, "job=many,instance=5997", "later 1\n");
	store_driver_push(&d, STORE_PUT, "job=many,instance=5996", "m 1 5\n");
	/* One goes and comes back, in a slot of one that was there before. */
	store_driver_delete(&d, "job=many,instance=5995");
	store_driver_delete(&d, "job=many,instance=3");
	push(&d, FORMAT_TEXT, "job=many,instance=5995", "m 4\n");
	push(&d, FORMAT_TEXT, "job=new", "m 5\n");
	CHECK(go_on_writing(&w));
	while (store_tidy(&d.store)) {
	}
	store_driver_push(&d, STORE_PUT, "job=many,instance=5994", "m 2\n");
	struct slice bytes = end_writing(&w, &d.arena);
	check_restored(&d, bytes, before);
	while (store_tidy(&d.store)) {
	}
	check_restored(&d, written(&d), page_of(&d, PAGE_TEXT));
	store_driver_finish(&d);
}

static void test_wipe_meanwhile(void)
{
	struct store_driver d;
	struct writing w;
	store_driver_init(&d, NULL);
	push_many(&d, 5000, "m 1\n");
	struct slice before = page_of(&d, PAGE_TEXT);
	begin_writing(&w, &d);
	CHECK(go_on_writing(&w));
	CHECK(store_wipe(&d.store));
	push(&d, FORMAT_TEXT, "job=many,instance=4999", "m 2\n");
	while (store_tidy(&d.store) && d.store.wiped.next != &w.listing.walk.snapshot.contents->link) {
	}
	check_restored(&d, end_writing(&w, &d.arena), before);
	store_driver_finish(&d);
}

/* ---- From process to process ---- */

/* It has what comes with it a second time by its groups and their slots. */
static void test_handed_over(void)
{
	enum { MANY = 20000 };
	struct store_driver d;
	struct store_driver restored;
	struct image_report report;
	struct image_read_options options = {
		.checks = { .native_is_right = native_is_right },
		.is_handed_over = true,
	};
	store_driver_init(&d, NULL);
	push_many(&d, MANY, "m 1\n");
	push(&d, FORMAT_TEXT, "job=over", "m 1\n");
	push(&d, FORMAT_TEXT, "job=on", "m 1\n");
	contents_set_deadline(d.store.contents, store_driver_find(&d, "job=over"), 1);
	for (int i = 0; i < MANY; i++) {
		char key[64];
		snprintf(key, sizeof(key), "job=many,instance=%d", i);
		store_driver_delete(&d, key);
	}
	int fd = make_file(written(&d));
	store_driver_init(&restored, NULL);
	CHECK_INT(image_read(&restored.store, fd, &options, &report), IMAGE_READ_OK);
	close(fd);
	CHECK_INT(report.groups, 2);
	const struct group *over = store_driver_find(&restored, "job=over");
	CHECK(over != NULL && over->slot == MANY);
	CHECK(over != NULL && over->deadline_ns > 0
			&& over->deadline_ns <= (int64_t)clock_monotonic_ns());
	CHECK_INT(store_driver_find(&restored, "job=on")->slot, MANY + 1);
	store_driver_finish(&restored);
	store_driver_finish(&d);
}

/* ---- Changes in slices ---- */

/* As many families as are applied in slices. */
static const char *large_body(struct store_driver *d, const char *value)
{
	enum { FAMILIES = 3 * SLICE_FAMILIES };
	struct buf body;
	buf_init(&body, 0);
	for (int i = 0; i < FAMILIES; i++) {
		buf_printf(&body, "m%d %s\n", i, value);
	}
	const char *copy = arena_copy_string(&d->arena, buf_slice(&body));
	buf_finish(&body);
	return copy;
}

static void test_slices(void)
{
	struct store_driver d;
	struct driver_push large;
	struct writing w;
	struct image_written result;
	store_driver_init(&d, NULL);
	push(&d, FORMAT_TEXT, "job=large", large_body(&d, "1"));
	push(&d, FORMAT_TEXT, "job=small", "small 1\n");
	struct slice before = page_of(&d, PAGE_TEXT);
	/* Begun before the change is: it has nothing of it. */
	begin_writing(&w, &d);
	struct slice body = slice_of_string(large_body(&d, "2"));
	bool is_prepared = store_driver_prepare(&d, STORE_PUT, "job=large", body, &large);
	CHECK(is_prepared);
	while (!d.store.is_committing) {
		CHECK_INT(store_driver_step(&d, &large), PUSH_AGAIN);
	}
	/* Now none can be begun. */
	struct listing other;
	CHECK(!listing_begin(&other, &d.store));
	int fd = make_file(SLICE(""));
	CHECK_INT(image_write(&d.store, fd, &result), IMAGE_WRITE_E_BUSY);
	close(fd);
	CHECK(go_on_writing(&w));
	while (store_driver_step(&d, &large) == PUSH_AGAIN) {
	}
	struct slice first = end_writing(&w, &d.arena);
	/* A group that goes in slices. */
	struct slice between = page_of(&d, PAGE_TEXT);
	begin_writing(&w, &d);
	CHECK_INT(store_driver_delete_slice(&d, "job=large"), STORE_DELETE_WAIT);
	CHECK(!listing_begin(&other, &d.store));
	CHECK(go_on_writing(&w));
	store_driver_delete(&d, "job=large");
	struct slice second = end_writing(&w, &d.arena);
	struct slice after = page_of(&d, PAGE_TEXT);
	struct slice third = written(&d);
	/* Another store has another key for its hashes, and the first one can only be freed. */
	check_restored(&d, first, before);
	check_restored(&d, second, between);
	check_restored(&d, third, after);
	store_driver_finish(&d);
}

/* ---- Damage ---- */

static struct slice small_file(struct store_driver *d)
{
	push(d, FORMAT_TEXT, "job=a", "m 1\n");
	push(d, FORMAT_TEXT, "job=b", "m 2\n");
	push(d, FORMAT_OPENMETRICS, "job=c",
			"# TYPE c counter\nc_total 1 # {a=\"b\"} 1 2\nc_created 1\n# EOF\n");
	return written(d);
}

/* Whatever byte is another one: two groups are there at least, and something is said. */
static void test_flips(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	struct slice bytes = small_file(&d);
	char *changed = (char *)(uintptr_t)arena_copy(&d.arena, bytes).ptr;
	int quiet = 0;
	for (size_t i = 0; i < bytes.len * 8; i++) {
		struct store_driver restored;
		struct image_report report;
		store_driver_init(&restored, NULL);
		changed[i / 8] = (char)(changed[i / 8] ^ (1 << i % 8));
		enum image_read_result result =
				read_back(&restored, slice_make(changed, bytes.len), &report);
		CHECK(result == IMAGE_READ_OK || result == IMAGE_READ_DAMAGED);
		CHECK(report.groups >= 2);
		quiet += result == IMAGE_READ_OK;
		changed[i / 8] = (char)(changed[i / 8] ^ (1 << i % 8));
		store_driver_finish(&restored);
	}
	/* One header of two may be anything. */
	CHECK_INT(quiet, STATE_HEADERS * sizeof(struct state_header) * 8);
	store_driver_finish(&d);
}

/* Wherever the file ends too early, what is whole in it is there. */
static void test_truncations(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	struct slice bytes = small_file(&d);
	uint64_t groups = 0;
	for (size_t len = 0; len < bytes.len; len++) {
		struct store_driver restored;
		struct image_report report;
		store_driver_init(&restored, NULL);
		CHECK_INT(read_back(&restored, slice_first(bytes, len), &report), IMAGE_READ_DAMAGED);
		CHECK(report.groups >= groups);
		groups = report.groups;
		store_driver_finish(&restored);
	}
	CHECK_INT(groups, 3);
	store_driver_finish(&d);
}

static struct slice flip_in(struct store_driver *d, struct slice bytes, const char *part)
{
	struct slice copy = arena_copy(&d->arena, bytes);
	char *found = memmem(copy.ptr, copy.len, part, strlen(part));
	assert(found != NULL);
	found[strlen(part) - 1] ^= 1;
	return copy;
}

static void test_reports(void)
{
	struct store_driver d;
	struct store_driver restored;
	struct image_report report;
	store_driver_init(&d, NULL);
	struct slice bytes = small_file(&d);
	store_driver_init(&restored, NULL);
	CHECK_INT(read_back(&restored, flip_in(&d, bytes, "{a=\"b"), &report), IMAGE_READ_DAMAGED);
	CHECK_STRING(buf_slice(&restored.log), "instance=\"\",job=\"c\": its checksum is wrong\n");
	store_driver_finish(&restored);
	store_driver_init(&restored, NULL);
	CHECK_INT(read_back(&restored, slice_first(bytes, bytes.len - 1), &report), IMAGE_READ_DAMAGED);
	CHECK_STRING(buf_slice(&restored.log),
			"?: what is here is no record\n?: the file ends before its end\n");
	CHECK_INT(report.groups, 3);
	store_driver_finish(&restored);
	store_driver_init(&restored, NULL);
	struct slice longer = ARENA_JOIN(&d.arena, bytes, SLICE("more"));
	CHECK_INT(read_back(&restored, longer, &report), IMAGE_READ_DAMAGED);
	CHECK_STRING(buf_slice(&restored.log), "?: what is here is no record\n");
	CHECK_INT(report.groups, 3);
	store_driver_finish(&restored);
	/* A record that is there twice is one too many. */
	store_driver_finish(&d);
}

static void test_others(void)
{
	static const struct {
		const char *what;
		struct slice bytes;
		enum image_read_result result;
	} cases[] = {
		{ "nothing", SLICE_INIT(""), IMAGE_READ_DAMAGED },
		{ "the beginning of the magic", SLICE_INIT("weir"), IMAGE_READ_DAMAGED },
		{ "a Pushgateway's", SLICE_INIT("\x0c\xff\x81\x04\x01\x02"), IMAGE_READ_E_FOREIGN },
		{ "text", SLICE_INIT("weird\n"), IMAGE_READ_E_FOREIGN },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_driver d;
		struct image_report report;
		store_driver_init(&d, NULL);
		enum image_read_result result = read_back(&d, cases[i].bytes, &report);
		if (result != cases[i].result) {
			fprintf(stderr, "in the case: %s\n", cases[i].what);
		}
		CHECK_INT(result, cases[i].result);
		CHECK_INT(report.groups, 0);
		store_driver_finish(&d);
	}
}

/* Of a newer version nothing is read but who wrote it. */
static void test_newer(void)
{
	struct store_driver d;
	struct store_driver restored;
	struct image_report report;
	store_driver_init(&d, NULL);
	store_driver_init(&restored, NULL);
	struct slice bytes = arena_copy(&d.arena, small_file(&d));
	for (int i = 0; i < STATE_HEADERS; i++) {
		struct state_header header;
		char *at = (char *)(uintptr_t)bytes.ptr + i * sizeof(header);
		memcpy(&header, at, sizeof(header));
		header.version = STATE_VERSION + 1;
		strcpy(header.written_by, "weir 99.1");
		header.check = i == 0 ? 0 : header.check; /* theirs may be made in another way */
		memcpy(at, &header, sizeof(header));
	}
	CHECK_INT(read_back(&restored, bytes, &report), IMAGE_READ_E_NEWER);
	CHECK_STRING(slice_of_string(report.written_by), "weir 99.1");
	CHECK_INT(restored.store.contents->group_count, 0);
	store_driver_finish(&restored);
	store_driver_finish(&d);
}

static void test_faults_of_the_world(void)
{
	struct store_driver d;
	struct image_written result;
	struct image_report report;
	struct image_read_options options = { 0 };
	store_driver_init(&d, NULL);
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	CHECK_INT(image_write(&d.store, fd, &result), IMAGE_WRITE_E_SYSTEM);
	CHECK_INT(result.fault, -ENOSPC);
	CHECK_INT(image_read(&d.store, fd, &options, &report), IMAGE_READ_E_SYSTEM);
	CHECK_INT(report.fault, -EBADF);
	close(fd);
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_round_trip);
	RUN(test_push_times);
	RUN(test_shadowed);
	RUN(test_limits);
	RUN(test_expiry);
	RUN(test_handed_over);
	RUN(test_one_version);
	RUN(test_wipe_meanwhile);
	RUN(test_slices);
	RUN(test_flips);
	RUN(test_truncations);
	RUN(test_reports);
	RUN(test_others);
	RUN(test_newer);
	RUN(test_faults_of_the_world);
	return check_done();
}
