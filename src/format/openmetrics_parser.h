#pragma once

/*
 * What the parts of the OpenMetrics decoder share while a body is parsed.
 */

#include "base/map.h"
#include "format/openmetrics_family.h"
#include "format/openmetrics_reader.h"

/* The labels of one line, as they were given. */
struct openmetrics_labels {
	struct label *pairs;
	size_t count;
	size_t capacity;
	bool is_verbatim; /* they lie in the body as they would be written */
};

/* A metric of the family being read: all samples with the same labels but the bound. */
struct openmetrics_metric {
	struct map_node node;
	struct openmetrics_metric *next;
	struct labels labels;
	size_t skipped; /* the index of a label that does not count; SIZE_MAX: none */
	size_t line;    /* its first */
};

/*
 * A point: what was said about a metric for one time. Where samples have no
 * timestamps, each metric has one point.
 */
struct openmetrics_point {
	size_t first_sample;    /* of the family's */
	struct slice timestamp; /* ptr NULL: none */
	struct openmetrics_place place;
	struct {
		struct openmetrics_place place;
		struct slice value;
	} parts[PART_MAX]; /* the latest of each */
	double bound;      /* the latest */
	bool has_negative_bound;
	bool may_repeat; /* bounds or states that are not in order */
};

struct openmetrics_metrics {
	struct openmetrics_metric *first; /* of the family */
	struct openmetrics_metric *last;  /* the one being read */
	struct openmetrics_point point;
	struct map by_labels; /* once they are not in ascending order */
	bool is_ascending;
};

/* A sample line while it is read. */
struct openmetrics_sample {
	struct slice name; /* ptr NULL: not yet found */
	const char *name_at;
	const struct openmetrics_part *part;
	struct labels labels; /* in the arena */
	size_t bound; /* index of the label that tells a metric's samples apart; SIZE_MAX: none */
	double bound_value;
	struct slice value;
	struct slice timestamp; /* ptr NULL: none */
	struct slice exemplar;  /* likewise */
};

struct openmetrics_parser {
	struct text_reader in;
	struct slice body;
	const struct format_options *options;
	const char *not_utf8; /* the first byte that is not; the end when there is none */
	bool has_eof;
	struct openmetrics_families families;
	struct openmetrics_family *family; /* being read; NULL before the first */
	struct openmetrics_metrics metrics;
	struct openmetrics_sample sample;
	struct openmetrics_labels labels;
	struct openmetrics_labels exemplar_labels;
	struct batch *batch;
};

/* ---- openmetrics_metadata.c ---- */

/* A line that starts with '#'. */
bool openmetrics_read_metadata(struct openmetrics_parser *p);

/* ---- openmetrics_sample.c ---- */

bool openmetrics_read_sample(struct openmetrics_parser *p);

/* ---- openmetrics_labels.c ---- */

/*
 * `at` is on the opening brace before and behind the closing one after. With
 * ret_name a metric's name may be among them, in quotes.
 */
bool openmetrics_read_labels(struct openmetrics_parser *p, struct openmetrics_labels *labels,
		struct openmetrics_sample *ret_name);

/* A metric's name, in or without quotes; what is wrong with it is an error. */
bool openmetrics_check_name(struct openmetrics_parser *p, const char *place, struct slice name);
bool openmetrics_read_quoted_name(
		struct openmetrics_parser *p, struct slice *ret_name, bool *ret_is_verbatim);

/* ---- openmetrics_exemplar.c ---- */

/* `at` is on the '#' before and at the end of the line after. */
bool openmetrics_read_exemplar(struct openmetrics_parser *p);

/* ---- openmetrics_point.c ---- */

/* Judges the point as a whole and puts its samples in order. */
bool openmetrics_finish_point(struct openmetrics_parser *p);

static inline bool openmetrics_has_part(const struct openmetrics_point *point, size_t part)
{
	return point->parts[part].place.line != 0;
}

/* ---- openmetrics_metric.c ---- */

/* Adds the sample that was read to the family. */
bool openmetrics_add_sample(struct openmetrics_parser *p);

/* The family is at its end: so are its last metric and point. */
bool openmetrics_finish_family(struct openmetrics_parser *p);

/* The next family begins. */
void openmetrics_begin_family(struct openmetrics_parser *p, struct openmetrics_family *family);
