#include "state/sqlite/load.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "state/boot.h"
#include "state/change_set.h"
#include "state/sqlite/aside.h"
#include "state/sqlite/build.h"
#include "state/sqlite/file.h"

enum { UNIT_BYTES = 256 * 1024 };

/* A push to a group whose whole row is to come. */
struct held_row {
	struct list link;
	struct sqlite_row row; /* with data of its own, behind this */
};

struct held_group {
	struct map_node node; /* by its number */
	struct list link;
	uint64_t grp;
	struct list rows; // held_row::link, oldest first
};

/* ---- Units ---- */

static bool send_unit(struct sqlite_load *load, struct loaded_unit **unit)
{
	struct loaded_unit *sent = *unit;
	*unit = NULL;
	if (sent == NULL) {
		return true;
	}
	sent->rows = load->rows;
	return load->on_unit(load->data, sent);
}

static bool send_if_full(struct sqlite_load *load)
{
	return load->unit == NULL || load->unit->bytes < UNIT_BYTES || send_unit(load, &load->unit);
}

/* ---- Rows ---- */

static struct held_group *find_held(const struct sqlite_load *load, uint64_t grp)
{
	for (struct map_node *node = map_first(&load->held, grp); node != NULL;
			node = map_next(node, grp)) {
		struct held_group *held = MAP_ENTRY(node, struct held_group, node);
		if (held->grp == grp) {
			return held;
		}
	}
	return NULL;
}

static void hold(struct sqlite_load *load, const struct sqlite_row *row)
{
	struct held_group *group = find_held(load, row->grp);
	if (group == NULL) {
		group = memory_zalloc(1, sizeof(*group));
		group->grp = row->grp;
		list_init(&group->rows);
		map_insert(&load->held, &group->node, row->grp);
		list_append(&load->held_groups, &group->link);
	}
	struct held_row *held = memory_alloc(sizeof(*held) + row->data.len);
	held->row = *row;
	held->row.data.ptr = (char *)(held + 1);
	if (row->data.len > 0) {
		memcpy(held + 1, row->data.ptr, row->data.len);
	}
	list_append(group->rows.next, &held->link); /* in front: rows come newest first */
}

static void drop_held(struct sqlite_load *load, struct held_group *group)
{
	LIST_EACH (link, &group->rows) {
		free(LIST_ENTRY(link, struct held_row, link));
	}
	map_remove(&load->held, &group->node);
	list_remove(&group->link);
	free(group);
}

/* The group from its first row, NULL if there is none, and those that were held. */
static bool build(struct sqlite_load *load, const struct sqlite_row *whole, struct held_group *held)
{
	struct sqlite_building b;
	uint64_t grp = whole != NULL ? whole->grp : held->grp;
	sqlite_build_begin(load, &b, grp, whole != NULL ? whole->number : 0);
	if (whole != NULL) {
		sqlite_build_add(load, &b, whole);
	} else {
		b.group->base = LIST_ENTRY(list_first(&held->rows), struct held_row, link)->row.number;
	}
	if (held != NULL) {
		LIST_EACH (link, &held->rows) {
			sqlite_build_add(load, &b, &LIST_ENTRY(link, struct held_row, link)->row);
		}
		drop_held(load, held);
	}
	sqlite_build_end(load, &b);
	return send_if_full(load);
}

static bool take_row(struct sqlite_load *load, const struct sqlite_row *row)
{
	struct held_group *held;
	switch (row->kind & ~ROW_PACKED) {
	case CHANGE_WHOLE:
		grp_set_add(&load->done, row->grp);
		return build(load, row, find_held(load, row->grp));
	case CHANGE_PUSH:
		hold(load, row);
		return true;
	case CHANGE_GONE:
		grp_set_add(&load->done, row->grp);
		held = find_held(load, row->grp);
		return held == NULL || build(load, NULL, held);
	default:
		sqlite_build_report(load, row, row->data, "it is of no known kind");
		return true;
	}
}

static struct sqlite_row read_row(sqlite3_stmt *statement, uint64_t *ret_sum)
{
	*ret_sum = (uint64_t)sqlite3_column_int64(statement, 3);
	return (struct sqlite_row){
		.number = (uint64_t)sqlite3_column_int64(statement, 0),
		.kind = sqlite3_column_int(statement, 1),
		.grp = (uint64_t)sqlite3_column_int64(statement, 2),
		.data = slice_make(
				sqlite3_column_blob(statement, 4), (size_t)sqlite3_column_bytes(statement, 4)),
	};
}

/* *ret_is_last: nothing before it counts. False: no more is wanted. */
static bool read_one(struct sqlite_load *load, sqlite3_stmt *statement, bool *ret_is_last)
{
	uint64_t sum;
	struct sqlite_row row = read_row(statement, &sum);
	load->rows++;
	if (grp_set_has(&load->done, row.grp)) {
		return true;
	}
	if (sum != row_sum(row.number, row.kind, row.grp, row.data)) {
		sqlite_build_report(load, &row, row.data, "its checksum is wrong");
		return send_if_full(load);
	}
	load->next_grp = row.grp >= load->next_grp ? row.grp + 1 : load->next_grp;
	load->next_number = row.number >= load->next_number ? row.number + 1 : load->next_number;
	*ret_is_last = row.kind == CHANGE_WIPE;
	return *ret_is_last || take_row(load, &row);
}

/* ---- The run ---- */

static enum sqlite_load_result fail(struct sqlite_load *load)
{
	load->fault = sqlite3_extended_errcode(load->db);
	bool is_damaged = (load->fault & 0xff) == SQLITE_CORRUPT || load->fault == SQLITE_NOTADB;
	return is_damaged ? SQLITE_LOAD_E_DAMAGED : SQLITE_LOAD_E_SYSTEM;
}

static enum sqlite_load_result read_rows(struct sqlite_load *load)
{
	static const char text[] =
			"SELECT number, kind, grp, sum, data FROM segment ORDER BY number DESC";
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(load->db, text, -1, &statement, NULL);
	bool is_wanted = true;
	bool is_last = false;
	while (result == SQLITE_OK || (is_wanted && !is_last && result == SQLITE_ROW)) {
		result = sqlite3_step(statement);
		if (result == SQLITE_ROW) {
			is_wanted = read_one(load, statement, &is_last);
		}
	}
	enum sqlite_load_result answer = result == SQLITE_DONE || is_last ? SQLITE_LOAD_OK
			: result == SQLITE_ROW                                    ? SQLITE_LOAD_STOPPED
																	  : fail(load);
	sqlite3_finalize(statement);
	return answer;
}

/* Pushes whose whole row could not be read: they are what is left. */
static bool build_rest(struct sqlite_load *load)
{
	bool is_wanted = true;
	LIST_EACH (link, &load->held_groups) {
		is_wanted = is_wanted && build(load, NULL, LIST_ENTRY(link, struct held_group, link));
	}
	return is_wanted && send_unit(load, &load->unit);
}

/* ---- The database as a whole ---- */

/* What the stored clock would say now; what the wall clock says when there is none. */
static int64_t read_clock(sqlite3 *db)
{
	sqlite3_stmt *statement;
	struct boot_time now = boot_time_now();
	int64_t virtual_ns = now.wall_ns;
	if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = 'clock'", -1, &statement, NULL)
					== SQLITE_OK
			&& sqlite3_step(statement) == SQLITE_ROW
			&& sqlite3_column_bytes(statement, 0) == ROW_CLOCK_BYTES) {
		struct state_clock clock;
		row_get_clock(sqlite3_column_blob(statement, 0), &clock);
		virtual_ns = clock.virtual_ns + boot_time_between(&clock.at, &now);
	}
	sqlite3_finalize(statement);
	return virtual_ns;
}

static void begin(struct sqlite_load *load)
{
	grp_set_init(&load->done);
	map_init(&load->held);
	list_init(&load->held_groups);
	list_init(&load->bad);
	load->zstd = ZSTD_createDCtx();
	load->next_number = 1;
	load->next_grp = 1;
	load->now_ns = (int64_t)clock_monotonic_ns();
	load->ahead_ns = read_clock(load->db) - load->now_ns;
	int64_t first = sqlite_file_number(load->db, "SELECT min(number) FROM segment");
	int64_t last = sqlite_file_number(load->db, "SELECT max(number) FROM segment");
	load->row_count = last == 0 ? 0 : (uint64_t)(last - first + 1);
}

enum sqlite_load_result sqlite_load_run(struct sqlite_load *load)
{
	begin(load);
	enum sqlite_load_result result = read_rows(load);
	if (result != SQLITE_LOAD_OK) {
		return result;
	}
	if (!build_rest(load)) {
		return SQLITE_LOAD_STOPPED;
	}
	int64_t pages = sqlite_file_number(load->db, "PRAGMA page_count")
			- sqlite_file_number(load->db, "PRAGMA freelist_count");
	load->log_bytes = (uint64_t)(pages * sqlite_file_number(load->db, "PRAGMA page_size"));
	/* Where they are now they would be deleted one day. */
	if (!sqlite_aside_move(load->db, &load->bad, &load->fault)) {
		return SQLITE_LOAD_E_SYSTEM;
	}
	load->set_aside = sqlite_aside_count(load->db);
	return SQLITE_LOAD_OK;
}

void sqlite_load_finish(struct sqlite_load *load)
{
	LIST_EACH (link, &load->held_groups) {
		drop_held(load, LIST_ENTRY(link, struct held_group, link));
	}
	if (load->unit != NULL) {
		loaded_unit_destroy(load->unit);
	}
	sqlite_aside_forget(&load->bad);
	grp_set_finish(&load->done);
	map_finish(&load->held);
	ZSTD_freeDCtx(load->zstd);
}
