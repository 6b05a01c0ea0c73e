/* What replicas tell each other: names of groups, changes, contents, versions. */

#include <stdlib.h>
#include <zstd.h>

#include "base/clock.h"
#include "check.h"
#include "format/protobuf_native.h"
#include "random.h"
#include "state/redis/change.h"
#include "state/redis/group_name.h"
#include "state/redis/shared_clock.h"
#include "state/redis/version.h"
#include "store_driver.h"

/* ---- Names ---- */

static struct group_key read_name(struct arena *arena, struct slice name)
{
	struct group_key key = { 0 };
	CHECK(group_name_read(name, arena, &key));
	return key;
}

static void test_name_is_the_key(void)
{
	static const char *const names[] = {
		"\"job\"=\"x\"",
		"\"instance\"=\"\",\"job\"=\"x\"",
		"\"a\"=\"1,2=\\\"3\\\"\",\"job\"=\"x\\\\\"",
		"\"job\"=\"\\n\",\"n.b \\\"c\\\"\"=\"\xc3\xa9\"",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct arena arena;
		struct buf name;
		arena_init(&arena);
		buf_init(&name, 0);
		struct group_key key = read_name(&arena, slice_of_string(names[i]));
		group_name_append(&name, &key.labels);
		CHECK_STRING(buf_slice(&name), names[i]);
		buf_finish(&name);
		arena_finish(&arena);
	}
}

static void test_no_name(void)
{
	static const char *const names[] = {
		"",
		"job",
		"\"job\"",
		"\"job\"=",
		"\"job\"=\"x",
		"\"job\"=\"x\\",
		"\"job\"=\"x\\\"",
		"\"job\"=\"x\",",
		"\"job\"=\"x\"\"a\"=\"b\"",
		"\"job\"=\"x\",\"job\"=\"y\"",
		"\"job\"=\"\"",
		"\"a\"=\"b\"",
		"\"job\" =\"x\"",
		"wipe",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct arena arena;
		struct group_key key;
		arena_init(&arena);
		if (group_name_read(slice_of_string(names[i]), &arena, &key)) {
			fprintf(stderr, "it is none: %s\n", names[i]);
			CHECK(false);
		}
		arena_finish(&arena);
	}
}

/* ---- Versions ---- */

static void test_digits_order_as_versions(void)
{
	char a[VERSION_DIGITS];
	char b[VERSION_DIGITS];
	struct random_source random = { 7 };
	for (int i = 0; i < 10000; i++) {
		uint64_t left = random_next(&random) >> random_below(&random, 64);
		uint64_t right = i % 3 == 0 ? left + 1 : random_next(&random);
		uint64_t back;
		version_write(a, left);
		version_write(b, right);
		CHECK(version_read(a, &back) && back == left);
		CHECK((memcmp(a, b, sizeof(a)) < 0) == (left < right));
	}
	CHECK(!version_read("000000000000000g", &(uint64_t){ 0 }));
	CHECK(!version_read("00000000000000AF", &(uint64_t){ 0 }));
}

/* ---- The clock ---- */

enum { SECOND_US = 1000000 };

static const int64_t WALL_NS = INT64_C(1700000000) * 1000000000;

/* A server asked at the local time `sent_us` answers `delay_us` later; it is so far ahead. */
static void ask(struct shared_clock *clock, uint64_t sent_us, uint64_t delay_us, uint64_t ahead_us)
{
	clock_freeze((sent_us + 2 * delay_us) * 1000, WALL_NS);
	shared_clock_learn(clock, sent_us + delay_us + ahead_us, sent_us * 1000);
}

static void test_clock_is_never_behind(void)
{
	enum { AHEAD_US = 5 * SECOND_US };
	struct random_source random = { 3 };
	struct shared_clock clock;
	uint64_t now_us = 100 * SECOND_US;
	clock_freeze(now_us * 1000, WALL_NS);
	shared_clock_init(&clock);
	for (int i = 0; i < 2000; i++) {
		ask(&clock, now_us, 1 + random_below(&random, 5000), AHEAD_US);
		now_us += random_below(&random, 20000);
		clock_freeze(now_us * 1000, WALL_NS);
		CHECK(shared_clock_now_us(&clock) >= now_us + AHEAD_US);
		CHECK(shared_clock_now_us(&clock) <= now_us + AHEAD_US + 5000);
		CHECK(shared_clock_until_us(&clock, version_make(now_us + AHEAD_US + 1, 0)) > 0);
		CHECK(shared_clock_until_us(&clock, version_make(now_us + AHEAD_US + 1, 0)) <= 5001);
		CHECK_INT(shared_clock_until_us(&clock, version_make(now_us + AHEAD_US - 5000, 0)), 0);
	}
	clock_thaw();
}

static void test_clock_follows_a_server_that_changes(void)
{
	struct shared_clock clock;
	uint64_t now_us = 100 * SECOND_US;
	clock_freeze(now_us * 1000, WALL_NS);
	shared_clock_init(&clock);
	ask(&clock, now_us, 10, 0);
	for (int i = 0; i < 60; i++) {
		now_us += SECOND_US;
		ask(&clock, now_us, 10, 3 * SECOND_US);
	}
	clock_freeze(now_us * 1000, WALL_NS);
	CHECK_INT(shared_clock_now_us(&clock), now_us + 3 * SECOND_US + 10);
	clock_thaw();
}

static void test_versions_only_rise(void)
{
	struct shared_clock clock;
	clock_freeze(UINT64_C(100) * SECOND_US * 1000, WALL_NS);
	shared_clock_init(&clock);
	clock.replica = 7;
	uint64_t first = shared_clock_next(&clock);
	uint64_t second = shared_clock_next(&clock);
	CHECK(second > first);
	CHECK_INT(version_replica(second), 7);
	uint64_t seen = version_make(version_us(second) + SECOND_US, 9);
	shared_clock_see(&clock, seen);
	CHECK(shared_clock_next(&clock) > seen);
	clock_freeze(UINT64_C(50) * SECOND_US * 1000, WALL_NS);
	CHECK(shared_clock_next(&clock) > seen);
	clock_thaw();
}

static void test_deadlines_cross_over(void)
{
	struct shared_clock clock;
	uint64_t now_us = 100 * SECOND_US;
	clock_freeze(now_us * 1000, WALL_NS);
	shared_clock_init(&clock);
	ask(&clock, now_us, 0, 1000 * SECOND_US);
	int64_t deadline_ns = (int64_t)(now_us + 30 * SECOND_US) * 1000;
	uint64_t shared = shared_clock_share(&clock, deadline_ns);
	CHECK_INT(version_us(shared), now_us + 1030 * SECOND_US);
	CHECK_INT(shared_clock_localise(&clock, shared), deadline_ns);
	CHECK_INT(shared_clock_share(&clock, 0), 0);
	CHECK_INT(shared_clock_localise(&clock, 0), 0);
	CHECK_INT(shared_clock_share(&clock, INT64_MAX), 0);
	/* What was over before the monotonic clock began is over. */
	CHECK_INT(shared_clock_localise(&clock, version_make(1, 0)), 1);
	clock_thaw();
}

/* Whatever a question took, and on which part of its way. */
static void test_deadlines_are_not_early(void)
{
	enum { AHEAD_US = 5 * SECOND_US };
	struct shared_clock clock;
	uint64_t now_us = 100 * SECOND_US;
	clock_freeze(now_us * 1000, WALL_NS);
	shared_clock_init(&clock);
	ask(&clock, now_us, 400000, AHEAD_US);
	uint64_t deadline_us = now_us + 30 * SECOND_US;
	int64_t local_ns = shared_clock_localise(&clock, version_make(deadline_us + AHEAD_US, 0));
	CHECK(local_ns >= (int64_t)deadline_us * 1000);
	CHECK(local_ns <= (int64_t)(deadline_us + 400000) * 1000);
	/* When the clock was set back, what it was before is nothing to go by. */
	now_us += SECOND_US;
	ask(&clock, now_us, 0, SECOND_US);
	CHECK_INT(shared_clock_localise(&clock, version_make(deadline_us + SECOND_US, 0)),
			(int64_t)deadline_us * 1000);
	clock_thaw();
}

/* ---- Changes ---- */

static struct shared_head sample_head(void)
{
	return (struct shared_head){
		.floor = 0x123456789abcdef0,
		.push = 0x123456789abcdef1,
		.deadline = 0x223456789abcd000,
		.failure = 3,
		.times = { .pushed_ns = 1700000000123456789, .failed_ns = 1 },
		.since_ns = 1600000000000000000,
	};
}

static void check_head(const struct shared_head *got, const struct shared_head *wanted)
{
	CHECK_INT(got->floor, wanted->floor);
	CHECK_INT(got->push, wanted->push);
	CHECK_INT(got->deadline, wanted->deadline);
	CHECK_INT(got->failure, wanted->failure);
	CHECK_INT(got->times.pushed_ns, wanted->times.pushed_ns);
	CHECK_INT(got->times.failed_ns, wanted->times.failed_ns);
	CHECK_INT(got->since_ns, wanted->since_ns);
}

static void test_change_and_back(void)
{
	static const uint64_t drops[] = { 5, 0xfedcba9876543210 };
	struct shared_head head = sample_head();
	struct shared_change change;
	struct arena arena;
	struct buf text;
	arena_init(&arena);
	buf_init(&text, 0);
	change_write_head(&text, &head, 42, 2);
	CHECK_INT(text.len, CHANGE_HEAD_BYTES);
	change_write_ids(&text, drops, 2);
	buf_append(&text, SLICE("content"));
	CHECK(change_read(buf_slice(&text), &arena, &change));
	check_head(&change.head, &head);
	CHECK_INT(change.segment, 42);
	CHECK_INT(change.drop_count, 2);
	CHECK(change.drops[0] == drops[0] && change.drops[1] == drops[1]);
	CHECK_STRING(change.content, "content");
	CHECK(!change.is_left_out);
	/* Cut anywhere before the content, it is none. */
	for (size_t len = 0; len < CHANGE_HEAD_BYTES + 2 * VERSION_DIGITS; len++) {
		CHECK(!change_read(slice_make(text.ptr, len), &arena, &change));
	}
	/* With another byte anywhere in its numbers, it is none either. */
	for (size_t i = 0; i < CHANGE_OWN_BYTES + VERSION_DIGITS; i++) {
		char kept = text.ptr[i];
		text.ptr[i] = 'x';
		CHECK(!change_read(buf_slice(&text), &arena, &change));
		text.ptr[i] = kept;
	}
	text.ptr[CHANGE_OWN_BYTES + VERSION_DIGITS] = 'L';
	CHECK(change_read(buf_slice(&text), &arena, &change) && change.is_left_out);
	buf_finish(&text);
	arena_finish(&arena);
}

static void test_head_of_a_group(void)
{
	static const uint64_t ids[] = { 1, 2, 3 };
	struct shared_head head = sample_head();
	struct shared_change change;
	struct arena arena;
	struct buf text;
	arena_init(&arena);
	buf_init(&text, 0);
	change_write_head(&text, &head, 0, 0);
	text.len = CHANGE_OWN_BYTES;
	change_write_ids(&text, ids, 3);
	CHECK(change_read_own(buf_slice(&text), &arena, &change));
	check_head(&change.head, &head);
	CHECK_INT(change.drop_count, 3);
	CHECK_INT(change.drops[2], 3);
	CHECK(!change_read_own(slice_make(text.ptr, text.len - 1), &arena, &change));
	CHECK(!change_read_own(slice_make(text.ptr, CHANGE_OWN_BYTES - 1), &arena, &change));
	buf_finish(&text);
	arena_finish(&arena);
}

/* ---- Contents ---- */

/* A record of that group, without families. */
static void put_part(struct buf *parts, uint64_t version, const char *job)
{
	struct label label = { SLICE("job"), slice_of_string(job) };
	struct record_source source = { .key = { &label, 1 } };
	size_t part = content_begin_part(parts, version);
	record_write(parts, &source);
	content_end_part(parts, part);
}

static void check_content(size_t count)
{
	struct record_checks checks = { .native_is_right = native_is_right };
	ZSTD_CCtx *packer = ZSTD_createCCtx();
	ZSTD_DCtx *unpacker = ZSTD_createDCtx();
	struct shared_part *parts = NULL;
	size_t got = 0;
	const char *what;
	struct arena arena;
	struct buf plain;
	struct buf content;
	arena_init(&arena);
	buf_init(&plain, 0);
	buf_init(&content, 0);
	for (size_t i = 0; i < count; i++) {
		put_part(&plain, 100 + i, i % 2 == 0 ? "even" : "odd");
	}
	content_write(&content, buf_slice(&plain), packer);
	CHECK(content_read(buf_slice(&content), &checks, &arena, unpacker, &parts, &got, &what));
	CHECK_INT(got, count);
	for (size_t i = 0; i < got; i++) {
		CHECK_INT(parts[i].version, 100 + i);
		CHECK_STRING(parts[i].record.key.labels.pairs[0].value, i % 2 == 0 ? "even" : "odd");
	}
	/* Cut or changed anywhere, it is none. */
	for (size_t i = 0; i < content.len; i++) {
		struct slice cut = slice_make(content.ptr, i);
		CHECK(!content_read(cut, &checks, &arena, unpacker, &parts, &got, &what));
		content.ptr[i] ^= 0x55;
		struct slice wrong = buf_slice(&content);
		CHECK(!content_read(wrong, &checks, &arena, unpacker, &parts, &got, &what));
		content.ptr[i] ^= 0x55;
	}
	buf_finish(&content);
	buf_finish(&plain);
	arena_finish(&arena);
	ZSTD_freeCCtx(packer);
	ZSTD_freeDCtx(unpacker);
}

static void test_content_and_back(void)
{
	check_content(1);
	check_content(2);
	check_content(40); /* compressed */
}

int main(void)
{
	hash_init();
	RUN(test_name_is_the_key);
	RUN(test_no_name);
	RUN(test_digits_order_as_versions);
	RUN(test_clock_is_never_behind);
	RUN(test_clock_follows_a_server_that_changes);
	RUN(test_versions_only_rise);
	RUN(test_deadlines_cross_over);
	RUN(test_deadlines_are_not_early);
	RUN(test_change_and_back);
	RUN(test_head_of_a_group);
	RUN(test_content_and_back);
	return check_done();
}
