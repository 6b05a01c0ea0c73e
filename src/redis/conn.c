#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/tls_outgoing.h"
#include "redis/parts.h"

enum {
	REPLY_BYTES_MAX = 1 << 30,
	REPLY_ELEMENTS_MAX = 1 << 24, /* of one array: their pointers alone are 128 MB */
	DOUBT_MS = 20,
	WRITE_TEXTS = 64, /* on the stack */
};

/* ---- The reader of answers ---- */

static redisReplyObjectFunctions makers; /* hiredis' own, but for arrays */
static void *(*make_array)(const redisReadTask *task, int count);

static void *on_array(const redisReadTask *task, int count)
{
	if (count > REPLY_ELEMENTS_MAX) {
		struct redis_conn *conn = task->privdata;
		conn->is_oversized = true;
		return NULL;
	}
	return make_array(task, count);
}

static void make_reader(struct redis_conn *conn)
{
	conn->reader = redisReaderCreate();
	assert(conn->reader != NULL); /* out of memory */
	make_array = conn->reader->fn->createArray;
	makers = *conn->reader->fn;
	makers.createArray = on_array;
	conn->reader->fn = &makers;
	conn->reader->privdata = conn;
}

/*
 * A large answer leaves a large buffer, which is given back as soon as nothing is in it. It may be
 * empty in the middle of an answer, too, when what was read ends with one of its parts.
 */
static void shrink_reader(struct redis_conn *conn)
{
	redisReader *reader = conn->reader;
	bool is_idle = reader->len == 0 && reader->ridx < 0;
	if (is_idle && sdsalloc(reader->buf) > reader->maxbuf) {
		redisReaderFree(reader);
		make_reader(conn);
	}
}

/* ---- Silence ---- */

static uint64_t silence_ms(const struct redis_conn *conn)
{
	struct redis_command *next = LIST_ENTRY(list_first(&conn->due), struct redis_command, link);
	uint64_t ms = conn->redis->options.response_ms;
	ms += next->wait_replicas > 0 ? next->wait_ms : 0;
	return next->is_blocking ? ms + next->block_ms : ms;
}

static void on_timer(uv_timer_t *timer);

void redis_conn_set_timer(struct redis_conn *conn, uint64_t at_ms)
{
	uint64_t now_ms = uv_now(conn->redis->loop);
	conn->timer_ms = at_ms;
	uv_timer_start(&conn->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

/* Something was heard, or is awaited from now on. */
static void expect_answer(struct redis_conn *conn)
{
	conn->heard_ms = uv_now(conn->redis->loop);
	conn->is_doubtful = false;
	conn->unwritten = conn->socket->stream.stream.write_queue_size;
	if (list_is_empty(&conn->due)) {
		return;
	}
	/* One that goes off too early looks again by itself. */
	uint64_t at_ms = conn->heard_ms + silence_ms(conn);
	if (!uv_is_active((uv_handle_t *)&conn->timer) || at_ms < conn->timer_ms) {
		redis_conn_set_timer(conn, at_ms);
	}
}

static void check_silence(struct redis_conn *conn)
{
	if (list_is_empty(&conn->due)) {
		return;
	}
	uint64_t now_ms = uv_now(conn->redis->loop);
	uint64_t allowed_ms = silence_ms(conn);
	size_t unwritten = conn->socket->stream.stream.write_queue_size;
	if (unwritten < conn->unwritten) {
		/* It still takes what is sent, so it is no less alive than one that answers. */
		conn->heard_ms = now_ms;
		conn->unwritten = unwritten;
	}
	if (now_ms < conn->heard_ms + allowed_ms) {
		conn->is_doubtful = false;
		redis_conn_set_timer(conn, conn->heard_ms + allowed_ms);
	} else if (!conn->is_doubtful) {
		/* If it was us who were held up, the answer is there to be read. */
		conn->is_doubtful = true;
		redis_conn_set_timer(conn, now_ms + DOUBT_MS);
	} else {
		redis_conn_lose(conn,
				redis_text_printf("%s has not answered for %g s", conn->node->address,
						(double)allowed_ms / 1000));
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct redis_conn *conn = timer->data;
	if (conn->state == REDIS_CONN_READY) {
		check_silence(conn);
	} else if (conn->state == REDIS_CONN_NEW) {
		redis_conn_set_timer(conn, conn->usable_by_ms);
		redis_connect(conn);
	} else if (conn->state != REDIS_CONN_CLOSED) {
		redis_connect_expire(conn);
	}
}

/* ---- Beginning and end ---- */

struct redis_conn *redis_conn_open(struct redis_node *node)
{
	struct redis *redis = node->redis;
	struct redis_conn *conn = memory_zalloc(1, sizeof(*conn));
	conn->redis = redis;
	conn->node = node;
	redis->open_parts++;
	make_reader(conn);
	list_init(&conn->unsent);
	list_init(&conn->due);
	list_init(&conn->write_link);
	uv_timer_init(redis->loop, &conn->timer);
	conn->timer.data = conn;
	conn->open_parts = 1;
	conn->usable_by_ms = uv_now(redis->loop) + redis->options.connect_ms;
	redis_conn_set_timer(conn, 0);
	return conn;
}

void redis_conn_part_closed(struct redis_conn *conn)
{
	if (--conn->open_parts > 0) {
		return;
	}
	struct redis *redis = conn->redis;
	redisReaderFree(conn->reader);
	if (conn->tls != NULL) {
		tls_outgoing_destroy(conn->tls);
	}
	free(conn);
	redis_part_closed(redis);
}

static void on_timer_closed(uv_handle_t *handle)
{
	redis_conn_part_closed(handle->data);
}

void redis_conn_lose(struct redis_conn *conn, struct redis_text *why)
{
	if (conn->state == REDIS_CONN_CLOSED) {
		redis_text_unref(why);
		return;
	}
	conn->state = REDIS_CONN_CLOSED;
	list_remove(&conn->write_link);
	redis_fail_all(conn->redis, &conn->due, why);
	redis_fail_all(conn->redis, &conn->unsent, why);
	redis_connect_close(conn);
	uv_close((uv_handle_t *)&conn->timer, on_timer_closed);
	redis_node_on_lost(conn->node, why);
	redis_text_unref(why);
}

/* ---- Commands ---- */

void redis_conn_send(struct redis_conn *conn, struct redis_command *command)
{
	list_append(&conn->unsent, &command->link);
	if (list_is_empty(&conn->write_link)) {
		list_append(&conn->redis->writers, &conn->write_link);
		turn_arm(&conn->redis->turn);
	}
}

bool redis_conn_is_busy(const struct redis_conn *conn)
{
	return !list_is_empty(&conn->due) || !list_is_empty(&conn->unsent);
}

/* Some of what is to be sent, each with ASKING before it where that is needed. */
static size_t take_texts(struct redis_conn *conn, struct redis_text *texts[static WRITE_TEXTS])
{
	size_t count = 0;
	uint64_t now_ns = clock_monotonic_ns();
	LIST_EACH (link, &conn->unsent) {
		struct redis_command *command = LIST_ENTRY(link, struct redis_command, link);
		if (count + 2 > WRITE_TEXTS) {
			break;
		}
		if (command->is_asking) {
			texts[count++] = redis_text_ref(conn->redis->asking);
		}
		texts[count++] = redis_text_ref(command->text);
		command->sent_ns = now_ns;
		list_remove(link);
		list_append(&conn->due, link);
	}
	return count;
}

/* In place of all of them, one that is sealed. */
static size_t seal(struct redis_conn *conn, struct redis_text **texts, size_t count)
{
	struct redis_text *sealed = redis_secure_seal(conn, texts, count);
	for (size_t i = 0; i < count; i++) {
		redis_text_unref(texts[i]);
	}
	texts[0] = sealed;
	return sealed != NULL;
}

void redis_conn_flush(struct redis_conn *conn)
{
	list_remove(&conn->write_link);
	bool was_idle = list_is_empty(&conn->due);
	while (conn->state != REDIS_CONN_CLOSED && !list_is_empty(&conn->unsent)) {
		struct redis_text *texts[WRITE_TEXTS];
		size_t count = take_texts(conn, texts);
		if (conn->tls != NULL) {
			count = seal(conn, texts, count);
		}
		redis_connect_write(conn, texts, count);
	}
	if (was_idle && conn->state == REDIS_CONN_READY) {
		expect_answer(conn);
	}
}

/* ---- Answers ---- */

/* How long one that blocks took says nothing. */
static void count_answer(struct redis *redis, const struct redis_command *command)
{
	if (!command->is_blocking) {
		redis->stats.answers++;
		redis->stats.answer_seconds += (double)(clock_monotonic_ns() - command->sent_ns) / 1e9;
	}
}

static void finish_command(struct redis_conn *conn, struct redis_command *command,
		struct redisReply *reply, struct redisReply *wait_reply)
{
	int64_t confirmed = 0;
	if (wait_reply != NULL && wait_reply->type == REDIS_REPLY_INTEGER) {
		confirmed = wait_reply->integer;
	}
	count_answer(conn->redis, command);
	command->held = NULL;
	list_remove(&command->link);
	redis_answer(conn, command, reply, confirmed);
	freeReplyObject(reply);
	freeReplyObject(wait_reply);
}

static void take_reply(struct redis_conn *conn, struct redisReply *reply)
{
	struct list *first = list_first(&conn->due);
	if (first == NULL) {
		freeReplyObject(reply);
		redis_conn_lose(
				conn, redis_text_printf("%s answers what nobody asked", conn->node->address));
		return;
	}
	struct redis_command *command = LIST_ENTRY(first, struct redis_command, link);
	if (command->is_asking) {
		/* Whether it is let in, the answer to the command itself will tell. */
		command->is_asking = false;
		freeReplyObject(reply);
	} else if (command->wait_replicas > 0 && command->held == NULL) {
		command->held = reply;
	} else if (command->held != NULL) {
		finish_command(conn, command, command->held, reply);
	} else {
		finish_command(conn, command, reply, NULL);
	}
}

static void lose_for_garbage(struct redis_conn *conn)
{
	const char *what = conn->is_oversized ? "an answer of too many parts" : conn->reader->errstr;
	redis_conn_lose(conn,
			redis_text_printf(
					"%s answers what is not Redis' protocol: %s", conn->node->address, what));
}

static void take_replies(struct redis_conn *conn)
{
	while (conn->state != REDIS_CONN_CLOSED) {
		void *reply = NULL;
		if (redisReaderGetReply(conn->reader, &reply) != REDIS_OK) {
			lose_for_garbage(conn);
			return;
		}
		if (reply == NULL) {
			break;
		}
		conn->reply_bytes = conn->reader->len - conn->reader->pos;
		take_reply(conn, reply);
	}
}

void redis_conn_take(struct redis_conn *conn, struct slice bytes)
{
	conn->redis->stats.bytes_received += bytes.len;
	conn->reply_bytes += bytes.len;
	if (redisReaderFeed(conn->reader, bytes.ptr, bytes.len) != REDIS_OK) {
		lose_for_garbage(conn);
		return;
	}
	take_replies(conn);
	if (conn->state == REDIS_CONN_CLOSED) {
		return;
	}
	if (conn->reply_bytes > REPLY_BYTES_MAX) {
		redis_conn_lose(
				conn, redis_text_printf("%s answers more than 1 GiB at once", conn->node->address));
		return;
	}
	shrink_reader(conn);
	if (conn->state == REDIS_CONN_READY) {
		expect_answer(conn);
	}
}

void redis_conn_begin(struct redis_conn *conn)
{
	conn->state = REDIS_CONN_GREETING;
	conn->redis->stats.connections++;
	redis_greet(conn);
}
