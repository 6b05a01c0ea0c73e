#include "cli/flow_reader.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "cli/flow_read.h"
#include "config/suggest.h"

/* Longer ones are no names. */
enum { TEXT_BYTES_MAX = 200 };

void flow_reader_warn(struct flow_reader *reader, size_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buf_printf(reader->warnings, "%s:%zu: ", reader->file.path, line);
	buf_vprintf(reader->warnings, format, args);
	buf_append_byte(reader->warnings, '\n');
	va_end(args);
}

/* ---- Keys ---- */

static void check_key(struct flow_reader *reader, size_t line, const char *key, const char *where,
		const char *const *known)
{
	struct suggestion near = suggestion_begin(slice_of_string(key));
	for (; *known != NULL; known++) {
		if (strcmp(*known, key) == 0) {
			return;
		}
		suggestion_consider(&near, *known);
	}
	if (near.name != NULL) {
		yaml_fail(&reader->file, line, "unknown key '%s' in %s, did you mean '%s'?", key, where,
				near.name);
	} else {
		flow_reader_warn(reader, line, "unknown key '%s' in %s is left alone", key, where);
	}
}

bool flow_reader_check_keys(struct flow_reader *reader, const struct yaml_node *map,
		const char *where, const char *const *known)
{
	if (map->kind != YAML_KIND_MAP) {
		yaml_fail(&reader->file, map->line, "%s must be keys and values", where);
		return false;
	}
	for (size_t i = 0; i < map->count; i++) {
		check_key(reader, map->key_lines[i], map->keys[i], where, known);
	}
	return true;
}

const struct yaml_node *flow_reader_find(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_node *item = map->items[i];
		bool is_nothing = item->kind == YAML_KIND_SCALAR && item->is_null;
		if (strcmp(map->keys[i], key) == 0 && !is_nothing) {
			return item;
		}
	}
	return NULL;
}

/* ---- Texts ---- */

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte < 0x20 || byte == 0x7f) {
			return true;
		}
	}
	return false;
}

const char *flow_reader_text(
		struct flow_reader *reader, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = flow_reader_find(map, key);
	const char *text = node == NULL ? NULL : yaml_text(&reader->file, key, node);
	if (text == NULL) {
		return "";
	}
	struct slice trimmed = slice_trim(slice_of_string(text));
	if (has_control(trimmed)) {
		yaml_fail(&reader->file, node->line, "'%s' must be one line, without tabs", key);
	} else if (trimmed.len > TEXT_BYTES_MAX) {
		yaml_fail(&reader->file, node->line, "'%s' is longer than %d bytes", key, TEXT_BYTES_MAX);
	}
	return arena_copy_string(&reader->flow->arena, trimmed);
}

const char *flow_reader_name(
		struct flow_reader *reader, const struct yaml_node *map, const char *where, const char *key)
{
	const char *text = flow_reader_text(reader, map, key);
	const struct yaml_node *node = flow_reader_find(map, key);
	if (text[0] == '\0' && (node == NULL || node->kind == YAML_KIND_SCALAR)) {
		yaml_fail(&reader->file, map->line, "%s has no '%s'", where, key);
	}
	return text;
}

const char *flow_reader_vlan(struct flow_reader *reader, const char *text)
{
	static const char *const none[] = { "", "not used", "not_used", "none", "no" };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (strcasecmp(text, none[i]) == 0) {
			return "";
		}
	}
	return strncasecmp(text, "vlan", 4) == 0
			? text
			: arena_printf(&reader->flow->arena, "vlan %s%c", text, '\0').ptr;
}

/* ---- The file ---- */

static void read_root(struct flow_reader *reader)
{
	const struct yaml_node *root = reader->file.root;
	if (root == NULL || root->kind != YAML_KIND_MAP) {
		yaml_fail(&reader->file, root == NULL ? 1 : root->line,
				"no flow: it needs the keys 'flow' and 'node', or 'hostA' and 'hostB'");
		return;
	}
	bool has_nodes = flow_reader_find(root, "node") != NULL;
	bool has_hosts =
			flow_reader_find(root, "hostA") != NULL || flow_reader_find(root, "hostB") != NULL;
	if (has_nodes && has_hosts) {
		yaml_fail(&reader->file, root->line, "either 'node' or 'hostA' and 'hostB', not both");
	} else if (has_nodes) {
		flow_nodes_read(reader);
	} else if (has_hosts) {
		flow_hosts_read(reader);
	} else {
		yaml_fail(&reader->file, root->line,
				"no nodes: a flow has them below 'node', or as 'hostA' and 'hostB'");
	}
}

static bool finish(struct flow_reader *reader, bool is_read)
{
	const struct flow *flow = reader->flow;
	if (is_read) {
		read_root(reader);
	}
	if (flow->node_count > FLOW_NODES_MAX || flow->port_count > FLOW_PORTS_MAX) {
		yaml_fail(&reader->file, 1, "more than %d nodes, or more than %d interfaces",
				FLOW_NODES_MAX, FLOW_PORTS_MAX);
	}
	bool is_fine = !reader->file.failed;
	yaml_finish(&reader->file);
	return is_fine;
}

bool flow_read(struct flow *flow, const char *path, struct buf *errors, struct buf *warnings)
{
	struct flow_reader reader = { .flow = flow, .warnings = warnings };
	flow_init(flow);
	return finish(&reader, yaml_read(&reader.file, path, errors));
}

bool flow_read_text(struct flow *flow, const char *path, struct slice text, struct buf *errors,
		struct buf *warnings)
{
	struct flow_reader reader = { .flow = flow, .warnings = warnings };
	flow_init(flow);
	return finish(&reader, yaml_read_text(&reader.file, path, text, errors));
}
