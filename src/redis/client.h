#pragma once

/*
 * A client of Redis or Valkey: one server, several of which one is the master, or
 * a Redis Cluster. Commands go to the node that has their slot, over one connection
 * a node, in the order in which they are sent; what is sent in one turn of the loop goes
 * out together.
 *
 * A connection that is lost is made again, after a growing and jittered time. What
 * was sent over it has failed, and whether it was carried out is not known; what is sent
 * while there is none fails with the reason that there is none. Only at the beginning,
 * until the first attempt has ended, commands wait. Redirections (MOVED, ASK, TRYAGAIN,
 * CLUSTERDOWN) are followed, for up to `response_ms`, and what is redirected loses its place in
 * the order; a cluster's slots are discovered again when they are met. A server that is
 * loading, or no master (any more), is lost and looked for again.
 *
 * A command that blocks, or waits for replicas, holds up what is sent to the same node
 * after it. Who needs both has two clients.
 *
 * Everything is called on the loop thread, and calls back on it. In every callback each
 * function may be called, and a command whose `done` was called be freed or sent again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "base/slice.h"

struct redis;
struct redis_text;
struct redisReply;

enum { REDIS_SLOTS = 16384 };

struct redis_address {
	const char *host; /* a name, an IPv4 or IPv6 address, or a socket's path */
	uint16_t port;    /* 0: `host` is a path */
};

struct redis_tls {
	bool is_used;          /* but not on Unix sockets */
	const char *ca_file;   /* "": those that the system trusts */
	const char *cert_file; /* "": none is shown */
	const char *key_file;
	bool is_unverified; /* whatever certificate a server shows is taken */
};

/* Is copied, but for its texts, which outlive the client. */
struct redis_options {
	const struct redis_address *addresses; /* tried in turn; of a cluster, any of its nodes */
	size_t address_count;
	const char *user;     /* "": the default one */
	const char *password; /* "": none is needed */
	unsigned database;
	struct redis_tls tls;
	const char *name;      /* that servers list the connection under */
	uint64_t connect_ms;   /* until a connection has to be usable */
	uint64_t response_ms;  /* that a server may be silent while answers are due */
	uint64_t retry_ms_max; /* that is waited between two attempts */
};

struct redis_result {
	const struct redisReply *reply; /* until the callback returns; NULL: there is none */
	const char *why;                /* there is none: a sentence without its full stop */
	uint64_t server;                /* which run of which server answered; never 0 */
	int64_t confirmed;              /* replicas that have it, when they were waited for */
};

/*
 * Lives with its sender until `done` is called, which happens once, never in redis_send().
 * A command that blocks, or waits for replicas, may take so much longer to be answered.
 */
struct redis_command {
	void (*done)(struct redis_command *command, const struct redis_result *result);
	uint16_t slot;
	unsigned wait_replicas; /* 0: none; else WAIT follows on the same connection */
	unsigned wait_ms;
	bool is_blocking;
	uint64_t block_ms;
	uint64_t sent_ns; /* set: when it was given to the system, the last time; monotonic */
	/* The client's own. */
	struct list link;
	struct redis_text *text; /* as it is sent; of one that failed, why */
	struct redisReply *held; /* its answer, while that to WAIT is due */
	uint64_t give_up_ms;     /* 0: it has not met a server that cannot carry it out yet */
	uint64_t retry_ms;
	unsigned redirections;
	bool is_asking;   /* the answer to ASKING comes first */
	bool is_internal; /* nobody is told when it fails */
};

struct redis_events {
	/* A server can be used, for the first time or again. */
	void (*on_connected)(void *data, struct slice address);
	/*
	 * One cannot any more, or still not: once for each time that it was usable, or at the
	 * start. Of a cluster also one that has no slots any more. `why` names the address.
	 */
	void (*on_lost)(void *data, struct slice address, struct slice why);
	void (*on_closed)(void *data);
	void *data;
};

/* The slot of a key, by its hash tag if it has one. */
uint16_t redis_slot(struct slice key);

/* NULL: weir was built with it; else a sentence that says that it was not. */
const char *redis_missing(void);

/* Connects from a later turn of the loop on. */
struct redis *redis_open(
		const struct redis_options *options, uv_loop_t *loop, const struct redis_events *events);

/* All that was sent fails; then on_closed is called, and the client is gone. */
void redis_close(struct redis *redis);

/*
 * Sends a command of so many arguments, which are copied; `done`, `slot` and what it
 * waits for are set. Errors that a server answers are replies, apart from redirections.
 */
void redis_send(
		struct redis *redis, struct redis_command *command, const struct slice *args, size_t count);

/* It is a cluster: one command may name keys of one slot only. Known once connected. */
bool redis_is_cluster(const struct redis *redis);

struct redis_stats {
	uint64_t commands;
	uint64_t writes; /* times that commands were given to the system */
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint64_t connections; /* made so far */
	uint64_t losses;
	uint64_t redirections;
	uint64_t waiting;      /* commands that are not done; but for those that block */
	uint64_t answers;      /* that came, likewise */
	double answer_seconds; /* that they took together, since their commands were sent */
	bool is_connected;     /* to all servers that are known, at least one */
	uint64_t open;         /* connections that are usable now */
};

void redis_collect(const struct redis *redis, struct redis_stats *ret_stats);
