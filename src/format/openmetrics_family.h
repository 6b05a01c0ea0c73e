#pragma once

/*
 * The metric families of a body in OpenMetrics, and the names they take. A
 * family takes its own name and those of all samples that its type may have,
 * whether they are there or not: no other family may have one of them.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/map.h"
#include "model/batch.h"

/* What holds for the value of a sample. */
enum openmetrics_rule {
	RULE_NOT_NAN = 1,
	RULE_NOT_NEGATIVE = 2,
	RULE_WHOLE = 4,
	RULE_ONE = 8,
	RULE_BOOLEAN = 16,
	RULE_CREATED = 32,  /* a time; no sample comes of it */
	RULE_EXEMPLAR = 64, /* one may follow */
};

/* In this order, as far as a type has them. */
enum {
	PART_MAIN,
	PART_SUM,
	PART_COUNT,
	PART_CREATED,
	PART_MAX,
};

/* One of the samples that make a metric. */
struct openmetrics_part {
	struct slice suffix;
	enum sample_role role;
	unsigned rules;
};

struct openmetrics_type {
	enum metric_type type;
	struct openmetrics_part parts[PART_MAX];
	size_t part_count;
};

struct openmetrics_family;

/* A name that is taken. */
struct openmetrics_name {
	struct map_node node;
	struct slice text;
	struct openmetrics_family *family; /* that took it */
};

struct openmetrics_family {
	struct batch_family batch;
	struct openmetrics_name name; /* without _total and _info, as metadata lines have it */
	struct openmetrics_family *next;
	const struct openmetrics_type *type;
	size_t line; /* its first */
	bool has_type;
	bool has_unit;
	bool has_help;
	bool has_lines; /* of samples */
};

struct openmetrics_families {
	struct map names;
	struct openmetrics_family *first;
	struct openmetrics_family **last;
	struct arena *arena;
};

/* NULL when there is no such type. */
const struct openmetrics_type *openmetrics_type_find(struct slice name);

/* "counter" */
struct slice openmetrics_type_name(const struct openmetrics_type *type);

void openmetrics_families_init(struct openmetrics_families *families, struct arena *arena);
void openmetrics_families_finish(struct openmetrics_families *families);

/* A new family of unknown type. NULL when its name is taken, then by *ret_other. */
struct openmetrics_family *openmetrics_families_add(struct openmetrics_families *families,
		struct slice name, size_t line, struct openmetrics_family **ret_other);

/*
 * Gives the family its type and takes the names of its samples. Answers the
 * family that has one of them already, and that name; NULL when all were free.
 */
struct openmetrics_family *openmetrics_family_set_type(struct openmetrics_families *families,
		struct openmetrics_family *family, const struct openmetrics_type *type,
		struct slice *ret_taken);

/* The part of the family's metrics that a sample of that name is; NULL: none. */
const struct openmetrics_part *openmetrics_family_part(
		const struct openmetrics_family *family, struct slice name);
