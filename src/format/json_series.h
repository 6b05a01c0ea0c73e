#pragma once

/*
 * Writes one series with its latest value, as an instant vector of Prometheus' API
 * has it:
 *
 *     {"metric":{"__name__":"up","job":"x"},"value":[1795161340.637,"1"]}
 *     {"metric":{...},"histogram":[1795161340.637,{"count":"5","sum":"8","buckets":[...]}]}
 *
 * Labels without a value are none.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "format/json.h"
#include "model/batch.h"

/* The time is written as it is; names and labels are escaped, see model/labels.h. */
void json_append_series(struct buf *out, struct slice name, const struct labels *labels,
		struct slice time, struct slice value);

/* Whether a metric with this last sample is a native histogram. */
bool json_series_is_native(const struct sample *last);

/* Of such a one; its samples are in the order of a batch. The arena is for scratch. */
void json_append_native_series(struct buf *out, struct slice name, const struct sample *samples,
		size_t count, struct slice time, struct arena *arena);
