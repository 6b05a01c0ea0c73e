#include "targets/target.h"

#include <stdlib.h>

#include "base/memory.h"

static const struct slice modes[] = {
	[TARGET_PUSH] = SLICE_INIT("push"),
	[TARGET_PULL] = SLICE_INIT("pull"),
	[TARGET_STATIC] = SLICE_INIT("static"),
	[TARGET_VIRTUAL] = SLICE_INIT("virtual"),
	[TARGET_DNS] = SLICE_INIT("dns"),
	[TARGET_IMAGE] = SLICE_INIT("image"),
	[TARGET_COLLECTOR] = SLICE_INIT("collector"),
	[TARGET_SERVICE] = SLICE_INIT("service"),
};

static const struct slice states[] = {
	[TARGET_ACTIVE] = SLICE_INIT("active"),
	[TARGET_SILENT] = SLICE_INIT("silent"),
	[TARGET_EXPIRED] = SLICE_INIT("expired"),
	[TARGET_DISABLED] = SLICE_INIT("disabled"),
};

static const struct slice comparisons[] = {
	[TARGET_ABOVE] = SLICE_INIT(">"),
	[TARGET_BELOW] = SLICE_INIT("<"),
	[TARGET_AT_LEAST] = SLICE_INIT(">="),
	[TARGET_AT_MOST] = SLICE_INIT("<="),
	[TARGET_EQUAL] = SLICE_INIT("=="),
	[TARGET_NOT_EQUAL] = SLICE_INIT("!="),
};

struct slice target_mode_name(enum target_mode mode)
{
	return modes[mode];
}

struct slice target_state_name(enum target_state state)
{
	return states[state];
}

struct slice target_comparison_name(enum target_comparison comparison)
{
	return comparisons[comparison];
}

/* The count when there is none. */
static size_t find_name(const struct slice *names, size_t count, struct slice name)
{
	size_t i = 0;
	while (i < count && !slice_equal(names[i], name)) {
		i++;
	}
	return i;
}

bool target_mode_find(struct slice name, enum target_mode *ret_mode)
{
	size_t found = find_name(modes, TARGET_MODE_COUNT, name);
	if (found < TARGET_MODE_COUNT) {
		*ret_mode = (enum target_mode)found;
	}
	return found < TARGET_MODE_COUNT;
}

bool target_state_find(struct slice name, enum target_state *ret_state)
{
	size_t found = find_name(states, TARGET_STATE_COUNT, name);
	if (found < TARGET_STATE_COUNT) {
		*ret_state = (enum target_state)found;
	}
	return found < TARGET_STATE_COUNT;
}

bool target_comparison_find(struct slice name, enum target_comparison *ret_comparison)
{
	size_t found = find_name(comparisons, TARGET_COMPARISON_COUNT, name);
	if (found < TARGET_COMPARISON_COUNT) {
		*ret_comparison = (enum target_comparison)found;
	}
	return found < TARGET_COMPARISON_COUNT;
}

/* ---- Configuration ---- */

static size_t config_bytes(const struct target_config *config)
{
	size_t bytes = labels_copy_bytes(&config->attributes) + _Alignof(struct target_threshold)
			+ config->threshold_count * sizeof(struct target_threshold) + config->address.len
			+ config->scheme.len + config->path.len;
	for (size_t i = 0; i < config->threshold_count; i++) {
		const struct target_threshold *threshold = &config->thresholds[i];
		bytes += threshold->name.len + threshold->metric.len + threshold->severity.len;
	}
	return bytes;
}

static struct slice put(char **at, struct slice text)
{
	char *copy = *at;
	if (text.len > 0) {
		memcpy(copy, text.ptr, text.len);
	}
	*at += text.len;
	return slice_make(copy, text.len);
}

static void copy_texts(struct target_config *copy, char *at)
{
	copy->address = put(&at, copy->address);
	copy->scheme = put(&at, copy->scheme);
	copy->path = put(&at, copy->path);
	for (size_t i = 0; i < copy->threshold_count; i++) {
		struct target_threshold *threshold = &copy->thresholds[i];
		threshold->name = put(&at, threshold->name);
		threshold->metric = put(&at, threshold->metric);
		threshold->severity = put(&at, threshold->severity);
	}
}

/* The thresholds, the attributes with their texts, and the other texts, in this order. */
static void copy_config(
		const struct target_config *config, char *memory, struct target_config *ret_copy)
{
	size_t threshold_bytes = config->threshold_count * sizeof(struct target_threshold);
	*ret_copy = *config;
	ret_copy->thresholds = (struct target_threshold *)(void *)memory;
	if (threshold_bytes > 0) {
		memcpy(memory, config->thresholds, threshold_bytes);
	}
	ret_copy->attributes = labels_copy(&config->attributes, memory + threshold_bytes);
	copy_texts(ret_copy, memory + threshold_bytes + labels_copy_bytes(&config->attributes));
}

struct target_config target_config_copy(const struct target_config *config, struct arena *arena)
{
	struct target_config copy;
	copy_config(config, arena_alloc(arena, config_bytes(config) + 1), &copy);
	return copy;
}

void target_configure(struct target *target, const struct target_config *config)
{
	static const struct target_config by_default = { 0 };
	void *old = target->config_memory;
	if (target_config_equal(config, &by_default)) {
		target->config = by_default;
		target->config_memory = NULL;
	} else {
		struct target_config copy; /* the one given may be the old one */
		target->config_memory = memory_alloc(config_bytes(config) + 1);
		copy_config(config, target->config_memory, &copy);
		target->config = copy;
	}
	free(old);
}

static bool threshold_equal(const struct target_threshold *a, const struct target_threshold *b)
{
	return slice_equal(a->name, b->name) && slice_equal(a->metric, b->metric)
			&& a->comparison == b->comparison && a->value == b->value && a->for_ns == b->for_ns
			&& slice_equal(a->severity, b->severity);
}

bool target_config_equal(const struct target_config *a, const struct target_config *b)
{
	const struct group_key a_attributes = { a->attributes };
	const struct group_key b_attributes = { b->attributes };
	bool is_equal = a->mode == b->mode && a->is_disabled == b->is_disabled
			&& slice_equal(a->address, b->address) && slice_equal(a->scheme, b->scheme)
			&& slice_equal(a->path, b->path) && a->scrape_interval_ns == b->scrape_interval_ns
			&& a->scrape_timeout_ns == b->scrape_timeout_ns && a->interval_ns == b->interval_ns
			&& a->silent_after == b->silent_after && group_key_equal(&a_attributes, &b_attributes)
			&& a->threshold_count == b->threshold_count;
	for (size_t i = 0; is_equal && i < a->threshold_count; i++) {
		is_equal = threshold_equal(&a->thresholds[i], &b->thresholds[i]);
	}
	return is_equal;
}

bool target_has_quoted(const struct target *target)
{
	for (size_t i = 0; i < target->key.labels.count; i++) {
		if (!labels_is_name(target->key.labels.pairs[i].name)) {
			return true;
		}
	}
	return false;
}

/* ---- Life ---- */

struct target *target_create(const struct group_key *key, const struct target_config *config)
{
	struct target *target = memory_zalloc(1, sizeof(*target) + labels_copy_bytes(&key->labels));
	target->key.labels = labels_copy(&key->labels, target + 1);
	list_init(&target->link);
	list_init(&target->described);
	list_init(&target->late);
	list_init(&target->expiring);
	list_init(&target->named);
	list_init(&target->keep.unsaved);
	list_init(&target->keep.unseen);
	target_configure(target, config);
	return target;
}

void target_destroy(struct target *target)
{
	free(target->config_memory);
	free(target->info);
	free(target->addresses);
	free(target->fresh.rejection);
	free(target);
}
