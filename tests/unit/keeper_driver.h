#pragma once

/*
 * A keeper on a loop of its own, between a registry that hears of a store's pushes and the
 * database of fake_storage.h, or a real one.
 */

#include "base/clock.h"
#include "fake_storage.h"
#include "store_driver.h"
#include "targets/change.h"
#include "targets/keeper.h"
#include "targets/keeper_parts.h"

enum { PATIENCE_S = 60 /* for what comes at last, on a machine that is busy with other things */ };

struct keeper_rig {
	uv_loop_t loop;
	struct store_driver store;
	struct registry registry;
	struct keeper_options options;
	struct keeper *keeper;
	int loaded;
	bool is_closed;
	unsigned ticks_seen;
	struct slice why; /* of the last change that was asked for */
};

/* ---- Its life ---- */

static inline void rig_on_loaded(void *data)
{
	struct keeper_rig *rig = data;
	rig->loaded++;
}

static inline void rig_on_closed(void *data)
{
	struct keeper_rig *rig = data;
	rig->is_closed = true;
}

static inline void fake_init(void)
{
	arena_finish(&fake.arena);
	fake = (struct fake){ 0 };
	arena_init(&fake.arena);
}

static inline void keeper_rig_init(struct keeper_rig *rig)
{
	const struct registry_options options = {
		.limit = 10000,
		.silent_after = 3,
		.retention_ns = INT64_MAX / 2,
	};
	*rig = (struct keeper_rig){
		.options = {
			.storage = { .connect_ms = 10000, .response_ms = 10000, .retry_ms_max = 10, .close_ms = 10000 },
			.name = "a test",
			.replica = "own",
			.limits = driver_limits,
			.on_loaded = rig_on_loaded,
			.on_closed = rig_on_closed,
			.data = rig,
		},
	};
	uv_loop_init(&rig->loop);
	store_driver_init(&rig->store, NULL);
	registry_init(&rig->registry, &options);
	rig->registry.is_loading = true;
	registry_watch(&rig->registry, &rig->store.store);
}

static inline void keeper_rig_open(struct keeper_rig *rig)
{
	rig->keeper = keeper_open(&rig->options, &rig->loop, &rig->registry);
}

/* On what fake_storage.h has. */
static inline void keeper_rig_begin(struct keeper_rig *rig)
{
	keeper_rig_init(rig);
	rig->options.storage.postgres_url = "postgres://test";
	keeper_rig_open(rig);
}

/* Runs the loop, and the database unless it is to stand still, until the condition holds. */
#define AWAIT_WITH(rig, condition, step)                                                           \
	do {                                                                                           \
		uint64_t await_end_ns = clock_monotonic_ns() + PATIENCE_S * (uint64_t)1000000000;          \
		while (!(condition)) {                                                                     \
			uv_run(&(rig)->loop, UV_RUN_NOWAIT);                                                   \
			step;                                                                                  \
			if (clock_monotonic_ns() > await_end_ns) {                                             \
				fprintf(stderr, "%s:%d: never: %s\n", __FILE__, __LINE__, #condition);             \
				exit(1);                                                                           \
			}                                                                                      \
		}                                                                                          \
	} while (0)
#define AWAIT(rig, condition) AWAIT_WITH(rig, condition, fake_step())
#define AWAIT_NO_STEP(rig, condition) AWAIT_WITH(rig, condition, (void)0)

static inline void keeper_rig_begin_empty(struct keeper_rig *rig)
{
	fake_init();
	keeper_rig_begin(rig);
	AWAIT(rig, rig->loaded == 1);
	AWAIT(rig, keeper_is_at_rest(rig->keeper));
}

static inline void keeper_rig_end(struct keeper_rig *rig)
{
	keeper_close(rig->keeper);
	AWAIT(rig, rig->is_closed);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&rig->loop), 0);
	registry_finish(&rig->registry);
	store_driver_finish(&rig->store);
}

/* Until all that there is to be written is. */
static inline void rest(struct keeper_rig *rig)
{
	AWAIT(rig, keeper_is_at_rest(rig->keeper));
}

/* Until something is being written, which stays under way. */
static inline void await_task(struct keeper_rig *rig)
{
	keeper_is_at_rest(rig->keeper);
	AWAIT_NO_STEP(rig, fake.task != NULL);
}

static inline uint64_t faults(const struct keeper_rig *rig)
{
	struct keeper_stats stats;
	keeper_collect(rig->keeper, &stats);
	return stats.faults;
}

/* ---- Targets ---- */

/* NULL: there is none. */
static inline struct target *find(struct keeper_rig *rig, const char *text)
{
	struct group_key key = store_driver_key(&rig->store, text);
	return registry_find(&rig->registry, &key);
}

static inline void push(struct keeper_rig *rig, const char *text, int times)
{
	struct group_key key = store_driver_key(&rig->store, text);
	for (int i = 0; i < times; i++) {
		CHECK_INT(store_driver_push(&rig->store, STORE_PUT, text, "m 1\n"), PUSH_OK);
		registry_note_push(&rig->registry, &key, SLICE("text"), SLICE("192.0.2.7"));
	}
}

static inline void check_id(struct keeper_rig *rig, const char *text, const char *wanted)
{
	char id[TARGET_ID_TEXT];
	target_id_format(&find(rig, text)->id, id);
	CHECK_STRING(slice_make(id, sizeof(id)), wanted);
}

/* ---- Changes ---- */

struct asked {
	struct target_change change;
	struct target_change_item item;
	struct keeper_rig *rig;
	bool is_done;
};

static inline void on_asked(struct target_change *change)
{
	struct asked *asked = LIST_ENTRY(change, struct asked, change);
	asked->is_done = true;
	asked->rig->why = arena_copy(&asked->rig->store.arena, change->why);
}

static inline void ask(
		struct keeper_rig *rig, struct asked *asked, enum target_change_kind kind, const char *text)
{
	const struct target *target = find(rig, text);
	*asked = (struct asked){ .rig = rig };
	asked->item.key = store_driver_key(&rig->store, text);
	if (target != NULL) {
		asked->item.id = target->id;
		asked->item.edits = target->edits;
	}
	asked->change = (struct target_change){
		.kind = kind,
		.items = &asked->item,
		.count = 1,
		.done = on_asked,
	};
	list_init(&asked->change.link);
	target_change_submit(&rig->registry, &asked->change);
}

static inline enum target_change_result create(struct keeper_rig *rig, const char *text)
{
	struct asked asked;
	ask(rig, &asked, TARGET_CHANGE_CREATE, text);
	AWAIT(rig, asked.is_done);
	return asked.change.result;
}

static inline enum target_change_result configure(
		struct keeper_rig *rig, const char *text, uint64_t silent_after)
{
	struct asked asked;
	ask(rig, &asked, TARGET_CHANGE_CONFIGURE, text);
	asked.item.config.silent_after = silent_after; /* it begins in a later turn */
	AWAIT(rig, asked.is_done);
	return asked.change.result;
}

/* ---- Rows ---- */

static inline void fake_put_row(
		const char *id, const char *job, const char *attributes, bool is_configured)
{
	char labels[64];
	snprintf(labels, sizeof(labels), "{\"job\":\"%s\"}", job);
	struct storage_target row = {
		.id = slice_of_string(id),
		.job = slice_of_string(job),
		.labels = slice_of_string(labels),
		.mode = SLICE("push"),
		.attributes = slice_of_string(attributes),
		.thresholds = SLICE("[]"),
		.is_enabled = true,
		.is_configured = is_configured,
		.version = 1,
	};
	fake_put(&row);
}

static inline void fake_put_named(const char *id, const char *job, bool is_configured)
{
	fake_put_row(id, job, "{}", is_configured);
}

/* The id and the job follow from the number. */
static inline void fake_put_target(int number, const char *attributes)
{
	char id[TARGET_ID_TEXT + 1];
	char job[16];
	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012d", number);
	snprintf(job, sizeof(job), "job-%d", number);
	fake_put_row(id, job, attributes, false);
}

static inline void fake_put_pushes(int number, const char *replica, int64_t pushes)
{
	char id[TARGET_ID_TEXT + 1];
	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012d", number);
	struct storage_seen row = {
		.target_id = slice_of_string(id),
		.replica = slice_of_string(replica),
		.first_seen_ns = 1000000000,
		.last_seen_ns = 2000000000,
		.last_push_ns = 2000000000,
		.pushes = pushes,
		.state = SLICE("active"),
	};
	fake_put_seen(&row);
}

/* Of the target of that job; -1: there is no such row. */
static inline int64_t stored_pushes(const char *job, const char *replica)
{
	const struct storage_target *target = fake_find_job(job);
	const struct storage_seen *row =
			target == NULL ? NULL : fake_find_seen(target->id, slice_of_string(replica));
	return row == NULL ? -1 : row->pushes;
}

/* Somebody tells that he has written it, which is read, and has its consequences. */
static inline void notice(struct keeper_rig *rig, const char *id)
{
	struct storage_stats stats;
	storage_collect(rig->keeper->storage, &stats);
	uint64_t changes = stats.changes;
	storage_on_notice(fake.backend.storage, slice_of_string(id));
	AWAIT(rig, (storage_collect(rig->keeper->storage, &stats), stats.changes > changes));
	AWAIT(rig, keeper_is_at_rest(rig->keeper));
}
