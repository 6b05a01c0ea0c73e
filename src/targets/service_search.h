#pragma once

/*
 * The way from a service to another by their dependencies, those that they inherit included. It is
 * the shortest, and each service is looked at once: circles end, too.
 */

#include "base/map.h"
#include "targets/service.h"

/* Names of services. */
struct service_goals {
	struct map map; // goal::node
};

void service_goals_init(struct service_goals *goals);
void service_goals_finish(struct service_goals *goals);

/* The name is not copied. */
void service_goals_add(struct service_goals *goals, struct slice name, struct arena *arena);

/*
 * From the service to one of the goals, which itself may be; false: there is no way, or it leads on
 * behind the first services, so many of them. The path is a text in the arena,
 * first -> second -> ..., the middle of a long one left out.
 */
bool service_search(const struct service_view *view, struct service from,
		const struct service_goals *goals, size_t looked_at_max, struct arena *arena,
		struct slice *ret_path);

/* Whether any service sets one of the goals as its dependency; if not, there is no way to any. */
bool service_search_leads(const struct service_view *view, const struct service_goals *goals);
