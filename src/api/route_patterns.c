#include "api/route_patterns.h"

static const struct slice static_root = SLICE_INIT("/static/");
static const struct slice targets_root = SLICE_INIT("/api/v1/targets/");
static const struct slice services_root = SLICE_INIT("/api/v1/services/");
static const struct slice page_root = SLICE_INIT("/metrics/");

const struct slice route_push_roots[2] = {
	SLICE_INIT("/metrics/job/"),
	SLICE_INIT("/metrics/job@base64/"),
};

/* Of a push and of a target's page, which have different words in front of /job. */
static bool match_key(struct slice path, struct slice front, struct route *route)
{
	for (size_t i = 0; i < 2; i++) {
		struct slice job_root = slice_skip(route_push_roots[i], page_root.len - 1);
		struct slice rest = slice_starts_with(path, front) ? slice_skip(path, front.len) : path;
		if (rest.len == path.len || !slice_starts_with(rest, job_root)
				|| rest.len == job_root.len) {
			continue;
		}
		rest = slice_skip(rest, job_root.len);
		const char *slash = slice_find_byte(rest, '/');
		route->job = slash == NULL ? rest : slice_between(rest.ptr, slash);
		route->labels = slice_skip(rest, route->job.len);
		route->job_is_base64 = i == 1;
		return true;
	}
	return false;
}

static bool match_push(struct slice path, struct route *route)
{
	return match_key(path, SLICE("/metrics"), route);
}

/* As in the path of a push. */
static bool match_target_page(struct slice path, struct route *route)
{
	return match_key(path, SLICE("/metrics/target"), route);
}

/* What is behind the root, if it is one part; a slash at the end is none. */
static bool match_one(struct slice path, struct slice root, struct route *route)
{
	bool has_slash = path.len > root.len && path.ptr[path.len - 1] == '/';
	if (!slice_starts_with(path, root)) {
		return false;
	}
	route->id = slice_skip(slice_first(path, path.len - has_slash), root.len);
	return route->id.len > 0 && slice_find_byte(route->id, '/') == NULL;
}

/*
 * /metrics/ID or /metrics/NAME: what is in front of a key is neither. Pushes that went wrong lead
 * to names that begin like job.
 */
static bool match_page_by_name(struct slice path, struct route *route)
{
	struct slice rest = slice_skip(path, slice_starts_with(path, page_root) ? page_root.len : 0);
	route->is_near_push = slice_equal_nocase(slice_first(rest, 3), SLICE("job"));
	return match_one(path, page_root, route) && !slice_equal(route->id, SLICE("job"))
			&& !slice_equal(route->id, SLICE("job@base64"))
			&& !slice_equal(route->id, SLICE("target"));
}

/* /api/v1/targets/ID, and what is behind it */
static bool split_target(struct slice path, struct route *route, struct slice *ret_rest)
{
	if (!slice_starts_with(path, targets_root)) {
		return false;
	}
	struct slice rest = slice_skip(path, targets_root.len);
	const char *slash = slice_find_byte(rest, '/');
	route->id = slash == NULL ? rest : slice_between(rest.ptr, slash);
	*ret_rest = slice_skip(rest, route->id.len);
	return route->id.len > 0;
}

static bool match_target(struct slice path, struct route *route)
{
	struct slice rest;
	return split_target(path, route, &rest) && rest.len == 0;
}

static bool match_target_action(struct slice path, struct route *route)
{
	struct slice rest;
	if (!split_target(path, route, &rest) || rest.len == 0) {
		return false;
	}
	route->action = slice_skip(rest, 1);
	return true;
}

static bool match_service(struct slice path, struct route *route)
{
	route->id = slice_skip(path, slice_starts_with(path, services_root) ? services_root.len : 0);
	return route->id.len > 0 && route->id.len < path.len && slice_find_byte(route->id, '/') == NULL;
}

static bool match_file(struct slice path, struct route *route)
{
	if (!slice_starts_with(path, static_root)) {
		return false;
	}
	route->file = slice_skip(path, static_root.len);
	return true;
}

/* ---- Of ORWELL's middleware ---- */

static bool is_path(struct slice path, struct slice wanted)
{
	bool has_slash = path.len == wanted.len + 1 && path.ptr[wanted.len] == '/';
	return slice_equal(slice_first(path, path.len - has_slash), wanted);
}

static bool match_hosts(struct slice path, struct route *route)
{
	return is_path(path, SLICE("/hosts"));
}

static bool match_host_image(struct slice path, struct route *route)
{
	route->action = SLICE("image");
	return is_path(path, SLICE("/hosts/image"));
}

static bool match_host(struct slice path, struct route *route)
{
	return match_one(path, SLICE("/hosts/"), route);
}

static bool match_host_heartbeat(struct slice path, struct route *route)
{
	struct slice end = SLICE("/heartbeat");
	path = slice_first(path, path.len - slice_ends_with(path, SLICE("/")));
	route->action = slice_skip(end, 1);
	return slice_ends_with(path, end)
			&& match_one(slice_first(path, path.len - end.len), SLICE("/hosts/"), route);
}

static bool match_images(struct slice path, struct route *route)
{
	return is_path(path, SLICE("/images"));
}

static bool match_image_collector(struct slice path, struct route *route)
{
	route->action = SLICE("collector");
	return is_path(path, SLICE("/images/collector"));
}

static bool match_image(struct slice path, struct route *route)
{
	return match_one(path, SLICE("/images/"), route);
}

static bool match_collectors(struct slice path, struct route *route)
{
	return is_path(path, SLICE("/collectors"));
}

static bool match_collector(struct slice path, struct route *route)
{
	return match_one(path, SLICE("/collectors/"), route);
}

/* ---- All of them ---- */

/* Paths of which a part is a name, an id or a key: what finds them, and what they look like. */
static const struct pattern {
	bool (*match)(struct slice path, struct route *route);
	enum endpoint endpoint;
	unsigned methods;
	const char *templates[4];
} patterns[] = {
	{ match_push, ENDPOINT_PUSH, PUSH_METHODS,
			{ "/metrics/job/{job}", "/metrics/job/{job}/{labels}", "/metrics/job@base64/{job}",
					"/metrics/job@base64/{job}/{labels}" } },
	{ match_target_page, ENDPOINT_TARGET_PAGE, GET,
			{ "/metrics/target/job/{job}", "/metrics/target/job/{job}/{labels}",
					"/metrics/target/job@base64/{job}",
					"/metrics/target/job@base64/{job}/{labels}" } },
	{ match_target, ENDPOINT_API_TARGET, GET | PUT | PATCH | DELETE, { "/api/v1/targets/{id}" } },
	{ match_target_action, ENDPOINT_API_TARGET_ACTION, POST, { "/api/v1/targets/{id}/{action}" } },
	{ match_service, ENDPOINT_API_SERVICE, GET | PUT | PATCH | DELETE,
			{ "/api/v1/services/{name}" } },
	{ match_file, ENDPOINT_STATIC, GET, { "/static/{file}" } },
	{ match_page_by_name, ENDPOINT_TARGET_PAGE, GET, { "/metrics/{id}" } },
	{ match_hosts, ENDPOINT_HOSTS, GET | POST | PUT, { "/hosts" } },
	{ match_host_image, ENDPOINT_HOSTS, POST, { "/hosts/image" } },
	{ match_host, ENDPOINT_HOSTS, GET | PUT | DELETE, { "/hosts/{id}" } },
	{ match_host_heartbeat, ENDPOINT_HOSTS, POST, { "/hosts/{id}/heartbeat" } },
	{ match_images, ENDPOINT_IMAGES, GET | POST | PUT, { "/images" } },
	{ match_image_collector, ENDPOINT_IMAGES, POST, { "/images/collector" } },
	{ match_image, ENDPOINT_IMAGES, GET | PUT | DELETE, { "/images/{id}" } },
	{ match_collectors, ENDPOINT_COLLECTORS, GET | POST | PUT, { "/collectors" } },
	{ match_collector, ENDPOINT_COLLECTORS, GET | PUT | DELETE, { "/collectors/{id}" } },
};

enum {
	PATTERN_COUNT = sizeof(patterns) / sizeof(patterns[0]),
	TEMPLATE_COUNT = sizeof(patterns[0].templates) / sizeof(patterns[0].templates[0]),
	KEYED_COUNT = 2, /* those at the front */
};

static unsigned match(size_t first, size_t end, struct slice path, struct route *route)
{
	for (size_t i = first; i < end; i++) {
		struct route found = *route;
		if (patterns[i].match(path, &found)) {
			found.endpoint = patterns[i].endpoint;
			*route = found;
			return patterns[i].methods;
		}
	}
	return 0;
}

unsigned route_match_key(struct slice path, struct route *route)
{
	return match(0, KEYED_COUNT, path, route);
}

unsigned route_match_name(struct slice path, struct route *route)
{
	return match(KEYED_COUNT, PATTERN_COUNT, path, route);
}

bool route_patterns_describe(size_t number, struct route_place *ret_place)
{
	for (size_t i = 0; i < PATTERN_COUNT; i++) {
		for (size_t j = 0; j < TEMPLATE_COUNT && patterns[i].templates[j] != NULL; j++) {
			if (number-- == 0) {
				ret_place->path = slice_of_string(patterns[i].templates[j]);
				ret_place->methods = patterns[i].methods;
				return true;
			}
		}
	}
	return false;
}
