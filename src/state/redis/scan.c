#include "state/redis/scan.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/redis/group_name.h"
#include "state/redis/parts.h"
#include "state/redis/reply.h"
#include "state/redis/version.h"

/*
 * All groups of a partition are read a page of names at a time, then each group of the page.
 * When all of it is in the store, groups that were not met are no longer there, or were
 * lost; what is to become of them is told at the beginning.
 */

enum { PAGE_COUNT = 64 };

struct scan {
	struct redis_command command;
	struct partition *partition;
	uint64_t number;
	uint64_t version; /* what is pushed from then on is later */
	char cursor[24];
	size_t pending; /* groups of the page that are not in the store */
	bool is_lossy;  /* what is not met was lost */
	bool is_read;   /* there is no further page */
	bool is_over;   /* given up; answers are still to come */
};

/* One group that is being read. */
struct fetch {
	struct redis_command command;
	struct partition *partition;
	struct scan *scan;    /* NULL: it is read for itself */
	struct map_node node; /* in its partition, unless it is a scan's */
	bool is_again;        /* it changed since it was asked for */
	size_t name_at;
	size_t len;
	char key[];
};

/* ---- Reading one ---- */

static void next_page(struct scan *scan);

void scan_pass(struct scan *scan)
{
	if (--scan->pending > 0) {
		return;
	}
	if (scan->is_over) {
		free(scan);
	} else {
		next_page(scan);
	}
}

static struct slice name_of(const struct fetch *fetch)
{
	return slice_make(fetch->key + fetch->name_at, fetch->len - fetch->name_at);
}

static void read_group(struct fetch *fetch, const struct redisReply *fields)
{
	struct apply_item *item = apply_create(fetch->partition, APPLY_GROUP);
	apply_set_name(item, name_of(fetch));
	apply_set_scan(item, fetch->scan);
	apply_set_fetch(item, fetch->scan == NULL ? fetch : NULL);
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		struct slice name = reply_text(fields->element[i]);
		struct slice text = reply_text(fields->element[i + 1]);
		if (slice_equal(name, SLICE("head"))) {
			apply_set_change(item, text);
		} else {
			apply_add_content(item, name, text);
		}
	}
	apply_queue(item);
}

static void end_fetch(struct fetch *fetch)
{
	if (fetch->scan == NULL) {
		map_remove(&fetch->partition->fetches, &fetch->node);
		fetch->partition->state->fetches--;
	}
	free(fetch);
}

static void send_fetch(struct fetch *fetch)
{
	const struct slice args[] = { SLICE("HGETALL"), slice_make(fetch->key, fetch->len) };
	fetch->is_again = false;
	redis_send(fetch->partition->state->redis, &fetch->command, args, 2);
}

void scan_pass_fetch(struct fetch *fetch)
{
	if (fetch->is_again && !fetch->partition->state->is_closing) {
		send_fetch(fetch);
	} else {
		end_fetch(fetch);
	}
}

static void on_group(struct redis_command *command, const struct redis_result *result)
{
	struct fetch *fetch = LIST_ENTRY(command, struct fetch, command);
	struct partition *partition = fetch->partition;
	struct scan *scan = fetch->scan;
	const char *fault = reply_fault(result);
	bool is_wanted = !partition->state->is_closing && (scan == NULL || !scan->is_over);
	bool is_group = fault == NULL && result->reply->type == REDIS_REPLY_ARRAY;
	if (is_wanted && is_group) {
		read_group(fetch, result->reply);
		if (scan != NULL) {
			end_fetch(fetch);
		}
		return;
	}
	end_fetch(fetch);
	/* What was not read is read by another scan, when Redis is back. */
	if (is_wanted && scan != NULL) {
		scan_give_up(partition);
	}
	if (scan != NULL) {
		scan_pass(scan);
	}
	if (is_wanted) {
		partition_lose(partition, fault == NULL ? "a group is of another type" : fault);
	}
}

static struct fetch *create_fetch(struct partition *partition, struct slice name, struct scan *scan)
{
	size_t prefix = strlen(partition->key_prefix);
	struct fetch *fetch = memory_zalloc(1, sizeof(*fetch) + prefix + name.len + 1);
	fetch->command.done = on_group;
	fetch->command.slot = partition->slot;
	fetch->partition = partition;
	fetch->scan = scan;
	fetch->name_at = prefix;
	fetch->len = prefix + name.len;
	memcpy(fetch->key, partition->key_prefix, prefix);
	memcpy(fetch->key + prefix, name.ptr, name.len);
	return fetch;
}

static struct fetch *find_fetch(struct partition *partition, struct slice name, uint64_t hash)
{
	if (partition->fetches.len == 0) {
		return NULL;
	}
	struct map_node *node = map_first(&partition->fetches, hash);
	while (node != NULL && !slice_equal(name_of(MAP_ENTRY(node, struct fetch, node)), name)) {
		node = map_next(node, hash);
	}
	return node == NULL ? NULL : MAP_ENTRY(node, struct fetch, node);
}

/*
 * A group may change more often than it can be read: it is asked for again when what was read of
 * it before is in the store.
 */
void scan_name(struct partition *partition, struct slice name)
{
	uint64_t hash = hash64(name);
	struct fetch *fetch = find_fetch(partition, name, hash);
	if (fetch != NULL) {
		fetch->is_again = true;
		return;
	}
	fetch = create_fetch(partition, name, NULL);
	map_insert(&partition->fetches, &fetch->node, hash);
	partition->state->fetches++;
	send_fetch(fetch);
}

void scan_group(struct partition *partition, const struct labels *key)
{
	struct buf name;
	buf_init(&name, 0);
	group_name_append(&name, key);
	scan_name(partition, buf_slice(&name));
	buf_finish(&name);
}

/* ---- Reading all ---- */

static void end(struct scan *scan)
{
	struct partition *partition = scan->partition;
	struct apply_item *item = apply_create(partition, APPLY_SCANNED);
	partition->scan = NULL;
	apply_set_scanned(item, scan->number, scan->version, scan->is_lossy);
	apply_queue(item);
	free(scan);
}

static void on_page(struct redis_command *command, const struct redis_result *result)
{
	struct scan *scan = LIST_ENTRY(command, struct scan, command);
	struct partition *partition = scan->partition;
	const struct redisReply *reply = result->reply;
	const char *fault = reply_fault(result);
	bool is_page = fault == NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2
			&& reply->element[0]->type == REDIS_REPLY_STRING
			&& reply->element[1]->type == REDIS_REPLY_ARRAY;
	if (!scan->is_over && !is_page) {
		scan_give_up(partition);
		partition_lose(partition, fault == NULL ? "it does not list its groups" : fault);
	}
	if (!scan->is_over && is_page) {
		const struct redisReply *names = reply->element[1];
		snprintf(scan->cursor, sizeof(scan->cursor), "%s", reply->element[0]->str);
		scan->is_read = strcmp(scan->cursor, "0") == 0;
		/* Members and scores take turns. */
		for (size_t i = 0; i + 1 < names->elements; i += 2) {
			scan->pending++;
			send_fetch(create_fetch(partition, reply_text(names->element[i]), scan));
		}
	}
	scan_pass(scan);
}

static void next_page(struct scan *scan)
{
	struct partition *partition = scan->partition;
	char count[16];
	if (scan->is_read) {
		end(scan);
		return;
	}
	snprintf(count, sizeof(count), "%d", PAGE_COUNT);
	const struct slice args[] = { SLICE("ZSCAN"), slice_of_string(partition->key_groups),
		slice_of_string(scan->cursor), SLICE("COUNT"), slice_of_string(count) };
	scan->pending = 1;
	redis_send(partition->state->redis, &scan->command, args, sizeof(args) / sizeof(args[0]));
}

void scan_begin(struct partition *partition, bool is_lossy)
{
	scan_give_up(partition);
	struct scan *scan = memory_zalloc(1, sizeof(*scan));
	scan->partition = partition;
	scan->number = ++partition->state->scans;
	scan->version = shared_clock_next(&partition->state->clock);
	/* One that is begun again because it could not be ended may have been. */
	scan->is_lossy = is_lossy || partition->is_lossy;
	partition->is_lossy = scan->is_lossy;
	scan->command.done = on_page;
	scan->command.slot = partition->slot;
	strcpy(scan->cursor, "0");
	partition->scan = scan;
	partition->phase = PARTITION_SCANNING;
	next_page(scan);
}

void scan_give_up(struct partition *partition)
{
	if (partition->scan != NULL) {
		partition->scan->is_over = true;
		partition->scan = NULL;
		partition->phase = PARTITION_UNKNOWN;
	}
}

uint64_t scan_number(const struct scan *scan)
{
	return scan->number;
}

bool scan_is_lossy(const struct scan *scan)
{
	return scan->is_lossy;
}
