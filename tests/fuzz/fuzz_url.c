/*
 * A method and a path: routed, redirected at most a few times, and parsed for
 * its grouping key.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/push_url.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static bool is_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
			return false;
		}
	}
	return utf8_is_valid(text);
}

static void check_key(const struct route *route, struct arena *arena)
{
	/* Whether names may be any UTF-8. */
	bool utf8_names = route->labels.len % 2 == 0;
	const struct push_url_limits limits = {
		.labels = 10,
		.label_bytes = 100,
		.utf8_names = utf8_names,
	};
	struct group_key key;
	struct slice text = { NULL, 0 };
	switch (push_url_parse(route, &limits, arena, &key, &text)) {
	case PUSH_URL_OK:
		break;
	case PUSH_URL_E_INVALID:
		expect(text.len > 0 && is_printable(text), "a message that cannot be shown");
		return;
	case PUSH_URL_E_LABELS:
	case PUSH_URL_E_LABEL_BYTES:
		return;
	}
	expect(labels_find(&key.labels, SLICE("job")).len > 0, "no job");
	for (size_t i = 0; i < key.labels.count; i++) {
		const struct label *label = &key.labels.pairs[i];
		bool is_any = utf8_names && label->name.len > 0 && utf8_is_valid(label->name);
		expect(is_any || labels_is_name(label->name), "no label name");
		expect(!slice_starts_with(label->name, SLICE("__")), "a reserved name");
		struct slice value = labels_unescape(arena, label->value);
		expect(slice_equal(labels_escape(arena, value), label->value), "escaped in another way");
		expect(i == 0 || slice_compare(label[-1].name, label->name) < 0, "not sorted");
	}
	if (push_url_check_values(&key, arena, &text) != PUSH_URL_OK) {
		expect(text.len > 0 && is_printable(text), "a message that cannot be shown");
	}
}

static struct routes routes_of(bool has_admin, bool has_prefix)
{
	return (struct routes){
		.prefix = has_prefix ? SLICE("/a/b") : SLICE(""),
		.scrape_path = has_prefix ? SLICE("/scrape") : SLICE("/metrics"),
		.has_admin = has_admin,
	};
}

/* The location is a target that leads on, and in few steps to an end. */
static void follow(const struct routes *routes, struct http_request *request,
		const struct route *route, struct arena *arena, unsigned steps)
{
	struct route next;
	expect(route->location.len > 0 && route->location.ptr[0] == '/', "a location that is no path");
	expect(is_printable(route->location), "a location that cannot be sent");
	request->target = route->location;
	expect(http_target_split(request, arena), "a location that cannot be read");
	enum route_result result = route_find(routes, request, arena, &next);
	if (result == ROUTE_MOVED) {
		expect(steps > 0, "redirects without end");
		follow(routes, request, &next, arena, steps - 1);
	}
}

static void check_target(const struct routes *routes, struct slice target, enum http_method method,
		struct arena *arena)
{
	struct http_request request = { .method = method, .target = target };
	struct route route;
	if (!http_target_split(&request, arena)) {
		return;
	}
	/* A request line has no such bytes, so neither has the query. */
	for (size_t i = 0; i < request.query.len; i++) {
		unsigned char byte = (unsigned char)request.query.ptr[i];
		if (byte <= ' ' || byte >= 0x7f) {
			request.query = slice_make("", 0);
		}
	}
	switch (route_find(routes, &request, arena, &route)) {
	case ROUTE_FOUND:
		expect(route.endpoint != ENDPOINT_NONE, "found nothing");
		if (route.endpoint == ENDPOINT_PUSH) {
			check_key(&route, arena);
		}
		break;
	case ROUTE_MOVED:
		expect(route.status == 301 || route.status == 307, "moved with another status");
		follow(routes, &request, &route, arena, 4);
		break;
	case ROUTE_NOT_ALLOWED:
		expect(route.allowed.len > 0, "nothing is allowed");
		break;
	case ROUTE_OPTIONS:
	case ROUTE_NOT_FOUND:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct arena arena;
	if (size < 1) {
		return 0;
	}
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	arena_init(&arena);
	char *copy = memory_alloc(size);
	memcpy(copy, data, size);
	enum http_method method = (enum http_method)((unsigned char)copy[0] % (METHOD_OTHER + 1));
	struct routes routes = routes_of((copy[0] & 0x40) != 0, (copy[0] & 0x20) != 0);
	check_target(&routes, slice_make(copy + 1, size - 1), method, &arena);
	arena_finish(&arena);
	free(copy);
	return 0;
}
