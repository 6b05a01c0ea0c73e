#include "targets/service.h"

#include <limits.h>
#include <math.h>

#include "base/number.h"
#include "targets/targets_reader.h"

static const struct slice service_job = SLICE_INIT("weir_service");
static const struct slice parent_name = SLICE_INIT("parent");

/* ---- Names ---- */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool service_is_name(struct slice text)
{
	return text.len > 0 && text.len <= SERVICE_NAME_BYTES_MAX && targets_has_only(text, "_.-")
			&& is_alphanumeric(text.ptr[0]) && is_alphanumeric(text.ptr[text.len - 1]);
}

void service_key_init(struct service_key *key, struct slice name)
{
	key->pairs[0] = (struct label){ SLICE("instance"), name };
	key->pairs[1] = (struct label){ SLICE("job"), service_job };
	key->key.labels = (struct labels){ key->pairs, 2 };
}

bool service_fits(const struct group_key *key)
{
	const struct labels *labels = &key->labels;
	return labels->count == 2 && slice_equal(labels_find(labels, SLICE("job")), service_job)
			&& service_is_name(labels_find(labels, SLICE("instance")));
}

/* ---- Fields ---- */

struct slice service_take(struct slice *list)
{
	const char *comma = slice_find_byte(*list, ',');
	struct slice item = comma == NULL ? *list : slice_between(list->ptr, comma);
	*list = slice_skip(*list, item.len + (comma != NULL));
	return item;
}

uint64_t service_count(struct slice text)
{
	int64_t count = 0;
	number_parse_int(text, &count);
	return (uint64_t)count;
}

static bool is_count(struct slice text, int64_t min, int64_t max)
{
	int64_t count;
	return number_is_uint(text) && number_parse_int(text, &count) && count >= min && count <= max;
}

static bool takes_image(struct slice text)
{
	return text.len > 0 && text.len <= SERVICE_IMAGE_BYTES_MAX && targets_has_only(text, "._/:@-");
}

static bool is_port(struct slice text)
{
	const char *slash = slice_find_byte(text, '/');
	struct slice number = slash == NULL ? text : slice_between(text.ptr, slash);
	struct slice protocol = slice_skip(text, number.len);
	return is_count(number, 1, 65535)
			&& (slice_equal(protocol, SLICE("/tcp")) || slice_equal(protocol, SLICE("/udp"))
					|| slice_equal(protocol, SLICE("/sctp")));
}

static bool has_item(struct slice list, struct slice item)
{
	while (list.len > 0) {
		if (slice_equal(service_take(&list), item)) {
			return true;
		}
	}
	return false;
}

/* An empty list is one. */
static bool is_list(struct slice list, size_t max, bool (*is_item)(struct slice text))
{
	struct slice rest = list;
	size_t count = 0;
	bool is_good = !slice_ends_with(list, SLICE(","));
	while (is_good && rest.len > 0) {
		struct slice item = service_take(&rest);
		is_good = ++count <= max && is_item(item) && !has_item(rest, item);
	}
	return is_good;
}

static bool takes_ports(struct slice text)
{
	return is_list(text, SERVICE_PORTS_MAX, is_port);
}

static bool takes_dependencies(struct slice text)
{
	return is_list(text, SERVICE_DEPENDENCIES_MAX, service_is_name);
}

static bool takes_instances(struct slice text)
{
	return is_count(text, 0, SERVICE_INSTANCES_MAX);
}

static bool takes_cpu(struct slice text)
{
	double number = number_is_float(text) ? number_value(text) : 0;
	return text.len < NUMBER_TEXT_MAX && isfinite(number) && number >= 0.001
			&& number <= SERVICE_CPU_MAX;
}

static bool takes_memory(struct slice text)
{
	return is_count(text, 1, SERVICE_MEMORY_MAX);
}

static const struct {
	struct slice name;
	bool (*takes)(struct slice text); /* NULL: it is no attribute */
} fields[SERVICE_FIELD_COUNT] = {
	[SERVICE_IMAGE] = { SLICE_INIT("image"), takes_image },
	[SERVICE_PORTS] = { SLICE_INIT("ports"), takes_ports },
	[SERVICE_DEPENDENCIES] = { SLICE_INIT("dependencies"), takes_dependencies },
	[SERVICE_MIN] = { SLICE_INIT("min_instances"), takes_instances },
	[SERVICE_MAX] = { SLICE_INIT("max_instances"), takes_instances },
	[SERVICE_CPU] = { SLICE_INIT("cpu"), takes_cpu },
	[SERVICE_MEMORY] = { SLICE_INIT("memory"), takes_memory },
	[SERVICE_HEARTBEAT] = { SLICE_INIT("heartbeat"), NULL },
};

struct slice service_field_name(enum service_field field)
{
	return fields[field].name;
}

bool service_takes(enum service_field field, struct slice text)
{
	return fields[field].takes != NULL && fields[field].takes(text);
}

/* ---- One by itself ---- */

struct slice service_text(const struct target_config *config, enum service_field field)
{
	struct slice text = labels_find(&config->attributes, fields[field].name);
	return text.ptr != NULL && service_takes(field, text) ? text : slice_make(NULL, 0);
}

bool service_is_odd(const struct target_config *config, enum service_field field)
{
	struct slice text = labels_find(&config->attributes, fields[field].name);
	return fields[field].takes != NULL && text.ptr != NULL && !service_takes(field, text);
}

struct slice service_parent(const struct target_config *config)
{
	struct slice text = labels_find(&config->attributes, parent_name);
	return text.ptr != NULL && service_is_name(text) ? text : slice_make(NULL, 0);
}

bool service_is_odd_parent(const struct target_config *config)
{
	struct slice text = labels_find(&config->attributes, parent_name);
	return text.len > 0 && !service_is_name(text);
}

/* ---- All of them ---- */

struct target *service_find_target(const struct registry *registry, struct slice name)
{
	struct service_key key;
	service_key_init(&key, name);
	struct target *target = registry_find(registry, &key.key);
	return target != NULL && target->config.mode == TARGET_SERVICE ? target : NULL;
}

bool service_find(const struct service_view *view, struct slice name, struct service *ret_service)
{
	if (view->changed.name.len > 0 && slice_equal(view->changed.name, name)) {
		*ret_service = view->changed;
		return view->changed.config != NULL;
	}
	const struct target *target = service_find_target(view->registry, name);
	if (target != NULL) {
		*ret_service = service_of(target);
	}
	return target != NULL;
}

static bool is_in_line(const struct service_whole *whole, struct slice name)
{
	for (size_t i = 0; i < whole->len; i++) {
		if (slice_equal(whole->line[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* Up to where there is nobody further, or nobody new. */
static void line_up(
		const struct service_view *view, struct service service, struct service_whole *whole)
{
	bool is_there = true;
	while (is_there) {
		whole->line[whole->len++] = service;
		whole->end = service_parent(service.config);
		if (whole->end.len == 0) {
			whole->ending = SERVICE_ENDS;
			return;
		}
		if (is_in_line(whole, whole->end)) {
			whole->ending = SERVICE_ENDS_CIRCLE;
			return;
		}
		if (whole->len > SERVICE_PARENTS_MAX) {
			whole->ending = SERVICE_ENDS_TOO_DEEP;
			return;
		}
		is_there = service_find(view, whole->end, &service);
	}
	whole->ending = SERVICE_ENDS_MISSING;
}

static void inherit(struct service_whole *whole, size_t place, unsigned wanted)
{
	const struct target_config *config = whole->line[place].config;
	for (enum service_field i = 0; i < SERVICE_HEARTBEAT; i++) {
		if ((wanted >> i & 1) != 0 && whole->places[i] == SERVICE_NOWHERE) {
			whole->texts[i] = service_text(config, i);
			whole->places[i] = whole->texts[i].ptr == NULL ? SERVICE_NOWHERE : (uint8_t)place;
		}
	}
	if (whole->heartbeat_ns == 0 && config->interval_ns > 0) {
		whole->heartbeat_ns = config->interval_ns;
		whole->places[SERVICE_HEARTBEAT] = (uint8_t)place;
	}
}

void service_resolve_some(const struct service_view *view, struct service service, unsigned wanted,
		struct service_whole *ret_whole)
{
	*ret_whole = (struct service_whole){ .len = 0 };
	memset(ret_whole->places, SERVICE_NOWHERE, sizeof(ret_whole->places));
	line_up(view, service, ret_whole);
	for (size_t i = 0; i < ret_whole->len; i++) {
		inherit(ret_whole, i, wanted);
	}
}

void service_resolve(
		const struct service_view *view, struct service service, struct service_whole *ret_whole)
{
	service_resolve_some(view, service, UINT_MAX, ret_whole);
}

/* To its parent; false, and it stays, when there is none. */
static bool step_up(const struct service_view *view, struct service *service)
{
	struct service parent;
	struct slice name = service_parent(service->config);
	bool has_parent = name.len > 0 && service_find(view, name, &parent);
	if (has_parent) {
		*service = parent;
	}
	return has_parent;
}

/* Round a circle of parents it comes to nobody new. */
struct slice service_find_dependencies(const struct service_view *view, struct service service)
{
	struct slice found = service_text(service.config, SERVICE_DEPENDENCIES);
	for (size_t i = 0; i < SERVICE_PARENTS_MAX && found.ptr == NULL; i++) {
		if (!step_up(view, &service)) {
			break;
		}
		found = service_text(service.config, SERVICE_DEPENDENCIES);
	}
	return found;
}

int64_t service_find_heartbeat_ns(const struct service_view *view, struct service service)
{
	for (size_t i = 0; i < SERVICE_PARENTS_MAX && service.config->interval_ns <= 0; i++) {
		if (!step_up(view, &service)) {
			break;
		}
	}
	return service.config->interval_ns > 0 ? service.config->interval_ns : 0;
}

static bool has_threshold(const struct target_config *config, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(config->thresholds[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* Of two that somebody gave the same service, the first counts. */
bool service_is_overridden(const struct service_whole *whole, size_t place, size_t threshold)
{
	const struct target_config *config = whole->line[place].config;
	struct slice name = config->thresholds[threshold].name;
	for (size_t i = 0; i < place; i++) {
		if (has_threshold(whole->line[i].config, whole->line[i].config->threshold_count, name)) {
			return true;
		}
	}
	return has_threshold(config, threshold, name);
}

bool service_is_empty_range(const struct service_whole *whole)
{
	struct slice min = whole->texts[SERVICE_MIN];
	struct slice max = whole->texts[SERVICE_MAX];
	return min.ptr != NULL && max.ptr != NULL && service_count(min) > service_count(max);
}
