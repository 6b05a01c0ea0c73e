#include "base/utf8.h"
#include "targets/targets_reader.h"
#include "transfer/line_json.h"

/* ---- Labels ---- */

static bool is_label_name(const struct targets_reader *reader, struct slice name)
{
	bool is_name = labels_is_name(name)
			|| (reader->limits->utf8_names && name.len > 0 && utf8_is_valid(name));
	return is_name && !slice_starts_with(name, SLICE("__"));
}

static bool read_label(struct targets_reader *reader, const cJSON *value, struct label *ret_label)
{
	struct slice name = line_json_text(value->string, reader->arena);
	struct slice text;
	if (!is_label_name(reader, name)) {
		return targets_refuse(reader, name, "is no name for a label");
	}
	if (!cJSON_IsString(value)) {
		return targets_refuse(reader, name, "has to be a string, since it is a label");
	}
	text = line_json_text(value->valuestring, reader->arena);
	if (name.len > reader->limits->label_bytes || text.len > reader->limits->label_bytes) {
		return targets_refuse(reader, name, "is too long (--limit.label-bytes)");
	}
	ret_label->name = labels_escape(reader->arena, name);
	ret_label->value = labels_escape(reader->arena, text);
	return true;
}

bool targets_read_labels(struct targets_reader *reader, const cJSON *value)
{
	size_t count = targets_count_children(value);
	struct labels labels = { .pairs =
									 arena_zalloc(reader->arena, count + 1, sizeof(struct label)) };
	if (!cJSON_IsObject(value)) {
		return targets_refuse_value(reader, value, "has to be an object of strings");
	}
	if (count > reader->limits->labels) {
		return targets_refuse_value(reader, value, "has too many labels (--limit.labels)");
	}
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (!read_label(reader, child, &labels.pairs[labels.count++])) {
			return false;
		}
	}
	group_key_init(&reader->read->key, labels);
	if (reader->read->key.labels.count < count) {
		return targets_refuse_value(reader, value, "has a label twice");
	}
	return labels_find(&reader->read->key.labels, SLICE("job")).len > 0
			|| targets_refuse_value(reader, value, "has to have a job");
}

/* ---- Attributes ---- */

static bool read_attribute(
		struct targets_reader *reader, const cJSON *value, struct label *ret_label)
{
	struct slice name = line_json_text(value->string, reader->arena);
	/* They become labels of Prometheus' own, where these two names are taken. */
	bool is_taken =
			slice_equal(name, SLICE("target_id")) || slice_equal(name, SLICE("target_mode"));
	if (!labels_is_name(name) || slice_starts_with(name, SLICE("__")) || is_taken
			|| name.len > TARGETS_ATTRIBUTE_BYTES_MAX) {
		return targets_refuse(reader, name, "is no name for an attribute");
	}
	*ret_label = (struct label){ .name = name };
	if (cJSON_IsNull(value)) {
		return true;
	}
	if (!cJSON_IsString(value)) {
		return targets_refuse(reader, name, "has to be a string, since it is an attribute");
	}
	struct slice text = line_json_text(value->valuestring, reader->arena);
	if (text.len > TARGETS_ATTRIBUTE_BYTES_MAX) {
		return targets_refuse(reader, name, "is too long for an attribute");
	}
	ret_label->value = labels_escape(reader->arena, text);
	return true;
}

/* Those with the value ptr NULL go. */
static struct labels drop_removed(struct labels labels)
{
	size_t kept = 0;
	for (size_t i = 0; i < labels.count; i++) {
		if (labels.pairs[i].value.ptr != NULL) {
			labels.pairs[kept++] = labels.pairs[i];
		}
	}
	labels.count = kept;
	return labels;
}

struct labels targets_change_attributes(const struct labels *attributes,
		const struct label *changes, size_t count, struct arena *arena)
{
	struct group_key sorted;
	struct labels all = {
		.pairs = arena_zalloc(arena, attributes->count + count + 1, sizeof(struct label)),
	};
	for (size_t i = 0; i < attributes->count; i++) {
		all.pairs[all.count++] = attributes->pairs[i];
	}
	for (size_t i = 0; i < count; i++) {
		all.pairs[all.count++] = changes[i];
	}
	group_key_init(&sorted, all);
	return drop_removed(sorted.labels);
}

bool targets_read_attributes(struct targets_reader *reader, const cJSON *value)
{
	struct labels *old = &reader->read->config.attributes;
	size_t most = targets_count_children(value);
	struct label *changes = arena_zalloc(reader->arena, most + 1, sizeof(struct label));
	size_t count = 0;
	if (cJSON_IsNull(value)) {
		*old = (struct labels){ 0 };
		return true;
	}
	if (!cJSON_IsObject(value)) {
		return targets_refuse_value(reader, value, "has to be an object of strings");
	}
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (!read_attribute(reader, child, &changes[count++])) {
			return false;
		}
	}
	*old = targets_change_attributes(old, changes, count, reader->arena);
	return old->count <= TARGETS_ATTRIBUTES_MAX
			|| targets_refuse_value(reader, value, "has too many attributes");
}
