#pragma once

/*
 * Reads a rendered sample line:
 *
 *     http_requests_total{code="200",instance="",job="web"} 5
 *     ^ name             ^ labels                           ^ value
 *
 * Names that are not those of the text format of old are in quotes, a metric's
 * name then inside the braces; both as the scheme allow-utf-8 has it:
 *
 *     {"http.requests_total","http.code"="200",instance="",job="web"} 5
 *
 * Only lines that weir rendered itself are read, so their form is known.
 */

#include <stdbool.h>

#include "base/slice.h"
#include "model/labels.h"

struct line_labels {
	const char *at;
	const char *end;
};

/* Name and labels, without the blank and the value. */
struct slice line_series(struct slice line);

/* Escaped when it is in quotes, without them. */
struct slice line_name(struct slice series);
bool line_name_is_quoted(struct slice series);

/* Walks the labels of a series; empty values are left out when told so. */
struct line_labels line_labels_of(struct slice series);
bool line_labels_next(struct line_labels *labels, struct label *ret_label);
bool line_labels_next_with_value(struct line_labels *labels, struct label *ret_label);

/* The same name and labels; one without a value is no label. */
bool line_same_series(struct slice a, struct slice b);
