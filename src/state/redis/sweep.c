#include "state/redis/sweep.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "state/redis/join.h"
#include "state/redis/parts.h"
#include "state/redis/reply.h"

/*
 * A page of names is read, and a change that says nothing is joined with each of
 * their groups: what is older than the wipe goes with that.
 */

enum { PAGE_COUNT = 256 };

struct sweep {
	struct redis_command list;
	struct redis_command join;
	struct partition *partition;
	char cursor[24];
	struct buf text;
};

static void next_page(struct sweep *sweep);

static void end(struct sweep *sweep)
{
	buf_finish(&sweep->text);
	free(sweep);
}

static void go_on(struct sweep *sweep, bool is_good)
{
	bool is_over = strcmp(sweep->cursor, "0") == 0 || sweep->partition->state->is_closing;
	if (is_over || !is_good) {
		end(sweep);
	} else {
		next_page(sweep);
	}
}

static void on_joined(struct redis_command *command, const struct redis_result *result)
{
	go_on(LIST_ENTRY(command, struct sweep, join), reply_fault(result) == NULL);
}

static void join_names(struct sweep *sweep, const struct redisReply *names)
{
	struct partition *partition = sweep->partition;
	static const struct shared_head nothing;
	size_t count = names->elements / 2;
	struct join_pair *pairs = memory_alloc((count + 1) * sizeof(*pairs));
	struct buf change;
	buf_init(&change, 0);
	change_write_head(&change, &nothing, 0, 0);
	buf_reset(&sweep->text, 0);
	size_t prefix = strlen(partition->key_prefix);
	for (size_t i = 0; i < count; i++) {
		buf_append_string(&sweep->text, partition->key_prefix);
		buf_append(&sweep->text, reply_text(names->element[2 * i]));
	}
	const char *at = sweep->text.ptr;
	for (size_t i = 0; i < count; i++) {
		size_t len = prefix + reply_text(names->element[2 * i]).len;
		pairs[i] = (struct join_pair){
			.key = slice_make(at, len),
			.name_at = prefix,
			.change = buf_slice(&change),
			.content_at = change.len,
		};
		at += len;
	}
	join_send(partition, &sweep->join, pairs, count, 0);
	buf_finish(&change);
	free(pairs);
}

static void on_page(struct redis_command *command, const struct redis_result *result)
{
	struct sweep *sweep = LIST_ENTRY(command, struct sweep, list);
	const struct redisReply *reply = result->reply;
	bool is_page = reply_fault(result) == NULL && reply->type == REDIS_REPLY_ARRAY
			&& reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_STRING
			&& reply->element[1]->type == REDIS_REPLY_ARRAY;
	if (!is_page) {
		end(sweep);
		return;
	}
	snprintf(sweep->cursor, sizeof(sweep->cursor), "%s", reply->element[0]->str);
	if (reply->element[1]->elements == 0) {
		go_on(sweep, true);
	} else {
		join_names(sweep, reply->element[1]);
	}
}

static void next_page(struct sweep *sweep)
{
	struct partition *partition = sweep->partition;
	char count[16];
	snprintf(count, sizeof(count), "%d", PAGE_COUNT);
	const struct slice args[] = { SLICE("ZSCAN"), slice_of_string(partition->key_groups),
		slice_of_string(sweep->cursor), SLICE("COUNT"), slice_of_string(count) };
	redis_send(partition->state->redis, &sweep->list, args, sizeof(args) / sizeof(args[0]));
}

void sweep_begin(struct partition *partition)
{
	struct sweep *sweep = memory_zalloc(1, sizeof(*sweep));
	sweep->partition = partition;
	sweep->list.done = on_page;
	sweep->list.slot = partition->slot;
	sweep->join.done = on_joined;
	sweep->join.slot = partition->slot;
	buf_init(&sweep->text, 0);
	strcpy(sweep->cursor, "0");
	next_page(sweep);
}
