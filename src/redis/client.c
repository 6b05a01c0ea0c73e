#include "redis/client.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "base/memory.h"
#include "redis/parts.h"

enum {
	BACKOFF_MS = 10, /* before the second attempt; doubled for each further one */
	DELAY_MS = 50,   /* before a command is sent again */
};

/* ---- Time ---- */

/* Uniform in [half, whole]. */
static uint64_t jitter(struct redis *redis, uint64_t whole)
{
	redis->random ^= redis->random << 13;
	redis->random ^= redis->random >> 7;
	redis->random ^= redis->random << 17;
	return whole / 2 + redis->random % (whole - whole / 2 + 1);
}

uint64_t redis_backoff_ms(struct redis *redis, unsigned failures)
{
	uint64_t whole = BACKOFF_MS;
	for (; failures > 1 && whole < redis->options.retry_ms_max; failures--) {
		whole *= 2;
	}
	uint64_t most = redis->options.retry_ms_max;
	return jitter(redis, whole < most ? whole : most);
}

static void on_timer(uv_timer_t *timer);

void redis_wake_at(struct redis *redis, uint64_t at_ms)
{
	uv_timer_t *timer = &redis->timer;
	if (redis->is_closing || (uv_is_active((uv_handle_t *)timer) && redis->timer_ms <= at_ms)) {
		return;
	}
	uint64_t now_ms = uv_now(redis->loop);
	redis->timer_ms = at_ms;
	uv_timer_start(timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static void send_delayed(struct redis *redis, uint64_t now_ms)
{
	LIST_EACH (link, &redis->delayed) {
		struct redis_command *command = LIST_ENTRY(link, struct redis_command, link);
		if (now_ms < command->retry_ms) {
			redis_wake_at(redis, command->retry_ms);
		} else {
			list_remove(link);
			redis_route(redis, command);
		}
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct redis *redis = timer->data;
	uint64_t now_ms = uv_now(redis->loop);
	redis_look_at_timer(redis, now_ms);
	redis_cluster_at_timer(redis, now_ms);
	send_delayed(redis, now_ms);
}

/* ---- Commands ---- */

void redis_fail(struct redis *redis, struct redis_command *command, struct redis_text *why)
{
	freeReplyObject(command->held);
	command->held = NULL;
	redis_text_unref(command->text);
	command->text = NULL;
	if (!command->is_internal) {
		command->text = redis_text_ref(why);
		list_append(&redis->failed, &command->link);
		if (!redis->is_ending) {
			turn_arm(&redis->turn);
		}
	}
}

void redis_fail_all(struct redis *redis, struct list *commands, struct redis_text *why)
{
	LIST_EACH (link, commands) {
		list_remove(link);
		redis_fail(redis, LIST_ENTRY(link, struct redis_command, link), why);
	}
}

void redis_note_done(struct redis *redis, const struct redis_command *command)
{
	redis->stats.waiting -= !command->is_internal && !command->is_blocking;
}

void redis_delay(struct redis *redis, struct redis_command *command, struct redis_text *why)
{
	uint64_t now_ms = uv_now(redis->loop);
	if (command->give_up_ms == 0) {
		command->give_up_ms = now_ms + redis->options.response_ms;
	}
	if (now_ms >= command->give_up_ms) {
		redis_fail(redis, command, why);
		return;
	}
	command->retry_ms = now_ms + jitter(redis, DELAY_MS);
	list_append(&redis->delayed, &command->link);
	redis_wake_at(redis, command->retry_ms);
}

static void route_in_cluster(struct redis *redis, struct redis_command *command)
{
	struct redis_node *node = redis->cluster.slots[command->slot];
	if (node != NULL) {
		redis_node_send(node, command);
		return;
	}
	struct redis_text *why =
			redis_text_printf("no server of the cluster has slot %u", command->slot);
	redis_cluster_want(redis);
	redis_delay(redis, command, why);
	redis_text_unref(why);
}

void redis_route(struct redis *redis, struct redis_command *command)
{
	command->is_asking = false;
	if (redis->is_closing) {
		redis_fail(redis, command, redis->why);
	} else if (!redis->is_settled) {
		list_append(&redis->waiting, &command->link);
	} else if (redis->cluster.is_one) {
		route_in_cluster(redis, command);
	} else if (redis->master != NULL) {
		redis_node_send(redis->master, command);
	} else {
		redis_fail(redis, command, redis->why);
	}
}

void redis_send(
		struct redis *redis, struct redis_command *command, const struct slice *args, size_t count)
{
	assert(command->done != NULL && command->slot < REDIS_SLOTS && count > 0);
	command->text = redis_text_of_command(args, count, command->wait_replicas, command->wait_ms);
	command->held = NULL;
	command->give_up_ms = 0;
	command->redirections = 0;
	command->is_internal = false;
	redis->stats.commands++;
	redis->stats.waiting += !command->is_blocking;
	redis_route(redis, command);
}

void redis_settle(struct redis *redis)
{
	if (redis->is_settled) {
		return;
	}
	redis->is_settled = true;
	LIST_EACH (link, &redis->waiting) {
		list_remove(link);
		redis_route(redis, LIST_ENTRY(link, struct redis_command, link));
	}
}

/* ---- Turns ---- */

static void tell_failed(struct redis *redis)
{
	struct list failed;
	list_init(&failed);
	list_append_all(&failed, &redis->failed);
	struct list *link;
	while ((link = list_first(&failed)) != NULL) {
		struct redis_command *command = LIST_ENTRY(link, struct redis_command, link);
		struct redis_text *why = command->text;
		command->text = NULL;
		list_remove(link);
		redis_note_done(redis, command);
		command->done(command, &(struct redis_result){ .why = why->bytes });
		redis_text_unref(why);
	}
}

static void flush_writers(struct redis *redis)
{
	struct list *link;
	while ((link = list_first(&redis->writers)) != NULL) {
		redis_conn_flush(LIST_ENTRY(link, struct redis_conn, write_link));
	}
}

static void on_turn_closed(void *data)
{
	redis_part_closed(data);
}

static void on_timer_closed(uv_handle_t *handle)
{
	redis_part_closed(handle->data);
}

static void end(struct redis *redis)
{
	redis->is_ending = true;
	redis_fail_all(redis, &redis->waiting, redis->why);
	redis_fail_all(redis, &redis->delayed, redis->why);
	LIST_EACH (link, &redis->nodes) {
		struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		redis_fail_all(redis, &node->waiting, redis->why);
		if (node->conn != NULL) {
			redis_conn_lose(node->conn, redis_text_ref(redis->why));
		}
	}
	uv_close((uv_handle_t *)&redis->timer, on_timer_closed);
	turn_close(&redis->turn, on_turn_closed);
}

static bool on_turn(void *data)
{
	struct redis *redis = data;
	tell_failed(redis);
	flush_writers(redis);
	if (redis->is_closing) {
		end(redis);
		return false;
	}
	return !list_is_empty(&redis->failed) || !list_is_empty(&redis->writers);
}

/* ---- Beginning and end ---- */

const char *redis_missing(void)
{
	return NULL;
}

struct redis *redis_open(
		const struct redis_options *options, uv_loop_t *loop, const struct redis_events *events)
{
	struct redis *redis = memory_zalloc(1, sizeof(*redis));
	redis->options = *options;
	redis->loop = loop;
	redis->events = *events;
	redis->input = memory_alloc(REDIS_INPUT_BYTES);
	redis->asking = redis_text_of_command(&SLICE("ASKING"), 1, 0, 0);
	redis->why = redis_text_printf("not connected yet");
	uv_random(NULL, NULL, &redis->random, sizeof(redis->random), 0, NULL);
	redis->random |= 1; /* zero would stay zero */
	list_init(&redis->nodes);
	list_init(&redis->waiting);
	list_init(&redis->delayed);
	list_init(&redis->failed);
	list_init(&redis->writers);
	turn_open(&redis->turn, loop, on_turn, redis);
	uv_timer_init(loop, &redis->timer);
	redis->timer.data = redis;
	redis->open_parts = 2;
	for (size_t i = 0; i < options->address_count; i++) {
		const struct redis_address *address = &options->addresses[i];
		redis_node_of(redis, slice_of_string(address->host), address->port)->is_seed = true;
	}
	redis->look.begin = LIST_ENTRY(list_first(&redis->nodes), struct redis_node, link);
	redis->look.next_ms = 1; /* at once */
	redis_wake_at(redis, 0);
	return redis;
}

void redis_close(struct redis *redis)
{
	if (redis->is_closing) {
		return;
	}
	redis->is_closing = true;
	redis_text_unref(redis->why);
	redis->why = redis_text_printf("the connection to Redis is being closed");
	turn_arm(&redis->turn);
}

static void destroy(struct redis *redis)
{
	LIST_EACH (link, &redis->nodes) {
		redis_node_destroy(LIST_ENTRY(link, struct redis_node, link));
	}
	redis_text_unref(redis->asking);
	redis_text_unref(redis->why);
	redis_text_unref(redis->cluster.command.text);
	free(redis->input);
	free(redis);
}

void redis_part_closed(struct redis *redis)
{
	if (--redis->open_parts > 0) {
		return;
	}
	while (!list_is_empty(&redis->failed)) {
		tell_failed(redis);
	}
	struct redis_events events = redis->events;
	destroy(redis);
	events.on_closed(events.data);
}

/* ---- Questions ---- */

bool redis_is_cluster(const struct redis *redis)
{
	return redis->cluster.is_one;
}

static bool is_connected(const struct redis *redis)
{
	if (!redis->cluster.is_one) {
		return redis->master != NULL;
	}
	size_t ready = 0;
	LIST_EACH (link, &redis->nodes) {
		const struct redis_node *node = LIST_ENTRY(link, struct redis_node, link);
		if (node->is_used && node->why != NULL) {
			return false;
		}
		ready += node->is_used && node->state == REDIS_NODE_READY;
	}
	return ready > 0;
}

void redis_collect(const struct redis *redis, struct redis_stats *ret_stats)
{
	*ret_stats = redis->stats;
	ret_stats->is_connected = is_connected(redis);
	LIST_EACH (link, &redis->nodes) {
		ret_stats->open += LIST_ENTRY(link, struct redis_node, link)->state == REDIS_NODE_READY;
	}
}
