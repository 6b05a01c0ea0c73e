#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "drain/parts.h"
#include "drain/scripts.h"

const char *drain_reply_fault(const struct redis_result *result)
{
	if (result->reply == NULL) {
		return result->why;
	}
	return result->reply->type == REDIS_REPLY_ERROR ? result->reply->str : NULL;
}

static struct slice key_of(const struct drain_list *list)
{
	return slice_make(list->key, list->key_len);
}

/* ---- Life ---- */

static bool is_known(const struct drain *drain, struct slice key, uint64_t hash)
{
	struct map_node *node = map_first(&drain->by_key, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		if (slice_equal(key_of(MAP_ENTRY(node, struct drain_list, node)), key)) {
			return true;
		}
	}
	return false;
}

struct drain_list *drain_list_create(struct drain *drain, struct slice key)
{
	uint64_t hash = hash64(key);
	if (is_known(drain, key, hash)) {
		return NULL;
	}
	struct drain_list *list = memory_zalloc(1, sizeof(*list));
	list->drain = drain;
	list->key = memory_alloc(key.len + 1);
	memcpy(list->key, key.ptr, key.len);
	list->key_len = key.len;
	list_init(&list->link);
	map_insert(&drain->by_key, &list->node, hash);
	list_append(&drain->lists, &list->in_round);
	return list;
}

static void drop_part(struct drain_list *list)
{
	free((void *)(uintptr_t)list->part.elements);
	list->part = (struct drain_part){ 0 };
}

void drain_list_destroy(struct drain_list *list)
{
	map_remove(&list->drain->by_key, &list->node);
	list_remove(&list->in_round);
	list_remove(&list->link);
	drop_part(list);
	free(list->key);
	free(list);
}

void drain_list_enqueue(struct drain_list *list)
{
	struct drain *drain = list->drain;
	list_append(list->is_large ? &drain->large : &drain->waiting, &list->link);
	drain->waiting_count++;
}

/* Whatever became of it, others have their turn. */
static void leave(struct drain_list *list, bool again)
{
	struct drain *drain = list->drain;
	drop_part(list);
	drain->under_way--;
	drain->has_large &= !list->is_large;
	list->is_under_way = false;
	list->is_large = false;
	if (again && ++list->parts < DRAIN_PARTS_A_ROUND) {
		drain_list_enqueue(list);
	} else if (again) {
		drain->has_more = true;
	}
	drain_go_on(drain);
}

/* What is about this list alone is no reason to leave the others. */
static void fail(struct drain_list *list, const char *why)
{
	struct drain *drain = list->drain;
	drain->stats.faults++;
	if (strstr(why, "WRONGTYPE") != NULL || strstr(why, "NOPERM") != NULL) {
		drain->events.on_fault(drain->events.data, key_of(list), slice_of_string(why));
	} else {
		drain_fail(drain, slice_of_string(why));
	}
	leave(list, false);
}

static void send_command(struct drain_list *list, const struct slice *args, size_t count,
		void (*done)(struct redis_command *command, const struct redis_result *result))
{
	list->command = (struct redis_command){ .done = done, .slot = redis_slot(key_of(list)) };
	redis_send(list->drain->redis, &list->command, args, count);
}

/* ---- Taking off ---- */

static void on_trimmed(struct redis_command *command, const struct redis_result *result)
{
	struct drain_list *list = LIST_ENTRY(command, struct drain_list, command);
	struct drain *drain = list->drain;
	const char *fault = drain_reply_fault(result);
	bool is_gone = fault == NULL && result->reply->type == REDIS_REPLY_INTEGER
			&& result->reply->integer == 1;
	if (is_gone) {
		drain->stats.elements += list->too_large > 0 ? 1 : list->part.count;
		drain->stats.bytes += list->part_bytes;
	}
	if (list->too_large > 0 && is_gone) {
		drain->events.on_too_large(drain->events.data, key_of(list), list->too_large);
	} else if (list->too_large == 0) {
		drain->events.on_taken_off(drain->events.data, &list->part, is_gone);
	}
	if (fault != NULL) {
		fail(list, fault);
	} else {
		leave(list, is_gone && list->left > 0);
	}
}

static void trim(struct drain_list *list, size_t count)
{
	char digits[NUMBER_TEXT_MAX];
	const struct slice args[] = {
		SLICE("EVAL"),
		slice_of_string(drain_trim),
		SLICE("1"),
		key_of(list),
		slice_make(digits, number_format_uint(count, digits)),
		slice_make(list->digest, DRAIN_DIGEST),
	};
	send_command(list, args, sizeof(args) / sizeof(args[0]), on_trimmed);
}

void drain_settle(
		struct drain *drain, struct drain_part *part, enum drain_verdict verdict, struct slice why)
{
	struct drain_list *list = LIST_ENTRY(part, struct drain_list, part);
	switch (verdict) {
	case DRAIN_STORED:
		trim(list, part->count);
		return;
	case DRAIN_LATER:
		drain_fail(drain, why);
		leave(list, false);
		return;
	case DRAIN_UNREAD:
		leave(list, false);
		return;
	}
}

/* ---- Reading ---- */

static bool is_answer(const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3
			|| reply->element[0]->type != REDIS_REPLY_STRING
			|| reply->element[1]->type != REDIS_REPLY_INTEGER
			|| reply->element[2]->type != REDIS_REPLY_INTEGER) {
		return false;
	}
	for (size_t i = 3; i < reply->elements; i++) {
		if (reply->element[i]->type != REDIS_REPLY_STRING) {
			return false;
		}
	}
	return reply->element[0]->len == 0 || reply->element[0]->len == DRAIN_DIGEST;
}

/* Elements live in one piece of memory: first what says where they are, then their bytes. */
static void copy_part(struct drain_list *list, const struct redisReply *reply)
{
	size_t count = reply->elements - 3;
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		bytes += (size_t)reply->element[3 + i]->len;
	}
	struct slice *elements = memory_alloc(count * sizeof(*elements) + bytes + 1);
	char *at = (char *)(elements + count);
	for (size_t i = 0; i < count; i++) {
		const struct redisReply *element = reply->element[3 + i];
		elements[i] = slice_make(at, (size_t)element->len);
		memcpy(at, element->str, elements[i].len);
		at += elements[i].len;
	}
	list->part = (struct drain_part){ .key = key_of(list), .elements = elements, .count = count };
	list->part_bytes = bytes;
}

static void take_too_large(struct drain_list *list, uint64_t bytes)
{
	struct drain *drain = list->drain;
	if (list->is_large) {
		list->too_large = bytes;
		list->part_bytes = bytes;
		trim(list, 1);
		return;
	}
	drain->under_way--;
	list->is_under_way = false;
	list->is_large = true;
	drain_list_enqueue(list);
	drain_go_on(drain);
}

static void on_read(struct redis_command *command, const struct redis_result *result)
{
	struct drain_list *list = LIST_ENTRY(command, struct drain_list, command);
	struct drain *drain = list->drain;
	const char *fault = drain_reply_fault(result);
	if (fault != NULL || !is_answer(result->reply)) {
		fail(list, fault != NULL ? fault : "Redis answered something unexpected");
		return;
	}
	const struct redisReply *reply = result->reply;
	memcpy(list->digest, reply->element[0]->str, (size_t)reply->element[0]->len);
	list->left = (uint64_t)reply->element[1]->integer;
	list->too_large = 0;
	if (drain->phase == DRAIN_CLOSING) {
		leave(list, false);
	} else if (reply->element[2]->integer > 0) {
		take_too_large(list, (uint64_t)reply->element[2]->integer);
	} else if (reply->elements == 3) {
		leave(list, false); /* another one was faster */
	} else {
		copy_part(list, reply);
		drain->events.on_part(drain->events.data, &list->part);
	}
}

void drain_list_read(struct drain_list *list)
{
	struct drain *drain = list->drain;
	char most[NUMBER_TEXT_MAX];
	char room[NUMBER_TEXT_MAX];
	size_t bytes = list->is_large ? drain->options.element_bytes : DRAIN_PART_BYTES;
	const struct slice args[] = {
		SLICE("EVAL"),
		slice_of_string(drain_peek),
		SLICE("1"),
		key_of(list),
		slice_make(most, number_format_uint(list->is_large ? 1 : DRAIN_PART_ELEMENTS, most)),
		slice_make(room, number_format_uint(bytes, room)),
		list->is_large ? SLICE("1") : SLICE("0"),
	};
	list_remove(&list->link);
	list->is_under_way = true;
	drain->waiting_count--;
	drain->under_way++;
	drain->has_large |= list->is_large;
	send_command(list, args, sizeof(args) / sizeof(args[0]), on_read);
}
