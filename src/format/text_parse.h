#pragma once

/*
 * Decodes the text format 0.0.4 as Pushgateway does (expfmt's TextParser):
 * what it takes, what it refuses, and in which words.
 *
 * Where that parser fails by accident, this one refuses: `{} 1` and `{a="b"} 1`
 * are invalid metric names, and so is one with a quote inside. HELP text that is not UTF-8 would
 * break the scrape and is repaired with U+FFFD.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

#include "format/format.h"

/*
 * Fills the batch with samples in the order in which they will be exposed,
 * histograms and summaries completed. The batch lives in the arena and in the
 * body. On failure the batch is to be dropped.
 */
enum format_result text_parse(struct slice body, const struct format_options *options,
		struct arena *arena, struct batch *ret_batch, struct format_error *reterr_error);
