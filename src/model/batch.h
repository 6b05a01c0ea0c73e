#pragma once

/*
 * A batch is what one push brings, whatever format it came in: families with
 * their samples, one for each line that will be exposed.
 *
 * Everything lives in the arena it was decoded into, or in the body itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "model/labels.h"

enum metric_type {
	METRIC_UNTYPED,
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_SUMMARY,
	METRIC_HISTOGRAM,
	METRIC_GAUGE_HISTOGRAM,
};

/* What a sample is in its family; the suffix of its name follows from it. */
enum sample_role {
	SAMPLE_PLAIN,    /* m */
	SAMPLE_QUANTILE, /* s{quantile="0.5"} */
	SAMPLE_BUCKET,   /* h_bucket{le="1"} */
	SAMPLE_SUM,      /* h_sum */
	SAMPLE_COUNT,    /* h_count */
};

struct sample {
	enum sample_role role;
	struct labels labels; /* sorted by name, unique; le and quantile among them */
	struct slice value;   /* digits, as they will be exposed */
};

struct batch_family {
	struct slice name;
	struct slice help; /* escaped for a HELP line; ptr NULL: none was given */
	enum metric_type type;
	struct sample *samples;
	size_t sample_count;
	size_t sample_capacity;
	struct batch_family *next;
};

/* Why a batch that could be read may still not be stored; text NULL: none. */
struct batch_fault {
	struct slice text;
	bool leaves_trace; /* recorded as the group's failed push, as Pushgateway does */
	struct slice line; /* the sample as it would be exposed, cut short; empty: none */
};

/* Bytes of such a line that are kept. */
enum { BATCH_FAULT_LINE_MAX = 200 };

struct batch {
	struct batch_family *families; /* in order of appearance, those with samples */
	size_t family_count;
	size_t sample_count;
	bool has_timestamps;
	struct batch_fault fault;
};

/* "counter", as TYPE lines of the text format 0.0.4 say it. */
struct slice metric_type_name(enum metric_type type);

/* "COUNTER", as protobuf and Pushgateway's messages say it. */
struct slice metric_type_upper_name(enum metric_type type);

/* Types that may share a family: a histogram and a gauge histogram do. */
bool metric_type_agrees(enum metric_type a, enum metric_type b);

static inline bool metric_type_is_histogram(enum metric_type type)
{
	return type == METRIC_HISTOGRAM || type == METRIC_GAUGE_HISTOGRAM;
}

/* "", "_bucket", "_sum", "_count" */
struct slice sample_suffix(enum sample_role role);

/* One more sample at the end of the family, zeroed. */
struct sample *batch_family_add(struct batch_family *family, struct arena *arena);
