#pragma once

/*
 * Shadowed blocks: those that contradict what is exposed and still cannot be
 * refused. They are kept and counted, not exposed.
 *
 * In the order of order.h, a block is exposed if it contradicts no exposed one
 * before it and is not wrong by itself. So there is just one answer to what is
 * exposed. After a change only shadowed blocks behind the place of the change
 * can be affected: those are gone through, in that order, from there on. A block
 * that can be exposed takes the place of those behind it that contradict it;
 * these are shadowed, and looked at when it is their turn.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/contents.h"

void shadow_init(struct contents *contents);

/* Forgets all, when the blocks are gone. */
void shadow_clear(struct contents *contents);

/* The block in the slot is not exposed from now on, as far as is known yet. */
void shadow_add(
		struct contents *contents, struct family *family, struct group *group, uint32_t slot);

/* It goes, or is exposed from now on. */
void shadow_remove(
		struct contents *contents, struct family *family, struct group *group, uint32_t slot);

/* An exposed block of the group, which had that place in the order, goes or is another one. */
void shadow_look_behind(struct contents *contents, const struct family *family,
		const struct group *group, int64_t since_ns);

/*
 * To be called after a change: goes through the shadowed blocks that it could
 * affect. Few are gone through at once; true when more are left.
 */
bool shadow_settle(struct contents *contents, uint64_t version);
