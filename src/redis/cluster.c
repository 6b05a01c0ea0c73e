/*
 * Which server of a cluster has which slot, as CLUSTER SLOTS tells it:
 *
 *	[[0, 5460, ["127.0.0.1", 7000, id, ...], replicas ...], [5461, ...], ...]
 *
 * Any node can be asked. It is asked again when a redirection, a loss or a slot that
 * nobody has shows that the map is old, and for as long as it names a server
 * that is lost: another one may take its place.
 *
 * A server is connected when a command needs it, and again when it is lost. One that has no slots
 * any more is let go when it has answered what it was asked.
 */

#include <hiredis/hiredis.h>

#include "redis/parts.h"

enum { REFRESH_MS = 200, IDLE_MS = 1000 };

struct redis_node *redis_cluster_node(
		const struct redis_node *teller, struct slice host, uint16_t port)
{
	/* It does not know its own name, or is not to tell it: that by which it was reached is one. */
	bool is_unnamed = host.len == 0 || slice_equal(host, SLICE("?"));
	return redis_node_of(teller->redis, is_unnamed ? slice_of_string(teller->host) : host, port);
}

/* ---- The map ---- */

static bool is_between(const redisReply *number, long long min, long long max)
{
	return number->type == REDIS_REPLY_INTEGER && number->integer >= min && number->integer <= max;
}

static bool is_range(const redisReply *range)
{
	if (range->type != REDIS_REPLY_ARRAY || range->elements < 3) {
		return false;
	}
	const redisReply *server = range->element[2];
	return is_between(range->element[0], 0, REDIS_SLOTS - 1)
			&& is_between(range->element[1], range->element[0]->integer, REDIS_SLOTS - 1)
			&& server->type == REDIS_REPLY_ARRAY && server->elements >= 2
			&& (server->element[0]->type == REDIS_REPLY_STRING
					|| server->element[0]->type == REDIS_REPLY_NIL)
			&& is_between(server->element[1], 1, UINT16_MAX);
}

static bool is_map(const redisReply *reply)
{
	/* One that knows of no slots was taken out of its cluster, or has yet to join one. */
	bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0;
	for (size_t i = 0; good && i < reply->elements; i++) {
		good = is_range(reply->element[i]);
	}
	return good;
}

static void use_range(const struct redis_node *teller, const redisReply *range)
{
	struct redis *redis = teller->redis;
	const redisReply *host = range->element[2]->element[0];
	struct redis_node *node = redis_cluster_node(teller,
			slice_make(host->str, host->type == REDIS_REPLY_NIL ? 0 : host->len),
			(uint16_t)range->element[2]->element[1]->integer);
	node->is_used = true;
	for (long long slot = range->element[0]->integer; slot <= range->element[1]->integer; slot++) {
		redis->cluster.slots[slot] = node;
	}
}

static void use_map(const struct redis_node *teller, const redisReply *reply)
{
	struct redis *redis = teller->redis;
	LIST_EACH (link, &redis->nodes) {
		LIST_ENTRY(link, struct redis_node, link)->is_used = false;
	}
	for (size_t slot = 0; slot < REDIS_SLOTS; slot++) {
		redis->cluster.slots[slot] = NULL;
	}
	for (size_t i = 0; i < reply->elements; i++) {
		use_range(teller, reply->element[i]);
	}
}

void redis_cluster_move(struct redis *redis, unsigned slot, struct redis_node *node)
{
	if (redis->cluster.slots[slot] != node) {
		redis->cluster.slots[slot] = node;
		node->is_used = true;
		/* Others may not have heard of it yet. */
		redis->cluster.informed = node;
		redis_cluster_want(redis);
	}
}

/* ---- Asking for it ---- */

void redis_cluster_want(struct redis *redis)
{
	struct redis_cluster *cluster = &redis->cluster;
	cluster->is_wanted = true;
	if (!cluster->is_asked) {
		redis_wake_at(redis, cluster->next_ms);
	}
}

static void want_after_failure(struct redis *redis)
{
	struct redis_cluster *cluster = &redis->cluster;
	cluster->failures++;
	cluster->next_ms = uv_now(redis->loop) + redis_backoff_ms(redis, cluster->failures);
	redis_cluster_want(redis);
}

static bool is_any_lost(const struct redis *redis)
{
	LIST_EACH (link, &redis->nodes) {
		const struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		if (node->is_used && node->why != NULL) {
			return true;
		}
	}
	return false;
}

static void tell_changes(struct redis *redis)
{
	LIST_EACH (link, &redis->nodes) {
		struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		if (node->is_used && node->state == REDIS_NODE_READY) {
			redis_node_tell_usable(node);
		} else if (!node->is_used && node->is_told_usable) {
			struct redis_text *why =
					redis_text_printf("%s has no slots of the cluster any more", node->address);
			redis_node_tell_lost(node, why);
			redis_text_unref(why);
		}
	}
}

static void on_slots(struct redis_command *command, const struct redis_result *result)
{
	struct redis_cluster *cluster = LIST_ENTRY(command, struct redis_cluster, command);
	struct redis *redis = LIST_ENTRY(cluster, struct redis, cluster);
	cluster->is_asked = false;
	if (!is_map(result->reply)) {
		want_after_failure(redis);
		redis_settle(redis);
		return;
	}
	use_map(cluster->asked, result->reply);
	if (is_any_lost(redis)) {
		want_after_failure(redis);
	} else {
		cluster->failures = 0;
		cluster->next_ms = uv_now(redis->loop) + REFRESH_MS;
	}
	redis_wake_at(redis, 0); /* to visit all nodes */
	redis_settle(redis);
	tell_changes(redis);
}

static void send_question(struct redis_node *node)
{
	static const struct slice args[] = { SLICE_INIT("CLUSTER"), SLICE_INIT("SLOTS") };
	struct redis_command *command = &node->redis->cluster.command;
	*command = (struct redis_command){ .done = on_slots, .is_internal = true };
	command->text = redis_text_of_command(args, 2, 0, 0);
	node->used_ms = uv_now(node->redis->loop);
	redis_conn_send(node->conn, command);
}

static void ask(struct redis_node *node)
{
	struct redis_cluster *cluster = &node->redis->cluster;
	cluster->is_wanted = false;
	cluster->is_asked = true;
	cluster->asked = node;
	cluster->informed = NULL;
	switch (node->state) {
	case REDIS_NODE_READY:
		send_question(node);
		break;
	case REDIS_NODE_IDLE:
	case REDIS_NODE_LOST:
		redis_node_connect(node);
		break;
	case REDIS_NODE_CONNECTING:
		break; /* asked when it is ready */
	}
}

/* Not the same one twice in a row, and rather one that is connected. */
static struct redis_node *choose_node(struct redis *redis)
{
	if (redis->cluster.informed != NULL) {
		return redis->cluster.informed;
	}
	struct list *begin = &redis->nodes;
	if (redis->cluster.asked != NULL) {
		begin = &redis->cluster.asked->link;
	}
	struct redis_node *any = redis->cluster.asked;
	for (struct list *link = begin->next; link != begin; link = link->next) {
		if (link == &redis->nodes) {
			continue;
		}
		struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		if (node->state == REDIS_NODE_READY) {
			return node;
		}
		if (any == redis->cluster.asked) {
			any = node;
		}
	}
	return any;
}

/* ---- What happens to its nodes ---- */

void redis_cluster_begin(struct redis *redis)
{
	if (!redis->cluster.is_one) {
		redis->cluster.is_one = true;
		redis->cluster.is_wanted = true;
	}
}

void redis_cluster_on_ready(struct redis_node *node)
{
	struct redis_cluster *cluster = &node->redis->cluster;
	bool is_awaited = cluster->is_asked && cluster->asked == node;
	if (is_awaited) {
		send_question(node);
	} else if (cluster->is_wanted && !cluster->is_asked) {
		ask(node);
	}
	if (node->is_used) {
		redis_node_tell_usable(node);
	}
}

void redis_cluster_on_lost(struct redis_node *node)
{
	struct redis *redis = node->redis;
	struct redis_cluster *cluster = &redis->cluster;
	redis_wake_at(redis, node->retry_ms);
	if (cluster->is_asked && cluster->asked == node) {
		cluster->is_asked = false;
		want_after_failure(redis);
		redis_settle(redis);
	}
	if (node->is_used) {
		redis_cluster_want(redis);
		redis_node_tell_lost(node, node->why);
	}
}

static void visit_used(struct redis_node *node, uint64_t now_ms)
{
	if (node->state != REDIS_NODE_LOST) {
		return;
	}
	if (now_ms < node->retry_ms) {
		redis_wake_at(node->redis, node->retry_ms);
	} else {
		redis_node_connect(node);
	}
}

static void forget(struct redis_cluster *cluster, const struct redis_node *node)
{
	if (cluster->asked == node) {
		cluster->asked = NULL;
	}
	if (cluster->informed == node) {
		cluster->informed = NULL;
	}
}

/* A seed, or one that had slots, or gets some. */
static void visit_unused(struct redis_node *node, uint64_t now_ms)
{
	struct redis_cluster *cluster = &node->redis->cluster;
	bool is_busy = node->state == REDIS_NODE_CONNECTING
			|| (node->conn != NULL && redis_conn_is_busy(node->conn))
			|| (cluster->is_asked && cluster->asked == node);
	uint64_t until_ms = node->used_ms + IDLE_MS;
	if (node->state == REDIS_NODE_LOST) {
		until_ms = node->retry_ms;
	}
	if (is_busy || now_ms < until_ms) {
		redis_wake_at(node->redis, until_ms > now_ms ? until_ms : now_ms + IDLE_MS);
		return;
	}
	if (node->state != REDIS_NODE_IDLE) {
		redis_node_retire(node);
	}
	if (!node->is_seed) {
		forget(cluster, node);
		redis_node_destroy(node);
	}
}

void redis_cluster_at_timer(struct redis *redis, uint64_t now_ms)
{
	struct redis_cluster *cluster = &redis->cluster;
	if (!cluster->is_one) {
		return;
	}
	LIST_EACH (link, &redis->nodes) {
		struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		if (node->is_used) {
			visit_used(node, now_ms);
		} else {
			visit_unused(node, now_ms);
		}
	}
	if (!cluster->is_wanted || cluster->is_asked) {
		return;
	}
	if (now_ms < cluster->next_ms) {
		redis_wake_at(redis, cluster->next_ms);
	} else {
		ask(choose_node(redis));
	}
}
