#include "state/sqlite/load.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "state/boot.h"
#include "state/change_set.h"
#include "state/sqlite/aside.h"
#include "state/sqlite/file.h"

enum {
	UNIT_BYTES = 256 * 1024,
	ROW_BYTES = 64,             /* that a row takes beside its record, about */
	RECORD_BYTES_MAX = 1 << 30, /* more than SQLite takes in one row */
};

/* A row that was read. */
struct row {
	uint64_t number;
	uint64_t grp;
	int kind;
	struct slice data; /* as it is stored */
};

/* A push to a group whose whole row is to come. */
struct held_row {
	struct list link;
	struct row row; /* with data of its own, behind this */
};

struct held_group {
	struct map_node node; /* by its number */
	struct list link;
	uint64_t grp;
	struct list rows; // held_row::link, oldest first
};

/* ---- Units ---- */

static struct loaded_unit *open_unit(struct sqlite_load *load)
{
	if (load->unit == NULL) {
		load->unit = loaded_unit_create();
	}
	return load->unit;
}

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

/* ---- Faults ---- */

static void report(
		struct sqlite_load *load, const struct row *row, struct slice record, const char *what)
{
	struct loaded_unit *unit = open_unit(load);
	struct loaded_fault *fault = arena_zalloc(&unit->arena, 1, sizeof(*fault));
	struct slice key = record_guess_key(record, &unit->arena);
	fault->key = key.ptr == NULL ? key : arena_copy(&unit->arena, key);
	fault->number = row->number;
	fault->what = what;
	list_append(&unit->faults, &fault->link);
	unit->bytes += ROW_BYTES;
	load->faults++;
	sqlite_aside_note(&load->bad, row->number, what);
}

/* ---- Records ---- */

/* The record, in the arena; false: it is none. */
static bool unpack(struct sqlite_load *load, const struct row *row, struct arena *arena,
		struct slice *ret_record)
{
	if ((row->kind & ROW_PACKED) == 0) {
		*ret_record = arena_copy(arena, row->data);
		return true;
	}
	*ret_record = slice_make("", 0);
	unsigned long long bytes = ZSTD_getFrameContentSize(row->data.ptr, row->data.len);
	if (bytes == ZSTD_CONTENTSIZE_ERROR || bytes == ZSTD_CONTENTSIZE_UNKNOWN
			|| bytes > RECORD_BYTES_MAX) {
		return false;
	}
	char *plain = arena_text(arena, bytes + 1);
	size_t got = ZSTD_decompressDCtx(load->zstd, plain, bytes, row->data.ptr, row->data.len);
	if (ZSTD_isError(got) || got != bytes) {
		return false;
	}
	*ret_record = slice_make(plain, bytes);
	return true;
}

/* False: its time is over. */
static bool find_deadline(
		const struct sqlite_load *load, int64_t expires_ns, int64_t *ret_deadline_ns)
{
	*ret_deadline_ns = 0;
	if (expires_ns == 0) {
		return true;
	}
	if (__builtin_sub_overflow(expires_ns, load->ahead_ns, ret_deadline_ns)) {
		*ret_deadline_ns = INT64_MAX;
	}
	return *ret_deadline_ns > load->now_ns;
}

/* ---- Pushes ---- */

static bool add_push(struct loaded_unit *unit, struct loaded_group *group,
		const struct record_push *record, const struct batch *batch, const uint32_t *places)
{
	struct loaded_push *push = arena_zalloc(&unit->arena, 1, sizeof(*push));
	push->pushed_ns = record->pushed_ns;
	if (!restore_prepare(batch, &group->key, &unit->arena, &push->prepared)) {
		return false;
	}
	for (size_t i = 0; i < push->prepared.family_count; i++) {
		push->prepared.families[i].place = places[i];
	}
	list_append(&group->pushes, &push->link);
	return true;
}

/* Each family that was not exposed waits for its turn by itself. */
static bool add_late(struct sqlite_load *load, struct loaded_unit *unit, struct loaded_group *group,
		const struct record_push *record, size_t i)
{
	struct loaded_group *late = arena_zalloc(&unit->arena, 1, sizeof(*late));
	struct batch batch = {
		.families = &record->batch.families[i],
		.family_count = 1,
		.sample_count = record->batch.families[i].sample_count,
		.is_openmetrics = record->batch.is_openmetrics,
	};
	record->batch.families[i].next = NULL;
	late->key = group->key;
	late->place = group->place;
	late->whole = group;
	late->order = record->pushed_ns;
	list_init(&late->pushes);
	list_append(&load->late, &late->link);
	unit->is_kept = true;
	return add_push(unit, late, record, &batch, &record->places[i]);
}

/* Families that were exposed, in one batch; the rest is put off. */
static bool split_push(struct sqlite_load *load, struct loaded_unit *unit,
		struct loaded_group *group, const struct record_push *record)
{
	struct batch batch = { .is_openmetrics = record->batch.is_openmetrics };
	size_t count = record->batch.family_count;
	uint32_t *places = arena_alloc(&unit->arena, (count + 1) * sizeof(uint32_t));
	struct batch_family *families = arena_alloc(&unit->arena, (count + 1) * sizeof(*families));
	batch.families = families;
	for (size_t i = 0; i < count; i++) {
		if (record->is_shadowed[i]) {
			if (!add_late(load, unit, group, record, i)) {
				return false;
			}
			continue;
		}
		places[batch.family_count] = record->places[i];
		families[batch.family_count] = record->batch.families[i];
		families[batch.family_count].next = NULL;
		if (batch.family_count > 0) {
			families[batch.family_count - 1].next = &families[batch.family_count];
		}
		batch.sample_count += record->batch.families[i].sample_count;
		batch.family_count++;
	}
	return batch.family_count == 0 || add_push(unit, group, record, &batch, places);
}

static bool has_shadowed(const struct record_push *record)
{
	for (size_t i = 0; i < record->batch.family_count; i++) {
		if (record->is_shadowed[i]) {
			return true;
		}
	}
	return false;
}

/* ---- Groups ---- */

/* What was read of one group. */
struct building {
	struct loaded_unit *unit;
	struct loaded_group *group;
	int64_t expires_ns;
	bool has_any; /* some row could be read */
};

static bool brings_family(const struct record *record, struct slice name)
{
	for (size_t i = 0; i < record->push_count; i++) {
		const struct batch *batch = &record->pushes[i].batch;
		for (size_t j = 0; j < batch->family_count; j++) {
			if (slice_equal(batch->families[j].name, name)) {
				return true;
			}
		}
	}
	return false;
}

/* What was put off of the group and a later push replaces. */
static void drop_replaced(
		struct sqlite_load *load, const struct loaded_group *group, const struct record *record)
{
	LIST_EACH (link, &load->late) {
		struct loaded_group *late = LIST_ENTRY(link, struct loaded_group, link);
		struct list *first = list_first(&late->pushes);
		if (late->whole != group || first == NULL) {
			continue;
		}
		const struct loaded_push *push = LIST_ENTRY(first, struct loaded_push, link);
		if (brings_family(record, push->prepared.families[0].name)) {
			loaded_group_drop(late);
			list_remove(link);
		}
	}
}

static bool add_record(struct sqlite_load *load, struct building *b, const struct record *record)
{
	struct loaded_group *group = b->group;
	if (!b->has_any) {
		group->key = record->key;
		group->place = record->place;
	}
	if (b->has_any && b->unit->is_kept) {
		drop_replaced(load, group, record);
	}
	b->has_any = true;
	group->times = record->times;
	b->expires_ns = record->expires_ns;
	group->is_late = record->is_shadowed;
	/* Of several, the one that was there first; groups come before blocks. */
	group->order = INT64_MIN + (int64_t)(group->grp & INT64_MAX);
	bool is_good = true;
	for (size_t i = 0; i < record->push_count && is_good; i++) {
		const struct record_push *push = &record->pushes[i];
		is_good = has_shadowed(push) ? split_push(load, b->unit, group, push)
									 : add_push(b->unit, group, push, &push->batch, push->places);
	}
	return is_good;
}

static void add_row(struct sqlite_load *load, struct building *b, const struct row *row)
{
	struct record record;
	struct slice bytes;
	const char *what = "it cannot be decompressed";
	bool is_good = unpack(load, row, &b->unit->arena, &bytes)
			&& record_read(bytes, load->checks, &b->unit->arena, &record, &what) == RECORD_OK;
	if (is_good && b->has_any && !group_key_equal(&b->group->key, &record.key)) {
		what = "it is of another group than the rows before it";
		is_good = false;
	}
	if (is_good) {
		what = "a push of it is too large";
		is_good = add_record(load, b, &record);
	}
	if (!is_good) {
		report(load, row, bytes, what);
	}
	b->group->bytes += row->data.len + ROW_BYTES;
	b->unit->bytes += bytes.len + ROW_BYTES;
}

static void begin_group(struct sqlite_load *load, struct building *b, uint64_t grp, uint64_t base)
{
	*b = (struct building){ .unit = open_unit(load) };
	b->group = arena_zalloc(&b->unit->arena, 1, sizeof(*b->group));
	b->group->grp = grp;
	b->group->base = base;
	list_init(&b->group->pushes);
}

static void end_group(struct sqlite_load *load, struct building *b)
{
	struct loaded_group *group = b->group;
	bool is_live = b->has_any && find_deadline(load, b->expires_ns, &group->deadline_ns);
	if (is_live && group->is_late) {
		b->unit->is_kept = true;
		list_append(&load->late, &group->link);
	} else if (is_live) {
		list_append(&b->unit->groups, &group->link);
	} else {
		group->is_expired = true;
		load->expired += b->has_any;
		LIST_EACH (link, &group->pushes) {
			prepared_push_drop(&LIST_ENTRY(link, struct loaded_push, link)->prepared);
		}
	}
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

static void hold(struct sqlite_load *load, const struct row *row)
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
static bool build(struct sqlite_load *load, const struct row *whole, struct held_group *held)
{
	struct building b;
	uint64_t grp = whole != NULL ? whole->grp : held->grp;
	begin_group(load, &b, grp, whole != NULL ? whole->number : 0);
	if (whole != NULL) {
		add_row(load, &b, whole);
	} else {
		b.group->base = LIST_ENTRY(list_first(&held->rows), struct held_row, link)->row.number;
	}
	if (held != NULL) {
		LIST_EACH (link, &held->rows) {
			add_row(load, &b, &LIST_ENTRY(link, struct held_row, link)->row);
		}
		drop_held(load, held);
	}
	end_group(load, &b);
	return send_if_full(load);
}

static bool take_row(struct sqlite_load *load, const struct row *row)
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
		report(load, row, row->data, "it is of no known kind");
		return true;
	}
}

static struct row read_row(sqlite3_stmt *statement, uint64_t *ret_sum)
{
	*ret_sum = (uint64_t)sqlite3_column_int64(statement, 3);
	return (struct row){
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
	struct row row = read_row(statement, &sum);
	load->rows++;
	if (grp_set_has(&load->done, row.grp)) {
		return true;
	}
	if (sum != row_sum(row.number, row.kind, row.grp, row.data)) {
		report(load, &row, row.data, "its checksum is wrong");
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

static int compare_order(const void *a, const void *b)
{
	const struct loaded_group *left = *(struct loaded_group *const *)a;
	const struct loaded_group *right = *(struct loaded_group *const *)b;
	return (left->order > right->order) - (left->order < right->order);
}

/* What was not exposed, the oldest first. */
static bool send_late(struct sqlite_load *load)
{
	size_t count = 0;
	LIST_EACH (link, &load->late) {
		count++;
	}
	if (count == 0) {
		return true;
	}
	struct loaded_group **sorted = memory_zalloc(count, sizeof(*sorted));
	struct loaded_unit *unit = loaded_unit_create();
	count = 0;
	LIST_EACH (link, &load->late) {
		sorted[count++] = LIST_ENTRY(link, struct loaded_group, link);
	}
	qsort(sorted, count, sizeof(*sorted), compare_order);
	for (size_t i = 0; i < count; i++) {
		list_remove(&sorted[i]->link);
		if (sorted[i]->whole == NULL || !sorted[i]->whole->is_expired) {
			list_append(&unit->groups, &sorted[i]->link);
		} else {
			loaded_group_drop(sorted[i]);
		}
	}
	free(sorted);
	return send_unit(load, &unit);
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
	list_init(&load->late);
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
	if (!build_rest(load) || !send_late(load)) {
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
	LIST_EACH (link, &load->late) {
		loaded_group_drop(LIST_ENTRY(link, struct loaded_group, link));
	}
	if (load->unit != NULL) {
		loaded_unit_destroy(load->unit);
	}
	sqlite_aside_forget(&load->bad);
	grp_set_finish(&load->done);
	map_finish(&load->held);
	ZSTD_freeDCtx(load->zstd);
}
