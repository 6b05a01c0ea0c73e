#pragma once

/*
 * A batch as text, for tests:
 *
 *     timestamps                         if there are any
 *     fault ...                          likewise
 *     h histogram Help.
 *       h_bucket{a=b,le=1} 5
 */

#include "base/buf.h"
#include "model/batch.h"

static inline void text_dump_sample(
		struct buf *out, const struct batch_family *family, const struct sample *sample)
{
	buf_append(out, SLICE("  "));
	buf_append(out, family->name);
	buf_append(out, sample_suffix(sample->role));
	buf_append_byte(out, '{');
	for (size_t i = 0; i < sample->labels.count; i++) {
		buf_append_string(out, i == 0 ? "" : ",");
		buf_append(out, sample->labels.pairs[i].name);
		buf_append_byte(out, '=');
		buf_append(out, sample->labels.pairs[i].value);
	}
	buf_append(out, SLICE("} "));
	buf_append(out, sample->value);
	buf_append_byte(out, '\n');
}

static inline struct slice text_dump(const struct batch *batch, struct arena *arena)
{
	static const char *const types[METRIC_TYPE_COUNT] = { "untyped", "counter", "gauge", "summary",
		"histogram", "gauge_histogram", "gaugehistogram", "info", "stateset" };
	struct buf out;
	buf_init(&out, 0);
	buf_append_string(&out, batch->has_timestamps ? "timestamps\n" : "");
	if (batch->fault.text.ptr != NULL) {
		buf_append(&out, SLICE("fault "));
		buf_append(&out, batch->fault.text);
		buf_append_byte(&out, '\n');
	}
	size_t family_count = 0;
	size_t sample_count = 0;
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		buf_append(&out, f->name);
		buf_append_byte(&out, ' ');
		buf_append_string(&out, types[f->type]);
		if (f->help.ptr != NULL) {
			buf_append_byte(&out, ' ');
			buf_append(&out, f->help);
		}
		buf_append_byte(&out, '\n');
		for (size_t i = 0; i < f->sample_count; i++) {
			text_dump_sample(&out, f, &f->samples[i]);
		}
		family_count++;
		sample_count += f->sample_count;
	}
	if (family_count != batch->family_count || sample_count != batch->sample_count) {
		buf_append(&out, SLICE("counts that are wrong\n"));
	}
	struct slice copy = out.len == 0 ? SLICE("") : arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}
