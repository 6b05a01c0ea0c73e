#include "store/job_count.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

static struct slice name_of(const struct group_key *key)
{
	return labels_find(&key->labels, SLICE("job"));
}

static struct job_count *find(const struct map *jobs, struct slice name, uint64_t hash)
{
	struct map_node *node = map_first(jobs, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct job_count *job = MAP_ENTRY(node, struct job_count, node);
		if (slice_equal(slice_make(job->name, job->name_len), name)) {
			return job;
		}
	}
	return NULL;
}

struct job_count *job_count_enter(struct map *jobs, const struct group_key *key)
{
	struct slice name = name_of(key);
	uint64_t hash = hash64(name);
	struct job_count *job = find(jobs, name, hash);
	if (job == NULL) {
		job = memory_alloc(sizeof(*job) + name.len);
		*job = (struct job_count){ .name_len = name.len };
		if (name.len > 0) {
			memcpy(job->name, name.ptr, name.len);
		}
		map_insert(jobs, &job->node, hash);
	}
	job->groups++;
	return job;
}

void job_count_leave(struct map *jobs, struct job_count *job)
{
	if (--job->groups == 0) {
		map_remove(jobs, &job->node);
		free(job);
	}
}

uint64_t job_count_groups(const struct map *jobs, const struct group_key *key)
{
	struct slice name = name_of(key);
	const struct job_count *job = find(jobs, name, hash64(name));
	return job == NULL ? 0 : job->groups;
}
