#include <string.h>

#include "cli/flow_reader.h"

/*
 * A flow as nodes of any number, each with its interfaces, and these with their peers.
 *
 * Peers are resolved when all nodes are known. What people write there is often short: "prism-core"
 * for "example.net:2020:prism-core". A peer that cannot be found is drawn without a panel of its
 * own.
 */

static const char *const flow_keys[] = { "flow", "title", "node", "flow_uuid", "grafana_api",
	"grafana_api_token", "grafana_host", "grafanaAPIToken", "host_ip", "hostIP", "pushgateway",
	NULL };
static const char *const node_keys[] = { "name", "type", "interface", "arp", "job_name", "runtime",
	"SNMPHostIP", "target", NULL };
static const char *const interface_keys[] = { "name", "vlan", "ip", "ping", "peer", NULL };
static const char *const peer_keys[] = { "name", "interface", "ip", "vlan", NULL };

/* ---- Lists ---- */

/* A list, or one of what would be in it. */
struct items {
	const struct yaml_node *one;
	struct yaml_node *const *nodes;
	size_t count;
};

static struct items items_of(
		struct flow_reader *reader, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = flow_reader_find(map, key);
	if (node != NULL && node->kind == YAML_KIND_LIST) {
		return (struct items){ .nodes = node->items, .count = node->count };
	}
	if (node != NULL && node->kind == YAML_KIND_SCALAR) {
		yaml_is_list(&reader->file, key, node);
		return (struct items){ .count = 0 };
	}
	return (struct items){ .one = node, .count = node != NULL };
}

static const struct yaml_node *item(const struct items *items, size_t number)
{
	return items->nodes != NULL ? items->nodes[number] : items->one;
}

/* ---- Peers ---- */

/* "site:name" may be called "name". */
static bool is_short_for(const char *text, const char *name)
{
	size_t len = strlen(text);
	size_t name_len = strlen(name);
	return name_len > len && name[name_len - len - 1] == ':'
			&& strcmp(name + name_len - len, text) == 0;
}

/* By its name, or by the end of it; of several by the interface that is meant. */
static struct flow_node *find_peer(const struct flow *flow, const char *name, const char *interface)
{
	struct flow_node *found = flow_find_node(flow, name);
	size_t count = 0;
	if (found != NULL) {
		return found;
	}
	for (int has_to_fit = 0; has_to_fit < 2 && count != 1; has_to_fit++) {
		count = 0;
		LIST_EACH (link, &flow->nodes) {
			struct flow_node *node = LIST_ENTRY(link, struct flow_node, link);
			bool fits = !has_to_fit || flow_find_port(node, interface) != NULL;
			if (is_short_for(name, node->name) && fits) {
				found = node;
				count++;
			}
		}
	}
	return count == 1 ? found : NULL;
}

static void read_peer(
		struct flow_reader *reader, const struct yaml_node *map, struct flow_port *port)
{
	struct flow *flow = reader->flow;
	if (!flow_reader_check_keys(reader, map, "a peer", peer_keys)) {
		return;
	}
	const char *name = flow_reader_text(reader, map, "name");
	const char *interface = flow_reader_text(reader, map, "interface");
	if (name[0] == '\0') {
		return;
	}
	struct flow_node *node = find_peer(flow, name, interface);
	if (node == NULL) {
		flow_reader_warn(reader, map->line, "the peer '%s' is no node of this flow", name);
		node = flow_add_node(flow, FLOW_ELSEWHERE, name);
	}
	struct flow_port *other = interface[0] == '\0' ? NULL : flow_find_port(node, interface);
	if (other == NULL && interface[0] != '\0') {
		if (node->kind != FLOW_ELSEWHERE) {
			flow_reader_warn(reader, map->line, "'%s' has no interface '%s'", name, interface);
		}
		other = flow_add_port(flow, node, interface);
	}
	if (other == port) {
		yaml_fail(&reader->file, map->line, "'%s' is its own peer", interface);
		return;
	}
	flow_add_link(flow, (struct flow_end){ port->node, port }, (struct flow_end){ node, other });
}

/* ---- Nodes ---- */

/* An address without the length of its network. */
static const char *read_ip(struct flow_reader *reader, const struct yaml_node *map, const char *key)
{
	struct slice text = slice_of_string(flow_reader_text(reader, map, key));
	const char *slash = slice_find_byte(text, '/');
	return slash == NULL ? text.ptr
						 : arena_copy_string(&reader->flow->arena, slice_between(text.ptr, slash));
}

static void read_interface(
		struct flow_reader *reader, const struct yaml_node *map, struct flow_node *node)
{
	if (!flow_reader_check_keys(reader, map, "an interface", interface_keys)) {
		return;
	}
	const char *name = flow_reader_name(reader, map, "an interface", "name");
	if (name[0] != '\0' && flow_find_port(node, name) != NULL) {
		yaml_fail(&reader->file, map->line, "'%s' has a second interface '%s'", node->name, name);
		return;
	}
	struct flow_port *port = flow_add_port(reader->flow, node, name);
	port->vlan = flow_reader_vlan(reader, flow_reader_text(reader, map, "vlan"));
	port->ip = read_ip(reader, map, "ip");
	read_ip(reader, map, "ping");
}

static enum flow_kind read_type(struct flow_reader *reader, const struct yaml_node *map)
{
	const char *type = flow_reader_name(reader, map, "a node", "type");
	bool is_switch = strcmp(type, "switch") == 0;
	if (type[0] != '\0' && !is_switch && strcmp(type, "host") != 0) {
		yaml_fail(&reader->file, flow_reader_find(map, "type")->line,
				"'type' must be host or switch, not '%s'", type);
	}
	return is_switch ? FLOW_SWITCH : FLOW_HOST;
}

static void read_node(struct flow_reader *reader, const struct yaml_node *map)
{
	if (!flow_reader_check_keys(reader, map, "a node", node_keys)) {
		return;
	}
	const char *name = flow_reader_name(reader, map, "a node", "name");
	enum flow_kind kind = read_type(reader, map);
	if (name[0] != '\0' && flow_find_node(reader->flow, name) != NULL) {
		yaml_fail(&reader->file, map->line, "there is a second node '%s'", name);
		return;
	}
	struct flow_node *node = flow_add_node(reader->flow, kind, name);
	node->address = flow_reader_text(reader, map, "target");
	struct items interfaces = items_of(reader, map, "interface");
	for (size_t i = 0; i < interfaces.count; i++) {
		read_interface(reader, item(&interfaces, i), node);
	}
}

/* Everything was found to be good: nodes and ports are in the order of the file. */
static void read_peers(struct flow_reader *reader, const struct items *nodes)
{
	struct list *link = reader->flow->nodes.next;
	for (size_t i = 0; i < nodes->count; i++, link = link->next) {
		struct flow_node *node = LIST_ENTRY(link, struct flow_node, link);
		struct items interfaces = items_of(reader, item(nodes, i), "interface");
		for (size_t j = 0; j < interfaces.count; j++) {
			const struct yaml_node *map = item(&interfaces, j);
			struct items peers = items_of(reader, map, "peer");
			struct flow_port *port = flow_find_port(node, flow_reader_text(reader, map, "name"));
			for (size_t k = 0; k < peers.count; k++) {
				read_peer(reader, item(&peers, k), port);
			}
		}
	}
}

void flow_nodes_read(struct flow_reader *reader)
{
	const struct yaml_node *root = reader->file.root;
	flow_reader_check_keys(reader, root, "a flow", flow_keys);
	reader->flow->name = flow_reader_name(reader, root, "a flow", "flow");
	reader->flow->title = flow_reader_text(reader, root, "title");
	struct items nodes = items_of(reader, root, "node");
	for (size_t i = 0; i < nodes.count; i++) {
		read_node(reader, item(&nodes, i));
	}
	if (nodes.count == 0) {
		yaml_fail(&reader->file, flow_reader_find(root, "node")->line, "'node' has no nodes");
	}
	if (!reader->file.failed) {
		read_peers(reader, &nodes);
	}
}
