/*
 * Targets in an SQLite file.
 */

#include <sys/wait.h>
#include <unistd.h>

#include "old_cases.h"
#include "sqlite_driver.h"
#include "storage_cases.h"
#include "whole_cases.h"

static const char *database_name;

static void case_open(struct rig *rig)
{
	rig_init(rig);
	rig->options.sqlite_path = path_of(database_name);
	rig_open(rig);
}

/* In SQL, by somebody else. */
static void edit(const char *text)
{
	sqlite3 *db;
	char *error = NULL;
	CHECK_INT(sqlite3_open(path_of(database_name), &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", text, error);
		CHECK(false);
	}
	sqlite3_free(error);
	sqlite3_close(db);
}

static void test_empty(void)
{
	database_name = "empty.db";
	case_two_at_once();
	case_empty();
	case_empty();
}

/* Processes, not only threads; several times, since it is a race. */
static void test_several_processes(void)
{
	enum { PROCESSES = 6, ROUNDS = 5 };
	char names[ROUNDS][16];
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pids[PROCESSES];
		snprintf(names[round], sizeof(names[round]), "race-%d.db", round);
		database_name = names[round];
		for (int i = 0; i < PROCESSES; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				struct rig rig;
				case_open(&rig);
				RIG_AWAIT(&rig, rig.loaded + rig.unusable > 0);
				_exit(rig.loaded == 1 ? 0 : 1);
			}
		}
		for (int i = 0; i < PROCESSES; i++) {
			int status;
			waitpid(pids[i], &status, 0);
			CHECK_INT(status, 0);
		}
		case_empty();
	}
}

static void test_alike(void)
{
	database_name = "alike.db";
	case_all_fields();
	case_versions();
	case_delete_and_forget();
	case_hostile();
	case_refused();
	case_close();
	case_whole();
	case_expire();
	case_fold();
}

static void test_many(void)
{
	database_name = "many.db";
	case_many();
}

/* Opens it, and expects that it is refused and stays as it is, to the byte. */
static void check_refused(const char *part)
{
	struct rig rig;
	struct buf before;
	struct buf after;
	buf_init(&before, 0);
	buf_init(&after, 0);
	file_get(path_of(database_name), &before);
	case_open(&rig);
	RIG_AWAIT(&rig, rig.unusable == 1);
	CHECK(strstr(rig.why, part) != NULL);
	CHECK(strstr(rig.why, database_name) != NULL);
	CHECK_INT(rig.loaded + rig.away, 0);
	rig_close(&rig);
	CHECK_SLICE(file_get(path_of(database_name), &after), buf_slice(&before));
	buf_finish(&before);
	buf_finish(&after);
}

static void test_refused_files(void)
{
	database_name = "newer.db";
	edit("CREATE TABLE weir_schema (version INTEGER); INSERT INTO weir_schema VALUES (1), (7)");
	check_refused("its schema has version 7, this weir knows up to 3");
	database_name = "foreign.db";
	edit("CREATE TABLE recipes (name TEXT)");
	check_refused("another program");
	database_name = "text.db";
	file_put(path_of("text.db"),
			SLICE("no database, but long enough to be looked at as one, or "
				  "so it seems to who has written it down here for SQLite"));
	check_refused("not a database");
}

/* Nowhere at first; then it can be had. */
static void test_away(void)
{
	struct rig rig;
	database_name = "later/targets.db";
	case_open(&rig);
	RIG_AWAIT(&rig, rig.away == 1);
	CHECK(strstr(rig.why, "No such file") != NULL);
	struct storage_target row = target_of("x");
	CHECK_INT(save(&rig, &row), STORAGE_FAILED);
	mkdir(path_of("later"), 0700);
	RIG_AWAIT(&rig, rig.back == 1);
	CHECK_INT(rig.loaded, 1);
	CHECK_INT(rig.away, 1);
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	rig_close(&rig);
}

static void test_broken_rows(void)
{
	struct rig rig;
	database_name = "broken.db";
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	for (int i = 0; i < 7; i++) {
		const char *const ids[] = { "good", "json", "time", "number", "mode", "seen", "object" };
		struct storage_target row = target_of(ids[i]);
		struct storage_seen seen = seen_of(ids[i], "a");
		CHECK_INT(save(&rig, &row), STORAGE_OK);
		CHECK_INT(see(&rig, &seen), STORAGE_OK);
	}
	rig_close(&rig);
	edit("PRAGMA ignore_check_constraints=ON;"
		 "UPDATE weir_target SET attributes = '{\"a\":' WHERE id = 'json';"
		 "UPDATE weir_target SET created = 'yesterday' WHERE id = 'time';"
		 "UPDATE weir_target SET interval_seconds = 'often' WHERE id = 'number';"
		 "UPDATE weir_target SET mode = x'ff00' WHERE id = 'mode';"
		 "UPDATE weir_target SET labels = '{\"a\":1}' WHERE id = 'object';"
		 "UPDATE weir_target_seen SET pushes = 'many' WHERE target_id = 'seen';");

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(rig.target_count, 2);
	CHECK(target_in(&rig, "good") != NULL && target_in(&rig, "seen") != NULL);
	CHECK_INT(rig.seen_count, 6);
	CHECK_INT(rig.fault_count, 6);
	CHECK_INT(faults_in(&rig, "json", "attributes is not JSON"), 1);
	CHECK_INT(faults_in(&rig, "time", "created is not a time"), 1);
	CHECK_INT(faults_in(&rig, "number", "interval_seconds is not a positive number"), 1);
	CHECK_INT(faults_in(&rig, "mode", "mode is not UTF-8"), 1);
	CHECK_INT(faults_in(&rig, "object", "labels is not a JSON object of strings"), 1);
	CHECK_INT(faults_in(&rig, "seen", "pushes is not a count"), 1);
	/* The others are written as ever. */
	struct storage_seen seen = seen_of("good", "b");
	CHECK_INT(see(&rig, &seen), STORAGE_OK);
	rig_close(&rig);
}

/* What others write while weir runs is not told, but not overwritten either. */
static void test_edited(void)
{
	struct rig rig;
	database_name = "edited.db";
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_target row = target_of("edited");
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	edit("UPDATE weir_target SET attributes = '{\"room\":\"7\"}' WHERE id = 'edited';"
		 "INSERT INTO weir_target (job) VALUES ('by hand')");
	row.version = 1;
	row.is_enabled = false;
	CHECK_INT(save(&rig, &row), STORAGE_CONFLICT);
	const struct storage_target *told = change_in(&rig, "edited");
	CHECK(told != NULL && told->version == 2 && told->is_enabled);
	if (told != NULL) {
		CHECK_STRING(told->attributes, "{\"room\":\"7\"}");
	}
	edit("UPDATE weir_target SET job = job"); /* nothing */
	rig_close(&rig);
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(rig.target_count, 2);
	CHECK_INT(rig.fault_count, 0);
	for (size_t i = 0; i < rig.target_count; i++) {
		bool is_edited = slice_equal(rig.targets[i].id, SLICE("edited"));
		CHECK_INT(rig.targets[i].version, is_edited ? 2 : 1);
		CHECK(is_edited || rig.targets[i].id.len == 36);
	}
	rig_close(&rig);
}

/* Somebody holds the lock, and lets it go. */
static void test_locked(void)
{
	struct rig rig;
	sqlite3 *db;
	database_name = "locked.db";
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(sqlite3_open(path_of(database_name), &db), SQLITE_OK);
	sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	struct storage_target row = target_of("locked");
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	storage_op_add_target(op, &row);
	storage_send(rig.storage, op);
	for (int i = 0; i < 20; i++) {
		uv_run(&rig.loop, UV_RUN_ONCE); /* it does not hold up the loop */
		CHECK(!last.is_done);
	}
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
	RIG_AWAIT(&rig, last.is_done);
	CHECK_INT(last.result, STORAGE_OK);
	rig_close(&rig);
}

int main(void)
{
	directory_begin();
	RUN(test_empty);
	RUN(test_several_processes);
	RUN(test_alike);
	RUN(test_many);
	RUN(test_refused_files);
	RUN(test_away);
	RUN(test_broken_rows);
	RUN(test_edited);
	RUN(test_locked);
	directory_end();
	return check_done();
}
