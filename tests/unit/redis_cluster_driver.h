#pragma once

/*
 * A cluster of three masters with a replica each, on the loopback, and commands to
 * single nodes of it.
 */

#include "redis_driver.h"

enum { NODES = 6, NODE_ID_BYTES = 41 };

struct cluster {
	struct redis_process nodes[NODES];
	char bus_ports[NODES][8];
};

static inline void node_id(const struct redis_process *node, char id[static NODE_ID_BYTES])
{
	snprintf(id, NODE_ID_BYTES, "%s", node_ask(node, "CLUSTER MYID"));
}

static inline bool node_is_master(const struct redis_process *node)
{
	return strstr(node_ask(node, "INFO replication"), "role:master") != NULL;
}

static inline void cluster_await(struct cluster *cluster)
{
	for (size_t i = 0; i < NODES; i++) {
		if (cluster->nodes[i].pid != 0) {
			node_await(&cluster->nodes[i], "CLUSTER INFO", "cluster_state:ok");
			node_await(&cluster->nodes[i], "CLUSTER INFO", "cluster_known_nodes:6");
		}
	}
}

static inline void cluster_await_replicas(struct cluster *cluster)
{
	for (size_t i = 0; i < NODES; i++) {
		bool is_master = node_is_master(&cluster->nodes[i]);
		node_await(&cluster->nodes[i], "INFO replication",
				is_master ? "state=online" : "master_link_status:up");
	}
}

static inline void cluster_start(struct cluster *cluster)
{
	char addresses[NODES][32];
	const char *create[ARGS_MAX] = { "redis-cli", "--cluster", "create" };
	size_t count = 3;
	for (size_t i = 0; i < NODES; i++) {
		uint16_t bus_port = free_port();
		snprintf(cluster->bus_ports[i], sizeof(cluster->bus_ports[i]), "%u", bus_port);
		redis_process_start(&cluster->nodes[i], "--cluster-enabled", "yes", "--cluster-port",
				cluster->bus_ports[i], "--cluster-node-timeout", "1000",
				"--cluster-replica-validity-factor", "0", NULL);
		snprintf(addresses[i], sizeof(addresses[i]), "127.0.0.1:%u@%u", cluster->nodes[i].port,
				bus_port);
		create[count++] = addresses[i];
	}
	create[count++] = "--cluster-replicas";
	create[count++] = "1";
	create[count++] = "--cluster-yes";
	int status;
	waitpid(run_program(create), &status, 0);
	CHECK_INT(status, 0);
	cluster_await(cluster);
	cluster_await_replicas(cluster);
}

static inline void cluster_stop(struct cluster *cluster)
{
	for (size_t i = 0; i < NODES; i++) {
		redis_process_stop(&cluster->nodes[i]);
	}
}

/* The master that has a slot, as the first node that lives sees it. */
static inline struct redis_process *cluster_owner(struct cluster *cluster, unsigned slot)
{
	struct redis_process *owner = NULL;
	size_t asked = 0;
	while (cluster->nodes[asked].pid == 0) {
		asked++;
	}
	redisContext *context = node_connect(&cluster->nodes[asked]);
	redisReply *reply = redisCommand(context, "CLUSTER SLOTS");
	for (size_t i = 0; i < reply->elements; i++) {
		redisReply *range = reply->element[i];
		for (size_t j = 0; j < NODES; j++) {
			if (range->element[0]->integer <= slot && slot <= range->element[1]->integer
					&& cluster->nodes[j].port == range->element[2]->element[1]->integer) {
				owner = &cluster->nodes[j];
			}
		}
	}
	freeReplyObject(reply);
	redisFree(context);
	return owner;
}
