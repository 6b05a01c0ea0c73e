#pragma once

/*
 * The inventory: hosts, images and collectors, as views on targets.
 *
 * A host is the target {job="node",instance="IP"} and no further label; what else is known of
 * it are attributes, such as the number of its image. An image says which collectors are on
 * hosts that were made of it; a collector, how its metrics are had. These two are kept as
 * targets of modes of their own, which nobody pushes to and nobody scrapes:
 *
 *     {job="orwell_image",instance="3"}        name, collectors: "1,4"
 *     {job="orwell_collector",instance="4"}    name, target, port, type_id
 *
 * Anybody may have written them: a reference to what is not there is none, and what is no number
 * is 0.
 */

#include <stdbool.h>
#include <stdint.h>

#include "targets/registry.h"

enum {
	INVENTORY_NUMBER_MAX = INT32_MAX,
	INVENTORY_PORT_MAX = 65535,
	COLLECTOR_PULL = 1, /* is scraped on the host */
	COLLECTOR_PUSH = 2,
};

/* A key of two labels, in the caller's memory. */
struct inventory_key {
	struct label pairs[2];
	struct group_key key;
};

/* ---- Keys ---- */

/* The address is escaped, and not copied. */
void inventory_host_key(struct inventory_key *key, struct slice address);

/* Of an image or a collector; the number's text is in the arena. */
void inventory_number_key(
		struct inventory_key *key, enum target_mode mode, uint64_t number, struct arena *arena);

/* Whether a target of that mode may have that key: of images and collectors it tells the number. */
bool inventory_fits(enum target_mode mode, const struct group_key *key);

/* Of an image or a collector. */
uint64_t inventory_number(const struct target *target);

/* ---- Looking ---- */

/* One that pushes or is scraped: a virtual one is no host. */
bool inventory_is_host(const struct target *target);

/* NULL: there is none. The name is escaped. */
struct target *inventory_find(
		const struct registry *registry, enum target_mode mode, uint64_t number);
struct target *inventory_find_named(
		const struct registry *registry, enum target_mode mode, struct slice name);

/*
 * The smallest number behind all that are taken and behind that one to which nothing refers; 0:
 * none is left.
 */
uint64_t inventory_next_number(
		const struct registry *registry, enum target_mode mode, uint64_t behind);

/* ---- What is known of one ---- */

/* An attribute, escaped; ptr NULL: it has none of that name. */
struct slice inventory_text(const struct target *target, struct slice name);

/* Of an attribute; 0: it is none, or not there. */
uint64_t inventory_count(const struct target *target, struct slice name);

/* The image of a host; NULL: none. */
struct target *inventory_image_of(const struct registry *registry, const struct target *host);

/* The next number in an image's collectors, which are cut off the text; 0: that was all. */
uint64_t inventory_take_collector(struct slice *collectors);

bool inventory_has_collector(const struct target *image, uint64_t number);

/* The first by its number that is to be scraped on the host; NULL: none. */
struct target *inventory_pull_collector(const struct registry *registry, const struct target *host);
