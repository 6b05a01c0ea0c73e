#pragma once

/*
 * How many groups each job has, for limits that hold for a job. Kept per
 * contents; a job without groups is not remembered.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "model/group_key.h"

struct job_count {
	struct map_node node;
	uint64_t groups;
	size_t name_len;
	char name[];
};

/* The job of that key, with one group more. */
struct job_count *job_count_enter(struct map *jobs, const struct group_key *key);
void job_count_leave(struct map *jobs, struct job_count *job);

uint64_t job_count_groups(const struct map *jobs, const struct group_key *key);
