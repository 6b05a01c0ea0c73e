#pragma once

/*
 * What the registry's files share.
 */

#include "targets/registry.h"

/* Without looking whether there is one, and untold. */
struct target *registry_add(struct registry *registry, const struct group_key *key,
		const struct target_config *config, const struct target_id *id);

/* It is called otherwise from now on. */
void registry_rename(struct registry *registry, struct target *target, const struct target_id *id);

/* Off all lists, and freed. */
void registry_remove(struct registry *registry, struct target *target);

/* Without a word of it. */
void registry_reconfigure(
		struct registry *registry, struct target *target, const struct target_config *config);

/* Its group is gone, or never was here. */
bool registry_has_expired(const struct registry *registry, const struct target *target);

/* Counts the target under the state that it has now. */
void registry_recount(struct registry *registry, struct target *target);

/* By the key of a group of the store, whose hash is known. */
struct target *registry_find_group(const struct registry *registry, const struct group *group);

void registry_tell_config(struct registry *registry, struct target *target);
void registry_tell_freshness(struct registry *registry, struct target *target);
