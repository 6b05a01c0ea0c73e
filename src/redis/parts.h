#pragma once

/*
 * What the files of the client know of each other; for them only.
 *
 *	client   takes commands, finds the node of each, gathers what failed
 *	 |-- node     a server that is known: whether it is connected, when to try again
 *	 |    '-- conn     one connection: commands in order, answers in order, silence
 *	 |         |-- connect  looks the name up, connects
 *	 |         |-- secure   TLS
 *	 |         '-- greet    who we are, who it is
 *	 |-- look     finds a server to begin with
 *	 |-- cluster  which node has which slot
 *	 '-- redirect what an answer means for where a command goes
 *
 * `done` of a command that failed is called from a turn of the loop of its own, never from
 * where it failed. So what is called here calls nobody outside, with three exceptions:
 * answers (redis_conn_take()), events, and that turn.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "net/stream.h"
#include "net/turn.h"
#include "redis/client.h"
#include "redis/text.h"

struct redisReader;
struct tls_outgoing;

enum {
	REDIS_INPUT_BYTES = 64 * 1024,
	REDIS_ADDRESSES_MAX = 16, /* of one name */
};

/* ---- One connection ---- */

enum redis_conn_state {
	REDIS_CONN_NEW, /* begins in a turn of its own, so that whoever opens it never sees it lost */
	REDIS_CONN_RESOLVING,
	REDIS_CONN_CONNECTING,
	REDIS_CONN_HANDSHAKING, /* TLS */
	REDIS_CONN_GREETING,
	REDIS_CONN_READY,
	REDIS_CONN_CLOSED, /* belongs to no node; gone with its last callback */
};

/* A socket; one for each address that is tried. */
struct redis_socket {
	union stream stream;
	uv_connect_t connect;
	struct redis_conn *conn;
};

enum redis_greeting_kind {
	REDIS_GREETING_AUTH,
	REDIS_GREETING_SETNAME,
	REDIS_GREETING_INFO,
	REDIS_GREETING_SELECT,
	REDIS_GREETING_COUNT,
};

struct redis_greeting {
	struct redis_command command;
	struct redis_conn *conn;
};

struct redis_conn {
	struct redis *redis;
	struct redis_node *node;
	enum redis_conn_state state;
	unsigned open_parts; /* what has yet to call back before the memory goes */
	uv_timer_t timer;    /* until it has to be usable; then against silence */
	uv_getaddrinfo_t resolve;
	bool is_resolving;
	struct sockaddr_storage addresses[REDIS_ADDRESSES_MAX];
	size_t address_count;
	size_t address_next;
	int connect_status; /* why the last address did not do */
	uint64_t usable_by_ms;
	struct redis_socket *socket;
	struct tls_outgoing *tls; /* NULL: none */

	struct redisReader *reader;
	size_t reply_bytes; /* read, of an answer that is not complete */
	bool is_oversized;  /* an array of more elements than anybody asks for */
	struct list unsent; /* redis_command::link */
	struct list due;    /* sent; the first is the next to be answered */
	struct list write_link;
	uint64_t heard_ms;
	uint64_t timer_ms; /* when the timer goes off */
	size_t unwritten;  /* bytes, when that was looked at */
	bool is_doubtful;  /* silent for too long, unless there is input to be read */
	struct redis_greeting greetings[REDIS_GREETING_COUNT];
	bool is_cluster; /* it is a node of one */
	uint64_t server; /* which run of which server */
};

/* ---- A server that is known ---- */

enum redis_node_state {
	REDIS_NODE_IDLE,       /* nobody needed it yet */
	REDIS_NODE_CONNECTING, /* or greeting */
	REDIS_NODE_READY,
	REDIS_NODE_LOST, /* to be tried again at retry_ms, if it is needed */
};

struct redis_node {
	struct redis *redis;
	struct list link; /* in redis::nodes */
	char *host;       /* a path when `port` is 0 */
	uint16_t port;
	char *address; /* as people write it */
	bool is_seed;  /* stays, whatever the cluster says */
	bool is_used;  /* the master, or one that has slots */
	enum redis_node_state state;
	struct redis_conn *conn;
	struct list waiting; /* commands, until the first attempt has ended */
	unsigned failures;   /* attempts in a row */
	uint64_t ready_ms;
	uint64_t retry_ms;
	uint64_t used_ms;       /* when a command was last sent to it */
	struct redis_text *why; /* it was lost; NULL: it never was */
	bool is_told_usable;    /* the last that the events said */
	bool is_told_lost;
};

/* ---- The client ---- */

/* The search for the master, or for any node of a cluster. */
struct redis_look {
	struct redis_node *node;  /* that is being tried; NULL: none is */
	struct redis_node *begin; /* of the next round */
	uint64_t next_ms;         /* it begins; 0: there is no need */
	unsigned failures;        /* in a row: rounds that found nobody, and losses soon after */
};

struct redis_cluster {
	bool is_one;
	struct redis_node *slots[REDIS_SLOTS]; /* who has each; NULL: nobody */
	bool is_wanted;                        /* the map, anew */
	bool is_asked;                         /* for, under way */
	struct redis_node *asked;              /* the last that was */
	struct redis_node *informed;           /* the next to be, if there is one that knows */
	unsigned failures;                     /* in a row: no map, or one with a server that is lost */
	uint64_t next_ms;                      /* not to be asked for before that */
	struct redis_command command;          /* that asks */
};

struct redis {
	struct redis_options options;
	uv_loop_t *loop;
	struct redis_events events;
	struct turn turn;
	uv_timer_t timer;
	uint64_t timer_ms; /* when it goes off */
	unsigned open_parts;
	bool is_closing;
	bool is_ending;  /* its handles are being closed */
	bool is_settled; /* the first search has ended: commands do not wait for it */
	char *input;
	uint64_t random;
	struct redis_text *asking; /* that command */
	struct list nodes;         /* redis_node::link */
	struct redis_node *master; /* without a cluster; NULL: there is none now */
	struct redis_text *why;    /* there is none */
	struct redis_look look;
	struct redis_cluster cluster;
	struct list waiting; /* commands, for the first search */
	struct list delayed; /* commands that are to be sent again */
	struct list failed;  /* commands that are to be told so */
	struct list writers; /* redis_conn::write_link: they have something to send */
	struct redis_stats stats;
};

/* client.c */

/* Finds the node of a command and sends it there, or has it wait, or fail. */
void redis_route(struct redis *redis, struct redis_command *command);

/* `done` is told in a later turn. Takes no reference. */
void redis_fail(struct redis *redis, struct redis_command *command, struct redis_text *why);
void redis_fail_all(struct redis *redis, struct list *commands, struct redis_text *why);

/* It is sent again a little later, unless it has been tried for too long: then it has failed. */
void redis_delay(struct redis *redis, struct redis_command *command, struct redis_text *why);

/* A command is answered, or has failed: `done` is about to be told. */
void redis_note_done(struct redis *redis, const struct redis_command *command);

/* Something is to be done then. */
void redis_wake_at(struct redis *redis, uint64_t at_ms);

/* What waited for the first search is sent on its way. */
void redis_settle(struct redis *redis);

/* A part of it is closed. */
void redis_part_closed(struct redis *redis);

/* How long to wait after so many failures in a row, at least one; jittered. */
uint64_t redis_backoff_ms(struct redis *redis, unsigned failures);

/* look.c */

void redis_look_at_timer(struct redis *redis, uint64_t now_ms);
void redis_look_on_ready(struct redis_node *node);
void redis_look_on_lost(struct redis_node *node);

/* node.c */

/* The one of that address, which is made when it is not known. */
struct redis_node *redis_node_of(struct redis *redis, struct slice host, uint16_t port);
void redis_node_destroy(struct redis_node *node);

void redis_node_connect(struct redis_node *node);
void redis_node_send(struct redis_node *node, struct redis_command *command);

/* It is idle again, and not connected. */
void redis_node_retire(struct redis_node *node);

/* It is in use, or that has ended: events. */
void redis_node_tell_usable(struct redis_node *node);
void redis_node_tell_lost(struct redis_node *node, const struct redis_text *why);

/* Called by its connection. */
void redis_node_on_ready(struct redis_node *node);
void redis_node_on_lost(struct redis_node *node, struct redis_text *why);

/* conn.c */

struct redis_conn *redis_conn_open(struct redis_node *node);
void redis_conn_send(struct redis_conn *conn, struct redis_command *command);

/* Its commands fail; the node is told. Repeatable. Takes over the reference. */
void redis_conn_lose(struct redis_conn *conn, struct redis_text *why);

/* Writes all that is to be sent. */
void redis_conn_flush(struct redis_conn *conn);

/* A socket is connected, and has shaken hands. */
void redis_conn_begin(struct redis_conn *conn);

/* Plaintext that was read. */
void redis_conn_take(struct redis_conn *conn, struct slice bytes);

/* When it has to be usable, or less silent. */
void redis_conn_set_timer(struct redis_conn *conn, uint64_t at_ms);

/* Commands are under way. */
bool redis_conn_is_busy(const struct redis_conn *conn);

void redis_conn_part_closed(struct redis_conn *conn);

/* connect.c */

void redis_connect(struct redis_conn *conn);

/* The timer went off before the connection was usable. */
void redis_connect_expire(struct redis_conn *conn);
void redis_connect_close(struct redis_conn *conn);

/* What happened to it, to follow a colon. */
void redis_connect_lose(struct redis_conn *conn, const char *what);

/* Writes texts, of which it takes the references over. */
void redis_connect_write(struct redis_conn *conn, struct redis_text **texts, size_t count);

/* secure.c */

/* The handshake. A Unix socket has none. */
void redis_secure_begin(struct redis_conn *conn);
void redis_secure_take(struct redis_conn *conn, struct slice ciphertext);

/* Texts as one of ciphertext; NULL when TLS has failed, which is found out by reading. */
struct redis_text *redis_secure_seal(
		struct redis_conn *conn, struct redis_text *const *texts, size_t count);

/* greet.c */

void redis_greet(struct redis_conn *conn);

/* redirect.c */

/* What an answer means; `done` is called unless the command goes somewhere else. */
void redis_answer(struct redis_conn *conn, struct redis_command *command, struct redisReply *reply,
		int64_t confirmed);

/* cluster.c */

/* A node says that this is a cluster. */
void redis_cluster_begin(struct redis *redis);

/* The map is to be asked for, soon. */
void redis_cluster_want(struct redis *redis);

/* The node that another one speaks of. */
struct redis_node *redis_cluster_node(
		const struct redis_node *teller, struct slice host, uint16_t port);

/* A slot is known to be there. */
void redis_cluster_move(struct redis *redis, unsigned slot, struct redis_node *node);

void redis_cluster_at_timer(struct redis *redis, uint64_t now_ms);
void redis_cluster_on_ready(struct redis_node *node);
void redis_cluster_on_lost(struct redis_node *node);
