/*
 * The client of Redis against real servers.
 */

#include "certificate.h"
#include "redis_driver.h"

/* ---- Slots ---- */

static void test_slot(void)
{
	static const struct {
		const char *key;
		unsigned slot;
	} cases[] = {
		{ "", 0 },
		{ "123456789", 0x31C3 % 16384 },
		{ "foo", 12182 },
		{ "{foo}", 12182 },
		{ "x{foo}y{bar}", 12182 },
		{ "foo{}{bar}", 8363 },
		{ "foo{{bar}}zap", 4015 },
		{ "foo{bar", 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) - 1; i++) {
		CHECK_INT(redis_slot(slice_of_string(cases[i].key)), cases[i].slot);
	}
	CHECK(redis_slot(SLICE("foo{bar")) != redis_slot(SLICE("bar")));
	CHECK_INT(redis_slot(SLICE("{user1000}.following")), redis_slot(SLICE("user1000")));
}

/* ---- One server ---- */

static void test_commands(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, NULL);
	client_open_one(&client, server.port);
	CHECK_ASK(&client, "SET a 1", "OK"); /* waits until it is connected */
	CHECK_INT(client.connected, 1);
	CHECK_ASK(&client, "INCR a", "2");
	CHECK_ASK(&client, "GET none", "nil");
	CHECK_PART(ask(&client, "NONSENSE x"), "ERR unknown command");
	CHECK_PART(ask(&client, "CLIENT LIST"), "name=weir");
	CHECK(!redis_is_cluster(client.redis));
	struct redis_stats stats;
	redis_collect(client.redis, &stats);
	CHECK(stats.is_connected);
	CHECK_INT(stats.commands, 5);
	CHECK_INT(stats.connections, 1);
	CHECK(stats.bytes_sent > 0 && stats.bytes_received > 0);
	client_close(&client);
	CHECK_INT(client.lost, 0);
	redis_process_stop(&server);
}

enum { PIPELINED = 5000 };

static void test_pipelining(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, NULL);
	client_open_one(&client, server.port);
	CHECK_ASK(&client, "PING", "PONG");
	struct redis_stats before;
	redis_collect(client.redis, &before);
	struct answer *answers = memory_zalloc(PIPELINED, sizeof(*answers));
	for (size_t i = 0; i < PIPELINED; i++) {
		send_line(&client, &answers[i], "INCR counter");
	}
	CLIENT_AWAIT(&client, answers[PIPELINED - 1].is_done);
	for (size_t i = 0; i < PIPELINED; i++) {
		CHECK_INT(answers[i].integer, i + 1);
		CHECK_INT(answers[i].order, answers[0].order + i);
	}
	struct redis_stats after;
	redis_collect(client.redis, &after);
	CHECK_INT(after.commands - before.commands, PIPELINED);
	CHECK(after.writes - before.writes <= PIPELINED / 30);
	free(answers);
	client_close(&client);
	redis_process_stop(&server);
}

static void test_unix_socket(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, "--port", "0", NULL);
	client_init(&client);
	client_add(&client, server.path, 0);
	client_open(&client);
	CHECK_ASK(&client, "SET a 1", "OK");
	CHECK_STRING(slice_of_string(client.last_connected), server.path);
	client_close(&client);

	char path[300];
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	client_init(&client);
	client_add(&client, path, 0);
	client_open(&client);
	CHECK_PART(ask(&client, "PING"), "name too long");
	client_close(&client);
	redis_process_stop(&server);
}

static void test_database(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, NULL);
	client_init(&client);
	client_add(&client, "127.0.0.1", server.port);
	client.options.database = 3;
	client_open(&client);
	CHECK_PART(ask(&client, "CLIENT INFO"), " db=3 ");
	client_close(&client);

	client_init(&client);
	client_add(&client, "127.0.0.1", server.port);
	client.options.database = 99;
	client_open(&client);
	CHECK_PART(ask(&client, "PING"), "ERR DB index is out of range");
	client_close(&client);
	redis_process_stop(&server);
}

/* What a client hears that introduces itself like that. */
static void check_user(const struct redis_process *server, const char *user, const char *password,
		const char *wanted)
{
	struct client client;
	client_init(&client);
	client_add(&client, "127.0.0.1", server->port);
	client.options.user = user;
	client.options.password = password;
	client_open(&client);
	CHECK_PART(ask(&client, "ACL WHOAMI"), wanted);
	CHECK(strstr(client.last_lost, "secret") == NULL);
	client_close(&client);
}

static void test_auth(void)
{
	struct redis_process server;
	redis_process_start(&server, "--requirepass", "secret", "--user", "weir", "on", ">secret2",
			"~*", "+@all", NULL);
	check_user(&server, "", "secret", "default");
	check_user(&server, "weir", "secret2", "weir");
	check_user(&server, "", "secret2", "WRONGPASS");
	check_user(&server, "nobody", "secret", "WRONGPASS");
	check_user(&server, "", "", "NOAUTH");
	redis_process_stop(&server);

	/* This one repeats what it does not know. */
	redis_process_start(&server, "--rename-command", "AUTH", "", NULL);
	check_user(&server, "", "secret", "ERR unknown command");
	redis_process_stop(&server);
}

/* ---- Losing it ---- */

static void test_restart(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, NULL);
	client_open_one(&client, server.port);
	struct answer first = { 0 };
	send_line(&client, &first, "PING");
	CLIENT_AWAIT(&client, first.is_done);
	for (int round = 1; round <= 3; round++) {
		redis_process_kill(&server);
		CLIENT_AWAIT(&client, client.lost == round);
		CHECK_PART(client.last_lost, "it closed the connection");
		CHECK_PART(ask(&client, "PING"), "127.0.0.1:");
		CHECK_PART(ask(&client, "PING"), "lost: ");
		redis_process_run(&server);
		CLIENT_AWAIT(&client, client.connected == round + 1);
		CHECK_ASK(&client, "PING", "PONG");
		CHECK_INT(client.lost, round);
	}
	struct answer last = { 0 };
	send_line(&client, &last, "PING");
	CLIENT_AWAIT(&client, last.is_done);
	CHECK(first.server != last.server);
	answer_reset(&first);
	answer_reset(&last);
	struct redis_stats stats;
	redis_collect(client.redis, &stats);
	CHECK_INT(stats.connections, 4);
	CHECK_INT(stats.losses, 3);
	client_close(&client);
	redis_process_stop(&server);
}

static void test_nobody_there(void)
{
	struct client client;
	client_open_one(&client, free_port());
	CHECK_PART(ask(&client, "PING"), "connection refused");
	CHECK_INT(client.lost, 1);
	CHECK_PART(client.last_lost, "cannot reach 127.0.0.1:");
	CHECK_PART(ask(&client, "PING"), "connection refused");
	CHECK_INT(client.connected, 0);
	struct redis_stats stats;
	redis_collect(client.redis, &stats);
	CHECK(!stats.is_connected);
	client_close(&client);
	CHECK_INT(client.lost, 1);

	client_init(&client);
	client_add(&client, "nobody.invalid", 6379);
	client_open(&client);
	CHECK_PART(ask(&client, "PING"), "cannot reach nobody.invalid:6379: ");
	client_close(&client);
}

static void test_silence(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, NULL);
	client_init(&client);
	client_add(&client, "127.0.0.1", server.port);
	client.options.response_ms = 200;
	client.options.connect_ms = 500;
	client_open(&client);
	CHECK_ASK(&client, "PING", "PONG");
	/* One that blocks is not silent. */
	struct answer blocking = { .command = { .is_blocking = true, .block_ms = 300 } };
	send_line(&client, &blocking, "BLPOP list 0.3");
	CLIENT_AWAIT(&client, blocking.is_done);
	CHECK_INT(blocking.type, REDIS_REPLY_NIL);
	answer_reset(&blocking);
	kill(server.pid, SIGSTOP);
	CHECK_PART(ask(&client, "PING"), "has not answered for 0.2 s");
	CLIENT_AWAIT(&client, strstr(ask(&client, "PING"), "it does not answer within 0.5 s") != NULL);
	kill(server.pid, SIGCONT);
	CLIENT_AWAIT(&client, client.connected == 2);
	CHECK_ASK(&client, "PING", "PONG");
	client_close(&client);
	redis_process_stop(&server);
}

/* ---- TLS ---- */

static struct redis_process tls_server;
static char ca_path[PATH_BYTES];
static char other_ca_path[PATH_BYTES];
static char cert_path[PATH_BYTES];
static char key_path[PATH_BYTES];

static void put_file(char path[static PATH_BYTES], const char *name, const char *text)
{
	snprintf(path, PATH_BYTES, "%s/%s", tls_server.directory, name);
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void start_tls_server(void)
{
	static struct certificate ca;
	static struct certificate other_ca;
	static struct certificate cert;
	certificate_init(&ca, "ca", NULL, 100000, NULL);
	certificate_init(&other_ca, "other ca", NULL, 100000, NULL);
	certificate_init(&cert, "redis", "DNS:localhost,IP:127.0.0.1", 100000, &ca);
	redis_process_prepare(&tls_server);
	put_file(ca_path, "ca.pem", ca.cert_text);
	put_file(other_ca_path, "other_ca.pem", other_ca.cert_text);
	put_file(cert_path, "cert.pem", cert.cert_text);
	put_file(key_path, "key.pem", cert.key_text);
	certificate_finish(&ca);
	certificate_finish(&other_ca);
	certificate_finish(&cert);
	static char port[8];
	snprintf(port, sizeof(port), "%u", tls_server.port);
	const char *const more[] = { "--port", "0", "--tls-port", port, "--tls-ca-cert-file", ca_path,
		"--tls-cert-file", cert_path, "--tls-key-file", key_path, "--bind", "127.0.0.1",
		"127.0.0.2", NULL };
	memcpy(tls_server.more, more, sizeof(more));
	redis_process_run(&tls_server);
}

static void tls_client_init(struct client *client, const char *host)
{
	client_init(client);
	client_add(client, host, tls_server.port);
	client->options.tls = (struct redis_tls){
		.is_used = true,
		.ca_file = ca_path,
		.cert_file = cert_path,
		.key_file = key_path,
	};
}

static void check_tls(struct client *client, const char *wanted)
{
	client_open(client);
	CHECK_PART(ask(client, "PING"), wanted);
	client_close(client);
}

static void test_tls(void)
{
	struct client client;
	start_tls_server();
	tls_client_init(&client, "127.0.0.1");
	check_tls(&client, "PONG");
	tls_client_init(&client, "localhost");
	check_tls(&client, "PONG");

	tls_client_init(&client, "127.0.0.2");
	check_tls(&client, "IP address mismatch");
	tls_client_init(&client, "127.0.0.2");
	client.options.tls.is_unverified = true;
	check_tls(&client, "PONG");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.ca_file = other_ca_path;
	check_tls(&client, "self-signed certificate in certificate chain");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.ca_file = "";
	check_tls(&client, "self-signed certificate in certificate chain");

	tls_client_init(&client, "127.0.0.1");
	client.options.tls.cert_file = "";
	check_tls(&client, "certificate required");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.key_file = "/nonexistent/key";
	check_tls(&client, "/nonexistent/key: No such file or directory");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.is_used = false;
	check_tls(&client, "cannot use 127.0.0.1:");
	redis_process_stop(&tls_server);
}

static void test_tls_to_plain_server(void)
{
	struct client client;
	redis_process_start(&tls_server, NULL);
	client_init(&client);
	client_add(&client, "127.0.0.1", tls_server.port);
	client.options.tls.is_used = true;
	client.options.connect_ms = 300;
	check_tls(&client, "cannot use 127.0.0.1:");
	redis_process_stop(&tls_server);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(test_slot);
	RUN(test_commands);
	RUN(test_pipelining);
	RUN(test_unix_socket);
	RUN(test_database);
	RUN(test_auth);
	RUN(test_restart);
	RUN(test_nobody_there);
	RUN(test_silence);
	RUN(test_tls);
	RUN(test_tls_to_plain_server);
	return check_done();
}
