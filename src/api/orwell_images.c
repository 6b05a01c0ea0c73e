#include "api/endpoints.h"
#include "api/orwell_collectors.h"
#include "api/orwell_settings.h"
#include "format/json.h"
#include "targets/targets_read.h"

/*
 * /images: which collectors are on hosts that were made of an image.
 */

struct image_write {
	struct orwell_setting_write write;
	bool has_collectors;
	uint64_t *collectors;
	size_t collector_count;
	uint64_t added; /* one more; 0: none */
};

/* ---- Showing ---- */

static void append_image(
		const struct registry *registry, struct buf *out, const struct target *image)
{
	struct slice rest = inventory_text(image, SLICE("collectors"));
	bool is_first = true;
	buf_printf(out, "{\"id\":%llu,\"name\":", (unsigned long long)inventory_number(image));
	json_append_escaped(out, inventory_text(image, SLICE("name")));
	buf_append(out, SLICE(",\"collectors\":["));
	for (uint64_t number = inventory_take_collector(&rest); number != 0;
			number = inventory_take_collector(&rest)) {
		const struct target *collector = inventory_find(registry, TARGET_COLLECTOR, number);
		if (collector != NULL) {
			buf_append(out, is_first ? SLICE("") : SLICE(","));
			orwell_append_collector(registry, out, collector);
			is_first = false;
		}
	}
	buf_append(out, SLICE("]}"));
}

/* ---- Reading ---- */

/* A number, or a collector as it is shown. */
static bool read_collector(const cJSON *value, uint64_t *ret_number)
{
	const cJSON *id = value;
	if (cJSON_IsObject(value)) {
		id = cJSON_GetObjectItemCaseSensitive(value, "id");
	}
	return id != NULL && orwell_read_number(id, ret_number);
}

static void read(struct orwell_body *body, struct orwell_setting_write *base)
{
	struct image_write *write = (struct image_write *)base;
	const cJSON *list = orwell_body_field(body, "collectors");
	if (list == NULL || cJSON_IsNull(list)) {
		return;
	}
	if (!cJSON_IsArray(list)) {
		orwell_body_refuse(body, "collectors", "type_error.list", "value is not a valid list");
		return;
	}
	write->has_collectors = true;
	write->collectors = arena_zalloc(
			body->arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof(*write->collectors));
	for (const cJSON *each = list->child; each != NULL; each = each->next) {
		if (!read_collector(each, &write->collectors[write->collector_count++])) {
			orwell_body_refuse(body, "collectors", "type_error.integer",
					"each has to be a collector, or its id");
			return;
		}
	}
}

/* ---- Changing ---- */

static bool is_in(struct slice text, uint64_t number)
{
	uint64_t each = inventory_take_collector(&text);
	while (each != 0 && each != number) {
		each = inventory_take_collector(&text);
	}
	return each != 0;
}

/* Behind those that are there, unless it is one of them. False: it was refused. */
static bool add(struct image_write *write, struct buf *text, uint64_t number)
{
	struct orwell_write *base = &write->write.write;
	if (inventory_find(orwell_registry(base), TARGET_COLLECTOR, number) == NULL) {
		return targets_turn_refuse(
				&base->turn, 404, write->added != 0 ? base->missing : SLICE("Collector Not Found"));
	}
	if (!is_in(buf_slice(text), number)) {
		buf_printf(text, "%s%llu", text->len > 0 ? "," : "", (unsigned long long)number);
	}
	return text->len <= TARGETS_ATTRIBUTE_BYTES_MAX
			|| targets_turn_refuse(&base->turn, 409, SLICE("OS Image has too many collectors"));
}

/* Those that are gone are left out on this occasion. */
static void append_known(struct image_write *write, struct buf *text, struct slice old)
{
	const struct registry *registry = orwell_registry(&write->write.write);
	for (uint64_t number = inventory_take_collector(&old); number != 0;
			number = inventory_take_collector(&old)) {
		if (inventory_find(registry, TARGET_COLLECTOR, number) != NULL) {
			buf_printf(text, "%s%llu", text->len > 0 ? "," : "", (unsigned long long)number);
		}
	}
}

static bool apply(struct orwell_setting_write *base, struct target_config *config)
{
	struct image_write *write = (struct image_write *)base;
	struct label change = { SLICE("collectors"), slice_make(NULL, 0) };
	struct buf text;
	bool is_good = true;
	if (!write->has_collectors && write->added == 0) {
		return true;
	}
	buf_init(&text, 0);
	if (!write->has_collectors) {
		append_known(write, &text, labels_find(&config->attributes, change.name));
	}
	for (size_t i = 0; i < write->collector_count && is_good; i++) {
		is_good = add(write, &text, write->collectors[i]);
	}
	if (write->added != 0 && is_good) {
		is_good = add(write, &text, write->added);
	}
	if (text.len > 0) {
		change.value = arena_copy(orwell_arena(&base->write), buf_slice(&text));
	}
	buf_finish(&text);
	return is_good && orwell_setting_set(base, config, &change, 1);
}

/* What hosts refer to. */
static struct slice use(const struct registry *registry, uint64_t number)
{
	LIST_EACH (link, &registry->targets) {
		const struct target *target = LIST_ENTRY(link, struct target, link);
		if (inventory_is_host(target) && inventory_count(target, SLICE("image_id")) == number) {
			return SLICE("OS Image in use by one or more Hosts");
		}
	}
	return slice_make(NULL, 0);
}

static const char *const required[] = { "name", NULL };

static const struct orwell_setting images = {
	.mode = TARGET_IMAGE,
	.path_name = "image_id",
	.missing = SLICE_INIT("OS Image Not Found"),
	.taken = SLICE_INIT("OS Image with this name exists already"),
	.write_bytes = sizeof(struct image_write),
	.append = append_image,
	.read = read,
	.apply = apply,
	.use = use,
	.required = required,
};

/* ---- POST /images/collector ---- */

static void add_collector(struct api *api, struct exchange *exchange)
{
	struct orwell_body body;
	if (!orwell_body_open(api, exchange, &body)) {
		return;
	}
	orwell_body_require(&body, "image_id");
	orwell_body_require(&body, "collector_id");
	struct orwell_number image = orwell_body_number(&body, "image_id", 0, INT64_MAX);
	struct orwell_number collector = orwell_body_number(&body, "collector_id", 0, INT64_MAX);
	if (!orwell_body_close(api, exchange, &body)) {
		return;
	}
	struct image_write *write = (struct image_write *)orwell_setting_write_create(
			api, exchange, &images, orwell_setting_prepare_change);
	write->write.write.missing = SLICE("OS Image or Collector Not Found");
	write->write.number = image.value;
	/* No collector has the number 0, nor the largest of all. */
	write->added = collector.value != 0 ? collector.value : INT64_MAX;
	orwell_write_submit(&write->write.write);
}

void orwell_images_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	if (orwell_is_loading(api, exchange)) {
		return;
	}
	if (route->action.len > 0) {
		add_collector(api, exchange);
	} else {
		orwell_setting_handle(api, exchange, route->id, &images);
	}
}
