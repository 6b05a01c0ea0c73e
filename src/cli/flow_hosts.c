#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/flow_reader.h"

/*
 * A flow as two hosts with any number of switches in a chain between them: switchData,
 * switchDataA, switchDataB and so on, or those of a list or map called switchData. The first one's
 * portIn is linked to host A, each one's portOut to the next one's portIn, the last one's portOut
 * to host B.
 */

static const char *const flow_keys[] = { "flow", "dashTitle", "debugTitle", "hostA", "hostB",
	"switchNum", "arpMetrics", "configFile", "grafanaAPIToken", "grafanaHostIP", "grafanaPort",
	"hostIP", "pushgatewayPort", "tcpMetrics", NULL };
static const char *const host_keys[] = { "IP", "interfaceName", "interfaceIP", "nodeName", "vlan",
	"switchPort", NULL };
static const char *const switch_keys[] = { "job_name", "SNMPHostIP", "target", "switchif", "portIn",
	"portOut", NULL };
static const char *const port_keys[] = { "ifName", "ifVlan", "vlan", "order", NULL };

static const char switch_key[] = "switchData";

/* ---- Ports ---- */

static const char *vlan_of(struct flow_reader *reader, const struct yaml_node *map)
{
	const char *vlan = flow_reader_text(reader, map, "vlan");
	const char *name = flow_reader_text(reader, map, "ifVlan");
	return flow_reader_vlan(reader, vlan[0] != '\0' ? vlan : name);
}

/* The port of that key, which two keys may mean; NULL: there is none. */
static struct flow_port *read_port(struct flow_reader *reader, const struct yaml_node *map,
		const char *key, struct flow_node *node)
{
	const struct yaml_node *port_map = flow_reader_find(map, key);
	if (port_map == NULL || !flow_reader_check_keys(reader, port_map, key, port_keys)) {
		return NULL;
	}
	const char *name = flow_reader_name(reader, port_map, key, "ifName");
	struct flow_port *port = flow_find_port(node, name);
	if (port == NULL) {
		port = flow_add_port(reader->flow, node, name);
		port->vlan = vlan_of(reader, port_map);
	}
	return port;
}

/* ---- Hosts ---- */

static struct flow_end read_host(struct flow_reader *reader, const char *key)
{
	const struct yaml_node *map = flow_reader_find(reader->file.root, key);
	struct flow_end end = { NULL, NULL };
	if (map == NULL) {
		yaml_fail(&reader->file, reader->file.root->line, "there is no '%s'", key);
		return end;
	}
	if (!flow_reader_check_keys(reader, map, key, host_keys)) {
		return end;
	}
	const char *name = flow_reader_name(reader, map, key, "nodeName");
	if (name[0] != '\0' && flow_find_node(reader->flow, name) != NULL) {
		yaml_fail(&reader->file, map->line, "'%s' is both hosts", name);
	}
	end.node = flow_add_node(reader->flow, FLOW_HOST, name);
	end.node->address = flow_reader_text(reader, map, "IP");
	end.port = flow_add_port(
			reader->flow, end.node, flow_reader_name(reader, map, key, "interfaceName"));
	end.port->vlan = flow_reader_vlan(reader, flow_reader_text(reader, map, "vlan"));
	end.port->ip = flow_reader_text(reader, map, "interfaceIP");
	return end;
}

/* ---- Switches ---- */

struct chain_item {
	const char *suffix; /* A of switchDataA; "": none */
	const struct yaml_node *map;
};

struct chain {
	struct chain_item *items;
	size_t count;
};

/* "", A, B, ... Z, AA; 1, 2, ... 10 */
static int compare_items(const void *a, const void *b)
{
	const char *one = ((const struct chain_item *)a)->suffix;
	const char *other = ((const struct chain_item *)b)->suffix;
	size_t len = strlen(one);
	size_t other_len = strlen(other);
	return len != other_len ? (len > other_len) - (len < other_len) : strcmp(one, other);
}

static void add_item(struct chain *chain, const char *suffix, const struct yaml_node *map)
{
	chain->items = memory_resize(chain->items, (chain->count + 1) * sizeof(*chain->items));
	chain->items[chain->count++] = (struct chain_item){ suffix, map };
}

/* Not one switch, but switches by their letters. */
static bool has_switches(const struct yaml_node *map)
{
	bool is_all = map->kind == YAML_KIND_MAP && map->count > 0;
	for (size_t i = 0; i < map->count && is_all; i++) {
		is_all = map->items[i]->kind == YAML_KIND_MAP && strncmp(map->keys[i], "port", 4) != 0;
	}
	return is_all;
}

/* switchDataA: {...}, switchData: {...}, switchData: {A: {...}}, or switchData: [{...}] */
static void add_items(struct flow_reader *reader, struct chain *chain, const char *suffix,
		const struct yaml_node *value)
{
	if (value->kind != YAML_KIND_LIST && !has_switches(value)) {
		add_item(chain, suffix, value);
		return;
	}
	bool is_map = value->kind == YAML_KIND_MAP;
	for (size_t i = 0; i < value->count; i++) {
		struct arena *arena = &reader->flow->arena;
		const char *own = is_map ? arena_copy_string(arena, slice_of_string(value->keys[i]))
								 : arena_printf(arena, "%zu%c", i + 1, '\0').ptr;
		add_item(chain, own, value->items[i]);
	}
}

static bool is_switch_key(const char *key)
{
	return strncmp(key, switch_key, sizeof(switch_key) - 1) == 0;
}

static struct chain chain_of(struct flow_reader *reader)
{
	const struct yaml_node *root = reader->file.root;
	struct chain chain = { NULL, 0 };
	for (size_t i = 0; i < root->count; i++) {
		if (is_switch_key(root->keys[i]) && flow_reader_find(root, root->keys[i]) != NULL) {
			add_items(reader, &chain, root->keys[i] + sizeof(switch_key) - 1, root->items[i]);
		}
	}
	if (chain.count > 0) {
		qsort(chain.items, chain.count, sizeof(*chain.items), compare_items);
	}
	return chain;
}

/* "switch A 192.0.2.9": two may be one switch, of which each is a part. */
static struct flow_node *add_switch(struct flow_reader *reader, const struct chain_item *item)
{
	static const char *const address_keys[] = { "target", "SNMPHostIP", "job_name" };
	const char *address = "";
	for (size_t i = 0; i < 3; i++) {
		const char *text = flow_reader_text(reader, item->map, address_keys[i]);
		address = address[0] == '\0' ? text : address;
	}
	if (address[0] == '\0') {
		yaml_fail(&reader->file, item->map->line, "%s%s has no 'target'", switch_key, item->suffix);
	}
	const char *blank = item->suffix[0] == '\0' ? "" : " ";
	struct slice name = arena_printf(
			&reader->flow->arena, "switch %s%s%s%c", item->suffix, blank, address, '\0');
	struct flow_node *node = flow_add_node(reader->flow, FLOW_SWITCH, name.ptr);
	node->address = address;
	return node;
}

/* Links it to what is before it; answers where it goes on. */
static struct flow_end read_switch(
		struct flow_reader *reader, const struct chain_item *item, struct flow_end before)
{
	const struct yaml_node *map = item->map;
	if (!flow_reader_check_keys(reader, map, switch_key, switch_keys)) {
		return before;
	}
	struct flow_node *node = add_switch(reader, item);
	struct flow_end in = { node, read_port(reader, map, "portIn", node) };
	struct flow_end out = { node, read_port(reader, map, "portOut", node) };
	flow_add_link(reader->flow, before, in);
	return out;
}

/* The host may say at which port of the switch it is. */
static void check_switch_port(
		struct flow_reader *reader, const char *key, const struct flow_end *end)
{
	const struct yaml_node *map = flow_reader_find(reader->file.root, key);
	const struct yaml_node *port = flow_reader_find(map, "switchPort");
	if (port == NULL || !flow_reader_check_keys(reader, port, "switchPort", port_keys)) {
		return;
	}
	const char *name = flow_reader_text(reader, port, "ifName");
	if (end->port != NULL && name[0] != '\0' && strcmp(name, end->port->name) != 0) {
		flow_reader_warn(reader, port->line,
				"%s is at the port '%s' of its switch, which says '%s'", key, name,
				end->port->name);
	}
}

/* ---- The flow ---- */

static void check_count(struct flow_reader *reader, size_t count)
{
	const struct yaml_node *node = flow_reader_find(reader->file.root, "switchNum");
	const char *text = flow_reader_text(reader, reader->file.root, "switchNum");
	char *end;
	unsigned long said = strtoul(text, &end, 10);
	if (text[0] != '\0' && (*end != '\0' || said != count)) {
		yaml_fail(&reader->file, node->line, "'switchNum' is %s, but there are %zu of '%s'", text,
				count, switch_key);
	}
}

static void check_flow_keys(struct flow_reader *reader)
{
	enum { KEYS = sizeof(flow_keys) / sizeof(flow_keys[0]) };
	const struct yaml_node *root = reader->file.root;
	const char **known = memory_zalloc(KEYS + root->count, sizeof(*known));
	size_t count = 0;
	for (size_t i = 0; i < root->count; i++) {
		if (is_switch_key(root->keys[i])) {
			known[count++] = root->keys[i];
		}
	}
	memcpy(known + count, flow_keys, sizeof(flow_keys));
	flow_reader_check_keys(reader, root, "a flow", known);
	free(known);
}

static void read_chain(struct flow_reader *reader, const struct chain *chain)
{
	struct flow_end first = read_host(reader, "hostA");
	struct flow_end last = read_host(reader, "hostB");
	struct flow_end end = first;
	struct flow_end beside_first = last;
	if (reader->file.failed) {
		return;
	}
	for (size_t i = 0; i < chain->count; i++) {
		end = read_switch(reader, &chain->items[i], end);
		if (i == 0 && !list_is_empty(&reader->flow->links)) {
			beside_first = LIST_ENTRY(reader->flow->links.next, struct flow_link, link)->ends[1];
		}
	}
	if (chain->count > 0) {
		check_switch_port(reader, "hostA", &beside_first);
		check_switch_port(reader, "hostB", &end);
	}
	flow_add_link(reader->flow, end, last);
}

void flow_hosts_read(struct flow_reader *reader)
{
	const struct yaml_node *root = reader->file.root;
	struct chain chain = chain_of(reader);
	check_flow_keys(reader);
	reader->flow->name = flow_reader_name(reader, root, "a flow", "flow");
	reader->flow->title = flow_reader_text(reader, root, "dashTitle");
	check_count(reader, chain.count);
	read_chain(reader, &chain);
	free(chain.items);
}
