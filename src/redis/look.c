/*
 * Without a cluster there is one server that is used, the master among those whose
 * addresses are given. They are tried in turn, beginning with the one that was
 * last in use; a round that finds no master is repeated after a while.
 */

#include "redis/parts.h"

static struct redis_node *node_after(struct redis_node *node)
{
	struct list *next = node->link.next;
	if (next == &node->redis->nodes) {
		next = next->next;
	}
	return LIST_ENTRY(next, struct redis_node, link);
}

static void begin_again(struct redis *redis)
{
	struct redis_look *look = &redis->look;
	look->failures++;
	look->next_ms = uv_now(redis->loop) + redis_backoff_ms(redis, look->failures);
	redis_wake_at(redis, look->next_ms);
}

/* Why none of them can be used. */
static struct redis_text *gather_reasons(struct redis *redis)
{
	struct buf text;
	buf_init(&text, 0);
	LIST_EACH (link, &redis->nodes) {
		struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		if (node->why != NULL) {
			buf_append_string(&text, text.len == 0 ? "" : "; ");
			buf_append_string(&text, node->why->bytes);
		}
	}
	struct redis_text *why = redis_text_printf(SLICE_FMT, SLICE_ARG(buf_slice(&text)));
	buf_finish(&text);
	return why;
}

static void end_round(struct redis *redis)
{
	redis->look.node = NULL;
	redis_text_unref(redis->why);
	redis->why = gather_reasons(redis);
	begin_again(redis);
	redis_settle(redis);
	LIST_EACH (link, &redis->nodes) {
		struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		redis_node_tell_lost(node, node->why);
	}
}

void redis_look_at_timer(struct redis *redis, uint64_t now_ms)
{
	struct redis_look *look = &redis->look;
	if (look->next_ms == 0) {
		return;
	}
	if (now_ms < look->next_ms) {
		redis_wake_at(redis, look->next_ms);
		return;
	}
	look->next_ms = 0;
	look->node = look->begin;
	redis_node_connect(look->node);
}

void redis_look_on_ready(struct redis_node *node)
{
	struct redis *redis = node->redis;
	redis->look.node = NULL;
	redis->look.begin = node;
	redis->master = node;
	redis_settle(redis);
	redis_node_tell_usable(node);
}

void redis_look_on_lost(struct redis_node *node)
{
	struct redis *redis = node->redis;
	struct redis_look *look = &redis->look;
	if (node == redis->master) {
		redis->master = NULL;
		redis_text_unref(redis->why);
		redis->why = redis_text_ref(node->why);
		look->failures = node->failures == 1 ? 0 : look->failures;
		begin_again(redis);
		redis_node_tell_lost(node, node->why);
		return;
	}
	look->node = node_after(node);
	if (look->node == look->begin) {
		end_round(redis);
	} else {
		redis_node_connect(look->node);
	}
}
