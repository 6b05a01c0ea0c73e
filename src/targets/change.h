#pragma once

/*
 * A change of what targets are that somebody asks for. It counts when it is stored: until
 * then, and if it cannot be, the registry is as before. Where nothing is stored it counts
 * at once. Changes are carried out one after the other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "targets/registry.h"

enum target_change_kind {
	TARGET_CHANGE_CREATE,    /* one that must not be there yet */
	TARGET_CHANGE_CONFIGURE, /* one that is there; by another key, too */
	TARGET_CHANGE_IMPORT,    /* those that are there by their keys, or new ones */
	TARGET_CHANGE_DELETE,
};

enum target_change_result {
	TARGET_CHANGE_OK,
	TARGET_CHANGE_E_EXISTS,
	TARGET_CHANGE_E_GONE,
	TARGET_CHANGE_E_LIMIT,
	TARGET_CHANGE_E_CONFLICT, /* somebody else has changed it meanwhile */
	TARGET_CHANGE_E_REFUSED,  /* the database does not take it, see `why` */
	TARGET_CHANGE_E_AWAY,     /* it cannot be stored at present, see `why` */
};

struct target_change_item {
	struct group_key key;
	struct target_config config;
	struct target_id id;
	bool has_id;
	uint32_t edits; /* of one to be configured: target::edits that this was made from */

	/* Found when it is begun. */
	bool is_new;
	bool is_void; /* another item is of the same key */
	struct map_node by_key;
	struct map_node by_id;
};

/* All of it belongs to who asks, until done is called. */
struct target_change {
	enum target_change_kind kind;
	struct target_change_item *items;
	size_t count;
	/* Where nothing is stored, it is called before target_change_submit() returns; else later. */
	void (*done)(struct target_change *change);

	/* For done(). */
	enum target_change_result result;
	struct slice why;    /* a sentence without its full stop */
	struct target_id id; /* of the target it is about, or that is in its way */
	size_t created;
	size_t updated;

	struct list link; /* among those that wait */
};

void target_change_submit(struct registry *registry, struct target_change *change);

/* ---- For who stores targets ---- */

/* Whether it can be carried out; tells its items which targets they are of. */
enum target_change_result target_change_begin(
		struct registry *registry, struct target_change *change);

void target_change_end(struct target_change *change, enum target_change_result result);
