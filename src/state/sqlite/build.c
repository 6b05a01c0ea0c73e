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

static bool add_push(struct loaded_unit *unit, struct loaded_group *group,
		const struct record_push *record, const struct batch *batch, const uint32_t *places,
		const int64_t *since_ns)
{
	struct loaded_push *push = arena_zalloc(&unit->arena, 1, sizeof(*push));
	push->pushed_ns = record->pushed_ns;
	if (!restore_prepare(batch, &group->key, &unit->arena, &push->prepared)) {
		return false;
	}
	for (size_t i = 0; i < push->prepared.family_count; i++) {
		push->prepared.families[i].place = places[i];
		push->prepared.families[i].since_ns = since_ns[i];
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
	late->since_ns = group->since_ns;
	return add_push(unit, late, record, &batch, &record->places[i], &record->since_ns[i]);
}

/* Families that were exposed, in one batch; the rest is put off. */
static bool split_push(struct sqlite_load *load, struct loaded_unit *unit,
		struct loaded_group *group, const struct record_push *record)
{
	struct batch batch = { .is_openmetrics = record->batch.is_openmetrics };
	size_t count = record->batch.family_count;
	uint32_t *places = arena_alloc(&unit->arena, (count + 1) * sizeof(uint32_t));
	int64_t *since_ns = arena_alloc(&unit->arena, (count + 1) * sizeof(int64_t));
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
		since_ns[batch.family_count] = record->since_ns[i];
		families[batch.family_count] = record->batch.families[i];
		families[batch.family_count].next = NULL;
		if (batch.family_count > 0) {
			families[batch.family_count - 1].next = &families[batch.family_count];
		}
		batch.sample_count += record->batch.families[i].sample_count;
		batch.family_count++;
	}
	return batch.family_count == 0 || add_push(unit, group, record, &batch, places, since_ns);
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

static bool add_record(
		struct sqlite_load *load, struct sqlite_building *b, const struct record *record)
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
	group->since_ns = record->since_ns;
	b->expires_ns = record->expires_ns;
	group->is_late = record->is_shadowed;
	/* Of several, the one that was there first; groups come before blocks. */
	group->order = INT64_MIN + (int64_t)(group->grp & INT64_MAX);
	bool is_good = true;
	for (size_t i = 0; i < record->push_count && is_good; i++) {
		const struct record_push *push = &record->pushes[i];
		is_good = has_shadowed(push) ? split_push(load, b->unit, group, push)
									 : add_push(b->unit, group, push, &push->batch, push->places, push->since_ns);
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
		is_good = add_record(load, b, &record);
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
