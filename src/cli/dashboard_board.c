#include "cli/dashboard_board.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "cli/dashboard_query.h"
#include "cli/dashboard_topology.h"

extern const char dashboard_parts[];

enum { COLUMNS = 24, ROW_HEIGHT = 1, TOPOLOGY_HEIGHT = 12 };

static const char diagram_panel[] = "jdbranham-diagram-panel";

struct board {
	const struct flow *flow;
	cJSON *parts;
	cJSON *document;
	cJSON *panels;
	int panel_count;
	int x;
	int y;
	int height; /* of the panels beside each other at y */
};

/* ---- Places ---- */

static void begin_line(struct board *board)
{
	board->x = 0;
	board->y += board->height;
	board->height = 0;
}

static void place(struct board *board, cJSON *panel, int width, int height)
{
	cJSON *where = cJSON_AddObjectToObject(panel, "gridPos");
	if (board->x + width > COLUMNS) {
		begin_line(board);
	}
	cJSON_AddNumberToObject(where, "x", board->x);
	cJSON_AddNumberToObject(where, "y", board->y);
	cJSON_AddNumberToObject(where, "w", width);
	cJSON_AddNumberToObject(where, "h", height);
	board->x += width;
	board->height = height > board->height ? height : board->height;
}

/* ---- Panels ---- */

static void add_copies(cJSON *object, const cJSON *items)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, items)
	{
		cJSON_AddItemToObject(object, item->string, cJSON_Duplicate(item, true));
	}
}

static void add_text(cJSON *object, const char *key, struct buf *text)
{
	buf_append_byte(text, '\0');
	cJSON_AddStringToObject(object, key, text->ptr);
	text->len--;
}

/* Grafana looks for variables in titles: a word joiner, which is not seen, is in between. */
static void append_title(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		buf_append_byte(out, *text);
		if (*text == '$' || (*text == '[' && text[1] == '[')) {
			buf_append_string(out, "\u2060");
		}
	}
}

static cJSON *add_panel(struct board *board, const char *type, const char *before,
		const char *title, int width, int height)
{
	cJSON *panel = cJSON_CreateObject();
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, before);
	append_title(&text, title);
	cJSON_AddNumberToObject(panel, "id", ++board->panel_count);
	cJSON_AddStringToObject(panel, "type", type);
	add_text(panel, "title", &text);
	place(board, panel, width, height);
	add_copies(panel, cJSON_GetObjectItem(cJSON_GetObjectItem(board->parts, "looks"), type));
	cJSON_AddItemToArray(board->panels, panel);
	buf_finish(&text);
	return panel;
}

static void add_row(struct board *board, const char *before, const char *title)
{
	begin_line(board);
	add_panel(board, "row", before, title, COLUMNS, ROW_HEIGHT);
	begin_line(board);
}

/* ---- Queries ---- */

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
	return text == NULL ? "" : text;
}

static int number_of(const cJSON *object, const char *key)
{
	return (int)cJSON_GetNumberValue(cJSON_GetObjectItem(object, key));
}

static cJSON *datasource(const struct board *board)
{
	return cJSON_Duplicate(cJSON_GetObjectItem(board->parts, "datasource"), true);
}

/* Of a table: as of now. */
static void add_query(const struct board *board, cJSON *targets, const cJSON *query, bool is_table,
		const struct query_scope *scope)
{
	cJSON *target = cJSON_CreateObject();
	char ref_id[] = { (char)('A' + cJSON_GetArraySize(targets)), '\0' };
	struct buf expression;
	buf_init(&expression, 0);
	query_append(&expression, text_of(query, "expr"), scope);
	cJSON_AddStringToObject(target, "refId", ref_id);
	cJSON_AddItemToObject(target, "datasource", datasource(board));
	add_text(target, "expr", &expression);
	cJSON_AddStringToObject(target, "legendFormat", text_of(query, "legend"));
	cJSON_AddStringToObject(target, "editorMode", "code");
	cJSON_AddBoolToObject(target, "instant", is_table);
	cJSON_AddBoolToObject(target, "range", !is_table);
	if (is_table) {
		cJSON_AddStringToObject(target, "format", "table");
	}
	cJSON_AddItemToArray(targets, target);
	buf_finish(&expression);
}

static void add_queries(const struct board *board, cJSON *panel, const cJSON *queries,
		const struct query_scope *scope)
{
	cJSON *targets = cJSON_GetObjectItem(panel, "targets");
	bool is_table = strcmp(text_of(panel, "type"), "table") == 0;
	const cJSON *query;
	cJSON_ArrayForEach(query, queries)
	{
		add_query(board, targets, query, is_table, scope);
	}
}

static cJSON *add_measured_panel(struct board *board, const cJSON *part)
{
	cJSON *panel = add_panel(board, text_of(part, "type"), "", text_of(part, "title"),
			number_of(part, "w"), number_of(part, "h"));
	cJSON *defaults = cJSON_GetObjectItem(cJSON_GetObjectItem(panel, "fieldConfig"), "defaults");
	if (cJSON_HasObjectItem(part, "unit")) {
		cJSON_AddStringToObject(defaults, "unit", text_of(part, "unit"));
	}
	if (cJSON_HasObjectItem(part, "transformations")) {
		cJSON_ReplaceItemInObject(panel, "transformations",
				cJSON_Duplicate(cJSON_GetObjectItem(part, "transformations"), true));
	}
	cJSON_AddItemToObject(panel, "datasource", datasource(board));
	cJSON_AddArrayToObject(panel, "targets");
	return panel;
}

static void add_section(struct board *board, const char *name, const struct query_scope *scope)
{
	const cJSON *part;
	cJSON_ArrayForEach(part, cJSON_GetObjectItem(board->parts, name))
	{
		cJSON *panel = add_measured_panel(board, part);
		add_queries(board, panel, cJSON_GetObjectItem(part, "queries"), scope);
	}
}

/* ---- The flow ---- */

static void set_content(cJSON *panel, struct buf *content)
{
	add_text(cJSON_GetObjectItem(panel, "options"), "content", content);
}

static void add_topology(struct board *board, enum board_diagram diagram)
{
	const char *type = diagram == BOARD_PLUGIN ? diagram_panel : "text";
	struct buf content;
	buf_init(&content, 0);
	buf_append_string(&content, diagram == BOARD_PLUGIN ? "" : "```mermaid\n");
	topology_append_mermaid(&content, board->flow);
	buf_append_string(&content, diagram == BOARD_PLUGIN ? "" : "```\n");
	set_content(add_panel(board, type, "Topology", "", COLUMNS / 2, TOPOLOGY_HEIGHT), &content);
	buf_reset(&content, 0);
	topology_append_table(&content, board->flow);
	set_content(add_panel(board, "text", "Links", "", COLUMNS / 2, TOPOLOGY_HEIGHT), &content);
	buf_finish(&content);
}

static bool has_kind(const struct flow *flow, enum flow_kind kind)
{
	LIST_EACH (link, &flow->nodes) {
		if (LIST_ENTRY(link, struct flow_node, link)->kind == kind) {
			return true;
		}
	}
	return false;
}

/* Of all hosts, and of all switches, in one panel: what a host has of a switch is the switch's. */
static void add_pushed(struct board *board)
{
	const cJSON *part = cJSON_GetArrayItem(cJSON_GetObjectItem(board->parts, "pushed"), 0);
	cJSON *panel = add_measured_panel(board, part);
	for (enum flow_kind kind = FLOW_HOST; kind <= FLOW_SWITCH; kind++) {
		struct query_scope scope = { board->flow, kind, NULL };
		if (has_kind(board->flow, kind)) {
			const char *whose = kind == FLOW_HOST ? "hosts" : "switches";
			add_queries(board, panel, cJSON_GetObjectItem(part, whose), &scope);
		}
	}
}

static void add_layer2(struct board *board)
{
	struct query_scope hosts = { board->flow, FLOW_HOST, NULL };
	add_pushed(board);
	if (query_has_addresses(board->flow)) {
		add_section(board, "arp", &hosts);
	}
	if (query_has_vlans(board->flow)) {
		add_section(board, "vlans", &hosts);
	}
}

static void add_nodes(struct board *board, enum flow_kind kind)
{
	bool is_host = kind == FLOW_HOST;
	LIST_EACH (link, &board->flow->nodes) {
		struct flow_node *node = LIST_ENTRY(link, struct flow_node, link);
		struct query_scope scope = { board->flow, kind, node };
		if (node->kind == kind) {
			add_row(board, is_host ? "Host " : "Switch ", node->name);
			add_section(board, is_host ? "host" : "switch", &scope);
		}
	}
}

/* ---- The document ---- */

static void set_text(cJSON *object, const char *key, struct buf *text)
{
	buf_append_byte(text, '\0');
	cJSON_SetValuestring(cJSON_GetObjectItem(object, key), text->ptr);
	buf_reset(text, 0);
}

static void set_names(struct board *board)
{
	const struct flow *flow = board->flow;
	struct buf text;
	buf_init(&text, 0);
	buf_printf(&text, "weir-flow-%016" PRIx64, checksum64(slice_of_string(flow->name), 0));
	set_text(board->document, "uid", &text);
	append_title(&text, flow->title[0] == '\0' ? "Flow" : flow->title);
	buf_append_string(&text, ": ");
	append_title(&text, flow->name);
	set_text(board->document, "title", &text);
	buf_append_string(
			&text, "Made by weir dashboard of the flow's description: change that instead.");
	set_text(board->document, "description", &text);
	buf_finish(&text);
}

char *board_print(const struct flow *flow, enum board_diagram diagram)
{
	struct board board = { .flow = flow, .parts = cJSON_Parse(dashboard_parts) };
	board.document = cJSON_DetachItemFromObject(board.parts, "dashboard");
	board.panels = cJSON_GetObjectItem(board.document, "panels");
	set_names(&board);
	add_row(&board, "Layer 2", "");
	add_topology(&board, diagram);
	add_layer2(&board);
	add_nodes(&board, FLOW_HOST);
	add_nodes(&board, FLOW_SWITCH);
	char *printed = cJSON_Print(board.document);
	cJSON_Delete(board.document);
	cJSON_Delete(board.parts);
	return printed;
}
