#include "targets/storage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "targets/storage_parts.h"

enum { RETRY_MS_MIN = 100 };

/* ---- Trying again ---- */

/* Between half of it and all of it, so that many weirs do not come all at once. */
static uint64_t jitter(struct storage *storage, uint64_t whole)
{
	storage->random ^= storage->random << 13;
	storage->random ^= storage->random >> 7;
	storage->random ^= storage->random << 17;
	return whole / 2 + storage->random % (whole - whole / 2 + 1);
}

static uint64_t backoff_ms(struct storage *storage)
{
	uint64_t most = storage->options.retry_ms_max;
	uint64_t whole = RETRY_MS_MIN;
	for (unsigned i = 1; i < storage->failures && whole < most; i++) {
		whole *= 2;
	}
	return jitter(storage, whole < most ? whole : most);
}

/* Whatever is under way is given up when the backend is closed. */
static void close_backend(struct storage *storage)
{
	if (storage->state < STORAGE_ENDING) {
		storage->state = STORAGE_ENDING;
		storage->backend->type->close(storage->backend);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct storage *storage = timer->data;
	if (storage->is_closing) {
		close_backend(storage);
	} else {
		storage->state = STORAGE_CONNECTING;
		storage->backend->type->connect(storage->backend);
	}
}

/* ---- What the backend tells ---- */

void storage_on_connected(struct storage *storage)
{
	storage->state = STORAGE_CONNECTED;
	storage->wants_reading = true;
	turn_arm(&storage->turn);
}

/* One that is lost as soon as it is there is no better than one that never was. */
static void count_failure(struct storage *storage)
{
	bool was_good = storage->is_usable
			&& uv_now(storage->loop) - storage->usable_ms >= storage->options.retry_ms_max;
	storage->failures = was_good ? 1 : storage->failures + 1;
}

void storage_tell_away(struct storage *storage, struct slice why)
{
	if (!storage->is_told_away && !storage->is_closing) {
		storage->is_told_away = true;
		storage->stats.outages++;
		if (storage->stats.seen_ns != 0) {
			storage->stats.seen_ns = clock_wall_ns();
		}
		storage->events.on_away(storage->events.data, why);
	}
}

void storage_tell_back(struct storage *storage)
{
	if (storage->is_told_away && !storage->is_closing) {
		storage->is_told_away = false;
		storage->events.on_back(storage->events.data);
	}
}

void storage_on_lost(struct storage *storage, struct slice why)
{
	if (storage->state >= STORAGE_UNUSABLE) {
		return;
	}
	count_failure(storage);
	storage->state = STORAGE_RESTING;
	storage_tasks_give_up(storage, why);
	if (!storage->is_closing) {
		uv_timer_start(&storage->timer, on_timer, backoff_ms(storage), 0);
	}
	turn_arm(&storage->turn);
	storage_tell_away(storage, why);
}

void storage_on_unusable(struct storage *storage, struct slice why)
{
	storage->state = STORAGE_UNUSABLE;
	storage_tasks_give_up(storage, why);
	turn_arm(&storage->turn);
	if (!storage->is_closing) {
		storage->events.on_unusable(storage->events.data, why);
	}
}

void storage_on_done(struct storage *storage, struct storage_task *task)
{
	storage_tasks_take(storage);
	turn_arm(&storage->turn);
}

void storage_on_notice(struct storage *storage, struct slice id)
{
	storage_notice(storage, id);
	turn_arm(&storage->turn);
}

/* ---- The end of it ---- */

static void release(struct storage *storage)
{
	if (--storage->open_handles > 0) {
		return;
	}
	arena_finish(&storage->task.arena);
	buf_finish(&storage->after);
	buf_finish(&storage->after_replica);
	buf_finish(&storage->mark);
	buf_finish(&storage->next_mark);
	struct storage_events events = storage->events;
	free(storage->url);
	free(storage->password);
	free(storage->replica);
	free(storage);
	events.on_closed(events.data);
}

static void on_turn_closed(void *data)
{
	release(data);
}

static void on_timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void storage_on_backend_closed(struct storage *storage)
{
	storage->state = STORAGE_ENDED;
	storage_tasks_give_up(storage, SLICE("weir ends"));
	turn_arm(&storage->turn);
}

/* Of one that closes: nothing is left that could still be carried out, or be told. */
static void end(struct storage *storage)
{
	close_backend(storage);
	if (storage->state == STORAGE_ENDED) {
		turn_close(&storage->turn, on_turn_closed);
		uv_close((uv_handle_t *)&storage->timer, on_timer_closed);
	}
}

void storage_close(struct storage *storage)
{
	if (storage->is_closing) {
		return;
	}
	storage->is_closing = true;
	storage->wants_reading = false;
	if (!storage->is_usable) {
		storage_tasks_give_up(storage, SLICE("weir ends"));
	}
	uv_timer_stop(&storage->timer);
	uv_timer_start(&storage->timer, on_timer, storage->options.close_ms, 0);
	turn_arm(&storage->turn);
}

/* ---- The beginning ---- */

static bool on_turn(void *data)
{
	struct storage *storage = data;
	if (storage_tasks_advance(storage)) {
		return true;
	}
	bool has_work = storage->is_usable && (storage->is_running || !list_is_empty(&storage->ops));
	if (storage->is_closing && !has_work) {
		end(storage);
	}
	return false;
}

static void copy_options(struct storage *storage, const struct storage_options *options)
{
	bool is_sqlite = options->sqlite_path != NULL;
	storage->options = *options;
	storage->url = memory_copy_string(is_sqlite ? options->sqlite_path : options->postgres_url);
	storage->options.sqlite_path = is_sqlite ? storage->url : NULL;
	storage->options.postgres_url = is_sqlite ? NULL : storage->url;
	storage->replica = memory_copy_string(options->replica);
	storage->options.replica = storage->replica;
	if (options->password != NULL) {
		storage->password = memory_copy_string(options->password);
		storage->options.password = storage->password;
	}
}

struct storage *storage_open(
		const struct storage_options *options, uv_loop_t *loop, const struct storage_events *events)
{
	struct storage *storage = memory_zalloc(1, sizeof(*storage));
	copy_options(storage, options);
	storage->events = *events;
	storage->loop = loop;
	list_init(&storage->ops);
	list_init(&storage->failed);
	list_init(&storage->notices);
	list_init(&storage->asked);
	arena_init(&storage->task.arena);
	buf_init(&storage->after, 0);
	buf_init(&storage->after_replica, 0);
	buf_init(&storage->mark, 0);
	buf_init(&storage->next_mark, 0);
	uv_random(NULL, NULL, &storage->random, sizeof(storage->random), 0, NULL);
	storage->random |= 1; /* zero would stay zero */
	storage->backend = options->sqlite_path != NULL
			? storage_sqlite_create(&storage->options, loop, storage)
			: storage_postgres_create(&storage->options, loop, storage);
	storage->open_handles = 2;
	turn_open(&storage->turn, loop, on_turn, storage);
	uv_timer_init(loop, &storage->timer);
	storage->timer.data = storage;
	uv_timer_start(&storage->timer, on_timer, 0, 0);
	return storage;
}

/* ---- Operations ---- */

bool storage_is_usable(const struct storage *storage)
{
	return storage->is_usable && !storage->is_closing;
}

void storage_send(struct storage *storage, struct storage_op *op)
{
	storage->stats.waiting++;
	if (storage_is_usable(storage)) {
		list_append(&storage->ops, &op->link);
	} else {
		storage_op_note(op, 0, op->count, STORAGE_FAILED, SLICE("the database is away"));
		list_append(&storage->failed, &op->link);
	}
	turn_arm(&storage->turn);
}

void storage_collect(const struct storage *storage, struct storage_stats *ret_stats)
{
	*ret_stats = storage->stats;
	ret_stats->is_usable = storage_is_usable(storage) && storage->stuck == 0;
	if (storage->state == STORAGE_CONNECTED) {
		ret_stats->connections = storage->backend->type->connections;
	}
}
