#pragma once

/*
 * What a store should hold, kept in the simplest way: groups with blocks of
 * rendered lines, looked through from end to end for every question.
 *
 * Two lines are the same series when their identities are equal: the name and
 * the labels that have a value.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "check.h"
#include "model/batch.h"
#include "model/group_key.h"
#include "store/push.h"

enum {
	MODEL_GROUPS_MAX = 64,
	MODEL_BLOCKS_MAX = 32,
	MODEL_LABELS_MAX = 16,
};

struct model_line {
	struct slice identity;
	struct slice text;
};

struct model_block {
	struct slice name;
	struct slice help; /* ptr NULL: none */
	enum metric_type type;
	int64_t since_ns;
	struct model_line *lines;
	size_t line_count;
	bool is_openmetrics;
	bool is_invalid; /* whatever else there is */
	bool is_exposed;
};

struct model_group {
	struct group_key key;
	struct slice label_text;
	struct model_block blocks[MODEL_BLOCKS_MAX];
	size_t block_count;
	struct group_times times;
	int64_t since_ns;
	int64_t deadline_ns;
	bool shows_times;
};

struct model {
	struct model_group *groups; /* MODEL_GROUPS_MAX */
	size_t group_count;
	const struct family_declaration *declarations;
	size_t declaration_count;
	struct arena *arena;
};

/* ---- Lines ---- */

static inline void model_set_label(struct labels *labels, struct slice name, struct slice value)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (slice_equal(labels->pairs[i].name, name)) {
			labels->pairs[i].value = value;
			return;
		}
	}
	labels->pairs[labels->count++] = (struct label){ .name = name, .value = value };
}

static inline void model_append_series(
		struct buf *out, struct slice name, struct slice suffix, const struct labels *labels)
{
	const char *separator = "{";
	buf_append(out, name);
	buf_append(out, suffix);
	for (size_t i = 0; i < labels->count; i++) {
		buf_append_string(out, separator);
		buf_append(out, labels->pairs[i].name);
		buf_append(out, SLICE("=\""));
		buf_append(out, labels->pairs[i].value);
		buf_append_byte(out, '"');
		separator = ",";
	}
	buf_append_byte(out, '}');
}

static inline struct model_line model_render(struct arena *arena, struct slice name,
		const struct sample *sample, const struct group_key *key)
{
	struct label pairs[MODEL_LABELS_MAX];
	struct labels all = { .pairs = pairs };
	struct buf text;
	struct model_line line;
	model_set_label(&all, SLICE("instance"), SLICE(""));
	for (size_t i = 0; i < sample->labels.count; i++) {
		model_set_label(&all, sample->labels.pairs[i].name, sample->labels.pairs[i].value);
	}
	for (size_t i = 0; i < key->labels.count; i++) {
		model_set_label(&all, key->labels.pairs[i].name, key->labels.pairs[i].value);
	}
	labels_sort(&all);
	buf_init(&text, 0);
	model_append_series(&text, name, sample_suffix(sample->role), &all);
	buf_append_byte(&text, ' ');
	buf_append(&text, sample->value);
	line.text = arena_copy(arena, buf_slice(&text));
	text.len = 0;
	size_t kept = 0;
	for (size_t i = 0; i < all.count; i++) {
		if (all.pairs[i].value.len > 0) {
			all.pairs[kept++] = all.pairs[i];
		}
	}
	all.count = kept;
	model_append_series(&text, name, sample_suffix(sample->role), &all);
	line.identity = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return line;
}

static inline bool model_is_bad_in_itself(const struct model_block *block,
		const struct batch_family *family, const struct group_key *key)
{
	bool is_histogram = metric_type_is_histogram(block->type);
	bool has_le = labels_find(&key->labels, SLICE("le")).ptr != NULL;
	bool has_quantile = labels_find(&key->labels, SLICE("quantile")).ptr != NULL;
	if ((is_histogram && has_le) || (block->type == METRIC_SUMMARY && has_quantile)) {
		return true;
	}
	for (size_t i = 0; i < block->line_count; i++) {
		for (size_t j = 0; j < family->samples[i].labels.count; j++) {
			if (slice_starts_with(family->samples[i].labels.pairs[j].name, SLICE("__"))) {
				return true;
			}
		}
		for (size_t j = 0; j < i; j++) {
			if (slice_equal(block->lines[i].identity, block->lines[j].identity)) {
				return true;
			}
		}
	}
	return false;
}

static inline struct model_block model_make_block(
		struct arena *arena, const struct batch_family *family, const struct group_key *key)
{
	struct model_block block = {
		.name = family->name,
		.help = family->help,
		.type = family->type,
		.line_count = family->sample_count,
	};
	block.lines = arena_alloc(arena, block.line_count * sizeof(struct model_line));
	for (size_t i = 0; i < block.line_count; i++) {
		block.lines[i] = model_render(arena, family->name, &family->samples[i], key);
	}
	block.is_invalid = model_is_bad_in_itself(&block, family, key);
	return block;
}

/* ---- Groups ---- */

static inline struct model_group *model_find(struct model *model, const struct group_key *key)
{
	for (size_t i = 0; i < model->group_count; i++) {
		if (group_key_equal(&model->groups[i].key, key)) {
			return &model->groups[i];
		}
	}
	return NULL;
}

static inline bool model_has_twin(struct model *model, const struct group_key *key)
{
	for (size_t i = 0; i < model->group_count; i++) {
		const struct group_key *other = &model->groups[i].key;
		if (group_key_equal_normalised(other, key) && !group_key_equal(other, key)) {
			return true;
		}
	}
	return false;
}

static inline struct model_group *model_enter(
		struct model *model, const struct group_key *key, int64_t now_ns)
{
	struct model_group *group = model_find(model, key);
	if (group == NULL) {
		group = &model->groups[model->group_count++];
		*group = (struct model_group){ .key = *key, .since_ns = now_ns };
		group->label_text = group_key_text(key, model->arena);
	}
	return group;
}

static inline void model_delete(struct model *model, const struct group_key *key)
{
	struct model_group *group = model_find(model, key);
	if (group != NULL) {
		*group = model->groups[--model->group_count];
	}
}

static inline struct model_block *model_find_block(struct model_group *group, struct slice name)
{
	for (size_t i = 0; i < group->block_count; i++) {
		if (slice_equal(group->blocks[i].name, name)) {
			return &group->blocks[i];
		}
	}
	return NULL;
}

static inline bool model_is_computed(struct slice name)
{
	return slice_equal(name, SLICE("push_time_seconds"))
			|| slice_equal(name, SLICE("push_failure_time_seconds"));
}

static inline bool model_brings(const struct batch *batch, struct slice name)
{
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		if (slice_equal(f->name, name)) {
			return true;
		}
	}
	return false;
}

/* Puts the batch in as it is. Who has a family already has it since then. */
static inline void model_apply(struct model *model, enum store_method method,
		const struct group_key *key, const struct batch *batch, int64_t now_ns)
{
	struct model_group *group = model_enter(model, key, now_ns);
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		if (model_is_computed(f->name)) {
			continue;
		}
		struct model_block *old = model_find_block(group, f->name);
		struct model_block *block = old != NULL ? old : &group->blocks[group->block_count++];
		int64_t since_ns = old != NULL ? old->since_ns : now_ns;
		*block = model_make_block(model->arena, f, key);
		block->since_ns = since_ns;
		block->is_openmetrics = batch->is_openmetrics;
	}
	for (size_t i = group->block_count; i-- > 0 && method == STORE_PUT;) {
		if (!model_brings(batch, group->blocks[i].name)) {
			group->blocks[i] = group->blocks[--group->block_count];
		}
	}
}

/* ---- Rules ---- */

static inline const struct family_declaration *model_declaration(
		const struct model *model, struct slice name)
{
	for (size_t i = 0; i < model->declaration_count; i++) {
		if (slice_equal(model->declarations[i].name, name)) {
			return &model->declarations[i];
		}
	}
	return NULL;
}

/* Whether a has lines that are named b. */
static inline bool model_owns_name(struct slice a, enum metric_type type, struct slice b)
{
	static const struct slice suffixes[] = { SLICE_INIT("_count"), SLICE_INIT("_sum"),
		SLICE_INIT("_bucket"), SLICE_INIT("_gcount"), SLICE_INIT("_gsum") };
	size_t count = type == METRIC_OPEN_GAUGE_HISTOGRAM ? 5
			: metric_type_is_histogram(type)           ? 3
			: type == METRIC_SUMMARY                   ? 2
													   : 0;
	for (size_t i = 0; i < count; i++) {
		if (b.len == a.len + suffixes[i].len && slice_starts_with(b, a)
				&& slice_ends_with(b, suffixes[i])) {
			return true;
		}
	}
	return false;
}

static inline bool model_agrees_with_declarations(
		const struct model *model, const struct model_block *block)
{
	for (size_t i = 0; i < model->declaration_count; i++) {
		const struct family_declaration *declared = &model->declarations[i];
		if (model_owns_name(block->name, block->type, declared->name)
				|| model_owns_name(declared->name, declared->type, block->name)) {
			return false;
		}
		if (slice_equal(declared->name, block->name)
				&& !metric_type_agrees(declared->type, block->type)) {
			return false;
		}
	}
	return true;
}

/* Whether OpenMetrics shows when a was created as b. */
static inline bool model_owns_created(const struct model_block *a, const struct model_block *b)
{
	static const struct slice total = SLICE_INIT("_total");
	static const struct slice created = SLICE_INIT("_created");
	struct slice name = a->name;
	if (a->type == METRIC_COUNTER && slice_ends_with(name, total)) {
		name.len -= total.len;
	} else if (a->type != METRIC_HISTOGRAM && a->type != METRIC_SUMMARY) {
		return false;
	}
	return a->is_openmetrics && b->is_openmetrics && b->name.len == name.len + created.len
			&& slice_starts_with(b->name, name) && slice_ends_with(b->name, created);
}

static inline bool model_kinds_agree(const struct model_block *a, const struct model_block *b)
{
	bool is_mixed = (a->type == METRIC_HISTOGRAM && b->type == METRIC_OPEN_GAUGE_HISTOGRAM)
			|| (b->type == METRIC_HISTOGRAM && a->type == METRIC_OPEN_GAUGE_HISTOGRAM);
	return metric_type_agrees(a->type, b->type)
			&& !(is_mixed && a->is_openmetrics && b->is_openmetrics);
}

static inline bool model_blocks_agree(const struct model_block *a, const struct model_block *b)
{
	if (!slice_equal(a->name, b->name)) {
		return !model_owns_name(a->name, a->type, b->name)
				&& !model_owns_name(b->name, b->type, a->name) && !model_owns_created(a, b)
				&& !model_owns_created(b, a);
	}
	if (!model_kinds_agree(a, b)) {
		return false;
	}
	for (size_t i = 0; i < a->line_count; i++) {
		for (size_t j = 0; j < b->line_count; j++) {
			if (slice_equal(a->lines[i].identity, b->lines[j].identity)) {
				return false;
			}
		}
	}
	return true;
}

/* Whether the block agrees with all others, or with those exposed. */
static inline bool model_block_fits(
		const struct model *model, const struct model_block *block, bool with_exposed_only)
{
	if (block->is_invalid || !model_agrees_with_declarations(model, block)) {
		return false;
	}
	for (size_t i = 0; i < model->group_count; i++) {
		for (size_t j = 0; j < model->groups[i].block_count; j++) {
			const struct model_block *other = &model->groups[i].blocks[j];
			bool counts = other != block && (other->is_exposed || !with_exposed_only);
			if (counts && !model_blocks_agree(block, other)) {
				return false;
			}
		}
	}
	return true;
}

static inline bool model_is_consistent(const struct model *model)
{
	for (size_t i = 0; i < model->group_count; i++) {
		for (size_t j = 0; j < model->groups[i].block_count; j++) {
			if (!model_block_fits(model, &model->groups[i].blocks[j], false)) {
				return false;
			}
		}
	}
	return true;
}

/* ---- What is exposed ---- */

static inline int model_compare_keys(const struct group_key *a, const struct group_key *b)
{
	for (size_t i = 0; i < a->labels.count && i < b->labels.count; i++) {
		struct slice left[2] = { a->labels.pairs[i].name, a->labels.pairs[i].value };
		struct slice right[2] = { b->labels.pairs[i].name, b->labels.pairs[i].value };
		for (size_t j = 0; j < 2; j++) {
			if (!slice_equal(left[j], right[j])) {
				return slice_compare(left[j], right[j]);
			}
		}
	}
	return a->labels.count < b->labels.count ? -1 : a->labels.count > b->labels.count;
}

struct model_place {
	const struct model_group *group;
	struct model_block *block;
};

static inline int model_compare_places(const void *a, const void *b)
{
	const struct model_place *left = a;
	const struct model_place *right = b;
	if (left->block->since_ns != right->block->since_ns) {
		return left->block->since_ns < right->block->since_ns ? -1 : 1;
	}
	int order = model_compare_keys(&left->group->key, &right->group->key);
	return order != 0 ? order : slice_compare(left->block->name, right->block->name);
}

static inline bool model_shows_times(const struct model *model, const struct model_group *group)
{
	for (size_t i = 0; i < model->group_count; i++) {
		const struct model_group *other = &model->groups[i];
		bool is_before = other->since_ns < group->since_ns
				|| (other->since_ns == group->since_ns
						&& model_compare_keys(&other->key, &group->key) < 0);
		if (is_before && group_key_equal_normalised(&other->key, &group->key)) {
			return false;
		}
	}
	return true;
}

/* In their order, each block that contradicts none of those exposed before. */
static inline void model_expose(struct model *model)
{
	struct model_place places[MODEL_GROUPS_MAX * MODEL_BLOCKS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < model->group_count; i++) {
		struct model_group *group = &model->groups[i];
		group->shows_times = model_shows_times(model, group);
		for (size_t j = 0; j < group->block_count; j++) {
			group->blocks[j].is_exposed = false;
			places[count++] = (struct model_place){ group, &group->blocks[j] };
		}
	}
	if (count > 0) {
		qsort(places, count, sizeof(places[0]), model_compare_places);
	}
	for (size_t i = 0; i < count; i++) {
		places[i].block->is_exposed = model_block_fits(model, places[i].block, true);
	}
}

/* ---- The page ---- */

static inline int model_compare_lines(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sorted; what a page is compared by. */
struct model_lines {
	struct slice *lines;
	size_t count;
	size_t capacity;
};

static inline void model_lines_add(
		struct model_lines *lines, struct arena *arena, struct slice line)
{
	if (lines->count == lines->capacity) {
		size_t old_bytes = lines->count * sizeof(struct slice);
		lines->capacity = lines->capacity == 0 ? 64 : lines->capacity * 2;
		lines->lines =
				arena_grow(arena, lines->lines, old_bytes, lines->capacity * sizeof(struct slice));
	}
	lines->lines[lines->count++] = line;
}

static inline struct slice model_time_line(
		struct arena *arena, const struct model_group *group, const char *name, int64_t ns)
{
	return ns == 0 ? arena_printf(arena, "%s{" SLICE_FMT "} 0", name, SLICE_ARG(group->label_text))
				   : arena_printf(arena, "%s{" SLICE_FMT "} %lld.%06lld", name,
						   SLICE_ARG(group->label_text), (long long)(ns / 1000000000),
						   (long long)(ns / 1000 % 1000000));
}

static inline void model_add_group_lines(
		const struct model_group *group, struct arena *arena, struct model_lines *lines)
{
	if (group->shows_times) {
		model_lines_add(lines, arena,
				model_time_line(arena, group, "push_time_seconds", group->times.pushed_ns));
		model_lines_add(lines, arena,
				model_time_line(arena, group, "push_failure_time_seconds", group->times.failed_ns));
	}
	for (size_t i = 0; i < group->block_count; i++) {
		const struct model_block *block = &group->blocks[i];
		if (!block->is_exposed) {
			continue;
		}
		model_lines_add(lines, arena,
				arena_printf(arena, "# TYPE " SLICE_FMT " " SLICE_FMT, SLICE_ARG(block->name),
						SLICE_ARG(metric_type_name(block->type))));
		for (size_t j = 0; j < block->line_count; j++) {
			model_lines_add(lines, arena, block->lines[j].text);
		}
	}
}

static inline void model_lines_sort(struct model_lines *lines)
{
	if (lines->count > 0) {
		qsort(lines->lines, lines->count, sizeof(struct slice), model_compare_lines);
	}
}

/* The lines of the page, TYPE lines once for each block and without those of the times. */
static inline struct model_lines model_page(const struct model *model, struct arena *arena)
{
	struct model_lines lines = { 0 };
	for (size_t i = 0; i < model->group_count; i++) {
		model_add_group_lines(&model->groups[i], arena, &lines);
	}
	model_lines_sort(&lines);
	size_t kept = 0;
	for (size_t i = 0; i < lines.count; i++) {
		bool is_repeated = kept > 0 && lines.lines[i].ptr[0] == '#'
				&& slice_equal(lines.lines[kept - 1], lines.lines[i]);
		if (!is_repeated) {
			lines.lines[kept++] = lines.lines[i];
		}
	}
	lines.count = kept;
	return lines;
}

static inline struct slice model_next_line(struct slice *rest)
{
	const char *feed = slice_find_byte(*rest, '\n');
	struct slice line = slice_between(rest->ptr, feed);
	*rest = slice_skip(*rest, line.len + 1);
	return line;
}

/* As model_page() has it. */
static inline struct model_lines model_lines_of(struct slice text, struct arena *arena)
{
	struct model_lines lines = { 0 };
	while (text.len > 0) {
		struct slice line = model_next_line(&text);
		if (!slice_starts_with(line, SLICE("# HELP "))
				&& !slice_starts_with(line, SLICE("# TYPE push_"))) {
			model_lines_add(&lines, arena, line);
		}
	}
	model_lines_sort(&lines);
	return lines;
}

static inline void model_check_lines(
		const struct model_lines *got, const struct model_lines *expected)
{
	CHECK_INT(got->count, expected->count);
	for (size_t i = 0; i < got->count && i < expected->count; i++) {
		if (!slice_equal(got->lines[i], expected->lines[i])) {
			CHECK_SLICE(slice_first(got->lines[i], 200), slice_first(expected->lines[i], 200));
			return;
		}
	}
}
