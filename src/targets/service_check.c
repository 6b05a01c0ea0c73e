#include "targets/service_check.h"

#include "base/hash.h"
#include "targets/service_heirs.h"
#include "targets/service_search.h"

static bool same(struct slice a, struct slice b)
{
	return (a.ptr == NULL) == (b.ptr == NULL) && slice_equal(a, b);
}

/* A circle of parents, as a sentence's end: a -> b -> a */
static struct slice line_text(const struct service_whole *whole, struct arena *arena)
{
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < whole->len; i++) {
		buf_append(&text, whole->line[i].name);
		buf_append(&text, SLICE(" -> "));
	}
	buf_append(&text, whole->end);
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

static struct slice range_text(const struct service_whole *whole, struct arena *arena)
{
	return ARENA_JOIN(arena, SLICE("min_instances "), whole->texts[SERVICE_MIN],
			SLICE(" is more than max_instances "), whole->texts[SERVICE_MAX]);
}

/* ---- A change ---- */

struct check {
	const struct service_view *view;
	struct service_view before; /* the change taken back */
	struct service_whole old;   /* len 0: it is new */
	struct service_whole new;
	struct arena *arena;
	struct slice *reterr_text;
};

static enum service_fault refuse(
		const struct check *check, enum service_fault fault, struct slice text)
{
	*check->reterr_text = text;
	return fault;
}

static bool has_same(const struct check *check, enum service_field field)
{
	return check->old.len > 0 && same(check->old.texts[field], check->new.texts[field]);
}

static bool has_same_parent(const struct check *check)
{
	return check->old.len > 0
			&& slice_equal(service_parent(check->old.line[0].config),
					service_parent(check->new.line[0].config));
}

/* Of one whose parents may have come to be wrong. */
static enum service_fault check_line(const struct check *check, const struct service_whole *whole)
{
	struct arena *arena = check->arena;
	switch (whole->ending) {
	case SERVICE_ENDS:
		return SERVICE_OK;
	case SERVICE_ENDS_MISSING:
		return refuse(check, SERVICE_E_MISSING,
				ARENA_JOIN(arena, SLICE("there is no service "), whole->end,
						SLICE(", which is to be the parent of "),
						whole->line[whole->len - 1].name));
	case SERVICE_ENDS_CIRCLE:
		return refuse(check, SERVICE_E_CIRCLE,
				ARENA_JOIN(
						arena, SLICE("the parents would be a circle: "), line_text(whole, arena)));
	case SERVICE_ENDS_TOO_DEEP:
		return refuse(check, SERVICE_E_WRONG,
				arena_printf(arena,
						SLICE_FMT " would have more than %d parents, one above the other",
						SLICE_ARG(whole->line[0].name), SERVICE_PARENTS_MAX));
	}
	return SERVICE_OK;
}

static enum service_fault check_dependencies(const struct check *check)
{
	struct service found;
	struct slice rest = service_text(check->new.line[0].config, SERVICE_DEPENDENCIES);
	if (check->old.len > 0
			&& same(rest, service_text(check->old.line[0].config, SERVICE_DEPENDENCIES))) {
		return SERVICE_OK;
	}
	while (rest.len > 0) {
		struct slice name = service_take(&rest);
		if (!service_find(check->view, name, &found)) {
			return refuse(check, SERVICE_E_MISSING,
					ARENA_JOIN(check->arena, SLICE("there is no service "), name,
							SLICE(", which is to be a dependency of "), check->new.line[0].name));
		}
	}
	return SERVICE_OK;
}

static enum service_fault check_range(const struct check *check, const struct service_whole *whole)
{
	if (!service_is_empty_range(whole)) {
		return SERVICE_OK;
	}
	return refuse(check, SERVICE_E_WRONG,
			ARENA_JOIN(check->arena, whole->line[0].name, SLICE(": "),
					range_text(whole, check->arena)));
}

static enum service_fault check_itself(const struct check *check)
{
	enum service_fault fault = SERVICE_OK;
	if (!has_same_parent(check)) {
		fault = check_line(check, &check->new);
	}
	if (fault == SERVICE_OK) {
		fault = check_dependencies(check);
	}
	if (fault == SERVICE_OK && !(has_same(check, SERVICE_MIN) && has_same(check, SERVICE_MAX))) {
		fault = check_range(check, &check->new);
	}
	return fault;
}

/* ---- Who inherits ---- */

/* Nobody has anything else of it than before that could be wrong. */
static bool leaves_heirs_alone(const struct check *check)
{
	return has_same_parent(check) && has_same(check, SERVICE_MIN) && has_same(check, SERVICE_MAX)
			&& has_same(check, SERVICE_DEPENDENCIES);
}

/* What is wrong with it now and was not before. */
static enum service_fault check_heir(
		const struct check *check, const struct service_whole *heir, unsigned fields)
{
	struct service_whole old;
	enum service_fault fault = SERVICE_OK;
	service_resolve_some(&check->before, heir->line[0], fields, &old);
	if (heir->ending == SERVICE_ENDS_TOO_DEEP && old.ending != SERVICE_ENDS_TOO_DEEP) {
		fault = check_line(check, heir);
	}
	if (fault == SERVICE_OK && !service_is_empty_range(&old)) {
		fault = check_range(check, heir);
	}
	return fault;
}

/* Its dependencies are those of the service that is changed, or of one above that. */
static bool inherits_dependencies(const struct check *check, const struct service_whole *heir)
{
	uint8_t place = heir->places[SERVICE_DEPENDENCIES];
	for (size_t i = 0; place != SERVICE_NOWHERE && i <= place; i++) {
		if (slice_equal(heir->line[i].name, check->new.line[0].name)) {
			return true;
		}
	}
	return false;
}

/* Those that inherit, and of them those whose dependencies are its own. */
static enum service_fault check_heirs(const struct check *check, struct service_goals *goals)
{
	static const unsigned fields = 1 << SERVICE_MIN | 1 << SERVICE_MAX | 1 << SERVICE_DEPENDENCIES;
	struct service_heirs heirs;
	enum service_fault fault = SERVICE_OK;
	if (leaves_heirs_alone(check)) {
		return SERVICE_OK;
	}
	service_heirs_find(check->view->registry, check->new.line[0].name, check->arena, &heirs);
	for (size_t i = 0; i < heirs.count && fault == SERVICE_OK; i++) {
		struct service_whole heir;
		service_resolve_some(check->view, service_of(heirs.all[i]), fields, &heir);
		fault = check_heir(check, &heir, fields);
		if (inherits_dependencies(check, &heir)) {
			service_goals_add(goals, heir.line[0].name, check->arena);
		}
	}
	return fault;
}

static size_t count_services(const struct registry *registry)
{
	size_t count = 0;
	LIST_EACH (link, &registry->unwatched) {
		count += LIST_ENTRY(link, struct target, described)->config.mode == TARGET_SERVICE;
	}
	return count;
}

/* New ways all begin with a dependency that is new to it. */
static enum service_fault check_ways(const struct check *check, struct service_goals *goals)
{
	struct slice path;
	service_goals_add(goals, check->new.line[0].name, check->arena);
	if (has_same(check, SERVICE_DEPENDENCIES) || !service_search_leads(check->view, goals)
			|| !service_search(
					check->view, check->new.line[0], goals, SIZE_MAX, check->arena, &path)) {
		return SERVICE_OK;
	}
	struct slice name = check->new.line[0].name;
	bool is_own = slice_ends_with(path, ARENA_JOIN(check->arena, SLICE(" -> "), name));
	return refuse(check, SERVICE_E_CIRCLE,
			ARENA_JOIN(check->arena, SLICE("the dependencies would be a circle: "), path,
					is_own ? SLICE("") : SLICE(", which inherits those of "),
					is_own ? SLICE("") : name));
}

enum service_fault service_check_change(const struct service_view *view,
		const struct service *before, struct arena *arena, struct slice *reterr_text)
{
	struct service_goals goals;
	struct check check = {
		.view = view,
		.before = { view->registry, *before },
		.arena = arena,
		.reterr_text = reterr_text,
	};
	if (before->config != NULL) {
		service_resolve(&check.before, *before, &check.old);
	} else if (count_services(view->registry) >= SERVICES_MAX) {
		return refuse(&check, SERVICE_E_TOO_MANY,
				arena_printf(arena, "there would be more than %d services", SERVICES_MAX));
	}
	service_resolve(view, view->changed, &check.new);
	service_goals_init(&goals);
	enum service_fault fault = check_itself(&check);
	if (fault == SERVICE_OK) {
		fault = check_heirs(&check, &goals);
	}
	if (fault == SERVICE_OK) {
		fault = check_ways(&check, &goals);
	}
	service_goals_finish(&goals);
	return fault;
}

/* ---- A deletion ---- */

static bool depends_on(const struct target_config *config, struct slice name)
{
	struct slice rest = service_text(config, SERVICE_DEPENDENCIES);
	while (rest.len > 0) {
		if (slice_equal(service_take(&rest), name)) {
			return true;
		}
	}
	return false;
}

enum service_fault service_check_deletion(const struct registry *registry, struct slice name,
		struct arena *arena, struct slice *reterr_text)
{
	LIST_EACH (link, &registry->unwatched) {
		const struct target *target = LIST_ENTRY(link, struct target, described);
		struct service other = service_of(target);
		if (target->config.mode != TARGET_SERVICE || slice_equal(other.name, name)) {
			continue;
		}
		bool is_parent = slice_equal(service_parent(other.config), name);
		if (is_parent || depends_on(other.config, name)) {
			*reterr_text = ARENA_JOIN(arena, SLICE("the service "), other.name,
					is_parent ? SLICE(" inherits from it") : SLICE(" depends on it"));
			return SERVICE_E_IN_USE;
		}
	}
	return SERVICE_OK;
}

/* ---- What is there ---- */

static void add(struct service_problems *problems, struct slice text)
{
	problems->all[problems->count++] = text;
}

static void add_odd_fields(
		struct service_problems *problems, const struct target_config *config, struct arena *arena)
{
	for (enum service_field i = 0; i < SERVICE_FIELD_COUNT; i++) {
		if (service_is_odd(config, i)) {
			add(problems,
					ARENA_JOIN(arena, service_field_name(i),
							SLICE(" is not understood, and counts as not set")));
		}
	}
	if (service_is_odd_parent(config)) {
		add(problems, SLICE("parent is no name of a service, and counts as not set"));
	}
}

/* The first one of which there are two. */
static void add_thresholds(
		struct service_problems *problems, const struct service_whole *whole, struct arena *arena)
{
	const struct target_config *config = whole->line[0].config;
	for (size_t i = 0; i < config->threshold_count; i++) {
		if (service_is_overridden(whole, 0, i)) {
			add(problems,
					ARENA_JOIN(arena, SLICE("of the thresholds of the name "),
							config->thresholds[i].name, SLICE(" only the first counts")));
			return;
		}
	}
}

static void add_line(
		struct service_problems *problems, const struct service_whole *whole, struct arena *arena)
{
	switch (whole->ending) {
	case SERVICE_ENDS:
		return;
	case SERVICE_ENDS_MISSING:
		add(problems,
				ARENA_JOIN(arena, SLICE("there is no service "), whole->end,
						SLICE(", the parent of "), whole->line[whole->len - 1].name));
		return;
	case SERVICE_ENDS_CIRCLE:
		add(problems,
				ARENA_JOIN(arena, SLICE("its parents are a circle: "), line_text(whole, arena)));
		return;
	case SERVICE_ENDS_TOO_DEEP:
		add(problems,
				arena_printf(arena, "of its parents only the first %d count", SERVICE_PARENTS_MAX));
		return;
	}
}

static void add_dependencies(struct service_problems *problems, const struct service_view *view,
		const struct service_whole *whole, size_t looked_at_max, struct arena *arena)
{
	struct service_goals goals;
	struct service found;
	struct slice path;
	struct slice rest = whole->texts[SERVICE_DEPENDENCIES];
	while (rest.len > 0) {
		struct slice name = service_take(&rest);
		if (!service_find(view, name, &found)) {
			add(problems,
					ARENA_JOIN(arena, SLICE("there is no service "), name,
							SLICE(", on which it depends")));
		}
	}
	service_goals_init(&goals);
	service_goals_add(&goals, whole->line[0].name, arena);
	if (service_search(view, whole->line[0], &goals, looked_at_max, arena, &path)) {
		add(problems, ARENA_JOIN(arena, SLICE("its dependencies are a circle: "), path));
	}
	service_goals_finish(&goals);
}

void service_find_problems(const struct service_view *view, const struct service_whole *whole,
		size_t looked_at_max, struct arena *arena, struct service_problems *ret_problems)
{
	ret_problems->count = 0;
	add_odd_fields(ret_problems, whole->line[0].config, arena);
	add_thresholds(ret_problems, whole, arena);
	add_line(ret_problems, whole, arena);
	add_dependencies(ret_problems, view, whole, looked_at_max, arena);
	if (service_is_empty_range(whole)) {
		add(ret_problems, range_text(whole, arena));
	}
}
