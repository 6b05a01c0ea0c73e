#pragma once

/*
 * How names are shown on a page to a scraper that wants an escaping scheme.
 *
 * Schemes are not one-to-one: a.b and a_b would both be a_b. So that the page
 * stays valid, a name that would take another one's place gives way: it is
 * shown under the scheme "values", which tells everything apart but names that
 * look like its own; behind those, underscores are added. Names that need no
 * quotes never give way.
 *
 * For the loop thread only, while the snapshot is open; once a family was entered,
 * what it shows may be asked for on any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "model/escaping.h"
#include "store/snapshot.h"

struct shown_label;

struct names {
	enum escaping escaping;
	const struct snapshot *snapshot;
	struct arena arena;
	struct map families; // shown_family_name::by_raw, of those that are shown otherwise
	struct map shown;    // shown_family_name::by_shown
	struct arena label_arena;
	struct map labels;                 // shown_label::by_raw, of the family that was entered last
	struct map shown_labels;           // shown_label::by_shown
	struct shown_label *quoted_labels; /* of them, those whose names need quotes */
	size_t quoted_label_count;
	uint64_t collisions; /* names that gave way */
};

/* The snapshot is open, and stays so until names_finish(). */
void names_init(struct names *names, const struct snapshot *snapshot, enum escaping escaping);
void names_finish(struct names *names);

/* The family's name as it is shown; escaped as in model/labels.h. */
struct slice names_family(const struct names *names, const struct family *family);

/* The types of what is shown under that name; 0: nothing is. */
unsigned names_types(const struct names *names, struct slice shown);

/*
 * Prepares for the labels of a family's lines. Reads all of its lines if some
 * have names to be escaped.
 */
void names_enter(struct names *names, const struct family *family);

/* False when entering the family would be for nothing. */
bool names_may_have_quoted_labels(const struct names *names, const struct family *family);

/* A label's name as it is shown in the family that was entered last. */
struct slice names_label(const struct names *names, struct slice name);
