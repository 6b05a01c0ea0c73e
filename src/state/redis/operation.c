#include "state/redis/operation.h"

#include <stdlib.h>
#include <string.h>

#include "state/redis/group_name.h"
#include "state/redis/parts.h"
#include "state/redis/scan.h"
#include "state/redis/version.h"

enum { SEGMENTS_MIN = 16 /* so many a group may have in any case */ };

/* ---- Families ---- */

struct choice {
	uint64_t version;
	const struct member *member;
};

struct choices {
	struct choice *items;
	size_t count;
};

static int compare_choices(const void *a, const void *b)
{
	const struct choice *left = a;
	const struct choice *right = b;
	return left->version == right->version ? 0 : left->version < right->version ? -1 : 1;
}

static void choose(struct choices *choices, const struct member *member, uint64_t version)
{
	choices->items[choices->count++] = (struct choice){ version, member };
}

/* All that is unsent came with one push. */
static void choose_fresh(struct choices *choices, const struct shared_group *shared)
{
	const struct group *group = shared->group;
	struct pack *pack = shared->fresh;
	for (uint32_t i = 0; i < pack->entry_count; i++) {
		const struct member *member =
				group_find_member_by_id(group, pack_entries(pack)[i].family_id);
		if (member != NULL && member_version(member) == pack->version) {
			choose(choices, member, pack->version);
		}
	}
}

static void choose_own(struct choices *choices, const struct shared_group *shared)
{
	struct redis_state *state = shared->partition->state;
	const struct group *group = shared->group;
	for (uint32_t i = 0; i < group->member_count; i++) {
		uint64_t version = member_version(&group->members[i]);
		bool is_own = version_replica(version) == state->clock.replica;
		if (shared->sends_all || (is_own && version >= shared->unsent)) {
			choose(choices, &group->members[i], version);
		}
	}
}

/* A version for what came to the store another way. */
static void name_unnamed(struct redis_state *state, struct shared_group *shared)
{
	uint64_t version = 0;
	const struct group *group = shared->group;
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct block *block = slot_content(*slots_at(&member->family->slots, member->slot));
		if (block_pack(block)->version == 0) {
			version = version == 0 ? shared_clock_next(&state->clock) : version;
			block_pack(block)->version = version;
		}
	}
	if (shared->push == 0 && shared->failure == 0) {
		version = version == 0 ? shared_clock_next(&state->clock) : version;
		shared->push = group->times.pushed_ns == 0 ? 0 : version;
		shared->failure = group->times.failed_ns == 0 ? 0 : version;
		shared->deadline = shared_clock_share(&state->clock, group->deadline_ns);
	}
}

static struct choices choose_families(struct change_set *set, struct shared_group *shared)
{
	struct choices choices = { 0 };
	if (shared->group == NULL || (shared->unsent == 0 && !shared->sends_all)) {
		return choices;
	}
	bool is_fresh = shared->fresh != NULL && !shared->sends_all;
	size_t most = is_fresh ? shared->fresh->entry_count : shared->group->member_count;
	choices.items = arena_alloc(&set->arena, (most + 1) * sizeof(*choices.items));
	if (is_fresh) {
		choose_fresh(&choices, shared);
	} else {
		if (shared->sends_all) {
			name_unnamed(shared->partition->state, shared);
		}
		choose_own(&choices, shared);
		qsort(choices.items, choices.count, sizeof(*choices.items), compare_choices);
	}
	return choices;
}

/* Holds on to the families, by their versions. */
static void add_parts(struct change_set *set, struct operation *op, const struct choices *choices)
{
	struct redis_state *state = op->shared->partition->state;
	const struct group *group = op->shared->group;
	struct arena *arena = &set->arena;
	op->parts = arena_alloc(arena, (choices->count + 1) * sizeof(*op->parts));
	op->versions = arena_alloc(arena, (choices->count + 1) * sizeof(*op->versions));
	for (size_t i = 0; i < choices->count;) {
		uint64_t version = choices->items[i].version;
		size_t end = i;
		while (end < choices->count && choices->items[end].version == version) {
			end++;
		}
		struct change *change = change_set_add(set, CHANGE_PUSH, &group->key.labels, end - i);
		for (; i < end; i++) {
			change_add_family(set, change, state->store, choices->items[i].member);
			op->names += choices->items[i].member->family->node.hash;
		}
		op->versions[op->part_count] = version;
		op->parts[op->part_count++] = change;
	}
}

/* ---- Segments ---- */

/* A group whose segments are many gets one for all. */
static bool is_worn(const struct shared_group *shared)
{
	uint64_t members = shared->group == NULL ? 0 : shared->group->member_count;
	uint64_t over = shared->segment_count > SEGMENTS_MIN ? shared->segment_count - SEGMENTS_MIN : 0;
	return over * over > members;
}

static uint64_t choose_segment(struct redis_state *state, const struct operation *op)
{
	if (op->part_count == 0) {
		return 0;
	}
	/* Of families of others, each replica may have others: it is a segment of its own. */
	bool is_mixed = op->shared->sends_all && op->part_count > 1;
	return is_mixed ? shared_clock_next(&state->clock) : op->versions[op->part_count - 1];
}

/* What the new one makes useless, as far as it is known. */
static void choose_drops(struct change_set *set, struct operation *op, size_t families)
{
	const struct shared_group *shared = op->shared;
	if (op->segment == 0 || shared->segment_count == 0) {
		return;
	}
	bool is_all = families == shared->group->member_count;
	op->drops = arena_alloc(&set->arena, shared->segment_count * sizeof(*op->drops));
	for (uint32_t i = 0; i < shared->segment_count && op->drop_count < CHANGE_DROPS_MAX; i++) {
		const struct shared_segment *segment = &shared->segments[i];
		bool is_useless = is_all || (segment->names == op->names && segment->names != 0);
		if (is_useless && segment->id != op->segment && !segment->is_unreadable) {
			op->drops[op->drop_count++] = segment->id;
		}
	}
}

/* ---- Making one ---- */

struct operation *operation_make(struct change_set *set, struct shared_group *shared)
{
	struct operation *op = arena_zalloc(&set->arena, 1, sizeof(*op));
	shared->sends_all |= is_worn(shared);
	op->shared = shared;
	op->number = shared->number;
	struct choices choices = choose_families(set, shared);
	const struct labels *key = shared->group != NULL ? &shared->group->key.labels : shared->key;
	op->key = labels_copy(key, arena_alloc(&set->arena, labels_copy_bytes(key)));
	add_parts(set, op, &choices);
	op->segment = choose_segment(shared->partition->state, op);
	choose_drops(set, op, choices.count);
	op->head = shared_group_head(shared);
	shared->refs++;
	shared->sending = shared->sends_all ? 1 : shared->unsent;
	shared->unsent = 0;
	shared->sends_all = false; /* from here on: what is found to be lost meanwhile */
	shared_group_let_go(shared);
	list_remove(&shared->dirty);
	return op;
}

/* ---- Writing ---- */

static void write_content(
		const struct operation *op, struct buf *out, struct buf *scratch, struct ZSTD_CCtx_s *zstd)
{
	if (op->part_count == 0) {
		return;
	}
	scratch->len = 0;
	for (size_t i = 0; i < op->part_count; i++) {
		size_t part = content_begin_part(scratch, op->versions[i]);
		record_write(scratch, &op->parts[i]->source);
		content_end_part(scratch, part);
	}
	content_write(out, buf_slice(scratch), zstd);
}

void operation_write(const struct operation *op, const char *prefix, struct buf *out,
		struct buf *scratch, struct ZSTD_CCtx_s *zstd, struct join_pair *ret_pair)
{
	size_t key = out->len;
	buf_append_string(out, prefix);
	group_name_append(out, &op->key);
	size_t change = out->len;
	change_write_head(out, &op->head, op->segment, op->drop_count);
	change_write_ids(out, op->drops, op->drop_count);
	size_t content = out->len;
	write_content(op, out, scratch, zstd);
	*ret_pair = (struct join_pair){
		.key.len = change - key,
		.name_at = strlen(prefix),
		.change.len = out->len - change,
		.content_at = content - change,
	};
}

/* ---- What came of it ---- */

void operation_settle(struct operation *op, bool is_plain)
{
	struct shared_group *shared = op->shared;
	shared->refs--;
	shared->sending = 0;
	if (shared->is_dead) {
		return;
	}
	/* A scan that is under way may have been past it before it was there. */
	shared->scan = shared->partition->state->scans;
	for (size_t i = 0; i < op->drop_count; i++) {
		shared_group_drop_segment(shared, op->drops[i]);
	}
	if (op->segment != 0) {
		shared_group_add_segment(shared, op->segment, op->part_count == 1 ? op->names : 0);
	}
	if (!is_plain) {
		scan_group(shared->partition, &op->key);
	}
}

void operation_give_back(struct operation *op)
{
	struct shared_group *shared = op->shared;
	shared->refs--;
	if (shared->is_dead) {
		return;
	}
	shared_group_let_go(shared);
	bool sends_all = shared->sends_all || shared->sending == 1;
	uint64_t unsent = shared->sending > 1 ? shared->sending : 0;
	shared->sending = 0;
	shared->sends_all = sends_all;
	shared_group_mark(shared, unsent);
	shared->number = op->number < shared->number ? op->number : shared->number;
	shared->partition->state->stats.resent++;
}
