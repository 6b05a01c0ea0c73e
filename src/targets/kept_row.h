#pragma once

/*
 * Targets as rows of the database, and back. What a row has to say is checked as what
 * the API is given, since anybody may have written it.
 */

#include "base/arena.h"
#include "format/format.h"
#include "targets/registry.h"
#include "targets/storage_row.h"

/* Everything lies in the arena. False: why not. */
bool kept_row_read(const struct storage_target *row, const struct format_options *limits,
		struct arena *arena, struct target_row *ret_row, struct slice *reterr_why);

/* Of a target of that version, or 0; made now when it is new. */
struct storage_target kept_row_write(
		const struct target_row *row, int64_t version, struct arena *arena);

/* Its rejection lies in the arena. */
struct target_freshness kept_row_read_seen(const struct storage_seen *row, struct arena *arena);

/* What this weir, the replica, has seen of it. */
struct storage_seen kept_row_write_seen(const struct registry *registry,
		const struct target *target, struct slice replica, struct arena *arena);
