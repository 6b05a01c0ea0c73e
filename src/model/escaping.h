#pragma once

/*
 * Names that are not [a-zA-Z_][a-zA-Z0-9_]*, for those who cannot read them: a
 * scraper says by `escaping=` how it wants them.
 *
 * https://prometheus.io/docs/instrumenting/escaping_schemes/
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum escaping {
	ESCAPING_UNDERSCORES, /* a.b -> a_b: what is meant when nothing is said */
	ESCAPING_ALLOW_UTF8,  /* as they are, in quotes */
	ESCAPING_DOTS,        /* a.b -> a_dot_b */
	ESCAPING_VALUES,      /* a.b -> U__a_2e_b */
	ESCAPING_COUNT,
};

/* "underscores" ... */
struct slice escaping_name(enum escaping escaping);

/* False when there is no scheme of that name. */
bool escaping_find(struct slice name, enum escaping *ret_escaping);

/*
 * Appends a name under the scheme. The name is in the escaped form of
 * model/labels.h, also under ESCAPING_ALLOW_UTF8 afterwards. What needs no
 * quotes stays as it is, whatever the scheme: for metrics that includes colons.
 */
void escaping_append_metric(struct buf *out, struct slice name, enum escaping escaping);
void escaping_append_label(struct buf *out, struct slice name, enum escaping escaping);

/*
 * Undoes ESCAPING_VALUES: U__a_2e_b -> a.b. What is not such a name, or not
 * rightly so, comes back as it is. The result is not escaped.
 */
struct slice escaping_undo_values(struct arena *arena, struct slice name);
