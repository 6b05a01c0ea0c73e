/*
 * The description of the HTTP interface is true to the table of routes, both ways: each place and
 * method is in it, and nothing else is.
 */

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "api/openapi.h"
#include "api/route.h"
#include "base/hash.h"
#include "check.h"

static const struct method {
	const char *key;
	enum http_method method;
} methods[] = {
	{ "delete", METHOD_DELETE },
	{ "get", METHOD_GET },
	{ "head", METHOD_HEAD },
	{ "patch", METHOD_PATCH },
	{ "post", METHOD_POST },
	{ "put", METHOD_PUT },
};

static cJSON *read_description(const char *prefix)
{
	struct buf text;
	buf_init(&text, 0);
	openapi_write(&text, slice_of_string(prefix));
	cJSON *document = cJSON_ParseWithLength(text.ptr, text.len);
	buf_finish(&text);
	CHECK(document != NULL);
	return document;
}

static const cJSON *find_path(const cJSON *document, struct slice path)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(document, "paths")->child;
	while (item != NULL && !slice_equal(slice_of_string(item->string), path)) {
		item = item->next;
	}
	return item;
}

/* Those that the item has, as a route has them. */
static unsigned described_methods(const cJSON *item)
{
	unsigned found = 0;
	for (const cJSON *member = item->child; member != NULL; member = member->next) {
		size_t i = 0;
		while (i < sizeof(methods) / sizeof(methods[0])
				&& strcmp(methods[i].key, member->string) != 0) {
			i++;
		}
		CHECK(i < sizeof(methods) / sizeof(methods[0]));
		found |= 1u << methods[i].method;
	}
	return found;
}

static void test_each_route_is_described(void)
{
	cJSON *document = read_description("");
	struct route_place place;
	size_t count = 0;
	for (; route_describe(count, &place); count++) {
		const cJSON *item = find_path(document, place.path);
		int failures = check_failures;
		CHECK(item != NULL);
		if (item != NULL) {
			CHECK_INT(described_methods(item), place.methods);
		}
		if (failures != check_failures) {
			fprintf(stderr, "of " SLICE_FMT ": see src/api/openapi/\n", SLICE_ARG(place.path));
		}
	}
	CHECK(count > 0);
	cJSON_Delete(document);
}

static bool is_route(const char *path)
{
	struct route_place place;
	for (size_t i = 0; route_describe(i, &place); i++) {
		if (slice_equal(place.path, slice_of_string(path))) {
			return true;
		}
	}
	return false;
}

static void test_nothing_else_is_described(void)
{
	cJSON *document = read_description("");
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(document, "paths")->child;
	for (; item != NULL; item = item->next) {
		int failures = check_failures;
		CHECK(is_route(item->string));
		if (failures != check_failures) {
			fprintf(stderr, "%s is described, and there is no such route\n", item->string);
		}
	}
	cJSON_Delete(document);
}

/* In place of a name in braces. */
static struct slice value_of(struct slice name)
{
	if (slice_equal(name, SLICE("{id}"))) {
		return SLICE("00000000-0000-4000-8000-000000000000");
	}
	return slice_equal(name, SLICE("{name}")) ? SLICE("a") : SLICE("a/b");
}

/* A request to what the template looks like, with something for each name in it. */
static enum route_result find(struct slice template, enum http_method method)
{
	static const struct routes routes = { .scrape_path = SLICE_INIT("/metrics"),
		.has_admin = true };
	struct arena arena;
	struct route route;
	struct buf path;
	arena_init(&arena);
	buf_init(&path, 0);
	while (template.len > 0) {
		const char *open = slice_find_byte(template, '{');
		struct slice plain = open == NULL ? template : slice_between(template.ptr, open);
		buf_append(&path, plain);
		template = slice_skip(template, plain.len);
		const char *close = slice_find_byte(template, '}');
		if (close != NULL) {
			struct slice name = slice_between(template.ptr, close + 1);
			buf_append(&path, value_of(name));
			template = slice_skip(template, name.len);
		}
	}
	struct http_request request = {
		.method = method,
		.path = buf_slice(&path),
		.raw_path = buf_slice(&path),
	};
	enum route_result result = route_find(&routes, &request, &arena, &route);
	buf_finish(&path);
	arena_finish(&arena);
	return result;
}

/* The templates are no mere words: what they stand for is found, by these methods alone. */
static void test_templates_lead_to_their_routes(void)
{
	struct route_place place;
	for (size_t i = 0; route_describe(i, &place); i++) {
		for (size_t j = 0; j < sizeof(methods) / sizeof(methods[0]); j++) {
			bool has_method = (place.methods >> methods[j].method & 1) != 0;
			int failures = check_failures;
			CHECK_INT(find(place.path, methods[j].method),
					has_method ? ROUTE_FOUND : ROUTE_NOT_ALLOWED);
			if (failures != check_failures) {
				fprintf(stderr, "of %s " SLICE_FMT "\n", methods[j].key, SLICE_ARG(place.path));
			}
		}
	}
}

static void check_server(const char *prefix, const char *url)
{
	cJSON *document = read_description(prefix);
	const cJSON *servers = cJSON_GetObjectItemCaseSensitive(document, "servers");
	CHECK_INT(cJSON_GetArraySize(servers), 1);
	const cJSON *found = cJSON_GetObjectItemCaseSensitive(servers->child, "url");
	CHECK_STRING(slice_of_string(cJSON_GetStringValue(found)), url);
	cJSON_Delete(document);
}

static void test_server_is_the_prefix(void)
{
	check_server("", "/");
	check_server("/a/b", "/a/b");
	check_server("/a\"b\\", "/a\"b\\");
}

int main(void)
{
	hash_init();
	RUN(test_each_route_is_described);
	RUN(test_nothing_else_is_described);
	RUN(test_templates_lead_to_their_routes);
	RUN(test_server_is_the_prefix);
	return check_done();
}
