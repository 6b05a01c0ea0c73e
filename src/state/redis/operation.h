#pragma once

/*
 * What is sent of one group: its head, and those of its families that Redis does not have yet.
 *
 * Made on the loop, which holds on to the families; written on any thread; in the end
 * settled, or given back, on the loop again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "model/labels.h"
#include "state/change_set.h"
#include "state/redis/change.h"
#include "state/redis/join.h"

struct shared_group;
struct ZSTD_CCtx_s;

struct operation {
	struct list link;
	struct shared_group *shared;
	uint64_t number; /* of the store's first change that is in it */
	struct labels key;
	struct shared_head head;
	uint64_t segment; /* 0: no families are sent */
	uint64_t names;   /* sum of the hashes of their names */
	uint64_t *drops;  /* segments that this one makes useless */
	size_t drop_count;
	struct change **parts; /* families of one version each */
	uint64_t *versions;    /* of the parts, ascending */
	size_t part_count;
};

/* All that is unsent of the group, which is under way from here on. It lies in the set. */
struct operation *operation_make(struct change_set *set, struct shared_group *shared);

/*
 * Appends the group's key, the change and its content. Of the pair only lengths are set:
 * the text may still move.
 */
void operation_write(const struct operation *op, const char *prefix, struct buf *out,
		struct buf *scratch, struct ZSTD_CCtx_s *zstd, struct join_pair *ret_pair);

/* Redis has it. If it is not plain, the group is there something else than what is here. */
void operation_settle(struct operation *op, bool is_plain);

/* Whether Redis has it is not known: it is to be sent again. */
void operation_give_back(struct operation *op);
