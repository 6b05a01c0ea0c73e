#pragma once

/*
 * What is wrong with a sample, in Pushgateway's words:
 *
 *     collected metric "m" { label:{name:"job" value:"j"} gauge:{value:1}} is not a COUNTER
 */

#include "base/arena.h"
#include "model/batch.h"

/* The line without its line feed, cut to BATCH_FAULT_LINE_MAX; a copy. */
struct slice describe_excerpt(struct arena *arena, const char *line);

/* The group as {instance="",job="x"}, cut likewise. */
struct slice describe_group(struct arena *arena, struct slice label_text);

/* `line` is a rendered line with its line feed. */
struct slice describe_line(struct arena *arena, struct slice family, enum metric_type type,
		const char *line, struct slice problem);

/* The same for a sample of that kind, such as "gauge"; NULL: it has no value. */
struct slice describe_sample(struct arena *arena, struct slice family, const char *kind,
		const char *line, struct slice problem);
