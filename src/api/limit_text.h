#pragma once

/*
 * What a push, or a group that is imported, is refused with when there is too
 * much of something:
 *
 *     too many groups: 1000 are allowed (--limit.groups)
 */

#include "api/push_terms.h"
#include "store/push.h"

/* Setting: as --limit.<setting> and as a rule's limits have it. */
struct slice limit_text(struct arena *arena, const char *what, uint64_t allowed,
		const char *setting, bool is_of_rule);

/* Which limit the store had reached. */
struct slice limit_text_of_store(
		struct arena *arena, const struct store_push *op, const struct push_terms *terms);

/* Which limit of one push; that of all, to tell whose it is. */
struct slice limit_text_of_format(struct arena *arena, enum format_limit limit,
		const struct push_terms *terms, const struct format_options *of_all);
