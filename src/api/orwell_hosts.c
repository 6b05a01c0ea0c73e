#include "api/answer.h"
#include "api/endpoints.h"
#include "api/orwell_read.h"
#include "api/orwell_write.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "format/json.h"
#include "targets/inventory.h"
#include "targets/targets_read.h"

/*
 * /hosts: the targets {job="node",instance="IP"} as ORWELL's hosts.
 */

enum { STATE_ACTIVE = 1, STATE_INACTIVE = 2 };

static const struct slice not_found = SLICE_INIT("Host Not Found");

/* What a body says of a host. */
struct host_fields {
	struct orwell_text id;
	struct orwell_text vim_id;
	struct orwell_text hostname;
	struct orwell_text ip;
	struct orwell_number state_id;
	struct orwell_number image_id;
};

struct host_write {
	struct orwell_write write;
	struct host_fields fields;
	struct target_id id; /* of one that is to be changed or deleted, or that was asked for */
	bool has_id;
};

/* ---- Showing ---- */

/* One that has yet to be heard of is awaited, and no less active for that. */
static int state_id_of(const struct registry *registry, const struct target *host)
{
	switch (registry_state(registry, host)) {
	case TARGET_ACTIVE:
		return STATE_ACTIVE;
	case TARGET_SILENT:
		return host->fresh.last_seen_ns == 0 ? STATE_ACTIVE : STATE_INACTIVE;
	case TARGET_EXPIRED:
	case TARGET_DISABLED:
	case TARGET_STATE_COUNT:
		break;
	}
	return STATE_INACTIVE;
}

static void append_host(const struct registry *registry, struct buf *out, const struct target *host)
{
	struct slice vim_id = inventory_text(host, SLICE("vim_id"));
	const struct target *image = inventory_image_of(registry, host);
	char id[TARGET_ID_TEXT];
	target_id_format(&host->id, id);
	buf_append(out, SLICE("{\"id\":"));
	json_append_string(out, slice_make(id, sizeof(id)));
	buf_append(out, SLICE(",\"vim_id\":"));
	if (vim_id.len > 0) {
		json_append_escaped(out, vim_id);
	} else {
		buf_append(out, SLICE("null"));
	}
	buf_append(out, SLICE(",\"hostname\":"));
	json_append_escaped(out, inventory_text(host, SLICE("hostname")));
	buf_append(out, SLICE(",\"ip\":"));
	json_append_escaped(out, target_label(host, SLICE("instance")));
	buf_printf(out, ",\"state_id\":%d,\"image_id\":", state_id_of(registry, host));
	if (image != NULL) {
		buf_printf(out, "%llu}", (unsigned long long)inventory_number(image));
	} else {
		buf_append(out, SLICE("null}"));
	}
}

static bool append_listed(struct targets_list *list, struct buf *out, const struct target *host)
{
	append_host(list->api->targets, out, host);
	return true;
}

static void append_end(struct targets_list *list, struct buf *out)
{
	buf_append(out, SLICE("]\n"));
}

static const struct targets_writer as_hosts = {
	.content_type = SLICE_INIT("application/json"),
	.modes = TARGET_MODES_WATCHED,
	.takes = inventory_is_host,
	.begin = SLICE_INIT("["),
	.between = SLICE_INIT(","),
	.append = append_listed,
	.end = append_end,
};

/* What ORWELL calls a host's ip is the instance of its target. */
static struct slice name_of_field(struct slice name, struct arena *arena)
{
	return slice_equal(name, SLICE("ip")) ? SLICE("instance")
			: name.ptr == NULL            ? name
										  : arena_copy(arena, name);
}

static void list_hosts(struct api *api, struct exchange *exchange)
{
	struct targets_query query = { 0 };
	if (!orwell_query_page(api, exchange, &query.offset, &query.limit)
			|| !orwell_query_order(api, exchange, &query.order)) {
		return;
	}
	struct targets_list *list = targets_list_create(api, &as_hosts);
	list->query = query;
	list->query.order.name = name_of_field(query.order.name, &list->arena);
	answer_add_cors(exchange);
	stats_count_request(api->stats, STATS_HANDLER_API_TARGETS, STATS_METHOD_GET, 200);
	targets_list_send(list, exchange);
}

/* NULL: there is none. */
static struct target *find_host(const struct registry *registry, const struct target_id *id)
{
	struct target *target = registry_find_by_id(registry, id);
	return target != NULL && inventory_is_host(target) ? target : NULL;
}

static void show(struct api *api, struct exchange *exchange, const struct target_id *id)
{
	const struct target *host = find_host(api->targets, id);
	struct buf out;
	if (host == NULL) {
		orwell_answer_error(api, exchange, 404, not_found);
		return;
	}
	buf_init(&out, 0);
	append_host(api->targets, &out, host);
	orwell_answer(api, exchange, &out);
}

/* ---- Reading ---- */

static void read_fields(struct orwell_body *body, const struct api *api, struct host_fields *fields)
{
	fields->id = orwell_body_uuid(body, "id");
	fields->vim_id = orwell_body_uuid(body, "vim_id");
	fields->hostname = orwell_body_text(body, "hostname", 0, TARGETS_ATTRIBUTE_BYTES_MAX);
	fields->ip = orwell_body_text(body, "ip", 1, api->options.format_options.label_bytes);
	fields->state_id = orwell_body_number(body, "state_id", STATE_ACTIVE, STATE_INACTIVE);
	fields->image_id = orwell_body_number(body, "image_id", 0, INT64_MAX);
}

/* ---- Changing ---- */

/* False: it was refused. */
static bool find_image(struct host_write *write)
{
	const struct orwell_number *number = &write->fields.image_id;
	bool is_there = !number->is_given || number->is_null
			|| inventory_find(orwell_registry(&write->write), TARGET_IMAGE, number->value) != NULL;
	return is_there || targets_turn_refuse(&write->write.turn, 404, SLICE("OS Image Not Found"));
}

static struct label attribute(const char *name, bool is_null, struct slice value)
{
	return (struct label){ slice_of_string(name), is_null ? slice_make(NULL, 0) : value };
}

/* What is not said stays as it is. */
static void apply_fields(struct host_write *write, struct target_config *config)
{
	const struct host_fields *fields = &write->fields;
	struct arena *arena = orwell_arena(&write->write);
	struct label changes[3];
	size_t count = 0;
	if (fields->vim_id.is_given) {
		changes[count++] = attribute("vim_id", false, fields->vim_id.text);
	}
	if (fields->hostname.is_given) {
		bool is_none = fields->hostname.text.len == 0;
		changes[count++] = attribute("hostname", is_none, fields->hostname.text);
	}
	if (fields->image_id.is_given) {
		changes[count++] = attribute("image_id", fields->image_id.is_null,
				arena_printf(arena, "%llu", (unsigned long long)fields->image_id.value));
	}
	config->attributes = targets_change_attributes(&config->attributes, changes, count, arena);
	if (fields->state_id.is_given && !fields->state_id.is_null) {
		config->is_disabled = fields->state_id.value == STATE_INACTIVE;
	}
}

/* Somebody has that address. */
static bool refuse_taken(struct host_write *write, const struct target *owner)
{
	struct slice text = SLICE("Host with this IP exists already");
	if (!inventory_is_host(owner)) {
		text = SLICE("IP is the name of a virtual target, which is no host");
	}
	return targets_turn_refuse(&write->write.turn, 409, text);
}

static bool prepare_new(struct orwell_write *base)
{
	struct host_write *write = (struct host_write *)base;
	const struct registry *registry = orwell_registry(base);
	struct inventory_key *key = arena_alloc(orwell_arena(base), sizeof(*key));
	struct target_config config = { .mode = TARGET_PUSH };
	inventory_host_key(key, write->fields.ip.text);
	const struct target *owner = registry_find(registry, &key->key);
	if (owner != NULL) {
		return refuse_taken(write, owner);
	}
	if (write->has_id && registry_find_by_id(registry, &write->id) != NULL) {
		return targets_turn_refuse(&base->turn, 409, SLICE("Host with this id exists already"));
	}
	struct target_id id = write->has_id ? write->id : target_id_of_key(&key->key);
	if (!write->has_id && registry_find_by_id(registry, &id) != NULL) {
		id = target_id_make(); /* of a host that has moved from that address */
	}
	if (!find_image(write)) {
		return false;
	}
	apply_fields(write, &config);
	return targets_turn_make(&base->turn, &key->key, &config, &id);
}

static bool prepare_change(struct orwell_write *base)
{
	struct host_write *write = (struct host_write *)base;
	const struct registry *registry = orwell_registry(base);
	const struct target *host = find_host(registry, &write->id);
	struct inventory_key key;
	if (host == NULL) {
		return targets_turn_refuse(&base->turn, 404, base->missing);
	}
	struct slice ip = write->fields.ip.text;
	inventory_host_key(&key, ip.len > 0 ? ip : target_label(host, SLICE("instance")));
	const struct target *owner = registry_find(registry, &key.key);
	if (owner != NULL && owner != host) {
		return refuse_taken(write, owner);
	}
	if (!find_image(write)) {
		return false;
	}
	struct target_config config = host->config;
	apply_fields(write, &config);
	if (config.attributes.count > TARGETS_ATTRIBUTES_MAX) {
		return targets_turn_refuse(&base->turn, 409, SLICE("Host has too many attributes already"));
	}
	return targets_turn_change(&base->turn, host, &key.key, &config);
}

static bool prepare_deletion(struct orwell_write *base)
{
	const struct host_write *write = (struct host_write *)base;
	const struct target *host = find_host(orwell_registry(base), &write->id);
	return host == NULL ? targets_turn_refuse(&base->turn, 404, not_found)
						: orwell_delete(base, host);
}

static struct host_write *create_write(
		struct api *api, struct exchange *exchange, bool (*prepare)(struct orwell_write *write))
{
	struct host_write *write = orwell_write_create(api, exchange, sizeof(*write));
	write->write.prepare = prepare;
	write->write.append = append_host;
	write->write.missing = not_found;
	return write;
}

/* ---- Requests ---- */

static void make(struct api *api, struct exchange *exchange)
{
	struct orwell_body body;
	struct host_fields fields;
	if (!orwell_body_open(api, exchange, &body)) {
		return;
	}
	orwell_body_require(&body, "ip");
	read_fields(&body, api, &fields);
	if (!orwell_body_close(api, exchange, &body)) {
		return;
	}
	struct host_write *write = create_write(api, exchange, prepare_new);
	write->fields = fields;
	write->has_id = fields.id.text.len > 0 && target_id_parse(fields.id.text, &write->id);
	orwell_write_submit(&write->write);
}

/* The id is in the path or in the body, and if in both the same. */
static void update(struct api *api, struct exchange *exchange, const struct target_id *id)
{
	struct orwell_body body;
	struct host_fields fields;
	struct target_id named = { { 0 } };
	if (!orwell_body_open(api, exchange, &body)) {
		return;
	}
	if (id == NULL) {
		orwell_body_require(&body, "id");
	}
	if (orwell_body_field(&body, "ip") != NULL) {
		orwell_body_require(&body, "ip");
	}
	read_fields(&body, api, &fields);
	bool is_named = fields.id.text.len > 0 && target_id_parse(fields.id.text, &named);
	if (id != NULL && is_named && !target_id_equal(id, &named)) {
		orwell_body_refuse(&body, "id", "value_error", "it is another one than in the path");
	}
	if (!orwell_body_close(api, exchange, &body)) {
		return;
	}
	struct host_write *write = create_write(api, exchange, prepare_change);
	write->fields = fields;
	write->id = id != NULL ? *id : named;
	orwell_write_submit(&write->write);
}

static void forget(struct api *api, struct exchange *exchange, const struct target_id *id)
{
	struct host_write *write = create_write(api, exchange, prepare_deletion);
	write->id = *id;
	orwell_write_submit(&write->write);
}

/* POST /hosts/image */
static bool prepare_image(struct orwell_write *base)
{
	const struct host_write *write = (struct host_write *)base;
	const struct registry *registry = orwell_registry(base);
	bool is_there = find_host(registry, &write->id) != NULL
			&& inventory_find(registry, TARGET_IMAGE, write->fields.image_id.value) != NULL;
	return is_there ? prepare_change(base) : targets_turn_refuse(&base->turn, 404, base->missing);
}

static void give_image(struct api *api, struct exchange *exchange)
{
	struct orwell_body body;
	struct host_fields fields = { 0 };
	if (!orwell_body_open(api, exchange, &body)) {
		return;
	}
	orwell_body_require(&body, "host_id");
	orwell_body_require(&body, "image_id");
	struct orwell_text host_id = orwell_body_uuid(&body, "host_id");
	fields.image_id = orwell_body_number(&body, "image_id", 0, INT64_MAX);
	if (!orwell_body_close(api, exchange, &body)) {
		return;
	}
	struct host_write *write = create_write(api, exchange, prepare_image);
	write->write.missing = SLICE("OS Image or Host Not Found");
	write->fields = fields;
	target_id_parse(host_id.text, &write->id);
	orwell_write_submit(&write->write);
}

static void hear(struct api *api, struct exchange *exchange, const struct target_id *id)
{
	struct target *host = find_host(api->targets, id);
	if (host != NULL) {
		registry_heartbeat(api->targets, host);
	}
	show(api, exchange, id);
}

static void handle_all(struct api *api, struct exchange *exchange)
{
	if (exchange->request.method == METHOD_POST) {
		make(api, exchange);
	} else if (exchange->request.method == METHOD_PUT) {
		update(api, exchange, NULL);
	} else {
		list_hosts(api, exchange);
	}
}

void orwell_hosts_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct target_id id;
	if (orwell_is_loading(api, exchange)) {
		return;
	}
	if (route->id.len == 0 && route->action.len > 0) {
		give_image(api, exchange);
	} else if (route->id.len == 0) {
		handle_all(api, exchange);
	} else if (!orwell_path_id(api, exchange, "host_id", route->id, &id)) {
		return;
	} else if (route->action.len > 0) {
		hear(api, exchange, &id);
	} else if (exchange->request.method == METHOD_PUT) {
		update(api, exchange, &id);
	} else if (exchange->request.method == METHOD_DELETE) {
		forget(api, exchange, &id);
	} else {
		show(api, exchange, &id);
	}
}
