#include "state/sqlite/leaf.h"

#include <string.h>

enum {
	TYPE_INDEX = 0x0a,
	TYPE_ROWS = 0x0d,
	LEAF_HEAD_BYTES = 8,
	OVERFLOW_HEAD_BYTES = 4, /* the number of the next page */
};

/* ---- The page ---- */

static enum sqlite_leaf_kind kind_of(char type)
{
	return type == TYPE_ROWS     ? SQLITE_LEAF_ROWS
			: type == TYPE_INDEX ? SQLITE_LEAF_INDEX
								 : SQLITE_LEAF_NONE;
}

struct sqlite_leaf sqlite_leaf_of(
		const struct sqlite_pages *pages, uint32_t number, const char *bytes)
{
	struct sqlite_leaf leaf = { .pages = pages, .bytes = bytes };
	leaf.head = number == 1 ? SQLITE_HEADER_BYTES : 0;
	leaf.kind = kind_of(bytes[leaf.head]);
	leaf.count = sqlite_pages_u16(bytes + leaf.head + 3);
	bool has_room = leaf.head + LEAF_HEAD_BYTES + leaf.count * 2 <= pages->page_bytes;
	if (leaf.kind == SQLITE_LEAF_NONE || !has_room) {
		leaf.kind = SQLITE_LEAF_NONE;
		leaf.count = 0;
	}
	return leaf;
}

const char *sqlite_leaf_varint(const char *at, const char *end, uint64_t *ret_number)
{
	uint64_t number = 0;
	for (int i = 0; i < 9 && at < end; i++) {
		unsigned char byte = (unsigned char)*at++;
		if (i == 8) {
			*ret_number = number << 8 | byte;
			return at;
		}
		number = number << 7 | (byte & 0x7f);
		if ((byte & 0x80) == 0) {
			*ret_number = number;
			return at;
		}
	}
	return NULL;
}

/* ---- Where a row lies ---- */

/* Of so many bytes, those that are on the page itself. */
static size_t local_bytes(const struct sqlite_leaf *leaf, uint64_t bytes)
{
	size_t page = leaf->pages->page_bytes;
	size_t most = leaf->kind == SQLITE_LEAF_ROWS ? page - 35 : (page - 12) * 64 / 255 - 23;
	size_t least = (page - 12) * 32 / 255 - 23;
	if (bytes <= most) {
		return (size_t)bytes;
	}
	size_t some = least + (size_t)((bytes - least) % (page - OVERFLOW_HEAD_BYTES));
	return some <= most ? some : least;
}

/* Appends what is on other pages; as much of it as can be read. */
static void append_overflow(
		const struct sqlite_pages *pages, uint32_t number, uint64_t bytes, struct buf *buffer)
{
	size_t room = pages->page_bytes - OVERFLOW_HEAD_BYTES;
	while (bytes > 0) {
		buf_reserve(buffer, pages->page_bytes);
		char *page = buffer->ptr + buffer->len;
		if (!sqlite_pages_read(pages, number, page)) {
			return;
		}
		size_t some = bytes < room ? (size_t)bytes : room;
		number = sqlite_pages_u32(page);
		memmove(page, page + OVERFLOW_HEAD_BYTES, some);
		buffer->len += some;
		bytes -= some;
	}
}

/* Its bytes, from wherever they lie. */
static bool gather(const struct sqlite_leaf *leaf, size_t i, struct buf *buffer,
		struct sqlite_row *row, uint64_t *ret_bytes)
{
	size_t page_bytes = leaf->pages->page_bytes;
	const char *end = leaf->bytes + page_bytes;
	size_t start = sqlite_pages_u16(leaf->bytes + leaf->head + LEAF_HEAD_BYTES + i * 2);
	if (start < leaf->head + LEAF_HEAD_BYTES + leaf->count * 2 || start >= page_bytes) {
		return false;
	}
	uint64_t id = 0;
	const char *at = sqlite_leaf_varint(leaf->bytes + start, end, ret_bytes);
	if (at != NULL && leaf->kind == SQLITE_LEAF_ROWS) {
		at = sqlite_leaf_varint(at, end, &id);
	}
	uint64_t most = (uint64_t)leaf->pages->count * page_bytes;
	if (at == NULL || *ret_bytes > most) {
		return false;
	}
	size_t local = local_bytes(leaf, *ret_bytes);
	size_t link = local < *ret_bytes ? OVERFLOW_HEAD_BYTES : 0;
	if (local + link > (size_t)(end - at)) {
		return false;
	}
	row->id = (int64_t)id;
	buffer->len = 0;
	buf_append(buffer, slice_make(at, local));
	if (link > 0) {
		append_overflow(leaf->pages, sqlite_pages_u32(at + local), *ret_bytes - local, buffer);
	}
	return true;
}

/* ---- Its columns ---- */

static int64_t big_endian(const char *at, size_t bytes)
{
	uint64_t number = (*at & 0x80) != 0 ? UINT64_MAX : 0;
	for (size_t i = 0; i < bytes; i++) {
		number = number << 8 | (unsigned char)at[i];
	}
	return (int64_t)number;
}

/* The bytes that a column of that type takes. False: there is no such type. */
static bool size_of_type(uint64_t type, uint64_t *ret_bytes)
{
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };
	if (type < sizeof(sizes)) {
		*ret_bytes = sizes[type];
		return true;
	}
	*ret_bytes = (type - 12) / 2;
	return type >= 12;
}

static struct sqlite_column read_column(uint64_t type, struct slice bytes)
{
	struct sqlite_column column = { .bytes = bytes };
	if (type >= 12) {
		column.kind = type % 2 == 0 ? SQLITE_COLUMN_BLOB : SQLITE_COLUMN_TEXT;
	} else if (type != 0 && type != 7) {
		column.kind = SQLITE_COLUMN_NUMBER;
		column.number = type >= 8 ? (int64_t)type - 8 : big_endian(bytes.ptr, bytes.len);
	}
	return column;
}

/* Only the last one's bytes may be cut. */
static bool read_columns(struct slice row, uint64_t bytes, struct sqlite_row *ret_row)
{
	uint64_t head;
	const char *at = row.len == 0 ? NULL : sqlite_leaf_varint(row.ptr, row.ptr + row.len, &head);
	if (at == NULL || head > row.len) {
		return false;
	}
	const char *head_end = row.ptr + head;
	uint64_t offset = head;
	ret_row->column_count = 0;
	while (at < head_end) {
		uint64_t type;
		uint64_t size;
		at = sqlite_leaf_varint(at, head_end, &type);
		bool is_type = at != NULL && size_of_type(type, &size) && size <= bytes - offset;
		if (!is_type || ret_row->column_count == SQLITE_COLUMNS_MAX || offset > row.len) {
			return false;
		}
		size_t left = row.len - (size_t)offset;
		if (size > left && type < 12) {
			return false;
		}
		struct slice value = slice_make(row.ptr + offset, size < left ? (size_t)size : left);
		ret_row->columns[ret_row->column_count++] = read_column(type, value);
		offset += size;
	}
	return at == head_end && offset == bytes;
}

bool sqlite_leaf_read(
		const struct sqlite_leaf *leaf, size_t i, struct buf *buffer, struct sqlite_row *ret_row)
{
	uint64_t bytes;
	if (i >= leaf->count || !gather(leaf, i, buffer, ret_row, &bytes)) {
		return false;
	}
	ret_row->is_cut = buffer->len < bytes;
	return read_columns(buf_slice(buffer), bytes, ret_row);
}
