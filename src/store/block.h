#pragma once

/*
 * What is stored: sample lines, rendered as they will be scraped.
 *
 *     pack   one push's memory, one allocation
 *     +---------------------------------------------------------------------------+
 *     | pack | chunk text ids | chunk text ids | block | chunk .. block | entries |
 *     +---------------------------------------------------------------------------+
 *
 * A block is what one group contributes to one family. Its lines lie in chunks
 * of about CHUNK_BYTES, most often one, so that changing a few lines of many
 * rewrites only the chunks they are in. Blocks and chunks never change once
 * they are in the store; a new block may refer to chunks of an older pack. A
 * block of several chunks has its identities a second time, sorted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/batch.h"

struct group;
struct help;

enum { CHUNK_BYTES = 8 * 1024 };

/* One block of a pack, in the order of the push. */
struct pack_entry {
	uint32_t block;     /* bytes from the pack's start to it */
	uint32_t member;    /* its number among the group's members, once committed */
	uint32_t family_id; /* likewise */
};

struct pack {
	size_t bytes;      /* of the allocation */
	size_t dead_bytes; /* of it, in blocks that were replaced */
	uint32_t refs;     /* blocks, and chunks through blocks, that are in use */
	uint32_t parts;    /* blocks and chunks it was made with */
	uint32_t entry_count;
	uint32_t entries; /* bytes from the pack's start to them */
	uint32_t line_count;
	size_t value_bytes; /* of all its lines' values together */
	int64_t pushed_ns;  /* Unix time of the push */
};

struct chunk {
	uint32_t in_pack; /* bytes from the pack's start to here */
	uint32_t text_bytes;
	uint32_t line_count;
	char text[]; /* then, aligned, the identity hash of each line */
};

struct block {
	struct help *help; /* NULL: none */
	uint32_t in_pack;  /* bytes from the pack's start to here */
	uint32_t text_bytes;
	uint32_t line_count;
	uint32_t chunk_count : 24;
	uint32_t type : 7;       /* enum metric_type */
	uint32_t is_invalid : 1; /* could not be exposed whatever else there is */
	struct chunk *chunks[];
};

static inline struct slice chunk_text(const struct chunk *chunk)
{
	return slice_make(chunk->text, chunk->text_bytes);
}

static inline const uint32_t *chunk_ids(const struct chunk *chunk)
{
	return (const uint32_t *)(const void *)(chunk->text + ((chunk->text_bytes + 3u) & ~3u));
}

static inline struct pack_entry *pack_entries(struct pack *pack)
{
	return (struct pack_entry *)(void *)((char *)pack + pack->entries);
}

static inline struct block *pack_block(struct pack *pack, const struct pack_entry *entry)
{
	return (struct block *)(void *)((char *)pack + entry->block);
}

static inline struct pack *chunk_pack(struct chunk *chunk)
{
	return (struct pack *)(void *)((char *)chunk - chunk->in_pack);
}

static inline struct pack *block_pack(struct block *block)
{
	return (struct pack *)(void *)((char *)block - block->in_pack);
}

/* The identities of all lines, ascending; NULL for a block of one chunk. */
static inline uint32_t *block_sorted_ids(struct block *block)
{
	return block->chunk_count > 1 ? (uint32_t *)(void *)(block->chunks + block->chunk_count) : NULL;
}

/*
 * The number of the first line from `number` on that has this identity; the
 * block's line count when there is none.
 */
uint32_t block_find_id(struct block *block, uint32_t id, uint32_t number);

/* The block's line of that number, with its line feed. */
struct slice block_line(const struct block *block, uint32_t number);

/* Bytes that a block with its chunks takes in a pack, at most. */
size_t block_bytes_bound(size_t text_bytes, size_t line_count);

/*
 * A pack to be filled, with room for so many bytes. A small one is filled in
 * memory of the thread, so that what stays in the store has just the size it
 * needs: packs of a group have nearly the same size each time, and one takes
 * the place of the other. One pack a thread can be filled at a time.
 */
struct pack *pack_begin(size_t room_bytes);

/*
 * The pack, filled with so many bytes, in its final place; the pointers inside
 * it move along.
 */
struct pack *pack_settle(struct pack *pack, size_t bytes);

/* Instead of settling. */
void pack_abandon(struct pack *pack);

/*
 * The end of a pack that is being filled, moved up to the alignment: a power
 * of two of up to 8.
 */
char *pack_align(struct pack *pack, char *at, size_t alignment);

/*
 * Puts a block behind its chunks, of which the first is at `chunks` and the
 * others follow. It is like the model, which has as many chunks and lines.
 * *at moves behind the block.
 */
struct block *pack_put_block(struct pack *pack, char **at, struct block *model, char *chunks);

/* One reference less; bytes freed, 0 while there are others. */
size_t pack_unref(struct pack *pack);

/*
 * One reference less for the block and each of its chunks. Packs without any
 * are freed; returns the bytes freed.
 */
size_t block_release(struct block *block);
