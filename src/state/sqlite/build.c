#include "state/sqlite/build.h"

#include <zstd.h>

#include "state/sqlite/aside.h"

enum {
	ROW_BYTES = 64,             /* that a row takes beside its record, about */
	RECORD_BYTES_MAX = 1 << 30, /* more than SQLite takes in one row */
};

struct loaded_unit *sqlite_build_unit(struct sqlite_load *load)
{
	if (load->unit == NULL) {
		load->unit = loaded_unit_create();
	}
	return load->unit;
}

/* ---- Faults ---- */

void sqlite_build_report(struct sqlite_load *load, const struct sqlite_row *row,
		struct slice record, const char *what)
{
	struct loaded_unit *unit = sqlite_build_unit(load);
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
static bool unpack(struct sqlite_load *load, const struct sqlite_row *row, struct arena *arena,
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

static bool add_push(
		struct loaded_unit *unit, struct loaded_group *group, const struct record_push *record)
{
	struct loaded_push *push = arena_zalloc(&unit->arena, 1, sizeof(*push));
	push->pushed_ns = record->pushed_ns;
	if (!restore_prepare(&record->batch, &group->key, &unit->arena, &push->prepared)) {
		return false;
	}
	for (size_t i = 0; i < push->prepared.family_count; i++) {
		push->prepared.families[i].place = record->places[i];
		push->prepared.families[i].since_ns = record->since_ns[i];
	}
	list_append(&group->pushes, &push->link);
	return true;
}

/* ---- Groups ---- */

static bool add_record(struct sqlite_building *b, const struct record *record)
{
	struct loaded_group *group = b->group;
	if (!b->has_any) {
		group->key = record->key;
		group->place = record->place;
	}
	b->has_any = true;
	group->times = record->times;
	group->since_ns = record->since_ns;
	b->expires_ns = record->expires_ns;
	bool is_good = true;
	for (size_t i = 0; i < record->push_count && is_good; i++) {
		is_good = add_push(b->unit, group, &record->pushes[i]);
	}
	return is_good;
}

void sqlite_build_add(
		struct sqlite_load *load, struct sqlite_building *b, const struct sqlite_row *row)
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
		is_good = add_record(b, &record);
	}
	if (!is_good) {
		sqlite_build_report(load, row, bytes, what);
	}
	b->group->bytes += row->data.len + ROW_BYTES;
	b->unit->bytes += bytes.len + ROW_BYTES;
}

void sqlite_build_begin(
		struct sqlite_load *load, struct sqlite_building *b, uint64_t grp, uint64_t base)
{
	*b = (struct sqlite_building){ .unit = sqlite_build_unit(load) };
	b->group = arena_zalloc(&b->unit->arena, 1, sizeof(*b->group));
	b->group->grp = grp;
	b->group->base = base;
	list_init(&b->group->pushes);
}

void sqlite_build_end(struct sqlite_load *load, struct sqlite_building *b)
{
	struct loaded_group *group = b->group;
	if (b->has_any && find_deadline(load, b->expires_ns, &group->deadline_ns)) {
		list_append(&b->unit->groups, &group->link);
		return;
	}
	load->expired += b->has_any;
	LIST_EACH (link, &group->pushes) {
		prepared_push_drop(&LIST_ENTRY(link, struct loaded_push, link)->prepared);
	}
}
