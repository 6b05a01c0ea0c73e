#pragma once

/*
 * Groups: what was pushed under one grouping key.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/tree.h"
#include "model/group_key.h"
#include "store/family.h"
#include "store/job_count.h"
#include "store/prepare.h"

/* The group's slot in one family. */
struct member {
	struct family *family;
	uint32_t family_id;
	uint32_t slot;
};

struct group_times {
	int64_t pushed_ns; /* Unix time of the last good push; 0: never */
	int64_t failed_ns; /* of the last failed one */
};

struct group {
	struct map_node node; /* by the normalised key */
	RB_ENTRY(group) by_deadline;
	struct group_key key;
	struct slice label_text; /* instance="",job="x" */
	struct shape *shape;
	struct job_count *job;
	struct member *members; /* sorted by family_id */
	uint32_t member_count;
	uint32_t member_capacity;
	uint64_t series;
	struct group_times times;
	int64_t since_ns;    /* Unix time: it has been there from then on */
	uint64_t times_born; /* the version that the times are from */
	uint32_t slot;       /* among all groups */
	uint32_t kept;       /* entries of the history that are of it */
	size_t bytes;        /* of the group itself */
	bool is_shadowed;    /* another group's key normalises to the same, and that comes first */
	bool is_gone;        /* only the history still has it */
	bool is_busy;        /* a push is being applied in slices */
	bool has_quoted;     /* some label's name needs quotes */
	int64_t deadline_ns; /* monotonic; 0: never */
	void *keeper;        /* of whoever keeps it elsewhere; NULL: nobody does */
	void *follower;      /* likewise of whoever follows what it does */
	struct body_layout layout;
	struct pack *layout_pack; /* what a body of that layout became; NULL: unknown */
};

/* What a group of that key takes, without what is in it. */
size_t group_bytes(const struct group_key *key);

/* Copies the key. */
struct group *group_create(const struct group_key *key, struct shape *shape);

/* The group's members must be gone. */
void group_destroy(struct group *group);

/* NULL when the group has nothing in that family, or the family of that id. */
struct member *group_find_member_by_id(const struct group *group, uint32_t family_id);
struct member *group_find_member(const struct group *group, const struct family *family);
