#pragma once

/*
 * A flow: hosts and switches, their ports, and how these are linked.
 *
 * All of it lies in the flow's arena. Nodes, ports and links are in the order in which they were
 * added, so that whatever is made of a flow is the same each time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/list.h"

enum flow_kind {
	FLOW_HOST,
	FLOW_SWITCH,
	FLOW_ELSEWHERE, /* somebody is linked to it, and that is all that is known */
};

/* A page with more of them is of no use to anybody. */
enum { FLOW_NODES_MAX = 500, FLOW_PORTS_MAX = 5000 };

struct flow_port {
	struct list link;
	struct flow_node *node;
	const char *name;
	const char *vlan; /* as it is to be shown; "": none */
	const char *ip;   /* "": none */
	size_t number;    /* in its node, from 0 */
};

struct flow_node {
	struct list link;
	struct list ports; // flow_port::link
	enum flow_kind kind;
	const char *name;
	const char *address; /* besides its name and those of its ports; "": none */
	size_t number;       /* in the flow, from 0 */
	size_t port_count;
};

struct flow_end {
	struct flow_node *node;
	struct flow_port *port; /* NULL: which one is not known */
};

struct flow_link {
	struct list link;
	struct flow_end ends[2];
};

struct flow {
	struct arena arena;
	const char *name; /* tells it from all others */
	const char *title;
	struct list nodes; // flow_node::link
	struct list links; // flow_link::link
	size_t node_count;
	size_t port_count;
};

void flow_init(struct flow *flow);
void flow_finish(struct flow *flow);

/* Texts are the caller's, and live as long as the flow. */
struct flow_node *flow_add_node(struct flow *flow, enum flow_kind kind, const char *name);
struct flow_port *flow_add_port(struct flow *flow, struct flow_node *node, const char *name);

/* One that is there already, be it the other way round, is not added again. */
void flow_add_link(struct flow *flow, struct flow_end one, struct flow_end other);

/* NULL: there is none. */
struct flow_node *flow_find_node(const struct flow *flow, const char *name);
struct flow_port *flow_find_port(const struct flow_node *node, const char *name);
