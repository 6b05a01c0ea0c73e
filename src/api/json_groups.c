#include "api/json_groups.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/snapshot.h"

enum {
	GROUPS_LOOKED_MAX = 2000, /* on one turn of the loop */
	MEMBERS_MAX = 1000,       /* of a group that is listed at once */
	LARGE_MEMBERS = 4000,     /* of a larger one, listed on one turn */
	GROUP_BYTES = 512,        /* what a group counts for beside its families */
};

/* What a unit of work is about. */
struct json_unit {
	struct snapshot snapshot;
	struct json_group **groups;
	size_t group_count;
	size_t group_capacity;
	struct large_json_group *large; /* instead of groups */
	const struct selectors *selectors;
	bool is_last;
};

/* Its members are copied, since those of the group change while they are listed. */
struct large_json_group {
	struct snapshot snapshot;
	struct arena arena;
	struct json_group group;
	struct member *members;
	uint32_t member_count;
	uint32_t next_member;
	bool is_working; /* a unit goes on with it */
	bool is_whole;   /* all of it is written */
};

/* ---- Listing ---- */

/* The one place that knows where a block's help is. */
static struct slice help_of(const struct block *block)
{
	return block->metadata == NULL ? slice_make(NULL, 0) : block->metadata->help;
}

static struct block *block_of(const struct snapshot *snapshot, const struct member *member)
{
	const struct slot *slot = slots_at(&member->family->slots, member->slot);
	return slot_content(snapshot_slot(snapshot, HISTORY_BLOCK, slot));
}

static void list_member(
		struct json_group *group, const struct snapshot *snapshot, const struct member *member)
{
	struct block *block = block_of(snapshot, member);
	if (block == NULL || block->is_invalid || !json_group_takes(member->family->name)) {
		return;
	}
	group->items[group->item_count++] = (struct json_item){
		.name = member->family->name,
		.kind = JSON_ITEM_FAMILY,
		.block = block,
		.help = help_of(block),
		.pushed_ns = block_pack(block)->pushed_ns,
	};
}

static void describe_group(struct json_group *json, const struct group *group)
{
	json->labels = group->key.labels;
	json->label_text = group->label_text;
	json->times = group->times;
}

/* Bytes to go through for it. */
static size_t measure_group(const struct group *group)
{
	size_t bytes = GROUP_BYTES;
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct block *block = slot_content(*slots_at(&member->family->slots, member->slot));
		bytes += block == NULL ? 0 : block_bytes(block);
	}
	return bytes;
}

/* ---- Small groups ---- */

static struct json_group *add_place(struct worked_unit *unit, struct json_unit *data)
{
	struct json_group *group = arena_alloc(&unit->arena, sizeof(*group));
	if (data->group_count == data->group_capacity) {
		size_t old_bytes = data->group_count * sizeof(group);
		data->group_capacity = data->group_capacity == 0 ? 32 : data->group_capacity * 2;
		data->groups = arena_grow(
				&unit->arena, data->groups, old_bytes, data->group_capacity * sizeof(group));
	}
	data->groups[data->group_count++] = group;
	return group;
}

static void add_group(struct json_groups *groups, struct worked_unit *unit,
		const struct group *group, size_t bytes)
{
	struct json_unit *data = unit->data;
	if (data->group_count == 0) {
		snapshot_open(&data->snapshot, groups->store);
	}
	size_t items = json_group_items_max(group->member_count);
	struct json_group *json = add_place(unit, data);
	json_group_init(json, arena_alloc(&unit->arena, items * sizeof(struct json_item)));
	describe_group(json, group);
	for (uint32_t i = 0; i < group->member_count; i++) {
		list_member(json, &data->snapshot, &group->members[i]);
	}
	unit->bytes += bytes;
}

/* ---- Large groups ---- */

static void begin_large(struct json_groups *groups, const struct group *group)
{
	struct large_json_group *large = memory_zalloc(1, sizeof(*large));
	size_t items = json_group_items_max(group->member_count);
	size_t member_bytes = group->member_count * sizeof(struct member);
	groups->large = large;
	snapshot_open(&large->snapshot, groups->store);
	arena_init(&large->arena);
	json_group_init(&large->group, arena_alloc(&large->arena, items * sizeof(struct json_item)));
	describe_group(&large->group, group);
	large->member_count = group->member_count;
	large->members = arena_grow(&large->arena, group->members, member_bytes, member_bytes);
}

static void end_large(struct json_groups *groups)
{
	snapshot_close(&groups->large->snapshot);
	arena_finish(&groups->large->arena);
	free(groups->large);
	groups->large = NULL;
}

/* Lists its families, a slice on each turn; then a unit goes on with writing. */
static enum worked_gathering gather_large(struct json_groups *groups, struct worked_unit *unit)
{
	struct large_json_group *large = groups->large;
	struct json_unit *data = unit->data;
	if (large->is_working) {
		return WORKED_AWAITS;
	}
	for (uint32_t i = 0; i < LARGE_MEMBERS && large->next_member < large->member_count; i++) {
		list_member(&large->group, &large->snapshot, &large->members[large->next_member++]);
	}
	if (large->next_member < large->member_count) {
		return WORKED_NOT_NOW;
	}
	data->large = large;
	large->is_working = true;
	unit->bytes = WORKED_UNIT_BYTES;
	return WORKED_GATHERED;
}

/* ---- The next unit ---- */

static bool is_wanted(const struct json_groups *groups, const struct group *group)
{
	return groups->selectors == NULL || selectors_may_match_key(groups->selectors, &group->key);
}

static enum worked_gathering gather_groups(struct json_groups *groups, struct worked_unit *unit)
{
	const struct slots *slots = &groups->store->contents->group_slots;
	struct json_unit *data = unit->data;
	for (uint32_t looked = 0; groups->next_group < slots->len; looked++) {
		if (looked == GROUPS_LOOKED_MAX || unit->bytes >= WORKED_UNIT_BYTES) {
			return data->group_count > 0 ? WORKED_GATHERED : WORKED_NOT_NOW;
		}
		const struct group *group = slot_content(*slots_at(slots, groups->next_group++));
		if (group == NULL || !is_wanted(groups, group)) {
			continue;
		}
		bool has_many = group->member_count > MEMBERS_MAX;
		size_t bytes = has_many ? 0 : measure_group(group);
		if (!has_many && bytes <= WORKED_UNIT_BYTES) {
			add_group(groups, unit, group, bytes);
		} else if (data->group_count > 0) {
			groups->next_group--;
			return WORKED_GATHERED;
		} else {
			begin_large(groups, group);
			return gather_large(groups, unit);
		}
	}
	data->is_last = true;
	return WORKED_LAST;
}

static enum worked_gathering gather(struct worked_source *source, struct worked_unit *unit)
{
	struct json_groups *groups = LIST_ENTRY(source, struct json_groups, source);
	struct json_unit *data = arena_zalloc(&unit->arena, 1, sizeof(*data));
	unit->data = data;
	data->selectors = groups->selectors;
	if (groups->large != NULL) {
		return gather_large(groups, unit);
	}
	if (!snapshot_is_possible(groups->store)) {
		return WORKED_NOT_NOW;
	}
	return gather_groups(groups, unit);
}

/* ---- Work ---- */

static void work(struct worked_unit *unit)
{
	struct json_unit *data = unit->data;
	struct json_writer writer;
	json_writer_init(&writer, &unit->out, data->selectors, &unit->arena);
	for (size_t i = 0; i < data->group_count; i++) {
		json_group_write(data->groups[i], &writer, SIZE_MAX);
	}
	if (data->large != NULL) {
		data->large->is_whole = json_group_write(&data->large->group, &writer, WORKED_UNIT_BYTES);
	}
	if (data->is_last) {
		buf_append(&unit->out, SLICE("]}"));
	}
	unit->has_failed = writer.scratch.failed != NULL;
	json_writer_finish(&writer);
}

static void worked(struct worked_source *source, struct worked_unit *unit)
{
	struct json_groups *groups = LIST_ENTRY(source, struct json_groups, source);
	struct json_unit *data = unit->data;
	if (data->group_count > 0) {
		snapshot_close(&data->snapshot);
	}
	if (data->large != NULL) {
		data->large->is_working = false;
		if (data->large->is_whole) {
			end_large(groups);
		}
	}
}

/* Groups come behind a comma; the first one behind what all begins with. */
static size_t show(struct worked_source *source, struct worked_unit *unit, struct slice *ret_parts)
{
	struct json_groups *groups = LIST_ENTRY(source, struct json_groups, source);
	struct slice text = buf_slice(&unit->out);
	size_t count = 0;
	if (!groups->is_begun) {
		groups->is_begun = true;
		ret_parts[count++] = SLICE("{\"status\":\"success\",\"data\":[");
		text = slice_skip(text, text.ptr[0] == ',');
	}
	ret_parts[count++] = text;
	return count;
}

void json_groups_init(
		struct json_groups *groups, struct store *store, const struct selectors *selectors)
{
	*groups = (struct json_groups){
		.source = { .gather = gather, .work = work, .worked = worked, .show = show },
		.store = store,
		.selectors = selectors,
	};
}

void json_groups_finish(struct json_groups *groups)
{
	if (groups->large != NULL) {
		end_large(groups);
	}
}
