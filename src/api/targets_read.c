#include "api/targets_read.h"

#include <math.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "transfer/line_json.h"

enum {
	ADDRESS_BYTES_MAX = 255,
	PATH_BYTES_MAX = 1023,
	SEVERITY_BYTES_MAX = 64,
	THRESHOLD_NAME_MAX = 200,
	SILENT_AFTER_MAX = 1000,
};

static const int64_t MS = 1000000;
static const int64_t LONGEST_NS = INT64_C(365) * 24 * 3600 * 1000000000;

struct reader {
	struct targets_read *read;
	const struct format_options *limits;
	struct arena *arena;
	struct slice *reterr_text;
};

/* "name": what is wrong with it. */
static bool refuse(struct reader *reader, struct slice name, const char *what)
{
	struct buf text;
	buf_init(&text, 0);
	quote_append(&text, slice_first(name, 64));
	buf_printf(&text, " %s", what);
	*reader->reterr_text = arena_copy(reader->arena, buf_slice(&text));
	buf_finish(&text);
	return false;
}

static bool refuse_value(struct reader *reader, const cJSON *value, const char *what)
{
	return refuse(reader, slice_of_string(value->string), what);
}

/* ---- Simple values ---- */

static bool read_text(
		struct reader *reader, const cJSON *value, size_t bytes_max, struct slice *ret_text)
{
	if (cJSON_IsNull(value)) {
		*ret_text = SLICE("");
		return true;
	}
	if (!cJSON_IsString(value)) {
		return refuse_value(reader, value, "has to be a string");
	}
	*ret_text = line_json_text(value->valuestring, reader->arena);
	return ret_text->len <= bytes_max || refuse_value(reader, value, "is too long");
}

static bool read_bool(struct reader *reader, const cJSON *value, bool *ret_value)
{
	*ret_value = cJSON_IsTrue(value);
	return cJSON_IsBool(value) || refuse_value(reader, value, "has to be true or false");
}

/* "" and null are 0. Whole milliseconds, since Prometheus knows nothing shorter. */
static bool read_duration(struct reader *reader, const cJSON *value, int64_t *ret_ns)
{
	struct slice text;
	int64_t ns = 0;
	if (!read_text(reader, value, DURATION_TEXT_BYTES, &text)) {
		return false;
	}
	if (text.len > 0 && duration_parse(text, &ns) != DURATION_OK) {
		return refuse_value(reader, value, "has to be a duration, such as 30s or 1h30m");
	}
	if (ns < 0 || ns > LONGEST_NS || ns % MS != 0) {
		return refuse_value(
				reader, value, "has to be a year at most, in whole milliseconds, not negative");
	}
	*ret_ns = ns;
	return true;
}

static bool read_nothing(struct reader *reader, const cJSON *value)
{
	return true;
}

static bool read_id(struct reader *reader, const cJSON *value)
{
	struct slice text;
	if (!read_text(reader, value, TARGET_ID_TEXT, &text)) {
		return false;
	}
	reader->read->has_id = text.len > 0;
	return text.len == 0 || target_id_parse(text, &reader->read->id)
			|| refuse_value(reader, value, "is no UUID");
}

static bool read_configured(struct reader *reader, const cJSON *value)
{
	return read_bool(reader, value, &reader->read->is_configured);
}

static bool read_mode(struct reader *reader, const cJSON *value)
{
	struct slice text;
	if (!read_text(reader, value, SIZE_MAX, &text)) {
		return false;
	}
	text = text.len == 0 ? SLICE("push") : text;
	return target_mode_find(text, &reader->read->config.mode)
			|| refuse_value(reader, value, "has to be push, pull, static or virtual");
}

static bool read_enabled(struct reader *reader, const cJSON *value)
{
	bool is_enabled;
	if (!read_bool(reader, value, &is_enabled)) {
		return false;
	}
	reader->read->config.is_disabled = !is_enabled;
	return true;
}

/* ---- Where it is scraped ---- */

static bool has_only(struct slice text, const char *others)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_plain && (c == '\0' || strchr(others, c) == NULL)) {
			return false;
		}
	}
	return true;
}

static bool read_address(struct reader *reader, const cJSON *value)
{
	struct slice *address = &reader->read->config.address;
	return read_text(reader, value, ADDRESS_BYTES_MAX, address)
			&& (has_only(*address, ".-_:[]")
					|| refuse_value(reader, value, "has to be host:port, or a host"));
}

static bool read_scheme(struct reader *reader, const cJSON *value)
{
	struct slice *scheme = &reader->read->config.scheme;
	if (!read_text(reader, value, SIZE_MAX, scheme)) {
		return false;
	}
	bool is_known = scheme->len == 0 || slice_equal(*scheme, SLICE("http"))
			|| slice_equal(*scheme, SLICE("https"));
	return is_known || refuse_value(reader, value, "has to be http or https");
}

static bool is_path(struct slice path)
{
	bool is_good = path.len == 0 || path.ptr[0] == '/';
	for (size_t i = 0; i < path.len; i++) {
		is_good = is_good && (unsigned char)path.ptr[i] > ' ' && path.ptr[i] != 0x7f;
	}
	return is_good;
}

static bool read_path(struct reader *reader, const cJSON *value)
{
	struct slice *path = &reader->read->config.path;
	return read_text(reader, value, PATH_BYTES_MAX, path)
			&& (is_path(*path)
					|| refuse_value(reader, value, "has to be a path that begins with /"));
}

static bool read_scrape_interval(struct reader *reader, const cJSON *value)
{
	return read_duration(reader, value, &reader->read->config.scrape_interval_ns);
}

static bool read_scrape_timeout(struct reader *reader, const cJSON *value)
{
	return read_duration(reader, value, &reader->read->config.scrape_timeout_ns);
}

static bool read_interval(struct reader *reader, const cJSON *value)
{
	return read_duration(reader, value, &reader->read->config.interval_ns);
}

static bool read_silent_after(struct reader *reader, const cJSON *value)
{
	double number = cJSON_IsNull(value) ? 0 : value->valuedouble;
	bool is_good = (cJSON_IsNumber(value) || cJSON_IsNull(value)) && number >= 0
			&& number <= SILENT_AFTER_MAX && floor(number) == number;
	if (!is_good) {
		return refuse_value(reader, value, "has to be a whole number from 0 to 1000");
	}
	reader->read->config.silent_after = (uint64_t)number;
	return true;
}

/* ---- Labels ---- */

static size_t count_children(const cJSON *value)
{
	size_t count = 0;
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		count++;
	}
	return count;
}

static bool is_label_name(const struct reader *reader, struct slice name)
{
	bool is_name = labels_is_name(name)
			|| (reader->limits->utf8_names && name.len > 0 && utf8_is_valid(name));
	return is_name && !slice_starts_with(name, SLICE("__"));
}

static bool read_label(struct reader *reader, const cJSON *value, struct label *ret_label)
{
	struct slice name = line_json_text(value->string, reader->arena);
	struct slice text;
	if (!is_label_name(reader, name)) {
		return refuse(reader, name, "is no name for a label");
	}
	if (!cJSON_IsString(value)) {
		return refuse(reader, name, "has to be a string, since it is a label");
	}
	text = line_json_text(value->valuestring, reader->arena);
	if (name.len > reader->limits->label_bytes || text.len > reader->limits->label_bytes) {
		return refuse(reader, name, "is too long (--limit.label-bytes)");
	}
	ret_label->name = labels_escape(reader->arena, name);
	ret_label->value = labels_escape(reader->arena, text);
	return true;
}

static bool read_labels(struct reader *reader, const cJSON *value)
{
	size_t count = count_children(value);
	struct labels labels = { .pairs =
									 arena_zalloc(reader->arena, count + 1, sizeof(struct label)) };
	if (!cJSON_IsObject(value)) {
		return refuse_value(reader, value, "has to be an object of strings");
	}
	if (count > reader->limits->labels) {
		return refuse_value(reader, value, "has too many labels (--limit.labels)");
	}
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (!read_label(reader, child, &labels.pairs[labels.count++])) {
			return false;
		}
	}
	group_key_init(&reader->read->key, labels);
	if (reader->read->key.labels.count < count) {
		return refuse_value(reader, value, "has a label twice");
	}
	return labels_find(&reader->read->key.labels, SLICE("job")).len > 0
			|| refuse_value(reader, value, "has to have a job");
}

/* ---- Attributes ---- */

static bool read_attribute(struct reader *reader, const cJSON *value, struct label *ret_label)
{
	struct slice name = line_json_text(value->string, reader->arena);
	/* They become labels of Prometheus' own, where these two names are taken. */
	bool is_taken =
			slice_equal(name, SLICE("target_id")) || slice_equal(name, SLICE("target_mode"));
	if (!labels_is_name(name) || slice_starts_with(name, SLICE("__")) || is_taken
			|| name.len > TARGETS_ATTRIBUTE_BYTES_MAX) {
		return refuse(reader, name, "is no name for an attribute");
	}
	*ret_label = (struct label){ .name = name };
	if (cJSON_IsNull(value)) {
		return true;
	}
	if (!cJSON_IsString(value)) {
		return refuse(reader, name, "has to be a string, since it is an attribute");
	}
	struct slice text = line_json_text(value->valuestring, reader->arena);
	if (text.len > TARGETS_ATTRIBUTE_BYTES_MAX) {
		return refuse(reader, name, "is too long for an attribute");
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

static bool read_attributes(struct reader *reader, const cJSON *value)
{
	struct labels *old = &reader->read->config.attributes;
	size_t most = old->count + count_children(value);
	struct labels all = { .pairs = arena_zalloc(reader->arena, most + 1, sizeof(struct label)) };
	struct group_key sorted;
	if (cJSON_IsNull(value)) {
		*old = (struct labels){ 0 };
		return true;
	}
	if (!cJSON_IsObject(value)) {
		return refuse_value(reader, value, "has to be an object of strings");
	}
	for (size_t i = 0; i < old->count; i++) {
		all.pairs[all.count++] = old->pairs[i];
	}
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (!read_attribute(reader, child, &all.pairs[all.count++])) {
			return false;
		}
	}
	group_key_init(&sorted, all); /* of equal names the last counts */
	*old = drop_removed(sorted.labels);
	return old->count <= TARGETS_ATTRIBUTES_MAX
			|| refuse_value(reader, value, "has too many attributes");
}

/* ---- Thresholds ---- */

static bool read_threshold_name(struct reader *reader, const cJSON *value, struct slice *ret_text)
{
	return read_text(reader, value, THRESHOLD_NAME_MAX, ret_text)
			&& (labels_is_metric_name(*ret_text)
					|| refuse_value(reader, value, "has to be a name as metrics have"));
}

static bool read_threshold_field(
		struct reader *reader, const cJSON *value, struct target_threshold *threshold)
{
	struct slice name = slice_of_string(value->string);
	struct slice text;
	if (slice_equal(name, SLICE("name"))) {
		return read_threshold_name(reader, value, &threshold->name);
	}
	if (slice_equal(name, SLICE("metric"))) {
		return read_threshold_name(reader, value, &threshold->metric);
	}
	if (slice_equal(name, SLICE("op"))) {
		return read_text(reader, value, SIZE_MAX, &text)
				&& (target_comparison_find(text, &threshold->comparison)
						|| refuse_value(reader, value, "has to be >, <, >=, <=, == or !="));
	}
	if (slice_equal(name, SLICE("value"))) {
		threshold->value = value->valuedouble;
		return (cJSON_IsNumber(value) && isfinite(value->valuedouble))
				|| refuse_value(reader, value, "has to be a number");
	}
	if (slice_equal(name, SLICE("for"))) {
		return read_duration(reader, value, &threshold->for_ns);
	}
	if (slice_equal(name, SLICE("severity"))) {
		return read_text(reader, value, SEVERITY_BYTES_MAX, &threshold->severity)
				&& (has_only(threshold->severity, "_-.")
						|| refuse_value(reader, value, "has to be letters and digits"));
	}
	return refuse_value(reader, value, "is no field of a threshold");
}

static bool read_threshold(
		struct reader *reader, const cJSON *value, struct target_threshold *threshold)
{
	bool has_value = false;
	if (!cJSON_IsObject(value)) {
		return refuse(reader, SLICE("thresholds"), "has to be an array of objects");
	}
	for (const cJSON *field = value->child; field != NULL; field = field->next) {
		if (!read_threshold_field(reader, field, threshold)) {
			return false;
		}
		has_value |= strcmp(field->string, "value") == 0;
	}
	if (threshold->name.len == 0 || threshold->metric.len == 0 || !has_value) {
		return refuse(reader, SLICE("thresholds"), "need name, metric and value each");
	}
	return true;
}

static bool read_thresholds(struct reader *reader, const cJSON *value)
{
	struct target_config *config = &reader->read->config;
	size_t count = count_children(value);
	if (!cJSON_IsArray(value) && !cJSON_IsNull(value)) {
		return refuse_value(reader, value, "has to be an array of objects");
	}
	if (count > TARGETS_THRESHOLDS_MAX) {
		return refuse_value(reader, value, "are too many");
	}
	config->thresholds = arena_zalloc(reader->arena, count + 1, sizeof(struct target_threshold));
	config->threshold_count = 0;
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (!read_threshold(reader, child, &config->thresholds[config->threshold_count++])) {
			return false;
		}
	}
	return true;
}

/* ---- All of it ---- */

/* What weir finds out by itself is read, too, and goes nowhere. */
static const struct field {
	const char *name;
	bool (*read)(struct reader *reader, const cJSON *value);
} fields[] = {
	{ "address", read_address },
	{ "attributes", read_attributes },
	{ "configured", read_configured },
	{ "enabled", read_enabled },
	{ "first_seen", read_nothing },
	{ "format", read_nothing },
	{ "id", read_id },
	{ "interval", read_interval },
	{ "labels", read_labels },
	{ "last_rejection", read_nothing },
	{ "last_seen", read_nothing },
	{ "learnt_interval", read_nothing },
	{ "mode", read_mode },
	{ "path", read_path },
	{ "pushes", read_nothing },
	{ "scheme", read_scheme },
	{ "scrape_interval", read_scrape_interval },
	{ "scrape_timeout", read_scrape_timeout },
	{ "silent_after", read_silent_after },
	{ "source", read_nothing },
	{ "state", read_nothing },
	{ "thresholds", read_thresholds },
};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

static bool read_field(struct reader *reader, const cJSON *value, unsigned *seen)
{
	size_t i = 0;
	while (i < FIELD_COUNT && strcmp(fields[i].name, value->string) != 0) {
		i++;
	}
	if (i == FIELD_COUNT) {
		return refuse_value(reader, value, "is no field of a target");
	}
	if ((*seen >> i & 1) != 0) {
		return refuse_value(reader, value, "is there twice");
	}
	*seen |= 1u << i;
	return fields[i].read(reader, value);
}

/* What is right by itself, but not together. */
static bool check(struct reader *reader)
{
	const struct target_config *config = &reader->read->config;
	bool needs_address = config->mode == TARGET_PULL || config->mode == TARGET_STATIC;
	if (needs_address && config->address.len == 0) {
		return refuse(reader, SLICE("address"), "is needed for a target that is scraped there");
	}
	if (config->scrape_timeout_ns > config->scrape_interval_ns && config->scrape_interval_ns > 0) {
		return refuse(reader, SLICE("scrape_timeout"), "is longer than scrape_interval");
	}
	for (size_t i = 0; i < config->attributes.count; i++) {
		struct slice name = config->attributes.pairs[i].name;
		if (labels_find(&reader->read->key.labels, name).ptr != NULL) {
			return refuse(reader, name, "is a label of the target, and no name for an attribute");
		}
	}
	return true;
}

bool targets_read(struct targets_read *read, const cJSON *object,
		const struct format_options *limits, struct arena *arena, struct slice *reterr_text)
{
	struct reader reader = {
		.read = read,
		.limits = limits,
		.arena = arena,
		.reterr_text = reterr_text,
	};
	unsigned seen = 0;
	read->is_configured = true;
	if (!cJSON_IsObject(object)) {
		*reterr_text = SLICE("a target has to be an object");
		return false;
	}
	for (const cJSON *field = object->child; field != NULL; field = field->next) {
		if (!read_field(&reader, field, &seen)) {
			return false;
		}
	}
	return check(&reader);
}
