#include "store/check.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/quote.h"
#include "store/describe.h"
#include "store/ids.h"
#include "store/line.h"

struct checking {
	const struct contents *contents;
	const struct check_subject *subject;
	struct arena *arena; /* NULL: no words wanted */
	struct arena scratch;
	struct slice *problem;
};

bool check_is_exposed(const struct group *group, const struct family *family)
{
	struct member *member = group == NULL ? NULL : group_find_member(group, family);
	return member != NULL && slot_is_exposed(*slots_at(&family->slots, member->slot));
}

/* Blocks of others that are exposed in the family. */
static uint32_t count_others(const struct check_subject *subject, const struct family *family)
{
	return family->exposed - check_is_exposed(subject->group, family);
}

static bool refuse(struct checking *c, uint32_t line_number, struct slice problem)
{
	const struct check_subject *subject = c->subject;
	if (c->arena != NULL) {
		struct slice line = block_line(subject->block, line_number);
		*c->problem = describe_line(
				c->arena, subject->family->name, subject->block->type, line.ptr, problem);
	}
	return false;
}

static bool refuse_in_words(struct checking *c, const char *format, struct slice a, struct slice b,
		struct slice d, struct slice e)
{
	if (c->arena != NULL) {
		struct buf text;
		buf_init(&text, 0);
		struct slice parts[4] = { a, b, d, e };
		size_t next = 0;
		for (const char *f = format; *f != '\0'; f++) {
			if (*f == '@') {
				quote_append(&text, parts[next++]);
			} else if (*f == '$') {
				buf_append(&text, parts[next++]);
			} else {
				buf_append_byte(&text, *f);
			}
		}
		*c->problem = arena_copy(c->arena, buf_slice(&text));
		buf_finish(&text);
	}
	return false;
}

/* ---- Types ---- */

static bool check_declaration(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct family_declaration *declared = subject->family->declaration;
	if (declared == NULL) {
		return true;
	}
	if (!metric_type_agrees(declared->type, subject->block->type)) {
		return refuse_in_words(c, "gathered metric family $ has type $ but should have $",
				declared->name, metric_type_upper_name(subject->block->type),
				metric_type_upper_name(declared->type), SLICE(""));
	}
	return true;
}

static bool check_type(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct family *family = subject->family;
	if (count_others(subject, family) == 0
			|| metric_type_agrees(family->type, subject->block->type)) {
		return true;
	}
	struct slice name = metric_type_upper_name(family->type);
	char problem[64];
	int len = snprintf(problem, sizeof(problem), "is not a " SLICE_FMT, SLICE_ARG(name));
	return refuse(c, 0, slice_make(problem, (size_t)len));
}

/* ---- Names that _sum, _count and _bucket lead to ---- */

/* Whether a family of that name will be there, and of what type. */
static bool will_be_there(struct checking *c, struct slice name, enum metric_type *ret_type)
{
	const struct check_subject *subject = c->subject;
	struct family *family = families_find(&c->contents->families, name, hash64(name));
	if (family == NULL) {
		return false;
	}
	*ret_type = family->claims > 0        ? family->claimed_type
			: family->declaration != NULL ? family->declaration->type
										  : family->type;
	bool own_stays = family->exposed > 0 && !subject->replaces_all;
	return family->claims > 0 || family->declaration != NULL || own_stays
			|| count_others(subject, family) > 0;
}

/* h_count beside a histogram h. */
static bool check_as_suffixed(struct checking *c)
{
	static const struct slice suffixes[] = { SLICE_INIT("_count"), SLICE_INIT("_sum"),
		SLICE_INIT("_bucket") };
	struct slice name = c->subject->family->name;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		struct slice bare = slice_first(name, name.len - suffixes[i].len);
		enum metric_type type;
		if (name.len <= suffixes[i].len || !slice_ends_with(name, suffixes[i])
				|| !will_be_there(c, bare, &type)) {
			continue;
		}
		bool is_bucket = slice_equal(suffixes[i], SLICE("_bucket"));
		if (metric_type_is_histogram(type) || (type == METRIC_SUMMARY && !is_bucket)) {
			return refuse_in_words(c,
					"collected metric named @ collides with previously collected $ named @", name,
					metric_type_name(type), bare, SLICE(""));
		}
	}
	return true;
}

/* A histogram h beside h_count. */
static bool check_as_base(struct checking *c)
{
	static const struct slice suffixes[] = { SLICE_INIT("_count"), SLICE_INIT("_sum"),
		SLICE_INIT("_bucket") };
	enum metric_type type = c->subject->block->type;
	if (!metric_type_is_histogram(type) && type != METRIC_SUMMARY) {
		return true;
	}
	struct slice name = c->subject->family->name;
	size_t count = type == METRIC_SUMMARY ? 2 : 3;
	for (size_t i = 0; i < count; i++) {
		struct slice longer = arena_printf(
				&c->scratch, SLICE_FMT SLICE_FMT, SLICE_ARG(name), SLICE_ARG(suffixes[i]));
		enum metric_type ignored;
		if (will_be_there(c, longer, &ignored)) {
			return refuse_in_words(c,
					i == 2 ? "collected histogram named @ collides with previously collected "
							 "metric named @"
						   : "collected histogram or summary named @ collides with previously "
							 "collected metric named @",
					name, longer, SLICE(""), SLICE(""));
		}
	}
	return true;
}

/* ---- Series of groups of another shape ---- */

struct meeting {
	struct checking *checking;
	struct block *other;
	uint32_t line_number; /* of the subject's block, once found */
};

static bool on_same_id(void *data, uint32_t other_number, uint32_t own_number)
{
	struct meeting *meeting = data;
	struct block *own = meeting->checking->subject->block;
	if (!line_same_series(line_series(block_line(own, own_number)),
				line_series(block_line(meeting->other, other_number)))) {
		return false;
	}
	meeting->line_number = own_number;
	return true;
}

static uint32_t *copy_ids(struct arena *arena, const struct block *block)
{
	uint32_t *ids = arena_alloc(arena, block->line_count * sizeof(uint32_t));
	uint32_t count = 0;
	for (size_t i = 0; i < block->chunk_count; i++) {
		const struct chunk *chunk = block->chunks[i];
		memcpy(ids + count, chunk_ids(chunk), chunk->line_count * sizeof(uint32_t));
		count += chunk->line_count;
	}
	return ids;
}

/* Whether the blocks have a series in common. */
static bool blocks_meet(struct meeting *meeting, const struct ids_table *own)
{
	uint32_t number = 0;
	for (size_t i = 0; i < meeting->other->chunk_count; i++) {
		const struct chunk *chunk = meeting->other->chunks[i];
		const uint32_t *ids = chunk_ids(chunk);
		for (uint32_t j = 0; j < chunk->line_count; j++, number++) {
			if (ids_table_find(own, ids[j], number, on_same_id, meeting)) {
				return true;
			}
		}
	}
	return false;
}

/* The exposed block in the subject's family of each group with that key. */
static bool check_against_key(
		struct checking *c, const struct group_key *key, const struct ids_table *own)
{
	uint64_t hash = group_key_hash(key);
	struct map_node *node = map_first(&c->contents->groups, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		if (group == c->subject->group || !group_key_equal_normalised(&group->key, key)
				|| !check_is_exposed(group, c->subject->family)) {
			continue;
		}
		struct member *member = group_find_member(group, c->subject->family);
		struct slot *slot = slots_at(&c->subject->family->slots, member->slot);
		struct meeting meeting = { .checking = c, .other = slot_content(*slot) };
		if (blocks_meet(&meeting, own)) {
			return refuse(c, meeting.line_number,
					SLICE("was collected before with the same name and label values"));
		}
	}
	return true;
}

/*
 * The key that a group of that shape must have to expose this series; false
 * when the series lacks one of its labels.
 */
static bool key_of_series(const struct shape *shape, struct slice series, struct label *pairs)
{
	struct line_labels labels = line_labels_of(series);
	struct label label;
	uint32_t found = 0;
	while (found < shape->name_count && line_labels_next_with_value(&labels, &label)) {
		if (slice_equal(label.name, shape->names[found])) {
			pairs[found++] = label;
		}
	}
	return found == shape->name_count;
}

/* Whether the grouping key alone has all names of the shape. */
static bool key_covers(const struct group_key *key, const struct shape *shape)
{
	for (uint32_t i = 0; i < shape->name_count; i++) {
		if (labels_find(&key->labels, shape->names[i]).len == 0) {
			return false;
		}
	}
	return true;
}

static bool check_shape(struct checking *c, const struct shape *shape, const struct ids_table *own)
{
	const struct check_subject *subject = c->subject;
	struct label *pairs = arena_alloc(&c->scratch, (shape->name_count + 1) * sizeof(struct label));
	struct group_key key = { .labels = { .pairs = pairs, .count = shape->name_count } };
	/* With all names in the key, the first line speaks for all. */
	bool one_for_all = key_covers(subject->key, shape);
	uint64_t last_hash = 0;
	for (size_t i = 0; i < subject->block->chunk_count; i++) {
		struct slice text = chunk_text(subject->block->chunks[i]);
		while (text.len > 0) {
			const char *feed = slice_find_byte(text, '\n');
			struct slice series = line_series(slice_between(text.ptr, feed));
			text = slice_skip(text, (size_t)(feed + 1 - text.ptr));
			if (!key_of_series(shape, series, pairs)) {
				continue;
			}
			/* Neighbouring lines often lead to the same group. */
			uint64_t hash = group_key_hash(&key);
			if (hash != last_hash && !check_against_key(c, &key, own)) {
				return false;
			}
			last_hash = hash;
			if (one_for_all) {
				return true;
			}
		}
	}
	return true;
}

static bool check_series(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct shape_counts *shapes = &subject->family->shapes;
	struct ids_table own = { 0 };
	for (uint32_t i = 0; i < shapes->len; i++) {
		const struct shape_count *entry = &shapes->entries[i];
		bool may_be_twin = c->contents->shadowed_groups > 0;
		if ((entry->shape == subject->shape && !may_be_twin)
				|| (entry->mask & ~subject->label_mask) != 0) {
			continue;
		}
		if (own.ids == NULL) {
			ids_table_init(&own, copy_ids(&c->scratch, subject->block), subject->block->line_count,
					&c->scratch);
		}
		if (!check_shape(c, entry->shape, &own)) {
			return false;
		}
	}
	return true;
}

bool check_block(const struct contents *contents, const struct check_subject *subject,
		struct arena *arena, struct slice *reterr_problem)
{
	struct checking c = {
		.contents = contents,
		.subject = subject,
		.arena = arena,
		.problem = reterr_problem,
	};
	arena_init(&c.scratch);
	bool names_are_checked = check_is_exposed(subject->group, subject->family)
			&& metric_type_agrees(subject->family->type, subject->block->type);
	bool ok = !subject->block->is_invalid && check_declaration(&c) && check_type(&c)
			&& (names_are_checked || (check_as_suffixed(&c) && check_as_base(&c)))
			&& check_series(&c);
	arena_finish(&c.scratch);
	return ok;
}
