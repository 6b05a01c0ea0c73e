#pragma once

/*
 * What the files that read a target share.
 */

#include "targets/targets_read.h"

struct targets_reader {
	struct targets_read *read;
	const struct format_options *limits;
	struct arena *arena;
	struct slice *reterr_text;
};

/* "name" and what is wrong with it. Always false. */
bool targets_refuse(struct targets_reader *reader, struct slice name, const char *what);
bool targets_refuse_value(struct targets_reader *reader, const cJSON *value, const char *what);

/* null is "". */
bool targets_read_text(struct targets_reader *reader, const cJSON *value, size_t bytes_max,
		struct slice *ret_text);

/* "" and null are 0. Whole milliseconds, since Prometheus knows nothing shorter. */
bool targets_read_duration(struct targets_reader *reader, const cJSON *value, int64_t *ret_ns);

/* Letters, digits and those others. */
bool targets_has_only(struct slice text, const char *others);

/* Fields of a target that consist of several. */
bool targets_read_labels(struct targets_reader *reader, const cJSON *value);
bool targets_read_attributes(struct targets_reader *reader, const cJSON *value);
bool targets_read_thresholds(struct targets_reader *reader, const cJSON *value);

/* Of an object or an array. */
size_t targets_count_children(const cJSON *value);
