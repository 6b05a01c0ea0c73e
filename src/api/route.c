#include "api/route.h"

#include "base/buf.h"

enum {
	GET = 1 << METHOD_GET,
	PUT = 1 << METHOD_PUT,
	POST = 1 << METHOD_POST,
	DELETE = 1 << METHOD_DELETE,
};

/* Paths that are matched as a whole. */
static const struct {
	struct slice path;
	enum endpoint endpoint;
	unsigned methods;
	bool is_api; /* answered under /api/v1, which has rules of its own */
	bool is_admin;
} routes[] = {
	{ SLICE_INIT("/-/healthy"), ENDPOINT_HEALTHY, GET, false, false },
	{ SLICE_INIT("/-/ready"), ENDPOINT_READY, GET, false, false },
	{ SLICE_INIT("/api/v1/admin/wipe"), ENDPOINT_API_WIPE, PUT, true, true },
	{ SLICE_INIT("/api/v1/metrics"), ENDPOINT_API_METRICS, GET, true, false },
	{ SLICE_INIT("/metrics"), ENDPOINT_METRICS, GET, false, false },
};

enum { ROUTE_COUNT = sizeof(routes) / sizeof(routes[0]), PUSH_METHODS = PUT | POST | DELETE };

static const struct slice api_root = SLICE_INIT("/api/v1");
static const struct slice push_roots[] = {
	SLICE_INIT("/metrics/job/"),
	SLICE_INIT("/metrics/job@base64/"),
};

static bool starts_with_nocase(struct slice path, struct slice prefix)
{
	return path.len >= prefix.len && slice_equal_nocase(slice_first(path, prefix.len), prefix);
}

static struct slice join(struct arena *arena, struct slice a, struct slice b)
{
	return ARENA_JOIN(arena, a, b);
}

/* ---- Cleaning: path.Clean with the trailing slash kept ---- */

static bool is_clean(struct slice path)
{
	if (path.len == 0 || path.ptr[0] != '/') {
		return false;
	}
	for (size_t i = 0; i + 1 < path.len; i++) {
		if (path.ptr[i] != '/') {
			continue;
		}
		struct slice rest = slice_skip(path, i + 1);
		const char *slash = slice_find_byte(rest, '/');
		size_t len = slash == NULL ? rest.len : (size_t)(slash - rest.ptr);
		struct slice part = slice_first(rest, len);
		if (len == 0 || slice_equal(part, SLICE(".")) || slice_equal(part, SLICE(".."))) {
			return false;
		}
	}
	return true;
}

static struct slice clean(struct slice path, struct arena *arena)
{
	char *text = arena_text(arena, path.len + 2);
	size_t len = 0;
	const char *at = path.ptr;
	const char *end = path.ptr + path.len;
	while (at < end) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		struct slice part = slice_between(at, slash == NULL ? end : slash);
		at = slash == NULL ? end : slash + 1;
		if (part.len == 0 || slice_equal(part, SLICE("."))) {
			continue;
		}
		if (slice_equal(part, SLICE(".."))) {
			while (len > 0 && text[--len] != '/') {
			}
			continue;
		}
		text[len++] = '/';
		memcpy(text + len, part.ptr, part.len);
		len += part.len;
	}
	bool had_slash = path.len > 0 && path.ptr[path.len - 1] == '/';
	if (len == 0 || had_slash) {
		text[len++] = '/';
	}
	return slice_make(text, len);
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

/* ---- Matching ---- */

static bool match_push(struct slice path, struct route *route)
{
	for (size_t i = 0; i < 2; i++) {
		if (!slice_starts_with(path, push_roots[i]) || path.len == push_roots[i].len) {
			continue;
		}
		struct slice rest = slice_skip(path, push_roots[i].len);
		const char *slash = slice_find_byte(rest, '/');
		route->job = slash == NULL ? rest : slice_between(rest.ptr, slash);
		route->labels = slice_skip(rest, route->job.len);
		route->job_is_base64 = i == 1;
		return true;
	}
	return false;
}

static int find_exact(struct slice path, bool has_admin)
{
	for (int i = 0; i < ROUTE_COUNT; i++) {
		if (slice_equal(path, routes[i].path) && (has_admin || !routes[i].is_admin)) {
			return i;
		}
	}
	return -1;
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
		{ 1 << METHOD_OPTIONS, "OPTIONS" },
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

/* The methods that have something at exactly that path. */
static unsigned methods_at(struct slice path, bool has_admin, struct route *route)
{
	int exact = find_exact(path, has_admin);
	if (exact >= 0) {
		route->endpoint = routes[exact].endpoint;
		return routes[exact].methods;
	}
	if (match_push(path, route)) {
		route->endpoint = ENDPOINT_PUSH;
		return PUSH_METHODS;
	}
	return 0;
}

/*
 * The path that was meant: the same in another case, or with or without a
 * slash at the end. Only among what the method has.
 */
static bool find_meant(const struct http_request *request, struct slice path, bool has_admin,
		struct arena *arena, struct slice *ret_path)
{
	unsigned method = 1u << request->method;
	struct slice bare = path;
	if (path.len > 1 && path.ptr[path.len - 1] == '/') {
		bare.len--;
	}
	for (int i = 0; i < ROUTE_COUNT; i++) {
		if ((routes[i].methods & method) != 0 && (has_admin || !routes[i].is_admin)
				&& slice_equal_nocase(bare, routes[i].path)) {
			*ret_path = routes[i].path;
			return true;
		}
	}
	if ((PUSH_METHODS & method) == 0) {
		return false;
	}
	if (slice_equal_nocase(path, push_roots[0])) {
		*ret_path = slice_first(push_roots[0], push_roots[0].len - 1);
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		if (starts_with_nocase(path, push_roots[i]) && path.len > push_roots[i].len) {
			*ret_path = join(arena, push_roots[i], slice_skip(path, push_roots[i].len));
			return true;
		}
	}
	return false;
}

/* Under /api/v1 redirects name the path behind it, as they always have. */
static struct slice location_path(struct slice path)
{
	bool is_api = slice_starts_with(path, api_root) && path.len > api_root.len;
	return is_api ? slice_skip(path, api_root.len) : path;
}

enum route_result route_find(const struct http_request *request, bool has_admin,
		struct arena *arena, struct route *ret_route)
{
	struct slice path = request->path;
	*ret_route = (struct route){ 0 };
	if (request->method == METHOD_OPTIONS && slice_equal(path, SLICE("*"))) {
		return ROUTE_OPTIONS;
	}
	if (!is_clean(path)) {
		ret_route->is_unclean = true;
		return move(request, 301, clean(path, arena), arena, ret_route);
	}
	if (slice_equal(path, api_root)) {
		return move(request, 301, SLICE("/api/v1/"), arena, ret_route);
	}
	bool is_api = slice_starts_with(path, SLICE("/api/v1/"));
	if (is_api && request->method == METHOD_OPTIONS) {
		ret_route->endpoint = ENDPOINT_API_OPTIONS;
		return ROUTE_FOUND;
	}
	unsigned methods = methods_at(path, has_admin, ret_route);
	if ((methods & 1u << request->method) != 0) {
		return ROUTE_FOUND;
	}
	struct slice meant;
	if (methods == 0 && find_meant(request, path, has_admin, arena, &meant)) {
		return move(request, moved_status(request), location_path(meant), arena, ret_route);
	}
	if (methods == 0) {
		return ROUTE_NOT_FOUND;
	}
	ret_route->allowed = allowed_methods(methods | 1u << METHOD_OPTIONS, arena);
	return request->method == METHOD_OPTIONS ? ROUTE_OPTIONS : ROUTE_NOT_ALLOWED;
}
