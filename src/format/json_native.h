#pragma once

/*
 * Buckets of a native histogram as JSON, those that are not empty:
 *
 *     [[1,"-2","-1","3"],[3,"-0.001","0.001","1"],[0,"1","2","5"]]
 *
 * The first number of each says which bounds are in the bucket: 0 the upper, 1
 * the lower, 3 both. The widths follow from the schema: each power of two is
 * cut into 2^schema buckets.
 *
 * https://prometheus.io/docs/specs/native_histograms/
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "format/json.h"

/*
 * By the fields of a protobuf Histogram. False, and nothing is written, when
 * they say nothing of native buckets or cannot be read. A Pushgateway shows none
 * without spans and writes integers as such; to Prometheus all counts are floats.
 */
bool json_append_native_buckets(
		struct buf *out, struct slice fields, enum json_dialect dialect, struct arena *arena);
