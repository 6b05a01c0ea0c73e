/*
 * The client of Redis against real servers.
 */

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
	CHECK_INT(stats.open, 1);
	CHECK_INT(stats.waiting, 0);
	CHECK(stats.answers >= 5 && stats.answer_seconds > 0);
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

/* ---- Sizes ---- */

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

/*
 * However much of it is read at a time, it ends with a part of the answer: "*10000\r\n" and the
 * first part have 64 bytes, as each of the others has.
 */
static void test_cut_between_parts(void)
{
	struct redis_process server;
	struct client client;
	struct answer answer = { 0 };
	const struct slice eval[] = {
		SLICE("EVAL"),
		SLICE("local parts = { string.rep('a', 49) }\n"
			  "for i = 2, 10000 do parts[i] = string.rep('b', 57) end\n"
			  "return parts"),
		SLICE("0"),
	};
	redis_process_start(&server, NULL);
	client_open_one(&client, server.port);
	for (int i = 0; i < 3; i++) {
		send_slices(&client, &answer, eval, 3);
		CLIENT_AWAIT(&client, answer.is_done);
		CHECK_INT(answer.integer, 10000);
		answer_reset(&answer);
	}
	CHECK_INT(client.lost, 0);
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
	RUN(test_large);
	RUN(test_cut_between_parts);
	RUN(test_callbacks);
	RUN(test_close_at_once);
	return check_done();
}
