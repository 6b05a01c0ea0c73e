#pragma once

/*
 * Pairs of user and password of which it is known whether they are right: a
 * set of bounded size, from which the one that was not asked about for the
 * longest time has to go.
 */

#include <stdbool.h>
#include <stddef.h>

#include "api/pair_digest.h"
#include "base/list.h"
#include "base/map.h"

struct verdicts {
	struct map map;   // verdict::node
	struct list used; // verdict::link, the last used last
	size_t max;
};

void verdicts_init(struct verdicts *verdicts, size_t max);
void verdicts_finish(struct verdicts *verdicts);

/* Whether the pair is among them, which counts as being used. */
bool verdicts_has(struct verdicts *verdicts, const struct pair_digest *pair);

/* One that is there already is only used. */
void verdicts_add(struct verdicts *verdicts, const struct pair_digest *pair);

void verdicts_clear(struct verdicts *verdicts);
