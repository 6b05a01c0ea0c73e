#include "targets/service_read.h"

#include "base/number.h"
#include "targets/targets_reader.h"

static const char not_a_name[] =
		"has to be a name: up to 63 letters, digits, _, . and -, a letter or digit at both ends";

struct reader {
	struct targets_reader common; /* whose configuration becomes that of the service */
	struct slice name;
	struct label changes[SERVICE_FIELD_COUNT + 1]; /* of attributes */
	size_t change_count;
};

/* ptr NULL: it is not set any more. */
static bool change(struct reader *reader, struct slice name, struct slice value)
{
	reader->changes[reader->change_count++] = (struct label){ name, value };
	return true;
}

static bool change_field(struct reader *reader, enum service_field field, struct slice value)
{
	return change(reader, service_field_name(field), value);
}

static bool unset(struct reader *reader, enum service_field field)
{
	return change_field(reader, field, slice_make(NULL, 0));
}

/* ---- Texts ---- */

static bool read_name(struct reader *reader, const cJSON *value)
{
	return targets_read_text(&reader->common, value, SIZE_MAX, &reader->name)
			&& (service_is_name(reader->name)
					|| targets_refuse_value(&reader->common, value, not_a_name));
}

static bool read_active(struct reader *reader, const cJSON *value)
{
	reader->common.read->config.is_disabled = cJSON_IsFalse(value);
	return cJSON_IsBool(value)
			|| targets_refuse_value(&reader->common, value, "has to be true or false");
}

static bool read_parent(struct reader *reader, const cJSON *value)
{
	struct slice text;
	if (!targets_read_text(&reader->common, value, SIZE_MAX, &text)) {
		return false;
	}
	if (text.len > 0 && !service_is_name(text)) {
		return targets_refuse_value(&reader->common, value, not_a_name);
	}
	return change(reader, SLICE("parent"), text.len > 0 ? text : slice_make(NULL, 0));
}

static bool read_image(struct reader *reader, const cJSON *value)
{
	struct slice text;
	if (!targets_read_text(&reader->common, value, SIZE_MAX, &text)) {
		return false;
	}
	if (text.len == 0) {
		return unset(reader, SERVICE_IMAGE);
	}
	return service_takes(SERVICE_IMAGE, text)
			? change_field(reader, SERVICE_IMAGE, text)
			: targets_refuse_value(&reader->common, value,
					"has to be up to 255 letters, digits and ._/:@-, such as nginx:1.25");
}

/* ---- Numbers ---- */

/* The number as text; an empty one for null. Whole ones are written without an exponent. */
static struct slice number_text(const cJSON *value, bool is_whole, struct arena *arena)
{
	char text[NUMBER_TEXT_MAX];
	double number = value->valuedouble;
	if (is_whole && number >= 0 && number <= (double)SERVICE_MEMORY_MAX
			&& (double)(uint64_t)number == number) {
		return arena_printf(arena, "%llu", (unsigned long long)number);
	}
	return arena_copy(arena, slice_make(text, number_format(number, text)));
}

static bool read_number(
		struct reader *reader, const cJSON *value, enum service_field field, const char *wanted)
{
	if (cJSON_IsNull(value)) {
		return unset(reader, field);
	}
	struct slice text = number_text(value, field != SERVICE_CPU, reader->common.arena);
	return cJSON_IsNumber(value) && service_takes(field, text)
			? change_field(reader, field, text)
			: targets_refuse_value(&reader->common, value, wanted);
}

static bool read_min(struct reader *reader, const cJSON *value)
{
	return read_number(
			reader, value, SERVICE_MIN, "has to be a whole number from 0 to 1000000, or null");
}

static bool read_max(struct reader *reader, const cJSON *value)
{
	return read_number(
			reader, value, SERVICE_MAX, "has to be a whole number from 0 to 1000000, or null");
}

static bool read_cpu(struct reader *reader, const cJSON *value)
{
	return read_number(
			reader, value, SERVICE_CPU, "has to be a number of cores, 0.001 to 1000000, or null");
}

static bool read_memory(struct reader *reader, const cJSON *value)
{
	return read_number(reader, value, SERVICE_MEMORY,
			"has to be a number of bytes, 1 to 9007199254740991, or null");
}

/* "" and null are none. */
static bool read_heartbeat(struct reader *reader, const cJSON *value)
{
	return targets_read_duration(&reader->common, value, &reader->common.read->config.interval_ns);
}

/* ---- Lists ---- */

/* 80, "80" and "80/tcp" are the same. ptr NULL: it is no port. */
static struct slice port_text(const cJSON *value, struct arena *arena)
{
	struct slice text = slice_make(NULL, 0);
	if (cJSON_IsNumber(value)) {
		text = number_text(value, true, arena);
	} else if (cJSON_IsString(value)) {
		text = slice_of_string(value->valuestring);
	}
	bool has_protocol = slice_find_byte(text, '/') != NULL;
	text = ARENA_JOIN(arena, text, has_protocol ? SLICE("") : SLICE("/tcp"));
	bool is_one = slice_find_byte(text, ',') == NULL && service_takes(SERVICE_PORTS, text);
	return is_one ? text : slice_make(NULL, 0);
}

static struct slice dependency_text(const cJSON *value, struct arena *arena)
{
	struct slice text =
			cJSON_IsString(value) ? slice_of_string(value->valuestring) : slice_make(NULL, 0);
	return service_is_name(text) ? arena_copy(arena, text) : slice_make(NULL, 0);
}

struct list_kind {
	enum service_field field;
	size_t max;
	struct slice (*text)(const cJSON *value, struct arena *arena);
	const char *wanted;
	const char *too_many;
};

static bool has_item(struct slice list, struct slice item)
{
	while (list.len > 0) {
		if (slice_equal(service_take(&list), item)) {
			return true;
		}
	}
	return false;
}

/* Into a list that is whole, as far as it goes. */
static bool append_item(struct reader *reader, const cJSON *list, const cJSON *value,
		const struct list_kind *kind, struct buf *out)
{
	struct slice text = kind->text(value, reader->common.arena);
	if (text.ptr == NULL) {
		return targets_refuse_value(&reader->common, list, kind->wanted);
	}
	if (has_item(buf_slice(out), text)) {
		return targets_refuse(&reader->common, text, "is there twice");
	}
	buf_append(out, out->len > 0 ? SLICE(",") : SLICE(""));
	buf_append(out, text);
	return true;
}

static bool read_list(struct reader *reader, const cJSON *value, const struct list_kind *kind)
{
	struct buf text;
	bool is_good = true;
	if (cJSON_IsNull(value)) {
		return unset(reader, kind->field);
	}
	if (!cJSON_IsArray(value)) {
		return targets_refuse_value(&reader->common, value, kind->wanted);
	}
	if (targets_count_children(value) > kind->max) {
		return targets_refuse_value(&reader->common, value, kind->too_many);
	}
	buf_init(&text, 0);
	for (const cJSON *item = value->child; item != NULL && is_good; item = item->next) {
		is_good = append_item(reader, value, item, kind, &text);
	}
	if (is_good) {
		struct slice copy =
				text.len > 0 ? arena_copy(reader->common.arena, buf_slice(&text)) : SLICE("");
		change_field(reader, kind->field, copy);
	}
	buf_finish(&text);
	return is_good;
}

static bool read_ports(struct reader *reader, const cJSON *value)
{
	static const struct list_kind ports = { SERVICE_PORTS, SERVICE_PORTS_MAX, port_text,
		"has to be an array of ports, such as 80 or \"53/udp\", or null",
		"has too many ports: 32 are allowed" };
	return read_list(reader, value, &ports);
}

static bool read_dependencies(struct reader *reader, const cJSON *value)
{
	static const struct list_kind dependencies = { SERVICE_DEPENDENCIES, SERVICE_DEPENDENCIES_MAX,
		dependency_text, "has to be an array of names of services, or null",
		"has too many services: 16 are allowed" };
	return read_list(reader, value, &dependencies);
}

/* They are merged by their names. */
static bool read_thresholds(struct reader *reader, const cJSON *value)
{
	const struct target_config *config = &reader->common.read->config;
	if (!targets_read_thresholds(&reader->common, value)) {
		return false;
	}
	for (size_t i = 0; i < config->threshold_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (slice_equal(config->thresholds[i].name, config->thresholds[j].name)) {
				return targets_refuse(
						&reader->common, config->thresholds[i].name, "is there twice");
			}
		}
	}
	return true;
}

/* ---- All of it ---- */

static bool read_nothing(struct reader *reader, const cJSON *value)
{
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct reader *reader, const cJSON *value);
} members[] = {
	{ "active", read_active },
	{ "cpu", read_cpu },
	{ "dependencies", read_dependencies },
	{ "heartbeat", read_heartbeat },
	{ "id", read_nothing },
	{ "image", read_image },
	{ "inherited", read_nothing },
	{ "instances", read_nothing },
	{ "max_instances", read_max },
	{ "memory", read_memory },
	{ "min_instances", read_min },
	{ "name", read_name },
	{ "parent", read_parent },
	{ "ports", read_ports },
	{ "problems", read_nothing },
	{ "resolved", read_nothing },
	{ "thresholds", read_thresholds },
};

enum { MEMBER_COUNT = sizeof(members) / sizeof(members[0]) };

static bool read_member(struct reader *reader, const cJSON *value, unsigned *seen)
{
	size_t i = 0;
	while (i < MEMBER_COUNT && strcmp(members[i].name, value->string) != 0) {
		i++;
	}
	if (i == MEMBER_COUNT) {
		return targets_refuse_value(&reader->common, value, "is no field of a service");
	}
	if ((*seen >> i & 1) != 0) {
		return targets_refuse_value(&reader->common, value, "is there twice");
	}
	*seen |= 1u << i;
	return members[i].read(reader, value);
}

bool service_read(struct service_read *read, const cJSON *object, struct arena *arena,
		struct slice *reterr_text)
{
	struct targets_read target = { .config = read->config };
	struct reader reader = {
		.common = { .read = &target, .arena = arena, .reterr_text = reterr_text },
	};
	unsigned seen = 0;
	if (!cJSON_IsObject(object)) {
		*reterr_text = SLICE("a service has to be an object");
		return false;
	}
	for (const cJSON *member = object->child; member != NULL; member = member->next) {
		if (!read_member(&reader, member, &seen)) {
			return false;
		}
	}
	target.config.mode = TARGET_SERVICE;
	target.config.attributes = targets_change_attributes(
			&target.config.attributes, reader.changes, reader.change_count, arena);
	read->name = reader.name;
	read->config = target.config;
	if (target.config.attributes.count > TARGETS_ATTRIBUTES_MAX) {
		*reterr_text = SLICE("there are too many attributes on it already");
		return false;
	}
	return true;
}

struct target_config service_config_empty(const struct target_config *config, struct arena *arena)
{
	struct label changes[SERVICE_FIELD_COUNT + 1] = { { .name = SLICE("parent") } };
	struct target_config empty = { .mode = TARGET_SERVICE };
	for (enum service_field i = 0; i < SERVICE_HEARTBEAT; i++) {
		changes[i + 1].name = service_field_name(i);
	}
	empty.attributes =
			targets_change_attributes(&config->attributes, changes, SERVICE_HEARTBEAT + 1, arena);
	return empty;
}
