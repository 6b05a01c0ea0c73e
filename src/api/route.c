#include "api/route.h"

#include "api/clean_path.h"
#include "api/route_patterns.h"
#include "base/buf.h"

/* Paths that are matched as a whole, below the prefix. */
static const struct row {
	struct slice path; /* empty: the scrape path */
	enum endpoint endpoint;
	unsigned methods;
	bool is_admin;
} rows[] = {
	{ SLICE_INIT(""), ENDPOINT_METRICS, GET, false },
	{ SLICE_INIT("/-/healthy"), ENDPOINT_HEALTHY, GET, false },
	{ SLICE_INIT("/-/ready"), ENDPOINT_READY, GET, false },
	{ SLICE_INIT("/-/quit"), ENDPOINT_QUIT, GET | PUT | POST, false },
	{ SLICE_INIT("/"), ENDPOINT_PAGE, GET, false },
	{ SLICE_INIT("/status"), ENDPOINT_PAGE, GET, false },
	{ SLICE_INIT("/openapi.json"), ENDPOINT_OPENAPI, GET | HEAD, false },
	{ SLICE_INIT("/api/v1/admin/wipe"), ENDPOINT_API_WIPE, PUT, true },
	{ SLICE_INIT("/api/v1/export"), ENDPOINT_API_EXPORT, GET, false },
	{ SLICE_INIT("/api/v1/import"), ENDPOINT_API_IMPORT, POST, true },
	{ SLICE_INIT("/api/v1/metrics"), ENDPOINT_API_METRICS, GET, false },
	{ SLICE_INIT("/api/v1/query"), ENDPOINT_API_QUERY, GET | POST, false },
	{ SLICE_INIT("/api/v1/status"), ENDPOINT_API_STATUS, GET, false },
	{ SLICE_INIT("/api/v1/rules.yml"), ENDPOINT_RULES, GET, false },
	{ SLICE_INIT("/api/v1/sd"), ENDPOINT_DISCOVERY, GET, false },
	{ SLICE_INIT("/api/v1/services"), ENDPOINT_API_SERVICES, GET | POST, false },
	{ SLICE_INIT("/api/v1/targets"), ENDPOINT_API_TARGETS, GET | POST, false },
	{ SLICE_INIT("/api/v1/targets/export"), ENDPOINT_API_TARGETS_EXPORT, GET, false },
	{ SLICE_INIT("/api/v1/targets/import"), ENDPOINT_API_TARGETS_IMPORT, POST, false },
	{ SLICE_INIT("/service_discovery/collector"), ENDPOINT_DISCOVERY_COLLECTOR, GET, false },
	{ SLICE_INIT("/service_discovery/hosts"), ENDPOINT_DISCOVERY_HOSTS, GET, false },
	{ SLICE_INIT("/service_discovery/targets/"), ENDPOINT_DISCOVERY, GET, false },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const struct slice root = SLICE_INIT("/");
static const struct slice api_root = SLICE_INIT("/api/v1/");
static const struct slice static_root = SLICE_INIT("/static/");

/* A request's path, taken apart. */
struct place {
	struct slice path; /* below the prefix: empty, or with a slash in front */
	bool is_exact;     /* the prefix is written as it should be */
	bool is_api;
};

static bool starts_with_nocase(struct slice path, struct slice prefix)
{
	return path.len >= prefix.len && slice_equal_nocase(slice_first(path, prefix.len), prefix);
}

static struct slice without_slash(struct slice path)
{
	bool has_slash = path.len > 0 && path.ptr[path.len - 1] == '/';
	return slice_first(path, path.len - has_slash);
}

/* ---- Locations ---- */

/* What Go's url.EscapedPath() leaves as it is. */
static bool is_plain_in_path(char c)
{
	bool is_alphanumeric =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	return is_alphanumeric || (c != '\0' && strchr("-_.~$&+,/:;=@", c) != NULL);
}

static enum route_result move(const struct http_request *request, int status, struct slice path,
		struct arena *arena, struct route *route)
{
	struct buf location;
	buf_init(&location, 0);
	for (size_t i = 0; i < path.len; i++) {
		if (is_plain_in_path(path.ptr[i])) {
			buf_append_byte(&location, path.ptr[i]);
		} else {
			buf_printf(&location, "%%%02X", (unsigned char)path.ptr[i]);
		}
	}
	if (request->query.len > 0) {
		buf_append_byte(&location, '?');
		buf_append(&location, request->query);
	}
	route->status = status;
	route->location = arena_copy(arena, buf_slice(&location));
	buf_finish(&location);
	return ROUTE_MOVED;
}

/* A GET may be moved for good; other methods must stay what they are. */
static int moved_status(const struct http_request *request)
{
	return request->method == METHOD_GET ? 301 : 307;
}

/*
 * A path that is not clean is moved by 301 whatever the method, so that a
 * client may make a GET of its push: clients know that of a Pushgateway. Below
 * a prefix weir is free to do better.
 */
static int cleaned_status(const struct routes *routes, const struct http_request *request)
{
	return routes->prefix.len == 0 ? 301 : moved_status(request);
}

/* Likewise, locations in the API lose /api/v1 where there is no prefix. */
static struct slice location_of(const struct routes *routes, struct slice path, struct arena *arena)
{
	if (routes->prefix.len == 0 && slice_starts_with(path, api_root)) {
		return slice_skip(path, api_root.len - 1);
	}
	return routes->prefix.len == 0 ? path : ARENA_JOIN(arena, routes->prefix, path);
}

/* ---- Matching ---- */

/*
 * What leads to the API stands in the target as it is: who keeps others from it
 * by its path, such as a proxy, need not know the ways to write it.
 */
static bool is_api_as_sent(const struct routes *routes, const struct http_request *request)
{
	struct slice prefix = routes->prefix;
	return slice_starts_with(request->raw_path, prefix)
			&& slice_starts_with(
					slice_skip(request->raw_path, prefix.len), without_slash(api_root));
}

/* Whether the path is below the prefix, its case aside. */
static bool find_place(const struct routes *routes, struct slice path, struct place *ret_place)
{
	struct slice prefix = routes->prefix;
	if (!starts_with_nocase(path, prefix)) {
		return false;
	}
	ret_place->path = slice_skip(path, prefix.len);
	ret_place->is_exact = slice_starts_with(path, prefix);
	ret_place->is_api = ret_place->is_exact && slice_starts_with(ret_place->path, api_root);
	return ret_place->path.len == 0 || ret_place->path.ptr[0] == '/';
}

static struct slice row_path(const struct routes *routes, const struct row *row)
{
	return row->path.len == 0 ? routes->scrape_path : row->path;
}

/* The methods that have something at exactly that path. */
static unsigned methods_at(const struct routes *routes, struct slice path, struct route *route)
{
	unsigned methods = route_match_key(path, route);
	if (methods != 0) {
		return methods;
	}
	for (size_t i = 0; i < ROW_COUNT; i++) {
		bool is_there = routes->has_admin || !rows[i].is_admin;
		if (is_there && slice_equal(path, row_path(routes, &rows[i]))) {
			route->endpoint = rows[i].endpoint;
			return rows[i].methods;
		}
	}
	return route_match_name(path, route);
}

/* ---- What there is ---- */

static bool describe_row(size_t number, struct route_place *ret_place)
{
	static const struct routes usual = { .scrape_path = SLICE_INIT("/metrics") };
	if (number >= ROW_COUNT) {
		return false;
	}
	*ret_place = (struct route_place){
		.path = row_path(&usual, &rows[number]),
		.methods = rows[number].methods,
	};
	return true;
}

bool route_describe(size_t number, struct route_place *ret_place)
{
	return describe_row(number, ret_place)
			|| (number >= ROW_COUNT && route_patterns_describe(number - ROW_COUNT, ret_place));
}

/* "DELETE, OPTIONS, POST, PUT" */
static struct slice allowed_methods(unsigned methods, struct arena *arena)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ DELETE, "DELETE" },
		{ GET, "GET" },
		{ HEAD, "HEAD" },
		{ 1 << METHOD_OPTIONS, "OPTIONS" },
		{ PATCH, "PATCH" },
		{ POST, "POST" },
		{ PUT, "PUT" },
	};
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((methods & names[i].bit) != 0) {
			buf_append_string(&text, text.len > 0 ? ", " : "");
			buf_append_string(&text, names[i].name);
		}
	}
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

/* ---- What was meant ---- */

static bool is_meant(const struct routes *routes, const struct row *row, unsigned method,
		const struct place *place)
{
	struct slice path = row_path(routes, row);
	bool is_there = routes->has_admin || !row->is_admin;
	/* What is in the API may be written in another case, what leads to it not. */
	bool is_api = slice_starts_with(path, api_root);
	return (row->methods & method) != 0 && is_there && is_api == place->is_api
			&& slice_equal_nocase(without_slash(place->path), without_slash(path));
}

/* In another case, but not a job by base64 with labels: a Pushgateway does not find that. */
static bool is_meant_push(struct slice path, struct slice push_root)
{
	bool is_base64 = push_root.len == route_push_roots[1].len;
	return starts_with_nocase(path, push_root) && path.len > push_root.len
			&& !(is_base64 && slice_find_byte(slice_skip(path, push_root.len), '/') != NULL);
}

static bool find_meant_push(const struct place *place, struct arena *arena, struct slice *ret_path)
{
	if (place->is_exact && slice_equal(place->path, route_push_roots[0])) {
		*ret_path = without_slash(route_push_roots[0]);
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		if (is_meant_push(place->path, route_push_roots[i])) {
			struct slice rest = slice_skip(place->path, route_push_roots[i].len);
			*ret_path = ARENA_JOIN(arena, route_push_roots[i], rest);
			return true;
		}
	}
	return false;
}

static bool find_meant_file(const struct place *place, struct arena *arena, struct slice *ret_path)
{
	if (slice_equal_nocase(place->path, without_slash(static_root))) {
		*ret_path = static_root;
		return true;
	}
	if (starts_with_nocase(place->path, static_root)) {
		*ret_path = ARENA_JOIN(arena, static_root, slice_skip(place->path, static_root.len));
		return true;
	}
	return false;
}

/*
 * The path below the prefix that was meant: the same in another case, or with
 * or without a slash at the end. Only among what the method has.
 */
static bool find_meant(const struct routes *routes, const struct http_request *request,
		const struct place *place, struct arena *arena, struct slice *ret_path)
{
	unsigned method = 1u << request->method;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (is_meant(routes, &rows[i], method, place)) {
			*ret_path = row_path(routes, &rows[i]);
			return true;
		}
	}
	return ((PUSH_METHODS & method) != 0 && find_meant_push(place, arena, ret_path))
			|| ((GET & method) != 0 && find_meant_file(place, arena, ret_path));
}

/* ---- Finding ---- */

static bool is_api_without_slash(const struct routes *routes, struct slice path)
{
	struct slice wanted = without_slash(api_root);
	return path.len == routes->prefix.len + wanted.len && slice_ends_with(path, wanted)
			&& slice_starts_with(path, routes->prefix);
}

/* Whether the path is no place but leads to one, whatever is there. */
static bool find_outer(const struct routes *routes, const struct http_request *request,
		struct arena *arena, struct slice *ret_path)
{
	struct slice path = request->path;
	bool is_clean = clean_path_is(path);
	if (!is_clean) {
		path = clean_path(path, arena);
	}
	bool lacks_slash = is_api_without_slash(routes, path);
	*ret_path = lacks_slash ? ARENA_JOIN(arena, path, root) : path;
	return lacks_slash || !is_clean;
}

static enum route_result find_at(const struct routes *routes, const struct http_request *request,
		const struct place *place, struct arena *arena, struct route *route)
{
	unsigned methods = place->is_exact ? methods_at(routes, place->path, route) : 0;
	struct slice meant;
	if ((methods & 1u << request->method) != 0) {
		return ROUTE_FOUND;
	}
	methods = route->is_near_push ? 0 : methods;
	if (methods == 0 && find_meant(routes, request, place, arena, &meant)) {
		struct slice location = location_of(routes, meant, arena);
		return move(request, moved_status(request), location, arena, route);
	}
	if (methods == 0) {
		return ROUTE_NOT_FOUND;
	}
	route->allowed = allowed_methods(methods | 1u << METHOD_OPTIONS, arena);
	return request->method == METHOD_OPTIONS ? ROUTE_OPTIONS : ROUTE_NOT_ALLOWED;
}

/*
 * Whatever is there, a Pushgateway has the same answer. It has no PUT and no PATCH that pages of
 * other origins may use; what has them says itself what it takes.
 */
static struct route find_api_options(
		const struct routes *routes, const struct place *place, struct arena *arena)
{
	struct route route = { 0 };
	unsigned methods = methods_at(routes, place->path, &route);
	bool has_more = (methods & (PUT | PATCH)) != 0 && route.endpoint != ENDPOINT_API_WIPE;
	return (struct route){
		.endpoint = ENDPOINT_API_OPTIONS,
		.is_outer = true,
		.allowed = has_more ? allowed_methods(methods | 1u << METHOD_OPTIONS, arena) : SLICE(""),
	};
}

enum route_result route_find(const struct routes *routes, const struct http_request *request,
		struct arena *arena, struct route *ret_route)
{
	struct slice outer;
	struct place place;
	*ret_route = (struct route){ .is_outer = true };
	if (request->path.len == 0) {
		return ROUTE_NOT_FOUND;
	}
	if (request->method == METHOD_OPTIONS && slice_equal(request->path, SLICE("*"))) {
		return ROUTE_OPTIONS;
	}
	if (find_outer(routes, request, arena, &outer)) {
		return move(request, cleaned_status(routes, request), outer, arena, ret_route);
	}
	if (!find_place(routes, request->path, &place)) {
		ret_route->is_outer = false;
		return ROUTE_NOT_FOUND;
	}
	ret_route->is_outer = place.is_api;
	if (place.is_api && !is_api_as_sent(routes, request)) {
		return ROUTE_NOT_FOUND;
	}
	if (place.is_api && request->method == METHOD_OPTIONS) {
		*ret_route = find_api_options(routes, &place, arena);
		return ROUTE_FOUND;
	}
	return find_at(routes, request, &place, arena, ret_route);
}
