/*
 * What replicas read from Redis, the first byte says what:
 *
 *     n  the name of a group
 *     c  a change        h  a group's head
 *     f  content         p  its parts, which get their checksum here; z: and are compressed
 *
 * Reading ends, and what was taken is the same when it is written and read again.
 */

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "format/protobuf_native.h"
#include "state/redis/change.h"
#include "state/redis/group_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct record_checks checks = { .native_is_right = native_is_right };

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static void try_name(struct slice name, struct arena *arena)
{
	struct group_key key;
	struct group_key again;
	struct buf text;
	if (!group_name_read(name, arena, &key)) {
		return;
	}
	buf_init(&text, 0);
	group_name_append(&text, &key.labels);
	expect(group_name_read(buf_slice(&text), arena, &again), "its own name is none");
	expect(group_key_equal(&key, &again), "the name is another group's");
	buf_finish(&text);
}

static void check_same(const struct shared_change *a, const struct shared_change *b)
{
	expect(memcmp(&a->head, &b->head, sizeof(a->head)) == 0, "another head");
	expect(a->segment == b->segment, "another segment");
	expect(a->drop_count == b->drop_count, "another number of drops");
	expect(memcmp(a->drops, b->drops, a->drop_count * sizeof(*a->drops)) == 0, "other drops");
	expect(slice_equal(a->content, b->content), "other content");
}

static void try_change(struct slice given, struct arena *arena)
{
	struct shared_change change;
	struct shared_change again;
	struct buf text;
	if (!change_read(given, arena, &change)) {
		return;
	}
	buf_init(&text, 0);
	change_write_head(&text, &change.head, change.segment, change.drop_count);
	change_write_ids(&text, change.drops, change.drop_count);
	buf_append(&text, change.content);
	expect(change_read(buf_slice(&text), arena, &again), "its own change is none");
	check_same(&change, &again);
	buf_finish(&text);
}

static void try_own(struct slice given, struct arena *arena)
{
	struct shared_change change;
	struct shared_change again;
	struct buf text;
	if (!change_read_own(given, arena, &change)) {
		return;
	}
	buf_init(&text, 0);
	change_write_head(&text, &change.head, 0, 0);
	text.len = CHANGE_OWN_BYTES;
	change_write_ids(&text, change.drops, change.drop_count);
	expect(slice_equal(buf_slice(&text), given), "the head is written otherwise");
	expect(change_read_own(buf_slice(&text), arena, &again), "its own head is none");
	check_same(&change, &again);
	buf_finish(&text);
}

static void try_content(struct slice content, struct arena *arena)
{
	const char *what = NULL;
	size_t count = 0;
	struct shared_part *parts = NULL;
	struct ZSTD_DCtx_s *zstd = ZSTD_createDCtx();
	if (!content_read(content, &checks, arena, zstd, &parts, &count, &what)) {
		expect(what != NULL, "it is not said why");
	}
	for (size_t i = 0; i < count; i++) {
		expect(parts[i].record.key.labels.count > 0, "a record without a key");
	}
	ZSTD_freeDCtx(zstd);
}

static void try_parts(struct slice parts, bool is_packed, struct arena *arena)
{
	struct buf content;
	buf_init(&content, 0);
	if (is_packed) {
		struct ZSTD_CCtx_s *zstd = ZSTD_createCCtx();
		content_write(&content, parts, zstd);
		ZSTD_freeCCtx(zstd);
	} else {
		uint64_t sum = htole64(checksum64(parts, 0));
		buf_append_byte(&content, '\0');
		buf_append(&content, slice_make((const char *)&sum, sizeof(sum)));
		buf_append(&content, parts);
	}
	try_content(buf_slice(&content), arena);
	buf_finish(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct arena arena;
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	if (size == 0) {
		return 0;
	}
	struct slice rest = slice_make((const char *)data + 1, size - 1);
	arena_init(&arena);
	switch (data[0]) {
	case 'n':
		try_name(rest, &arena);
		break;
	case 'c':
		try_change(rest, &arena);
		break;
	case 'h':
		try_own(rest, &arena);
		break;
	case 'f':
		try_content(rest, &arena);
		break;
	default:
		try_parts(rest, data[0] == 'z', &arena);
		break;
	}
	arena_finish(&arena);
	return 0;
}
