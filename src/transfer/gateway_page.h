#pragma once

/*
 * The page of metrics that a Pushgateway shows, as protobuf, and where each
 * metric is in it. The page says of a metric what the API leaves out: the order
 * of its buckets, exemplars, times of creation, and all of a native histogram.
 *
 * Nothing is decoded: the page stays the bytes that it came as, and a metric is
 * found by its family's name and all of its labels.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/slice.h"
#include "model/labels.h"

struct gateway_metric;

struct gateway_page {
	struct arena arena;
	struct map by_series; /* gateway_metric::node */
	size_t metric_count;
};

/* The page holds nothing until gateway_page_read(). */
void gateway_page_init(struct gateway_page *page);
void gateway_page_finish(struct gateway_page *page);

/*
 * Enters delimited MetricFamily messages, which the page refers to from then on.
 * False when they are no such thing or end in the middle of one.
 */
bool gateway_page_read(struct gateway_page *page, struct slice bytes);

/*
 * The metric of that family with exactly these labels, as a field of its family
 * (tag and length in front). Nothing is escaped here, and the order of labels is
 * any. ptr NULL: it is not there.
 */
struct slice gateway_page_find(
		const struct gateway_page *page, struct slice family, const struct labels *labels);

/* The number that a gauge holds, of such a field; 0 when it holds none. */
double gateway_page_gauge(struct slice field);
