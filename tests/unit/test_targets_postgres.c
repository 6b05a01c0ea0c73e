/*
 * Targets in a PostgreSQL that the test starts: its tables and their rows.
 */

#include "old_cases.h"
#include "postgres_cases.h"
#include "storage_cases.h"
#include "whole_cases.h"

/* ---- Migrations ---- */

static void test_empty(void)
{
	server_empty(&server);
	case_two_at_once();
	case_empty();
	case_empty();
	CHECK_STRING(slice_of_string(server_ask(&server, "SELECT count(*) FROM weir_schema")), "3");
}

/* Processes, not only connections; several times, since it is a race. */
static void test_several_processes(void)
{
	enum { PROCESSES = 6, ROUNDS = 3 };
	for (int round = 0; round < ROUNDS; round++) {
		server_empty(&server);
		pid_t pids[PROCESSES];
		for (int i = 0; i < PROCESSES; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				struct rig rig;
				case_open(&rig);
				RIG_AWAIT(&rig, rig.loaded + rig.unusable + rig.away > 0);
				_exit(rig.loaded == 1 ? 0 : 1);
			}
		}
		for (int i = 0; i < PROCESSES; i++) {
			int status;
			waitpid(pids[i], &status, 0);
			CHECK_INT(status, 0);
		}
		CHECK_STRING(slice_of_string(server_ask(&server, "SELECT count(*) FROM weir_schema")), "3");
	}
}

static void test_newer(void)
{
	struct rig rig;
	server_empty(&server);
	server_edit(&server,
			"CREATE TABLE weir_schema (version integer, applied timestamptz);"
			"INSERT INTO weir_schema VALUES (1, now()), (7, now())");
	case_open(&rig);
	RIG_AWAIT(&rig, rig.unusable == 1);
	CHECK(strstr(rig.why, "its schema has version 7, this weir knows up to 3") != NULL);
	CHECK_INT(rig.loaded + rig.away, 0);
	struct storage_target row = target_of("x");
	CHECK_INT(save(&rig, &row), STORAGE_FAILED);
	rig_close(&rig);
	CHECK_STRING(slice_of_string(server_ask(
						 &server, "SELECT count(*) FROM pg_class WHERE relname LIKE 'weir_%'")),
			"1");
}

/* A user who may not make tables uses those that are there. */
static void test_little_power(void)
{
	struct rig rig;
	char where[256];
	server_empty(&server);
	server_edit(&server, "DROP ROLE IF EXISTS little; CREATE ROLE little LOGIN");
	snprintf(where, sizeof(where), "postgres://little@127.0.0.1:%u/weir", server.port);
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.away == 1);
	CHECK(strstr(rig.why, "permission denied") != NULL);
	rig_close(&rig);
	open_loaded(&rig);
	rig_close(&rig);
	server_edit(&server,
			"GRANT SELECT ON weir_schema TO little;"
			"GRANT ALL ON weir_target, weir_target_seen TO little");
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_target row = target_of("x");
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	rig_close(&rig);
}

/* What it may not do fails without harm to anything else, and is told once until it may again. */
static void test_less_power(void)
{
	struct rig rig;
	struct storage_stats stats;
	char where[256];
	snprintf(where, sizeof(where), "postgres://little@127.0.0.1:%u/weir", server.port);
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.loaded == 1);
	server_edit(&server, "REVOKE UPDATE, INSERT ON weir_target_seen FROM little");
	struct storage_seen seen = seen_of("x", "a");
	for (int i = 0; i < 3; i++) {
		struct storage_target row = target_of("y");
		CHECK_INT(see(&rig, &seen), STORAGE_FAILED);
		CHECK(strstr(last.why, "permission denied") != NULL);
		CHECK_INT(save(&rig, &row), STORAGE_OK);
		CHECK_INT(rig.away, 1);
		CHECK(strstr(rig.why, "permission denied") != NULL);
		CHECK_INT(rig.back, 0);
	}
	storage_collect(rig.storage, &stats);
	CHECK(!stats.is_usable);
	server_edit(&server, "GRANT ALL ON weir_target_seen TO little");
	CHECK_INT(see(&rig, &seen), STORAGE_OK);
	CHECK_INT(rig.back, 1);
	CHECK_INT(rig.loaded, 1);
	storage_collect(rig.storage, &stats);
	CHECK(stats.is_usable);
	rig_close(&rig);
}

/* ---- As in SQLite ---- */

static void test_alike(void)
{
	server_empty(&server);
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
	struct rig rig;
	struct storage_stats stats;
	server_empty(&server);
	case_many();
	/* One statement for all rows of a batch. */
	open_loaded(&rig);
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	add_many(op, 0, STORAGE_BATCH_ROWS);
	storage_collect(rig.storage, &stats);
	uint64_t before = stats.statements;
	run_op(&rig, op);
	storage_collect(rig.storage, &stats);
	CHECK_INT(stats.statements - before, 1);
	rig_close(&rig);
}

/* ---- Rows that are broken ---- */

static void test_broken_rows(void)
{
	struct rig rig;
	static const char *const ids[] = { "good", "json", "number", "time", "object", "seen" };
	server_empty(&server);
	open_loaded(&rig);
	for (int i = 0; i < 6; i++) {
		struct storage_target row = target_of(ids[i]);
		struct storage_seen seen = seen_of(ids[i], "a");
		CHECK_INT(save(&rig, &row), STORAGE_OK);
		CHECK_INT(see(&rig, &seen), STORAGE_OK);
	}
	rig_close(&rig);
	server_edit(&server,
			"ALTER TABLE weir_target DROP CONSTRAINT weir_target_attributes_check,"
			"	DROP CONSTRAINT weir_target_interval_seconds_check;"
			"ALTER TABLE weir_target ALTER COLUMN attributes DROP DEFAULT,"
			"	ALTER COLUMN attributes TYPE text, ALTER COLUMN interval_seconds TYPE text;"
			"ALTER TABLE weir_target_seen ALTER COLUMN pushes TYPE text;"
			"UPDATE weir_target SET attributes = '{\"a\":' WHERE id = 'json';"
			"UPDATE weir_target SET interval_seconds = 'often' WHERE id = 'number';"
			"UPDATE weir_target SET created = 'infinity' WHERE id = 'time';"
			"UPDATE weir_target SET labels = '{\"a\": 1}' WHERE id = 'object';"
			"UPDATE weir_target_seen SET pushes = 'many' WHERE target_id = 'seen';");
	open_loaded(&rig);
	CHECK_INT(rig.target_count, 2);
	CHECK(target_in(&rig, "good") != NULL && target_in(&rig, "seen") != NULL);
	CHECK_INT(rig.seen_count, 5);
	CHECK_INT(rig.fault_count, 5);
	CHECK_INT(faults_in(&rig, "json", "attributes is not JSON"), 1);
	CHECK_INT(faults_in(&rig, "number", "interval_seconds is not a positive number"), 1);
	CHECK_INT(faults_in(&rig, "time", "created is not a time"), 1);
	CHECK_INT(faults_in(&rig, "object", "labels is not a JSON object of strings"), 1);
	CHECK_INT(faults_in(&rig, "seen", "pushes is not a count"), 1);

	rig_close(&rig);
}

static void test_broken_later(void)
{
	struct rig rig;
	server_empty(&server);
	open_loaded(&rig);
	struct storage_target good = target_of("good");
	struct storage_target other = target_of("seen");
	CHECK_INT(save(&rig, &good), STORAGE_OK);
	CHECK_INT(save(&rig, &other), STORAGE_OK);
	server_edit(&server,
			"ALTER TABLE weir_target DROP CONSTRAINT weir_target_attributes_check;"
			"ALTER TABLE weir_target ALTER COLUMN attributes DROP DEFAULT,"
			"	ALTER COLUMN attributes TYPE text");
	/* A row that is broken later on is told then, and the next one is told as ever. */
	server_edit(&server, "UPDATE weir_target SET attributes = '[]' WHERE id = 'good'");
	server_edit(&server, "UPDATE weir_target SET job = 'y' WHERE id = 'seen'");
	RIG_AWAIT(&rig, change_in(&rig, "seen") != NULL);
	CHECK_INT(faults_in(&rig, "good", "attributes is not a JSON object of strings"), 1);
	CHECK(!is_deleted_in(&rig, "good"));
	/* Types that do not fit are for no row to mend: it fails as a whole, and goes on. */
	server_edit(&server,
			"ALTER TABLE weir_target ALTER COLUMN enabled DROP DEFAULT,"
			"	ALTER COLUMN enabled TYPE integer USING enabled::integer");
	struct storage_target row = target_of("new");
	CHECK_INT(save(&rig, &row), STORAGE_FAILED);
	CHECK(strstr(last.why, "type") != NULL);
	CHECK_INT(rig.away, 1); /* as told: it cannot be written */
	CHECK_INT(remove_id(&rig, STORAGE_DELETE, "good"), STORAGE_OK);
	CHECK_INT(rig.back, 0);
	rig_close(&rig);
}

/* A column that is gone: away, with the reason, until it is back. */
static void test_column_gone(void)
{
	struct rig rig;
	server_empty(&server);
	open_loaded(&rig);
	rig_close(&rig);
	server_edit(&server, "ALTER TABLE weir_target RENAME COLUMN mode TO way");
	case_open(&rig);
	RIG_AWAIT(&rig, rig.away == 1);
	CHECK(strstr(rig.why, "mode") != NULL);
	server_edit(&server, "ALTER TABLE weir_target RENAME COLUMN way TO mode");
	RIG_AWAIT(&rig, rig.back == 1);
	rig_close(&rig);
}

/* Rows that the database does not take for reasons of its own. */
static void test_objections(void)
{
	struct rig rig;
	server_empty(&server);
	open_loaded(&rig);
	server_edit(&server,
			"CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
			"IF new.replica = 'b' THEN RAISE 'not that one'; END IF; RETURN new; END $$;"
			"CREATE TRIGGER object BEFORE INSERT ON weir_target_seen FOR EACH ROW "
			"EXECUTE FUNCTION object()");
	struct storage_target row = target_of("x");
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	struct storage_op *op = op_of(STORAGE_SEE, &last);
	char names[26][2] = { 0 };
	for (int i = 0; i < 26; i++) {
		names[i][0] = (char)('a' + i);
		struct storage_seen seen = seen_of("x", names[i]);
		if (names[i][0] == 'q') {
			seen.rejected_reason = slice_make("a\0b", 3);
		} else if (names[i][0] == 'r') {
			seen.rejected_reason = SLICE("\xff is no UTF-8");
		}
		storage_op_add_seen(op, &seen);
	}
	run_op(&rig, op);
	for (int i = 0; i < 26; i++) {
		bool is_bad = names[i][0] == 'b' || names[i][0] == 'q' || names[i][0] == 'r';
		CHECK_INT(last.outcomes[i].result, is_bad ? STORAGE_REFUSED : STORAGE_OK);
	}
	CHECK_INT(faults_in(&rig, "x", "not that one"), 1);
	CHECK_INT(faults_in(&rig, "x", "has a NUL"), 1);
	CHECK_INT(faults_in(&rig, "x", "invalid byte sequence"), 1);
	CHECK_STRING(
			slice_of_string(server_ask(&server, "SELECT count(*) FROM weir_target_seen")), "23");
	rig_close(&rig);
}

int main(void)
{
	server_init(&server);
	server_url(&server, url);
	RUN(test_empty);
	RUN(test_several_processes);
	RUN(test_newer);
	RUN(test_little_power);
	RUN(test_less_power);
	RUN(test_alike);
	RUN(test_many);
	RUN(test_broken_rows);
	RUN(test_broken_later);
	RUN(test_column_gone);
	RUN(test_objections);
	server_finish(&server);
	return check_done();
}
