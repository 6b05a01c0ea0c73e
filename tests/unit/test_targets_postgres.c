/*
 * Targets in a PostgreSQL that the test starts.
 */

#include "certificate.h"
#include "postgres_driver.h"
#include "storage_cases.h"

static struct postgres_server server;
static char url[256];

static void open_at(struct rig *rig, const char *where)
{
	rig_init(rig);
	rig->options.postgres_url = where;
	rig_open(rig);
}

static void case_open(struct rig *rig)
{
	open_at(rig, url);
}

static void open_loaded(struct rig *rig)
{
	case_open(rig);
	RIG_AWAIT(rig, rig->loaded == 1);
}

/* ---- Migrations ---- */

static void test_empty(void)
{
	server_empty(&server);
	case_two_at_once();
	case_empty();
	case_empty();
	CHECK_STRING(slice_of_string(server_ask(&server, "SELECT count(*) FROM weir_schema")), "1");
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
		CHECK_STRING(slice_of_string(server_ask(&server, "SELECT count(*) FROM weir_schema")), "1");
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
	CHECK(strstr(rig.why, "its schema has version 7, this weir knows up to 1") != NULL);
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
	/* What it may not do fails without harm to anything else. */
	server_edit(&server, "REVOKE UPDATE, INSERT ON weir_target_seen FROM little");
	struct storage_seen seen = seen_of("x", "a");
	CHECK_INT(see(&rig, &seen), STORAGE_FAILED);
	CHECK(strstr(last.why, "permission denied") != NULL);
	row = target_of("y");
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	CHECK_INT(rig.away, 0);
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
	for (size_t i = 0; i < STORAGE_BATCH_ROWS; i++) {
		struct storage_target row = target_of(many_id(i));
		storage_op_add_target(op, &row);
	}
	storage_collect(rig.storage, &stats);
	uint64_t before = stats.statements;
	run_op(&rig, op);
	storage_collect(rig.storage, &stats);
	CHECK_INT(stats.statements - before, 1);
	rig_close(&rig);
}

/* ---- What others change ---- */

static void test_notified(void)
{
	struct rig rig;
	struct rig other;
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

	/* One weir hears of the other, and not of itself. */
	open_loaded(&other);
	size_t before = rig.changed_count;
	row.id = SLICE("of another");
	CHECK_INT(save(&other, &row), STORAGE_OK);
	RIG_AWAIT(&rig, change_in(&rig, "of another") != NULL);
	CHECK_INT(rig.changed_count, before + 1);
	CHECK_INT(other.changed_count, 0);

	/* What changes nothing is not told, so the next one is the next. */
	server_edit(&server, "UPDATE weir_target SET job = job");
	server_edit(&server, "INSERT INTO weir_target (id, job) VALUES ('after', 'x')");
	RIG_AWAIT(&rig, change_in(&rig, "after") != NULL);
	CHECK_INT(rig.changed_count, before + 2);

	/* All at once: everything is read again, and it was not away. */
	server_edit(&server, "TRUNCATE weir_target CASCADE");
	RIG_AWAIT(&rig, rig.loaded == 2);
	CHECK_INT(rig.target_count, 0);
	server_edit(&server,
			"INSERT INTO weir_target (id, job) SELECT 'bulk-' || i, 'x' "
			"FROM generate_series(1, 15000) AS i");
	RIG_AWAIT(&rig, rig.loaded == 3);
	CHECK_INT(rig.target_count, 15000);
	CHECK_INT(rig.away, 0);
	rig_close(&other);
	rig_close(&rig);
}

/* ---- Outages ---- */

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
			for (size_t k = 0; k < 500; k++) {
				struct storage_target row = target_of(many_id((size_t)i * 500 + k));
				storage_op_add_target(op, &row);
			}
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
	CHECK_INT(remove_id(&rig, STORAGE_DELETE, "good"), STORAGE_OK);
	CHECK_INT(rig.away, 0);
	rig_close(&rig);

	/* A column that is gone: away, with the reason, until it is back. */
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

/* ---- Ways to connect ---- */

static void check_url(const char *text, bool is_good)
{
	struct buf why;
	buf_init(&why, 0);
	CHECK(storage_check_postgres_url(text, &why) == is_good);
	CHECK((why.len == 0) == is_good);
	buf_append_byte(&why, '\0');
	CHECK(strstr(why.ptr, "secret") == NULL);
	buf_finish(&why);
}

static void test_urls(void)
{
	check_url("postgres://u:secret@h:1/d?sslmode=verify-full", true);
	check_url("postgresql:///d?host=/run/postgresql", true);
	check_url("postgres://u:secret@[::1", false);
	check_url("postgres://u:sec ret%zz@h/d", false);
	check_url("postgres://u:secret@h/d?no_such_parameter=secret", false);
	check_url("mysql://u:secret@h/d", false);
	check_url("host=h password=secret", false);
}

static void test_ways(void)
{
	struct rig rig;
	char where[512];
	server_empty(&server);
	snprintf(where, sizeof(where), "postgres:///weir?host=%s&port=%u&user=weir", server.directory,
			server.port);
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.loaded == 1);
	rig_close(&rig);
	/* A name; and of several hosts, those that do not answer are passed over. */
	snprintf(where, sizeof(where),
			"postgres://weir@no-such-host.invalid:1,127.0.0.1:1,localhost:%u/weir", server.port);
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(rig.away, 0);
	rig_close(&rig);
	open_at(&rig, "postgres://weir@no-such-host.invalid/weir");
	RIG_AWAIT(&rig, rig.away == 1);
	CHECK(strstr(rig.why, "cannot resolve no-such-host.invalid") != NULL);
	rig_close(&rig);
	/* While a name is being looked up. */
	open_at(&rig, "postgres://weir@localhost:1/weir");
	uv_run(&rig.loop, UV_RUN_ONCE);
	rig_close(&rig);
}

/* One that listens, and is handled by nobody. */
static int listen_on(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(listen(fd, 5), 0);
	return fd;
}

/* A server that speaks so is tried first, then one that says nothing, then the right one. */
static void check_passed_over(struct slice words)
{
	struct rig rig;
	char where[256];
	unsigned strange_port = server_free_port();
	int strange = listen_on(strange_port);
	unsigned silent_port = server_free_port();
	int silent = listen_on(silent_port);
	int peer = -1;
	snprintf(where, sizeof(where), "postgres://weir@127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/weir",
			strange_port, silent_port, server.port);
	rig_init(&rig);
	rig.options.postgres_url = where;
	rig.options.connect_ms = 500;
	rig_open(&rig);
	fcntl(strange, F_SETFL, O_NONBLOCK);
	RIG_AWAIT(&rig, (peer = accept(strange, NULL, NULL)) >= 0);
	CHECK_INT(write(peer, words.ptr, words.len), words.len);
	shutdown(peer, SHUT_WR);
	RIG_AWAIT(&rig, rig.loaded >= 1);
	rig_close(&rig);
	close(peer);
	close(strange);
	close(silent);
}

static void test_strange_servers(void)
{
	server_empty(&server);
	check_passed_over(SLICE(""));
	check_passed_over(SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"));
	check_passed_over(SLICE("E\xff\xff\xff\xff"));
	check_passed_over(SLICE("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")); /* come in */
	check_passed_over(SLICE("N"));
}

static void test_password(void)
{
	struct rig rig;
	char where[256];
	server_empty(&server);
	server_edit(
			&server, "DROP ROLE IF EXISTS shy; CREATE ROLE shy SUPERUSER LOGIN PASSWORD 'right'");
	server_file(&server, "pg_hba.conf",
			"host all shy all scram-sha-256\nhost all all all trust\nlocal all all trust\n");
	server_edit(&server, "SELECT pg_reload_conf()");
	snprintf(where, sizeof(where), "postgres://shy:wr0ng@127.0.0.1:%u/weir", server.port);
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.away == 1);
	CHECK(strstr(rig.why, "password authentication failed for user \"shy\"") != NULL);
	CHECK(strstr(rig.why, "wr0ng") == NULL);
	CHECK(strchr(rig.why, '\n') == NULL);
	rig_close(&rig);
	/* One that is given apart counts. */
	rig_init(&rig);
	rig.options.postgres_url = where;
	rig.options.password = "right";
	rig_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	rig_close(&rig);
}

static void test_tls(void)
{
	struct rig rig;
	struct certificate authority;
	struct certificate certificate;
	char where[512];
	certificate_init(&authority, "authority", NULL, 100000, NULL);
	certificate_init(&certificate, "localhost", "DNS:localhost", 100000, &authority);
	server_empty(&server);
	server_file(&server, "server.crt", certificate.cert_text);
	server_file(&server, "server.key", certificate.key_text);
	server_file(&server, "authority.crt", authority.cert_text);
	server_edit(&server, "ALTER SYSTEM SET ssl = on");
	server_edit(&server, "SELECT pg_reload_conf()");
	snprintf(where, sizeof(where),
			"postgres://weir@localhost:%u/weir?sslmode=verify-full&sslrootcert=%s/authority.crt",
			server.port, server.data);
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK_STRING(slice_of_string(server_ask(&server,
						 "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
						 "WHERE ssl AND application_name = 'weir'")),
			"2");
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	for (size_t i = 0; i < 3000; i++) {
		struct storage_target row = target_of(many_id(i));
		storage_op_add_target(op, &row);
	}
	run_op(&rig, op);
	CHECK_INT(last.result, STORAGE_OK);
	rig_close(&rig);
	/* Its certificate is for another name. */
	snprintf(where, sizeof(where),
			"postgres://weir@127.0.0.1:%u/weir?sslmode=verify-full&sslrootcert=%s/authority.crt",
			server.port, server.data);
	open_at(&rig, where);
	RIG_AWAIT(&rig, rig.away == 1);
	CHECK(strstr(rig.why, "does not match host name") != NULL);
	rig_close(&rig);
	certificate_finish(&certificate);
	certificate_finish(&authority);
}

int main(void)
{
	server_init(&server);
	server_url(&server, url);
	RUN(test_empty);
	RUN(test_several_processes);
	RUN(test_newer);
	RUN(test_little_power);
	RUN(test_alike);
	RUN(test_many);
	RUN(test_notified);
	RUN(test_restarted);
	RUN(test_cut);
	RUN(test_frozen);
	RUN(test_broken_rows);
	RUN(test_objections);
	RUN(test_urls);
	RUN(test_ways);
	RUN(test_strange_servers);
	RUN(test_password);
	RUN(test_tls);
	server_finish(&server);
	return check_done();
}
