#include "api/orwell_collectors.h"

#include "api/endpoints.h"
#include "api/orwell_settings.h"
#include "format/json.h"

/*
 * /collectors: how the metrics of hosts are had. One of type PULL is scraped on the host, at its
 * port and its target, which is a path.
 */

enum { TARGET_BYTES_MAX = 1000 };

struct collector_write {
	struct orwell_setting_write write;
	struct orwell_text target;
	struct orwell_number port;
	struct orwell_number type_id;
};

void orwell_append_collector(
		const struct registry *registry, struct buf *out, const struct target *collector)
{
	struct slice target = inventory_text(collector, SLICE("target"));
	buf_printf(out, "{\"id\":%llu,\"name\":", (unsigned long long)inventory_number(collector));
	json_append_escaped(out, inventory_text(collector, SLICE("name")));
	buf_append(out, SLICE(",\"target\":"));
	if (target.ptr == NULL) {
		buf_append(out, SLICE("null"));
	} else {
		json_append_escaped(out, target);
	}
	buf_printf(out, ",\"port\":%llu,\"type_id\":%llu}",
			(unsigned long long)inventory_count(collector, SLICE("port")),
			(unsigned long long)inventory_count(collector, SLICE("type_id")));
}

/* One that may be left out, but not be null. */
static struct orwell_number read_number(
		struct orwell_body *body, const char *name, uint64_t min, uint64_t max)
{
	if (orwell_body_field(body, name) != NULL) {
		orwell_body_require(body, name);
	}
	return orwell_body_number(body, name, min, max);
}

static void read(struct orwell_body *body, struct orwell_setting_write *base)
{
	struct collector_write *write = (struct collector_write *)base;
	write->target = orwell_body_text(body, "target", 0, TARGET_BYTES_MAX);
	write->port = read_number(body, "port", 0, INVENTORY_PORT_MAX);
	write->type_id = read_number(body, "type_id", COLLECTOR_PULL, COLLECTOR_PUSH);
}

static struct slice number_text(struct arena *arena, const struct orwell_number *number)
{
	return arena_printf(arena, "%llu", (unsigned long long)number->value);
}

static bool apply(struct orwell_setting_write *base, struct target_config *config)
{
	const struct collector_write *write = (struct collector_write *)base;
	struct arena *arena = orwell_arena(&base->write);
	struct label changes[3];
	size_t count = 0;
	if (write->target.is_given) {
		changes[count++] = (struct label){ SLICE("target"), write->target.text };
	}
	if (write->port.is_given) {
		changes[count++] = (struct label){ SLICE("port"), number_text(arena, &write->port) };
	}
	if (write->type_id.is_given) {
		changes[count++] = (struct label){ SLICE("type_id"), number_text(arena, &write->type_id) };
	}
	return orwell_setting_set(base, config, changes, count);
}

static struct slice use(const struct registry *registry, uint64_t number)
{
	LIST_EACH (link, &registry->unwatched) {
		const struct target *target = LIST_ENTRY(link, struct target, described);
		if (target->config.mode == TARGET_IMAGE && inventory_has_collector(target, number)) {
			return SLICE("Collector in use by one or more OS Images");
		}
	}
	return slice_make(NULL, 0);
}

static const char *const required[] = { "name", "port", "type_id", NULL };

static const struct orwell_setting collectors = {
	.mode = TARGET_COLLECTOR,
	.path_name = "collector_id",
	.missing = SLICE_INIT("Collector Not Found"),
	.taken = SLICE_INIT("Collector with this name exists already"),
	.write_bytes = sizeof(struct collector_write),
	.append = orwell_append_collector,
	.read = read,
	.apply = apply,
	.use = use,
	.required = required,
};

void orwell_collectors_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	if (!orwell_is_loading(api, exchange)) {
		orwell_setting_handle(api, exchange, route->id, &collectors);
	}
}
