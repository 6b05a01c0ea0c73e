/*
 * Some errors are no answers but say where to go, or to come again:
 *
 *	-MOVED 3999 127.0.0.1:6381   the slot is there, from now on
 *	-ASK 3999 127.0.0.1:6381     the slot is moving; this once, there, after ASKING
 *	-TRYAGAIN ...                the slot is moving, and the keys are on both sides
 *	-CLUSTERDOWN ...             the cluster has to agree who has it
 *
 * None of them has changed anything, so the command is sent again.
 */

#include <assert.h>
#include <hiredis/hiredis.h>

#include "redis/parts.h"

enum { REDIRECTIONS_MAX = 16, PORT_MAX = 65535 };

enum meaning {
	MEANING_ANSWER,
	MEANING_MOVED,
	MEANING_ASK,
	MEANING_LATER,
	MEANING_LOST, /* the server is of no use as a master */
};

static struct slice take_word(struct slice *rest)
{
	const char *blank = slice_find_byte(*rest, ' ');
	struct slice word = blank == NULL ? *rest : slice_between(rest->ptr, blank);
	*rest = slice_skip(*rest, word.len + (blank != NULL));
	return word;
}

static enum meaning meaning_of(const struct redis *redis, struct slice word)
{
	static const struct {
		struct slice word;
		enum meaning in_cluster;
		enum meaning alone;
	} meanings[] = {
		{ SLICE_INIT("MOVED"), MEANING_MOVED, MEANING_ANSWER },
		{ SLICE_INIT("ASK"), MEANING_ASK, MEANING_ANSWER },
		{ SLICE_INIT("TRYAGAIN"), MEANING_LATER, MEANING_ANSWER },
		{ SLICE_INIT("CLUSTERDOWN"), MEANING_LATER, MEANING_ANSWER },
		/* A blocking command, of a master that becomes a replica. */
		{ SLICE_INIT("UNBLOCKED"), MEANING_LATER, MEANING_LOST },
		{ SLICE_INIT("LOADING"), MEANING_LOST, MEANING_LOST },
		{ SLICE_INIT("MASTERDOWN"), MEANING_LOST, MEANING_LOST },
		{ SLICE_INIT("READONLY"), MEANING_LOST, MEANING_LOST },
	};
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (slice_equal(word, meanings[i].word)) {
			return redis->cluster.is_one ? meanings[i].in_cluster : meanings[i].alone;
		}
	}
	return MEANING_ANSWER;
}

static bool read_number(struct slice digits, unsigned max, unsigned *ret_number)
{
	unsigned number = 0;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
			return false;
		}
		number = number * 10 + (unsigned)(digits.ptr[i] - '0');
		if (number > max) {
			return false;
		}
	}
	*ret_number = number;
	return digits.len > 0;
}

/* "3999 127.0.0.1:6381"; without a host it is the one that says so. */
static struct redis_node *read_place(
		const struct redis_conn *conn, struct slice text, unsigned *ret_slot)
{
	struct slice slot = take_word(&text);
	size_t colon = text.len;
	while (colon > 0 && text.ptr[colon - 1] != ':') {
		colon--;
	}
	unsigned port;
	if (colon == 0 || !read_number(slice_skip(text, colon), PORT_MAX, &port) || port == 0
			|| !read_number(slot, REDIS_SLOTS - 1, ret_slot)) {
		return NULL;
	}
	return redis_cluster_node(conn->node, slice_first(text, colon - 1), (uint16_t)port);
}

static struct redis_text *quote(const struct redis_conn *conn, const struct redisReply *reply)
{
	return redis_text_printf("%s answers: %s", conn->node->address, reply->str);
}

static void follow(struct redis_conn *conn, struct redis_command *command, bool is_moved,
		struct slice place, const struct redisReply *reply)
{
	struct redis *redis = conn->redis;
	unsigned slot;
	struct redis_node *node = read_place(conn, place, &slot);
	redis->stats.redirections++;
	command->redirections++;
	if (node == NULL || command->redirections > REDIRECTIONS_MAX) {
		struct redis_text *why = quote(conn, reply);
		redis_fail(redis, command, why);
		redis_text_unref(why);
		return;
	}
	if (is_moved) {
		redis_cluster_move(redis, slot, node);
	}
	command->is_asking = !is_moved;
	redis_node_send(node, command);
}

/* Told as lost, and found again when there is a master. */
static void give_up(
		struct redis_conn *conn, struct redis_command *command, const struct redisReply *reply)
{
	struct redis_text *why = quote(conn, reply);
	redis_fail(conn->redis, command, why);
	redis_conn_lose(conn, why);
}

static void come_again(
		struct redis_conn *conn, struct redis_command *command, const struct redisReply *reply)
{
	struct redis_text *why = quote(conn, reply);
	redis_cluster_want(conn->redis);
	redis_delay(conn->redis, command, why);
	redis_text_unref(why);
}

static void tell(struct redis_conn *conn, struct redis_command *command,
		const struct redisReply *reply, int64_t confirmed)
{
	const struct redis_result result = {
		.reply = reply,
		.server = conn->server,
		.confirmed = confirmed,
	};
	redis_text_unref(command->text);
	command->text = NULL;
	redis_note_done(conn->redis, command);
	command->done(command, &result);
}

void redis_answer(struct redis_conn *conn, struct redis_command *command, struct redisReply *reply,
		int64_t confirmed)
{
	struct slice rest = slice_make("", 0);
	if (reply->type == REDIS_REPLY_ERROR && !command->is_internal) {
		rest = slice_make(reply->str, reply->len);
	}
	switch (meaning_of(conn->redis, take_word(&rest))) {
	case MEANING_ANSWER:
		tell(conn, command, reply, confirmed);
		break;
	case MEANING_MOVED:
		follow(conn, command, true, rest, reply);
		break;
	case MEANING_ASK:
		follow(conn, command, false, rest, reply);
		break;
	case MEANING_LATER:
		come_again(conn, command, reply);
		break;
	case MEANING_LOST:
		give_up(conn, command, reply);
		break;
	}
}
