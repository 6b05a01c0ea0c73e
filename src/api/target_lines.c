#include "api/target_lines.h"

#include "base/hash.h"
#include "store/line.h"
#include "targets/filter.h"

const struct family_declaration target_lines_declarations[TARGET_LINES_COUNT] = {
	[TARGET_LINES_INFO] = {
		.name = SLICE_INIT("target_info"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_YIELDING,
		.help = SLICE_INIT("What is known of targets, as their attributes."),
	},
	[TARGET_LINES_LAST_SEEN] = {
		.name = SLICE_INIT("weir_target_last_seen_time_seconds"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_OWN,
		.help = SLICE_INIT("Unix time when targets that have an interval configured were last "
						   "heard of; 0: never."),
	},
	[TARGET_LINES_SILENT] = {
		.name = SLICE_INIT("weir_target_silent"),
		.type = METRIC_GAUGE,
		.source = DECLARATION_OWN,
		.help = SLICE_INIT("Targets that should have pushed long since."),
	},
};

/* What there is already, by hash: pushed series by job and instance, and lines of weir's own. */
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

static uint64_t identity(struct slice job, struct slice instance)
{
	uint64_t both[2] = { hash64(job), hash64(instance) };
	return hash64(slice_make((const char *)both, sizeof(both)));
}

/* ---- What is pushed ---- */

static void take_line(struct taken *taken, struct slice line)
{
	struct line_labels labels = line_labels_of(line_series(line));
	struct slice job = SLICE("");
	struct slice instance = SLICE("");
	struct label label;
	while (line_labels_next_with_value(&labels, &label)) {
		job = slice_equal(label.name, SLICE("job")) ? label.value : job;
		instance = slice_equal(label.name, SLICE("instance")) ? label.value : instance;
	}
	take(taken, identity(job, instance));
}

static void take_block(struct taken *taken, const struct block *block)
{
	for (uint32_t i = 0; i < block->line_count; i++) {
		take_line(taken, block_line(block, i));
	}
}

static void take_pushed(struct taken *taken, const struct family *family)
{
	for (uint32_t i = 0; family->exposed > 0 && i < family->slots.len; i++) {
		struct slot slot = *slots_at(&family->slots, i);
		if (slot_is_exposed(slot)) {
			take_block(taken, slot_content(slot));
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

/* Of a page for all kinds of scrapers, which names in quotes are not for. */
static bool has_quoted(const struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (!labels_is_name(labels->pairs[i].name)) {
			return true;
		}
	}
	return false;
}

static bool has_attribute(const struct target *target)
{
	for (size_t i = 0; i < target->config.attributes.count; i++) {
		if (target->config.attributes.pairs[i].value.len > 0) {
			return true;
		}
	}
	return false;
}

static bool is_wanted(const struct target *target, enum target_lines lines)
{
	switch (lines) {
	case TARGET_LINES_INFO:
		return has_attribute(target) && !target->config.is_disabled;
	case TARGET_LINES_LAST_SEEN:
		return target->config.interval_ns > 0 && target->config.mode == TARGET_PUSH
				&& !target->config.is_disabled;
	case TARGET_LINES_SILENT:
		return target->is_overdue;
	case TARGET_LINES_COUNT:
		break;
	}
	return false;
}

static void append_line(
		struct taken *taken, struct buf *out, enum target_lines lines, const struct target *target)
{
	struct slice job = target_label(target, SLICE("job"));
	struct slice instance = target_label(target, SLICE("instance"));
	struct group_key key = target->key;
	if (!is_wanted(target, lines) || has_quoted(&key.labels)
			|| is_taken(taken, identity(job, instance))) {
		return;
	}
	if (lines == TARGET_LINES_INFO) {
		key.labels = target_all_labels(target, &taken->arena);
	}
	/* Of two targets, the attributes of one may be labels of the other. */
	uint64_t hash = group_key_hash(&key);
	if (is_taken(taken, hash)) {
		return;
	}
	take(taken, hash);
	buf_append(out, target_lines_declarations[lines].name);
	buf_append_byte(out, '{');
	buf_append(out, group_key_text(&key, &taken->arena));
	if (lines == TARGET_LINES_LAST_SEEN) {
		long long ms = target->fresh.last_seen_ns / 1000000;
		buf_printf(out, "} %lld.%03lld\n", ms / 1000, ms % 1000);
	} else {
		buf_append(out, SLICE("} 1\n"));
	}
}

static void append_all(
		struct taken *taken, struct registry *registry, struct buf *out, enum target_lines lines)
{
	bool is_late = lines == TARGET_LINES_SILENT;
	LIST_EACH (link, is_late ? &registry->late : &registry->described) {
		append_line(taken, out, lines,
				is_late ? LIST_ENTRY(link, struct target, late)
						: LIST_ENTRY(link, struct target, described));
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
	take_pushed(&taken, family);
	if (one == NULL) {
		append_all(&taken, api->targets, out, lines);
	} else {
		append_line(&taken, out, lines, one);
	}
	map_finish(&taken.map);
	arena_finish(&taken.arena);
}
