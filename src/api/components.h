#pragma once

/*
 * What weir stands on besides itself, and how that is: where groups and targets are kept, and the
 * lists that it drains. What the settings do not ask for is no component.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"
#include "stats/stats.h"

enum { COMPONENTS_MAX = 3 };

struct component {
	const char *name;
	const char *setting; /* that says where it is */
	const char *what;    /* waits */
	bool is_up;
	int64_t seen_ns; /* Unix time when it was last known to be up; 0: never */
	uint64_t waiting;
};

/* Sorted by name, as of what was collected; one that is up is seen now. Returns how many. */
size_t components_list(
		const struct stats *stats, int64_t now_ns, struct component ret_components[COMPONENTS_MAX]);

/* [{"name":"lists",...},...] */
void components_append_json(
		struct buf *out, const struct stats *stats, const struct config *config, int64_t now_ns);

/* A table of HTML, in the arena. */
struct slice components_table(const struct stats *stats, const struct config *config,
		int64_t now_ns, struct arena *arena);

/* The names of those that are away, in the arena: "state, targets". */
struct slice components_away(const struct stats *stats, struct arena *arena);
