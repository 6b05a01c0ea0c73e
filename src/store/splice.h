#pragma once

/*
 * The same lines with other values: what most pushes are.
 *
 * Of each body the hash of everything but its values is known. When it is the
 * hash of the body that a group was last pushed with, no line needs to be
 * parsed, rendered or checked: the values are spliced into copies of the
 * blocks that the last body became.
 *
 *     splice_begin()   on the loop thread: the layout is the same
 *     splice_make()    on any thread: makes the new blocks
 *     splice_end()     on the loop thread: puts them in, if still possible
 *
 * Whenever one of them says no, nothing has changed and the body is to be
 * parsed like any other.
 */

#include "base/slice.h"
#include "store/push.h"

struct splice {
	struct store *store;
	const struct group_key *key;
	enum store_method method;
	const struct slice *values; /* floats, in the order of their lines */
	size_t value_count;
	uint64_t contents_id;
	struct pack *old; /* held on to */
	struct pack *pack;
	char *at;
	const struct slice *next_value;
};

/* Everything passed in stays the caller's. */
bool splice_begin(struct splice *splice, struct store *store, const struct group_key *key,
		enum store_method method, const struct body_layout *layout, const struct slice *values,
		size_t value_count);

/* False when a value does not fit as it is, such as a negative count. */
bool splice_make(struct splice *splice);

/*
 * To be called after splice_begin() said yes, whatever splice_make() said.
 * False when nothing was made, or the group has changed meanwhile.
 */
bool splice_end(struct splice *splice, int64_t now_ns, int64_t deadline_ns);

/* The same when nothing is to be put in any more. */
void splice_drop(struct splice *splice);
