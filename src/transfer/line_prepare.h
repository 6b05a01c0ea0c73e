#pragma once

/*
 * A group line made ready for the store, on any thread: one push of all its
 * parts, each of which keeps its time. What is not exposed by itself is told as
 * of any push.
 */

#include "store/prepare.h"
#include "transfer/line_read.h"

/* Answers and memory as those of prepare_push(). */
enum prepare_result line_prepare(const struct line *line, const struct prepare_options *options,
		struct arena *arena, struct prepared_push *ret_push, struct batch_fault *reterr_fault);
