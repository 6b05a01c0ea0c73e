#pragma once

/*
 * Writes a group as Pushgateway's API has it, its families between what the
 * group says of itself, sorted by key:
 *
 *     {"labels":{"job":"x"},"last_push_successful":true,
 *      "m":{"time_stamp":"...","type":"GAUGE","help":"...","metrics":[...]},
 *      "push_failure_time_seconds":{...},"push_time_seconds":{...}}
 *
 * With selectors it has only the metrics that are selected, and is left out
 * without any.
 *
 * What is read belongs to the store and is seen by a snapshot that is open:
 * then it stays where it is and does not change, so that this works on any
 * thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/labels.h"
#include "model/selector.h"
#include "store/group.h"

enum json_item_kind {
	JSON_ITEM_FAMILY,
	JSON_ITEM_LABELS,
	JSON_ITEM_SUCCESS,
	JSON_ITEM_FAILURE_TIME,
	JSON_ITEM_PUSH_TIME,
};

/* A key of the group. */
struct json_item {
	struct slice name;
	enum json_item_kind kind;
	const struct block *block; /* of a family */
	struct slice help;
	int64_t pushed_ns;
};

struct json_group {
	struct labels labels;    /* of the grouping key */
	struct slice label_text; /* instance="",job="x" */
	struct group_times times;
	struct json_item *items;
	size_t item_count;
	bool is_sorted;

	/* How far it is written. */
	size_t next_item;
	size_t next_chunk; /* of that item's block */
	bool is_open;      /* its brace is */
	bool family_is_open;
	bool owes_labels; /* to be written if anything comes behind */
	bool owes_success;
};

struct json_writer {
	struct buf *out;
	const struct selectors *selectors; /* NULL: all is written */
	struct pattern_scratch scratch;
	struct arena arena; /* of the metric being written */
};

/* Room for the items that every group has, and so many families. */
size_t json_group_items_max(size_t families);

/* The items that every group has come first. */
void json_group_init(struct json_group *group, struct json_item *items);

/* False for a name that the group needs itself: such a family cannot be shown. */
bool json_group_takes(struct slice family_name);

/* The arena is for scratch, as long as the writer is used. */
void json_writer_init(struct json_writer *writer, struct buf *out,
		const struct selectors *selectors, struct arena *arena);
void json_writer_finish(struct json_writer *writer);

/*
 * Goes on with the group, behind a comma. False when about so many bytes of
 * its text were read and there are more.
 */
bool json_group_write(struct json_group *group, struct json_writer *writer, size_t bytes);
