#include "state/redis/change.h"

#include <endian.h>
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "state/redis/version.h"

enum {
	FLAG_PACKED = 1,
	PACK_BYTES_MIN = 512,
	CONTENT_HEAD_BYTES = 9,
	PART_HEAD_BYTES = 12,
	CONTENT_BYTES_MAX = 1 << 30,
	DROPS_DIGITS = 4,
};

/* ---- Heads ---- */

void change_write_head(
		struct buf *out, const struct shared_head *head, uint64_t segment, size_t drops)
{
	const uint64_t numbers[] = {
		head->floor,
		head->push,
		head->deadline,
		head->failure,
		(uint64_t)head->times.pushed_ns,
		(uint64_t)head->times.failed_ns,
		(uint64_t)head->since_ns,
		segment,
	};
	char text[CHANGE_HEAD_BYTES];
	char *at = text;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		at = version_write(at, numbers[i]);
	}
	*at++ = '-';
	char digits[VERSION_DIGITS];
	version_write(digits, drops);
	memcpy(at, digits + VERSION_DIGITS - DROPS_DIGITS, DROPS_DIGITS);
	buf_append(out, slice_make(text, sizeof(text)));
}

void change_write_ids(struct buf *out, const uint64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char digits[VERSION_DIGITS];
		version_write(digits, ids[i]);
		buf_append(out, slice_make(digits, sizeof(digits)));
	}
}

/* A Unix time as pages can show it. */
static bool read_time(const char *digits, int64_t *ret_ns)
{
	uint64_t ns;
	bool is_good = version_read(digits, &ns) && ns <= INT64_MAX;
	*ret_ns = is_good ? (int64_t)ns : 0;
	return is_good;
}

static bool read_own(const char *at, struct shared_head *ret_head)
{
	return version_read(at, &ret_head->floor) && version_read(at + 16, &ret_head->push)
			&& version_read(at + 32, &ret_head->deadline)
			&& version_read(at + 48, &ret_head->failure)
			&& read_time(at + 64, &ret_head->times.pushed_ns)
			&& read_time(at + 80, &ret_head->times.failed_ns)
			&& read_time(at + 96, &ret_head->since_ns);
}

static bool read_ids(const char *at, size_t count, struct arena *arena, uint64_t **ret_ids)
{
	*ret_ids = arena_alloc(arena, (count + 1) * sizeof(**ret_ids));
	for (size_t i = 0; i < count; i++) {
		if (!version_read(at + i * VERSION_DIGITS, &(*ret_ids)[i])) {
			return false;
		}
	}
	return true;
}

static bool read_drop_count(const char *at, size_t *ret_count)
{
	char digits[VERSION_DIGITS];
	uint64_t count;
	memset(digits, '0', sizeof(digits));
	memcpy(digits + VERSION_DIGITS - DROPS_DIGITS, at, DROPS_DIGITS);
	if (!version_read(digits, &count)) {
		return false;
	}
	*ret_count = (size_t)count;
	return true;
}

bool change_read(struct slice text, struct arena *arena, struct shared_change *ret_change)
{
	struct shared_change change = { 0 };
	if (text.len < CHANGE_HEAD_BYTES || !read_own(text.ptr, &change.head)
			|| !version_read(text.ptr + CHANGE_OWN_BYTES, &change.segment)
			|| !read_drop_count(text.ptr + CHANGE_HEAD_BYTES - DROPS_DIGITS, &change.drop_count)) {
		return false;
	}
	size_t content_at = CHANGE_HEAD_BYTES + change.drop_count * VERSION_DIGITS;
	if (text.len < content_at
			|| !read_ids(text.ptr + CHANGE_HEAD_BYTES, change.drop_count, arena, &change.drops)) {
		return false;
	}
	change.is_left_out = text.ptr[CHANGE_OWN_BYTES + VERSION_DIGITS] == 'L';
	change.content = slice_skip(text, content_at);
	*ret_change = change;
	return true;
}

bool change_read_own(struct slice text, struct arena *arena, struct shared_change *ret_change)
{
	struct shared_change change = { 0 };
	if (text.len < CHANGE_OWN_BYTES || (text.len - CHANGE_OWN_BYTES) % VERSION_DIGITS != 0
			|| !read_own(text.ptr, &change.head)) {
		return false;
	}
	change.drop_count = (text.len - CHANGE_OWN_BYTES) / VERSION_DIGITS;
	if (!read_ids(text.ptr + CHANGE_OWN_BYTES, change.drop_count, arena, &change.drops)) {
		return false;
	}
	*ret_change = change;
	return true;
}

/* ---- Writing content ---- */

size_t content_begin_part(struct buf *parts, uint64_t version)
{
	size_t part = parts->len;
	uint64_t bytes = htole64(version);
	buf_append(parts, slice_make((const char *)&bytes, sizeof(bytes)));
	buf_append(parts, slice_make("\0\0\0\0", sizeof(uint32_t)));
	return part;
}

void content_end_part(struct buf *parts, size_t part)
{
	uint32_t len = htole32((uint32_t)(parts->len - part - PART_HEAD_BYTES));
	memcpy(parts->ptr + part + sizeof(uint64_t), &len, sizeof(len));
}

static void append_content_head(struct buf *out, char flags, struct slice parts)
{
	uint64_t sum = htole64(checksum64(parts, 0));
	buf_append_byte(out, flags);
	buf_append(out, slice_make((const char *)&sum, sizeof(sum)));
}

void content_write(struct buf *out, struct slice parts, struct ZSTD_CCtx_s *zstd)
{
	size_t start = out->len;
	append_content_head(out, FLAG_PACKED, parts);
	if (parts.len >= PACK_BYTES_MIN) {
		size_t room = ZSTD_compressBound(parts.len);
		buf_reserve(out, room);
		size_t len = ZSTD_compress2(zstd, out->ptr + out->len, room, parts.ptr, parts.len);
		if (!ZSTD_isError(len) && len < parts.len) {
			out->len += len;
			return;
		}
	}
	out->ptr[start] = 0;
	buf_append(out, parts);
}

/* ---- Reading content ---- */

static bool unpack(
		struct slice packed, struct arena *arena, struct ZSTD_DCtx_s *zstd, struct slice *ret_parts)
{
	unsigned long long bytes = ZSTD_getFrameContentSize(packed.ptr, packed.len);
	if (bytes == ZSTD_CONTENTSIZE_ERROR || bytes == ZSTD_CONTENTSIZE_UNKNOWN
			|| bytes > CONTENT_BYTES_MAX) {
		return false;
	}
	char *plain = arena_text(arena, bytes + 1);
	size_t got = ZSTD_decompressDCtx(zstd, plain, bytes, packed.ptr, packed.len);
	*ret_parts = slice_make(plain, bytes);
	return !ZSTD_isError(got) && got == bytes;
}

static bool open_content(struct slice content, struct arena *arena, struct ZSTD_DCtx_s *zstd,
		struct slice *ret_parts, const char **reterr_what)
{
	uint64_t sum;
	*reterr_what = "it is no content that this weir knows";
	if (content.len < CONTENT_HEAD_BYTES || (content.ptr[0] & ~FLAG_PACKED) != 0) {
		return false;
	}
	memcpy(&sum, content.ptr + 1, sizeof(sum));
	*ret_parts = slice_skip(content, CONTENT_HEAD_BYTES);
	*reterr_what = "it cannot be decompressed";
	if (content.ptr[0] == FLAG_PACKED && !unpack(*ret_parts, arena, zstd, ret_parts)) {
		return false;
	}
	*reterr_what = "its checksum is wrong";
	return checksum64(*ret_parts, 0) == le64toh(sum);
}

/* The record of the next part; *parts moves behind it. */
static bool next_part(struct slice *parts, uint64_t *ret_version, struct slice *ret_record)
{
	uint64_t version;
	uint32_t len;
	if (parts->len < PART_HEAD_BYTES) {
		return false;
	}
	memcpy(&version, parts->ptr, sizeof(version));
	memcpy(&len, parts->ptr + sizeof(version), sizeof(len));
	len = le32toh(len);
	*parts = slice_skip(*parts, PART_HEAD_BYTES);
	if (parts->len < len) {
		return false;
	}
	*ret_version = le64toh(version);
	*ret_record = slice_make(parts->ptr, len);
	*parts = slice_skip(*parts, len);
	return true;
}

bool content_read(struct slice content, const struct record_checks *checks, struct arena *arena,
		struct ZSTD_DCtx_s *zstd, struct shared_part **ret_parts, size_t *ret_count,
		const char **reterr_what)
{
	struct slice left;
	struct slice record;
	struct shared_part *parts = NULL;
	size_t count = 0;
	if (!open_content(content, arena, zstd, &left, reterr_what)) {
		return false;
	}
	while (left.len > 0) {
		if ((count & (count - 1)) == 0) {
			size_t capacity = count == 0 ? 1 : count * 2;
			parts = arena_grow(arena, parts, count * sizeof(*parts), capacity * sizeof(*parts));
		}
		*reterr_what = "its parts are cut";
		struct shared_part *part = &parts[count++];
		if (!next_part(&left, &part->version, &record)
				|| record_read(record, checks, arena, &part->record, reterr_what) != RECORD_OK) {
			return false;
		}
	}
	*ret_parts = parts;
	*ret_count = count;
	return true;
}
