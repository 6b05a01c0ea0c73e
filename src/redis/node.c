#include <stdlib.h>

#include "base/memory.h"
#include "redis/parts.h"

/* ---- Who is known ---- */

static char *format_address(struct slice host, uint16_t port)
{
	struct buf text;
	buf_init(&text, 0);
	if (port == 0) {
		buf_append(&text, host);
	} else if (slice_find_byte(host, ':') != NULL) {
		buf_printf(&text, "[" SLICE_FMT "]:%u", SLICE_ARG(host), port);
	} else {
		buf_printf(&text, SLICE_FMT ":%u", SLICE_ARG(host), port);
	}
	buf_append_byte(&text, '\0');
	return text.ptr;
}

struct redis_node *redis_node_of(struct redis *redis, struct slice host, uint16_t port)
{
	LIST_EACH (link, &redis->nodes) {
		struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		if (node->port == port && slice_equal(slice_of_string(node->host), host)) {
			return node;
		}
	}
	struct redis_node *node = memory_zalloc(1, sizeof(*node));
	node->redis = redis;
	node->host = memory_zalloc(host.len + 1, 1);
	memcpy(node->host, host.ptr, host.len);
	node->port = port;
	node->address = format_address(host, port);
	list_init(&node->waiting);
	list_append(&redis->nodes, &node->link);
	return node;
}

void redis_node_destroy(struct redis_node *node)
{
	list_remove(&node->link);
	redis_text_unref(node->why);
	free(node->host);
	free(node->address);
	free(node);
}

/* ---- Events ---- */

void redis_node_tell_usable(struct redis_node *node)
{
	const struct redis_events *events = &node->redis->events;
	if (!node->is_told_usable) {
		node->is_told_usable = true;
		node->is_told_lost = false;
		events->on_connected(events->data, slice_of_string(node->address));
	}
}

void redis_node_tell_lost(struct redis_node *node, const struct redis_text *why)
{
	const struct redis_events *events = &node->redis->events;
	if (!node->is_told_lost && !node->redis->is_closing) {
		node->is_told_usable = false;
		node->is_told_lost = true;
		events->on_lost(
				events->data, slice_of_string(node->address), slice_make(why->bytes, why->len));
	}
}

/* ---- Its connection ---- */

void redis_node_connect(struct redis_node *node)
{
	node->state = REDIS_NODE_CONNECTING;
	node->conn = redis_conn_open(node);
}

void redis_node_retire(struct redis_node *node)
{
	node->state = REDIS_NODE_IDLE;
	node->failures = 0;
	redis_text_unref(node->why);
	node->why = NULL;
	if (node->conn != NULL) {
		redis_conn_lose(node->conn, redis_text_printf("%s is not needed", node->address));
	}
}

/* What was refused elsewhere has time to find somebody, as when a master has just changed. */
static void refuse(struct redis_node *node, struct redis_command *command)
{
	if (command->give_up_ms != 0 || command->redirections > 0) {
		redis_delay(node->redis, command, node->why);
	} else {
		redis_fail(node->redis, command, node->why);
	}
}

void redis_node_send(struct redis_node *node, struct redis_command *command)
{
	node->used_ms = uv_now(node->redis->loop);
	switch (node->state) {
	case REDIS_NODE_IDLE:
		redis_node_connect(node);
		list_append(&node->waiting, &command->link);
		break;
	case REDIS_NODE_CONNECTING:
		if (node->why == NULL) {
			list_append(&node->waiting, &command->link);
		} else {
			refuse(node, command);
		}
		break;
	case REDIS_NODE_READY:
		redis_conn_send(node->conn, command);
		break;
	case REDIS_NODE_LOST:
		refuse(node, command);
		break;
	}
}

void redis_node_on_ready(struct redis_node *node)
{
	struct redis *redis = node->redis;
	node->state = REDIS_NODE_READY;
	node->ready_ms = uv_now(redis->loop);
	redis_text_unref(node->why);
	node->why = NULL;
	LIST_EACH (link, &node->waiting) {
		list_remove(link);
		redis_conn_send(node->conn, LIST_ENTRY(link, struct redis_command, link));
	}
	if (node->conn->is_cluster) {
		redis_cluster_begin(redis);
	}
	if (redis->cluster.is_one) {
		redis_cluster_on_ready(node);
	} else {
		redis_look_on_ready(node);
	}
}

void redis_node_on_lost(struct redis_node *node, struct redis_text *why)
{
	struct redis *redis = node->redis;
	uint64_t now_ms = uv_now(redis->loop);
	bool was_ready = node->state == REDIS_NODE_READY;
	node->conn = NULL;
	if (node->state == REDIS_NODE_IDLE) {
		return; /* retired */
	}
	node->state = REDIS_NODE_LOST;
	redis_text_unref(node->why);
	node->why = redis_text_ref(why);
	LIST_EACH (link, &node->waiting) {
		list_remove(link);
		refuse(node, LIST_ENTRY(link, struct redis_command, link));
	}
	/* One that is lost again as soon as it is there is no better than one that never was. */
	bool was_good = was_ready && now_ms - node->ready_ms >= redis->options.retry_ms_max;
	node->failures = was_good ? 1 : node->failures + 1;
	node->retry_ms = now_ms + redis_backoff_ms(redis, node->failures);
	redis->stats.losses += was_ready;
	if (redis->is_closing) {
		return;
	}
	if (redis->cluster.is_one) {
		redis_cluster_on_lost(node);
	} else {
		redis_look_on_lost(node);
	}
}
