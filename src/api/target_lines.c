#include "api/target_lines.h"

#include "base/hash.h"
#include "store/line.h"
#include "targets/members.h"

const struct family_declaration target_lines_declarations[TARGET_LINES_COUNT] = {
	[TARGET_LINES_INFO] = {
		.name = SLICE_INIT("target_info"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_YIELDING,
		.help = SLICE_INIT("What is known of targets, as their attributes."),
	},
	[TARGET_LINES_INSTANCES] = {
		.name = SLICE_INIT("weir_service_active_instances"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_OWN,
		.help = SLICE_INIT("Active targets that belong to a service."),
	},
	[TARGET_LINES_EXPIRES] = {
		.name = SLICE_INIT("weir_target_expires_time_seconds"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_OWN,
		.help = SLICE_INIT("Unix time when the groups of targets will expire that should have "
						   "pushed, and have less than a fifth of their time to live left."),
	},
	[TARGET_LINES_LAST_SEEN] = {
		.name = SLICE_INIT("weir_target_last_seen_time_seconds"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_OWN,
		.help = SLICE_INIT("Unix time when targets that are to push in an interval that is "
						   "configured were last heard of; 0: never."),
	},
	[TARGET_LINES_SILENT] = {
		.name = SLICE_INIT("weir_target_silent"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_OWN,
		.help = SLICE_INIT("Targets that should have pushed long since."),
	},
};

/* Pushed series, by hash of job and instance, or of the service. */
struct taken {
	struct map map; // map_node alone
	struct arena arena;
};

static bool is_taken(const struct taken *taken, uint64_t hash)
{
	return map_first(&taken->map, hash) != NULL;
}

static void take(struct taken *taken, uint64_t hash)
{
	if (!is_taken(taken, hash)) {
		struct map_node *node = arena_alloc(&taken->arena, sizeof(*node));
		map_insert(&taken->map, node, hash);
	}
}

/* ---- What is pushed ---- */

static void take_line(struct taken *taken, struct slice line, enum target_lines lines)
{
	struct line_labels labels = line_labels_of(line_series(line));
	struct slice job = SLICE("");
	struct slice instance = SLICE("");
	struct slice service = SLICE("");
	struct label label;
	while (line_labels_next_with_value(&labels, &label)) {
		job = slice_equal(label.name, SLICE("job")) ? label.value : job;
		instance = slice_equal(label.name, SLICE("instance")) ? label.value : instance;
		service = slice_equal(label.name, SLICE("service")) ? label.value : service;
	}
	take(taken, lines == TARGET_LINES_INSTANCES ? hash64(service) : target_identity(job, instance));
}

static void take_block(struct taken *taken, const struct block *block, enum target_lines lines)
{
	for (uint32_t i = 0; i < block->line_count; i++) {
		take_line(taken, block_line(block, i), lines);
	}
}

static void take_pushed(struct taken *taken, const struct family *family, enum target_lines lines)
{
	for (uint32_t i = 0; family->exposed > 0 && i < family->slots.len; i++) {
		struct slot slot = *slots_at(&family->slots, i);
		if (slot_is_exposed(slot)) {
			take_block(taken, slot_content(slot), lines);
		}
	}
}

/* A single plain line has no place among counters, or in a histogram. */
static bool is_fit(const struct family *family)
{
	static const unsigned fit =
			1u << METRIC_GAUGE | 1u << METRIC_INFO | 1u << METRIC_STATESET | 1u << METRIC_UNTYPED;
	bool is_all = true;
	for (enum metric_type type = 0; type < METRIC_TYPE_COUNT; type++) {
		is_all = is_all && (family->exposed_by_type[type] == 0 || (fit >> type & 1) != 0);
	}
	return is_all;
}

/* ---- Lines ---- */

static bool gives_way(const struct taken *taken, const struct target *target)
{
	return taken->map.len > 0
			&& is_taken(taken,
					target_identity(target_label(target, SLICE("job")),
							target_label(target, SLICE("instance"))));
}

static bool has_to_be_heard_of(const struct target *target)
{
	return target->config.mode == TARGET_PUSH && !target->config.is_disabled
			&& registry_wanted_ns(target) > 0;
}

/* name{labels}; the group, if it is there, has the labels as text. */
static void append_series(struct taken *taken, const struct registry *registry, struct buf *out,
		enum target_lines lines, const struct target *target)
{
	const struct group *group = registry_group(registry, target);
	buf_append(out, target_lines_declarations[lines].name);
	buf_append_byte(out, '{');
	buf_append(
			out, group != NULL ? group->label_text : group_key_text(&target->key, &taken->arena));
	buf_append(out, SLICE("} "));
}

static void append_time(struct taken *taken, const struct registry *registry, struct buf *out,
		enum target_lines lines, const struct target *target, int64_t time_ns)
{
	if (!target_has_quoted(target) && !gives_way(taken, target)) {
		long long ms = time_ns / 1000000;
		append_series(taken, registry, out, lines, target);
		buf_printf(out, "%lld.%03lld\n", ms / 1000, ms % 1000);
	}
}

static void append_last_seen(struct taken *taken, const struct registry *registry, struct buf *out,
		const struct target *target)
{
	if (has_to_be_heard_of(target)) {
		append_time(
				taken, registry, out, TARGET_LINES_LAST_SEEN, target, target->fresh.last_seen_ns);
	}
}

/* It may have pushed since it was looked at. */
static void append_expires(struct taken *taken, const struct registry *registry, struct buf *out,
		const struct target *target)
{
	int64_t expiry_ns = registry_expiry_ns(registry, target);
	if (expiry_ns != 0) {
		append_time(taken, registry, out, TARGET_LINES_EXPIRES, target, expiry_ns);
	}
}

static void append_silent(struct taken *taken, const struct registry *registry, struct buf *out,
		const struct target *target)
{
	if (target->is_overdue && !target_has_quoted(target) && !gives_way(taken, target)) {
		append_series(taken, registry, out, TARGET_LINES_SILENT, target);
		buf_append(out, SLICE("1\n"));
	}
}

static void append_info(struct taken *taken, const struct registry *registry, struct buf *out,
		const struct target *target)
{
	struct slice line = registry_info_line(registry, target);
	bool is_shown =
			line.ptr != NULL && (taken->map.len == 0 || !is_taken(taken, target->info->identity));
	buf_append(out, is_shown ? line : SLICE(""));
}

static void append_instances(struct taken *taken, const struct registry *registry, struct buf *out,
		const struct target *service)
{
	struct slice name = target_label(service, SLICE("instance"));
	bool is_shown = service->config.mode == TARGET_SERVICE && !service->config.is_disabled
			&& !is_taken(taken, hash64(name));
	if (is_shown) {
		buf_append(out, target_lines_declarations[TARGET_LINES_INSTANCES].name);
		buf_printf(out, "{service=\"" SLICE_FMT "\"} %zu\n", SLICE_ARG(name),
				members_active(registry, name));
	}
}

static void append_line(struct taken *taken, const struct registry *registry, struct buf *out,
		enum target_lines lines, const struct target *target)
{
	switch (lines) {
	case TARGET_LINES_INFO:
		append_info(taken, registry, out, target);
		return;
	case TARGET_LINES_INSTANCES:
		append_instances(taken, registry, out, target);
		return;
	case TARGET_LINES_EXPIRES:
		append_expires(taken, registry, out, target);
		return;
	case TARGET_LINES_LAST_SEEN:
		append_last_seen(taken, registry, out, target);
		return;
	case TARGET_LINES_SILENT:
		append_silent(taken, registry, out, target);
		return;
	case TARGET_LINES_COUNT:
		return;
	}
}

static void append_all(
		struct taken *taken, struct registry *registry, struct buf *out, enum target_lines lines)
{
	switch (lines) {
	case TARGET_LINES_SILENT:
		LIST_EACH (link, &registry->late) {
			append_line(taken, registry, out, lines, LIST_ENTRY(link, struct target, late));
		}
		return;
	case TARGET_LINES_EXPIRES:
		LIST_EACH (link, &registry->expiring) {
			append_line(taken, registry, out, lines, LIST_ENTRY(link, struct target, expiring));
		}
		return;
	case TARGET_LINES_INSTANCES:
		LIST_EACH (link, &registry->unwatched) {
			append_line(taken, registry, out, lines, LIST_ENTRY(link, struct target, described));
		}
		return;
	case TARGET_LINES_INFO:
	case TARGET_LINES_LAST_SEEN:
		LIST_EACH (link, &registry->described) {
			append_line(taken, registry, out, lines, LIST_ENTRY(link, struct target, described));
		}
		return;
	case TARGET_LINES_COUNT:
		return;
	}
}

void target_lines_append(
		const struct api *api, struct buf *out, enum target_lines lines, const struct target *one)
{
	struct slice name = target_lines_declarations[lines].name;
	const struct family *family =
			families_find(&api->store->contents->families, name, hash64(name));
	struct taken taken;
	if (family == NULL || !is_fit(family)) {
		return;
	}
	map_init(&taken.map);
	arena_init(&taken.arena);
	take_pushed(&taken, family, lines);
	if (one == NULL) {
		append_all(&taken, api->targets, out, lines);
	} else {
		append_line(&taken, api->targets, out, lines, one);
	}
	map_finish(&taken.map);
	arena_finish(&taken.arena);
}
