#pragma once

/*
 * What holds for a push: what holds for all of them, and what a rule says of
 * its job. Limits are the lower of both.
 */

#include "api/api.h"
#include "api/ttl.h"
#include "config/jobs.h"

struct push_terms {
	struct job_rules *rules;     /* held on to */
	const struct job_rule *rule; /* one of them; NULL: none is for this job */
	struct ttl_rule ttl;
	size_t body_bytes; /* decoded */
	struct format_options format;
	size_t series; /* in one push, after what the rule leaves out */
	struct store_job_limits store;
};

/*
 * The key's terms; push_terms_finish() when the push is over. False when an
 * expression took too many steps, and the push is to be refused.
 */
bool push_terms_init(struct push_terms *terms, const struct api *api, const struct group_key *key,
		struct arena *arena);
void push_terms_finish(struct push_terms *terms);

/*
 * The same by options and rules that somebody else holds on to, on any thread;
 * nothing is to be finished.
 */
bool push_terms_find(struct push_terms *terms, const struct api_options *options,
		struct job_rules *rules, const struct group_key *key, struct arena *arena);

/*
 * Tells bodies apart that look alike but came under other rules: to be mixed
 * into what is remembered of a body. 0 without a rule.
 */
static inline uint64_t push_terms_id(const struct push_terms *terms)
{
	return terms->rule == NULL ? 0 : terms->rules->id;
}
