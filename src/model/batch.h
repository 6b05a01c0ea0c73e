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
	METRIC_GAUGE_HISTOGRAM,      /* h_bucket, h_sum, h_count: as text and protobuf have it */
	METRIC_OPEN_GAUGE_HISTOGRAM, /* h_bucket, h_gsum, h_gcount: as OpenMetrics has it */
	METRIC_INFO,                 /* named with its _info */
	METRIC_STATESET,
	METRIC_TYPE_COUNT,
};

/* What a sample is in its family; the suffix of its name follows from it. */
enum sample_role {
	SAMPLE_PLAIN,    /* m */
	SAMPLE_QUANTILE, /* s{quantile="0.5"} */
	SAMPLE_BUCKET,   /* h_bucket{le="1"} */
	SAMPLE_SUM,      /* h_sum */
	SAMPLE_COUNT,    /* h_count */
	SAMPLE_GSUM,     /* g_gsum */
	SAMPLE_GCOUNT,   /* g_gcount */
};

/* What few samples have; empty slices where there is nothing. */
struct sample_extra {
	struct slice exemplar; /* {trace_id="x"} 0.5 1520879607.789: as OpenMetrics writes it, without
	                        * what separates it from the value */
	struct slice created;  /* of the metric whose last sample this is: Unix seconds, as OpenMetrics
	                        * writes them */
	struct slice native;   /* likewise: fields of a protobuf Histogram that lines cannot say */
	bool is_added;         /* the +Inf bucket of a sender that left it out */
	struct slice problem;  /* why it cannot be stored: "is not a COUNTER" */
	const char *kind;      /* with a problem: what it holds, "gauge"; NULL: nothing */
};

struct sample {
	enum sample_role role;
	uint32_t line;              /* of the body, from 1; 0 in a binary format */
	struct labels labels;       /* sorted by name, unique; le and quantile among them */
	struct slice value;         /* digits, as they will be exposed */
	struct sample_extra *extra; /* NULL: nothing */
};

struct batch_family {
	struct slice name; /* escaped, as label names and values are: see model/labels.h */
	struct slice help; /* escaped for a HELP line; ptr NULL: none was given */
	struct slice unit; /* as it is; ptr NULL: none was given */
	enum metric_type type;
	struct sample *samples;
	size_t sample_count;
	size_t sample_capacity;
	struct batch_family *next;
};

/* Why a batch that could be read may still not be stored; text NULL: none. */
struct batch_fault {
	struct slice text;
	bool leaves_trace;   /* recorded as the group's failed push, as Pushgateway does */
	struct slice line;   /* the sample as it would be exposed, cut short; empty: none */
	struct slice holder; /* what is exposed and stands against it, likewise: a series, or
	                      * {labels} of a group */
};

/* Bytes of such a line that are kept. */
enum { BATCH_FAULT_LINE_MAX = 200 };

struct batch {
	struct batch_family *families; /* in order of appearance, those with samples */
	size_t family_count;
	size_t sample_count;
	bool has_timestamps;
	bool is_openmetrics; /* held to the rules of OpenMetrics, also with what is stored */
	struct batch_fault fault;
};

/* "counter", as TYPE lines of the text format 0.0.4 say it. */
struct slice metric_type_name(enum metric_type type);

/* "gaugehistogram", as TYPE lines of OpenMetrics say it. */
struct slice metric_type_openmetrics_name(enum metric_type type);

/* "COUNTER", as protobuf and Pushgateway's messages say it. */
struct slice metric_type_upper_name(enum metric_type type);

/*
 * Types that may share a family: those of histograms do, and gauge, info and
 * stateset.
 */
bool metric_type_agrees(enum metric_type a, enum metric_type b);

static inline bool metric_type_is_histogram(enum metric_type type)
{
	return type == METRIC_HISTOGRAM || type == METRIC_GAUGE_HISTOGRAM
			|| type == METRIC_OPEN_GAUGE_HISTOGRAM;
}

/* Summaries and histograms: several samples make one metric. */
static inline bool metric_type_has_bounds(enum metric_type type)
{
	return type == METRIC_SUMMARY || metric_type_is_histogram(type);
}

/* The label that tells the samples of one metric apart: "quantile" or "le". */
struct slice metric_type_bound_name(enum metric_type type);

/* "", "_bucket", "_sum", "_count", "_gsum", "_gcount" */
struct slice sample_suffix(enum sample_role role);

/*
 * The suffixes of samples, and a bit for each type whose samples have them in
 * some format: g_gcount is g_count once it went through protobuf.
 */
enum { SAMPLE_SUFFIX_COUNT = 5 };
extern const struct sample_suffix_row {
	struct slice text;
	unsigned types;
} sample_suffixes[SAMPLE_SUFFIX_COUNT];

/* The sample's extra, made when it has none. */
struct sample_extra *sample_extend(struct sample *sample, struct arena *arena);

/* One more sample at the end of the family, zeroed. */
struct sample *batch_family_add(struct batch_family *family, struct arena *arena);
