#include "api/answer.h"
#include "api/endpoints.h"
#include "api/own_address.h"
#include "api/target_path.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "format/json.h"
#include "model/escaping.h"
#include "targets/inventory.h"
#include "targets/target_address.h"

/*
 * Targets for Prometheus, as its HTTP service discovery has them, and where to push.
 *
 *     [{"targets":["weir:9091"],
 *       "labels":{"__metrics_path__":"/metrics/target/job/j/instance/i","instance":"i",...}}]
 *
 * All targets that have a page on weir have the same address, but each has labels of its own,
 * all those of its key: so no two of them share a series such as up.
 *
 * https://prometheus.io/docs/prometheus/latest/http_sd/
 */

/* ---- Labels ---- */

struct labels_out {
	struct buf *out;
	bool has_some;
};

static void begin_label(struct labels_out *labels)
{
	buf_append(labels->out, labels->has_some ? SLICE(",") : SLICE(""));
	labels->has_some = true;
}

static void append(struct labels_out *labels, const char *name, struct slice value)
{
	begin_label(labels);
	buf_printf(labels->out, "\"%s\":", name);
	json_append_string(labels->out, value);
}

/* Prometheus knows no fractions: 7s, 1500ms */
static void append_duration(struct labels_out *labels, const char *name, int64_t ns)
{
	long long ms = ns / 1000000;
	bool is_whole = ms % 1000 == 0;
	if (ms > 0) {
		begin_label(labels);
		buf_printf(labels->out, "\"%s\":\"%lld%s\"", name, is_whole ? ms / 1000 : ms,
				is_whole ? "s" : "ms");
	}
}

/* In front of the name what says whose it is; a label without a value is none. */
static void append_label(
		struct labels_out *labels, const char *prefix, struct slice name, struct slice value)
{
	if (value.len > 0) {
		begin_label(labels);
		buf_printf(labels->out, "\"%s", prefix);
		escaping_append_label(labels->out, name, ESCAPING_VALUES);
		buf_append(labels->out, SLICE("\":"));
		json_append_escaped(labels->out, value);
	}
}

static void append_attributes(struct labels_out *labels, const struct labels *attributes)
{
	for (size_t i = 0; i < attributes->count; i++) {
		append_label(labels, "__meta_weir_", attributes->pairs[i].name, attributes->pairs[i].value);
	}
}

/* ---- Targets ---- */

/*
 * What was seen once and is gone need not be scraped any more. What pushed regularly, or was
 * configured by hand, is missing: it stays, so that its up is 0.
 */
static bool is_listed(const struct targets_list *list, const struct target *target)
{
	if (target->config.mode == TARGET_DNS && target->addresses == NULL) {
		return false;
	}
	switch (registry_state(list->api->targets, target)) {
	case TARGET_ACTIVE:
	case TARGET_SILENT:
		return true;
	case TARGET_EXPIRED:
		return target->is_configured || registry_interval_ns(target) > 0;
	case TARGET_DISABLED:
	case TARGET_STATE_COUNT:
		break;
	}
	return false;
}

/* Below the prefix by which weir is reached from outside. */
static struct slice page_path(
		const struct targets_list *list, const struct target *target, struct arena *arena)
{
	const struct api_options *options = &list->api->options;
	bool has_url = strstr(options->config->web_external_url, "://") != NULL;
	struct buf path;
	buf_init(&path, 0);
	buf_append(&path, has_url ? options->link_prefix : options->routes.prefix);
	target_path_append(&path, target, arena);
	struct slice copy = arena_copy(arena, buf_slice(&path));
	buf_finish(&path);
	return copy;
}

/* Where a target is scraped. */
struct place {
	struct slice address;
	struct slice scheme;
	struct slice path;
};

static struct slice or_else(struct slice text, struct slice usual)
{
	return text.len > 0 ? text : usual;
}

/* On a host that has a collector for that; what is configured for the host itself goes first. */
static bool find_on_host(const struct targets_list *list, const struct target *target,
		struct arena *arena, struct place *ret_place)
{
	const struct target_config *config = &target->config;
	struct slice host = target_address_host(target_label(target, SLICE("instance")));
	if (config->mode != TARGET_PUSH || config->address.len > 0 || !inventory_is_host(target)
			|| !target_address_is_host(host)) {
		return false;
	}
	const struct target *collector = inventory_pull_collector(list->api->targets, target);
	if (collector == NULL) {
		return false;
	}
	bool is_v6 = target_address_is_v6(host);
	struct slice path = labels_unescape(arena, inventory_text(collector, SLICE("target")));
	bool has_slash = path.len > 0 && path.ptr[0] == '/';
	*ret_place = (struct place){
		.address = arena_printf(arena, is_v6 ? "[" SLICE_FMT "]:%llu" : SLICE_FMT ":%llu",
				SLICE_ARG(host), (unsigned long long)inventory_count(collector, SLICE("port"))),
		.scheme = or_else(config->scheme, SLICE("http")),
		.path = has_slash ? path : ARENA_JOIN(arena, SLICE("/"), path),
	};
	return true;
}

static struct place find_place(
		const struct targets_list *list, const struct target *target, struct arena *arena)
{
	const struct target_config *config = &target->config;
	struct place place;
	if (target_mode_is_elsewhere(config->mode)) {
		return (struct place){
			.address = target_address_is_v6(config->address)
					? ARENA_JOIN(arena, SLICE("["), config->address, SLICE("]"))
					: config->address,
			.scheme = or_else(config->scheme, SLICE("http")),
			.path = or_else(config->path, SLICE("/metrics")),
		};
	}
	if (find_on_host(list, target, arena, &place)) {
		return place;
	}
	return (struct place){ list->address, list->scheme, page_path(list, target, arena) };
}

/*
 * The addresses behind a name have its labels in common, but not the instance: that Prometheus
 * makes of each address, so that none of them share a series such as up.
 */
static void append_key(struct labels_out *labels, const struct target *target)
{
	bool is_shared = target->config.mode == TARGET_DNS;
	for (size_t i = 0; i < target->key.labels.count; i++) {
		const struct label *label = &target->key.labels.pairs[i];
		bool is_instance = slice_equal(label->name, SLICE("instance"));
		append_label(labels, is_shared && is_instance ? "__meta_weir_target_" : "", label->name,
				label->value);
	}
}

static void append_labels(struct buf *out, const struct place *place, const struct target *target)
{
	struct labels_out labels = { .out = out };
	char id[TARGET_ID_TEXT];
	target_id_format(&target->id, id);
	append(&labels, "__scheme__", place->scheme);
	append(&labels, "__metrics_path__", place->path);
	append_duration(&labels, "__scrape_interval__", target->config.scrape_interval_ns);
	append_duration(&labels, "__scrape_timeout__", target->config.scrape_timeout_ns);
	append_key(&labels, target);
	append_attributes(&labels, &target->config.attributes);
	append(&labels, "__meta_weir_target_id", slice_make(id, sizeof(id)));
	append(&labels, "__meta_weir_target_mode", target_mode_name(target->config.mode));
}

static void append_addresses(
		struct buf *out, const struct place *place, const struct target *target)
{
	const struct addresses *addresses = target->addresses;
	if (target->config.mode != TARGET_DNS) {
		json_append_string(out, place->address);
		return;
	}
	for (size_t i = 0; i < addresses->count; i++) {
		buf_append(out, i > 0 ? SLICE(",") : SLICE(""));
		json_append_string(out, addresses->all[i]);
	}
}

static bool append_target(struct targets_list *list, struct buf *out, const struct target *target)
{
	if (!is_listed(list, target)) {
		return false;
	}
	struct arena arena;
	arena_init(&arena);
	struct place place = find_place(list, target, &arena);
	buf_append(out, SLICE("{\"targets\":["));
	append_addresses(out, &place, target);
	buf_append(out, SLICE("],\"labels\":{"));
	append_labels(out, &place, target);
	buf_append(out, SLICE("}}"));
	arena_finish(&arena);
	return true;
}

static void append_end(struct targets_list *list, struct buf *out)
{
	buf_append(out, SLICE("]\n"));
}

static const struct targets_writer as_targets = {
	.content_type = SLICE_INIT("application/json"),
	.needs_address = true,
	.modes = TARGET_MODES_WATCHED,
	.begin = SLICE_INIT("["),
	.between = SLICE_INIT(","),
	.append = append_target,
	.end = append_end,
};

void discovery_handle(struct api *api, struct exchange *exchange)
{
	if (!targets_are_loading(api, exchange)) {
		targets_list_answer(api, exchange, STATS_HANDLER_DISCOVERY, &as_targets, false);
	}
}

/* ---- Where to push ---- */

/* The address and nothing else: what asks is a shell. */
void discovery_collector_handle(struct api *api, struct exchange *exchange)
{
	struct slice address;
	struct slice scheme;
	struct slice fault;
	bool is_known = own_address_find(api, exchange, &exchange->arena, &address, &scheme, &fault);
	if (is_known) {
		exchange->response.status = 200;
		exchange->response.content_type = SLICE("text/plain; charset=utf-8");
		exchange->response.body = address;
	} else {
		answer_error(exchange, 400, fault);
	}
	stats_count_request(api->stats, STATS_HANDLER_DISCOVERY, STATS_METHOD_GET,
			(unsigned)exchange->response.status);
	exchange_answer(exchange);
}
