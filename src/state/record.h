#pragma once

/*
 * A record: one group as bytes, with all that its pages say of it. What is
 * stored anywhere consists of records; docs/state.md has their layout.
 *
 * Pages list groups and lines by the slots they are in; those are kept, too, so
 * that a page looks the same afterwards.
 *
 * Samples are kept, not lines: a record is read into batches, one for each push
 * that the group still has something of, and those go the way of any push.
 * Nothing that is read is trusted. Whatever the bytes are, reading them ends,
 * takes memory in proportion to them, and what comes out can be exposed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/block.h"
#include "store/group.h"

enum {
	RECORD_VERSION = 1,       /* what most groups are written in */
	RECORD_VERSION_FLAGS = 2, /* with flags, where there are any */
};

/* ---- Writing ---- */

/* What a group has in one family. */
struct record_family {
	struct slice name;
	struct slice help; /* ptr NULL: none */
	struct slice unit; /* likewise */
	const struct block *block;
	int64_t pushed_ns;
	int64_t since_ns; /* the group has had it from then on */
	uint32_t place;   /* its slot in the family */
	bool is_shadowed; /* it is not exposed, because of others */
};

/* Refers to a group; what is referred to stays in place until it is written. */
struct record_source {
	struct labels key;
	uint32_t place; /* its slot among the groups */
	struct group_times times;
	int64_t since_ns;   /* it has been there from then on */
	int64_t expires_ns; /* Unix time; 0: never */
	bool is_shadowed;   /* another group's key normalises to the same */
	struct record_family *families;
	size_t family_count;
};

/*
 * A record's expiry of a monotonic deadline, by a clock that is so far ahead of the
 * monotonic one; never is 0 in both.
 */
int64_t record_expiry(int64_t deadline_ns, int64_t ahead_ns);

/* Appends the record. Sorts the source's families. */
void record_write(struct buf *out, struct record_source *source);

/* ---- Reading ---- */

/* One push, of which the families are there that no later one replaced. */
struct record_push {
	int64_t pushed_ns;
	struct batch batch;
	uint32_t *places;  /* of its families */
	int64_t *since_ns; /* since when the group has them */
};

struct record {
	struct group_key key;
	uint32_t place;
	struct group_times times;
	int64_t since_ns;
	int64_t expires_ns; /* Unix time; 0: never */
	struct record_push *pushes;
	size_t push_count;
};

enum record_result {
	RECORD_OK,
	RECORD_E_DAMAGED, /* the checksum is not that of the bytes */
	RECORD_E_VERSION, /* written by a newer weir */
	RECORD_E_INVALID, /* `what` is nothing that weir writes */
};

/* What is kept as it came and this room cannot judge; NULL: all is right. */
struct record_checks {
	/* Fields of a protobuf Histogram, whose _count is that. */
	bool (*native_is_right)(struct slice fields, struct slice count);
};

/*
 * The record lives in the arena and refers to the bytes. *reterr_what is set
 * whatever the fault, and says it in words.
 */
enum record_result record_read(struct slice bytes, const struct record_checks *checks,
		struct arena *arena, struct record *ret_record, const char **reterr_what);

/*
 * The key of a record that cannot be read, as it is exposed: job="x". Damaged
 * bytes may say anything here. ptr NULL when there is none to be seen.
 */
struct slice record_guess_key(struct slice bytes, struct arena *arena);
