#pragma once

/*
 * Writes the lines of an export. A group is written piece by piece:
 *
 *     line_begin_group()
 *         line_begin_family()
 *             line_put_sample()...
 *         line_end_family()
 *     line_end_group()
 *
 * Works on any thread. What is given is borrowed for the call; the group's key,
 * until the group is ended.
 */

#include "base/buf.h"
#include "transfer/line.h"

struct line_writer {
	struct buf *out;
	struct line_counts counts;
	struct labels key;     /* of the group that is being written: its labels are in no sample */
	bool implies_instance; /* samples have instance="" of themselves */
	bool has_family;
	bool has_sample;
};

void line_writer_init(struct line_writer *writer, struct buf *out);

/* The first line; of which moment the export is: Unix time. */
void line_put_header(struct line_writer *writer, int64_t time_ns);

void line_begin_group(struct line_writer *writer, const struct line_group *group);
void line_begin_family(struct line_writer *writer, const struct line_family *family);

/* Labels that the key has, too, are left out. */
void line_put_sample(struct line_writer *writer, const struct sample *sample);
void line_end_family(struct line_writer *writer);
void line_end_group(struct line_writer *writer);

/* The last line, of the counts, which may be those of several writers together. */
void line_put_end(struct line_writer *writer, const struct line_counts *counts);
void line_counts_add(struct line_counts *counts, const struct line_counts *more);
