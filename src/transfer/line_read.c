#include "transfer/line_read.h"

#include <stdlib.h>

#include "base/buf.h"
#include "store/prepare.h"
#include "transfer/line_json.h"
#include "transfer/line_sample.h"
#include "transfer/line_value.h"

/* A family as it is read, with what decides which part it goes to. */
struct read_family {
	struct batch_family batch;
	int64_t pushed_ns;
	uint32_t place;
	bool is_openmetrics;
};

/* ---- Groups ---- */

static bool read_key(struct line_reader *r, const cJSON *item, struct group_key *ret_key)
{
	struct labels labels;
	if (!line_read_labels(r, item, "labels", &labels)) {
		return false;
	}
	ret_key->labels = labels;
	r->labels = group_key_text(ret_key, r->arena);
	for (size_t i = 0; i < labels.count; i++) {
		if (slice_starts_with(labels.pairs[i].name, SLICE("__"))) {
			return line_fail(r, "grouping labels must not begin with __");
		}
	}
	return labels_find(&labels, SLICE("job")).len > 0
			|| line_fail(r, "there is no grouping label job");
}

static bool read_group(struct line_reader *r, const cJSON *const *fields, struct line_group *group)
{
	return read_key(r, fields[0], &group->key)
			&& line_read_time(r, fields[1], "pushed", &group->times.pushed_ns)
			&& line_read_time(r, fields[2], "failed", &group->times.failed_ns)
			&& line_read_time(r, fields[3], "expires", &group->expires_ns)
			&& line_read_flag(r, fields[4], "adds", &group->adds)
			&& line_read_place(r, fields[5], "place", &group->place);
}

/* ---- Families ---- */

static bool read_name(struct line_reader *r, const cJSON *item, struct slice *ret_name)
{
	struct slice name;
	if (!line_read_text(r, item, "name", &name) || name.ptr == NULL) {
		return line_fail(r, "a family without a name");
	}
	*ret_name = labels_escape(r->arena, name);
	r->family = name;
	return (name.len > 0 && !prepare_is_computed(*ret_name))
			|| line_fail(r, "it is not for a family to be pushed");
}

static bool read_type(struct line_reader *r, const cJSON *item, enum metric_type *ret_type)
{
	struct slice name;
	return line_read_text(r, item, "type", &name)
			&& ((name.ptr != NULL && line_type_find(name, ret_type))
					|| line_fail_at(r, "type", name, "is none, such as gauge"));
}

/* Backslashes and line feeds are escaped, quotes are not. */
static struct slice escape_help(struct line_reader *r, struct slice help)
{
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < help.len; i++) {
		char c = help.ptr[i];
		if (c == '\\' || c == '\n') {
			buf_append_byte(&text, '\\');
		}
		buf_append_byte(&text, c == '\n' ? 'n' : c);
	}
	struct slice copy = text.len == 0 ? SLICE("") : arena_copy(r->arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

static bool read_metadata(
		struct line_reader *r, const cJSON *help, const cJSON *unit, struct batch_family *family)
{
	if (!line_read_text(r, help, "help", &family->help)
			|| !line_read_text(r, unit, "unit", &family->unit)) {
		return false;
	}
	if (family->help.ptr != NULL) {
		family->help = escape_help(r, family->help);
	}
	return true;
}

static bool read_samples(struct line_reader *r, const cJSON *list, struct batch_family *family)
{
	if (!cJSON_IsArray(list) || list->child == NULL) {
		return line_fail(r, "it needs a list of samples");
	}
	r->sample = 0;
	for (const cJSON *item = list->child; item != NULL; item = item->next) {
		r->sample++;
		if (!line_read_sample(r, item, family->type, batch_family_add(family, r->arena))) {
			return false;
		}
	}
	return line_check_samples(r, family);
}

static bool read_family(struct line_reader *r, const cJSON *item, struct read_family *ret_family)
{
	enum { NAME, TYPE, HELP, UNIT, PUSHED, PLACE, OPENMETRICS, SHADOWED, SAMPLES, COUNT };
	static const char *const names[COUNT] = { "name", "type", "help", "unit", "pushed", "place",
		"openmetrics", "shadowed", "samples" };
	const cJSON *fields[COUNT];
	struct batch_family *family = &ret_family->batch;
	bool is_shadowed;
	*ret_family = (struct read_family){ .batch = { .name = { 0 } } };
	r->family = slice_make(NULL, 0);
	r->sample = 0;
	return line_read_fields(r, item, names, COUNT, fields)
			&& read_name(r, fields[NAME], &family->name)
			&& read_type(r, fields[TYPE], &family->type)
			&& read_metadata(r, fields[HELP], fields[UNIT], family)
			&& line_read_time(r, fields[PUSHED], "pushed", &ret_family->pushed_ns)
			&& (fields[PUSHED] != NULL || line_fail(r, "it needs the time it was pushed"))
			&& line_read_place(r, fields[PLACE], "place", &ret_family->place)
			&& line_read_flag(r, fields[OPENMETRICS], "openmetrics", &ret_family->is_openmetrics)
			&& line_read_flag(r, fields[SHADOWED], "shadowed", &is_shadowed)
			&& read_samples(r, fields[SAMPLES], family);
}

/* ---- Parts ---- */

static int compare_parts(const struct read_family *a, const struct read_family *b)
{
	if (a->pushed_ns != b->pushed_ns) {
		return a->pushed_ns < b->pushed_ns ? -1 : 1;
	}
	return (int)a->is_openmetrics - (int)b->is_openmetrics;
}

static int compare_families(const void *a, const void *b)
{
	const struct read_family *left = a;
	const struct read_family *right = b;
	int order = compare_parts(left, right);
	return order != 0 ? order : slice_compare(left->batch.name, right->batch.name);
}

static int compare_names(const void *a, const void *b)
{
	return slice_compare(((const struct read_family *)a)->batch.name,
			((const struct read_family *)b)->batch.name);
}

static bool check_names(struct line_reader *r, struct read_family *families, size_t count)
{
	qsort(families, count, sizeof(*families), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (slice_equal(families[i - 1].batch.name, families[i].batch.name)) {
			r->family = labels_unescape(r->arena, families[i].batch.name);
			return line_fail(r, "it is there twice");
		}
	}
	return true;
}

/* Families that came together go together. */
static void make_parts(
		struct line_reader *r, struct read_family *families, size_t count, struct line *line)
{
	line->parts = arena_zalloc(r->arena, count, sizeof(struct line_part));
	line->places = arena_alloc(r->arena, count * sizeof(uint32_t));
	qsort(families, count, sizeof(*families), compare_families);
	for (size_t i = 0; i < count; i++) {
		bool is_new = i == 0 || compare_parts(&families[i - 1], &families[i]) != 0;
		struct line_part *part = &line->parts[is_new ? line->part_count++ : line->part_count - 1];
		if (is_new) {
			part->pushed_ns = families[i].pushed_ns;
			part->batch.is_openmetrics = families[i].is_openmetrics;
			part->batch.families = &families[i].batch;
		} else {
			families[i - 1].batch.next = &families[i].batch;
		}
		line->places[i] = families[i].place;
		part->batch.family_count++;
		part->batch.sample_count += families[i].batch.sample_count;
		line->series += families[i].batch.sample_count;
	}
	line->family_count = count;
}

static bool read_families(struct line_reader *r, const cJSON *list, struct line *line)
{
	if (!cJSON_IsArray(list)) {
		return line_fail(r, "it needs a list of families");
	}
	size_t count = (size_t)cJSON_GetArraySize(list);
	struct read_family *families = arena_alloc(r->arena, (count + 1) * sizeof(*families));
	size_t read = 0;
	for (const cJSON *item = list->child; item != NULL; item = item->next) {
		if (!read_family(r, item, &families[read++])) {
			return false;
		}
	}
	r->sample = 0;
	if (count > 1 && !check_names(r, families, count)) {
		return false;
	}
	if (count > 0) {
		make_parts(r, families, count, line);
	}
	return true;
}

/* ---- Lines ---- */

static bool read_group_line(struct line_reader *r, const cJSON *tree, struct line *line)
{
	enum { FAMILIES = 6, COUNT };
	static const char *const names[COUNT] = { "labels", "pushed", "failed", "expires", "adds",
		"place", "families" };
	const cJSON *fields[COUNT];
	line->kind = LINE_GROUP;
	if (!line_read_fields(r, tree, names, COUNT, fields) || !read_group(r, fields, &line->group)) {
		return false;
	}
	r->key = &line->group.key.labels;
	return read_families(r, fields[FAMILIES], line);
}

/* Of a newer version only that much is known. */
static bool check_version(struct line_reader *r, const cJSON *version)
{
	return (cJSON_IsNumber(version) && version->valuedouble == LINE_VERSION)
			|| line_fail(r, "it is of a version of exports that this weir does not know");
}

static bool read_end(struct line_reader *r, const cJSON *tree, struct line *line)
{
	enum { VERSION, LINES, GROUPS, FAMILIES, SERIES, LEFT_OUT, COUNT };
	static const char *const names[COUNT] = { "weir_export_end", "lines", "groups", "families",
		"series", "left_out" };
	const cJSON *fields[COUNT];
	struct line_counts *counts = &line->counts;
	line->kind = LINE_END;
	return check_version(r, tree->child) && line_read_fields(r, tree, names, COUNT, fields)
			&& line_read_count(r, fields[LINES], "lines", &counts->lines)
			&& line_read_count(r, fields[GROUPS], "groups", &counts->groups)
			&& line_read_count(r, fields[FAMILIES], "families", &counts->families)
			&& line_read_count(r, fields[SERIES], "series", &counts->series)
			&& line_read_count(r, fields[LEFT_OUT], "left_out", &counts->left_out);
}

static bool read_tree(struct line_reader *r, const cJSON *tree, struct line *line)
{
	if (!cJSON_IsObject(tree) || tree->child == NULL) {
		return line_fail(r, "it is no object with labels and families");
	}
	const char *first = tree->child->string;
	if (strcmp(first, "weir_export") == 0) {
		line->kind = LINE_HEADER;
		return check_version(r, tree->child);
	}
	if (strcmp(first, "weir_export_end") == 0) {
		return read_end(r, tree, line);
	}
	return read_group_line(r, tree, line);
}

bool line_read(struct slice text, struct arena *arena, struct line *ret_line,
		struct line_error *reterr_error)
{
	struct line_reader r = { .arena = arena };
	struct line line = { .kind = LINE_GROUP };
	cJSON *tree = line_json_parse(text, arena, &r.what);
	bool is_read = tree != NULL && read_tree(&r, tree, &line);
	cJSON_Delete(tree);
	if (is_read) {
		*ret_line = line;
	} else {
		*reterr_error = (struct line_error){ .what = r.what, .labels = r.labels };
	}
	return is_read;
}
