#pragma once

/*
 * A batch as text, with all that a protobuf body may bring:
 *
 *     timestamps                         if there are any
 *     fault ...                          likewise; "(no trace)" behind one that leaves none
 *     h histogram [unit] Help.
 *       h_bucket{a=b,le=1} 5 # {trace_id="x"} 0.5
 *       h_count{a=b} 5 created 1.5 native 2803 problem (histogram) ...
 */

#include "base/buf.h"
#include "model/batch.h"

static inline void protobuf_dump_extra(struct buf *out, const struct sample_extra *extra)
{
	if (extra->exemplar.ptr != NULL) {
		buf_append_string(out, " # ");
		buf_append(out, extra->exemplar);
	}
	if (extra->created.ptr != NULL) {
		buf_append_string(out, " created ");
		buf_append(out, extra->created);
	}
	if (extra->native.ptr != NULL) {
		buf_append_string(out, " native ");
		for (size_t i = 0; i < extra->native.len; i++) {
			buf_printf(out, "%02x", (unsigned char)extra->native.ptr[i]);
		}
	}
	if (extra->problem.ptr != NULL) {
		buf_printf(out, " problem (%s) ", extra->kind == NULL ? "-" : extra->kind);
		buf_append(out, extra->problem);
	}
}

static inline void protobuf_dump_sample(
		struct buf *out, const struct batch_family *family, const struct sample *sample)
{
	buf_append_string(out, "  ");
	buf_append(out, family->name);
	buf_append(out, sample_suffix(sample->role));
	buf_append_byte(out, '{');
	for (size_t i = 0; i < sample->labels.count; i++) {
		buf_append_string(out, i == 0 ? "" : ",");
		buf_append(out, sample->labels.pairs[i].name);
		buf_append_byte(out, '=');
		buf_append(out, sample->labels.pairs[i].value);
	}
	buf_append_string(out, "} ");
	buf_append(out, sample->value);
	if (sample->extra != NULL) {
		protobuf_dump_extra(out, sample->extra);
	}
	buf_append_byte(out, '\n');
}

static inline void protobuf_dump_family(struct buf *out, const struct batch_family *family)
{
	static const char *const types[] = { "untyped", "counter", "gauge", "summary", "histogram",
		"gaugehistogram" };
	buf_append(out, family->name);
	buf_printf(out, " %s", types[family->type]);
	if (family->unit.ptr != NULL) {
		buf_append_string(out, " [");
		buf_append(out, family->unit);
		buf_append_byte(out, ']');
	}
	if (family->help.ptr != NULL) {
		buf_append_byte(out, ' ');
		buf_append(out, family->help);
	}
	buf_append_byte(out, '\n');
	for (size_t i = 0; i < family->sample_count; i++) {
		protobuf_dump_sample(out, family, &family->samples[i]);
	}
}

static inline struct slice protobuf_dump(const struct batch *batch, struct arena *arena)
{
	struct buf out;
	size_t family_count = 0;
	size_t sample_count = 0;
	buf_init(&out, 0);
	buf_append_string(&out, batch->has_timestamps ? "timestamps\n" : "");
	if (batch->fault.text.ptr != NULL) {
		buf_append_string(&out, "fault ");
		buf_append(&out, batch->fault.text);
		buf_append_string(&out, batch->fault.leaves_trace ? "\n" : " (no trace)\n");
	}
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		protobuf_dump_family(&out, f);
		family_count++;
		sample_count += f->sample_count;
	}
	if (family_count != batch->family_count || sample_count != batch->sample_count) {
		buf_append_string(&out, "counts that are wrong\n");
	}
	struct slice copy = out.len == 0 ? SLICE("") : arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}
