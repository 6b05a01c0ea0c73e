#pragma once

/*
 * Shadowed blocks: those that contradict what is exposed and still cannot be
 * refused. They are kept and counted, not exposed, and promoted when what they
 * contradict goes. What was exposed first stays; of those that wait, the
 * oldest comes first.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/contents.h"

void shadow_init(struct contents *contents);

/* Forgets all, when the blocks are gone. */
void shadow_clear(struct contents *contents);

void shadow_add(
		struct contents *contents, struct family *family, struct group *group, uint32_t slot);
void shadow_remove(struct contents *contents, struct family *family, uint32_t slot);

/* It was pushed again: it is the youngest now. */
void shadow_renew(struct contents *contents, const struct family *family, uint32_t slot);

/*
 * To be called after what is exposed has changed: looks through the shadowed
 * blocks for some that can be exposed now. Few are looked through at once,
 * many by calling shadow_step() until it answers false.
 */
void shadow_promote(struct contents *contents, uint64_t version);
bool shadow_step(struct contents *contents, uint64_t version);
