#include "transfer/group_write.h"

#include <stdlib.h>

#include "store/read.h"

enum { ARENA_BYTES = 64 * 1024 };

static int compare_names(const void *a, const void *b)
{
	const struct record_family *left = a;
	const struct record_family *right = b;
	return slice_compare(left->name, right->name);
}

static void put_samples(
		struct line_writer *writer, const struct record_family *family, struct arena *arena)
{
	const struct sample *samples;
	size_t count;
	struct block_reader reader;
	block_reader_init(&reader, family->block, family->name);
	while (block_reader_next(&reader, arena, &samples, &count)) {
		for (size_t i = 0; i < count; i++) {
			line_put_sample(writer, &samples[i]);
		}
		if (arena->used_bytes > ARENA_BYTES) {
			arena_reset(arena);
		}
	}
}

static void put_family(
		struct line_writer *writer, const struct record_family *family, struct arena *arena)
{
	struct line_family head = {
		.name = family->name,
		.help = family->help,
		.unit = family->unit,
		.type = (enum metric_type)family->block->type,
		.pushed_ns = family->pushed_ns,
		.place = family->place,
		.is_openmetrics = family->block->is_openmetrics,
		.is_shadowed = family->is_shadowed,
	};
	line_begin_family(writer, &head);
	put_samples(writer, family, arena);
	line_end_family(writer);
}

void group_write(struct line_writer *writer, const struct group_piece *piece, struct arena *arena)
{
	const struct record_source *source = piece->source;
	struct record_family *families = source->families + piece->first;
	struct line_group group = {
		.key = { .labels = source->key },
		.times = source->times,
		.expires_ns = source->expires_ns,
		.place = source->place,
		.adds = piece->adds,
	};
	if (piece->count > 1) {
		qsort(families, piece->count, sizeof(*families), compare_names);
	}
	line_begin_group(writer, &group);
	for (size_t i = 0; i < piece->count; i++) {
		if (families[i].block->is_invalid) {
			writer->counts.left_out++;
		} else {
			put_family(writer, &families[i], arena);
		}
	}
	line_end_group(writer);
}
