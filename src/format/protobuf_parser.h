#pragma once

/*
 * What the files of the protobuf decoder share while a body is parsed:
 *
 *     protobuf_parse.c     the body's families
 *     protobuf_metric.c    a Metric message, whatever its fields' order, into a struct metric
 *     protobuf_labels.c    its labels: sorted, escaped, and what is wrong with them
 *     protobuf_samples.c   the samples that the metric becomes in the batch
 */

#include "base/buf.h"
#include "base/map.h"
#include "format/format.h"
#include "format/protobuf_exemplar.h"
#include "format/protobuf_native.h"

/* Fields of a Metric that hold its value, one bit each; in the order of their numbers. */
enum metric_value {
	VALUE_GAUGE = 1 << 0,
	VALUE_COUNTER = 1 << 1,
	VALUE_SUMMARY = 1 << 2,
	VALUE_UNTYPED = 1 << 3,
	VALUE_HISTOGRAM = 1 << 4,
};

/* A quantile or a bucket. */
struct metric_bound {
	double bound;
	double value;          /* of a quantile; of a bucket when above 0, else its count is meant */
	uint64_t count;        /* of a bucket */
	struct slice exemplar; /* of a bucket, as text; ptr NULL: none */
};

struct metric_bounds {
	struct metric_bound *items; /* in pushed order */
	size_t count;
	size_t capacity;
};

struct metric_created {
	bool is_there;
	struct timestamp timestamp;
};

/* A Metric as it was sent. One is used for all, so that its arrays grow but once. */
struct metric {
	struct label *labels; /* neither escaped nor sorted */
	size_t label_count;
	size_t label_capacity;
	unsigned values; /* enum metric_value */
	double gauge;
	double untyped;
	double counter;
	bool has_exemplar;
	struct exemplar exemplar; /* of the counter */
	struct metric_created counter_created;
	uint64_t summary_count;
	double summary_sum;
	struct metric_bounds quantiles;
	struct metric_created summary_created;
	struct metric_bounds buckets;
	struct metric_created histogram_created;
	double histogram_sum;
	struct native native;     /* with the count, of any histogram */
	struct buf native_fields; /* its fields as they came */
};

struct protobuf_family {
	struct batch_family batch;
	struct map_node node;
	struct protobuf_family *next;  /* in order of appearance */
	struct sample_extra *mismatch; /* what samples of a wrong kind have; made for the first */
	bool has_timestamps;
	struct batch_fault fault;
};

struct protobuf_parser {
	struct slice body;
	const struct format_options *options;
	struct arena *arena;
	struct batch *batch;
	enum format_result result;
	struct format_error *error;
	struct map by_name;
	struct protobuf_family *first;
	struct protobuf_family **last;
	struct protobuf_family *family; /* the current one */
	size_t family_number;           /* of the message, from 1 */
	size_t metric_number;           /* of the current one in it, from 1; 0 before */
	size_t sample_count;            /* of all families, those that were replaced, too */
	size_t bound_labels;            /* label pairs made for quantiles and buckets */
	struct metric metric;
};

/* The body is broken at that place; false. */
bool protobuf_fail_wire(struct protobuf_parser *p, const char *at);

/* There is too much of something; false. */
bool protobuf_fail_limit(struct protobuf_parser *p, const char *at, enum format_limit limit);

/* Whether so many samples may be added; if not, it fails. */
bool protobuf_may_add(struct protobuf_parser *p, const char *at, size_t samples);

/* A fault of the family for which the batch is refused; the first one counts. */
void protobuf_set_fault(struct protobuf_parser *p, struct slice what);

/* Fills p->metric. */
bool protobuf_read_metric(struct protobuf_parser *p, struct slice message);

/*
 * The metric's labels as a batch has them. What is wrong with them goes into
 * *ret_problem, or is a fault of the batch; then those at fault are left out or
 * repaired.
 */
struct labels protobuf_take_labels(struct protobuf_parser *p, struct slice *ret_problem);

/* Adds the samples of p->metric to the family. */
bool protobuf_add_samples(struct protobuf_parser *p, const char *at);

/* The text with each byte that is not UTF-8 replaced by U+FFFD. */
struct slice protobuf_repair(struct arena *arena, struct slice text);
