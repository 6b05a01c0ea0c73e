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

/* The block or group exposed in that slot in that version; NULL: none. */
const struct block *snapshot_block(
		const struct snapshot *snapshot, const struct family *family, uint32_t number);
const struct group *snapshot_group(const struct snapshot *snapshot, uint32_t number);

/*
 * A bit for each type that the family's exposed blocks have in that version, and
 * for the type of lines that weir has in it itself; 0: nothing of it is on the
 * page.
 */
unsigned snapshot_types(const struct snapshot *snapshot, const struct family *family);

struct group_times snapshot_times(const struct snapshot *snapshot, const struct group *group);

/*
 * The value of the group's line in a family for which family_has_times() holds:
 * Unix time in seconds with six decimals, 0 for never. Returns its length.
 */
enum { SNAPSHOT_TIME_MAX = 32 };
size_t snapshot_format_time(const struct snapshot *snapshot, const struct family *family,
		const struct group *group, char ret_text[static SNAPSHOT_TIME_MAX]);
