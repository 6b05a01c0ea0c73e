#pragma once

/*
 * What both forms of a flow's description have in common: maps whose keys are looked up, and texts
 * that are fit to be names.
 */

#include <stdbool.h>

#include "cli/flow.h"
#include "config/yaml.h"

struct flow_reader {
	struct flow *flow;
	struct yaml_file file;
	struct buf *warnings;
};

/* As yaml_fail(), but the flow can be read all the same. */
void flow_reader_warn(struct flow_reader *reader, size_t line, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/*
 * Complains about keys that are not among the known ones, up to a NULL: those that look like a
 * slip are errors, others are left alone with a warning. False when it is no map.
 */
bool flow_reader_check_keys(struct flow_reader *reader, const struct yaml_node *map,
		const char *where, const char *const *known);

/* NULL: it has no such key, or no value for it. */
const struct yaml_node *flow_reader_find(const struct yaml_node *map, const char *key);

/*
 * The text of a key without blanks around it, in the flow's arena; "" when it has none. What is not
 * one short line is an error.
 */
const char *flow_reader_text(
		struct flow_reader *reader, const struct yaml_node *map, const char *key);

/* The same, and an error when it has none. */
const char *flow_reader_name(struct flow_reader *reader, const struct yaml_node *map,
		const char *where, const char *key);

/* As it is to be shown: "vlan 100"; "" when it is said to be none. */
const char *flow_reader_vlan(struct flow_reader *reader, const char *text);

/* Those of the two forms; errors are in the file. */
void flow_nodes_read(struct flow_reader *reader);
void flow_hosts_read(struct flow_reader *reader);
