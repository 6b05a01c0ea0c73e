#include "model/relabel.h"

static bool matches_any(const struct pattern *const *patterns, size_t count, struct slice escaped,
		struct pattern_scratch *scratch)
{
	struct slice text = count == 0 ? escaped : labels_unescape(scratch->arena, escaped);
	for (size_t i = 0; i < count; i++) {
		if (pattern_matches(patterns[i], text, scratch)) {
			return true;
		}
	}
	return false;
}

/* ---- Metrics ---- */

static void drop_metrics(
		const struct relabel *relabel, struct batch *batch, struct pattern_scratch *scratch)
{
	struct batch_family **place = &batch->families;
	while (*place != NULL && relabel->drop_metric_count > 0) {
		struct batch_family *family = *place;
		if (matches_any(relabel->drop_metrics, relabel->drop_metric_count, family->name, scratch)) {
			*place = family->next;
			batch->family_count--;
			batch->sample_count -= family->sample_count;
		} else {
			place = &family->next;
		}
	}
}

/* ---- Labels ---- */

static bool is_bound(const struct batch_family *family, struct slice name)
{
	return metric_type_has_bounds(family->type)
			&& slice_equal(name, metric_type_bound_name(family->type));
}

/* Into the labels that follow, which have room for it. */
static void drop_labels(const struct relabel *relabel, const struct batch_family *family,
		const struct labels *from, struct labels *to, struct pattern_scratch *scratch)
{
	for (size_t i = 0; i < from->count; i++) {
		struct slice name = from->pairs[i].name;
		bool is_dropped = !is_bound(family, name)
				&& matches_any(relabel->drop_labels, relabel->drop_label_count, name, scratch);
		if (!is_dropped) {
			to->pairs[to->count++] = from->pairs[i];
		}
	}
}

/* Merges those to be added; both are sorted. */
static void add_labels(const struct labels *kept, const struct labels *add, struct labels *to)
{
	size_t next = 0;
	for (size_t i = 0; i < kept->count; i++) {
		struct label label = kept->pairs[i];
		while (next < add->count && slice_compare(add->pairs[next].name, label.name) < 0) {
			to->pairs[to->count++] = add->pairs[next++];
		}
		if (next < add->count && slice_equal(add->pairs[next].name, label.name)) {
			label = label.value.len == 0 ? add->pairs[next] : label;
			next++;
		}
		to->pairs[to->count++] = label;
	}
	while (next < add->count) {
		to->pairs[to->count++] = add->pairs[next++];
	}
}

static void change_labels(const struct relabel *relabel, const struct batch_family *family,
		struct sample *sample, struct pattern_scratch *scratch)
{
	struct arena *arena = scratch->arena;
	struct labels kept = { .pairs = arena_zalloc(
								   arena, sample->labels.count + 1, sizeof(struct label)) };
	drop_labels(relabel, family, &sample->labels, &kept, scratch);
	struct labels changed = { .pairs = arena_zalloc(arena, kept.count + relabel->add.count + 1,
									  sizeof(struct label)) };
	add_labels(&kept, &relabel->add, &changed);
	sample->labels = changed;
}

bool relabel_apply(const struct relabel *relabel, struct batch *batch, struct arena *arena)
{
	struct pattern_scratch scratch;
	pattern_scratch_init(&scratch, arena);
	drop_metrics(relabel, batch, &scratch);
	bool changes_labels = relabel->drop_label_count > 0 || relabel->add.count > 0;
	for (struct batch_family *family = batch->families; family != NULL && changes_labels;
			family = family->next) {
		for (size_t i = 0; i < family->sample_count; i++) {
			change_labels(relabel, family, &family->samples[i], &scratch);
		}
	}
	return scratch.failed == NULL;
}
