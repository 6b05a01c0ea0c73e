#include "api/protobuf_page.h"

#include <stdlib.h>

#include "api/protobuf_part.h"
#include "api/worked_body.h"
#include "base/memory.h"

enum {
	WHOLE_BYTES = 1024 * 1024,        /* of text: families up to this size are made whole */
	SLICE_BYTES = 512 * 1024,         /* of text, of a larger one */
	SPOT_BYTES = 16 * 1024,           /* of text, that the loop makes itself */
	FAMILY_BYTES = 128,               /* what a family counts for beside its text */
	METRICS_MAX = 1024 * 1024 * 1024, /* bytes of a family's metrics that a message can have */
};

enum page_phase {
	PHASE_FAMILIES,
	PHASE_MEASURE, /* a large family */
	PHASE_MAKE,    /* the same again */
};

struct protobuf_page {
	struct worked_source source;
	struct protobuf_page_options options;
	struct snapshot snapshot;
	struct names names;
	struct family_lines lines;
	struct family_span current; /* the last that was begun; no family: none was */
	uint32_t next_place;        /* of a part of the page */
	enum page_phase phase;

	/* A large family. */
	struct arena arena;
	struct protobuf_family *large;
	struct family_place place;
	bool is_first;  /* its first slice is still to be made */
	size_t working; /* its slices that are being worked on */
	size_t measured_bytes;
	size_t made_bytes;

	size_t names_used; /* units at work that need what was entered last */
	struct buf made;   /* scratch for what the loop makes itself, and the two of the part */
	struct buf metrics;
	struct arena scratch;
	struct protobuf_page_result result;
};

/* What a unit of work is about. */
struct page_unit {
	struct protobuf_part *parts;
	size_t count;
	size_t capacity;
	bool is_slice;   /* of a large family */
	bool uses_names; /* what was entered last */
};

/* ---- Families ---- */

static struct slice help_of(struct family *family)
{
	struct slice help = family_help(family);
	return help.ptr == NULL && family_is_yielding(family) ? family->declaration->help : help;
}

/* The one place that knows what is said about a family: copied, since it may change. */
static struct protobuf_family *describe(
		struct protobuf_page *page, struct family *family, struct arena *arena)
{
	struct protobuf_family *said = arena_zalloc(arena, 1, sizeof(*said));
	said->name = family->name;
	said->shown = names_family(&page->names, family);
	said->only_sound = page->options.only_sound;
	if (family_is_settled(family)) {
		said->type = family->declaration->type;
		said->help = family->declaration->help;
	} else {
		said->type = page_head_common_type(snapshot_types(&page->snapshot, family));
		said->help = arena_copy(arena, help_of(family));
		said->unit = arena_copy(arena, family_unit(family));
	}
	if (names_may_have_quoted_labels(&page->names, family)) {
		names_enter(&page->names, family);
		said->names = page->names.labels.len > 0 ? &page->names : NULL;
	}
	return said;
}

/* A family to be begun, and where to look for the next one then. */
struct next_family {
	struct family_span span;
	uint32_t next_place;
};

/* Among those that the part lists. */
static bool find_next_place(const struct protobuf_page *page, struct next_family *ret_next)
{
	const struct page_part *part = page->options.page.part;
	for (uint32_t i = page->next_place; i < part->place_count; i++) {
		struct family_span span = family_span_of_place(&part->places[i]);
		if (family_lines_has_any(&page->lines, &span)) {
			*ret_next = (struct next_family){ .span = span, .next_place = i + 1 };
			return true;
		}
	}
	return false;
}

/*
 * The first family behind the last one that has something on the page; false:
 * none. What a page rests on between two turns must be on it: other families may
 * go.
 */
static bool find_next_family(const struct protobuf_page *page, struct next_family *ret_next)
{
	struct list *end = &page->snapshot.contents->families.in_order;
	struct list *link =
			page->current.family == NULL ? end->next : page->current.family->in_order.next;
	if (page->options.page.part != NULL) {
		return find_next_place(page, ret_next);
	}
	for (; link != end; link = link->next) {
		struct family_span span = family_span_of(LIST_ENTRY(link, struct family, in_order));
		if (family_lines_has_any(&page->lines, &span)) {
			*ret_next = (struct next_family){ .span = span };
			return true;
		}
	}
	return false;
}

/* ---- Units ---- */

static struct protobuf_part *add_part(struct worked_unit *unit)
{
	struct page_unit *data = unit->data;
	if (data->count == data->capacity) {
		size_t old_bytes = data->count * sizeof(*data->parts);
		data->capacity = data->capacity == 0 ? 16 : data->capacity * 2;
		data->parts = arena_grow(
				&unit->arena, data->parts, old_bytes, data->capacity * sizeof(*data->parts));
	}
	struct protobuf_part *part = &data->parts[data->count++];
	*part = (struct protobuf_part){ 0 };
	return part;
}

static void use_names(struct protobuf_page *page, struct worked_unit *unit)
{
	struct page_unit *data = unit->data;
	data->uses_names = true;
	page->names_used++;
}

/* A slice of the large family. */
static void add_slice(
		struct protobuf_page *page, struct worked_unit *unit, enum protobuf_part_kind kind)
{
	struct page_unit *data = unit->data;
	struct protobuf_part *part = add_part(unit);
	part->kind = kind;
	part->family = page->large;
	part->family_bytes = page->measured_bytes;
	unit->bytes = family_lines_gather(
			&page->lines, &page->current, &page->place, &part->lines, &unit->arena, SLICE_BYTES);
	data->is_slice = true;
	page->working++;
	if (page->large->names != NULL) {
		use_names(page, unit);
	}
}

static enum worked_gathering gather_large(struct protobuf_page *page, struct worked_unit *unit)
{
	if (page->phase == PHASE_MEASURE) {
		if (page->place.step != FAMILY_PLACE_END) {
			add_slice(page, unit, PROTOBUF_MEASURE);
			return WORKED_GATHERED;
		}
		if (page->working > 0) {
			return WORKED_AWAITS;
		}
		page->phase = PHASE_MAKE;
		page->is_first = true;
		page->place = (struct family_place){ 0 };
	}
	add_slice(page, unit, page->is_first ? PROTOBUF_FIRST : PROTOBUF_NEXT);
	page->is_first = false;
	if (page->place.step == FAMILY_PLACE_END) {
		page->phase = PHASE_FAMILIES;
	}
	return WORKED_GATHERED;
}

/* What was gathered of the family is dropped: it is gone through in slices. */
static void begin_large(struct protobuf_page *page)
{
	arena_reset(&page->arena);
	page->large = describe(page, page->current.family, &page->arena);
	page->phase = PHASE_MEASURE;
	page->measured_bytes = 0;
	page->made_bytes = 0;
	page->place = (struct family_place){ 0 };
}

/*
 * On the loop, while the names are those that were entered for it: else each
 * small family would be a unit of its own that the next one has to wait for.
 */
static void make_now(struct protobuf_page *page, struct protobuf_part *part, struct arena *arena)
{
	page->made.len = 0;
	protobuf_part_make(part, &page->made, &page->metrics, &page->scratch);
	arena_reset(&page->scratch);
	part->kind = PROTOBUF_MADE;
	part->made = arena_copy(arena, buf_slice(&page->made));
}

/* False when the family is large: it is begun, and units of its own are to follow. */
static bool add_family(struct protobuf_page *page, struct worked_unit *unit)
{
	struct page_unit *data = unit->data;
	struct family_place place = { 0 };
	struct protobuf_part *part = add_part(unit);
	part->kind = PROTOBUF_WHOLE;
	size_t bytes = family_lines_gather(
			&page->lines, &page->current, &place, &part->lines, &unit->arena, WHOLE_BYTES);
	if (place.step != FAMILY_PLACE_END) {
		data->count--;
		begin_large(page);
		return false;
	}
	part->family = describe(page, page->current.family, &unit->arena);
	unit->bytes += FAMILY_BYTES + bytes;
	if (part->family->names != NULL && bytes <= SPOT_BYTES) {
		make_now(page, part, &unit->arena);
	} else if (part->family->names != NULL) {
		use_names(page, unit);
	}
	return true;
}

static enum worked_gathering gather_families(struct protobuf_page *page, struct worked_unit *unit)
{
	struct page_unit *data = unit->data;
	while (unit->bytes < WORKED_UNIT_BYTES && !data->uses_names) {
		struct next_family next;
		if (!find_next_family(page, &next)) {
			return WORKED_LAST;
		}
		bool has_quoted = names_may_have_quoted_labels(&page->names, next.span.family);
		bool needs_others = (page->names_used > 0 && has_quoted) || page->working > 0;
		if (needs_others) {
			return data->count > 0 ? WORKED_GATHERED : WORKED_AWAITS;
		}
		page->current = next.span;
		page->next_place = next.next_place;
		if (!add_family(page, unit)) {
			return data->count > 0 ? WORKED_GATHERED : gather_large(page, unit);
		}
	}
	return WORKED_GATHERED;
}

static enum worked_gathering gather(struct worked_source *source, struct worked_unit *unit)
{
	struct protobuf_page *page = LIST_ENTRY(source, struct protobuf_page, source);
	unit->data = arena_zalloc(&unit->arena, 1, sizeof(struct page_unit));
	return page->phase == PHASE_FAMILIES ? gather_families(page, unit) : gather_large(page, unit);
}

/* ---- Work ---- */

static void work(struct worked_unit *unit)
{
	struct page_unit *data = unit->data;
	struct arena arena;
	struct buf metrics;
	arena_init(&arena);
	buf_init(&metrics, 0);
	for (size_t i = 0; i < data->count; i++) {
		protobuf_part_make(&data->parts[i], &unit->out, &metrics, &arena);
	}
	buf_finish(&metrics);
	arena_finish(&arena);
}

static void worked(struct worked_source *source, struct worked_unit *unit)
{
	struct protobuf_page *page = LIST_ENTRY(source, struct protobuf_page, source);
	struct page_unit *data = unit->data;
	page->names_used -= data->uses_names;
	if (!data->is_slice) {
		return;
	}
	const struct protobuf_part *part = &data->parts[0];
	page->working--;
	if (part->kind == PROTOBUF_MEASURE) {
		page->measured_bytes += part->bytes;
		unit->has_failed = page->measured_bytes > METRICS_MAX;
		return;
	}
	page->made_bytes += part->bytes;
	bool is_over = page->phase == PHASE_FAMILIES && page->working == 0;
	unit->has_failed = is_over && page->made_bytes != page->measured_bytes;
}

static size_t show(struct worked_source *source, struct worked_unit *unit, struct slice *ret_parts)
{
	struct protobuf_page *page = LIST_ENTRY(source, struct protobuf_page, source);
	ret_parts[0] = buf_slice(&unit->out);
	page->result.bytes += ret_parts[0].len;
	return 1;
}

/* ---- Life ---- */

static void close_page(struct worked_source *source)
{
	struct protobuf_page *page = LIST_ENTRY(source, struct protobuf_page, source);
	page->result.collisions = page->names.collisions;
	family_lines_finish(&page->lines);
	names_finish(&page->names);
	snapshot_close(&page->snapshot);
	arena_finish(&page->arena);
	arena_finish(&page->scratch);
	buf_finish(&page->made);
	buf_finish(&page->metrics);
	page->options.closed(page->options.data, &page->result);
	free(page);
}

struct http_body *protobuf_page_create(
		struct executor *executor, struct store *store, const struct protobuf_page_options *options)
{
	if (!snapshot_is_possible(store)) {
		return NULL;
	}
	struct protobuf_page *page = memory_zalloc(1, sizeof(*page));
	page->source = (struct worked_source){
		.gather = gather,
		.work = work,
		.worked = worked,
		.show = show,
		.close = close_page,
	};
	page->options = *options;
	snapshot_open(&page->snapshot, store);
	names_init(&page->names, &page->snapshot, options->page.escaping);
	family_lines_init(&page->lines, &page->snapshot, store->declarations, options->page.own_lines,
			options->page.part);
	arena_init(&page->arena);
	arena_init(&page->scratch);
	buf_init(&page->made, 0);
	buf_init(&page->metrics, 0);
	return worked_body_create(executor, &page->source);
}
