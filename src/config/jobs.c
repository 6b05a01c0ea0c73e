#include "config/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/duration.h"
#include "base/memory.h"
#include "base/utf8.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Where a rule's values go while it is read. */
struct reader {
	struct arena *arena; /* the rules' own */
	struct job_rule *rule;
};

/* ---- Whole sets ---- */

struct job_rules *job_rules_create(void)
{
	struct job_rules *rules = memory_zalloc(1, sizeof(*rules));
	rules->refs = 1;
	arena_init(&rules->arena);
	return rules;
}

struct job_rules *job_rules_ref(struct job_rules *rules)
{
	rules->refs++;
	return rules;
}

void job_rules_unref(struct job_rules *rules)
{
	if (rules != NULL && --rules->refs == 0) {
		arena_finish(&rules->arena);
		free(rules);
	}
}

bool job_rules_find(const struct job_rules *rules, struct slice job, struct arena *arena,
		const struct job_rule **ret_rule)
{
	struct pattern_scratch scratch;
	pattern_scratch_init(&scratch, arena);
	const struct job_rule *found = NULL;
	for (size_t i = 0; i < rules->count && found == NULL && scratch.failed == NULL; i++) {
		const struct job_rule *rule = &rules->rules[i];
		bool fits = rule->match == NULL ? slice_equal(rule->job, job)
										: pattern_matches(rule->match, job, &scratch);
		found = fits ? rule : NULL;
	}
	if (scratch.failed != NULL) {
		return false;
	}
	*ret_rule = found;
	return true;
}

/* ---- Values ---- */

static const struct pattern *read_pattern(struct reader *reader, struct yaml_file *file,
		const char *name, const struct yaml_node *node)
{
	const char *text = yaml_text(file, name, node);
	struct slice what;
	size_t offset;
	if (text == NULL) {
		return NULL;
	}
	const struct pattern *pattern =
			pattern_compile(slice_of_string(text), reader->arena, &what, &offset);
	if (pattern == NULL) {
		yaml_fail(file, node->line,
				"bad regular expression '%s' in '%s': " SLICE_FMT " at character %zu", text, name,
				SLICE_ARG(what), offset + 1);
	}
	return pattern;
}

static void read_patterns(struct reader *reader, struct yaml_file *file, const char *name,
		const struct yaml_node *node, const struct pattern ***ret_patterns, size_t *ret_count)
{
	if (!yaml_is_list(file, name, node)) {
		return;
	}
	const struct pattern **patterns =
			arena_zalloc(reader->arena, node->count + 1, sizeof(const struct pattern *));
	for (size_t i = 0; i < node->count; i++) {
		patterns[i] = read_pattern(reader, file, name, node->items[i]);
	}
	*ret_patterns = patterns;
	*ret_count = node->count;
}

static void read_duration(struct yaml_file *file, const char *name, const struct yaml_node *node,
		int64_t *duration_ns)
{
	const char *text = yaml_text(file, name, node);
	int64_t ns;
	if (text == NULL) {
		return;
	}
	enum duration_result result = duration_parse(slice_of_string(text), &ns);
	if (result != DURATION_OK || ns < 0) {
		yaml_fail(file, node->line, "bad value '%s' for '%s': %s", text, name,
				result != DURATION_OK ? duration_error(result) : "it must not be negative");
	} else {
		*duration_ns = ns;
	}
}

static void read_size(
		struct yaml_file *file, const char *name, const struct yaml_node *node, uint64_t *size)
{
	const char *text = yaml_text(file, name, node);
	uint64_t bytes;
	if (text == NULL) {
		return;
	}
	enum bytes_result result = bytes_parse(slice_of_string(text), &bytes);
	if (result != BYTES_OK || bytes == 0) {
		yaml_fail(file, node->line, "bad value '%s' for '%s': %s", text, name,
				result != BYTES_OK ? bytes_error(result) : "it must be at least 1");
	} else {
		*size = bytes;
	}
}

static void read_count(
		struct yaml_file *file, const char *name, const struct yaml_node *node, uint64_t *count)
{
	const char *text = yaml_text(file, name, node);
	if (text != NULL && text[strspn(text, "0123456789")] != '\0') {
		yaml_fail(file, node->line, "bad value '%s' for '%s': not a whole number", text, name);
	} else if (text != NULL) {
		read_size(file, name, node, count);
	}
}

/* ---- limits ---- */

static void read_body_bytes(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_size(file, name, node, &reader->rule->limits.body_bytes);
}

static void read_groups(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_count(file, name, node, &reader->rule->limits.groups);
}

static void read_series(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_count(file, name, node, &reader->rule->limits.series_per_group);
}

static void read_label_count(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_count(file, name, node, &reader->rule->limits.labels);
}

static void read_label_bytes(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_size(file, name, node, &reader->rule->limits.label_bytes);
}

static const struct yaml_key limit_keys[] = {
	{ "body-bytes", read_body_bytes },
	{ "groups", read_groups },
	{ "label-bytes", read_label_bytes },
	{ "labels", read_label_count },
	{ "series-per-group", read_series },
};

static void read_limits(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	if (yaml_is_map(file, name, node)) {
		yaml_read_map(file, node, "in limits", limit_keys, COUNT(limit_keys), data);
	}
}

/* ---- labels ---- */

/* Why a label of that name cannot be put in; NULL when it can. */
static const char *fault_of_name(const char *name)
{
	struct slice text = slice_of_string(name);
	if (!labels_is_name(text)) {
		return "is no label name, [a-zA-Z_][a-zA-Z0-9_]*";
	}
	if (slice_starts_with(text, SLICE("__"))) {
		return "is reserved: it begins with two underscores";
	}
	if (slice_equal(text, SLICE("job"))) {
		return "is in every grouping key already";
	}
	bool is_bound = slice_equal(text, SLICE("le")) || slice_equal(text, SLICE("quantile"));
	return is_bound ? "is for histograms and summaries" : NULL;
}

static void read_added(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	if (!yaml_is_map(file, name, node)) {
		return;
	}
	struct labels *add = &reader->rule->relabel.add;
	add->pairs = arena_zalloc(reader->arena, node->count + 1, sizeof(struct label));
	for (size_t i = 0; i < node->count; i++) {
		const char *fault = fault_of_name(node->keys[i]);
		const char *value = yaml_text(file, node->keys[i], node->items[i]);
		if (fault != NULL) {
			yaml_fail(file, node->key_lines[i], "label '%s' cannot be added: it %s", node->keys[i],
					fault);
		} else if (value != NULL && value[0] == '\0') {
			yaml_fail(file, node->key_lines[i], "label '%s' has no value", node->keys[i]);
		} else if (value != NULL) {
			struct slice copy = arena_copy(reader->arena, slice_of_string(value));
			add->pairs[add->count++] = (struct label){
				.name = arena_copy(reader->arena, slice_of_string(node->keys[i])),
				.value = labels_escape(reader->arena, copy),
			};
		}
	}
	labels_sort(add);
}

static void read_dropped_labels(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	struct relabel *relabel = &reader->rule->relabel;
	read_patterns(reader, file, name, node, &relabel->drop_labels, &relabel->drop_label_count);
}

static const struct yaml_key label_keys[] = {
	{ "add", read_added },
	{ "drop", read_dropped_labels },
};

static void read_labels(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	if (yaml_is_map(file, name, node)) {
		yaml_read_map(file, node, "in labels", label_keys, COUNT(label_keys), data);
	}
}

/* ---- metrics ---- */

static void read_dropped_metrics(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	struct relabel *relabel = &reader->rule->relabel;
	read_patterns(reader, file, name, node, &relabel->drop_metrics, &relabel->drop_metric_count);
}

static const struct yaml_key metric_keys[] = {
	{ "drop", read_dropped_metrics },
};

static void read_metrics(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	if (yaml_is_map(file, name, node)) {
		yaml_read_map(file, node, "in metrics", metric_keys, COUNT(metric_keys), data);
	}
}

/* ---- One rule ---- */

static void read_job(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	const char *text = yaml_text(file, name, node);
	if (text != NULL && text[0] == '\0') {
		yaml_fail(file, node->line, "'job' has no value");
	} else if (text != NULL) {
		reader->rule->job = arena_copy(reader->arena, slice_of_string(text));
	}
}

static void read_match(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	reader->rule->match = read_pattern(reader, file, name, node);
}

static void read_ttl(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_duration(file, name, node, &reader->rule->ttl_ns);
}

static void read_ttl_max(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_duration(file, name, node, &reader->rule->ttl_max_ns);
}

static const struct yaml_key rule_keys[] = {
	{ "job", read_job },
	{ "labels", read_labels },
	{ "limits", read_limits },
	{ "match", read_match },
	{ "metrics", read_metrics },
	{ "ttl", read_ttl },
	{ "ttl-max", read_ttl_max },
};

static bool has_key(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->keys[i], key) == 0) {
			return true;
		}
	}
	return false;
}

static void read_rule(struct reader *reader, struct yaml_file *file, const struct yaml_node *node)
{
	reader->rule->ttl_ns = JOB_TTL_UNSET;
	reader->rule->ttl_max_ns = JOB_TTL_UNSET;
	if (node->kind != YAML_KIND_MAP && !node->is_null) {
		yaml_fail(file, node->line, "a rule for jobs must be keys and values, as in '- job: NAME'");
		return;
	}
	if (has_key(node, "job") == has_key(node, "match")) {
		yaml_fail(file, node->line,
				"a rule for jobs needs either 'job', a name, or 'match', a "
				"regular expression");
	}
	yaml_read_map(file, node, "in a rule for jobs", rule_keys, COUNT(rule_keys), reader);
}

void job_rules_read(struct job_rules *rules, struct yaml_file *file, const struct yaml_node *list)
{
	static uint64_t last_id;
	if (!yaml_is_list(file, "jobs", list)) {
		return;
	}
	rules->rules = arena_zalloc(&rules->arena, list->count + 1, sizeof(*rules->rules));
	rules->count = list->count;
	rules->id = list->count == 0 ? 0 : ++last_id;
	for (size_t i = 0; i < list->count; i++) {
		struct reader reader = { .arena = &rules->arena, .rule = &rules->rules[i] };
		read_rule(&reader, file, list->items[i]);
	}
}
