#pragma once

/*
 * Prepares a push: renders a batch under its grouping key into a pack, and
 * finds what is wrong with it by itself. Nothing here touches the store, so a
 * large push is prepared on a worker thread.
 */

#include "base/arena.h"
#include "base/hash.h"
#include "model/batch.h"
#include "model/group_key.h"
#include "store/block.h"

struct family;

struct prepared_family {
	struct slice name;
	struct slice help; /* ptr NULL: none */
	struct slice unit; /* likewise */
	enum metric_type type;
	struct block *block;
	uint64_t label_mask;   /* which label names its lines have; see prepare_label_bit() */
	struct family *family; /* from here on the store's: resolved while checking */
	uint32_t slot;         /* the group's, SLOT_NONE: not yet */
	uint32_t place;        /* the slot to take then; SLOT_NONE: any */
	uint32_t entry;        /* the block's number in its pack */
	int64_t since_ns;      /* the block's; 0: that of the one it replaces, or the push's time */
	bool is_shadowed;
	bool is_openmetrics; /* held to its rules */
};

/* What the body looked like apart from its values; see store_splice(). */
struct body_layout {
	struct hash128 hash;
	bool is_known;
};

struct prepared_push {
	struct pack *pack;    /* NULL when there are no families; owned until committed */
	struct pack **joined; /* instead of it, those of several pushes, owned likewise; see join.h */
	size_t joined_count;
	struct prepared_family *families;
	size_t family_count;
	uint64_t line_count;
	struct body_layout layout;
};

enum prepare_result {
	PREPARE_OK,
	PREPARE_E_FAULT, /* the batch is wrong; see the fault */
	PREPARE_E_BYTES, /* it would take more than max_bytes */
};

struct prepare_options {
	bool is_checked;  /* else a faulty family is kept, but never exposed */
	size_t max_bytes; /* of the pack */
};

/*
 * The result lives in the arena, its pack on the heap. The families
 * push_time_seconds and push_failure_time_seconds are left out: they are
 * computed.
 */
enum prepare_result prepare_push(const struct batch *batch, const struct group_key *key,
		const struct prepare_options *options, struct arena *arena, struct prepared_push *ret_push,
		struct batch_fault *reterr_fault);

bool prepare_is_computed(struct slice family);

/* Frees the packs of a push that was not committed. */
void prepared_push_drop(struct prepared_push *push);

/* One of 64 bits that stands for a label name. */
uint64_t prepare_label_bit(struct slice name);
