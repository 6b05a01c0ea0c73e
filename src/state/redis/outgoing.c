#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "state/change_set.h"
#include "state/redis/join.h"
#include "state/redis/operation.h"
#include "state/redis/parts.h"
#include "state/redis/reply.h"
#include "state/redis/sweep.h"
#include "state/redis/version.h"

/*
 * A batch is what is sent of one partition in one go: one call of the script.
 *
 *     gathered --take--> operations, whose families are held --encode--> text
 *     --send--> Redis --answer--> stored, or to be sent again
 */

enum {
	TAKE_COUNT = 512,         /* groups in one batch */
	TAKE_BYTES = 1024 * 1024, /* of their families, about; one group may have more */
	ENCODE_BYTES = 32 * 1024, /* more are encoded on another thread */
	PACKED_LEVEL = 1,
	OTHER_CLOCK_US = 10000, /* that an answer waits for a clock that was set back */
	SPIN_US = 1500,         /* before an answer is due, there is no sleep */
};

struct outgoing {
	struct redis_command command;
	struct partition *partition;
	struct change_set *set;
	struct list operations; // operation::link
	size_t count;
	uint64_t number; /* with it, all changes of the store up to there are stored */
	uint64_t wipe;
	uint64_t sent_ns;
	struct buf text; /* all names and changes */
	struct join_pair *pairs;
	uv_work_t work;
	bool is_script_sent;

	/* See on_answer(). */
	struct list early;
	uint64_t top;        /* the latest version in it */
	uint64_t settled_ns; /* when it may be settled; monotonic */
	char *answers;       /* owned, as many as there are operations */
};

/* ---- Taking ---- */

static void add(struct outgoing *outgoing, struct operation *op)
{
	const struct shared_head *head = &op->head;
	uint64_t top = version_later(version_later(head->floor, head->push), head->failure);
	outgoing->top = version_later(outgoing->top, top);
	list_append(&outgoing->operations, &op->link);
	outgoing->count++;
}

/* Up to there all changes of the partition are taken. */
static uint64_t number_behind(const struct partition *partition)
{
	uint64_t number = partition->state->store->changed;
	LIST_EACH (link, &partition->dirty) {
		const struct shared_group *shared = LIST_ENTRY(link, struct shared_group, dirty);
		uint64_t before = shared->number > 0 ? shared->number - 1 : 0;
		number = before < number ? before : number;
	}
	return number;
}

static struct outgoing *take(struct partition *partition)
{
	struct outgoing *outgoing = memory_zalloc(1, sizeof(*outgoing));
	outgoing->partition = partition;
	outgoing->set = change_set_create();
	list_init(&outgoing->operations);
	list_init(&outgoing->early);
	buf_init(&outgoing->text, 0);
	outgoing->wipe = partition->wipe;
	outgoing->top = partition->wipe;
	LIST_EACH (link, &partition->dirty) {
		struct shared_group *shared = LIST_ENTRY(link, struct shared_group, dirty);
		if (outgoing->count >= TAKE_COUNT || outgoing->set->bytes >= TAKE_BYTES) {
			break;
		}
		/* A change that is made in slices is seen in full or not at all. */
		if (shared->group == NULL || !shared->group->is_busy) {
			add(outgoing, operation_make(outgoing->set, shared));
		}
	}
	outgoing->number = number_behind(partition);
	return outgoing;
}

static void destroy(struct outgoing *outgoing)
{
	list_remove(&outgoing->early);
	free(outgoing->answers);
	change_set_destroy(outgoing->set, outgoing->partition->state->store);
	buf_finish(&outgoing->text);
	free(outgoing->pairs);
	free(outgoing);
}

/* ---- Encoding: on any thread ---- */

static void encode(struct outgoing *outgoing)
{
	struct partition *partition = outgoing->partition;
	if (partition->zstd == NULL) {
		partition->zstd = ZSTD_createCCtx();
		ZSTD_CCtx_setParameter(partition->zstd, ZSTD_c_compressionLevel, PACKED_LEVEL);
	}
	struct buf scratch;
	buf_init(&scratch, 0);
	size_t i = 0;
	outgoing->pairs = memory_alloc((outgoing->count + 1) * sizeof(*outgoing->pairs));
	LIST_EACH (link, &outgoing->operations) {
		operation_write(LIST_ENTRY(link, struct operation, link), partition->key_prefix,
				&outgoing->text, &scratch, partition->zstd, &outgoing->pairs[i++]);
	}
	buf_finish(&scratch);
	/* It stays where it is now. */
	const char *at = outgoing->text.ptr;
	for (i = 0; i < outgoing->count; i++) {
		outgoing->pairs[i].key.ptr = at;
		outgoing->pairs[i].change.ptr = at + outgoing->pairs[i].key.len;
		at = outgoing->pairs[i].change.ptr + outgoing->pairs[i].change.len;
	}
}

/* ---- Answers ---- */

/* False: that is no answer of the script. *ret_us: the time that it says. */
static bool read_answers(
		struct outgoing *outgoing, const struct redis_result *result, uint64_t *ret_us)
{
	const struct redisReply *reply = result->reply;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
		return false;
	}
	struct slice answers = reply_text(reply->element[2]);
	if (answers.len != outgoing->count) {
		return false;
	}
	outgoing->answers = memory_alloc(answers.len + 1);
	memcpy(outgoing->answers, answers.ptr, answers.len);
	*ret_us = reply_time_us(reply->element[0], reply->element[1]);
	shared_clock_learn(&outgoing->partition->state->clock, *ret_us, outgoing->command.sent_ns);
	return true;
}

static void settle(struct outgoing *outgoing)
{
	struct partition *partition = outgoing->partition;
	struct redis_state *state = partition->state;
	size_t i = 0;
	LIST_EACH (link, &outgoing->operations) {
		operation_settle(LIST_ENTRY(link, struct operation, link), outgoing->answers[i++] == '1');
	}
	if (outgoing->wipe != 0 && partition->wipe == outgoing->wipe) {
		partition->wipe = 0;
		sweep_begin(partition);
	}
	double seconds = (double)(clock_monotonic_ns() - outgoing->sent_ns) / 1e9;
	state->stats.last_commit_ns = clock_wall_ns();
	state->events.on_commit(state->events.data, outgoing->count + (outgoing->wipe != 0), seconds);
	partition_succeed(partition);
	partition_tell_durable(partition, outgoing->number);
}

static void give_back(struct outgoing *outgoing)
{
	LIST_EACH (link, &outgoing->operations) {
		operation_give_back(LIST_ENTRY(link, struct operation, link));
	}
}

static void send_batch(struct outgoing *outgoing, bool is_script_sent);

static void end(struct outgoing *outgoing, const char *why)
{
	struct partition *partition = outgoing->partition;
	struct redis_state *state = partition->state;
	partition->outgoing = NULL;
	state->batches--;
	if (why == NULL) {
		settle(outgoing);
	} else {
		give_back(outgoing);
		state->stats.failures++;
		partition_fail(partition, why);
	}
	destroy(outgoing);
	shared_groups_tidy(state);
	outgoing_arm(state);
}

static bool is_of_another_epoch(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 1;
}

/* Redis has lost what it had: when it is known what it has instead, all is sent again. */
static void end_of_epoch(struct outgoing *outgoing)
{
	struct partition *partition = outgoing->partition;
	partition->outgoing = NULL;
	partition->state->batches--;
	give_back(outgoing);
	partition->is_doubtful = true;
	partition_greet(partition);
	destroy(outgoing);
	shared_groups_tidy(partition->state);
}

/*
 * A version may be ahead of Redis' clock: a little, or by as much as it took to ask Redis when that
 * was slow. Whoever gets the answer may push again, to any replica, and has to get a later one; so
 * the answer is given when Redis' clock is there. Further ahead than a question can take, it is
 * another clock by now, and versions rise by what weirs hear of each other.
 */
static uint64_t due_ns(const struct redis_state *state, uint64_t ahead_us)
{
	uint64_t most_us = state->options.redis.response_ms * 1000;
	uint64_t wait_us = ahead_us <= most_us ? ahead_us : OTHER_CLOCK_US;
	return clock_monotonic_ns() + wait_us * 1000;
}

static void settle_in_time(struct outgoing *outgoing, uint64_t redis_us)
{
	struct redis_state *state = outgoing->partition->state;
	uint64_t top_us = version_us(outgoing->top);
	if (top_us <= redis_us) {
		end(outgoing, NULL);
		return;
	}
	outgoing->settled_ns = due_ns(state, top_us - redis_us);
	list_append(&state->early, &outgoing->early);
	outgoing_arm(state);
}

/* The first of those that are early yet; 0: none is. */
static uint64_t settle_early(struct redis_state *state)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t first_ns = 0;
	LIST_EACH (link, &state->early) {
		struct outgoing *outgoing = LIST_ENTRY(link, struct outgoing, early);
		if (outgoing->settled_ns <= now_ns) {
			end(outgoing, NULL);
		} else if (first_ns == 0 || outgoing->settled_ns < first_ns) {
			first_ns = outgoing->settled_ns;
		}
	}
	return first_ns;
}

static void on_answer(struct redis_command *command, const struct redis_result *result)
{
	struct outgoing *outgoing = LIST_ENTRY(command, struct outgoing, command);
	const struct redis_state *state = outgoing->partition->state;
	const char *why = reply_fault(result);
	char text[128];
	uint64_t redis_us = 0;
	bool is_unknown = why != NULL && result->reply != NULL && strncmp(why, "NOSCRIPT", 8) == 0;
	if (is_unknown && !outgoing->is_script_sent) {
		send_batch(outgoing, true);
		return;
	}
	if (why == NULL && is_of_another_epoch(result->reply)) {
		end_of_epoch(outgoing);
		return;
	}
	if (why == NULL && !read_answers(outgoing, result, &redis_us)) {
		why = "it answers what weir does not understand";
	}
	if (why == NULL && result->confirmed < (int64_t)state->options.wait_replicas) {
		snprintf(text, sizeof(text), "%lld of %u replicas of Redis have confirmed it",
				(long long)result->confirmed, state->options.wait_replicas);
		why = text;
	}
	if (why == NULL) {
		settle_in_time(outgoing, redis_us);
	} else {
		end(outgoing, why);
	}
}

/* ---- Sending ---- */

static void send_batch(struct outgoing *outgoing, bool is_script_sent)
{
	outgoing->is_script_sent = is_script_sent;
	outgoing->sent_ns = clock_monotonic_ns();
	(is_script_sent ? join_send_whole : join_send)(outgoing->partition, &outgoing->command,
			outgoing->pairs, outgoing->count, outgoing->wipe);
}

static void on_work(uv_work_t *work)
{
	encode(work->data);
}

static void on_encoded(uv_work_t *work, int status)
{
	send_batch(work->data, false);
}

static void begin(struct partition *partition)
{
	struct redis_state *state = partition->state;
	struct outgoing *outgoing = take(partition);
	if (outgoing->count == 0 && outgoing->wipe == 0) {
		destroy(outgoing);
		return;
	}
	partition->outgoing = outgoing;
	state->batches++;
	outgoing->command.done = on_answer;
	outgoing->command.slot = partition->slot;
	outgoing->command.wait_replicas = state->options.wait_replicas;
	outgoing->command.wait_ms = (unsigned)state->options.wait_ms;
	outgoing->work.data = outgoing;
	if (outgoing->set->bytes > ENCODE_BYTES) {
		uv_queue_work(state->loop, &outgoing->work, on_work, on_encoded);
	} else {
		encode(outgoing);
		send_batch(outgoing, false);
	}
}

static bool can_send(const struct partition *partition)
{
	return partition->outgoing == NULL && (!partition->is_away || partition->is_probed)
			&& !partition->is_doubtful && partition->epoch[0] != '\0'
			&& partition_is_dirty(partition);
}

/*
 * As settle_in_time(), for what is taken without Redis: up to which of the store's changes it is to
 * be told. All that there is at a time is due together, or what comes meanwhile would put it off
 * again.
 */
static uint64_t accepted_number(struct redis_state *state)
{
	if (state->told_next_ns > clock_monotonic_ns()) {
		return state->told;
	}
	state->told = state->told_next;
	state->told_next = state->store->changed;
	uint64_t until_us = shared_clock_until_us(&state->clock, state->clock.last);
	bool is_early = state->told < state->told_next && until_us > 0;
	state->told_next_ns = is_early ? due_ns(state, until_us) : 0;
	if (!is_early) {
		state->told = state->told_next;
	}
	return state->told;
}

/* Nothing that was changed in the store has still to be sent. */
static void tell_rest(struct redis_state *state)
{
	for (size_t i = 0; i < PARTITIONS; i++) {
		struct partition *partition = &state->partitions[i];
		bool is_stored = partition->outgoing == NULL && !partition_is_dirty(partition);
		if (is_stored) {
			partition_tell_durable(partition, state->store->changed);
		} else if (partition->is_away && state->options.accepts_outages) {
			partition_tell_durable(partition, accepted_number(state));
		} else if (partition->is_away && !partition->is_probed && partition->outgoing == NULL) {
			partition_fail(partition, state->why);
		}
	}
}

static void on_due(uv_timer_t *timer)
{
	struct redis_state *state = timer->data;
	turn_arm(&state->turn);
}

/* True: it goes on on the next turn; else when the time has come. */
static bool wait_for_due(struct redis_state *state, uint64_t first_ns)
{
	if (state->told_next_ns != 0 && (first_ns == 0 || state->told_next_ns < first_ns)) {
		first_ns = state->told_next_ns;
	}
	if (first_ns == 0) {
		return false;
	}
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t wait_us = first_ns > now_ns ? (first_ns - now_ns) / 1000 : 0;
	if (wait_us <= SPIN_US) {
		return true;
	}
	uv_timer_start(&state->early_timer, on_due, wait_us / 1000, 0);
	return false;
}

bool outgoing_send_all(struct redis_state *state)
{
	uint64_t first_ns = settle_early(state);
	if (!state->is_subscribed || state->is_held || state->is_closing) {
		return wait_for_due(state, first_ns);
	}
	/* Each gathers while its own batch is under way; to wait for the others leaves Redis idle. */
	for (size_t i = 0; i < PARTITIONS; i++) {
		if (can_send(&state->partitions[i])) {
			begin(&state->partitions[i]);
		}
	}
	tell_rest(state);
	return wait_for_due(state, first_ns);
}

void outgoing_arm(struct redis_state *state)
{
	if (state->is_subscribed && !state->is_held) {
		turn_arm(&state->turn);
	}
}
