#include "cli/dashboard_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- Texts in regular expressions in strings ---- */

static void append_literal(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '$') {
			buf_append_string(out, "[$]"); /* "\\$name" would be a variable of Grafana's */
		} else if (*text == '"') {
			buf_append_string(out, "\\\"");
		} else if (*text == '\\') {
			buf_append_string(out, "\\\\\\\\");
		} else {
			buf_append_string(out, strchr(".+*?()|[]{}^", *text) == NULL ? "" : "\\\\");
			buf_append_byte(out, *text);
		}
	}
}

/* Alternatives between ( and ), each once. */
struct choice {
	struct buf *out;
	const char **texts;
	size_t count;
};

static bool is_chosen(const struct choice *choice, const char *text)
{
	for (size_t i = 0; i < choice->count; i++) {
		if (strcmp(choice->texts[i], text) == 0) {
			return true;
		}
	}
	return false;
}

static void choose(struct choice *choice, const char *text)
{
	if (text[0] == '\0' || is_chosen(choice, text)) {
		return;
	}
	choice->texts = memory_resize(choice->texts, (choice->count + 1) * sizeof(*choice->texts));
	choice->texts[choice->count++] = text;
	buf_append_byte(choice->out, choice->count == 1 ? '(' : '|');
	append_literal(choice->out, text);
}

/* One of nothing matches nothing. */
static void end_choice(struct choice *choice)
{
	buf_append_string(choice->out, choice->count == 0 ? "()" : ")");
	free(choice->texts);
}

/* ---- What is selected ---- */

static bool is_in(const struct query_scope *scope, const struct flow_node *node)
{
	return scope->node == NULL ? node->kind == scope->kind : node == scope->node;
}

/* The site in front of "site:name" is not what the agent there calls itself. */
static const char *short_name(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon == NULL ? "" : colon + 1;
}

static void choose_node(struct choice *choice, const struct flow_node *node)
{
	choose(choice, node->name);
	choose(choice, short_name(node->name));
	choose(choice, node->address);
	LIST_EACH (link, &node->ports) {
		choose(choice, LIST_ENTRY(link, struct flow_port, link)->ip);
	}
}

static void append_nodes(struct buf *out, const struct query_scope *scope)
{
	struct choice choice = { .out = out };
	bool is_host = scope->kind == FLOW_HOST;
	buf_append_string(out, "site=~\"$site\",");
	buf_append_string(out, is_host ? "instance=~\"" : "target_switch=~\"");
	LIST_EACH (link, &scope->flow->nodes) {
		struct flow_node *node = LIST_ENTRY(link, struct flow_node, link);
		if (is_in(scope, node)) {
			choose_node(&choice, node);
		}
	}
	end_choice(&choice);
	buf_append_string(out, is_host ? "(:[0-9]+)?\"" : "\"");
}

static void append_ports(struct buf *out, const struct query_scope *scope)
{
	struct choice choice = { .out = out };
	append_nodes(out, scope);
	buf_append_string(out, scope->kind == FLOW_HOST ? ",device=~\"" : ",ifName=~\"");
	LIST_EACH (node_link, &scope->flow->nodes) {
		struct flow_node *node = LIST_ENTRY(node_link, struct flow_node, link);
		LIST_EACH (link, &node->ports) {
			choose(&choice,
					is_in(scope, node) ? LIST_ENTRY(link, struct flow_port, link)->name : "");
		}
	}
	end_choice(&choice);
	buf_append_byte(out, '"');
}

/* What is to be chosen of a port; "": nothing. */
typedef const char *pick_text(const struct flow_port *port);

static const char *pick_address(const struct flow_port *port)
{
	return port->node->kind == FLOW_HOST ? port->ip : "";
}

/* "vlan 100" is 100 to who measures it. */
static const char *pick_vlan(const struct flow_port *port)
{
	return port->vlan + strcspn(port->vlan, "0123456789");
}

static void choose_of_ports(struct choice *choice, const struct flow *flow, pick_text *pick)
{
	LIST_EACH (node_link, &flow->nodes) {
		struct flow_node *node = LIST_ENTRY(node_link, struct flow_node, link);
		LIST_EACH (link, &node->ports) {
			choose(choice, pick(LIST_ENTRY(link, struct flow_port, link)));
		}
	}
}

static void append_of_ports(struct buf *out, const struct flow *flow, pick_text *pick)
{
	struct choice choice = { .out = out };
	buf_append_byte(out, '"');
	choose_of_ports(&choice, flow, pick);
	end_choice(&choice);
	buf_append_byte(out, '"');
}

static bool has_of_ports(const struct flow *flow, pick_text *pick)
{
	LIST_EACH (node_link, &flow->nodes) {
		struct flow_node *node = LIST_ENTRY(node_link, struct flow_node, link);
		LIST_EACH (link, &node->ports) {
			if (pick(LIST_ENTRY(link, struct flow_port, link))[0] != '\0') {
				return true;
			}
		}
	}
	return false;
}

bool query_has_addresses(const struct flow *flow)
{
	return has_of_ports(flow, pick_address);
}

bool query_has_vlans(const struct flow *flow)
{
	return has_of_ports(flow, pick_vlan);
}

/* ---- Patterns ---- */

/* False when the letter stands for nothing. */
static bool append_selected(struct buf *out, char letter, const struct query_scope *scope)
{
	switch (letter) {
	case 'N':
		append_nodes(out, scope);
		return true;
	case 'P':
		append_ports(out, scope);
		return true;
	case 'O':
		append_of_ports(out, scope->flow, pick_address);
		return true;
	case 'V':
		append_of_ports(out, scope->flow, pick_vlan);
		return true;
	default:
		return false;
	}
}

void query_append(struct buf *out, const char *pattern, const struct query_scope *scope)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '%' && append_selected(out, pattern[1], scope)) {
			pattern++;
		} else {
			buf_append_byte(out, *pattern);
		}
	}
}
