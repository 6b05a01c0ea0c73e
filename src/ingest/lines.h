#pragma once

/*
 * Lines of the text format as ORWELL's translators write them, read with patience: a line that is
 * wrong is left out and counted, and never costs another one.
 *
 *     node_load1{instance="10.0.0.5"} 0.5 1700000000000
 *
 * Beyond what text_parse.h takes: the last line needs no line feed, lines may end in CR LF, and the
 * samples of one series may be many, over one text or several, of which the one with the latest
 * timestamp counts, of equal ones and of those without the last. Timestamps themselves go: what is
 * scraped has none. Comments other than HELP and TYPE are nothing; each text has HELP and TYPE of
 * its own.
 *
 * Labels that the grouping key has are left out. Where the line says something else there, that is
 * kept under the name exported_..., as Prometheus does when it scrapes: two series stay two.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "format/format.h"
#include "model/batch.h"

/* Why a line is left out. */
enum ingest_reason {
	INGEST_SYNTAX,    /* it is a HELP or TYPE line that cannot be read, or no line at all */
	INGEST_NAME,      /* of the metric */
	INGEST_LABEL,     /* a name or a value of one */
	INGEST_DUPLICATE, /* two labels of one name */
	INGEST_VALUE,
	INGEST_TIMESTAMP,
	INGEST_TYPE,         /* another one than the family has, here or in the store */
	INGEST_INCONSISTENT, /* with what is stored */
	INGEST_LIMIT,        /* more of something than is allowed */
	INGEST_REASON_COUNT,
};

extern const char *const ingest_reason_names[INGEST_REASON_COUNT];

struct ingest_counts {
	uint64_t lines; /* with samples, good or bad, and comments that are wrong */
	uint64_t timestamps;
	uint64_t superseded; /* samples that a later one of the same series took the place of */
	uint64_t rejected[INGEST_REASON_COUNT];
};

struct ingest_family;

struct ingest_lines {
	const struct format_options *options;
	const struct labels *key; /* the grouping key's */
	struct arena *arena;
	struct arena fault_arena;
	struct map families; // ingest_family::node
	struct map series;   // ingest_series::node
	struct ingest_family *first;
	struct ingest_family **last;
	struct ingest_family *current; /* the line's, most often the next one's as well */
	struct ingest_family *known;   /* whose types are settled */
	size_t sample_count;
	struct ingest_counts counts;
	struct slice fault; /* of the first line that was left out: what is wrong, and the line */
};

/* Everything passed in outlives the lines; what they bring lies in the arena, and in the texts. */
void ingest_lines_init(struct ingest_lines *lines, const struct format_options *options,
		const struct labels *key, struct arena *arena);
void ingest_lines_finish(struct ingest_lines *lines);

/*
 * That family is a summary or a histogram: without a TYPE line, too, those that begin with its name
 * and end in _bucket, _sum or _count are of it. Before the first text.
 */
void ingest_lines_know(struct ingest_lines *lines, struct slice name, enum metric_type type);

void ingest_lines_read(struct ingest_lines *lines, struct slice text);

/*
 * All that was good, each series once; what is of a histogram or a summary is not completed. A
 * family of which no TYPE line spoke is untyped.
 */
void ingest_lines_collect(struct ingest_lines *lines, struct batch *ret_batch);
