/*
 * Rules for jobs: read from YAML, found by the job's name, applied to a batch.
 */

#include "base/hash.h"
#include "check.h"
#include "config/jobs.h"
#include "format/format.h"
#include "text_dump.h"

static struct arena arena;

/* Reads a list of rules; the errors are in the arena. */
static struct job_rules *read_rules(const char *text, struct slice *ret_errors)
{
	struct job_rules *rules = job_rules_create();
	struct yaml_file file;
	struct buf errors;
	buf_init(&errors, 0);
	if (yaml_read_text(&file, "f", slice_of_string(text), &errors) && file.root != NULL) {
		job_rules_read(rules, &file, file.root);
	}
	*ret_errors = arena_copy(&arena, buf_slice(&errors));
	buf_finish(&errors);
	yaml_finish(&file);
	return rules;
}

static struct job_rules *read_good(const char *text)
{
	struct slice errors;
	struct job_rules *rules = read_rules(text, &errors);
	CHECK_SLICE(errors, SLICE(""));
	return rules;
}

static void test_values(void)
{
	struct job_rules *rules =
			read_good("- job: a\n  ttl: 1h\n  ttl-max: 2h\n  limits:\n    body-bytes: 1KiB\n"
					  "    groups: 2\n    series-per-group: 3\n    labels: 4\n    label-bytes: 5B\n"
					  "- match: b\n");
	CHECK_INT(rules->count, 2);
	const struct job_rule *rule = &rules->rules[0];
	CHECK_INT(rule->ttl_ns, 3600 * 1000000000ll);
	CHECK_INT(rule->ttl_max_ns, 7200 * 1000000000ll);
	CHECK_INT(rule->limits.body_bytes, 1024);
	CHECK_INT(rule->limits.groups, 2);
	CHECK_INT(rule->limits.series_per_group, 3);
	CHECK_INT(rule->limits.labels, 4);
	CHECK_INT(rule->limits.label_bytes, 5);
	CHECK_INT(rules->rules[1].ttl_ns, JOB_TTL_UNSET);
	CHECK_INT(rules->rules[1].limits.groups, 0);
	job_rules_unref(rules);
}

static void test_ids(void)
{
	struct job_rules *none = job_rules_create();
	struct job_rules *first = read_good("- job: a\n");
	struct job_rules *second = read_good("- job: a\n");
	CHECK_INT(none->id, 0);
	CHECK(first->id != 0 && first->id != second->id);
	job_rules_unref(job_rules_ref(first));
	CHECK_INT(first->refs, 1);
	job_rules_unref(none);
	job_rules_unref(first);
	job_rules_unref(second);
}

static void test_find(void)
{
	struct job_rules *rules = read_good("- job: backup\n- match: 'back.*'\n- match: '.*\\.x'\n"
										"- job: last\n- match: '(a+)+y|a.*'\n"
										"- match: 'a.*'\n");
	static const struct {
		const char *job;
		int number; /* -1: none, -2: takes too many steps */
	} cases[] = {
		{ "backup", 0 },
		{ "backups", 1 },
		{ "xbackup", -1 },
		{ "n.x", 2 },
		{ "nx", -1 },
		{ "last", 3 },
		{ "aaaay", 4 },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", -2 },
		{ "", -1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct job_rule *rule = NULL;
		bool is_told = job_rules_find(rules, slice_of_string(cases[i].job), &arena, &rule);
		CHECK_INT(!is_told ? -2 : rule == NULL ? -1 : rule - rules->rules, cases[i].number);
	}
	job_rules_unref(rules);
}

/* A push goes through all of them: that must cost no memory for each. */
static void test_find_among_many(void)
{
	enum { RULES = 1000, SCRATCH_BYTES_MAX = 64 * 1024 };
	struct buf text;
	buf_init(&text, 0);
	for (int i = 0; i < RULES; i++) {
		buf_printf(&text, "- match: 'team%d-.*'\n", i);
	}
	buf_append_byte(&text, '\0');
	struct job_rules *rules = read_good(text.ptr);
	const struct job_rule *rule = NULL;
	size_t used_before = arena.used_bytes;
	CHECK(job_rules_find(rules, SLICE("team999-x"), &arena, &rule));
	CHECK_INT(rule - rules->rules, RULES - 1);
	CHECK(arena.used_bytes - used_before < SCRATCH_BYTES_MAX);
	job_rules_unref(rules);
	buf_finish(&text);
}

static void test_errors(void)
{
	static const struct {
		const char *rules;
		const char *errors;
	} cases[] = {
		{ "a: b\n", "f:1: 'jobs' must be a list, not keys and values\n" },
		{ "- backup\n", "f:1: a rule for jobs must be keys and values, as in '- job: NAME'\n" },
		{ "- ttl: 1h\n",
				"f:1: a rule for jobs needs either 'job', a name, or 'match', a regular "
				"expression\n" },
		{ "- job: a\n  match: b\n",
				"f:1: a rule for jobs needs either 'job', a name, or 'match', "
				"a regular expression\n" },
		{ "- job: ''\n", "f:1: 'job' has no value\n" },
		{ "- match: '('\n",
				"f:1: bad regular expression '(' in 'match': missing closing "
				"parenthesis at character 2\n" },
		{ "- job: a\n  tll: 1h\n",
				"f:2: unknown key 'tll' in a rule for jobs, did you mean 'ttl'?\n" },
		{ "- job: a\n  ttl: -1h\n", "f:2: bad value '-1h' for 'ttl': it must not be negative\n" },
		{ "- job: a\n  limits: {groups: 0, labels: 1k, body-bytes: 5X}\n",
				"f:2: bad value '0' for 'groups': it must be at least 1\n"
				"f:2: bad value '1k' for 'labels': not a whole number\n"
				"f:2: bad value '5X' for 'body-bytes': unknown unit, a size takes KiB, MiB, GiB, "
				"TiB, KB, MB, GB and TB, as in 64MiB\n" },
		{ "- job: a\n  limits: {series: 5}\n",
				"f:2: unknown key 'series' in limits; there are body-bytes, groups, label-bytes, "
				"labels and series-per-group\n" },
		{ "- job: a\n  labels:\n    add: {a-b: x, __c: x, job: x, le: x, d: ''}\n",
				"f:3: label 'a-b' cannot be added: it is no label name, [a-zA-Z_][a-zA-Z0-9_]*\n"
				"f:3: label '__c' cannot be added: it is reserved: it begins with two "
				"underscores\n"
				"f:3: label 'job' cannot be added: it is in every grouping key already\n"
				"f:3: label 'le' cannot be added: it is for histograms and summaries\n"
				"f:3: label 'd' has no value\n" },
		{ "- job: a\n  metrics: {drop: 'go_.*'}\n", "f:2: 'drop' must be a list, not a value\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice errors;
		job_rules_unref(read_rules(cases[i].rules, &errors));
		CHECK_SLICE(errors, slice_of_string(cases[i].errors));
	}
}

/* What a body becomes by a rule. */
static struct slice relabel(const char *rule_text, const char *body, bool *ret_fine)
{
	struct job_rules *rules = read_good(rule_text);
	struct format_options options = { .samples = 1000, .labels = 100, .label_bytes = 1000 };
	struct batch batch;
	struct format_error error;
	CHECK_INT(formats[FORMAT_TEXT].decode(slice_of_string(body), &options, &arena, &batch, &error),
			FORMAT_OK);
	*ret_fine = relabel_apply(&rules->rules[0].relabel, &batch, &arena);
	struct slice dump = text_dump(&batch, &arena);
	job_rules_unref(rules);
	return dump;
}

static void test_relabel(void)
{
	static const struct {
		const char *rule;
		const char *body;
		const char *batch;
	} cases[] = {
		{ "- job: a\n  metrics: {drop: ['go_.*', 'x']}\n",
				"go_a 1\nxx 2\nx 3\n# TYPE go_h histogram\ngo_h_count 1\ngo_h_sum 1\n",
				"xx untyped\n  xx{} 2\n" },
		{ "- job: a\n  metrics: {drop: ['.*']}\n", "a 1\nb 2\n", "" },
		{ "- job: a\n  labels: {add: {b: two, z: '\"'}}\n",
				"m 1\nm{a=\"x\"} 2\nm{b=\"x\",c=\"y\"} 3\nm{b=\"\"} 4\n",
				"m untyped\n  m{b=two,z=\\\"} 1\n  m{a=x,b=two,z=\\\"} 2\n"
				"  m{b=x,c=y,z=\\\"} 3\n  m{b=two,z=\\\"} 4\n" },
		{ "- job: a\n  labels: {drop: ['pod', 'k8s_.*']}\n",
				"m{pod=\"x\",podx=\"y\",k8s_a=\"z\"} 1\n", "m untyped\n  m{podx=y} 1\n" },
		{ "- job: a\n  labels: {drop: ['pod'], add: {pod: new}}\n", "m{pod=\"x\"} 1\n",
				"m untyped\n  m{pod=new} 1\n" },
		{ "- job: a\n  labels: {drop: ['.*']}\n",
				"# TYPE s summary\ns{quantile=\"0.5\",a=\"b\"} 1\ns_sum{a=\"b\"} 1\n"
				"s_count{a=\"b\"} 1\n# TYPE g gauge\ng{quantile=\"0.5\",le=\"1\"} 1\n",
				"s summary\n  s{quantile=0.5} 1\n  s_sum{} 1\n  s_count{} 1\ng gauge\n  g{} 1\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool fine;
		CHECK_SLICE(relabel(cases[i].rule, cases[i].body, &fine), slice_of_string(cases[i].batch));
		CHECK(fine);
	}
}

static void test_relabel_takes_too_long(void)
{
	bool fine;
	relabel("- job: a\n  metrics: {drop: ['(a+)+$']}\n",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab 1\n", &fine);
	CHECK(!fine);
}

int main(void)
{
	hash_init();
	arena_init(&arena);
	RUN(test_values);
	RUN(test_ids);
	RUN(test_find);
	RUN(test_find_among_many);
	RUN(test_errors);
	RUN(test_relabel);
	RUN(test_relabel_takes_too_long);
	arena_finish(&arena);
	return check_done();
}
