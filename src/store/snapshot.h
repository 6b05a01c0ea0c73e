#pragma once

/*
 * A snapshot lets its holder read one version of the store while the store
 * goes on. It costs nothing to open; what changes meanwhile is kept aside.
 */

#include "store/store.h"

/* False while a change is being made in slices: no version can be read then. */
bool snapshot_is_possible(const struct store *store);

/*
 * False while a change is being made in slices: try again on another turn. The
 * snapshot is the caller's memory.
 */
bool snapshot_open(struct snapshot *snapshot, struct store *store);
void snapshot_close(struct snapshot *snapshot);

/* What the slot held in that version, shadowed or not; NULL: nothing. */
struct slot snapshot_slot(
		const struct snapshot *snapshot, enum history_kind kind, const struct slot *slot);

struct group_times snapshot_times(const struct snapshot *snapshot, const struct group *group);
