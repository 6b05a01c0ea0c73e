#include "store/collide.h"

#include <assert.h>

#include "store/check.h"
#include "store/line.h"

enum {
	BUDGET = 16 * 1024,   /* lines gone through in one slice */
	SHAPES_PER_UNIT = 16, /* shapes that are tried for a line at the same price */
	LINE_LABELS_FEW = 64,
};

struct colliding {
	const struct contents *contents;
	const struct check_subject *subject;
	struct arena scratch;
	const struct shape **shapes; /* of groups that could be met */
	uint32_t shape_count;
	struct labels line; /* those of the current line that have a value */
	size_t line_capacity;
	struct label *pairs; /* the key that a group must have to be met */
};

/* ---- Who has what ---- */

/* Whether the other block has the series, which has this identity. */
static bool has_series(struct block *other, uint32_t id, struct slice series)
{
	uint32_t number = block_find_id(other, id, 0);
	while (number < other->line_count) {
		if (line_same_series(line_series(block_line(other, number)), series)) {
			return true;
		}
		number = block_find_id(other, id, number + 1);
	}
	return false;
}

/* Another group's exposed block in the family; NULL: it has none. */
static struct block *exposed_block(const struct check_subject *subject, const struct group *group)
{
	struct member *member =
			group == subject->group ? NULL : group_find_member(group, subject->family);
	if (member == NULL) {
		return NULL;
	}
	struct slot *slot = slots_at(&subject->family->slots, member->slot);
	return slot_is_exposed(*slot) ? slot_content(*slot) : NULL;
}

/* The group with that key that has the series exposed; any series when it is empty. */
static struct group *find_exposed_under(
		const struct colliding *c, const struct group_key *key, uint32_t id, struct slice series)
{
	uint64_t hash = group_key_hash(key);
	struct map_node *node = map_first(&c->contents->groups, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		if (!group_key_equal_normalised(&group->key, key)) {
			continue;
		}
		struct block *block = exposed_block(c->subject, group);
		if (block != NULL && (series.len == 0 || has_series(block, id, series))) {
			return group;
		}
	}
	return NULL;
}

/* ---- Shapes ---- */

/*
 * The labels that have the shape's names; false when one lacks. Both lists are
 * sorted by name.
 */
static bool take_labels(
		const struct shape *shape, const struct labels *labels, struct label *ret_pairs)
{
	size_t low = 0;
	for (uint32_t i = 0; i < shape->name_count; i++) {
		size_t high = labels->count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (slice_compare(labels->pairs[middle].name, shape->names[i]) < 0) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		bool is_there = low < labels->count && labels->pairs[low].value.len > 0
				&& slice_equal(labels->pairs[low].name, shape->names[i]);
		if (!is_there) {
			return false;
		}
		ret_pairs[i] = labels->pairs[low++];
	}
	return true;
}

/* The grouping key alone tells which group that would be, and there is none. */
static bool is_nobodys(const struct colliding *c, const struct shape *shape)
{
	struct group_key key = { .labels = { .pairs = c->pairs, .count = shape->name_count } };
	return take_labels(shape, &c->subject->key->labels, c->pairs)
			&& find_exposed_under(c, &key, 0, slice_make(NULL, 0)) == NULL;
}

static bool can_meet(const struct colliding *c, const struct shape_count *entry)
{
	const struct check_subject *subject = c->subject;
	bool may_be_twin = subject->has_twin || c->contents->shadowed_groups > 0;
	return (entry->shape != subject->shape || may_be_twin)
			&& (entry->mask & ~subject->label_mask) == 0 && !is_nobodys(c, entry->shape);
}

static void make_room_for_keys(struct colliding *c, const struct shape_counts *counts)
{
	uint32_t most_names = 0;
	for (uint32_t i = 0; i < counts->len; i++) {
		uint32_t names = counts->entries[i].shape->name_count;
		most_names = names > most_names ? names : most_names;
	}
	c->pairs = arena_alloc(&c->scratch, (most_names + 1) * sizeof(struct label));
}

static void collect_shapes(struct colliding *c)
{
	const struct shape_counts *counts = &c->subject->family->shapes;
	make_room_for_keys(c, counts);
	c->shapes = arena_alloc(&c->scratch, (counts->len + 1) * sizeof(struct shape *));
	for (uint32_t i = 0; i < counts->len; i++) {
		if (can_meet(c, &counts->entries[i])) {
			c->shapes[c->shape_count++] = counts->entries[i].shape;
		}
	}
}

/* ---- Lines ---- */

/* Reads the line's labels; returns the mask of their names. */
static uint64_t read_line(struct colliding *c, struct slice series)
{
	struct line_labels labels = line_labels_of(series);
	struct label label;
	uint64_t mask = 0;
	c->line.count = 0;
	while (line_labels_next_with_value(&labels, &label)) {
		if (c->line.count == c->line_capacity) {
			size_t old_bytes = c->line.count * sizeof(struct label);
			c->line_capacity = c->line_capacity == 0 ? LINE_LABELS_FEW : c->line_capacity * 2;
			c->line.pairs = arena_grow(
					&c->scratch, c->line.pairs, old_bytes, c->line_capacity * sizeof(struct label));
		}
		c->line.pairs[c->line.count++] = label;
		mask |= prepare_label_bit(label.name);
	}
	return mask;
}

/* The group that has that line, too; NULL: none. */
static struct group *find_group_of(struct colliding *c, uint32_t id, struct slice line)
{
	struct slice series = line_series(line);
	uint64_t mask = read_line(c, series);
	for (uint32_t i = 0; i < c->shape_count; i++) {
		const struct shape *shape = c->shapes[i];
		if ((shape->mask & ~mask) != 0 || !take_labels(shape, &c->line, c->pairs)) {
			continue;
		}
		struct group_key key = { .labels = { .pairs = c->pairs, .count = shape->name_count } };
		struct group *group = find_exposed_under(c, &key, id, series);
		if (group != NULL) {
			return group;
		}
	}
	return NULL;
}

/* The number of the first line of the chunk that collides, or its line count. */
static uint32_t find_in_chunk(
		struct colliding *c, const struct chunk *chunk, const struct group **ret_group)
{
	const uint32_t *ids = chunk_ids(chunk);
	const char *line = chunk->text;
	for (uint32_t i = 0; i < chunk->line_count; i++) {
		const char *feed = rawmemchr(line, '\n');
		const struct group *group = find_group_of(c, ids[i], slice_between(line, feed));
		if (group != NULL) {
			*ret_group = group;
			return i;
		}
		line = feed + 1;
	}
	return chunk->line_count;
}

static enum collide_result find_in_block(struct colliding *c, struct collide_cursor *cursor,
		uint32_t *ret_line_number, const struct group **ret_group)
{
	const struct block *block = c->subject->block;
	uint32_t price = 1 + c->shape_count / SHAPES_PER_UNIT; /* of a line */
	uint64_t spent = 0;
	for (; cursor->chunk < block->chunk_count; cursor->chunk++) {
		const struct chunk *chunk = block->chunks[cursor->chunk];
		if (spent >= BUDGET) {
			return COLLIDE_MORE;
		}
		uint32_t found = find_in_chunk(c, chunk, ret_group);
		if (found < chunk->line_count) {
			*ret_line_number = cursor->line + found;
			return COLLIDE_FOUND;
		}
		cursor->line += chunk->line_count;
		spent += (uint64_t)chunk->line_count * price;
	}
	return COLLIDE_NONE;
}

enum collide_result collide_find(const struct contents *contents,
		const struct check_subject *subject, struct collide_cursor *cursor,
		uint32_t *ret_line_number, const struct group **ret_group)
{
	struct colliding c = { .contents = contents, .subject = subject };
	enum collide_result result = COLLIDE_NONE;
	if (subject->family->shapes.len == 0) {
		return COLLIDE_NONE;
	}
	arena_init(&c.scratch);
	collect_shapes(&c);
	if (c.shape_count > 0) {
		result = find_in_block(&c, cursor, ret_line_number, ret_group);
	}
	arena_finish(&c.scratch);
	return result;
}

/* ---- All of them ---- */

static bool call_for_chunk(struct colliding *c, const struct chunk *chunk,
		bool (*on_group)(void *data, struct group *group), void *data)
{
	const struct group *last = NULL;
	const uint32_t *ids = chunk_ids(chunk);
	const char *line = chunk->text;
	for (uint32_t i = 0; i < chunk->line_count; i++) {
		const char *feed = rawmemchr(line, '\n');
		struct group *group = find_group_of(c, ids[i], slice_between(line, feed));
		if (group != NULL && group != last && !on_group(data, group)) {
			return false;
		}
		last = group;
		line = feed + 1;
	}
	return true;
}

void collide_each(const struct contents *contents, const struct check_subject *subject,
		bool (*on_group)(void *data, struct group *group), void *data)
{
	struct colliding c = { .contents = contents, .subject = subject };
	if (subject->family->shapes.len == 0) {
		return;
	}
	arena_init(&c.scratch);
	collect_shapes(&c);
	bool goes_on = c.shape_count > 0;
	for (uint32_t i = 0; i < subject->block->chunk_count && goes_on; i++) {
		goes_on = call_for_chunk(&c, subject->block->chunks[i], on_group, data);
	}
	arena_finish(&c.scratch);
}

/* ---- Owners ---- */

/* The group with that key that has the slot. */
static struct group *find_owner_under(const struct contents *contents, const struct group_key *key,
		const struct family *family, uint32_t slot)
{
	uint64_t hash = group_key_hash(key);
	struct map_node *node = map_first(&contents->groups, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		struct member *member = group_find_member(group, family);
		if (member != NULL && member->slot == slot) {
			return group;
		}
	}
	return NULL;
}

struct group *collide_owner(
		const struct contents *contents, const struct family *family, uint32_t slot)
{
	struct colliding c = { .contents = contents };
	const struct shape_counts *counts = &family->shapes;
	const struct block *block = slot_content(*slots_at(&family->slots, slot));
	struct group *owner = NULL;
	arena_init(&c.scratch);
	make_room_for_keys(&c, counts);
	uint64_t mask = read_line(&c, line_series(block_line(block, 0)));
	for (uint32_t i = 0; i < counts->len && owner == NULL; i++) {
		const struct shape *shape = counts->entries[i].shape;
		if ((shape->mask & ~mask) == 0 && take_labels(shape, &c.line, c.pairs)) {
			struct group_key key = { .labels = { .pairs = c.pairs, .count = shape->name_count } };
			owner = find_owner_under(contents, &key, family, slot);
		}
	}
	arena_finish(&c.scratch);
	assert(owner != NULL);
	return owner;
}
