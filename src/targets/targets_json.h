#pragma once

/*
 * A target as JSON: how the API shows it.
 */

#include "base/buf.h"
#include "targets/registry.h"

/* All of it, as of now; its resources, if it may have some, when they are wanted. */
void targets_json_append(struct buf *out, const struct registry *registry,
		const struct target *target, bool with_resources);

/* What is said of it by hand, and by which it can be made again elsewhere. */
void targets_json_append_config(struct buf *out, const struct target *target);

/* Of that, the parts that are an object of strings, and an array. */
void targets_json_append_labels(struct buf *out, const struct labels *labels);
void targets_json_append_thresholds(struct buf *out, const struct target_config *config);

/* Of one threshold what is between its brackets. */
void targets_json_append_threshold_fields(
		struct buf *out, const struct target_threshold *threshold);
