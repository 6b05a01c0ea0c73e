/*
 * The client of Redis when there is no server, or another one, or none that deserves the name.
 */

#include "redis_driver.h"

/* ---- One server ---- */

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

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(test_restart);
	RUN(test_nobody_there);
	RUN(test_silence);
	RUN(test_replica_first);
	RUN(test_roles_change);
	RUN(test_replicas_only);
	RUN(test_garbage);
	return check_done();
}
