#pragma once

/*
 * Decodes delimited protobuf: MetricFamily messages of io.prometheus.client,
 * each behind its length as a varint. See proto/metrics.proto.
 *
 * Takes what a Pushgateway takes, but for what would break its page: families
 * without a name or of no known type, and native histograms that contradict
 * themselves (protobuf_native.h). What cannot be decoded is said in the words
 * of Go's protobuf; the error's hint is the place, in families and metrics.
 */

#include "format/format.h"

format_decode protobuf_parse;
