#include "state/sqlite/commit.h"

#include <stdio.h>
#include <zstd.h>

#include "base/memory.h"

enum {
	PACKED_BYTES_MIN = 1024, /* smaller records are stored as they are */
	PACKED_LEVEL = 1,
	DELETE_COUNT = 512,         /* rows deleted at once, at least: pages are written as a whole */
	DELETE_BYTES = 1024 * 1024, /* or fewer, after so much was written: they may be large */
	DELETE_FACTOR = 2,          /* and so many more for each that is written */
	DELETE_IDLE_COUNT = 4096,
};

/* ---- Statements ---- */

static bool prepare(struct sqlite_commit *commit, const char *text, sqlite3_stmt **ret_statement)
{
	int result = sqlite3_prepare_v3(
			commit->db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
	return result == SQLITE_OK;
}

static bool prepare_all(struct sqlite_commit *commit)
{
	return prepare(commit, "BEGIN IMMEDIATE", &commit->begin)
			&& prepare(commit, "COMMIT", &commit->end) && prepare(commit, "ROLLBACK", &commit->undo)
			&& prepare(commit,
					"INSERT INTO segment (number, kind, grp, sum, data) VALUES (?, ?, ?, ?, ?)",
					&commit->insert)
			&& prepare(commit, "DELETE FROM segment WHERE number < ?", &commit->delete_some)
			&& prepare(commit, "INSERT OR REPLACE INTO meta (name, value) VALUES ('clock', ?)",
					&commit->set_clock);
}

static void keep_fault(struct sqlite_commit *commit)
{
	commit->fault = sqlite3_extended_errcode(commit->db);
	snprintf(commit->why, sizeof(commit->why), "%s", sqlite3_errmsg(commit->db));
}

/* The lowest and the highest number that there are. */
static bool find_rows(struct sqlite_commit *commit)
{
	sqlite3_stmt *statement;
	if (!prepare(commit,
				"SELECT (SELECT min(number) FROM segment), (SELECT max(number) FROM segment)",
				&statement)) {
		return false;
	}
	bool is_read = sqlite3_step(statement) == SQLITE_ROW;
	commit->deleted = is_read ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	commit->floor = commit->deleted;
	commit->last = is_read ? (uint64_t)sqlite3_column_int64(statement, 1) : 0;
	sqlite3_finalize(statement);
	return is_read;
}

bool sqlite_commit_init(struct sqlite_commit *commit, sqlite3 *db)
{
	/* How much the weir before has left to be deleted is not known: it is looked at soon. */
	*commit = (struct sqlite_commit){ .db = db, .data_bytes = DELETE_BYTES };
	buf_init(&commit->record, 0);
	buf_init(&commit->packed, 0);
	commit->zstd = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(commit->zstd, ZSTD_c_compressionLevel, PACKED_LEVEL);
	if (!prepare_all(commit) || !find_rows(commit)) {
		keep_fault(commit);
		return false;
	}
	return true;
}

void sqlite_commit_finish(struct sqlite_commit *commit)
{
	sqlite3_stmt *statements[] = { commit->begin, commit->end, commit->undo, commit->insert,
		commit->delete_some, commit->set_clock };
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		sqlite3_finalize(statements[i]);
	}
	ZSTD_freeCCtx(commit->zstd);
	buf_finish(&commit->record);
	buf_finish(&commit->packed);
}

/* Without rows to be read. */
static bool run(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);
	sqlite3_reset(statement);
	return result == SQLITE_DONE;
}

/* ---- Rows ---- */

/* The record, compressed where that saves something. *kind gets a flag then. */
static struct slice pack_record(struct sqlite_commit *commit, int *kind)
{
	struct slice record = buf_slice(&commit->record);
	if (record.len < PACKED_BYTES_MIN) {
		return record;
	}
	struct buf *packed = &commit->packed;
	packed->len = 0;
	buf_reserve(packed, ZSTD_compressBound(record.len));
	size_t bytes = ZSTD_compress2(
			commit->zstd, packed->ptr, ZSTD_compressBound(record.len), record.ptr, record.len);
	if (ZSTD_isError(bytes) || bytes >= record.len) {
		return record;
	}
	*kind |= ROW_PACKED;
	return slice_make(packed->ptr, bytes);
}

static bool insert(struct sqlite_commit *commit, struct change *change)
{
	int kind = (int)change->kind;
	struct slice data = slice_make("", 0);
	if (change->kind != CHANGE_WIPE) {
		commit->record.len = 0;
		record_write(&commit->record, &change->source);
		data = pack_record(commit, &kind);
	}
	uint64_t sum = row_sum(change->number, kind, change->grp, data);
	sqlite3_bind_int64(commit->insert, 1, (sqlite3_int64)change->number);
	sqlite3_bind_int(commit->insert, 2, kind);
	sqlite3_bind_int64(commit->insert, 3, (sqlite3_int64)change->grp);
	sqlite3_bind_int64(commit->insert, 4, (sqlite3_int64)sum);
	sqlite3_bind_blob64(commit->insert, 5, data.ptr, data.len, SQLITE_STATIC);
	commit->data_bytes += data.len;
	commit->last = change->number;
	return run(commit->insert);
}

/* As many as are worth it, or large ones. */
static bool is_deleting_due(const struct sqlite_commit *commit)
{
	uint64_t left = commit->floor - commit->deleted;
	bool is_much = commit->data_bytes - commit->swept_bytes >= DELETE_BYTES;
	return left >= DELETE_COUNT || (left > 0 && is_much);
}

/* Numbers are nearly dense, so a range of so many is at most so many rows. */
static bool delete_below_floor(struct sqlite_commit *commit, uint64_t count, uint64_t *ret_deleted)
{
	uint64_t left = commit->floor - commit->deleted;
	*ret_deleted = commit->deleted + (count < left ? count : left);
	if (!is_deleting_due(commit)) {
		*ret_deleted = commit->deleted;
		return true;
	}
	sqlite3_bind_int64(commit->delete_some, 1, (sqlite3_int64)*ret_deleted);
	return run(commit->delete_some);
}

static bool write_clock(struct sqlite_commit *commit, const struct state_clock *clock)
{
	char bytes[ROW_CLOCK_BYTES];
	if (clock == NULL) {
		return true;
	}
	row_put_clock(clock, bytes);
	sqlite3_bind_blob(commit->set_clock, 1, bytes, sizeof(bytes), SQLITE_STATIC);
	return run(commit->set_clock);
}

/* ---- Transactions ---- */

/* A statement that failed may have ended it already. */
static void undo(struct sqlite_commit *commit)
{
	keep_fault(commit);
	if (!sqlite3_get_autocommit(commit->db)) {
		run(commit->undo);
	}
}

static bool write_changes(struct sqlite_commit *commit, const struct change_set *set)
{
	LIST_EACH (link, &set->changes) {
		if (!insert(commit, LIST_ENTRY(link, struct change, link))) {
			return false;
		}
	}
	return true;
}

static void take_deleted(struct sqlite_commit *commit, uint64_t deleted)
{
	bool is_swept = deleted == commit->floor && deleted > commit->deleted;
	commit->deleted = deleted;
	commit->swept_bytes = is_swept ? commit->data_bytes : commit->swept_bytes;
}

static void raise_floor(struct sqlite_commit *commit, uint64_t floor)
{
	floor = floor < commit->last ? floor : commit->last;
	commit->floor = floor > commit->floor ? floor : commit->floor;
}

bool sqlite_commit_set(
		struct sqlite_commit *commit, const struct change_set *set, const struct state_clock *clock)
{
	uint64_t deleted;
	uint64_t floor = commit->floor;
	uint64_t last = commit->last;
	bool is_written = run(commit->begin) && write_changes(commit, set);
	raise_floor(commit, set->floor);
	bool is_done = is_written
			&& delete_below_floor(commit, DELETE_FACTOR * set->count + DELETE_COUNT, &deleted)
			&& write_clock(commit, clock) && run(commit->end);
	if (!is_done) {
		undo(commit);
		commit->floor = floor;
		commit->last = last;
		return false;
	}
	take_deleted(commit, deleted);
	return true;
}

bool sqlite_commit_has_dead(const struct sqlite_commit *commit)
{
	return is_deleting_due(commit);
}

bool sqlite_commit_delete_some(struct sqlite_commit *commit)
{
	uint64_t deleted;
	bool is_done = run(commit->begin) && delete_below_floor(commit, DELETE_IDLE_COUNT, &deleted)
			&& run(commit->end);
	if (!is_done) {
		undo(commit);
		return false;
	}
	take_deleted(commit, deleted);
	return true;
}
