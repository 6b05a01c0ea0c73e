#include "store/block.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SCRATCH_BYTES = 256 * 1024 };

/* Where small packs are filled. */
static _Thread_local struct {
	alignas(max_align_t) char bytes[SCRATCH_BYTES];
} scratch;

static bool is_in_scratch(const struct pack *pack)
{
	return (const char *)pack == scratch.bytes;
}

struct pack *pack_begin(size_t room_bytes)
{
	void *place = room_bytes <= SCRATCH_BYTES ? scratch.bytes : memory_alloc(room_bytes);
	struct pack *pack = place;
	*pack = (struct pack){ .bytes = room_bytes };
	return pack;
}

/*
 * A little more, so that a slightly larger pack still fits a freed one's place;
 * but no multiple of a page: packs that follow each other at such a distance
 * would have the blocks of one family all in the same few sets of the cache.
 */
static size_t round_up(size_t bytes)
{
	enum { SHIFT_BYTES = 5 * 64 };
	size_t step = 16;
	while (step * 32 < bytes) {
		step *= 2;
	}
	size_t rounded = (bytes + step - 1) / step * step;
	return step < SHIFT_BYTES ? rounded : rounded + SHIFT_BYTES;
}

static void move_pointers(struct pack *pack, ptrdiff_t distance)
{
	for (uint32_t i = 0; i < pack->entry_count; i++) {
		struct block *block = pack_block(pack, &pack_entries(pack)[i]);
		for (size_t j = 0; j < block->chunk_count; j++) {
			block->chunks[j] = (struct chunk *)(void *)((char *)block->chunks[j] + distance);
		}
	}
}

struct pack *pack_settle(struct pack *pack, size_t bytes)
{
	uintptr_t old_address = (uintptr_t)pack;
	size_t rounded = round_up(bytes);
	if (is_in_scratch(pack)) {
		pack = memcpy(memory_alloc(rounded), pack, bytes);
	} else {
		pack = memory_resize(pack, rounded);
	}
	pack->bytes = rounded;
	if ((uintptr_t)pack != old_address) {
		move_pointers(pack, (ptrdiff_t)((uintptr_t)pack - old_address));
	}
	return pack;
}

void pack_abandon(struct pack *pack)
{
	if (pack != NULL && !is_in_scratch(pack)) {
		free(pack);
	}
}

char *pack_align(struct pack *pack, char *at, size_t alignment)
{
	size_t offset = (size_t)(at - (char *)pack);
	return at + (-offset & (alignment - 1));
}

struct block *pack_put_block(struct pack *pack, char **at, struct block *model, char *chunks)
{
	char *out = pack_align(pack, *at, sizeof(void *));
	struct block *block = (struct block *)(void *)out;
	*block = *model;
	block->in_pack = (uint32_t)(out - (char *)pack);
	block->text_bytes = 0;
	for (size_t i = 0; i < model->chunk_count; i++) {
		struct chunk *chunk = (struct chunk *)(void *)chunks;
		block->chunks[i] = chunk;
		block->text_bytes += chunk->text_bytes;
		chunks = (char *)(uintptr_t)chunk_end(chunk);
	}
	out = (char *)(block->chunks + model->chunk_count);
	if (model->chunk_count > 1) {
		size_t ids_bytes = model->line_count * sizeof(uint32_t);
		memcpy(out, block_sorted_ids(model), ids_bytes);
		out += ids_bytes;
	}
	*at = out;
	pack->refs += 1 + model->chunk_count;
	pack->parts = pack->refs;
	return block;
}

size_t pack_unref(struct pack *pack)
{
	if (--pack->refs > 0) {
		return 0;
	}
	size_t bytes = pack->bytes;
	free(pack);
	return bytes;
}

size_t block_bytes_bound(size_t text_bytes, size_t line_count)
{
	enum { ALIGNMENT = 8 };
	size_t chunks = text_bytes / CHUNK_BYTES + 1;
	size_t per_chunk = sizeof(struct chunk) + sizeof(struct chunk *) + 2 * ALIGNMENT;
	size_t ids = line_count * (chunks > 1 ? 2 : 1) * sizeof(uint32_t);
	return text_bytes + ids + chunks * per_chunk + sizeof(struct block) + ALIGNMENT;
}

size_t block_bytes(const struct block *block)
{
	size_t bytes = block_bytes_bound(block->text_bytes, block->line_count);
	for (size_t i = 0; block->has_notes && i < block->chunk_count; i++) {
		const struct notes *notes = chunk_notes(block->chunks[i]);
		bytes += notes == NULL ? 0 : notes->bytes;
	}
	return bytes;
}

size_t notes_bytes(size_t count, size_t text_bytes)
{
	return sizeof(struct notes) + count * sizeof(struct note) + ((text_bytes + 3) & ~(size_t)3);
}

void block_ref(struct block *block)
{
	for (size_t i = 0; i < block->chunk_count; i++) {
		chunk_pack(block->chunks[i])->refs++;
	}
	block_pack(block)->refs++;
}

size_t block_unref(struct block *block)
{
	size_t freed = 0;
	for (size_t i = 0; i < block->chunk_count; i++) {
		freed += pack_unref(chunk_pack(block->chunks[i]));
	}
	return freed + pack_unref(block_pack(block));
}

size_t block_release(struct block *block)
{
	block_pack(block)->dead_bytes += block_bytes(block);
	return block_unref(block);
}

static bool has_id(struct block *block, uint32_t id)
{
	const uint32_t *ids = block_sorted_ids(block);
	uint32_t low = 0;
	uint32_t high = block->line_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (ids[middle] < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < block->line_count && ids[low] == id;
}

uint32_t block_find_id(struct block *block, uint32_t id, uint32_t number)
{
	if (block->chunk_count > 1 && !has_id(block, id)) {
		return block->line_count;
	}
	uint32_t first = 0; /* number of the chunk's first line */
	for (size_t i = 0; i < block->chunk_count; i++) {
		const struct chunk *chunk = block->chunks[i];
		const uint32_t *ids = chunk_ids(chunk);
		for (uint32_t j = number > first ? number - first : 0; j < chunk->line_count; j++) {
			if (ids[j] == id) {
				return first + j;
			}
		}
		first += chunk->line_count;
	}
	return block->line_count;
}

struct slice block_line(const struct block *block, uint32_t number)
{
	size_t i = 0;
	while (number >= block->chunks[i]->line_count) {
		number -= block->chunks[i++]->line_count;
	}
	const char *line = block->chunks[i]->text;
	for (; number > 0; number--) {
		line = (const char *)rawmemchr(line, '\n') + 1;
	}
	return slice_between(line, (const char *)rawmemchr(line, '\n') + 1);
}
