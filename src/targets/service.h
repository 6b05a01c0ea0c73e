#pragma once

/*
 * Services: what runs as several targets. Each is kept as a target of a mode of its own, which
 * nobody pushes to and nobody scrapes, under its name:
 *
 *     {job="weir_service",instance="web"}
 */

#include <stdbool.h>

#include "model/group_key.h"

enum { SERVICE_NAME_BYTES_MAX = 63 };

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
