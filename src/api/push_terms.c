#include "api/push_terms.h"

static size_t lower(size_t of_all, uint64_t of_rule)
{
	return of_rule != 0 && of_rule < of_all ? (size_t)of_rule : of_all;
}

static void apply_rule(struct push_terms *terms, const struct job_rule *rule)
{
	const struct job_limits *limits = &rule->limits;
	terms->ttl.usual_ns = rule->ttl_ns == JOB_TTL_UNSET ? terms->ttl.usual_ns : rule->ttl_ns;
	terms->ttl.max_ns = rule->ttl_max_ns == JOB_TTL_UNSET ? terms->ttl.max_ns : rule->ttl_max_ns;
	terms->body_bytes = lower(terms->body_bytes, limits->body_bytes);
	terms->format.labels = lower(terms->format.labels, limits->labels);
	terms->format.label_bytes = lower(terms->format.label_bytes, limits->label_bytes);
	terms->series = lower(terms->series, limits->series_per_group);
	terms->store.groups = limits->groups;
	terms->store.series_per_group = limits->series_per_group;
}

bool push_terms_init(struct push_terms *terms, const struct api *api, const struct group_key *key,
		struct arena *arena)
{
	return push_terms_find(terms, &api->options, job_rules_ref(api->job_rules), key, arena);
}

bool push_terms_find(struct push_terms *terms, const struct api_options *options,
		struct job_rules *rules, const struct group_key *key, struct arena *arena)
{
	*terms = (struct push_terms){
		.rules = rules,
		.ttl = { .usual_ns = options->ttl_ns, .max_ns = options->ttl_max_ns },
		.body_bytes = options->body_bytes,
		.format = options->format_options,
		.series = options->format_options.samples,
	};
	if (terms->rules->count == 0) {
		return true;
	}
	struct slice job = labels_unescape(arena, labels_find(&key->labels, SLICE("job")));
	if (!job_rules_find(terms->rules, job, arena, &terms->rule)) {
		return false;
	}
	if (terms->rule != NULL) {
		apply_rule(terms, terms->rule);
	}
	return true;
}

void push_terms_finish(struct push_terms *terms)
{
	job_rules_unref(terms->rules);
	terms->rules = NULL;
}
