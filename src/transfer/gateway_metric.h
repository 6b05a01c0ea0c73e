#pragma once

/*
 * Samples of one metric as a Pushgateway's API says it, for when its page does
 * not have the metric:
 *
 *     {"labels":{..},"value":"3"}
 *     {"count":"4","labels":{..},"quantiles":{"0.5":"1"},"sum":"3"}
 *     {"buckets":{"+Inf":"2","0.1":"1"},"count":"2","labels":{..},"sum":"3"}
 *     {"buckets":[[0,"1","2","5"]],...}    a native histogram
 *
 * Bounds come sorted as text, and are put in the order of their numbers. The
 * buckets of a native histogram are told without their schema; they cannot be
 * kept, its sum and count are.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "model/batch.h"

enum gateway_metric_result {
	GATEWAY_METRIC_OK,
	GATEWAY_METRIC_LOSSY, /* likewise, without its native buckets */
	GATEWAY_METRIC_E_INVALID,
};

/* Adds the samples to the family, whose type is known. The labels are escaped. */
enum gateway_metric_result gateway_metric_add(struct batch_family *family, const cJSON *metric,
		const struct labels *labels, struct arena *arena);
