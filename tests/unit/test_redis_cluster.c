/*
 * The client against a cluster that changes under it: slots move, masters die.
 */

#include "redis_cluster_driver.h"

enum {
	KEYS = 300,
	FAILOVER_S = 6, /* after which a failover by hand is given up */
};

static struct cluster cluster;

static void open_client(struct client *client)
{
	client_init(client);
	client->options.retry_ms_max = 200;
	for (size_t i = 0; i < NODES; i++) {
		client_add(client, "127.0.0.1", cluster.nodes[i].port);
	}
	client_open(client);
}

static uint64_t redirections(const struct client *client)
{
	struct redis_stats stats;
	redis_collect(client->redis, &stats);
	return stats.redirections;
}

static void write_keys(struct client *client)
{
	static struct answer answers[KEYS];
	for (size_t i = 0; i < KEYS; i++) {
		char line[64];
		snprintf(line, sizeof(line), "SET key%zu %zu", i, i);
		send_line(client, &answers[i], line);
	}
	for (size_t i = 0; i < KEYS; i++) {
		CLIENT_AWAIT(client, answers[i].is_done);
		CHECK_INT(answers[i].type, REDIS_REPLY_STATUS);
		answer_reset(&answers[i]);
	}
}

static void test_spread(void)
{
	struct client client;
	open_client(&client);
	write_keys(&client);
	CHECK(redis_is_cluster(client.redis));
	CHECK_INT(client.connected, 3);
	CHECK_INT(redirections(&client), 0);
	CHECK_ASK(&client, "GET key299", "299");
	struct redis_stats stats;
	redis_collect(client.redis, &stats);
	CHECK(stats.is_connected);
	CHECK(stats.connections <= 4); /* a seed that has no slots */
	client_close(&client);
	CHECK_INT(client.lost, 0);
}

/* Only one that is a replica, by name. */
static void test_replica_as_seed(void)
{
	struct client client;
	size_t replica = 0;
	while (node_is_master(&cluster.nodes[replica])) {
		replica++;
	}
	client_init(&client);
	client_add(&client, "localhost", cluster.nodes[replica].port);
	client_open(&client);
	write_keys(&client);
	CHECK_INT(client.connected, 3);
	CHECK_INT(redirections(&client), 0);
	client_close(&client);

	client_init(&client);
	client_add(&client, "127.0.0.1", cluster.nodes[replica].port);
	client.options.database = 1;
	client_open(&client);
	CHECK_PART(ask(&client, "GET key1"), "it is of a cluster, which has no database but 0");
	client_close(&client);
}

static void test_wait(void)
{
	struct client client;
	open_client(&client);
	struct answer answer = { .command = { .wait_replicas = 1, .wait_ms = 5000 } };
	send_line(&client, &answer, "SET key1 waited");
	CLIENT_AWAIT(&client, answer.is_done);
	CHECK_INT(answer.confirmed, 1);
	CHECK_STRING(slice_make(answer.text, answer.len), "OK");
	answer_reset(&answer);
	client_close(&client);
}

/* ---- A slot that moves ---- */

static void migrate_key(
		const struct redis_process *from, const struct redis_process *to, const char *key)
{
	const char *answer = node_ask(from, "MIGRATE 127.0.0.1 %u %s 0 5000", to->port, key);
	CHECK_STRING(slice_of_string(answer), "OK");
}

static void begin_move(
		const struct redis_process *from, const struct redis_process *to, unsigned slot)
{
	char from_id[NODE_ID_BYTES];
	char to_id[NODE_ID_BYTES];
	node_id(from, from_id);
	node_id(to, to_id);
	CHECK_PART(node_ask(to, "CLUSTER SETSLOT %u IMPORTING %s", slot, from_id), "OK");
	CHECK_PART(node_ask(from, "CLUSTER SETSLOT %u MIGRATING %s", slot, to_id), "OK");
}

static void end_move(
		const struct redis_process *from, const struct redis_process *to, unsigned slot)
{
	char to_id[NODE_ID_BYTES];
	node_id(to, to_id);
	CHECK_PART(node_ask(to, "CLUSTER SETSLOT %u NODE %s", slot, to_id), "OK");
	CHECK_PART(node_ask(from, "CLUSTER SETSLOT %u NODE %s", slot, to_id), "OK");
}

static void test_slot_moves(void)
{
	struct client client;
	open_client(&client);
	unsigned slot = redis_slot(SLICE("{t}"));
	struct redis_process *from = cluster_owner(&cluster, slot);
	struct redis_process *to = cluster_owner(&cluster, 0);
	if (to == from) {
		to = cluster_owner(&cluster, REDIS_SLOTS / 2);
	}
	CHECK(from != to);
	CHECK_ASK(&client, "MSET {t}a 1 {t}b 2", "OK");
	begin_move(from, to, slot);
	CHECK_ASK(&client, "GET {t}a", "1"); /* is still there */
	CHECK_INT(redirections(&client), 0);
	migrate_key(from, to, "{t}a");
	CHECK_ASK(&client, "GET {t}a", "1"); /* ASK */
	CHECK_INT(redirections(&client), 1);

	struct answer answer = { .command = { .wait_replicas = 1, .wait_ms = 5000 } };
	send_line(&client, &answer, "INCR {t}a"); /* ASKING, INCR and WAIT */
	CLIENT_AWAIT(&client, answer.is_done);
	CHECK_INT(answer.integer, 2);
	CHECK_INT(answer.confirmed, 1);
	answer_reset(&answer);

	send_line(&client, &answer, "MGET {t}a {t}b"); /* TRYAGAIN until they are together */
	CHECK_ASK(&client, "GET {t}b", "2");
	CHECK(!answer.is_done);
	migrate_key(from, to, "{t}b");
	CLIENT_AWAIT(&client, answer.is_done);
	CHECK_INT(answer.type, REDIS_REPLY_ARRAY);
	answer_reset(&answer);

	end_move(from, to, slot);
	uint64_t before = redirections(&client);
	CHECK_ASK(&client, "GET {t}b", "2"); /* MOVED */
	CHECK_INT(redirections(&client), before + 1);
	CHECK_ASK(&client, "GET {t}b", "2");
	CHECK_INT(redirections(&client), before + 1);
	CHECK_INT(client.lost, 0);
	client_close(&client);
}

static void set_all(const char *setting, const char *value)
{
	for (size_t i = 0; i < NODES; i++) {
		const char *answer = node_ask(&cluster.nodes[i], "CONFIG SET %s %s", setting, value);
		CHECK_STRING(slice_of_string(answer), "OK");
	}
}

/* Nodes that do not tell their addresses are where they were asked, but for the port. */
static void test_unknown_endpoints(void)
{
	set_all("cluster-preferred-endpoint-type", "unknown-endpoint");
	test_spread();
	test_slot_moves();
	set_all("cluster-preferred-endpoint-type", "ip");
}

/* ---- A master that goes ---- */

/* Until one is carried out again; how many were not. */
static unsigned await_incr(struct client *client, const char *key)
{
	char line[64];
	unsigned failures = 0;
	snprintf(line, sizeof(line), "INCR %s", key);
	uint64_t end_ns = patience_end_ns();
	while (clock_monotonic_ns() < end_ns) {
		struct answer answer = { 0 };
		send_line(client, &answer, line);
		CLIENT_AWAIT(client, answer.is_done);
		bool is_good = answer.type == REDIS_REPLY_INTEGER;
		answer_reset(&answer);
		if (is_good) {
			return failures;
		}
		failures++;
		uv_run(&client->loop, UV_RUN_ONCE);
	}
	CHECK(false);
	return failures;
}

static void test_master_is_killed(void)
{
	struct client client;
	open_client(&client);
	write_keys(&client);
	struct redis_process *master = cluster_owner(&cluster, redis_slot(SLICE("counter")));
	CHECK_ASK(&client, "INCR counter", "1");
	redis_process_kill(master);
	CHECK(await_incr(&client, "counter") > 0);
	CHECK(client.lost > 0);
	/* Whoever is asked hears of it after the one that has taken the place. */
	CLIENT_AWAIT(&client, cluster_owner(&cluster, redis_slot(SLICE("counter"))) != master);
	for (size_t i = 0; i < 20; i++) {
		char key[32];
		snprintf(key, sizeof(key), "other%zu", i);
		await_incr(&client, key);
	}
	int connected = client.connected;
	struct redis_stats stats;
	CLIENT_AWAIT(&client, (redis_collect(client.redis, &stats), stats.is_connected));

	/* It comes back as a replica, and is left alone. */
	redis_process_run(master);
	cluster_await(&cluster);
	cluster_await_replicas(&cluster);
	CHECK_INT(await_incr(&client, "counter"), 0);
	CHECK_INT(client.connected, connected);
	client_close(&client);
}

static struct redis_process *replica_of(const struct redis_process *master)
{
	char wanted[NODE_ID_BYTES + 16] = "myself,slave ";
	node_id(master, wanted + strlen(wanted));
	for (size_t i = 0; i < NODES; i++) {
		if (strstr(node_ask(&cluster.nodes[i], "CLUSTER NODES"), wanted) != NULL) {
			return &cluster.nodes[i];
		}
	}
	CHECK(false);
	return NULL;
}

/* Asks for it, and again where the masters did not agree in time. True when it has happened. */
static bool gives_place(unsigned slot, const struct redis_process *replica)
{
	static uint64_t again_ns;
	if (cluster_owner(&cluster, slot) == replica) {
		return true;
	}
	if (clock_monotonic_ns() > again_ns) {
		again_ns = clock_monotonic_ns() + FAILOVER_S * (uint64_t)1000000000;
		node_ask(replica, "CLUSTER FAILOVER");
	}
	return false;
}

/* A master gives its place to its replica, and does not die. What blocks moves with the slot. */
static void test_failover_by_hand(void)
{
	struct client client;
	open_client(&client);
	write_keys(&client);
	unsigned slot = redis_slot(SLICE("counter"));
	struct redis_process *master = cluster_owner(&cluster, slot);
	struct redis_process *replica = replica_of(master);
	struct answer blocking = { .command = { .is_blocking = true, .block_ms = 60000 } };
	send_line(&client, &blocking, "BLPOP {counter}list 60");
	CLIENT_AWAIT(&client, gives_place(slot, replica));
	node_await(replica, "RPUSH {counter}list x", "1");
	CLIENT_AWAIT(&client, blocking.is_done);
	CHECK_INT(blocking.type, REDIS_REPLY_ARRAY);
	CHECK_INT(blocking.integer, 2);
	answer_reset(&blocking);
	/* The new one is in use, the old one is not any more, and may have closed by itself. */
	CLIENT_AWAIT(&client, client.lost > 0 && client.connected == client.lost + 3);
	bool has_closed = strstr(client.last_lost, "it closed the connection") != NULL;
	CHECK(has_closed || strstr(client.last_lost, "has no slots of the cluster any more") != NULL);
	CLIENT_AWAIT(&client, strstr(node_ask(master, "CLIENT LIST"), "name=weir") == NULL);
	client_close(&client);
}

/* A master that hangs is as one that is dead. */
static void test_master_hangs(void)
{
	struct client client;
	client_init(&client);
	client.options.response_ms = 500;
	client.options.connect_ms = 500;
	client.options.retry_ms_max = 200;
	for (size_t i = 0; i < NODES; i++) {
		client_add(&client, "127.0.0.1", cluster.nodes[i].port);
	}
	client_open(&client);
	write_keys(&client);
	struct redis_process *master = cluster_owner(&cluster, redis_slot(SLICE("counter")));
	cluster_await_replicas(&cluster);
	kill(master->pid, SIGSTOP);
	CHECK(await_incr(&client, "counter") > 0);
	kill(master->pid, SIGCONT);
	CHECK_INT(await_incr(&client, "counter"), 0);
	client_close(&client);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	cluster_start(&cluster);
	RUN(test_spread);
	RUN(test_replica_as_seed);
	RUN(test_wait);
	RUN(test_slot_moves);
	RUN(test_unknown_endpoints);
	RUN(test_failover_by_hand);
	RUN(test_master_is_killed);
	RUN(test_master_hangs);
	cluster_stop(&cluster);
	return check_done();
}
