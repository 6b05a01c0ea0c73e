#pragma once

/*
 * Writes delimited protobuf: MetricFamily messages as protobuf_parse() reads
 * them, from samples as a store gives them back. See proto/metrics.proto.
 *
 * The page of a family is its head and, behind it, all of its metrics: these
 * are written first, since the head begins with the length of all.
 *
 * Works on any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "model/batch.h"

/*
 * Appends one metric of a family of that type: its sample, or its quantiles or
 * buckets with sum and count, of which OpenMetrics may have left out some. At
 * least one sample. What is read from it again is the same, but that the count
 * is always there.
 *
 * A histogram with a native part and no buckets but a +Inf that was made up is
 * written without buckets, as it came.
 */
void protobuf_append_metric(
		struct buf *out, enum metric_type type, const struct sample *samples, size_t count);

/*
 * Whether Prometheus 3 takes the metric: for a native histogram with a float
 * count below 0, or with an integer count of more observations than are in its
 * buckets, it drops the whole page. A Pushgateway takes these, and so does
 * protobuf_parse(). Without the `native` of its last sample it is taken.
 */
bool protobuf_metric_is_sound(enum metric_type type, const struct sample *samples, size_t count);

/*
 * Appends the length of a family, and what it says about itself. Its metrics,
 * that many bytes, are to follow. The name is escaped as model/labels.h has it,
 * the help as a HELP line; without help or unit: empty. A unit is left out when
 * the name does not end with it, since Prometheus drops a page for that.
 */
void protobuf_append_family_head(struct buf *out, struct slice name, struct slice help,
		enum metric_type type, struct slice unit, size_t metrics_bytes);
