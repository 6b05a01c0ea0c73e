#include "targets/service_search.h"

#include "base/hash.h"

enum { PATH_NAMES_MAX = 10 };

/* ---- Goals ---- */

struct goal {
	struct map_node node;
	struct slice name;
};

static struct goal *find_goal(const struct map *map, struct slice name)
{
	uint64_t hash = hash64(name);
	struct map_node *node = map_first(map, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct goal *goal = MAP_ENTRY(node, struct goal, node);
		if (slice_equal(goal->name, name)) {
			return goal;
		}
	}
	return NULL;
}

void service_goals_init(struct service_goals *goals)
{
	map_init(&goals->map);
}

void service_goals_finish(struct service_goals *goals)
{
	map_finish(&goals->map);
}

void service_goals_add(struct service_goals *goals, struct slice name, struct arena *arena)
{
	struct goal *goal = arena_alloc(arena, sizeof(*goal));
	goal->name = name;
	map_insert(&goals->map, &goal->node, hash64(name));
}

/* ---- Searching ---- */

/* One that was reached. */
struct step {
	struct goal reached; /* by its name */
	struct service service;
	struct step *via;  /* NULL: it is where the search began */
	struct step *next; /* to be looked at */
};

struct search {
	const struct service_view *view;
	const struct service_goals *goals;
	size_t reached_max;
	struct arena *arena;
	struct map reached; // step::reached
	struct step *last;  /* of those that are to be looked at */
};

static struct step *reach(struct search *search, struct service service, struct step *via)
{
	struct step *step = arena_zalloc(search->arena, 1, sizeof(*step));
	step->reached.name = service.name;
	step->service = service;
	step->via = via;
	map_insert(&search->reached, &step->reached.node, hash64(service.name));
	if (search->last != NULL) {
		search->last->next = step;
	}
	search->last = step;
	return step;
}

/* Names from the goal back to the start are written in their order. */
static struct slice path_text(struct search *search, const struct step *end, struct slice goal)
{
	size_t count = 0;
	size_t i = 0;
	struct buf text;
	for (const struct step *step = end; step != NULL; step = step->via) {
		count++;
	}
	struct slice *names = arena_zalloc(search->arena, count, sizeof(*names));
	for (const struct step *step = end; step != NULL; step = step->via) {
		names[count - ++i] = step->service.name;
	}
	buf_init(&text, 0);
	for (i = 0; i < count; i++) {
		if (i < PATH_NAMES_MAX || i == count - 1) {
			buf_append(&text, names[i]);
			buf_append(&text, SLICE(" -> "));
		} else if (i == PATH_NAMES_MAX) {
			buf_append(&text, SLICE("... -> "));
		}
	}
	buf_append(&text, goal);
	struct slice copy = arena_copy(search->arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

/* True: one of its dependencies is a goal. */
static bool look_at(struct search *search, struct step *step, struct slice *ret_path)
{
	struct service next;
	struct slice rest = service_find_dependencies(search->view, step->service);
	while (rest.len > 0) {
		struct slice name = service_take(&rest);
		if (find_goal(&search->goals->map, name) != NULL) {
			*ret_path = path_text(search, step, name);
			return true;
		}
		bool is_new = search->reached.len < search->reached_max
				&& find_goal(&search->reached, name) == NULL;
		if (is_new && service_find(search->view, name, &next)) {
			reach(search, next, step);
		}
	}
	return false;
}

bool service_search(const struct service_view *view, struct service from,
		const struct service_goals *goals, size_t looked_at_max, struct arena *arena,
		struct slice *ret_path)
{
	struct search search = {
		.view = view,
		.goals = goals,
		.reached_max = looked_at_max,
		.arena = arena,
	};
	bool is_found = false;
	map_init(&search.reached);
	struct step *step = reach(&search, from, NULL);
	for (; step != NULL && !is_found; step = step->next) {
		is_found = look_at(&search, step, ret_path);
	}
	map_finish(&search.reached);
	return is_found;
}

static bool leads(const struct target_config *config, const struct service_goals *goals)
{
	struct slice rest = labels_find(&config->attributes, service_field_name(SERVICE_DEPENDENCIES));
	while (rest.len > 0) {
		if (find_goal(&goals->map, service_take(&rest)) != NULL) {
			return true;
		}
	}
	return false;
}

bool service_search_leads(const struct service_view *view, const struct service_goals *goals)
{
	if (view->changed.config != NULL && leads(view->changed.config, goals)) {
		return true;
	}
	LIST_EACH (link, &view->registry->unwatched) {
		const struct target_config *config = &LIST_ENTRY(link, struct target, described)->config;
		if (config->mode == TARGET_SERVICE && leads(config, goals)) {
			return true;
		}
	}
	return false;
}
