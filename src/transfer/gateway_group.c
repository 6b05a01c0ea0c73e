#include "transfer/gateway_group.h"

#include "base/number.h"
#include "base/quote.h"
#include "format/protobuf_parse.h"
#include "format/protobuf_write.h"
#include "transfer/gateway_json.h"
#include "transfer/gateway_metric.h"
#include "transfer/gateway_time.h"

struct reader {
	const struct gateway_page *page; /* NULL: none */
	struct arena *arena;
	const cJSON *root;
	struct gateway_group *group;
	struct slice what; /* why it is invalid */
	struct buf message;
};

static const struct format_options no_limits = {
	.samples = UINT32_MAX,
	.labels = UINT32_MAX,
	.label_bytes = UINT32_MAX,
	.utf8_names = true,
};

static bool fail(struct reader *reader, const char *name, struct slice what)
{
	struct buf text;
	buf_init(&text, 0);
	if (name != NULL) {
		quote_append(&text, line_json_text(name, reader->arena));
		buf_append(&text, SLICE(": "));
	}
	buf_append(&text, what);
	reader->what = arena_copy(reader->arena, buf_slice(&text));
	buf_finish(&text);
	return false;
}

/* ---- What a group consists of ---- */

/*
 * A family, also where a metric is named as one of the other keys of a group and
 * took its place: labels of a group are all strings.
 */
static bool is_family(const cJSON *item)
{
	const cJSON *metrics = cJSON_GetObjectItemCaseSensitive(item, "metrics");
	return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(item, "type"))
			&& (cJSON_IsArray(metrics) || cJSON_IsNull(metrics));
}

/* The first metric of the gauge that has a time of the group, or NULL. */
static const cJSON *find_gauge(const struct reader *reader, const char *name)
{
	const cJSON *family = cJSON_GetObjectItemCaseSensitive(reader->root, name);
	return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(family, "metrics"), 0);
}

static bool is_time(const char *name)
{
	return strcmp(name, "push_time_seconds") == 0 || strcmp(name, "push_failure_time_seconds") == 0;
}

static double gauge_value(const cJSON *gauge)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(gauge, "value"));
	bool is_number = text != NULL && number_is_float(slice_of_string(text));
	return is_number ? number_value(slice_of_string(text)) : 0;
}

static int64_t read_time(struct reader *reader, const char *name)
{
	const cJSON *family = cJSON_GetObjectItemCaseSensitive(reader->root, name);
	struct slice stamp = gateway_json_member(family, "time_stamp", reader->arena);
	return gateway_time_of_gauge(gauge_value(find_gauge(reader, name)), stamp);
}

/*
 * The grouping labels. When a metric called "labels" hides them, the gauges of
 * the group's times have no others, but for an instance="" that is added.
 */
static bool read_key(struct reader *reader)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->root, "labels");
	bool is_hidden = is_family(item);
	struct labels labels;
	if (is_hidden) {
		item = cJSON_GetObjectItemCaseSensitive(find_gauge(reader, "push_time_seconds"), "labels");
	}
	if (!gateway_json_labels(item, reader->arena, &labels)) {
		return fail(reader, NULL, SLICE("its labels cannot be told"));
	}
	labels = gateway_json_escape(&labels, reader->arena);
	for (size_t i = 0; is_hidden && i < labels.count; i++) {
		struct label *pair = &labels.pairs[i];
		if (slice_equal(pair->name, SLICE("instance")) && pair->value.len == 0) {
			memmove(pair, pair + 1, (--labels.count - i) * sizeof(*pair));
		}
	}
	group_key_init(&reader->group->head.key, labels);
	return true;
}

/* Whether the page shows the push that the group is of. */
static bool is_of_page(struct reader *reader)
{
	const cJSON *gauge = find_gauge(reader, "push_time_seconds");
	struct labels labels;
	if (!gateway_json_labels(
				cJSON_GetObjectItemCaseSensitive(gauge, "labels"), reader->arena, &labels)) {
		return false;
	}
	struct slice field = gateway_page_find(reader->page, SLICE("push_time_seconds"), &labels);
	return field.ptr != NULL && gateway_page_gauge(field) == gauge_value(gauge);
}

/* ---- Families ---- */

static bool find_type(struct slice name, enum metric_type *ret_type)
{
	static const enum metric_type types[] = { METRIC_UNTYPED, METRIC_COUNTER, METRIC_GAUGE,
		METRIC_SUMMARY, METRIC_HISTOGRAM, METRIC_GAUGE_HISTOGRAM };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (slice_equal(name, metric_type_upper_name(types[i]))) {
			*ret_type = types[i];
			return true;
		}
	}
	return false;
}

/* As a HELP line has it: without \" , which is for label values. */
static struct slice escape_help(struct slice help, struct arena *arena)
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
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

static bool read_head(struct reader *reader, const cJSON *item, struct line_family *ret_head)
{
	struct arena *arena = reader->arena;
	struct slice help = gateway_json_member(item, "help", arena);
	struct slice name = line_json_text(item->string, arena);
	struct line_family head = { .name = labels_escape(arena, name), .place = SLOT_NONE };
	if (help.len > 0) {
		head.help = escape_help(help, arena);
	}
	if (!find_type(gateway_json_member(item, "type", arena), &head.type)) {
		return fail(reader, item->string, SLICE("has a type that is not known"));
	}
	if (!gateway_time_parse(gateway_json_member(item, "time_stamp", arena), &head.pushed_ns)) {
		head.pushed_ns = reader->group->head.times.pushed_ns;
	}
	*ret_head = head;
	return true;
}

/* Gathers the family's metrics as the page has them; false when one is not there. */
static bool gather_fields(struct reader *reader, const cJSON *item, struct buf *out)
{
	struct slice name = line_json_text(item->string, reader->arena);
	const cJSON *metric;
	cJSON_ArrayForEach(metric, cJSON_GetObjectItemCaseSensitive(item, "metrics"))
	{
		struct labels labels;
		struct slice field = { 0 };
		if (gateway_json_labels(
					cJSON_GetObjectItemCaseSensitive(metric, "labels"), reader->arena, &labels)) {
			field = gateway_page_find(reader->page, name, &labels);
		}
		if (field.ptr == NULL) {
			return false;
		}
		buf_append(out, field);
	}
	return true;
}

/* Why weir would not expose the metric or the family; ptr NULL: it would. */
static struct slice find_problem(const struct batch *batch)
{
	const struct batch_family *family = batch->families;
	if (batch->fault.text.ptr != NULL) {
		return batch->fault.text;
	}
	for (size_t i = 0; i < family->sample_count; i++) {
		const struct sample_extra *extra = family->samples[i].extra;
		if (extra != NULL && extra->problem.ptr != NULL) {
			return extra->problem;
		}
	}
	return slice_make(NULL, 0);
}

/* Has the decoder of pushes read the family's metrics. */
static bool decode_fields(struct reader *reader, const cJSON *item, struct slice fields,
		struct gateway_family *family)
{
	struct batch batch = { 0 };
	struct format_error error = { 0 };
	struct buf *message = &reader->message;
	buf_reset(message, SIZE_MAX);
	protobuf_append_family_head(
			message, family->head.name, SLICE(""), family->head.type, SLICE(""), fields.len);
	buf_append(message, fields);
	struct slice body = arena_copy(reader->arena, buf_slice(message));
	if (protobuf_parse(body, &no_limits, reader->arena, &batch, &error) != FORMAT_OK) {
		return fail(reader, item->string, error.what);
	}
	if (batch.family_count == 0) {
		return true;
	}
	struct slice problem = find_problem(&batch);
	if (problem.ptr != NULL) {
		return fail(reader, item->string, problem);
	}
	family->samples = batch.families->samples;
	family->sample_count = batch.families->sample_count;
	return true;
}

/* As the API alone says it. */
static bool read_metrics(struct reader *reader, const cJSON *item, struct gateway_family *family)
{
	struct batch_family batch = { .type = family->head.type };
	const cJSON *metric;
	cJSON_ArrayForEach(metric, cJSON_GetObjectItemCaseSensitive(item, "metrics"))
	{
		struct labels labels;
		enum gateway_metric_result result = GATEWAY_METRIC_E_INVALID;
		if (gateway_json_labels(
					cJSON_GetObjectItemCaseSensitive(metric, "labels"), reader->arena, &labels)) {
			labels = gateway_json_escape(&labels, reader->arena);
			result = gateway_metric_add(&batch, metric, &labels, reader->arena);
		}
		switch (result) {
		case GATEWAY_METRIC_OK:
			break;
		case GATEWAY_METRIC_LOSSY:
			reader->group->lossy_metrics++;
			break;
		case GATEWAY_METRIC_E_INVALID:
			return fail(reader, item->string, SLICE("has a metric that cannot be read"));
		}
	}
	family->samples = batch.samples;
	family->sample_count = batch.sample_count;
	return true;
}

static bool read_family(struct reader *reader, const cJSON *item, struct gateway_family *family)
{
	struct buf fields;
	bool is_read;
	if (!read_head(reader, item, &family->head)) {
		return false;
	}
	buf_init(&fields, 0);
	if (reader->page != NULL && gather_fields(reader, item, &fields)) {
		is_read = decode_fields(reader, item, buf_slice(&fields), family);
	} else {
		is_read = read_metrics(reader, item, family);
	}
	buf_finish(&fields);
	return is_read;
}

/* ---- The group ---- */

static bool read_families(struct reader *reader)
{
	struct gateway_group *group = reader->group;
	const cJSON *item;
	size_t most = (size_t)cJSON_GetArraySize(reader->root);
	group->families = arena_zalloc(reader->arena, most + 1, sizeof(*group->families));
	cJSON_ArrayForEach(item, reader->root)
	{
		struct gateway_family *family = &group->families[group->family_count];
		if (!is_family(item) || is_time(item->string)) {
			continue;
		}
		if (!read_family(reader, item, family)) {
			return false;
		}
		group->family_count += family->sample_count > 0;
	}
	return true;
}

static enum gateway_group_result read_group(struct reader *reader, struct slice text)
{
	struct gateway_group *group = reader->group;
	if (!read_key(reader)) {
		return GATEWAY_GROUP_E_INVALID;
	}
	if (gateway_json_is_repaired(text)) {
		fail(reader, NULL, SLICE("some label or name in it is not UTF-8"));
		return GATEWAY_GROUP_E_INVALID;
	}
	group->head.times.pushed_ns = read_time(reader, "push_time_seconds");
	group->head.times.failed_ns = read_time(reader, "push_failure_time_seconds");
	if (reader->page != NULL && !is_of_page(reader)) {
		return GATEWAY_GROUP_CHANGED;
	}
	return read_families(reader) ? GATEWAY_GROUP_OK : GATEWAY_GROUP_E_INVALID;
}

enum gateway_group_result gateway_group_read(struct slice text, const struct gateway_page *page,
		struct arena *arena, struct gateway_group *ret_group, struct slice *reterr_what)
{
	struct reader reader = { .page = page, .arena = arena, .group = ret_group };
	*ret_group = (struct gateway_group){ .head = { .place = SLOT_NONE } };
	cJSON *root = line_json_parse(text, arena, reterr_what);
	if (root == NULL) {
		return GATEWAY_GROUP_E_INVALID;
	}
	reader.root = root;
	buf_init(&reader.message, 0);
	enum gateway_group_result result = read_group(&reader, text);
	buf_finish(&reader.message);
	cJSON_Delete(root);
	*reterr_what = reader.what;
	return result;
}

static void write_family(const struct gateway_family *family, struct line_writer *writer)
{
	line_begin_family(writer, &family->head);
	for (size_t i = 0; i < family->sample_count; i++) {
		line_put_sample(writer, &family->samples[i]);
	}
	line_end_family(writer);
}

void gateway_group_write(const struct gateway_group *group, struct line_writer *writer)
{
	struct line_group head = group->head;
	size_t start = writer->out->len;
	line_begin_group(writer, &head);
	for (size_t i = 0; i < group->family_count; i++) {
		if (writer->out->len - start > GATEWAY_LINE_BYTES) {
			line_end_group(writer);
			start = writer->out->len;
			head.adds = true;
			line_begin_group(writer, &head);
		}
		write_family(&group->families[i], writer);
	}
	line_end_group(writer);
}
