/*
 * Ways to a PostgreSQL: URLs, names, addresses that are of no use, passwords and TLS.
 */

#include "certificate.h"
#include "postgres_cases.h"

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

#define COME_IN "R\0\0\0\10\0\0\0\0Z\0\0\0\5I"

/* A server that speaks so is tried first, then one that says nothing, then the right one. */
static bool has_asked(int peer)
{
	char text[4096];
	ssize_t len = recv(peer, text, sizeof(text), MSG_DONTWAIT);
	return len > 0 && memmem(text, (size_t)len, "datestyle", 9) != NULL;
}

/* With an answer it says that to the first thing that it is asked; else it hangs up. */
static void check_passed_over(struct slice words, struct slice answer)
{
	struct rig rig;
	char where[256];
	unsigned strange_port = server_free_port();
	int strange = listen_on(strange_port);
	unsigned silent_port = server_free_port();
	int silent = listen_on(silent_port);
	int peer = -1;
	bool is_plain = slice_starts_with(words, SLICE("R")); /* else it is asked for TLS first */
	snprintf(where, sizeof(where),
			"postgres://weir@127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/weir?target_session_attrs=any"
			"&sslmode=%s",
			strange_port, silent_port, server.port, is_plain ? "disable" : "prefer");
	rig_init(&rig);
	rig.options.postgres_url = where;
	rig.options.connect_ms = 500;
	rig.options.response_ms = 1500;
	rig_open(&rig);
	fcntl(strange, F_SETFL, O_NONBLOCK);
	RIG_AWAIT(&rig, (peer = accept(strange, NULL, NULL)) >= 0);
	CHECK_INT(write(peer, words.ptr, words.len), words.len);
	if (answer.len > 0) {
		RIG_AWAIT(&rig, has_asked(peer));
		CHECK_INT(write(peer, answer.ptr, answer.len), answer.len);
	} else {
		shutdown(peer, SHUT_WR);
	}
	RIG_AWAIT(&rig, rig.loaded >= 1);
	rig_close(&rig);
	close(peer);
	close(strange);
	close(silent);
}

static void test_strange_servers(void)
{
	server_empty(&server);
	check_passed_over(SLICE(""), SLICE(""));
	check_passed_over(SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"), SLICE(""));
	check_passed_over(SLICE("E\xff\xff\xff\xff"), SLICE(""));
	check_passed_over(SLICE(COME_IN), SLICE(""));
	check_passed_over(SLICE("N"), SLICE(""));
}

/* They let weir in, and do not answer as a PostgreSQL does to what they are asked. */
static void test_strange_answers(void)
{
	server_empty(&server);
	check_passed_over(SLICE(COME_IN), SLICE("G\0\0\0\7\0\0\0")); /* copy something */
	check_passed_over(SLICE(COME_IN), SLICE("H\0\0\0\7\0\0\0"));
	check_passed_over(SLICE(COME_IN), SLICE("C\0\0\0\15SELECT 1\0Z\0\0\0\5I")); /* no row */
	check_passed_over(SLICE(COME_IN), SLICE("I\0\0\0\4Z\0\0\0\5I"));
	check_passed_over(SLICE(COME_IN), SLICE("T\0\0\0\6\0\0C\0\0\0\15SELECT 0\0Z\0\0\0\5I"));
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
	add_many(op, 0, 3000);
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
	RUN(test_urls);
	RUN(test_ways);
	RUN(test_strange_servers);
	RUN(test_strange_answers);
	RUN(test_password);
	RUN(test_tls);
	server_finish(&server);
	return check_done();
}
