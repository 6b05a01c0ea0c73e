#pragma once

/*
 * Completes summaries and histograms: what a sender wrote about one metric,
 * in whatever order, becomes its quantiles or buckets in pushed order, the
 * +Inf bucket (made from the count when missing), sum and count.
 */

#include "base/arena.h"
#include "model/batch.h"

/*
 * False when the family would have more than max_samples. For a family whose type is a summary or
 * histogram. Samples with the role SAMPLE_PLAIN only say that their metric exists; they go. Two
 * equal buckets or quantiles of one metric set the batch's fault.
 */
bool complete_family(
		struct batch *batch, struct batch_family *family, size_t max_samples, struct arena *arena);
