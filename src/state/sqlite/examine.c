#include "state/sqlite/examine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "state/sqlite/row.h"
#include "state/sqlite/schema.h"

enum {
	PROBED_PAGES = 16384, /* in which there must be something of weir */
	VERSION_AT = 60,
	APPLICATION_AT = 68,
};

/* ---- Rows ---- */

bool sqlite_is_segment(const struct sqlite_row *row)
{
	const struct sqlite_column *columns = row->columns;
	return row->column_count == 5 && row->id > 0 && columns[0].kind == SQLITE_COLUMN_NULL
			&& columns[1].kind == SQLITE_COLUMN_NUMBER && columns[2].kind == SQLITE_COLUMN_NUMBER
			&& columns[3].kind == SQLITE_COLUMN_NUMBER && columns[4].kind == SQLITE_COLUMN_BLOB;
}

bool sqlite_is_right_segment(const struct sqlite_row *row)
{
	const struct sqlite_column *columns = row->columns;
	if (!sqlite_is_segment(row) || row->is_cut || (int)columns[1].number != columns[1].number) {
		return false;
	}
	uint64_t sum = row_sum((uint64_t)row->id, (int)columns[1].number, (uint64_t)columns[2].number,
			columns[4].bytes);
	return sum == (uint64_t)columns[3].number;
}

/* ---- What of weir's is on a page ---- */

/* Of a row that says who wrote the database. */
static bool read_writer(const struct sqlite_row *row, struct sqlite_examined *examined)
{
	const struct sqlite_column *columns = row->columns;
	bool is_writer = row->column_count == 2 && columns[0].kind == SQLITE_COLUMN_TEXT
			&& slice_equal(columns[0].bytes, slice_of_string("written_by"))
			&& columns[1].kind == SQLITE_COLUMN_TEXT
			&& slice_starts_with(columns[1].bytes, slice_of_string("weir "))
			&& columns[1].bytes.len < sizeof(examined->written_by);
	if (!is_writer) {
		return false;
	}
	memcpy(examined->written_by, columns[1].bytes.ptr, columns[1].bytes.len);
	return true;
}

static bool has_ours(
		const struct sqlite_leaf *leaf, struct buf *buffer, struct sqlite_examined *examined)
{
	struct sqlite_row row;
	for (size_t i = 0; i < leaf->count; i++) {
		bool is_row = sqlite_leaf_read(leaf, i, buffer, &row);
		if (is_row && (sqlite_is_right_segment(&row) || read_writer(&row, examined))) {
			return true;
		}
	}
	return false;
}

/* Something of weir's is in it; if it is there, also who wrote it. */
static bool probe(const struct sqlite_pages *pages, enum sqlite_leaf_kind kind,
		struct sqlite_examined *examined)
{
	struct buf buffer;
	char *bytes = memory_alloc(pages->page_bytes);
	bool is_found = false;
	buf_init(&buffer, 0);
	for (uint32_t n = 1; n <= pages->count && n <= PROBED_PAGES && !is_found; n++) {
		if (sqlite_pages_read(pages, n, bytes)) {
			struct sqlite_leaf leaf = sqlite_leaf_of(pages, n, bytes);
			is_found = leaf.kind == kind && has_ours(&leaf, &buffer, examined);
		}
	}
	buf_finish(&buffer);
	free(bytes);
	return is_found;
}

/* ---- Judging ---- */

static void set(struct sqlite_examined *examined, enum sqlite_owner owner, const char *what)
{
	examined->owner = owner;
	examined->what = what;
}

/* By what is in it. */
static void judge_contents(
		const struct sqlite_pages *pages, const char *what, struct sqlite_examined *examined)
{
	bool is_ours =
			probe(pages, SQLITE_LEAF_INDEX, examined) || probe(pages, SQLITE_LEAF_ROWS, examined);
	if (is_ours) {
		set(examined, SQLITE_OWNER_DAMAGED, what);
	} else {
		set(examined, SQLITE_OWNER_FOREIGN, "it is no database of weir");
	}
}

/*
 * A newer version that this very weir is said to have written was not: the header
 * is damaged.
 */
static void judge_version(const struct sqlite_pages *pages, struct sqlite_examined *examined)
{
	if (examined->version > SQLITE_SCHEMA_VERSION) {
		probe(pages, SQLITE_LEAF_INDEX, examined);
		bool is_ours = strcmp(examined->written_by, sqlite_schema_writer) == 0;
		set(examined, is_ours ? SQLITE_OWNER_DAMAGED : SQLITE_OWNER_NEWER,
				"its header says that it is of another version");
	} else if (examined->version == 0) {
		set(examined, SQLITE_OWNER_DAMAGED, "its header does not say of what version it is");
	} else if (pages->has_broken_log) {
		set(examined, SQLITE_OWNER_DAMAGED, "its write-ahead log is damaged");
	} else {
		set(examined, SQLITE_OWNER_WEIR, NULL);
	}
}

/* Someone has made it and put nothing in. */
static bool is_empty(const struct sqlite_pages *pages, const char *bytes)
{
	struct sqlite_leaf leaf = sqlite_leaf_of(pages, 1, bytes);
	return pages->count == 1 && leaf.kind == SQLITE_LEAF_ROWS && leaf.count == 0;
}

static void judge_header(
		const struct sqlite_pages *pages, const char *bytes, struct sqlite_examined *examined)
{
	bool has_magic = sqlite_pages_has_magic(bytes);
	bool is_ours = sqlite_pages_u32(bytes + APPLICATION_AT) == SQLITE_SCHEMA_APPLICATION;
	examined->version = sqlite_pages_u32(bytes + VERSION_AT);
	if (has_magic && is_ours) {
		judge_version(pages, examined);
	} else if (is_ours) {
		set(examined, SQLITE_OWNER_DAMAGED, "its header is damaged");
	} else if (has_magic && is_empty(pages, bytes)) {
		set(examined, SQLITE_OWNER_NOBODY, NULL);
	} else {
		judge_contents(pages, "its header is damaged", examined);
	}
}

/* SQLite would remove the log of an empty file. */
static void judge(struct sqlite_pages *pages, uint64_t file_bytes, struct sqlite_examined *examined)
{
	char *bytes = memory_zalloc(1, pages->page_bytes);
	if (file_bytes > 0) {
		sqlite_pages_read(pages, 1, bytes);
		judge_header(pages, bytes, examined);
	} else if (pages->committed > 0 || pages->has_broken_log) {
		judge_contents(pages, "nothing but its write-ahead log is there", examined);
	} else {
		set(examined, SQLITE_OWNER_NOBODY, NULL);
	}
	free(bytes);
}

bool sqlite_examine(const char *path, struct sqlite_examined *ret_examined)
{
	struct stat status;
	struct sqlite_pages pages;
	bool is_there = stat(path, &status) == 0;
	if (!is_there && errno != ENOENT) {
		return false;
	}
	if (is_there && !S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : ENODEV;
		return false;
	}
	if (!sqlite_pages_open(&pages, path, false)) {
		return false;
	}
	*ret_examined = (struct sqlite_examined){ .what = NULL };
	judge(&pages, is_there ? (uint64_t)status.st_size : 0, ret_examined);
	sqlite_pages_close(&pages);
	return true;
}
