#include "cli/dashboard_topology.h"

#include <string.h>

/* How a character is told by its number, and which others mean themselves, as letters and digits
 * do. */
struct spelling {
	const char *before;
	const char *plain;
};

static const struct spelling mermaid = { "#", " ,.:/+-_=@" };
/* Grafana makes links of what looks like an address: by its dots, colon or at sign. */
static const struct spelling markdown = { "&#", " ,/+-=" };

static bool is_plain(char byte, const struct spelling *spelling)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')
			|| (byte >= '0' && byte <= '9') || (unsigned char)byte >= 0x80
			|| strchr(spelling->plain, byte) != NULL;
}

/* Mermaid reads a label as Markdown, of which "1. " and "- " would begin a list: where that mark
 * stands, or NULL. */
static const char *find_list_mark(const char *text)
{
	const char *mark = text + strspn(text, "0123456789");
	bool is_mark = mark == text ? *mark == '-' || *mark == '+' : *mark == '.';
	return is_mark && (mark[1] == ' ' || mark[1] == '\0') ? mark : NULL;
}

static void append_text(struct buf *out, const char *text, const struct spelling *spelling)
{
	const char *mark = find_list_mark(text);
	for (; *text != '\0'; text++) {
		if (is_plain(*text, spelling) && text != mark) {
			buf_append_byte(out, *text);
		} else {
			buf_printf(out, "%s%d;", spelling->before, *text);
		}
	}
}

static void append_port_text(
		struct buf *out, const struct flow_port *port, const struct spelling *spelling)
{
	append_text(out, port->name, spelling);
	if (port->vlan[0] != '\0') {
		buf_append_string(out, ", ");
		append_text(out, port->vlan, spelling);
	}
}

/* ---- Mermaid ---- */

static void append_node(struct buf *out, const struct flow_node *node)
{
	bool has_ports = !list_is_empty(&node->ports);
	buf_printf(out, "  %sn%zu[\"", has_ports ? "subgraph " : "", node->number);
	append_text(out, node->name, &mermaid);
	buf_append_string(out, "\"]\n");
	LIST_EACH (link, &node->ports) {
		struct flow_port *port = LIST_ENTRY(link, struct flow_port, link);
		buf_printf(out, "    n%zup%zu[\"", node->number, port->number);
		append_port_text(out, port, &mermaid);
		buf_append_string(out, "\"]\n");
	}
	buf_append_string(out, has_ports ? "  end\n" : "");
}

static void append_end(struct buf *out, struct flow_end end)
{
	buf_printf(out, "n%zu", end.node->number);
	if (end.port != NULL) {
		buf_printf(out, "p%zu", end.port->number);
	}
}

void topology_append_mermaid(struct buf *out, const struct flow *flow)
{
	buf_append_string(out, "flowchart LR\n");
	LIST_EACH (link, &flow->nodes) {
		append_node(out, LIST_ENTRY(link, struct flow_node, link));
	}
	LIST_EACH (link, &flow->links) {
		struct flow_link *line = LIST_ENTRY(link, struct flow_link, link);
		buf_append_string(out, "  ");
		append_end(out, line->ends[0]);
		buf_append_string(out, " --- ");
		append_end(out, line->ends[1]);
		buf_append_byte(out, '\n');
	}
}

/* ---- Markdown ---- */

static void append_cells(struct buf *out, struct flow_end end)
{
	append_text(out, end.node->name, &markdown);
	buf_append_string(out, " | ");
	if (end.port != NULL) {
		append_port_text(out, end.port, &markdown);
	}
}

void topology_append_table(struct buf *out, const struct flow *flow)
{
	if (list_is_empty(&flow->links)) {
		buf_append_string(out, "Nothing is said of how these are linked.\n");
		return;
	}
	buf_append_string(out, "| from | port | to | port |\n|---|---|---|---|\n");
	LIST_EACH (link, &flow->links) {
		struct flow_link *line = LIST_ENTRY(link, struct flow_link, link);
		buf_append_string(out, "| ");
		append_cells(out, line->ends[0]);
		buf_append_string(out, " | ");
		append_cells(out, line->ends[1]);
		buf_append_string(out, " |\n");
	}
}
