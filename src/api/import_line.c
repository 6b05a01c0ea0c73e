#include "api/import_state.h"
#include "api/limit_text.h"
#include "transfer/line_prepare.h"

enum {
	ITEMS_MAX = 256,              /* made ready at a time */
	ITEM_BYTES = 2 * 1024 * 1024, /* of memory that they have, after which no more are */
	RENDERED_FACTOR = 4,          /* of the largest body: the largest group with its labels */
};

void import_decode(struct import *import)
{
	struct slice raw = import->exchange->request.body;
	import->content = http_content_decode(import->coding, raw, import->options.body_bytes,
			&import->decoded, &import->content_error);
	import->rest = buf_slice(&import->decoded);
	import->is_decoded = true;
}

/* ---- What a push is held to ---- */

struct limits {
	struct import *import;
	struct import_item *item;
	const struct format_options *format;
};

static bool refuse(struct import_item *item, struct slice reason)
{
	item->reason = reason;
	return false;
}

static bool refuse_limit(const struct limits *limits, enum format_limit limit)
{
	return refuse(limits->item,
			limit_text_of_format(&limits->import->arena, limit, &limits->item->terms,
					&limits->import->options.format_options));
}

static bool check_label(const struct limits *limits, const struct label *label)
{
	if (label->name.len > limits->format->label_bytes
			|| label->value.len > limits->format->label_bytes) {
		return refuse_limit(limits, FORMAT_LIMIT_LABEL_BYTES);
	}
	return limits->format->utf8_names || labels_is_name(label->name)
			|| refuse(limits->item,
					ARENA_JOIN(&limits->import->arena, SLICE("a label's name needs quotes: "),
							label->name, SLICE(" (--push.enable-utf8-names)")));
}

static bool check_labels(const struct limits *limits, const struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (!check_label(limits, &labels->pairs[i])) {
			return false;
		}
	}
	return true;
}

static bool check_family(const struct limits *limits, const struct batch_family *family)
{
	size_t key_labels = limits->item->line.group.key.labels.count;
	if (family->name.len > limits->format->label_bytes) {
		return refuse_limit(limits, FORMAT_LIMIT_LABEL_BYTES);
	}
	if (!limits->format->utf8_names && !labels_is_metric_name(family->name)) {
		return refuse(limits->item,
				ARENA_JOIN(&limits->import->arena, SLICE("a metric's name needs quotes: "),
						family->name, SLICE(" (--push.enable-utf8-names)")));
	}
	for (size_t i = 0; i < family->sample_count; i++) {
		const struct labels *labels = &family->samples[i].labels;
		if (key_labels + labels->count > limits->format->labels) {
			return refuse_limit(limits, FORMAT_LIMIT_LABELS);
		}
		if (!check_labels(limits, labels)) {
			return false;
		}
	}
	return true;
}

static bool check_limits(struct import *import, struct import_item *item)
{
	struct limits limits = { .import = import, .item = item, .format = &item->terms.format };
	if (item->line.series > item->terms.series) {
		return refuse_limit(&limits, FORMAT_LIMIT_SAMPLES);
	}
	if (item->line.group.key.labels.count > limits.format->labels) {
		return refuse_limit(&limits, FORMAT_LIMIT_LABELS);
	}
	if (!check_labels(&limits, &item->line.group.key.labels)) {
		return false;
	}
	for (size_t i = 0; i < item->line.part_count; i++) {
		const struct batch_family *family = item->line.parts[i].batch.families;
		for (; family != NULL; family = family->next) {
			if (!check_family(&limits, family)) {
				return false;
			}
		}
	}
	return true;
}

/* ---- Lines ---- */

static bool prepare(struct import *import, struct import_item *item)
{
	struct prepare_options options = {
		.is_checked = import->options.is_checked,
		.max_bytes = RENDERED_FACTOR * import->options.body_bytes,
	};
	struct batch_fault fault;
	switch (line_prepare(&item->line, &options, &import->arena, &item->prepared, &fault)) {
	case PREPARE_OK:
		return true;
	case PREPARE_E_FAULT:
		return refuse(item, fault.text);
	case PREPARE_E_BYTES:
		break;
	}
	return refuse(item, SLICE("too many bytes with the grouping labels in every line"));
}

static bool find_terms(struct import *import, struct import_item *item)
{
	return push_terms_find(&item->terms, &import->options, import->rules, &item->line.group.key,
				   &import->arena)
			|| refuse(item,
					SLICE("a regular expression of the rules for jobs takes too long for the "
						  "name of this job"));
}

/* A group line becomes an item. */
static void read_line(struct import *import, struct slice text)
{
	struct import_item *item = &import->items[import->item_count];
	struct line_error error;
	*item = (struct import_item){ .number = import->number };
	if (!line_read(text, &import->arena, &item->line, &error)) {
		item->group = error.labels;
		item->reason = error.what;
		import->item_count++;
		return;
	}
	switch (item->line.kind) {
	case LINE_HEADER:
		import->outcome.is_cut = true;
		return;
	case LINE_END:
		import->outcome.is_cut = false;
		return;
	case LINE_GROUP:
		break;
	}
	import->item_count++;
	item->group = group_key_text(&item->line.group.key, &import->arena);
	if (find_terms(import, item) && check_limits(import, item)) {
		prepare(import, item);
	}
}

static size_t prepared_bytes(const struct prepared_push *push)
{
	size_t bytes = 0;
	for (size_t i = 0; i < push->joined_count; i++) {
		bytes += push->joined[i]->bytes;
	}
	return bytes;
}

void import_read_lines(struct import *import)
{
	size_t packs = 0;
	arena_reset(&import->arena);
	import->items = arena_alloc(&import->arena, ITEMS_MAX * sizeof(struct import_item));
	import->item_count = 0;
	import->next_item = 0;
	while (import->rest.len > 0 && import->item_count < ITEMS_MAX
			&& import->arena.used_bytes + packs < ITEM_BYTES) {
		struct slice line = slice_take_line(&import->rest);
		size_t before = import->item_count;
		import->number++;
		if (slice_ends_with(line, SLICE("\r"))) {
			line.len--;
		}
		if (slice_trim(line).len > 0) {
			read_line(import, line);
		}
		if (import->item_count > before) {
			packs += prepared_bytes(&import->items[before].prepared);
		}
	}
}
