#include "targets/targets_reader.h"

#include <math.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/quote.h"
#include "targets/inventory.h"
#include "targets/service.h"
#include "targets/target_address.h"
#include "transfer/line_json.h"

enum {
	ADDRESS_BYTES_MAX = 255,
	PATH_BYTES_MAX = 1023,
	SILENT_AFTER_MAX = 1000,
};

static const int64_t MS = 1000000;
static const int64_t LONGEST_NS = INT64_C(365) * 24 * 3600 * 1000000000;

bool targets_refuse(struct targets_reader *reader, struct slice name, const char *what)
{
	struct buf text;
	buf_init(&text, 0);
	quote_append(&text, slice_first(name, 64));
	buf_printf(&text, " %s", what);
	*reader->reterr_text = arena_copy(reader->arena, buf_slice(&text));
	buf_finish(&text);
	return false;
}

bool targets_refuse_value(struct targets_reader *reader, const cJSON *value, const char *what)
{
	return targets_refuse(reader, slice_of_string(value->string), what);
}

/* ---- Simple values ---- */

bool targets_read_text(
		struct targets_reader *reader, const cJSON *value, size_t bytes_max, struct slice *ret_text)
{
	if (cJSON_IsNull(value)) {
		*ret_text = SLICE("");
		return true;
	}
	if (!cJSON_IsString(value)) {
		return targets_refuse_value(reader, value, "has to be a string");
	}
	*ret_text = line_json_text(value->valuestring, reader->arena);
	return ret_text->len <= bytes_max || targets_refuse_value(reader, value, "is too long");
}

static bool read_bool(struct targets_reader *reader, const cJSON *value, bool *ret_value)
{
	*ret_value = cJSON_IsTrue(value);
	return cJSON_IsBool(value) || targets_refuse_value(reader, value, "has to be true or false");
}

bool targets_read_duration(struct targets_reader *reader, const cJSON *value, int64_t *ret_ns)
{
	struct slice text;
	int64_t ns = 0;
	if (!targets_read_text(reader, value, DURATION_TEXT_BYTES, &text)) {
		return false;
	}
	if (text.len > 0 && duration_parse(text, &ns) != DURATION_OK) {
		return targets_refuse_value(reader, value, "has to be a duration, such as 30s or 1h30m");
	}
	if (ns < 0 || ns > LONGEST_NS || ns % MS != 0) {
		return targets_refuse_value(
				reader, value, "has to be a year at most, in whole milliseconds, not negative");
	}
	*ret_ns = ns;
	return true;
}

static bool read_nothing(struct targets_reader *reader, const cJSON *value)
{
	return true;
}

static bool read_id(struct targets_reader *reader, const cJSON *value)
{
	struct slice text;
	if (!targets_read_text(reader, value, TARGET_ID_TEXT, &text)) {
		return false;
	}
	reader->read->has_id = text.len > 0;
	return text.len == 0 || target_id_parse(text, &reader->read->id)
			|| targets_refuse_value(reader, value, "is no UUID");
}

static bool read_configured(struct targets_reader *reader, const cJSON *value)
{
	return read_bool(reader, value, &reader->read->is_configured);
}

static bool read_mode(struct targets_reader *reader, const cJSON *value)
{
	struct slice text;
	if (!targets_read_text(reader, value, SIZE_MAX, &text)) {
		return false;
	}
	text = text.len == 0 ? SLICE("push") : text;
	return target_mode_find(text, &reader->read->config.mode)
			|| targets_refuse_value(reader, value,
					"has to be push, pull, static, virtual, dns, image, collector or service");
}

static bool read_enabled(struct targets_reader *reader, const cJSON *value)
{
	bool is_enabled;
	if (!read_bool(reader, value, &is_enabled)) {
		return false;
	}
	reader->read->config.is_disabled = !is_enabled;
	return true;
}

size_t targets_count_children(const cJSON *value)
{
	size_t count = 0;
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		count++;
	}
	return count;
}

/* ---- Where it is scraped ---- */

bool targets_has_only(struct slice text, const char *others)
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

static bool read_address(struct targets_reader *reader, const cJSON *value)
{
	struct slice *address = &reader->read->config.address;
	return targets_read_text(reader, value, ADDRESS_BYTES_MAX, address)
			&& (address->len == 0 || target_address_fits(*address)
					|| targets_refuse_value(reader, value,
							"has to be host:port, or a host: a name, an IPv4 address or an IPv6 "
							"address, this one in brackets if a port from 1 to 65535 follows"));
}

static bool read_scheme(struct targets_reader *reader, const cJSON *value)
{
	struct slice *scheme = &reader->read->config.scheme;
	if (!targets_read_text(reader, value, SIZE_MAX, scheme)) {
		return false;
	}
	bool is_known = scheme->len == 0 || slice_equal(*scheme, SLICE("http"))
			|| slice_equal(*scheme, SLICE("https"));
	return is_known || targets_refuse_value(reader, value, "has to be http or https");
}

static bool has_blank(struct slice path)
{
	for (size_t i = 0; i < path.len; i++) {
		if ((unsigned char)path.ptr[i] <= ' ' || path.ptr[i] == 0x7f) {
			return true;
		}
	}
	return false;
}

/* Prometheus escapes what is no path: /m?x=1 is asked for as /m%3Fx=1. */
static bool read_path(struct targets_reader *reader, const cJSON *value)
{
	struct slice *path = &reader->read->config.path;
	if (!targets_read_text(reader, value, PATH_BYTES_MAX, path)) {
		return false;
	}
	if (path->len > 0 && (path->ptr[0] != '/' || has_blank(*path))) {
		return targets_refuse_value(
				reader, value, "has to be a path that begins with / and has no blanks");
	}
	if (slice_find_byte(*path, '?') != NULL || slice_find_byte(*path, '#') != NULL) {
		return targets_refuse_value(reader, value,
				"has to end before ? or #, which would be escaped: parameters are set by params, "
				"or by __param_NAME, in Prometheus' scrape_configs");
	}
	return true;
}

static bool read_scrape_interval(struct targets_reader *reader, const cJSON *value)
{
	return targets_read_duration(reader, value, &reader->read->config.scrape_interval_ns);
}

static bool read_scrape_timeout(struct targets_reader *reader, const cJSON *value)
{
	return targets_read_duration(reader, value, &reader->read->config.scrape_timeout_ns);
}

static bool read_interval(struct targets_reader *reader, const cJSON *value)
{
	return targets_read_duration(reader, value, &reader->read->config.interval_ns);
}

static bool read_silent_after(struct targets_reader *reader, const cJSON *value)
{
	double number = cJSON_IsNull(value) ? 0 : value->valuedouble;
	bool is_good = (cJSON_IsNumber(value) || cJSON_IsNull(value)) && number >= 0
			&& number <= SILENT_AFTER_MAX && floor(number) == number;
	if (!is_good) {
		return targets_refuse_value(reader, value, "has to be a whole number from 0 to 1000");
	}
	reader->read->config.silent_after = (uint64_t)number;
	return true;
}

/* ---- All of it ---- */

/* What weir finds out by itself is read, too, and goes nowhere. */
static const struct field {
	const char *name;
	bool (*read)(struct targets_reader *reader, const cJSON *value);
} fields[] = {
	{ "address", read_address },
	{ "addresses", read_nothing },
	{ "attributes", targets_read_attributes },
	{ "configured", read_configured },
	{ "enabled", read_enabled },
	{ "first_seen", read_nothing },
	{ "format", read_nothing },
	{ "id", read_id },
	{ "interval", read_interval },
	{ "labels", targets_read_labels },
	{ "last_rejection", read_nothing },
	{ "last_seen", read_nothing },
	{ "learnt_interval", read_nothing },
	{ "mode", read_mode },
	{ "path", read_path },
	{ "pushes", read_nothing },
	{ "resources", read_nothing },
	{ "scheme", read_scheme },
	{ "scrape_interval", read_scrape_interval },
	{ "scrape_timeout", read_scrape_timeout },
	{ "silent_after", read_silent_after },
	{ "source", read_nothing },
	{ "state", read_nothing },
	{ "thresholds", targets_read_thresholds },
};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

static bool read_field(struct targets_reader *reader, const cJSON *value, unsigned *seen)
{
	size_t i = 0;
	while (i < FIELD_COUNT && strcmp(fields[i].name, value->string) != 0) {
		i++;
	}
	if (i == FIELD_COUNT) {
		return targets_refuse_value(reader, value, "is no field of a target");
	}
	if ((*seen >> i & 1) != 0) {
		return targets_refuse_value(reader, value, "is there twice");
	}
	*seen |= 1u << i;
	return fields[i].read(reader, value);
}

/* What its labels have to be, if they are not. */
static const char *wanted_labels(enum target_mode mode, const struct group_key *key)
{
	if (mode == TARGET_SERVICE) {
		return service_fits(key) ? NULL
								 : "have to be a job weir_service and its name as instance, of a "
								   "service, which is up to 63 letters, digits, _, . and -";
	}
	if (inventory_fits(mode, key)) {
		return NULL;
	}
	return mode == TARGET_IMAGE
			? "have to be a job orwell_image and its number as instance, of an image"
			: "have to be a job orwell_collector and its number as instance, of a collector";
}

/* An image or a collector is known by its number alone, a service by its name. */
static bool check_key(struct targets_reader *reader)
{
	const struct group_key *key = &reader->read->key;
	const char *wanted =
			key->labels.count == 0 ? NULL : wanted_labels(reader->read->config.mode, key);
	return wanted == NULL || targets_refuse(reader, SLICE("labels"), wanted);
}

static bool is_name_with_port(struct slice address)
{
	const char *colon = slice_find_byte(address, ':');
	int64_t port;
	return colon != NULL && colon > address.ptr
			&& number_parse_int(slice_skip(address, (size_t)(colon + 1 - address.ptr)), &port)
			&& port >= 1 && port <= 65535;
}

/* What is right by itself, but not together. */
static bool check(struct targets_reader *reader)
{
	const struct target_config *config = &reader->read->config;
	if (target_mode_is_elsewhere(config->mode) && config->address.len == 0) {
		return targets_refuse(
				reader, SLICE("address"), "is needed for a target that is scraped there");
	}
	if (config->mode == TARGET_DNS && !is_name_with_port(config->address)) {
		return targets_refuse(reader, SLICE("address"),
				"has to be name:port, since the addresses behind a name have no ports");
	}
	if (config->scrape_timeout_ns > config->scrape_interval_ns && config->scrape_interval_ns > 0) {
		return targets_refuse(reader, SLICE("scrape_timeout"), "is longer than scrape_interval");
	}
	for (size_t i = 0; i < config->attributes.count; i++) {
		struct slice name = config->attributes.pairs[i].name;
		if (labels_find(&reader->read->key.labels, name).ptr != NULL) {
			return targets_refuse(
					reader, name, "is a label of the target, and no name for an attribute");
		}
	}
	return check_key(reader);
}

bool targets_read(struct targets_read *read, const cJSON *object,
		const struct format_options *limits, struct arena *arena, struct slice *reterr_text)
{
	struct targets_reader reader = {
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
