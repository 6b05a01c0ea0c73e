#pragma once

/*
 * One change of a group on its way to Redis and to other replicas, and what Redis has of a
 * group, which is the sum of its changes. Both have the same shape:
 *
 *     floor     what is older does not count: the last put or deletion
 *     push      version of the last push, 0: none counts; with its deadline and its time
 *     failure   version of the last failed push, likewise, with its time
 *     since     when the group came to be
 *     segments  families, each with the version that it was pushed with
 *
 * Two are joined by taking the later of each, family by family; so it does not matter
 * in which order they come, and nothing changes if one comes twice. A group is there
 * as long as a push or a failure is no older than the floor.
 *
 * A segment is known by the version of the latest push in it. Its content is
 *
 *     content  flags u8 (1: parts are compressed by zstd), checksum u64 of the parts, parts
 *     part     version u64, bytes u32, record      little-endian; record: see record.h
 *
 * As text, all numbers hexadecimal, 16 digits where nothing else is said:
 *
 *     floor push deadline failure pushed failed since segment
 *     flag (1 character: L: the content was left out) drops (4 digits)
 *     identities of segments that are of no use any more, content
 *
 * and what Redis has of a group, the fields of a hash:
 *
 *     head         floor push deadline failure pushed failed since, identities of segments
 *     (identity)   content
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "state/record.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

enum {
	CHANGE_HEAD_BYTES = 133,
	CHANGE_OWN_BYTES = 112, /* of them, those that a group's head has */
	CHANGE_DROPS_MAX = 0xffff,
};

struct shared_head {
	uint64_t floor;
	uint64_t push;
	uint64_t deadline; /* as a version, 0: never */
	uint64_t failure;
	struct group_times times;
	int64_t since_ns;
};

/* Appends it up to the drops, which are to follow, `drops` identities, and then the content. */
void change_write_head(
		struct buf *out, const struct shared_head *head, uint64_t segment, size_t drops);

/* Appends identities. */
void change_write_ids(struct buf *out, const uint64_t *ids, size_t count);

/* A change as it was read; it refers to the text. */
struct shared_change {
	struct shared_head head;
	uint64_t segment; /* 0: none */
	bool is_left_out; /* the content */
	uint64_t *drops;
	size_t drop_count;
	struct slice content;
};

/* False: it is none. Lists lie in the arena. */
bool change_read(struct slice text, struct arena *arena, struct shared_change *ret_change);

/* A group's field "head": `drops` are its segments. */
bool change_read_own(struct slice text, struct arena *arena, struct shared_change *ret_change);

/* ---- Content ---- */

/* Begins a part behind what the buffer has; returns where. */
size_t content_begin_part(struct buf *parts, uint64_t version);
void content_end_part(struct buf *parts, size_t part);

/* The parts as content, compressed if they are long enough to be worth it. */
void content_write(struct buf *out, struct slice parts, struct ZSTD_CCtx_s *zstd);

struct shared_part {
	uint64_t version;
	struct record record;
};

/*
 * The parts, in the arena. False: it cannot be read, and *reterr_what says why in words;
 * what was read before is not returned.
 */
bool content_read(struct slice content, const struct record_checks *checks, struct arena *arena,
		struct ZSTD_DCtx_s *zstd, struct shared_part **ret_parts, size_t *ret_count,
		const char **reterr_what);
