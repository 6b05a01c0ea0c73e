#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "targets/registry_parts.h"

/*
 * What the registry hears of targets: from the store that groups change, from
 * the api what a push came as, and from who stores targets what was stored.
 */

static bool is_full(struct registry *registry)
{
	bool is_over = registry_len(registry) >= registry->options.limit;
	registry->refused += is_over;
	return is_over;
}

/* The group remembers it, so that the next push need not look for it. */
static struct target *find_of_group(const struct registry *registry, struct group *group)
{
	if (group->follower == NULL) {
		group->follower = registry_find_group(registry, group);
	}
	return group->follower;
}

/* A group without a target gets one, if it may. */
static struct target *enter(struct registry *registry, struct group *group)
{
	static const struct target_config by_default = { 0 };
	struct target *target = find_of_group(registry, group);
	if (target != NULL || registry->options.only_known || is_full(registry)) {
		return target;
	}
	struct target_id id = target_id_of_key(&group->key);
	bool is_free = registry_find_by_id(registry, &id) == NULL;
	target = registry_add(registry, &group->key, &by_default, is_free ? &id : NULL);
	target->fresh.first_seen_ns =
			group->times.pushed_ns != 0 ? group->times.pushed_ns : clock_wall_ns();
	group->follower = target;
	registry_recount(registry, target);
	registry_tell_config(registry, target);
	return target;
}

/* ---- Pushes ---- */

static void learn_gap(struct target *target, uint64_t now_ns)
{
	if (target->pushed_mono_ns != 0 && now_ns > target->pushed_mono_ns) {
		interval_add_gap(&target->fresh.gaps, now_ns - target->pushed_mono_ns);
	}
	target->pushed_mono_ns = now_ns;
}

/* By this weir, or by one that shares its groups. */
static void see(struct registry *registry, struct target *target, uint64_t now_ns)
{
	target->fresh.place = TARGET_HERE;
	target->seen_ns = now_ns;
	target->seen_at = ++registry->event;
	if (target->counted != TARGET_ACTIVE || target->is_overdue) {
		registry_recount(registry, target);
	}
	registry_tell_freshness(registry, target);
}

static void hear_push(struct registry *registry, struct group *group)
{
	struct target *target = enter(registry, group);
	int64_t pushed_ns = group->times.pushed_ns;
	registry->last = target;
	/* A change that is no push leaves the time as it was. */
	if (target == NULL || (pushed_ns == target->fresh.pushed_ns && target->seen_at != 0)) {
		return;
	}
	uint64_t now_ns = clock_monotonic_ns();
	target->fresh.pushed_ns = pushed_ns;
	target->fresh.last_seen_ns = pushed_ns;
	target->fresh.own_pushed_ns = pushed_ns;
	target->fresh.own_seen_ns = pushed_ns;
	target->fresh.pushes++;
	learn_gap(target, now_ns);
	see(registry, target, now_ns);
}

/* ---- What was stored ---- */

/* When that was by the monotonic clock, which may be before its zero. */
static uint64_t monotonic_of(int64_t wall_ns)
{
	int64_t age_ns = clock_wall_ns() - wall_ns;
	return clock_monotonic_ns() - (age_ns > 0 ? (uint64_t)age_ns : 0);
}

/* The store has its group back, which was pushed some time ago. */
static void hear_restored(struct registry *registry, struct group *group)
{
	int64_t pushed_ns = group->times.pushed_ns;
	bool is_recent = clock_wall_ns() - pushed_ns <= registry->options.retention_ns;
	struct target *target = is_recent ? enter(registry, group) : find_of_group(registry, group);
	if (target == NULL) {
		return;
	}
	if (pushed_ns > target->fresh.last_seen_ns) {
		target->fresh.pushed_ns = pushed_ns;
		target->fresh.last_seen_ns = pushed_ns;
		if (target->fresh.pushes == 0) {
			target->fresh.pushes = 1;
			target->fresh.is_guess = true;
		}
	}
	if (pushed_ns > target->fresh.own_seen_ns) {
		target->fresh.own_pushed_ns = pushed_ns;
		target->fresh.own_seen_ns = pushed_ns;
	}
	see(registry, target, monotonic_of(target->fresh.last_seen_ns));
	registry_recount(registry, target);
}

static void set_rejection(struct target_freshness *fresh, struct slice reason, int64_t now_ns)
{
	struct slice line = slice_first(slice_take_line(&reason), TARGET_REASON_MAX);
	free(fresh->rejection);
	fresh->rejection = memory_alloc(line.len + 1);
	memcpy(fresh->rejection, line.ptr, line.len);
	fresh->rejection[line.len] = '\0';
	fresh->rejected_ns = now_ns;
}

/* What is newer stays. */
static void merge_freshness(struct target *target, const struct target_freshness *row)
{
	struct target_freshness *fresh = &target->fresh;
	if (row->first_seen_ns != 0
			&& (fresh->first_seen_ns == 0 || row->first_seen_ns < fresh->first_seen_ns)) {
		fresh->first_seen_ns = row->first_seen_ns;
	}
	fresh->pushes = row->pushes > fresh->pushes ? row->pushes : fresh->pushes;
	fresh->own_pushes = row->own_pushes > fresh->own_pushes ? row->own_pushes : fresh->own_pushes;
	if (row->last_seen_ns >= fresh->last_seen_ns || fresh->stored_interval_ns == 0) {
		fresh->stored_interval_ns = row->stored_interval_ns;
	}
	bool is_newer = row->last_seen_ns > fresh->last_seen_ns && row->gaps.count > 0;
	if (fresh->gaps.count == 0 || is_newer) {
		fresh->gaps = row->gaps;
	}
	/* Of the same push, which the store has kept more precisely; what it came as it has not. */
	bool is_same = row->last_seen_ns / 1000 == fresh->last_seen_ns / 1000;
	if (row->last_seen_ns > fresh->last_seen_ns || (is_same && fresh->format[0] == '\0')) {
		memcpy(fresh->format, row->format, sizeof(fresh->format));
		memcpy(fresh->source, row->source, sizeof(fresh->source));
	}
	if (row->last_seen_ns > fresh->last_seen_ns) {
		fresh->last_seen_ns = row->last_seen_ns;
		fresh->pushed_ns = row->pushed_ns;
		target->seen_ns = monotonic_of(row->last_seen_ns);
	} else if (fresh->last_seen_ns == 0) {
		target->seen_ns = monotonic_of(fresh->first_seen_ns);
	}
	if (row->rejection != NULL && row->rejected_ns > fresh->rejected_ns) {
		set_rejection(fresh, slice_of_string(row->rejection), row->rejected_ns);
	}
}

bool registry_put_row(struct registry *registry, const struct target_row *row)
{
	struct target *target = registry_find(registry, &row->key);
	struct target *namesake = registry_find_by_id(registry, &row->id);
	if (namesake != NULL && namesake != target) { /* it has another key now */
		bool had_row = namesake->keep.version != 0;
		if (target == NULL && had_row) {
			target = registry_rekey(registry, namesake, &row->key);
		} else {
			registry_remove(registry, namesake);
		}
	}
	if (target == NULL && registry_len(registry) >= registry->options.limit) {
		return false;
	}
	if (target == NULL) {
		target = registry_add(registry, &row->key, &row->config, &row->id);
	} else {
		registry_rename(registry, target, &row->id);
		registry_reconfigure(registry, target, &row->config);
	}
	target->is_configured = row->is_configured;
	merge_freshness(target, &row->fresh);
	struct group *group = target->seen_at == 0 ? registry_group(registry, target) : NULL;
	if (group != NULL) {
		hear_restored(registry, group); /* which was there before */
	}
	registry_recount(registry, target);
	return true;
}

/* What was counted before this process comes on top, once. */
static void add_history(struct target_freshness *fresh, const struct target_freshness *row)
{
	if (row->pushes > 0) {
		fresh->pushes += row->pushes - fresh->is_guess;
		fresh->is_guess = false;
	}
	fresh->own_pushes += row->own_pushes;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Another weir saw it last, and knows whether its group is there. */
static void follow(struct registry *registry, struct target *target, enum target_place place)
{
	target->fresh.place = place;
	if (place == TARGET_ELSEWHERE && registry_has_expired(registry, target)) {
		target->seen_at = ++registry->event;
	} else if (place == TARGET_GONE_THERE && registry_group(registry, target) == NULL) {
		target->gone_at = ++registry->event;
	}
}

void registry_put_seen(struct registry *registry, struct target *target,
		const struct target_freshness *row, bool is_history)
{
	if (is_history) {
		add_history(&target->fresh, row);
	}
	merge_freshness(target, row);
	struct target_freshness *fresh = &target->fresh;
	fresh->own_seen_ns = later(row->own_seen_ns, fresh->own_seen_ns);
	fresh->own_pushed_ns = later(row->own_pushed_ns, fresh->own_pushed_ns);
	bool is_latest = row->last_seen_ns / 1000 >= fresh->last_seen_ns / 1000;
	if (is_latest && row->place != TARGET_HERE) {
		follow(registry, target, row->place);
	}
	registry_recount(registry, target);
}

void registry_drop(struct registry *registry, struct target *target)
{
	registry_remove(registry, target);
}

/* ---- From the store ---- */

static void hear_gone(struct registry *registry, struct group *group)
{
	struct target *target = find_of_group(registry, group);
	group->follower = NULL;
	if (target != NULL) {
		target->gone_at = ++registry->event;
		registry_recount(registry, target);
	}
}

static void on_change(struct store_listener *listener, const struct store_change *change)
{
	struct registry *registry = LIST_ENTRY(listener, struct registry, listener);
	switch (change->kind) {
	case STORE_CHANGE_PUT:
	case STORE_CHANGE_POST:
		if (registry->is_restoring) {
			hear_restored(registry, change->group);
		} else {
			hear_push(registry, change->group);
		}
		return;
	case STORE_CHANGE_FAILURE:
		enter(registry, change->group);
		return;
	case STORE_CHANGE_DELETE:
	case STORE_CHANGE_EXPIRE:
		hear_gone(registry, change->group);
		return;
	case STORE_CHANGE_WIPE:
		registry->wiped_at = ++registry->event;
		return;
	case STORE_CHANGE_ABSENT:
		return;
	}
}

void registry_watch(struct registry *registry, struct store *store)
{
	registry->store = store;
	registry->listener.on_change = on_change;
	store_subscribe(store, &registry->listener);
}

/* ---- From the api ---- */

enum registry_admission registry_admit(const struct registry *registry, const struct group_key *key)
{
	if (!registry->options.only_known) {
		return REGISTRY_ADMITTED;
	}
	const struct target *target = registry_find(registry, key);
	if (target != NULL && target_is_watched(target)) {
		return REGISTRY_ADMITTED;
	}
	return registry->is_loading ? REGISTRY_LOADING : REGISTRY_UNKNOWN;
}

/* Nearly always it is there already. */
static void copy_text(char *to, size_t size, struct slice text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;
	if (memcmp(to, text.ptr, len) != 0 || to[len] != '\0') {
		memcpy(to, text.ptr, len);
		to[len] = '\0';
	}
}

void registry_note_push(struct registry *registry, const struct group_key *key, struct slice format,
		struct slice source)
{
	struct target *target = registry->last;
	if (target == NULL || !group_key_equal(&target->key, key)) {
		target = registry_find(registry, key);
	}
	if (target != NULL) {
		target->fresh.own_pushes++;
		copy_text(target->fresh.format, sizeof(target->fresh.format), format);
		if (source.len > 0) {
			copy_text(target->fresh.source, sizeof(target->fresh.source), source);
		}
	}
}

void registry_note_rejection(
		struct registry *registry, const struct group_key *key, struct slice reason)
{
	struct target *target = registry_find(registry, key);
	if (target != NULL) {
		set_rejection(&target->fresh, reason, clock_wall_ns());
		registry_tell_freshness(registry, target);
	}
}

void registry_heartbeat(struct registry *registry, struct target *target)
{
	target->fresh.last_seen_ns = clock_wall_ns();
	target->fresh.own_seen_ns = target->fresh.last_seen_ns;
	see(registry, target, clock_monotonic_ns());
}
