#pragma once

/*
 * The consistency check: whether a group's block may be exposed in a family,
 * given all else that is exposed. It looks only at what the block could meet,
 * and changes nothing.
 */

#include "base/arena.h"
#include "store/collide.h"
#include "store/contents.h"

enum check_result {
	CHECK_OK,
	CHECK_E_REFUSED,
	CHECK_MORE, /* a slice is done: call again with the same cursor */
};

struct check_subject {
	const struct group_key *key;
	const struct shape *shape;
	const struct group *group; /* NULL when it does not exist yet */
	struct family *family;
	struct block *block;
	uint64_t label_mask; /* names of labels that its lines may have */
	bool replaces_all;   /* a put: what else the group has goes */
	bool has_twin;       /* another group's key normalises to the same */
};

/* How far a check is; all zero at its beginning. */
struct check_cursor {
	bool is_begun;
	struct collide_cursor collide;
};

/*
 * The fault gets Pushgateway's words for it and the line, in the arena; without
 * an arena nobody wants to know.
 */
enum check_result check_block(const struct contents *contents, const struct check_subject *subject,
		struct check_cursor *cursor, struct arena *arena, struct batch_fault *reterr_fault);

/* Whether the group has an exposed block in the family. */
bool check_is_exposed(const struct group *group, const struct family *family);
