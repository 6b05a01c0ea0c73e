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

static void test_names(void)
{
	static const char *const hosts[] = { "localhost", "::1" };
	struct redis_process server;
	redis_process_start(&server, "--bind", "127.0.0.1", "-::1", NULL);
	for (size_t i = 0; i < 2; i++) {
		struct client client;
		client_init(&client);
		client_add(&client, hosts[i], server.port);
		client_open(&client);
		const char *answer = ask(&client, "PING");
		bool has_ipv6 = strstr(answer, "cannot reach [::1]:") == NULL;
		if (i == 0 || has_ipv6) {
			CHECK_STRING(slice_of_string(answer), "PONG");
			CHECK_PART(client.last_connected, i == 0 ? "localhost:" : "[::1]:");
		}
		client_close(&client);
	}
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

/* ---- Several servers ---- */

static void start_pair(struct redis_process *master, struct redis_process *replica)
{
	redis_process_start(master, NULL);
	static char port[8];
	snprintf(port, sizeof(port), "%u", master->port);
	redis_process_start(replica, "--replicaof", "127.0.0.1", port, NULL);
	node_await(replica, "INFO replication", "master_link_status:up");
	node_await(master, "INFO replication", "state=online");
}

static void test_replica_first(void)
{
	struct redis_process master;
	struct redis_process replica;
	struct client client;
	start_pair(&master, &replica);
	client_init(&client);
	client_add(&client, "127.0.0.1", free_port());
	client_add(&client, "127.0.0.1", replica.port);
	client_add(&client, "127.0.0.1", master.port);
	client_open(&client);
	CHECK_ASK(&client, "SET a 1", "OK");
	CHECK_INT(client.lost, 0);

	struct answer answer = { .command = { .wait_replicas = 1, .wait_ms = 20000 } };
	send_line(&client, &answer, "INCR a");
	CLIENT_AWAIT(&client, answer.is_done);
	CHECK_INT(answer.integer, 2);
	CHECK_INT(answer.confirmed, 1);
	answer_reset(&answer);
	answer.command.wait_replicas = 2;
	answer.command.wait_ms = 50;
	send_line(&client, &answer, "INCR a");
	CLIENT_AWAIT(&client, answer.is_done);
	CHECK_INT(answer.integer, 3);
	CHECK_INT(answer.confirmed, 1);
	answer_reset(&answer);
	client_close(&client);
	redis_process_stop(&replica);
	redis_process_stop(&master);
}

/* They change places: the old one refuses, the new one is found. */
static void test_roles_change(void)
{
	struct redis_process master;
	struct redis_process replica;
	struct client client;
	start_pair(&master, &replica);
	client_init(&client);
	client_add(&client, "127.0.0.1", master.port);
	client_add(&client, "127.0.0.1", replica.port);
	client_open(&client);
	CHECK_ASK(&client, "SET a 1", "OK");
	node_await(&replica, "REPLICAOF NO ONE", "OK");
	char command[64];
	snprintf(command, sizeof(command), "REPLICAOF 127.0.0.1 %u", replica.port);
	node_await(&master, command, "OK");
	CHECK_PART(ask(&client, "SET a 2"), "READONLY");
	CLIENT_AWAIT(&client, client.connected == 2);
	CHECK_ASK(&client, "SET a 3", "OK");
	CHECK_INT(client.lost, 1);
	CHECK_PART(client.last_lost, "READONLY");
	client_close(&client);
	redis_process_stop(&replica);
	redis_process_stop(&master);
}

static void test_replicas_only(void)
{
	struct redis_process master;
	struct redis_process replica;
	struct client client;
	start_pair(&master, &replica);
	client_init(&client);
	client_add(&client, "127.0.0.1", replica.port);
	client_add(&client, "127.0.0.1", free_port());
	client_open(&client);
	const char *why = ask(&client, "SET a 2");
	CHECK_PART(why, "it is a replica of 127.0.0.1");
	CHECK_PART(why, "connection refused");
	CHECK_INT(client.lost, 2);
	client_close(&client);
	redis_process_stop(&replica);
	redis_process_stop(&master);
}

/* ---- Sizes ---- */

enum { LARGE_BYTES = 16 << 20 };

static void check_large(struct client *client)
{
	char *value = memory_alloc(LARGE_BYTES);
	for (size_t i = 0; i < LARGE_BYTES; i++) {
		value[i] = (char)(i * 7 + i / 1000);
	}
	const struct slice set[] = { SLICE("SET"), SLICE("a"), slice_make(value, LARGE_BYTES) };
	struct answer answers[3] = { 0 };
	send_slices(client, &answers[0], set, 3);
	send_line(client, &answers[1], "GET a");
	send_line(client, &answers[2], "PING");
	CLIENT_AWAIT(client, answers[2].is_done);
	CHECK_STRING(slice_make(answers[0].text, answers[0].len), "OK");
	CHECK_INT(answers[1].len, LARGE_BYTES);
	CHECK(answers[1].text != NULL && memcmp(answers[1].text, value, LARGE_BYTES) == 0);
	for (size_t i = 0; i < 3; i++) {
		answer_reset(&answers[i]);
	}
	free(value);
}

static void test_large(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, NULL);
	client_open_one(&client, server.port);
	check_large(&client);
	client_close(&client);
	redis_process_stop(&server);
}

/* ---- From within callbacks ---- */

static void send_again(struct answer *answer)
{
	struct client *client = answer->client;
	if (answer->order % 10 != 0) {
		/* What was answered may be used again. */
		answer->is_done = false;
		free(answer->text);
		answer->text = NULL;
		send_line(client, answer, "PING");
	}
}

static void close_client(struct answer *answer)
{
	redis_close(answer->client->redis);
}

static void test_callbacks(void)
{
	struct redis_process server;
	struct client client;
	redis_process_start(&server, NULL);
	client_open_one(&client, server.port);
	answers_so_far = 0;
	struct answer again = { .then = send_again };
	send_line(&client, &again, "PING");
	CLIENT_AWAIT(&client, again.is_done && again.order == 10);
	answer_reset(&again);

	struct answer first = { 0 };
	struct answer closing = { .then = close_client };
	struct answer last = { 0 };
	send_line(&client, &first, "PING");
	send_line(&client, &closing, "PING");
	send_line(&client, &last, "BLPOP list 0");
	CLIENT_AWAIT(&client, client.is_closed);
	CHECK_INT(first.type, REDIS_REPLY_STATUS);
	CHECK_INT(closing.type, REDIS_REPLY_STATUS);
	CHECK(last.is_done);
	CHECK_PART(last.why, "is being closed");
	answer_reset(&first);
	answer_reset(&closing);
	uv_run(&client.loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&client.loop), 0);
	redis_process_stop(&server);
}

/* Before anything has come of it. */
static void test_close_at_once(void)
{
	struct client client;
	struct answer answer = { 0 };
	client_open_one(&client, free_port());
	send_line(&client, &answer, "PING");
	client_close(&client);
	CHECK_PART(answer.why, "is being closed");
	CHECK_INT(client.lost, 0);

	client_init(&client);
	client_add(&client, "nobody.invalid", 6379);
	client_open(&client);
	uv_run(&client.loop, UV_RUN_ONCE);
	uv_run(&client.loop, UV_RUN_ONCE);
	client_close(&client);
}

/* ---- Servers that are none ---- */

struct impostor {
	pid_t pid;
	uint16_t port;
};

/* Answers whatever it is sent with the same, once a connection. */
static void impostor_start(struct impostor *impostor, const char *answer, size_t len)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t address_len = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listening, (struct sockaddr *)&address, address_len) != 0 || listen(listening, 8) != 0
			|| getsockname(listening, (struct sockaddr *)&address, &address_len) != 0) {
		perror("listen");
		exit(1);
	}
	impostor->port = ntohs(address.sin_port);
	impostor->pid = fork();
	while (impostor->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		char input[4096];
		int fd = accept(listening, NULL, NULL);
		ssize_t count = read(fd, input, sizeof(input));
		count = count > 0 ? write(fd, answer, len) : count;
		while (count > 0) {
			count = read(fd, input, sizeof(input));
		}
		close(fd);
	}
	close(listening);
}

static void impostor_stop(struct impostor *impostor)
{
	kill(impostor->pid, SIGKILL);
	waitpid(impostor->pid, NULL, 0);
}

#define INFO_OF(text) "+OK\r\n" text
#define GOOD_INFO "$14\r\nrun_id:abcdef\n\r\n"

static void test_garbage(void)
{
	static const struct {
		struct slice answer;
		const char *why;
	} cases[] = {
		{ SLICE_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"), "what is not Redis' protocol: " },
		{ SLICE_INIT("\0\0\0\0\0\0"), "what is not Redis' protocol: " },
		{ SLICE_INIT("+OK\r\n*2000000000\r\n"), "an answer of too many parts" },
		{ SLICE_INIT("+OK\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"),
				"No support for nested" },
		{ SLICE_INIT("+OK\r\n+OK\r\n"), "its INFO has no run_id" },
		{ SLICE_INIT("-ERR max number of clients reached\r\n-ERR x\r\n"), "ERR x" },
		{ SLICE_INIT(INFO_OF("$24\r\nrun_id:abcdef\nloading:1\n\r\n")), "it is loading its data" },
		{ SLICE_INIT(INFO_OF(GOOD_INFO) "+OK\r\n"), "answers what nobody asked" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct impostor impostor;
		struct client client;
		impostor_start(&impostor, cases[i].answer.ptr, cases[i].answer.len);
		client_open_one(&client, impostor.port);
		CLIENT_AWAIT(&client, client.lost > 0);
		CHECK_PART(client.last_lost, cases[i].why);
		client_close(&client);
		impostor_stop(&impostor);
	}
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
	tls_client_init(&client, "127.0.0.1");
	client_open(&client);
	check_large(&client);
	client_close(&client);

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
	RUN(test_names);
	RUN(test_database);
	RUN(test_auth);
	RUN(test_restart);
	RUN(test_nobody_there);
	RUN(test_silence);
	RUN(test_replica_first);
	RUN(test_roles_change);
	RUN(test_replicas_only);
	RUN(test_large);
	RUN(test_callbacks);
	RUN(test_close_at_once);
	RUN(test_garbage);
	RUN(test_tls);
	RUN(test_tls_to_plain_server);
	return check_done();
}
