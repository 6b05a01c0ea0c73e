#include "api/protobuf_part.h"

#include "format/protobuf_write.h"
#include "store/read.h"

enum {
	METRICS_BYTES = 64 * 1024,  /* of memory for metrics, before it is used again */
	MEASURED_BYTES = 64 * 1024, /* kept of what is made only to be measured */
};

/*
 * Names of labels as the page has them. Those that need no quotes are shown as
 * they are.
 */
static const struct sample *show_labels(const struct protobuf_family *family,
		const struct sample *samples, size_t count, struct arena *arena)
{
	struct sample *shown = arena_grow(
			arena, (void *)(uintptr_t)samples, count * sizeof(*shown), count * sizeof(*shown));
	for (size_t i = 0; i < count; i++) {
		struct labels *labels = &shown[i].labels;
		size_t bytes = labels->count * sizeof(struct label);
		labels->pairs = arena_grow(arena, labels->pairs, bytes, bytes);
		for (size_t j = 0; j < labels->count; j++) {
			struct label *label = &labels->pairs[j];
			if (!labels_is_name(label->name)) {
				label->name = names_label(family->names, label->name);
			}
		}
	}
	return shown;
}

/* Without the native part if it is not sound. */
static const struct sample *show_sound(const struct protobuf_family *family,
		const struct sample *samples, size_t count, struct arena *arena)
{
	if (protobuf_metric_is_sound(family->type, samples, count)) {
		return samples;
	}
	size_t bytes = count * sizeof(*samples);
	struct sample *shown = arena_grow(arena, (void *)(uintptr_t)samples, bytes, bytes);
	struct sample *last = &shown[count - 1];
	const struct sample_extra *extra = last->extra;
	last->extra = NULL;
	*sample_extend(last, arena) = *extra;
	last->extra->native = slice_make(NULL, 0);
	return shown;
}

static void make_metrics(struct protobuf_part *part, struct block_reader *reader, struct buf *out,
		struct arena *arena)
{
	const struct sample *samples;
	size_t count;
	while (block_reader_next(reader, arena, &samples, &count)) {
		if (part->family->names != NULL) {
			samples = show_labels(part->family, samples, count, arena);
		}
		if (part->family->only_sound) {
			samples = show_sound(part->family, samples, count, arena);
		}
		size_t before = out->len;
		protobuf_append_metric(out, part->family->type, samples, count);
		part->bytes += out->len - before;
		if (part->kind == PROTOBUF_MEASURE && out->len > MEASURED_BYTES) {
			out->len = 0;
		}
		if (arena->used_bytes > METRICS_BYTES) {
			arena_reset(arena);
		}
	}
}

static void make_all_metrics(struct protobuf_part *part, struct buf *out, struct arena *arena)
{
	const struct protobuf_family *family = part->family;
	struct block_reader reader;
	block_reader_init_text(&reader, part->lines.text, family->type, family->name);
	make_metrics(part, &reader, out, arena);
	for (size_t i = 0; i < part->lines.range_count; i++) {
		const struct lines_range *range = &part->lines.ranges[i];
		block_reader_init_part(
				&reader, range->block, family->name, range->first_chunk, range->end_chunk);
		make_metrics(part, &reader, out, arena);
	}
}

static void make_head(const struct protobuf_part *part, struct buf *out, size_t bytes)
{
	const struct protobuf_family *family = part->family;
	protobuf_append_family_head(
			out, family->shown, family->help, family->type, family->unit, bytes);
}

void protobuf_part_make(
		struct protobuf_part *part, struct buf *out, struct buf *metrics, struct arena *arena)
{
	part->bytes = 0;
	metrics->len = 0;
	switch (part->kind) {
	case PROTOBUF_WHOLE:
		make_all_metrics(part, metrics, arena);
		make_head(part, out, metrics->len);
		buf_append(out, buf_slice(metrics));
		return;
	case PROTOBUF_MEASURE:
		make_all_metrics(part, metrics, arena);
		return;
	case PROTOBUF_FIRST:
		make_head(part, out, part->family_bytes);
		make_all_metrics(part, out, arena);
		return;
	case PROTOBUF_NEXT:
		make_all_metrics(part, out, arena);
		return;
	case PROTOBUF_MADE:
		buf_append(out, part->made);
		return;
	}
}
