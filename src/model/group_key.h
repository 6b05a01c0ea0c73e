#pragma once

/*
 * A grouping key: the labels that a push is filed under, job among them.
 *
 * Two keys are the same when all their labels are. Two different keys may
 * still normalise to the same: a label without a value is no label to
 * Prometheus, so that {job="x"} and {job="x",instance=""} would expose the
 * same series.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "model/labels.h"

struct group_key {
	struct labels labels; /* sorted, names unique, values escaped */
};

/*
 * Sorts the labels; of equal names the last counts. The pairs stay where they
 * are, in the caller's memory.
 */
void group_key_init(struct group_key *key, struct labels labels);

bool group_key_equal(const struct group_key *a, const struct group_key *b);

/* The same labels, those without a value left out. */
bool group_key_equal_normalised(const struct group_key *a, const struct group_key *b);

/*
 * The same order everywhere: label by label, by the bytes of the name, then of the value; a key
 * that another one begins with comes before it.
 */
int group_key_compare(const struct group_key *a, const struct group_key *b);

/* Equal for keys that normalise to the same. */
uint64_t group_key_hash(const struct group_key *key);

/*
 * The labels as they are exposed, with the implied instance="":
 *     instance="",job="x"
 */
struct slice group_key_text(const struct group_key *key, struct arena *arena);
