#include "state/change_set.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
	ROW_BYTES = 64,   /* what a row takes beside its texts */
	FAMILY_BYTES = 8, /* the same for a family */
};

struct change_set *change_set_create(void)
{
	struct change_set *set = memory_zalloc(1, sizeof(*set));
	list_init(&set->link);
	list_init(&set->changes);
	arena_init(&set->arena);
	return set;
}

/* ---- Packs ---- */

static void reserve_packs(struct change_set *set, struct change *change, size_t more)
{
	size_t needed = change->pack_count + more;
	if (needed <= change->pack_capacity) {
		return;
	}
	size_t capacity = needed * 2;
	change->packs = arena_grow(&set->arena, change->packs,
			change->pack_count * sizeof(struct pack *), capacity * sizeof(struct pack *));
	change->pack_capacity = capacity;
}

/* Blocks of one push lie in one pack, one after the other. */
static void hold_pack(struct change *change, struct pack *pack)
{
	bool is_held = change->pack_count > 0 && change->packs[change->pack_count - 1] == pack;
	if (!is_held) {
		pack->refs++;
		change->packs[change->pack_count++] = pack;
	}
}

static void hold_block(struct change_set *set, struct change *change, struct block *block)
{
	reserve_packs(set, change, 1 + block->chunk_count);
	hold_pack(change, block_pack(block));
	for (size_t i = 0; i < block->chunk_count; i++) {
		hold_pack(change, chunk_pack(block->chunks[i]));
	}
}

static void let_go(struct change *change, struct store *store)
{
	size_t freed = 0;
	for (size_t i = 0; i < change->pack_count; i++) {
		freed += pack_unref(change->packs[i]);
	}
	change->pack_count = 0;
	/* After a wipe the bytes were those of contents that are gone. */
	if (store->contents->id == change->contents_id) {
		store->contents->bytes -= freed;
	}
}

/* ---- Changes ---- */

struct change *change_set_add(struct change_set *set, enum change_kind kind,
		const struct labels *key, size_t family_count)
{
	struct change *change = arena_zalloc(&set->arena, 1, sizeof(*change));
	change->kind = kind;
	size_t key_bytes = labels_copy_bytes(key);
	change->source.key = labels_copy(key, arena_alloc(&set->arena, key_bytes));
	change->source.families =
			arena_alloc(&set->arena, (family_count + 1) * sizeof(struct record_family));
	change->bytes = ROW_BYTES + key_bytes;
	list_append(&set->changes, &change->link);
	set->count++;
	set->bytes += change->bytes;
	return change;
}

/* Texts that are missing stay so. */
static struct slice copy_text(struct arena *arena, struct slice text)
{
	return text.ptr == NULL ? text : arena_copy(arena, text);
}

void change_add_family(struct change_set *set, struct change *change, const struct store *store,
		const struct member *member)
{
	const struct slice none = slice_make(NULL, 0);
	struct slot slot = *slots_at(&member->family->slots, member->slot);
	struct block *block = slot_content(slot);
	const struct metadata *metadata = block->metadata;
	struct record_family *family = &change->source.families[change->source.family_count++];
	*family = (struct record_family){
		.name = arena_copy(&set->arena, member->family->name),
		.help = metadata == NULL ? none : copy_text(&set->arena, metadata->help),
		.unit = metadata == NULL ? none : copy_text(&set->arena, metadata->unit),
		.block = block,
		.pushed_ns = block_pack(block)->pushed_ns,
		.since_ns = block->since_ns,
		.place = member->slot,
		.is_shadowed = slot_is_shadowed(slot),
	};
	hold_block(set, change, block);
	change->contents_id = store->contents->id;
	size_t bytes = FAMILY_BYTES + family->name.len + family->help.len + block->text_bytes;
	change->bytes += bytes;
	set->bytes += bytes;
}

void change_drop(struct change_set *set, struct change *change, struct store *store)
{
	let_go(change, store);
	list_remove(&change->link);
	set->count--;
	set->bytes -= change->bytes;
}

void change_set_destroy(struct change_set *set, struct store *store)
{
	LIST_EACH (link, &set->changes) {
		let_go(LIST_ENTRY(link, struct change, link), store);
	}
	list_remove(&set->link);
	arena_finish(&set->arena);
	free(set);
}
