/*
 * What the ledger has written is what is loaded, whatever was pushed, deleted and
 * wiped, and whichever commits failed in between: a property test with a real
 * database.
 */

#include "format/protobuf_native.h"
#include "random.h"
#include "sqlite_driver.h"
#include "state/ledger.h"
#include "state/sqlite/commit.h"
#include "state/sqlite/load.h"
#include "store_driver.h"

struct world {
	struct store_driver d;
	struct ledger ledger;
	struct sqlite_file file;
	struct sqlite_commit commit;
	unsigned told; /* that something changed */
};

static void on_news(void *data)
{
	struct world *w = data;
	w->told++;
}

static void open_database(struct sqlite_file *file, const char *path)
{
	struct buf why;
	buf_init(&why, 0);
	CHECK_INT(sqlite_file_open(file, path, STATE_SYNC_NORMAL, &why), SQLITE_FILE_OK);
	buf_finish(&why);
}

static void world_init(struct world *w, bool is_checked)
{
	struct store_options options = { .is_checked = is_checked };
	store_driver_init(&w->d, &options);
	list_remove(&w->d.listener.link);
	w->told = 0;
	open_database(&w->file, path_of("ledger.db"));
	ledger_init(&w->ledger, &w->d.store, on_news, w);
	ledger_begin(&w->ledger);
	CHECK(sqlite_commit_init(&w->commit, w->file.db));
}

static void world_finish(struct world *w)
{
	sqlite_commit_finish(&w->commit);
	sqlite_file_close(&w->file);
	ledger_finish(&w->ledger);
	store_driver_finish(&w->d);
	unlink(path_of("ledger.db"));
	unlink(path_of("ledger.db-wal"));
	unlink(path_of("ledger.db-shm"));
}

/* ---- Committing ---- */

static bool write_set(struct world *w, const struct change_set *set, bool is_failing)
{
	if (!is_failing) {
		return sqlite_commit_set(&w->commit, set, NULL);
	}
	/* Somebody else has the database: it fails after the time it waits, here at once. */
	sqlite3 *other = sqlite_file_open_second(&w->file);
	sqlite3_busy_timeout(w->file.db, 0);
	CHECK_INT(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	bool is_written = sqlite_commit_set(&w->commit, set, NULL);
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(other);
	return is_written;
}

/* False: it failed, as it was to. */
static bool commit(struct world *w, bool is_failing)
{
	struct change_set *set = ledger_take(&w->ledger);
	if (set == NULL) {
		return true;
	}
	uint64_t version = set->version;
	bool is_written = write_set(w, set, is_failing);
	CHECK_INT(is_written, !is_failing);
	if (is_written) {
		ledger_settle(&w->ledger, set);
		CHECK(ledger_has_changes(&w->ledger) || version == w->d.store.changed);
	} else {
		ledger_take_back(&w->ledger, set);
		CHECK(ledger_has_changes(&w->ledger));
	}
	return is_written;
}

static void commit_all(struct world *w)
{
	while (ledger_has_changes(&w->ledger)) {
		commit(w, false);
	}
	while (ledger_tidy(&w->ledger)) {
	}
}

/* ---- Loading ---- */

struct reader {
	struct store_driver d;
	struct ledger ledger;
	struct restore restore;
};

static bool on_unit(void *data, struct loaded_unit *unit)
{
	struct reader *reader = data;
	loaded_unit_put(unit, &reader->restore, &reader->ledger);
	CHECK(list_is_empty(&unit->faults));
	loaded_unit_destroy(unit);
	return true;
}

static void read_back(struct world *w, struct reader *reader)
{
	const struct record_checks checks = { .native_is_right = native_is_right };
	struct sqlite_load load = { .db = w->file.db, .checks = &checks, .on_unit = on_unit };
	load.data = reader;
	store_driver_init(&reader->d, &w->d.store.options);
	list_remove(&reader->d.listener.link);
	ledger_init(&reader->ledger, &reader->d.store, on_news, w);
	restore_begin(&reader->restore, &reader->d.store, 1000000);
	CHECK_INT(sqlite_load_run(&load), SQLITE_LOAD_OK);
	CHECK_INT(load.faults, 0);
	sqlite_load_finish(&load);
	restore_end(&reader->restore);
}

static void reader_finish(struct reader *reader)
{
	ledger_finish(&reader->ledger);
	store_driver_finish(&reader->d);
}

/* When all that can be promoted is. */
static struct slice page_of(struct store_driver *d)
{
	while (store_tidy(&d->store)) {
	}
	return store_driver_whole_page(d, NULL);
}

/* A process that begins now has the same, and shows the same of it. */
static void check_stored(struct world *w)
{
	struct reader reader;
	commit_all(w);
	read_back(w, &reader);
	CHECK_SLICE(page_of(&reader.d), page_of(&w->d));
	CHECK_INT(reader.d.store.contents->shadowed_blocks, w->d.store.contents->shadowed_blocks);
	CHECK_INT(reader.d.store.contents->shadowed_groups, w->d.store.contents->shadowed_groups);
	store_driver_check_since(&w->d, &reader.d);
	CHECK_INT(reader.d.store.contents->group_count, w->d.store.contents->group_count);
	CHECK_INT(reader.d.store.contents->blocks, w->d.store.contents->blocks);
	CHECK_INT(reader.d.store.contents->series, w->d.store.contents->series);
	reader_finish(&reader);
}

/* ---- What happens ---- */

static const char *const keys[] = {
	"job=a",
	"job=b",
	"job=c",
	"job=a,instance=i",
	"job=a,instance=",
	"job=b,zone=z",
	"job=d,zone=,instance=",
	"job=d",
	"job=e,x=1",
	"job=e,x=2",
	"job=e,x=3",
	"job=e,x=4",
};

static const char *const bodies[] = {
	"m 1\n",
	"m 2\nn 1\n",
	"# TYPE c counter\nc{l=\"x\"} 1\nc{l=\"y\"} 2\n",
	"n 3\n",
	"o{zone=\"z\"} 1\nn{instance=\"i\"} 2\n",
	"",
	"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n",
	"a 1\nb 1\nc 1\nd 1\ne 1\nf 1\ng 1\n",
	"m{ 1\n",
	"m 1 5\n",
};

static void change_something(struct world *w, struct random_source *random)
{
	const char *key = keys[random_below(random, sizeof(keys) / sizeof(keys[0]))];
	const char *body = bodies[random_below(random, sizeof(bodies) / sizeof(bodies[0]))];
	unsigned told = w->told;
	uint64_t changed = w->d.store.changed;
	switch (random_below(random, 12)) {
	case 0:
	case 1: {
		struct group_key found = store_driver_key(&w->d, key);
		store_delete(&w->d.store, &found);
		break;
	}
	case 2:
		if (random_once_in(random, 20)) {
			store_wipe(&w->d.store);
		}
		break;
	case 3:
	case 4:
	case 5:
		store_driver_push(&w->d, STORE_PUT, key, body);
		break;
	default:
		store_driver_push(&w->d, STORE_POST, key, body);
	}
	CHECK((w->told != told) == (w->d.store.changed != changed));
}

static void run_world(struct random_source *random, bool is_checked, unsigned steps)
{
	struct world w;
	world_init(&w, is_checked);
	for (unsigned i = 0; i < steps; i++) {
		change_something(&w, random);
		if (random_once_in(random, 4)) {
			commit(&w, random_once_in(random, 4));
		}
		if (random_once_in(random, 30)) {
			check_stored(&w);
		}
	}
	check_stored(&w);
	world_finish(&w);
}

static void test_property(void)
{
	struct random_source random;
	random_init(&random);
	unsigned rounds = random_rounds(20);
	for (unsigned i = 0; i < rounds && check_failures == 0; i++) {
		run_world(&random, i % 2 == 0, 200);
	}
}

/* More groups than one set takes of what could not be stored. */
enum { CROWD = 5000 };

static void push_crowd(struct world *w, int count, const char *body)
{
	for (int i = 0; i < count; i++) {
		char key[32];
		snprintf(key, sizeof(key), "job=%d", i);
		store_driver_push(&w->d, STORE_PUT, key, body);
	}
}

/* Until all is stored again, old rows are all there is of those that are still to come. */
static void test_end_amid_what_failed(void)
{
	struct world w;
	struct reader reader;
	world_init(&w, true);
	push_crowd(&w, CROWD, "m 1\n");
	commit_all(&w);
	push_crowd(&w, CROWD, "m 2\n");
	CHECK(!commit(&w, true));
	CHECK(commit(&w, false));
	CHECK(ledger_has_changes(&w.ledger));
	read_back(&w, &reader);
	CHECK_INT(reader.d.store.contents->group_count, CROWD);
	reader_finish(&reader);
	check_stored(&w);
	world_finish(&w);
}

/* Damage took the row that says that the first of two groups of one key is gone. */
static void test_group_that_came_twice(void)
{
	struct world w;
	struct reader reader;
	world_init(&w, true);
	store_driver_push(&w.d, STORE_PUT, "job=a", "m 1\nold 1\n");
	commit_all(&w);
	struct group_key key = store_driver_key(&w.d, "job=a");
	store_delete(&w.d.store, &key);
	commit_all(&w);
	store_driver_push(&w.d, STORE_PUT, "job=a", "m 2\n");
	commit_all(&w);
	sql(w.file.db, "DELETE FROM segment WHERE kind = 3");
	read_back(&w, &reader);
	CHECK_SLICE(page_of(&reader.d), page_of(&w.d));
	struct change_set *set = ledger_take(&reader.ledger);
	CHECK(set != NULL && set->count == 1);
	if (set != NULL) {
		CHECK_INT(LIST_ENTRY(list_first(&set->changes), struct change, link)->kind, CHANGE_GONE);
		ledger_settle(&reader.ledger, set);
	}
	reader_finish(&reader);
	world_finish(&w);
}

/* What is still to be seen of deleted rows is told from others by its numbers. */
static void test_numbers_do_not_begin_anew(void)
{
	enum { FEWER = 3000 }; /* all are deleted then */
	struct world w;
	world_init(&w, true);
	push_crowd(&w, FEWER, "m 1\n");
	commit_all(&w);
	store_wipe(&w.d.store);
	commit_all(&w);
	while (sqlite_commit_has_dead(&w.commit)) {
		CHECK(sqlite_commit_delete_some(&w.commit));
	}
	CHECK(sql_number(w.file.db, "SELECT max(number) FROM segment") > FEWER);
	CHECK(sql_number(w.file.db, "SELECT count(*) FROM segment") < 10);
	check_stored(&w);
	world_finish(&w);
}

static bool forget_unit(void *data, struct loaded_unit *unit)
{
	loaded_unit_destroy(unit);
	return true;
}

/* Where it is, it would be deleted with all that is of no use around it. */
static void test_unreadable_row_cannot_be_set_aside(void)
{
	struct world w;
	world_init(&w, true);
	store_driver_push(&w.d, STORE_PUT, "job=a", "m 1\n");
	commit_all(&w);
	sql(w.file.db, "UPDATE segment SET sum = sum + 1");
	sqlite3 *other = sqlite_file_open_second(&w.file);
	sql(other, "BEGIN IMMEDIATE");
	sqlite3_busy_timeout(w.file.db, 0);
	const struct record_checks checks = { .native_is_right = native_is_right };
	struct sqlite_load load = { .db = w.file.db, .checks = &checks, .on_unit = forget_unit };
	CHECK_INT(sqlite_load_run(&load), SQLITE_LOAD_E_SYSTEM);
	CHECK_INT(load.fault, SQLITE_BUSY);
	sqlite_load_finish(&load);
	sqlite3_close(other);
	world_finish(&w);
}

/* While a disk takes its time: what waits is what is stored, not what was pushed. */
static void test_memory_is_bounded(void)
{
	enum { PUSHES = 200000, BYTES_MAX = 16 * 1024 * 1024 };
	struct world w;
	size_t most = 0;
	world_init(&w, true);
	for (int i = 0; i < PUSHES; i++) {
		char body[64];
		snprintf(body, sizeof(body), "# HELP m Help.\nm %d\n", i);
		store_driver_push(&w.d, STORE_PUT, i % 2 == 0 ? "job=a" : "job=b", body);
		if (w.ledger.open != NULL && w.ledger.open->arena.used_bytes > most) {
			most = w.ledger.open->arena.used_bytes;
		}
		arena_reset(&w.d.arena);
	}
	CHECK(most < BYTES_MAX);
	check_stored(&w);
	world_finish(&w);
}

int main(void)
{
	directory_begin();
	RUN(test_end_amid_what_failed);
	RUN(test_group_that_came_twice);
	RUN(test_numbers_do_not_begin_anew);
	RUN(test_unreadable_row_cannot_be_set_aside);
	RUN(test_memory_is_bounded);
	RUN(test_property);
	directory_end();
	return check_done();
}
