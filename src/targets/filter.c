#include "targets/filter.h"

struct labels target_all_labels(const struct target *target, struct arena *arena)
{
	const struct labels *key = &target->key.labels;
	const struct labels *attributes = &target->config.attributes;
	if (attributes->count == 0) {
		return *key;
	}
	size_t most = key->count + attributes->count;
	struct labels all = { .pairs = arena_alloc(arena, most * sizeof(struct label)) };
	for (size_t i = 0; i < key->count; i++) {
		all.pairs[all.count++] = key->pairs[i];
	}
	for (size_t i = 0; i < attributes->count; i++) {
		if (labels_find(key, attributes->pairs[i].name).ptr == NULL) {
			all.pairs[all.count++] = attributes->pairs[i];
		}
	}
	labels_sort(&all);
	return all;
}

static bool has_class(const struct target *target, struct slice class)
{
	struct slice value = target_label(target, SLICE("class"));
	if (value.ptr == NULL) {
		value = labels_find(&target->config.attributes, SLICE("class"));
	}
	return slice_equal(value, class);
}

static bool is_selected(const struct selectors *selectors, const struct target *target,
		struct pattern_scratch *scratch)
{
	const struct slice name = SLICE("target_info");
	if (selectors->count == 0) {
		return true;
	}
	if (!selectors_may_match_key(selectors, &target->key)) {
		return false;
	}
	struct labels labels = target_all_labels(target, scratch->arena);
	uint64_t matched = selectors_match_names(selectors, &name, 1, scratch);
	return selectors_match_labels(selectors, matched, &labels, SLICE(""), scratch)
			&& scratch->failed == NULL;
}

bool target_filter_takes(const struct target_filter *filter, const struct registry *registry,
		const struct target *target, struct pattern_scratch *scratch)
{
	if ((filter->modes >> target->config.mode & 1) == 0) {
		return false;
	}
	if (filter->job.ptr != NULL && !slice_equal(filter->job, target_label(target, SLICE("job")))) {
		return false;
	}
	if (filter->class.ptr != NULL && !has_class(target, filter->class)) {
		return false;
	}
	if (filter->states != 0 && (filter->states >> registry_state(registry, target) & 1) == 0) {
		return false;
	}
	return is_selected(&filter->selectors, target, scratch);
}
