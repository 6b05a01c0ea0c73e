#pragma once

/*
 * Writes one metric as Pushgateway's API has it:
 *
 *     {"labels":{"job":"x"},"value":"3"}
 *     {"buckets":{"+Inf":"2","0.1":"1"},"count":"2","labels":{...},"sum":"3"}
 *     {"buckets":[[0,"1","2","5"]],"count":"5","labels":{...},"sum":"8"}
 *     {"count":"4","labels":{...},"quantiles":{"0.5":"1"},"sum":"3"}
 */

#include "base/arena.h"
#include "base/buf.h"
#include "model/batch.h"

/* The samples of the metric, in the order of a batch. The arena is for scratch. */
void json_append_metric(struct buf *out, enum metric_type type, const struct sample *samples,
		size_t count, struct arena *arena);
