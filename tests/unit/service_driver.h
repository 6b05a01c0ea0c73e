#pragma once

/*
 * Services in a registry, for tests: as somebody may write them into the database.
 */

#include "base/clock.h"
#include "base/hash.h"
#include "check.h"
#include "targets/service_check.h"

static const int64_t SECOND_NS = 1000000000;

static struct registry registry;
static struct arena arena;

static inline void begin(void)
{
	const struct registry_options options = { .limit = 100000, .silent_after = 3 };
	registry_init(&registry, &options);
	arena_init(&arena);
}

static inline void end(void)
{
	registry_finish(&registry);
	arena_finish(&arena);
}

/* "parent=base image=x ports= heartbeat=5": a configuration in the arena. */
static inline struct target_config *config_of(const char *said)
{
	struct slice rest = slice_of_string(said);
	struct target_config *config = arena_zalloc(&arena, 1, sizeof(*config));
	struct label *pairs = arena_zalloc(&arena, 20, sizeof(*pairs));
	size_t count = 0;
	while (rest.len > 0) {
		const char *space = slice_find_byte(rest, ' ');
		struct slice word = space == NULL ? rest : slice_between(rest.ptr, space);
		rest = slice_skip(rest, word.len + (space != NULL));
		const char *equals = slice_find_byte(word, '=');
		struct slice name = slice_between(word.ptr, equals);
		struct slice value = slice_skip(word, name.len + 1);
		if (slice_equal(name, SLICE("heartbeat"))) {
			config->interval_ns = (int64_t)service_count(value) * SECOND_NS;
		} else {
			pairs[count++] = (struct label){ name, value };
		}
	}
	config->mode = TARGET_SERVICE;
	config->attributes = (struct labels){ pairs, count };
	labels_sort(&config->attributes);
	return config;
}

static inline struct target *put(const char *name, const char *said)
{
	struct service_key key;
	struct target *target = service_find_target(&registry, slice_of_string(name));
	service_key_init(&key, slice_of_string(name));
	if (target != NULL) {
		registry_configure(&registry, target, config_of(said));
	} else {
		CHECK_INT(
				registry_create(&registry, &key.key, config_of(said), NULL, &target), REGISTRY_OK);
	}
	return target;
}

static inline struct service_whole whole_of(const char *name)
{
	const struct service_view view = { .registry = &registry };
	struct service_whole whole;
	service_resolve(
			&view, service_of(service_find_target(&registry, slice_of_string(name))), &whole);
	return whole;
}

static inline void check_problems(const char *name, const char *wanted)
{
	const struct service_view view = { .registry = &registry };
	struct service_whole whole = whole_of(name);
	struct service_problems problems;
	struct buf all;
	service_find_problems(&view, &whole, SERVICE_LOOKED_AT_MAX, &arena, &problems);
	buf_init(&all, 0);
	for (size_t i = 0; i < problems.count; i++) {
		buf_append(&all, problems.all[i]);
		buf_append_byte(&all, ';');
	}
	CHECK_STRING(buf_slice(&all), wanted);
	buf_finish(&all);
}
