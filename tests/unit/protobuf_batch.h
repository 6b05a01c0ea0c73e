#pragma once

/*
 * A batch, as a decoder made it, written as protobuf: what a page of it is.
 */

#include "format/protobuf_write.h"

/* How many samples from there on are one metric: its count is the last. */
static inline size_t protobuf_batch_metric(const struct batch_family *family, size_t first)
{
	size_t last = first;
	while (metric_type_has_bounds(family->type) && last + 1 < family->sample_count
			&& family->samples[last].role != SAMPLE_COUNT) {
		last++;
	}
	return last - first + 1;
}

static inline void protobuf_batch_append(struct buf *out, const struct batch *batch)
{
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		struct buf metrics;
		size_t count;
		buf_init(&metrics, 0);
		for (size_t i = 0; i < f->sample_count; i += count) {
			count = protobuf_batch_metric(f, i);
			protobuf_append_metric(&metrics, f->type, &f->samples[i], count);
		}
		protobuf_append_family_head(out, f->name, f->help, f->type, f->unit, metrics.len);
		buf_append(out, buf_slice(&metrics));
		buf_finish(&metrics);
	}
}
