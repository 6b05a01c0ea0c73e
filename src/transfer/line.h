#pragma once

/*
 * Lines of an export: what is stored, as text that moves from one weir to
 * another. docs/export.md has the format.
 *
 *     header      what this is
 *     group...    one group each, or some families of a large one
 *     end         how much there was
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/batch.h"
#include "model/group_key.h"
#include "store/group.h"

enum { LINE_VERSION = 1 };

/* What a group line says of its group beside its families. */
struct line_group {
	struct group_key key;
	struct group_times times;
	int64_t expires_ns; /* Unix time; 0: never */
	uint32_t place;     /* on pages, among the groups; SLOT_NONE: any */
	bool adds;          /* to what the group has; else it replaces that */
};

/* What is said of a family beside its samples. */
struct line_family {
	struct slice name; /* escaped */
	struct slice help; /* as a HELP line has it; ptr NULL: none */
	struct slice unit; /* ptr NULL: none */
	enum metric_type type;
	int64_t pushed_ns;
	uint32_t place; /* on pages, among the groups that have it; SLOT_NONE: any */
	bool is_openmetrics;
	bool is_shadowed;
};

/* Of all lines so far, as the end line has it. */
struct line_counts {
	uint64_t lines; /* of groups */
	uint64_t groups;
	uint64_t families;
	uint64_t series;
	uint64_t left_out; /* families that are wrong by themselves, and not written */
};

/* "gaugehistogram" for METRIC_OPEN_GAUGE_HISTOGRAM, "gauge_histogram" for the other. */
struct slice line_type_name(enum metric_type type);
bool line_type_find(struct slice name, enum metric_type *ret_type);
