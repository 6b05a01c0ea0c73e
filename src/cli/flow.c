#include "cli/flow.h"

#include <string.h>

void flow_init(struct flow *flow)
{
	*flow = (struct flow){ .name = "", .title = "" };
	arena_init(&flow->arena);
	list_init(&flow->nodes);
	list_init(&flow->links);
}

void flow_finish(struct flow *flow)
{
	arena_finish(&flow->arena);
}

struct flow_node *flow_add_node(struct flow *flow, enum flow_kind kind, const char *name)
{
	struct flow_node *node = arena_zalloc(&flow->arena, 1, sizeof(*node));
	*node = (struct flow_node){
		.kind = kind,
		.name = name,
		.address = "",
		.number = flow->node_count++,
	};
	list_init(&node->ports);
	list_append(&flow->nodes, &node->link);
	return node;
}

struct flow_port *flow_add_port(struct flow *flow, struct flow_node *node, const char *name)
{
	struct flow_port *port = arena_zalloc(&flow->arena, 1, sizeof(*port));
	*port = (struct flow_port){
		.node = node,
		.name = name,
		.vlan = "",
		.ip = "",
		.number = node->port_count++,
	};
	flow->port_count++;
	list_append(&node->ports, &port->link);
	return port;
}

static bool is_same_end(struct flow_end a, struct flow_end b)
{
	return a.node == b.node && a.port == b.port;
}

void flow_add_link(struct flow *flow, struct flow_end one, struct flow_end other)
{
	LIST_EACH (link, &flow->links) {
		struct flow_end *ends = LIST_ENTRY(link, struct flow_link, link)->ends;
		if ((is_same_end(ends[0], one) && is_same_end(ends[1], other))
				|| (is_same_end(ends[0], other) && is_same_end(ends[1], one))) {
			return;
		}
	}
	struct flow_link *added = arena_zalloc(&flow->arena, 1, sizeof(*added));
	added->ends[0] = one;
	added->ends[1] = other;
	list_append(&flow->links, &added->link);
}

struct flow_node *flow_find_node(const struct flow *flow, const char *name)
{
	LIST_EACH (link, &flow->nodes) {
		struct flow_node *node = LIST_ENTRY(link, struct flow_node, link);
		if (strcmp(node->name, name) == 0) {
			return node;
		}
	}
	return NULL;
}

struct flow_port *flow_find_port(const struct flow_node *node, const char *name)
{
	LIST_EACH (link, &node->ports) {
		struct flow_port *port = LIST_ENTRY(link, struct flow_port, link);
		if (strcmp(port->name, name) == 0) {
			return port;
		}
	}
	return NULL;
}
