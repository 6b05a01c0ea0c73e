#include "store/names.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "store/line.h"

struct shown_family_name {
	struct map_node by_raw;
	struct map_node by_shown;
	const struct family *family;
	struct slice shown;
	unsigned types;
};

struct shown_label {
	struct map_node by_raw;
	struct map_node by_shown;
	struct shown_label *next; /* among those that need quotes */
	struct slice name;
	struct slice shown;
};

/* ---- Looking up ---- */

static const struct shown_family_name *find_family(
		const struct names *names, const struct family *family)
{
	uint64_t hash = hash64(family->name);
	struct map_node *node = map_first(&names->families, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		const struct shown_family_name *entry = MAP_ENTRY(node, struct shown_family_name, by_raw);
		if (entry->family == family) {
			return entry;
		}
	}
	return NULL;
}

static const struct shown_family_name *find_shown_family(
		const struct names *names, struct slice shown)
{
	uint64_t hash = hash64(shown);
	struct map_node *node = map_first(&names->shown, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		const struct shown_family_name *entry = MAP_ENTRY(node, struct shown_family_name, by_shown);
		if (slice_equal(entry->shown, shown)) {
			return entry;
		}
	}
	return NULL;
}

struct slice names_family(const struct names *names, const struct family *family)
{
	if (names->families.len == 0) {
		return family->name;
	}
	const struct shown_family_name *entry = find_family(names, family);
	return entry == NULL ? family->name : entry->shown;
}

unsigned names_types(const struct names *names, struct slice shown)
{
	const struct families *families = &names->snapshot->contents->families;
	const struct family *family = families_find(families, shown, hash64(shown));
	unsigned types = 0;
	if (family != NULL && find_family(names, family) == NULL) {
		types = snapshot_types(names->snapshot, family);
	}
	const struct shown_family_name *entry =
			names->shown.len == 0 ? NULL : find_shown_family(names, shown);
	return entry == NULL ? types : types | entry->types;
}

/* ---- Families ---- */

static struct slice to_arena(struct arena *arena, struct buf *text)
{
	struct slice copy = text->len == 0 ? SLICE("") : arena_copy(arena, buf_slice(text));
	buf_finish(text);
	return copy;
}

static bool is_taken_with_suffix(struct names *names, struct slice shown, unsigned types)
{
	for (size_t i = 0; i < SAMPLE_SUFFIX_COUNT; i++) {
		const struct sample_suffix_row *row = &sample_suffixes[i];
		if (shown.len > row->text.len && slice_ends_with(shown, row->text)) {
			struct slice bare = slice_first(shown, shown.len - row->text.len);
			if ((names_types(names, bare) & row->types) != 0) {
				return true;
			}
		}
		if ((types & row->types) != 0) {
			struct slice longer = ARENA_JOIN(&names->arena, shown, row->text);
			if (names_types(names, longer) != 0) {
				return true;
			}
		}
	}
	return false;
}

static unsigned types_of_both(struct names *names, struct slice name, struct slice suffix)
{
	return names_types(names, ARENA_JOIN(&names->arena, name, suffix));
}

/* In OpenMetrics x_created is a counter's, histogram's or summary's x; names are alike in all
 * formats. */
static bool is_taken_with_created(struct names *names, struct slice shown, unsigned types)
{
	const struct slice created = SLICE("_created");
	const struct slice total = SLICE("_total");
	const unsigned created_types = 1 << METRIC_SUMMARY | 1 << METRIC_HISTOGRAM;
	if (slice_ends_with(shown, created)) {
		struct slice bare = slice_first(shown, shown.len - created.len);
		if ((names_types(names, bare) & created_types) != 0
				|| (types_of_both(names, bare, total) & 1 << METRIC_COUNTER) != 0) {
			return true;
		}
	}
	bool is_counter = (types & 1 << METRIC_COUNTER) != 0 && slice_ends_with(shown, total);
	struct slice bare = is_counter ? slice_first(shown, shown.len - total.len) : shown;
	return (is_counter || (types & created_types) != 0) && types_of_both(names, bare, created) != 0;
}

static bool is_family_taken(void *data, struct slice shown, unsigned types)
{
	struct names *names = data;
	return names_types(names, shown) != 0 || is_taken_with_suffix(names, shown, types)
			|| is_taken_with_created(names, shown, types);
}

/* The first of the ways to show a name that is free. */
static struct slice choose(struct names *names, struct arena *arena, struct slice name,
		void append(struct buf *out, struct slice name, enum escaping escaping),
		bool is_taken(void *data, struct slice shown, unsigned types), unsigned types)
{
	struct buf text;
	buf_init(&text, 0);
	append(&text, name, names->escaping);
	if (is_taken(names, buf_slice(&text), types)) {
		names->collisions++;
		text.len = 0;
		append(&text, name, ESCAPING_VALUES);
		while (is_taken(names, buf_slice(&text), types)) {
			buf_append_byte(&text, '_');
		}
	}
	return to_arena(arena, &text);
}

static void add_family(struct names *names, const struct family *family, unsigned types)
{
	struct shown_family_name *entry = arena_zalloc(&names->arena, 1, sizeof(*entry));
	entry->family = family;
	entry->types = types;
	entry->shown = choose(
			names, &names->arena, family->name, escaping_append_metric, is_family_taken, types);
	map_insert(&names->families, &entry->by_raw, hash64(family->name));
	map_insert(&names->shown, &entry->by_shown, hash64(entry->shown));
}

static int compare_families(const void *a, const void *b)
{
	const struct family *left = *(const struct family *const *)a;
	const struct family *right = *(const struct family *const *)b;
	return slice_compare(left->name, right->name);
}

/* In name order, so that who gives way does not depend on who came first. */
static void add_families(struct names *names)
{
	const struct list *quoted = &names->snapshot->contents->families.quoted;
	size_t count = 0;
	LIST_EACH (link, quoted) {
		count++;
	}
	const struct family **families =
			arena_alloc(&names->arena, (count + 1) * sizeof(struct family *));
	count = 0;
	LIST_EACH (link, quoted) {
		families[count++] = LIST_ENTRY(link, struct family, quoted);
	}
	qsort(families, count, sizeof(families[0]), compare_families);
	for (size_t i = 0; i < count; i++) {
		unsigned types = snapshot_types(names->snapshot, families[i]);
		if (types != 0) {
			add_family(names, families[i], types);
		}
	}
}

void names_init(struct names *names, const struct snapshot *snapshot, enum escaping escaping)
{
	*names = (struct names){ .escaping = escaping, .snapshot = snapshot };
	arena_init(&names->arena);
	arena_init(&names->label_arena);
	map_init(&names->families);
	map_init(&names->shown);
	map_init(&names->labels);
	map_init(&names->shown_labels);
	if (escaping != ESCAPING_ALLOW_UTF8) {
		add_families(names);
	}
}

static void forget_labels(struct names *names)
{
	map_finish(&names->labels);
	map_finish(&names->shown_labels);
	map_init(&names->labels);
	map_init(&names->shown_labels);
	names->quoted_labels = NULL;
	names->quoted_label_count = 0;
	arena_reset(&names->label_arena);
}

void names_finish(struct names *names)
{
	map_finish(&names->families);
	map_finish(&names->shown);
	map_finish(&names->labels);
	map_finish(&names->shown_labels);
	arena_finish(&names->arena);
	arena_finish(&names->label_arena);
}

/* ---- Labels ---- */

static struct shown_label *find_label(const struct names *names, struct slice name)
{
	uint64_t hash = hash64(name);
	struct map_node *node = map_first(&names->labels, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct shown_label *label = MAP_ENTRY(node, struct shown_label, by_raw);
		if (slice_equal(label->name, name)) {
			return label;
		}
	}
	return NULL;
}

static bool is_label_taken(void *data, struct slice shown, unsigned types)
{
	struct names *names = data;
	uint64_t hash = hash64(shown);
	if (slice_starts_with(shown, SLICE("__"))) {
		return true; /* Prometheus' own */
	}
	struct map_node *node = map_first(&names->shown_labels, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		if (slice_equal(MAP_ENTRY(node, struct shown_label, by_shown)->shown, shown)) {
			return true;
		}
	}
	return false;
}

static void show_label(struct names *names, struct shown_label *label, struct slice shown)
{
	label->shown = shown;
	map_insert(&names->shown_labels, &label->by_shown, hash64(shown));
}

static void see_label(struct names *names, struct slice name)
{
	if (find_label(names, name) != NULL) {
		return;
	}
	struct shown_label *label = arena_zalloc(&names->label_arena, 1, sizeof(*label));
	label->name = arena_copy(&names->label_arena, name);
	map_insert(&names->labels, &label->by_raw, hash64(label->name));
	if (labels_is_name(name)) {
		show_label(names, label, label->name);
	} else {
		label->next = names->quoted_labels;
		names->quoted_labels = label;
		names->quoted_label_count++;
	}
}

static void see_labels(struct names *names, struct line_labels labels)
{
	struct label label;
	while (line_labels_next(&labels, &label)) {
		see_label(names, label.name);
	}
}

static void see_block(struct names *names, const struct block *block)
{
	for (size_t i = 0; i < block->chunk_count; i++) {
		const char *line = block->chunks[i]->text;
		const char *end = line + block->chunks[i]->text_bytes;
		while (line < end) {
			const char *feed = rawmemchr(line, '\n');
			see_labels(names, line_labels_of(line_series(slice_between(line, feed))));
			line = feed + 1;
		}
	}
}

static void see_groups(struct names *names)
{
	uint32_t count = names->snapshot->contents->group_slots.len;
	for (uint32_t i = 0; i < count; i++) {
		const struct group *group = snapshot_group(names->snapshot, i);
		if (group != NULL) {
			struct slice text = group->label_text;
			see_labels(names, (struct line_labels){ .at = text.ptr, .end = text.ptr + text.len });
		}
	}
}

static int compare_labels(const void *a, const void *b)
{
	const struct shown_label *left = *(const struct shown_label *const *)a;
	const struct shown_label *right = *(const struct shown_label *const *)b;
	return slice_compare(left->name, right->name);
}

/* Those in quotes, after all others have their names. */
static void escape_labels(struct names *names)
{
	struct shown_label **labels = arena_alloc(
			&names->label_arena, (names->quoted_label_count + 1) * sizeof(struct shown_label *));
	size_t count = 0;
	for (struct shown_label *label = names->quoted_labels; label != NULL; label = label->next) {
		labels[count++] = label;
	}
	qsort(labels, count, sizeof(labels[0]), compare_labels);
	for (size_t i = 0; i < count; i++) {
		show_label(names, labels[i],
				choose(names, &names->label_arena, labels[i]->name, escaping_append_label,
						is_label_taken, 0));
	}
}

bool names_may_have_quoted_labels(const struct names *names, const struct family *family)
{
	bool has_quoted_times =
			family_has_times(family) && names->snapshot->contents->has_quoted_groups;
	return names->escaping != ESCAPING_ALLOW_UTF8
			&& (family->exposed_quoted > 0 || family->kept > 0 || has_quoted_times);
}

void names_enter(struct names *names, const struct family *family)
{
	if (names->labels.len > 0) {
		forget_labels(names);
	}
	if (!names_may_have_quoted_labels(names, family)) {
		return;
	}
	bool has_quoted = family_has_times(family) && names->snapshot->contents->has_quoted_groups;
	for (uint32_t i = 0; i < family->slots.len && !has_quoted; i++) {
		const struct block *block = snapshot_block(names->snapshot, family, i);
		has_quoted = block != NULL && block->has_quoted;
	}
	for (uint32_t i = 0; i < family->slots.len && has_quoted; i++) {
		const struct block *block = snapshot_block(names->snapshot, family, i);
		if (block != NULL) {
			see_block(names, block);
		}
	}
	if (has_quoted && family_has_times(family)) {
		see_groups(names);
	}
	escape_labels(names);
}

struct slice names_label(const struct names *names, struct slice name)
{
	const struct shown_label *label = names->labels.len == 0 ? NULL : find_label(names, name);
	return label == NULL ? name : label->shown;
}
