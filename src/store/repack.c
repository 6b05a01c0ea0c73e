#include "store/repack.h"

#include <string.h>

#include "base/memory.h"

/* The group's member whose block the entry is; NULL when it was replaced. */
static struct member *find_live(
		const struct group *group, struct pack *pack, const struct pack_entry *entry)
{
	struct member *member = group_find_member_by_id(group, entry->family_id);
	if (member == NULL) {
		return NULL;
	}
	struct slot *slot = slots_at(&member->family->slots, member->slot);
	return slot_content(*slot) == pack_block(pack, entry) ? member : NULL;
}

static size_t live_bytes(const struct group *group, struct pack *pack, uint32_t *ret_count)
{
	size_t bytes = sizeof(struct pack);
	*ret_count = 0;
	for (uint32_t i = 0; i < pack->entry_count; i++) {
		const struct pack_entry *entry = &pack_entries(pack)[i];
		const struct block *block = pack_block(pack, entry);
		if (find_live(group, pack, entry) != NULL) {
			bytes += block_bytes(block) + sizeof(*entry);
			(*ret_count)++;
		}
	}
	return bytes;
}

/* Copies the block's chunks one behind the other, then the block. */
static struct block *move_block(struct pack *pack, char **at, struct block *old)
{
	char *chunks = pack_align(pack, *at, sizeof(uint32_t));
	for (size_t i = 0; i < old->chunk_count; i++) {
		const struct chunk *chunk = old->chunks[i];
		size_t bytes = (size_t)(chunk_end(chunk) - (const char *)chunk);
		*at = pack_align(pack, *at, sizeof(uint32_t));
		struct chunk *copy = memcpy(*at, chunk, bytes);
		copy->in_pack = (uint32_t)(*at - (char *)pack);
		*at += bytes;
	}
	pack->line_count += old->line_count;
	return pack_put_block(pack, at, old, chunks);
}

void repack(struct contents *contents, struct group *group, struct pack *pack, uint64_t version)
{
	uint32_t count;
	size_t bytes = live_bytes(group, pack, &count);
	if (count == 0) {
		return;
	}
	struct pack *fresh = memory_alloc(bytes);
	*fresh = (struct pack){
		.bytes = bytes,
		.entries = sizeof(struct pack),
		.pushed_ns = pack->pushed_ns,
		.version = pack->version,
	};
	char *at = (char *)(pack_entries(fresh) + count);
	contents->bytes += bytes;
	for (uint32_t i = 0; i < pack->entry_count; i++) {
		const struct pack_entry *entry = &pack_entries(pack)[i];
		struct member *member = find_live(group, pack, entry);
		if (member == NULL) {
			continue;
		}
		struct block *block = move_block(fresh, &at, pack_block(pack, entry));
		pack_entries(fresh)[fresh->entry_count++] =
				(struct pack_entry){ .block = block->in_pack, .family_id = entry->family_id };
		contents_exchange_block(contents, member->family, member->slot, block, version);
	}
}
