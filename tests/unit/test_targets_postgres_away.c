/*
 * A PostgreSQL that goes away, is frozen, or is cut off, and comes back.
 */

#include "postgres_cases.h"

static void test_restarted(void)
{
	struct rig rig;
	server_empty(&server);
	open_loaded(&rig);
	struct storage_target row = target_of("early");
	CHECK_INT(save(&rig, &row), STORAGE_OK);

	static const int signals[] = { SIGINT, SIGKILL };
	for (int i = 0; i < 2; i++) {
		char id[16];
		int loaded = rig.loaded;
		server_kill(&server, signals[i]);
		RIG_AWAIT(&rig, rig.away == i + 1);
		CHECK(rig.why[0] != '\0');
		snprintf(id, sizeof(id), "meanwhile-%d", i);
		row.id = slice_of_string(id);
		CHECK_INT(save(&rig, &row), STORAGE_FAILED);
		server_start(&server);
		char text[128];
		snprintf(text, sizeof(text), "INSERT INTO weir_target (id, job) VALUES ('other-%d', 'x')",
				i);
		server_edit(&server, text);
		RIG_AWAIT(&rig, rig.back == i + 1);
		CHECK_INT(rig.loaded, loaded + 1);
		CHECK(target_in(&rig, "early") != NULL);
		/* What was pending is sent again. */
		CHECK_INT(save(&rig, &row), STORAGE_OK);
		snprintf(text, sizeof(text), "other-%d", i);
		RIG_AWAIT(&rig, target_in(&rig, text) != NULL || change_in(&rig, text) != NULL);
		snprintf(text, sizeof(text), "SELECT job FROM weir_target WHERE id = 'meanwhile-%d'", i);
		CHECK_STRING(slice_of_string(server_ask(&server, text)), "backup");
	}
	rig_close(&rig);
}

/* In the middle of a batch: it fails, or was carried out, and may be sent again. */
static void test_cut(void)
{
	static struct result results[20];
	struct rig rig;
	server_empty(&server);
	open_loaded(&rig);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 20; i++) {
			struct storage_op *op = op_of(STORAGE_SAVE, &results[i]);
			add_many(op, (size_t)i * 500, 500);
			storage_send(rig.storage, op);
		}
		RIG_AWAIT(&rig, results[2 * round].is_done);
		server_edit(&server,
				"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
				"WHERE application_name = 'weir' AND pid <> pg_backend_pid()");
		for (int i = 0; i < 20; i++) {
			RIG_AWAIT(&rig, results[i].is_done);
			CHECK(results[i].result == STORAGE_OK || results[i].result == STORAGE_FAILED);
		}
		CHECK_INT(results[0].result, STORAGE_OK);
		RIG_AWAIT(&rig, rig.back == round + 1);
	}
	CHECK_INT(rig.fault_count, 0);
	rig_close(&rig);
}

/* The process of the server that carries out what the storage asks. */
static int find_worker(void)
{
	int pid = atoi(server_ask(&server,
			"SELECT pid FROM pg_stat_activity WHERE application_name = "
			"'weir' AND query NOT LIKE 'LISTEN%'"));
	CHECK(pid > 1);
	return pid;
}

static void open_impatient(struct rig *rig)
{
	rig_init(rig);
	rig->options.postgres_url = url;
	rig->options.response_ms = 2000;
	rig->options.connect_ms = 2000;
	rig->options.close_ms = 200;
	rig_open(rig);
	RIG_AWAIT(rig, rig->loaded >= 1);
}

/* A server that is frozen is as good as away. */
static void test_frozen(void)
{
	struct rig rig;
	server_empty(&server);
	open_impatient(&rig);
	int away = rig.away;
	int pid = find_worker();
	kill(server.pid, SIGSTOP);
	kill(pid, SIGSTOP);
	struct storage_target row = target_of("frozen");
	CHECK_INT(save(&rig, &row), STORAGE_FAILED);
	CHECK(strstr(last.why, "does not answer") != NULL);
	CHECK_INT(rig.away, away + 1);
	kill(pid, SIGCONT);
	kill(server.pid, SIGCONT);
	RIG_AWAIT(&rig, rig.back == away + 1);
	/* Whether it was carried out or not. */
	CHECK_INT(save(&rig, &row), STORAGE_OK);

	/* Closing does not wait for it for long. */
	pid = find_worker();
	kill(pid, SIGSTOP);
	row.id = SLICE("at the end");
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	storage_op_add_target(op, &row);
	storage_send(rig.storage, op);
	rig_close(&rig);
	CHECK(last.is_done);
	CHECK_INT(last.result, STORAGE_FAILED);
	kill(pid, SIGCONT);
}

int main(void)
{
	server_init(&server);
	server_url(&server, url);
	RUN(test_restarted);
	RUN(test_cut);
	RUN(test_frozen);
	server_finish(&server);
	return check_done();
}
