/*
 * What others do in a PostgreSQL: weirs, and those who edit its tables.
 */

#include "old_cases.h"
#include "postgres_cases.h"

/* ---- What others change ---- */

static void test_notified(void)
{
	struct rig rig;
	server_empty(&server);
	open_loaded(&rig);
	struct storage_target row = target_of("noticed");
	CHECK_INT(save(&rig, &row), STORAGE_OK);

	const char *psql[] = { "psql", url, "-c",
		"UPDATE weir_target SET attributes = attributes || '{\"room\": \"7\"}'", NULL };
	waitpid(server_run(&server, psql), NULL, 0);
	RIG_AWAIT(&rig, change_in(&rig, "noticed") != NULL);
	const struct storage_target *told = change_in(&rig, "noticed");
	CHECK_STRING(told->attributes, "{\"room\": \"7\"}");
	CHECK_INT(told->version, 2);

	server_edit(&server, "INSERT INTO weir_target (id, job) VALUES ('by hand', 'x')");
	RIG_AWAIT(&rig, change_in(&rig, "by hand") != NULL);
	server_edit(&server, "UPDATE weir_target SET id = 'renamed' WHERE id = 'by hand'");
	RIG_AWAIT(&rig, change_in(&rig, "renamed") != NULL && is_deleted_in(&rig, "by hand"));
	server_edit(&server, "DELETE FROM weir_target WHERE id = 'renamed'");
	RIG_AWAIT(&rig, is_deleted_in(&rig, "renamed"));

	rig_close(&rig);
}

/* One weir hears of the other, and not of itself. */
static void test_noticed_by_another(void)
{
	struct rig rig;
	struct rig other;
	server_empty(&server);
	open_loaded(&rig);
	open_loaded(&other);
	size_t before = rig.changed_count;
	struct storage_target row = target_of("of another");
	CHECK_INT(save(&other, &row), STORAGE_OK);
	RIG_AWAIT(&rig, change_in(&rig, "of another") != NULL);
	CHECK_INT(rig.changed_count, before + 1);
	CHECK_INT(other.changed_count, 0);

	/* What changes nothing is not told, so the next one is the next. */
	server_edit(&server, "UPDATE weir_target SET job = job");
	server_edit(&server, "INSERT INTO weir_target (id, job) VALUES ('after', 'x')");
	RIG_AWAIT(&rig, change_in(&rig, "after") != NULL);
	CHECK_INT(rig.changed_count, before + 2);

	rig_close(&other);
	rig_close(&rig);
}

/* All at once: everything is read again, and it was not away. */
static void test_noticed_in_bulk(void)
{
	struct rig rig;
	server_empty(&server);
	open_loaded(&rig);
	server_edit(&server, "TRUNCATE weir_target CASCADE");
	RIG_AWAIT(&rig, rig.loaded == 2);
	CHECK_INT(rig.target_count, 0);
	server_edit(&server,
			"INSERT INTO weir_target (id, job) SELECT 'bulk-' || i, 'x' "
			"FROM generate_series(1, 15000) AS i");
	RIG_AWAIT(&rig, rig.loaded == 3);
	CHECK_INT(rig.target_count, 15000);
	CHECK_INT(rig.away, 0);
	rig_close(&rig);
}

/* ---- What other weirs saw ---- */

static void look(struct rig *rig)
{
	int before = rig->looked;
	rig->seen_count = 0;
	storage_look(rig->storage);
	RIG_AWAIT(rig, rig->looked == before + 1);
}

static void write_seen(struct rig *rig, const char *replica, size_t count, int64_t pushes)
{
	struct storage_op *op = op_of(STORAGE_SEE, &last);
	for (size_t i = 0; i < count; i++) {
		struct storage_seen seen = seen_of(many_id(i), replica);
		seen.pushes = pushes;
		seen.last_seen_ns = test_time_ns - (int64_t)i; /* long ago: times are not what tells */
		storage_op_add_seen(op, &seen);
	}
	run_op(rig, op);
	CHECK_INT(last.result, STORAGE_OK);
}

/* Rows of targets of which others have written since the last look, and of no others. */
static void test_looks(void)
{
	struct rig rig;
	struct rig other;
	server_empty(&server);
	open_loaded(&rig);
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	add_many(op, 0, 1700);
	run_op(&rig, op);
	write_seen(&rig, "rig", 1700, 1);
	open_loaded(&other);
	look(&rig);
	CHECK_INT(rig.seen_count, 0);
	write_seen(&other, "other", 1300, 2);
	look(&rig);
	CHECK_INT(rig.seen_count, 2 * 1300);
	const struct storage_seen *read = seen_in(&rig, many_id(1299), "other");
	CHECK(read != NULL && read->pushes == 2);
	look(&rig);
	CHECK_INT(rig.seen_count, 0);
	write_seen(&other, "other", 3, 5);
	write_seen(&rig, "rig", 1700, 6);
	look(&rig);
	CHECK_INT(rig.seen_count, 2 * 3);
	/* What is written while it is not connected is read with all the rest, and told once. */
	server_edit(&server,
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
			"WHERE application_name = 'weir' AND pid <> pg_backend_pid()");
	RIG_AWAIT(&rig, rig.loaded == 2);
	RIG_AWAIT(&other, other.loaded == 2);
	CHECK_INT(rig.seen_count, 1700 + 1300);
	look(&rig);
	CHECK_INT(rig.seen_count, 0);
	rig_close(&other);
	rig_close(&rig);
}

/* One that is connected has not vanished, however long nobody has heard of it. */
static void test_connected_is_not_folded(void)
{
	struct rig rig;
	struct rig other;
	server_empty(&server);
	rig_init(&other);
	other.options.postgres_url = url;
	other.options.replica = "it's other";
	rig_open(&other);
	RIG_AWAIT(&other, other.loaded == 1);
	open_loaded(&rig);
	struct storage_target row = target_of("x");
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	see_at(&other, "x", "it's other", test_time_ns);
	fold(&rig, "rig", test_time_ns + 1000);
	const char *count = "SELECT count(*) FROM weir_target_seen WHERE replica = 'gone'";
	CHECK_STRING(slice_of_string(server_ask(&server, count)), "0");
	rig_close(&other);
	const char *held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
	RIG_AWAIT(&rig, strcmp(server_ask(&server, held), "1") == 0); /* of the one that is left */
	fold(&rig, "rig", test_time_ns + 1000);
	CHECK_STRING(slice_of_string(server_ask(&server, count)), "1");
	rig_close(&rig);
}

int main(void)
{
	server_init(&server);
	server_url(&server, url);
	RUN(test_looks);
	RUN(test_connected_is_not_folded);
	RUN(test_notified);
	RUN(test_noticed_by_another);
	RUN(test_noticed_in_bulk);
	server_finish(&server);
	return check_done();
}
