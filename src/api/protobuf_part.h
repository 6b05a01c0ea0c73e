#pragma once

/*
 * A part of the protobuf page: a family or a slice of one, and the making of
 * its messages.
 *
 * What is read belongs to the store and is seen by a snapshot that is open, so
 * that this works on any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "api/family_lines.h"
#include "base/arena.h"
#include "base/buf.h"
#include "model/batch.h"
#include "store/names.h"

/* What a family says of itself; in memory that the part's owner keeps. */
struct protobuf_family {
	struct slice name;  /* as its lines have it */
	struct slice shown; /* as the page has it */
	struct slice help;
	struct slice unit;
	enum metric_type type;
	bool only_sound;           /* see protobuf_page_options */
	const struct names *names; /* entered for the family; NULL: no label is shown otherwise */
};

enum protobuf_part_kind {
	PROTOBUF_WHOLE,   /* a family */
	PROTOBUF_MEASURE, /* a slice: only its size is wanted */
	PROTOBUF_FIRST,   /* the first slice, with what comes before all */
	PROTOBUF_NEXT,    /* another slice */
	PROTOBUF_MADE,    /* a family that was made before: its message is there */
};

struct protobuf_part {
	enum protobuf_part_kind kind;
	const struct protobuf_family *family;
	struct gathered_lines lines;
	struct slice made;   /* before, instead of lines */
	size_t family_bytes; /* of a first slice: what all metrics take */
	size_t bytes;        /* of its metrics; set by the making */
};

/* Appends the part; `metrics` and `arena` are for scratch. */
void protobuf_part_make(
		struct protobuf_part *part, struct buf *out, struct buf *metrics, struct arena *arena);
