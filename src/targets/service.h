#pragma once

/*
 * Services: what runs as several targets. Each is kept as a target of a mode of its own, which
 * nobody pushes to and nobody scrapes, under its name:
 *
 *     {job="weir_service",instance="web"}    parent: "base", image: "nginx:1.25",
 *                                            ports: "80/tcp,443/tcp", dependencies: "db,cache",
 *                                            min_instances: "2", max_instances: "8",
 *                                            cpu: "0.5", memory: "268435456"
 *
 * These are attributes; its heartbeat is the target's interval, its thresholds the target's, and
 * it is active if the target is not disabled. What a service does not set it has from its parent,
 * or from that one's. Thresholds of other names come on top.
 *
 * Anybody may have written them: what is nothing of the kind is not set, a parent that is not there
 * is none, and parents that lead back to one that was asked already end there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "targets/registry.h"

enum {
	SERVICE_NAME_BYTES_MAX = 63,
	SERVICE_IMAGE_BYTES_MAX = 255,
	SERVICE_PORTS_MAX = 32,
	SERVICE_DEPENDENCIES_MAX = 16, /* whose names fit into one attribute */
	SERVICE_PARENTS_MAX = 16,      /* one above the other */
	SERVICE_INSTANCES_MAX = 1000000,
	SERVICE_CPU_MAX = 1000000, /* cores */
	SERVICES_MAX = 10000,      /* that the API makes */
};

static const int64_t SERVICE_MEMORY_MAX = (INT64_C(1) << 53) - 1; /* bytes; JSON rounds more */

/* What is inherited, each by itself. */
enum service_field {
	SERVICE_IMAGE,
	SERVICE_PORTS,
	SERVICE_DEPENDENCIES,
	SERVICE_MIN,
	SERVICE_MAX,
	SERVICE_CPU,
	SERVICE_MEMORY,
	SERVICE_HEARTBEAT, /* the only one that is no attribute */
	SERVICE_FIELD_COUNT,
};

/* ---- Names ---- */

/* A key of two labels, in the caller's memory. */
struct service_key {
	struct label pairs[2];
	struct group_key key;
};

/* Letters, digits, _ . and -, the first and the last a letter or a digit. */
bool service_is_name(struct slice text);

/* The name is not copied. */
void service_key_init(struct service_key *key, struct slice name);

/* Whether it is that of a service. */
bool service_fits(const struct group_key *key);

/* ---- One by itself ---- */

/* Points into a target, or into what is to become one. */
struct service {
	struct slice name;
	const struct target_config *config;
};

/* "image", ... */
struct slice service_field_name(enum service_field field);

/* The attribute; ptr NULL: it sets none, or one that is none. */
struct slice service_text(const struct target_config *config, enum service_field field);
struct slice service_parent(const struct target_config *config);

/* It sets one that is none. */
bool service_is_odd(const struct target_config *config, enum service_field field);
bool service_is_odd_parent(const struct target_config *config);

/* Whether the text is one; a heartbeat is none. */
bool service_takes(enum service_field field, struct slice text);

/* The next of a list, which is cut off the text; len 0: that was all. */
struct slice service_take(struct slice *list);

/* Of SERVICE_MIN and the like. */
uint64_t service_count(struct slice text);

/* ---- All of them ---- */

/* The services of a registry, one of which may be another than it has. */
struct service_view {
	const struct registry *registry;
	struct service changed; /* name.len 0: none; config NULL: there is none of that name */
};

static inline struct service service_of(const struct target *target)
{
	return (struct service){ target_label(target, SLICE("instance")), &target->config };
}

/* NULL: there is none. */
struct target *service_find_target(const struct registry *registry, struct slice name);

bool service_find(const struct service_view *view, struct slice name, struct service *ret_service);

enum service_ending {
	SERVICE_ENDS,          /* at one without a parent */
	SERVICE_ENDS_MISSING,  /* at a parent that is not there */
	SERVICE_ENDS_CIRCLE,   /* at one that was there already */
	SERVICE_ENDS_TOO_DEEP, /* at as many as there may be */
};

enum { SERVICE_NOWHERE = 255 };

/* A service and what it has of its parents. */
struct service_whole {
	struct service line[SERVICE_PARENTS_MAX + 1]; /* itself, its parent, ... */
	size_t len;
	enum service_ending ending;
	struct slice end; /* the name of what is behind the last; len 0: nothing */
	/* By field: the place of who sets it; or SERVICE_NOWHERE. */
	uint8_t places[SERVICE_FIELD_COUNT];
	struct slice texts[SERVICE_FIELD_COUNT]; /* ptr NULL: nobody does; of a heartbeat never set */
	int64_t heartbeat_ns;                    /* 0: nobody does */
};

/* As much of it as there is. */
void service_resolve(
		const struct service_view *view, struct service service, struct service_whole *ret_whole);

/* Of the fields only those whose bits are set (1 << SERVICE_MIN), which is quicker. */
void service_resolve_some(const struct service_view *view, struct service service, unsigned wanted,
		struct service_whole *ret_whole);

/* Of what comes of it the dependencies, or the heartbeat, alone, which is quicker still. */
struct slice service_find_dependencies(const struct service_view *view, struct service service);
int64_t service_find_heartbeat_ns(const struct service_view *view, struct service service);

/* Whether one in front of it in the line has a threshold of its name, which then counts. */
bool service_is_overridden(const struct service_whole *whole, size_t place, size_t threshold);

/* It wants more instances at least than at most. */
bool service_is_empty_range(const struct service_whole *whole);
