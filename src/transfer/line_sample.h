#pragma once

/*
 * The samples of a line: whether each is one of its family's type, and whether
 * all together can be exposed.
 */

#include "model/batch.h"
#include "transfer/line_value.h"

bool line_read_sample(
		struct line_reader *r, const cJSON *item, enum metric_type type, struct sample *sample);

/* What can be told when all of the family's samples are read. */
bool line_check_samples(struct line_reader *r, const struct batch_family *family);
