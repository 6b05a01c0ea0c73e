#pragma once

/*
 * Which series a sample is of: the name of its family, what it is in there, and its labels. A label
 * without a value is no label.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/batch.h"

/* The same for all samples of a series, in this process. */
uint64_t series_hash(struct slice family, const struct sample *sample);

/* Of one family. */
bool series_equal(const struct sample *a, const struct sample *b);
