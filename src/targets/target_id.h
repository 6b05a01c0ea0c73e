#pragma once

/*
 * What a target is called for good: a UUID. That of a target made by hand is random (version
 * 4). That of one that pushes follows from its key (version 8), so that several weirs,
 * and one that was started anew, call it the same.
 *
 *     f81d4fae-7dec-41d0-a765-00a0c91e6bf6
 */

#include <stdbool.h>

#include "base/slice.h"
#include "model/group_key.h"

enum { TARGET_ID_BYTES = 16, TARGET_ID_TEXT = 36 };

struct target_id {
	unsigned char bytes[TARGET_ID_BYTES];
};

struct target_id target_id_make(void);

/* Equal for keys that normalise to the same. */
struct target_id target_id_of_key(const struct group_key *key);

/* No NUL is written. */
void target_id_format(const struct target_id *id, char ret_text[static TARGET_ID_TEXT]);

/* In either case. False when the text is not such an id, of whatever version. */
bool target_id_parse(struct slice text, struct target_id *ret_id);

static inline bool target_id_equal(const struct target_id *a, const struct target_id *b)
{
	return memcmp(a->bytes, b->bytes, TARGET_ID_BYTES) == 0;
}
