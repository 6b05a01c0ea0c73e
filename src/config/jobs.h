#pragma once

/*
 * Rules for jobs: what holds for the pushes of one job, or of those whose name
 * matches, beside or instead of what holds for all. Read from the list `jobs`
 * of --config.file:
 *
 *	jobs:
 *	  - job: backup                  # or match: 'backup-.*', a regular expression
 *	    ttl: 26h                     # for --group.ttl
 *	    ttl-max: 48h                 # for --group.ttl-max
 *	    limits: {body-bytes: 1MiB, groups: 50, series-per-group: 1000, labels: 20, label-bytes:
 *1KiB} labels: {add: {team: storage}, drop: ['pod', 'k8s_.*']} metrics: {drop: ['go_.*',
 *'python_.*']}
 *
 * The first rule that fits a job is the one. Limits can be lower than those of
 * all, not higher.
 *
 * Rules are replaced as a whole at a reload; who works by a rule holds on to
 * the set it is of.
 */

#include <stdint.h>

#include "config/yaml.h"
#include "model/relabel.h"

enum { JOB_TTL_UNSET = -1 };

/* 0: no limit of its own. */
struct job_limits {
	uint64_t body_bytes;
	uint64_t groups; /* of each job that the rule fits */
	uint64_t series_per_group;
	uint64_t labels;
	uint64_t label_bytes;
};

struct job_rule {
	struct slice job;            /* ptr NULL: those that match */
	const struct pattern *match; /* NULL: that job */
	int64_t ttl_ns;              /* JOB_TTL_UNSET: as for all */
	int64_t ttl_max_ns;          /* the same */
	struct job_limits limits;
	struct relabel relabel;
};

struct job_rules {
	size_t refs;
	uint64_t id;        /* differs from that of every set before it in this process; 0: no rules */
	struct arena arena; /* of all below */
	struct job_rule *rules;
	size_t count;
};

/* No rules, one reference. */
struct job_rules *job_rules_create(void);
struct job_rules *job_rules_ref(struct job_rules *rules);
void job_rules_unref(struct job_rules *rules);

/* Adds the rules of the list; what is wrong is an error of the file. */
void job_rules_read(struct job_rules *rules, struct yaml_file *file, const struct yaml_node *list);

/*
 * The rule for a job, NULL for none. Matching needs the arena for a while.
 * False when the name takes an expression too many steps: which rule it is for
 * cannot be told, and nobody is to get around one by such a name.
 */
bool job_rules_find(const struct job_rules *rules, struct slice job, struct arena *arena,
		const struct job_rule **ret_rule);
