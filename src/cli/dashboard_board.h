#pragma once

/*
 * The dashboard of a flow, as Grafana's JSON. What panels look like and what they ask for is in
 * dashboard_parts.json, which is part of the program; here they get their places and their
 * names. The same flow gives the same bytes, and its uid is that of no other flow.
 */

#include <stdbool.h>

#include "cli/flow.h"

enum board_diagram {
	BOARD_TEXT,   /* in a panel that Grafana brings along */
	BOARD_PLUGIN, /* in one of the plugin jdbranham-diagram-panel */
};

/* To be freed by the caller, with free(). */
char *board_print(const struct flow *flow, enum board_diagram diagram);
