#pragma once

/*
 * The families of a body in the text format, found by the name of a line.
 * h_bucket, h_sum and h_count belong to h once a TYPE line has said that h is
 * a histogram, likewise for summaries; before that they are families of their
 * own and stay so.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/map.h"
#include "model/batch.h"

struct text_family {
	struct batch_family batch;
	struct map_node node;
	struct text_family *next; /* in order of appearance */
	bool has_type;            /* by a TYPE line, or by a sample before any */
	size_t type_line;         /* where it was said; 0: nowhere */
	size_t help_line;         /* likewise */
};

struct text_families {
	struct map by_name;
	struct text_family *first;
	struct text_family **last;
	struct text_family *current; /* the latest entered: the next line's, most often */
	struct arena *arena;
};

void text_families_init(struct text_families *families, struct arena *arena);
void text_families_finish(struct text_families *families);

/*
 * The family of a line with that name, a new untyped one if there is none.
 * *ret_role is SAMPLE_SUM or SAMPLE_COUNT when the suffix of the name says so
 * in a summary or histogram, else SAMPLE_PLAIN.
 */
struct text_family *text_families_enter(
		struct text_families *families, struct slice name, enum sample_role *ret_role);
