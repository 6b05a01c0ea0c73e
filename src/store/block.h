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
 *
 * The lines are those of the text format 0.0.4. What other formats have beyond
 * it lies behind the identities, as notes on places in the text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/batch.h"

struct group;
struct metadata;

enum {
	CHUNK_BYTES = 8 * 1024,
	CHUNK_LINES_MAX = (1 << 30) - 1,
};

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
	uint64_t version;   /* of the push among all replicas; 0: not known */
};

struct chunk {
	uint32_t in_pack; /* bytes from the pack's start to here */
	uint32_t text_bytes;
	uint32_t line_count : 30;
	uint32_t has_notes : 1;
	uint32_t has_quoted : 1; /* some names are in quotes: not those that Prometheus 2 can read */
	char text[];             /* then, aligned, the identity hash of each line; then the notes */
};

enum note_kind {
	NOTE_POINT_ZERO, /* OpenMetrics has ".0" here: le="1.0" */
	NOTE_EXEMPLAR,   /* OpenMetrics has this exemplar here, behind the value */
	NOTE_CREATED,    /* the metric whose last line ends here was created then */
	NOTE_NATIVE,     /* fields of a protobuf Histogram, for the metric whose last line ends here */
	NOTE_ADDED,      /* the line ends here and was not sent: a +Inf bucket */
};

/* Its text lies behind all of the chunk's notes, in their order. */
struct note {
	uint32_t at; /* bytes from the start of the chunk's text */
	uint32_t kind : 4;
	uint32_t bytes : 28; /* of its text */
};

/* Ascending by place. */
struct notes {
	uint32_t count;
	uint32_t bytes; /* of all, this struct included; a multiple of 4 */
	struct note notes[];
};

struct block {
	struct metadata *metadata; /* help and unit; NULL: none */
	int64_t since_ns;          /* Unix time: its group has had the family from then on */
	uint32_t in_pack;          /* bytes from the pack's start to here */
	uint32_t text_bytes;
	uint32_t line_count;
	uint32_t chunk_count : 24;
	uint32_t type : 4;           /* enum metric_type */
	uint32_t is_openmetrics : 1; /* it was pushed as such */
	uint32_t has_quoted : 1;     /* some chunk has */
	uint32_t has_notes : 1;      /* some chunk has */
	uint32_t is_invalid : 1;     /* could not be exposed whatever else there is */
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

/* NULL when it has none. */
static inline const struct notes *chunk_notes(const struct chunk *chunk)
{
	const uint32_t *ids_end = chunk_ids(chunk) + chunk->line_count;
	return chunk->has_notes ? (const struct notes *)(const void *)ids_end : NULL;
}

/* The text of the first note; each other's follows that of the one before. */
static inline const char *notes_text(const struct notes *notes)
{
	return (const char *)(notes->notes + notes->count);
}

/* Bytes to be gone through by who reads the chunk. */
static inline size_t chunk_bytes(const struct chunk *chunk)
{
	const struct notes *notes = chunk_notes(chunk);
	return chunk->text_bytes + (notes == NULL ? 0 : notes->bytes);
}

/* Behind all that belongs to the chunk. */
static inline const char *chunk_end(const struct chunk *chunk)
{
	const struct notes *notes = chunk_notes(chunk);
	const char *ids_end = (const char *)(chunk_ids(chunk) + chunk->line_count);
	return notes == NULL ? ids_end : ids_end + notes->bytes;
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

/* Bytes that a block with its chunks takes in a pack, at most; without notes. */
size_t block_bytes_bound(size_t text_bytes, size_t line_count);

/* The same for a block that is there, with its notes. */
size_t block_bytes(const struct block *block);

/* Bytes of a chunk's notes, whose texts have so many bytes together. */
size_t notes_bytes(size_t count, size_t text_bytes);

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
 * One reference more, or less, for the block and each of its chunks. Packs without
 * any are freed; returns the bytes freed.
 */
void block_ref(struct block *block);
size_t block_unref(struct block *block);

/* The block is of no use any more, whatever still refers to it. */
size_t block_release(struct block *block);
