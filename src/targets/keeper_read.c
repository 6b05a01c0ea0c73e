#include "base/log.h"
#include "targets/keeper_parts.h"
#include "targets/kept_row.h"

/*
 * What the database tells: rows, and how it stands.
 */

enum { FAULTS_LOGGED_MAX = 20 };

/* Of many, the first are enough to know where to look. */
void keeper_report_fault(struct keeper *keeper, struct slice id, struct slice why)
{
	if (keeper->faults_logged < FAULTS_LOGGED_MAX) {
		keeper->faults_logged++;
		log_warn("a target's row is of no use database=%s target=" SLICE_FMT " error=" SLICE_FMT,
				keeper->name, SLICE_ARG(id.len == 0 ? SLICE("?") : id), SLICE_ARG(why));
	}
}

/* NULL: there is none. */
static struct target *find_target(const struct keeper *keeper, struct slice text)
{
	struct target_id id;
	return target_id_parse(text, &id) ? registry_find_by_id(keeper->registry, &id) : NULL;
}

/* ---- Rows ---- */

static bool has_row(const struct target *target)
{
	return target->keep.version != 0 || target->keep.is_saving;
}

/* Of two rows with equal keys: see keeper.h. */
static bool gives_way(const struct target_row *row, const struct target *target)
{
	if (row->is_configured != target->is_configured) {
		return !row->is_configured;
	}
	return memcmp(row->id.bytes, target->id.bytes, sizeof(row->id.bytes)) > 0;
}

bool keeper_put_row(struct keeper *keeper, const struct target_row *row, int64_t version)
{
	struct registry *registry = keeper->registry;
	struct target *target = registry_find(registry, &row->key);
	bool is_new = target == NULL;
	bool is_other = !is_new && !target_id_equal(&target->id, &row->id);
	if (is_other && has_row(target)) {
		bool stays = gives_way(row, target);
		keeper_doom(keeper, stays ? &row->id : &target->id);
		if (stays) {
			return true;
		}
	}
	if (!registry_put_row(registry, row)) {
		return false;
	}
	target = registry_find_by_id(registry, &row->id);
	if (is_new) {
		target->keep.has_history = keeper->is_loaded;
	}
	if (is_other) {
		target->keep.is_saving = false; /* that was the other row */
	}
	target->keep.version = version;
	target->keep.reading = keeper->reading;
	list_remove(&target->keep.unsaved);
	return true;
}

/* It is as it was read already, and nothing else is wanted. */
static bool is_known(const struct keeper *keeper, const struct storage_target *row)
{
	struct target *target = find_target(keeper, row->id);
	bool is_same = target != NULL && target->keep.version == row->version;
	if (is_same) {
		target->keep.reading = keeper->reading;
	}
	return is_same;
}

static void take_row(struct keeper *keeper, const struct storage_target *stored)
{
	struct arena arena;
	struct target_row row;
	struct slice why = SLICE("there are too many targets (--targets.limit)");
	arena_init(&arena);
	bool is_good = kept_row_read(stored, &keeper->options.limits, &arena, &row, &why)
			&& keeper_put_row(keeper, &row, stored->version);
	if (!is_good) {
		struct target *target = find_target(keeper, stored->id);
		keeper->faults++;
		keeper_report_fault(keeper, stored->id, why);
		if (target != NULL) {
			target->keep.reading = keeper->reading; /* stays as it was */
		}
	}
	arena_finish(&arena);
}

static void on_target(void *data, const struct storage_target *row)
{
	struct keeper *keeper = data;
	keeper_apply_change(keeper);
	if (!is_known(keeper, row)) {
		take_row(keeper, row);
	}
}

/* Also of one that is known: its version may have begun anew. */
static void on_changed(void *data, const struct storage_target *row)
{
	keeper_apply_change(data);
	take_row(data, row);
}

static void on_deleted(void *data, struct slice id)
{
	struct keeper *keeper = data;
	keeper_apply_change(keeper);
	struct target *target = find_target(keeper, id);
	if (target != NULL) {
		registry_drop(keeper->registry, target);
	}
}

/* The target stays as it was known before. */
static void on_fault(void *data, struct slice id, struct slice why)
{
	struct keeper *keeper = data;
	struct target *target = find_target(keeper, id);
	if (target != NULL) {
		target->keep.reading = keeper->reading;
	}
	keeper_report_fault(keeper, id, why);
}

/* ---- What was seen ---- */

static void forget_sum(struct keeper *keeper)
{
	keeper->has_sum = false;
	keeper->has_own = false;
	keeper->has_gone = false;
	arena_reset(&keeper->arena);
}

/*
 * Pushes that this weir took and has not written yet are in no row. If what it had written went
 * to those that vanished, since it was away for so long, that is not its own any more.
 */
static void add_unstored(struct keeper *keeper, struct target *target)
{
	struct target_freshness *fresh = &target->fresh;
	if (keeper->has_gone && !keeper->has_own && target->keep.stored_pushes > 0) {
		fresh->own_pushes -= target->keep.stored_pushes;
		target->keep.stored_pushes = 0;
	}
	if (fresh->own_pushes > keeper->sum.own_pushes) {
		keeper->sum.pushes += fresh->own_pushes - keeper->sum.own_pushes;
	}
}

/* Whether what was read of this weir is all that it has to say. */
static void note_stored(struct keeper *keeper, struct target *target)
{
	const struct target_freshness *fresh = &target->fresh;
	const struct target_freshness *sum = &keeper->sum;
	if (keeper->has_own) {
		target->keep.stored_pushes = sum->own_pushes;
	}
	if (keeper->has_own && sum->own_pushes == fresh->own_pushes
			&& sum->own_seen_ns / 1000 == fresh->own_seen_ns / 1000
			&& sum->rejected_ns / 1000 == fresh->rejected_ns / 1000) {
		target->keep.seen_reading = keeper->reading;
	}
}

static void put_sum(struct keeper *keeper)
{
	struct target *target =
			keeper->has_sum ? registry_find_by_id(keeper->registry, &keeper->sum_id) : NULL;
	if (target != NULL) {
		bool is_history = !target->keep.has_history;
		target->keep.has_history = true;
		if (!is_history) {
			add_unstored(keeper, target);
		}
		note_stored(keeper, target);
		registry_put_seen(keeper->registry, target, &keeper->sum, is_history);
	}
	forget_sum(keeper);
}

/* Counts add up; of all else the latest counts. */
static void add_to_sum(struct target_freshness *sum, const struct target_freshness *row)
{
	struct target_freshness old = *sum;
	if (row->last_seen_ns >= old.last_seen_ns) {
		*sum = *row;
	}
	sum->own_seen_ns = old.own_seen_ns;
	sum->own_pushed_ns = old.own_pushed_ns;
	bool is_earlier = old.first_seen_ns != 0
			&& (row->first_seen_ns == 0 || old.first_seen_ns < row->first_seen_ns);
	sum->first_seen_ns = is_earlier ? old.first_seen_ns : row->first_seen_ns;
	sum->pushes = old.pushes + row->pushes;
	sum->own_pushes = old.own_pushes;
	bool is_later = row->rejected_ns > old.rejected_ns;
	sum->rejected_ns = is_later ? row->rejected_ns : old.rejected_ns;
	sum->rejection = is_later ? row->rejection : old.rejection;
}

/* Weirs that share their groups know of each other's by themselves. */
static enum target_place place_of(const struct keeper *keeper, const struct storage_seen *row)
{
	bool is_known = keeper->options.is_shared || slice_equal(row->replica, SLICE(STORAGE_GONE))
			|| slice_equal(row->replica, slice_of_string(keeper->replica));
	if (is_known) {
		return TARGET_HERE;
	}
	return slice_equal(row->state, target_state_name(TARGET_EXPIRED)) ? TARGET_GONE_THERE
																	  : TARGET_ELSEWHERE;
}

static void on_seen(void *data, const struct storage_seen *row)
{
	struct keeper *keeper = data;
	struct target_id id;
	keeper_apply_change(keeper);
	if (!target_id_parse(row->target_id, &id)) {
		return; /* its target's row was reported */
	}
	if (keeper->has_sum && !target_id_equal(&keeper->sum_id, &id)) {
		put_sum(keeper);
	}
	if (!keeper->has_sum) {
		keeper->has_sum = true;
		keeper->sum_id = id;
		keeper->sum = (struct target_freshness){ 0 };
	}
	struct target_freshness fresh = kept_row_read_seen(row, &keeper->arena);
	fresh.place = place_of(keeper, row);
	add_to_sum(&keeper->sum, &fresh);
	keeper->has_gone |= slice_equal(row->replica, SLICE(STORAGE_GONE));
	if (slice_equal(row->replica, slice_of_string(keeper->replica))) {
		keeper->has_own = true;
		keeper->sum.own_pushes = fresh.pushes;
		keeper->sum.own_seen_ns = fresh.last_seen_ns;
		keeper->sum.own_pushed_ns = fresh.pushed_ns;
	}
}

/* ---- All of it ---- */

/* A target may have come back meanwhile whose row was to go; what is to go is seen anew. */
static void on_reading(void *data)
{
	struct keeper *keeper = data;
	keeper_apply_change(keeper);
	keeper_forget_doomed(keeper);
	keeper->reading++;
	forget_sum(keeper);
}

/*
 * Of a target that had a row, and has none any more. Who configured it has deleted it.
 * Else it is still true that it pushed.
 */
static void take_missing(struct keeper *keeper, struct target *target)
{
	if (target->is_configured && target->keep.version != 0) {
		registry_drop(keeper->registry, target);
		return;
	}
	target->keep.version = 0;
	keeper_want_saved(keeper, target);
}

static void on_looked(void *data)
{
	put_sum(data);
}

static void on_loaded(void *data)
{
	struct keeper *keeper = data;
	struct registry_walk walk;
	keeper_apply_change(keeper);
	put_sum(keeper);
	bool is_first = !keeper->is_loaded;
	keeper->is_loaded = true;
	registry_walk_begin(&walk, keeper->registry);
	for (struct target *target = registry_walk_next(&walk); target != NULL;
			target = registry_walk_next(&walk)) {
		target->keep.has_history = true;
		target->keep.is_expiring = false;
		bool is_stored = target->keep.seen_reading == keeper->reading;
		if (!is_first && !is_stored && target->keep.version != 0) {
			keeper_want_seen(keeper, target);
		}
		if (target->keep.reading != keeper->reading && !target->keep.is_saving) {
			take_missing(keeper, target);
		}
	}
	registry_walk_end(&walk);
	log_info("targets read database=%s targets=%zu", keeper->name, registry_len(keeper->registry));
	if (is_first) {
		keeper->registry->is_loading = false;
		keeper->registry->loading_why = SLICE("");
		keeper->options.on_loaded(keeper->options.data);
	}
	keeper_fold(keeper);
}

/* ---- How it stands ---- */

static void set_away(struct keeper *keeper, struct slice why)
{
	buf_reset(&keeper->away, 0);
	buf_append(&keeper->away, why);
	keeper->registry->loading_why = buf_slice(&keeper->away);
}

static void on_away(void *data, struct slice why)
{
	struct keeper *keeper = data;
	set_away(keeper, why);
	log_warn("targets cannot be stored, trying again database=%s error=" SLICE_FMT, keeper->name,
			SLICE_ARG(why));
	turn_arm(&keeper->turn);
}

static void on_back(void *data)
{
	struct keeper *keeper = data;
	log_info("targets are stored again database=%s", keeper->name);
}

static void on_unusable(void *data, struct slice why)
{
	struct keeper *keeper = data;
	set_away(keeper, why);
	log_error(
			"the targets' database is of no use, they are not stored database=%s error=" SLICE_FMT,
			keeper->name, SLICE_ARG(why));
	turn_arm(&keeper->turn);
}

void keeper_set_events(const struct keeper *keeper, struct storage_events *events)
{
	events->on_reading = on_reading;
	events->on_target = on_target;
	events->on_seen = on_seen;
	events->on_loaded = on_loaded;
	events->on_looked = on_looked;
	events->on_changed = on_changed;
	events->on_deleted = on_deleted;
	events->on_fault = on_fault;
	events->on_away = on_away;
	events->on_back = on_back;
	events->on_unusable = on_unusable;
}
