#pragma once

/*
 * A storage of targets on a loop of its own, and everything it tells.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "check.h"
#include "targets/storage.h"

enum {
	PATIENCE_S = 60, /* for what comes at last, on a machine that is busy with other things */
	TICK_MS = 2,
	KEPT_MAX = 20000, /* rows and faults */
	TOLD_BYTES = 1024,
};

static const int64_t test_time_ns = 1764258704123456000; /* 2025-11-27 15:51:44.123456 */

struct fault {
	struct slice id;
	struct slice why;
};

struct rig {
	uv_loop_t loop;
	uv_timer_t ticker; /* so that the loop comes back to look at the time */
	struct storage *storage;
	struct storage_options options;
	struct arena arena;
	/* Of the last reading. */
	struct storage_target *targets;
	size_t target_count;
	struct storage_seen *seen;
	size_t seen_count;
	/* Ever. */
	struct storage_target *changed;
	size_t changed_count;
	struct slice *deleted;
	size_t deleted_count;
	struct fault *faults;
	size_t fault_count;
	int readings;
	int loaded;
	int looked;
	int away;
	int back;
	int unusable;
	char why[TOLD_BYTES]; /* it is away, or cannot be used */
	bool is_closed;
};

/* ---- What it tells ---- */

static inline void on_reading(void *data)
{
	struct rig *rig = data;
	rig->readings++;
	rig->target_count = 0;
	rig->seen_count = 0;
}

static inline void on_target(void *data, const struct storage_target *row)
{
	struct rig *rig = data;
	rig->targets[rig->target_count++] = storage_target_copy(row, &rig->arena);
}

static inline void on_seen(void *data, const struct storage_seen *row)
{
	struct rig *rig = data;
	rig->seen[rig->seen_count++] = storage_seen_copy(row, &rig->arena);
}

static inline void on_loaded(void *data)
{
	struct rig *rig = data;
	rig->loaded++;
}

static inline void on_looked(void *data)
{
	struct rig *rig = data;
	rig->looked++;
}

static inline void on_changed(void *data, const struct storage_target *row)
{
	struct rig *rig = data;
	rig->changed[rig->changed_count++] = storage_target_copy(row, &rig->arena);
}

static inline void on_deleted(void *data, struct slice id)
{
	struct rig *rig = data;
	rig->deleted[rig->deleted_count++] = arena_copy(&rig->arena, id);
}

static inline void on_fault(void *data, struct slice id, struct slice why)
{
	struct rig *rig = data;
	rig->faults[rig->fault_count++] =
			(struct fault){ arena_copy(&rig->arena, id), arena_copy(&rig->arena, why) };
}

static inline void on_away(void *data, struct slice why)
{
	struct rig *rig = data;
	rig->away++;
	snprintf(rig->why, TOLD_BYTES, SLICE_FMT, SLICE_ARG(why));
}

static inline void on_back(void *data)
{
	struct rig *rig = data;
	rig->back++;
	CHECK(storage_is_usable(rig->storage));
}

static inline void on_unusable(void *data, struct slice why)
{
	struct rig *rig = data;
	rig->unusable++;
	snprintf(rig->why, TOLD_BYTES, SLICE_FMT, SLICE_ARG(why));
}

static inline void on_closed(void *data)
{
	struct rig *rig = data;
	rig->is_closed = true;
	uv_close((uv_handle_t *)&rig->ticker, NULL);
}

static inline void on_tick(uv_timer_t *timer)
{
}

/* ---- Its life ---- */

static inline void rig_init(struct rig *rig)
{
	*rig = (struct rig){ .options = { .replica = "rig",
								 .connect_ms = 10000,
								 .response_ms = 20000,
								 .retry_ms_max = 200,
								 .close_ms = 20000 } };
	arena_init(&rig->arena);
	rig->targets = memory_zalloc(KEPT_MAX, sizeof(*rig->targets));
	rig->seen = memory_zalloc(KEPT_MAX, sizeof(*rig->seen));
	rig->changed = memory_zalloc(KEPT_MAX, sizeof(*rig->changed));
	rig->deleted = memory_zalloc(KEPT_MAX, sizeof(*rig->deleted));
	rig->faults = memory_zalloc(KEPT_MAX, sizeof(*rig->faults));
}

static inline void rig_open(struct rig *rig)
{
	const struct storage_events events = {
		.on_reading = on_reading,
		.on_target = on_target,
		.on_seen = on_seen,
		.on_loaded = on_loaded,
		.on_looked = on_looked,
		.on_changed = on_changed,
		.on_deleted = on_deleted,
		.on_fault = on_fault,
		.on_away = on_away,
		.on_back = on_back,
		.on_unusable = on_unusable,
		.on_closed = on_closed,
		.data = rig,
	};
	uv_loop_init(&rig->loop);
	uv_timer_init(&rig->loop, &rig->ticker);
	uv_timer_start(&rig->ticker, on_tick, TICK_MS, TICK_MS);
	rig->storage = storage_open(&rig->options, &rig->loop, &events);
}

/* Runs the loop until the condition holds. When it never does, there is no use in going on. */
#define RIG_AWAIT(rig, condition)                                                                  \
	do {                                                                                           \
		uint64_t await_end_ns = clock_monotonic_ns() + PATIENCE_S * (uint64_t)1000000000;          \
		while (!(condition)) {                                                                     \
			uv_run(&(rig)->loop, UV_RUN_ONCE);                                                     \
			if (clock_monotonic_ns() > await_end_ns) {                                             \
				fprintf(stderr, "%s:%d: never: %s (%s)\n", __FILE__, __LINE__, #condition,         \
						(rig)->why);                                                               \
				exit(1);                                                                           \
			}                                                                                      \
		}                                                                                          \
	} while (0)

static inline void rig_finish(struct rig *rig)
{
	arena_finish(&rig->arena);
	free(rig->targets);
	free(rig->seen);
	free(rig->changed);
	free(rig->deleted);
	free(rig->faults);
}

static inline void rig_close(struct rig *rig)
{
	storage_close(rig->storage);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	CHECK(rig->is_closed);
	CHECK_INT(uv_loop_close(&rig->loop), 0);
	rig_finish(rig);
}

/* ---- Operations ---- */

/* What came of one. */
struct result {
	bool is_done;
	enum storage_result result;
	char why[TOLD_BYTES];
	size_t count;
	struct storage_outcome outcomes[KEPT_MAX];
};

static inline void on_done(struct storage_op *op)
{
	struct result *result = op->data;
	CHECK(!result->is_done);
	result->is_done = true;
	result->result = op->result;
	result->count = op->count;
	snprintf(result->why, TOLD_BYTES, SLICE_FMT, SLICE_ARG(op->why));
	memcpy(result->outcomes, op->outcomes, op->count * sizeof(*op->outcomes));
}

static inline struct storage_op *op_of(enum storage_kind kind, struct result *result)
{
	*result = (struct result){ 0 };
	return storage_op_create(kind, on_done, result);
}

static inline void run_op(struct rig *rig, struct storage_op *op)
{
	struct result *result = op->data;
	storage_send(rig->storage, op);
	CHECK(!result->is_done);
	RIG_AWAIT(rig, result->is_done);
}

static inline struct storage_target target_of(const char *id)
{
	return (struct storage_target){
		.id = slice_of_string(id),
		.job = SLICE("backup"),
		.instance = SLICE("db1"),
		.labels = SLICE("{\"job\":\"backup\",\"instance\":\"db1\"}"),
		.mode = SLICE("push"),
		.attributes = SLICE("{}"),
		.thresholds = SLICE("[]"),
		.is_enabled = true,
	};
}

static inline struct storage_seen seen_of(const char *id, const char *replica)
{
	return (struct storage_seen){
		.target_id = slice_of_string(id),
		.replica = slice_of_string(replica),
		.first_seen_ns = test_time_ns,
		.last_seen_ns = test_time_ns + 1000,
		.pushes = 7,
		.format = SLICE("text"),
		.source = SLICE("10.0.0.7"),
		.gaps = SLICE("[15000]"),
		.learnt_interval = 15,
		.state = SLICE("active"),
	};
}

/* ---- Many of them ---- */

enum { MANY = 10000 };

/* Good until it is called again. */
static inline const char *many_id(size_t i)
{
	static char id[32];
	snprintf(id, sizeof(id), "many-%06zu", i);
	return id;
}

static inline void add_many(struct storage_op *op, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		struct storage_target row = target_of(many_id(i));
		storage_op_add_target(op, &row);
	}
}

static struct result last; /* of the functions below */

static inline enum storage_result save(struct rig *rig, const struct storage_target *row)
{
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	storage_op_add_target(op, row);
	run_op(rig, op);
	return last.result;
}

static inline enum storage_result see(struct rig *rig, const struct storage_seen *row)
{
	struct storage_op *op = op_of(STORAGE_SEE, &last);
	storage_op_add_seen(op, row);
	run_op(rig, op);
	return last.result;
}

static inline enum storage_result remove_id(struct rig *rig, enum storage_kind kind, const char *id)
{
	struct storage_op *op = op_of(kind, &last);
	storage_op_add_id(op, slice_of_string(id));
	run_op(rig, op);
	return last.result;
}

/* ---- What was read ---- */

static inline const struct storage_target *find_target(
		const struct storage_target *rows, size_t count, const char *id)
{
	for (size_t i = count; i-- > 0;) {
		if (slice_equal(rows[i].id, slice_of_string(id))) {
			return &rows[i];
		}
	}
	return NULL;
}

/* Among all that was read at the start. */
static inline const struct storage_target *target_in(const struct rig *rig, const char *id)
{
	return find_target(rig->targets, rig->target_count, id);
}

/* The newest one that others changed. */
static inline const struct storage_target *change_in(const struct rig *rig, const char *id)
{
	return find_target(rig->changed, rig->changed_count, id);
}

static inline bool is_deleted_in(const struct rig *rig, const char *id)
{
	for (size_t i = 0; i < rig->deleted_count; i++) {
		if (slice_equal(rig->deleted[i], slice_of_string(id))) {
			return true;
		}
	}
	return false;
}

static inline const struct storage_seen *seen_in(
		const struct rig *rig, const char *id, const char *replica)
{
	for (size_t i = 0; i < rig->seen_count; i++) {
		if (slice_equal(rig->seen[i].target_id, slice_of_string(id))
				&& slice_equal(rig->seen[i].replica, slice_of_string(replica))) {
			return &rig->seen[i];
		}
	}
	return NULL;
}

/* The number of faults of that id whose text has such a part. */
static inline size_t faults_in(const struct rig *rig, const char *id, const char *part)
{
	size_t found = 0;
	for (size_t i = 0; i < rig->fault_count; i++) {
		struct slice why = rig->faults[i].why;
		found += slice_equal(rig->faults[i].id, slice_of_string(id))
				&& memmem(why.ptr, why.len, part, strlen(part)) != NULL;
	}
	return found;
}
