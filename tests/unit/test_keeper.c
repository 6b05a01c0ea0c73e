/*
 * What keeps a registry and a database alike: with a database that goes wrong when it is
 * told to, and with a real one.
 */

#include "fake_storage.h"
#include "keeper_driver.h"
#include "sqlite_driver.h"

/* ---- Loading ---- */

static void test_loading(void)
{
	struct keeper_rig rig;
	fake_init();
	for (int i = 0; i < 1200; i++) {
		fake_put_target(i, "{}");
		fake_put_pushes(i, "own", 3);
		fake_put_pushes(i, "other", 4);
	}
	keeper_rig_begin(&rig);
	push(&rig, "job=job-7", 1); /* before it was read */
	CHECK(rig.registry.is_loading);
	AWAIT(&rig, rig.loaded == 1);
	CHECK(!rig.registry.is_loading);
	CHECK_INT(registry_len(&rig.registry), 1200);
	CHECK_INT(find(&rig, "job=job-7")->fresh.pushes, 8);
	CHECK_INT(find(&rig, "job=job-7")->fresh.own_pushes, 4);
	CHECK_INT(find(&rig, "job=job-8")->fresh.pushes, 7);
	rest(&rig);
	CHECK_INT(stored_pushes("job-7", "own"), 4);
	CHECK_INT(fake.seen_rows, 1); /* of the others there is nothing new */
	CHECK_INT(fake.saves, 0);
	keeper_rig_end(&rig);
}

static void test_rows_that_cannot_be_read(void)
{
	struct keeper_rig rig;
	fake_init();
	fake_put_target(1, "{}");
	fake_put_target(2, "{\"__name__\":\"x\"}");
	keeper_rig_begin(&rig);
	AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(registry_len(&rig.registry), 1);
	CHECK_INT(faults(&rig), 1);
	keeper_rig_end(&rig);
	CHECK_INT(fake.target_count, 2);
}

/* ---- Writing behind ---- */

static void test_coalescing(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	push(&rig, "job=a", 5);
	rest(&rig);
	CHECK_INT(fake.saves, 1);
	CHECK_INT(fake.writes, 2);
	CHECK_INT(fake.seen_rows, 1);
	CHECK_INT(stored_pushes("a", "own"), 5);
	/* What comes while a batch is under way is one row of the next. */
	push(&rig, "job=a", 1);
	await_task(&rig);
	push(&rig, "job=a", 7);
	rest(&rig);
	CHECK_INT(fake.writes, 4);
	CHECK_INT(fake.seen_rows, 3);
	CHECK_INT(stored_pushes("a", "own"), 13);
	keeper_rig_end(&rig);
}

/* That there is one at a time is checked by who carries them out. */
static void test_many(void)
{
	struct keeper_rig rig;
	char key[32];
	keeper_rig_begin_empty(&rig);
	for (int i = 0; i < 1300; i++) {
		snprintf(key, sizeof(key), "job=job-%d", i);
		push(&rig, key, 2);
	}
	rest(&rig);
	CHECK_INT(fake.target_count, 1300);
	CHECK_INT(fake.seen_count, 1300);
	CHECK_INT(fake.saves, 3);
	CHECK_INT(fake.writes, 6);
	CHECK_INT(fake.most_rows, KEEPER_BATCH_ROWS);
	CHECK_INT(stored_pushes("job-1299", "own"), 2);
	keeper_rig_end(&rig);
}

/* It is reported, stays in memory, and is not sent over and over. */
static void test_refused_row(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	fake.refused = "bad";
	push(&rig, "job=bad", 1);
	push(&rig, "job=good", 1);
	rest(&rig);
	CHECK_INT(fake.target_count, 1);
	CHECK_INT(stored_pushes("good", "own"), 1);
	CHECK(find(&rig, "job=bad") != NULL);
	CHECK_INT(faults(&rig), 1);
	push(&rig, "job=bad", 1);
	rest(&rig);
	CHECK_INT(fake.saves, 1);
	keeper_rig_end(&rig);
}

/* New rows that fail come again with the clock, not with their failure. */
static void test_full_disk(void)
{
	struct keeper_rig rig;
	char key[32];
	keeper_rig_begin_empty(&rig);
	fake.fails = true;
	for (int i = 0; i < KEEPER_BATCH_ROWS; i++) {
		snprintf(key, sizeof(key), "job=job-%d", i);
		push(&rig, key, 1);
	}
	AWAIT(&rig, fake.saves == 1);
	for (int i = 0; i < 50; i++) {
		uv_run(&rig.loop, UV_RUN_NOWAIT);
		if (fake.task != NULL && fake.task->op->kind == STORAGE_SAVE) {
			CHECK(rig.ticks_seen != rig.keeper->ticks);
		}
		rig.ticks_seen = rig.keeper->ticks;
		fake_step();
	}
	struct keeper_stats stats;
	keeper_collect(rig.keeper, &stats);
	CHECK(!stats.storage.is_usable);
	fake.fails = false;
	rest(&rig);
	CHECK_INT(fake.target_count, KEEPER_BATCH_ROWS);
	CHECK_INT(stored_pushes("job-9", "own"), 1);
	keeper_rig_end(&rig);
}

/* ---- Going ---- */

static void test_deleted_while_saving(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	push(&rig, "job=a", 1);
	await_task(&rig);
	CHECK_INT(fake.task->op->kind, STORAGE_SAVE);
	registry_delete(&rig.registry, find(&rig, "job=a"));
	rest(&rig);
	CHECK_INT(fake.saves, 1);
	CHECK_INT(fake.target_count, 0);
	/* Neither does it come back by that, nor does one that pushes again go. */
	CHECK(find(&rig, "job=a") == NULL);
	push(&rig, "job=a", 1);
	rest(&rig);
	CHECK_INT(fake.target_count, 1);
	keeper_rig_end(&rig);
}

/* The database is asked whether anybody has seen it. */
static void test_retention(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	push(&rig, "job=a", 1); /* long ago, by the store's clock */
	rest(&rig);
	rig.registry.options.retention_ns = 1;
	fake.keeps_expired = true;
	registry_step(&rig.registry, 10);
	registry_step(&rig.registry, 10);
	int before = fake.writes;
	rest(&rig);
	CHECK_INT(fake.writes - before, 1);
	CHECK(find(&rig, "job=a") != NULL);
	fake_lose();
	registry_step(&rig.registry, 10);
	CHECK(find(&rig, "job=a") != NULL); /* nobody can be asked */
	fake.is_away = false;
	fake.keeps_expired = false;
	AWAIT(&rig, keeper_is_usable(rig.keeper));
	registry_step(&rig.registry, 10);
	CHECK(find(&rig, "job=a") != NULL);
	rest(&rig);
	CHECK(find(&rig, "job=a") == NULL);
	CHECK_INT(fake.target_count, 0);
	keeper_rig_end(&rig);
}

/* ---- Others ---- */

static void test_equal_keys(void)
{
	static const char small[] = "00000000-0000-4000-8000-000000000001";
	static const char large[] = "ffffffff-ffff-4fff-bfff-ffffffffffff";
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	push(&rig, "job=a", 1);
	rest(&rig);
	/* One by hand counts more than one of a push, whatever their ids. */
	fake_put_named(large, "a", true);
	notice(&rig, large);
	CHECK_INT(fake.target_count, 1);
	check_id(&rig, "job=a", large);
	CHECK_INT(find(&rig, "job=a")->fresh.pushes, 1);
	/* Of two by hand the smaller one does. */
	fake_put_named(small, "a", true);
	notice(&rig, small);
	CHECK_INT(fake.target_count, 1);
	check_id(&rig, "job=a", small);
	fake_put_named(large, "a", true);
	notice(&rig, large);
	CHECK_INT(fake.target_count, 1);
	check_id(&rig, "job=a", small);
	keeper_rig_end(&rig);
}

/* What others wrote counts; what they do not have is sent again, and nothing else is. */
static void test_away_and_back(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	CHECK_INT(create(&rig, "job=edited"), TARGET_CHANGE_OK);
	CHECK_INT(create(&rig, "job=deleted"), TARGET_CHANGE_OK);
	push(&rig, "job=pushed", 2);
	push(&rig, "job=quiet", 2);
	rest(&rig);
	push(&rig, "job=pushed", 1);
	await_task(&rig); /* under way, and never to be known of */
	fake_lose();
	push(&rig, "job=pushed", 1);
	push(&rig, "job=new", 1);
	CHECK_INT(create(&rig, "job=late"), TARGET_CHANGE_E_AWAY);
	fake_find_job("edited")->is_enabled = false;
	fake_find_job("edited")->version++;
	fake_remove(fake_find_job("deleted")->id);
	int saves = fake.saves;
	size_t seen_rows = fake.seen_rows;
	fake.is_away = false;
	AWAIT(&rig, keeper_is_usable(rig.keeper));
	rest(&rig);
	CHECK(find(&rig, "job=edited")->config.is_disabled);
	CHECK(find(&rig, "job=deleted") == NULL);
	CHECK(find(&rig, "job=late") == NULL);
	CHECK_INT(stored_pushes("pushed", "own"), 4);
	CHECK_INT(stored_pushes("new", "own"), 1);
	CHECK_INT(stored_pushes("quiet", "own"), 2);
	CHECK_INT(fake.saves - saves, 1);
	CHECK_INT(fake.seen_rows - seen_rows, 2);
	CHECK_INT(rig.loaded, 1);
	keeper_rig_end(&rig);
}

/* ---- Changes that are asked for ---- */

static void test_conflict(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	CHECK_INT(create(&rig, "job=a"), TARGET_CHANGE_OK);
	CHECK_INT(create(&rig, "job=a"), TARGET_CHANGE_E_EXISTS);
	fake_find_job("a")->is_enabled = false; /* nobody has told yet */
	fake_find_job("a")->version++;
	CHECK_INT(configure(&rig, "job=a", 7), TARGET_CHANGE_E_CONFLICT);
	CHECK_INT(find(&rig, "job=a")->config.silent_after, 0);
	CHECK(find(&rig, "job=a")->config.is_disabled);
	CHECK_INT(configure(&rig, "job=a", 7), TARGET_CHANGE_OK);
	CHECK_INT(find(&rig, "job=a")->config.silent_after, 7);
	CHECK(fake_find_job("a")->silent_after == 7);
	keeper_rig_end(&rig);
}

static void test_change_that_is_not_stored(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	fake.fails = true;
	CHECK_INT(create(&rig, "job=a"), TARGET_CHANGE_E_AWAY);
	CHECK_STRING(rig.why, "the disk is full");
	CHECK(find(&rig, "job=a") == NULL);
	fake.fails = false;
	fake.refused = "b";
	CHECK_INT(create(&rig, "job=b"), TARGET_CHANGE_E_REFUSED);
	CHECK(find(&rig, "job=b") == NULL);
	/* It goes away while it is being written. */
	struct asked asked;
	ask(&rig, &asked, TARGET_CHANGE_CREATE, "job=c");
	AWAIT_NO_STEP(&rig, fake.task != NULL);
	fake_lose();
	AWAIT(&rig, asked.is_done);
	CHECK_INT(asked.change.result, TARGET_CHANGE_E_AWAY);
	CHECK(find(&rig, "job=c") == NULL);
	keeper_rig_end(&rig);
}

/* An import of many, whose jobs are numbers. */
struct import {
	struct asked asked;
	struct target_change_item *items;
};

static void import_begin(struct import *import, struct keeper_rig *rig, size_t count)
{
	char key[32];
	*import = (struct import){ .asked.rig = rig };
	import->items = memory_zalloc(count, sizeof(*import->items));
	for (size_t i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "job=%zu", i);
		import->items[i].key = store_driver_key(&rig->store, key);
	}
	import->asked.change = (struct target_change){
		.kind = TARGET_CHANGE_IMPORT,
		.items = import->items,
		.count = count,
		.done = on_asked,
	};
	list_init(&import->asked.change.link);
	target_change_submit(&rig->registry, &import->asked.change);
}

static void check_imported(const struct import *import, size_t created, size_t updated)
{
	CHECK(import->asked.is_done);
	CHECK_INT(import->asked.change.result, TARGET_CHANGE_OK);
	CHECK_INT(import->asked.change.created, created);
	CHECK_INT(import->asked.change.updated, updated);
	free(import->items);
}

static bool is_partly_there(const struct keeper_rig *rig)
{
	return registry_len(&rig->registry) > 0;
}

/* Its rows are made, and go into the registry, some on a turn of the loop. */
static void test_import(void)
{
	enum { MANY = 2900 };
	struct keeper_rig rig;
	struct import import;
	keeper_rig_begin_empty(&rig);
	import_begin(&import, &rig, MANY);
	uv_run(&rig.loop, UV_RUN_NOWAIT);
	CHECK(rig.keeper->change_op != NULL);
	AWAIT(&rig, is_partly_there(&rig));
	CHECK(registry_len(&rig.registry) < MANY);
	CHECK_INT(fake.target_count, MANY);
	CHECK(!import.asked.is_done);
	AWAIT(&rig, import.asked.is_done);
	CHECK_INT(registry_len(&rig.registry), MANY);
	check_imported(&import, MANY, 0);
	/* Again, and rows that were deleted just now do not come back. */
	import_begin(&import, &rig, MANY);
	AWAIT(&rig, rig.keeper->change_versions != NULL);
	struct storage_target *last = fake_find_job("2899");
	char id[TARGET_ID_TEXT + 1];
	snprintf(id, sizeof(id), SLICE_FMT, SLICE_ARG(last->id));
	fake_remove(last->id);
	storage_on_notice(fake.backend.storage, slice_of_string(id));
	AWAIT(&rig, import.asked.is_done);
	rest(&rig);
	CHECK_INT(registry_len(&rig.registry), MANY - 1);
	CHECK_INT(fake.target_count, MANY - 1);
	check_imported(&import, 0, MANY);
	keeper_rig_end(&rig);
}

/* What was asked for is carried out, or its reason told, whatever of it was done. */
static void test_import_at_the_end(void)
{
	enum { MANY = 2000 };
	for (int when = 0; when < 3; when++) {
		struct keeper_rig rig;
		struct import import;
		keeper_rig_begin_empty(&rig);
		import_begin(&import, &rig, MANY);
		AWAIT_NO_STEP(&rig, rig.keeper->change_op != NULL);
		if (when > 0) {
			AWAIT_NO_STEP(&rig, fake.task != NULL);
		}
		if (when > 1) {
			AWAIT(&rig, is_partly_there(&rig));
		}
		keeper_close(rig.keeper);
		AWAIT(&rig, rig.is_closed);
		check_imported(&import, MANY, 0);
		CHECK_INT(registry_len(&rig.registry), MANY);
		CHECK_INT(fake.target_count, MANY);
		uv_run(&rig.loop, UV_RUN_DEFAULT);
		CHECK_INT(uv_loop_close(&rig.loop), 0);
		registry_finish(&rig.registry);
		store_driver_finish(&rig.store);
	}
}

/* Nobody else has to ask for something before the next one is begun. */
static void test_imports_in_turn(void)
{
	struct keeper_rig rig;
	struct import first;
	struct import second;
	keeper_rig_begin_empty(&rig);
	import_begin(&first, &rig, 2000);
	import_begin(&second, &rig, 1500);
	AWAIT(&rig, first.asked.is_done && second.asked.is_done);
	check_imported(&first, 2000, 0);
	check_imported(&second, 0, 1500);
	keeper_rig_end(&rig);
}

static void test_import_while_it_goes_away(void)
{
	struct keeper_rig rig;
	struct import import;
	keeper_rig_begin_empty(&rig);
	import_begin(&import, &rig, 2000);
	AWAIT_NO_STEP(&rig, rig.keeper->change_op != NULL);
	fake_lose();
	AWAIT(&rig, import.asked.is_done);
	CHECK_INT(import.asked.change.result, TARGET_CHANGE_E_AWAY);
	CHECK_INT(registry_len(&rig.registry), 0);
	free(import.items);
	keeper_rig_end(&rig);
}

/* ---- Closing ---- */

static void test_close_with_work_left(void)
{
	struct keeper_rig rig;
	keeper_rig_begin_empty(&rig);
	push(&rig, "job=old", 1);
	rest(&rig);
	push(&rig, "job=old", 1);
	push(&rig, "job=new", 3);
	keeper_rig_end(&rig);
	CHECK_INT(stored_pushes("old", "own"), 2);
	CHECK_INT(stored_pushes("new", "own"), 3);
}

static void test_close_while_away(void)
{
	struct keeper_rig rig;
	fake_init();
	fake.is_away = true;
	keeper_rig_begin(&rig);
	push(&rig, "job=a", 1);
	AWAIT(&rig, rig.registry.loading_why.len > 0);
	CHECK_STRING(rig.registry.loading_why, "nobody is there");
	keeper_rig_end(&rig);
	CHECK_INT(fake.target_count, 0);
}

/* ---- A real database ---- */

static void test_sqlite(void)
{
	struct keeper_rig rig;
	directory_begin();
	keeper_rig_init(&rig);
	rig.options.storage.sqlite_path = path_of("targets.db");
	keeper_rig_open(&rig);
	push(&rig, "job=a", 3);
	AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(create(&rig, "job=b"), TARGET_CHANGE_OK);
	struct target_id id = find(&rig, "job=b")->id;
	push(&rig, "job=a", 2);
	push(&rig, "job=c", 1);
	keeper_rig_end(&rig);

	keeper_rig_init(&rig);
	rig.options.storage.sqlite_path = path_of("targets.db");
	keeper_rig_open(&rig);
	push(&rig, "job=a", 1);
	AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(registry_len(&rig.registry), 3);
	CHECK_INT(find(&rig, "job=a")->fresh.pushes, 6);
	CHECK_INT(find(&rig, "job=c")->fresh.pushes, 1);
	CHECK(target_id_equal(&find(&rig, "job=b")->id, &id));
	CHECK(find(&rig, "job=b")->is_configured && !find(&rig, "job=a")->is_configured);
	keeper_rig_end(&rig);
	directory_end();
}

int main(void)
{
	RUN(test_loading);
	RUN(test_rows_that_cannot_be_read);
	RUN(test_coalescing);
	RUN(test_many);
	RUN(test_refused_row);
	RUN(test_full_disk);
	RUN(test_deleted_while_saving);
	RUN(test_retention);
	RUN(test_equal_keys);
	RUN(test_away_and_back);
	RUN(test_conflict);
	RUN(test_change_that_is_not_stored);
	RUN(test_import);
	RUN(test_import_at_the_end);
	RUN(test_imports_in_turn);
	RUN(test_import_while_it_goes_away);
	RUN(test_close_with_work_left);
	RUN(test_close_while_away);
	RUN(test_sqlite);
	return check_done();
}
