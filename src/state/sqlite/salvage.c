#include "state/sqlite/salvage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "state/sqlite/draft.h"
#include "state/sqlite/examine.h"
#include "state/sqlite/floor.h"
#include "state/sqlite/keep.h"

struct salvage {
	struct sqlite_draft draft;
	sqlite3_stmt *put_segment;
	sqlite3_stmt *put_aside;
	sqlite3_stmt *put_meta;
	int64_t floor;     /* rows with lower numbers were deleted */
	bool is_for_wrong; /* only rows with a wrong checksum are still to be saved */
	bool has_wrong;    /* there are such */
	bool has_failed;   /* the new one cannot be written */
	struct buf buffer;
	struct sqlite_salvaged *salvaged;
};

/* ---- Rows ---- */

static void bind(sqlite3_stmt *statement, int place, const struct sqlite_column *column)
{
	const char *ptr = column->bytes.len > 0 ? column->bytes.ptr : "";
	switch (column->kind) {
	case SQLITE_COLUMN_NULL:
		sqlite3_bind_null(statement, place);
		break;
	case SQLITE_COLUMN_NUMBER:
		sqlite3_bind_int64(statement, place, column->number);
		break;
	case SQLITE_COLUMN_BLOB:
		sqlite3_bind_blob64(statement, place, ptr, column->bytes.len, SQLITE_STATIC);
		break;
	case SQLITE_COLUMN_TEXT:
		sqlite3_bind_text64(statement, place, ptr, column->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
		break;
	}
}

/*
 * The row's id is the first parameter, its columns from that one on follow. 1: it
 * was put in; 0: there is one already, or it is none that the table takes.
 */
static uint64_t put(struct salvage *salvage, sqlite3_stmt *statement, const struct sqlite_row *row,
		size_t first)
{
	int place = 1;
	sqlite3_bind_int64(statement, place, row->id);
	for (size_t i = first; i < row->column_count; i++) {
		bind(statement, ++place, &row->columns[i]);
	}
	int result = sqlite3_step(statement);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	salvage->has_failed |= result != SQLITE_DONE && (result & 0xff) != SQLITE_CONSTRAINT;
	return result == SQLITE_DONE && sqlite3_changes(salvage->draft.db) > 0;
}

static bool is_aside(const struct sqlite_row *row)
{
	const struct sqlite_column *columns = row->columns;
	return row->column_count == 7 && !row->is_cut && row->id > 0
			&& columns[0].kind == SQLITE_COLUMN_NUMBER && columns[4].kind == SQLITE_COLUMN_BLOB
			&& columns[5].kind == SQLITE_COLUMN_TEXT && columns[6].kind == SQLITE_COLUMN_TEXT;
}

static bool is_meta(const struct sqlite_row *row)
{
	return row->column_count == 2 && !row->is_cut && row->columns[0].kind == SQLITE_COLUMN_TEXT;
}

static void save_segment(struct salvage *salvage, const struct sqlite_row *row)
{
	bool is_wrong = !sqlite_is_right_segment(row);
	if (is_wrong != salvage->is_for_wrong) {
		salvage->has_wrong |= is_wrong;
	} else if (is_wrong) {
		salvage->salvaged->rows_wrong += put(salvage, salvage->put_segment, row, 1);
	} else {
		salvage->salvaged->rows += put(salvage, salvage->put_segment, row, 1);
	}
}

static void save_row(
		struct salvage *salvage, enum sqlite_leaf_kind kind, const struct sqlite_row *row)
{
	if (kind == SQLITE_LEAF_INDEX && is_meta(row)) {
		put(salvage, salvage->put_meta, row, 0);
	} else if (kind == SQLITE_LEAF_ROWS && is_aside(row)) {
		put(salvage, salvage->put_aside, row, 0);
	} else if (kind == SQLITE_LEAF_ROWS && sqlite_is_segment(row) && row->id >= salvage->floor) {
		save_segment(salvage, row);
	}
}

/* ---- Pages ---- */

static void save_page(struct salvage *salvage, const struct sqlite_pages *pages, uint32_t number,
		const char *bytes)
{
	struct sqlite_leaf leaf = sqlite_leaf_of(pages, number, bytes);
	struct sqlite_row row;
	for (size_t i = 0; i < leaf.count && !salvage->has_failed; i++) {
		if (sqlite_leaf_read(&leaf, i, &salvage->buffer, &row)) {
			save_row(salvage, leaf.kind, &row);
		}
	}
}

static void save_pages(struct salvage *salvage, const struct sqlite_pages *pages)
{
	char *bytes = memory_alloc(pages->page_bytes);
	uint64_t unreadable = 0;
	for (uint32_t number = 1; number <= pages->count && !salvage->has_failed; number++) {
		if (sqlite_pages_read(pages, number, bytes)) {
			save_page(salvage, pages, number, bytes);
		} else {
			unreadable++;
		}
	}
	salvage->salvaged->pages_unreadable = unreadable;
	free(bytes);
}

/*
 * What was committed behind a damaged frame. It may also be what is left of commits
 * that failed; therefore it only adds to what SQLite would find.
 */
static void save_frames(struct salvage *salvage, const struct sqlite_pages *beyond)
{
	char *bytes = memory_alloc(beyond->page_bytes);
	for (size_t i = beyond->beyond_count; i > 0 && !salvage->has_failed; i--) {
		const struct sqlite_frame *frame = &beyond->beyond[i - 1];
		if (sqlite_pages_read_frame(beyond, frame, bytes)) {
			save_page(salvage, beyond, frame->page, bytes);
		}
	}
	free(bytes);
}

/* Those with wrong checksums come last, so that no right one finds its place taken. */
static void save_all(struct salvage *salvage, const struct sqlite_pages *pages,
		const struct sqlite_pages *beyond)
{
	salvage->floor = sqlite_floor_find(pages);
	salvage->salvaged->pages = pages->count;
	save_pages(salvage, pages);
	if (pages->has_broken_log) {
		save_frames(salvage, beyond);
	}
	if (salvage->has_wrong) {
		salvage->is_for_wrong = true;
		save_pages(salvage, pages);
	}
}

/* ---- The new database ---- */

static bool prepare(struct salvage *salvage, const char *text, sqlite3_stmt **ret_statement)
{
	return sqlite3_prepare_v2(salvage->draft.db, text, -1, ret_statement, NULL) == SQLITE_OK;
}

static bool begin(struct salvage *salvage)
{
	return prepare(salvage, "INSERT OR IGNORE INTO segment VALUES (?1, ?2, ?3, ?4, ?5)",
				   &salvage->put_segment)
			&& prepare(salvage,
					"INSERT OR IGNORE INTO aside (rowid, number, kind, grp, sum, data, reason, "
					"set_aside) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
					&salvage->put_aside)
			&& prepare(salvage, "INSERT OR IGNORE INTO meta VALUES (?2, ?3)", &salvage->put_meta);
}

static void end(struct salvage *salvage)
{
	sqlite3_finalize(salvage->put_segment);
	sqlite3_finalize(salvage->put_aside);
	sqlite3_finalize(salvage->put_meta);
	buf_finish(&salvage->buffer);
}

static bool make(const char *path, const struct sqlite_pages *pages,
		const struct sqlite_pages *beyond, struct sqlite_salvaged *salvaged, struct buf *reterr_why)
{
	struct salvage salvage = { .salvaged = salvaged };
	if (!sqlite_draft_begin(&salvage.draft, path, reterr_why)) {
		return false;
	}
	buf_init(&salvage.buffer, 0);
	bool is_made = begin(&salvage);
	if (is_made) {
		save_all(&salvage, pages, beyond);
		is_made = !salvage.has_failed;
	}
	if (!is_made) {
		buf_printf(
				reterr_why, "cannot write the new database: %s", sqlite3_errmsg(salvage.draft.db));
	}
	end(&salvage);
	if (!is_made) {
		sqlite_draft_abandon(&salvage.draft);
		return false;
	}
	return sqlite_draft_commit(&salvage.draft, reterr_why);
}

/* ---- The whole ---- */

static bool fail(const char *path, struct buf *reterr_why)
{
	buf_printf(reterr_why, "cannot read %s: %s", path, strerror(errno));
	return false;
}

static bool make_from_kept(
		const char *path, struct sqlite_salvaged *salvaged, struct buf *reterr_why)
{
	struct sqlite_pages pages;
	struct sqlite_pages beyond;
	if (!sqlite_pages_open(&pages, salvaged->kept, false)) {
		return fail(salvaged->kept, reterr_why);
	}
	if (!sqlite_pages_open(&beyond, salvaged->kept, true)) {
		sqlite_pages_close(&pages);
		return fail(salvaged->kept, reterr_why);
	}
	bool is_made = make(path, &pages, &beyond, salvaged, reterr_why);
	sqlite_pages_close(&pages);
	sqlite_pages_close(&beyond);
	return is_made;
}

static bool salvage_resolved(
		const char *path, struct sqlite_salvaged *ret_salvaged, struct buf *reterr_why)
{
	struct sqlite_salvaged salvaged = { .kept = NULL };
	if (!sqlite_keep(path, &salvaged.kept, reterr_why)) {
		return false;
	}
	if (!make_from_kept(path, &salvaged, reterr_why) || !sqlite_keep_end(path, reterr_why)) {
		sqlite_salvaged_finish(&salvaged);
		return false;
	}
	*ret_salvaged = salvaged;
	return true;
}

bool sqlite_salvage(const char *path, struct sqlite_salvaged *ret_salvaged, struct buf *reterr_why)
{
	char *resolved = path_resolve(path);
	if (resolved == NULL) {
		return fail(path, reterr_why);
	}
	bool is_salvaged = salvage_resolved(resolved, ret_salvaged, reterr_why);
	free(resolved);
	return is_salvaged;
}

void sqlite_salvaged_finish(struct sqlite_salvaged *salvaged)
{
	free(salvaged->kept);
}
