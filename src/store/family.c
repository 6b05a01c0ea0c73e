#include "store/family.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare_families(struct family *a, struct family *b)
{
	return slice_compare(a->name, b->name);
}

/* What is not there comes last. */
static int compare_texts(struct slice a, struct slice b)
{
	if (a.ptr == NULL || b.ptr == NULL) {
		return (a.ptr == NULL) - (b.ptr == NULL);
	}
	return slice_compare(a, b);
}

static int compare_metadata(struct metadata *a, struct metadata *b)
{
	int order = compare_texts(a->help, b->help);
	return order != 0 ? order : compare_texts(a->unit, b->unit);
}

TREE_GENERATE(family_tree, family, order, compare_families)
TREE_GENERATE(metadata_tree, metadata, order, compare_metadata)

void families_init(struct families *families)
{
	*families = (struct families){ 0 };
	map_init(&families->by_name);
	RB_INIT(&families->tree);
	list_init(&families->in_order);
	list_init(&families->quoted);
}

void families_finish(struct families *families)
{
	LIST_EACH (link, &families->in_order) {
		families_remove(families, LIST_ENTRY(link, struct family, in_order));
	}
	map_finish(&families->by_name);
	free(families->freed_ids);
}

struct family *families_find(const struct families *families, struct slice name, uint64_t hash)
{
	struct map_node *node = map_first(&families->by_name, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct family *family = MAP_ENTRY(node, struct family, node);
		if (slice_equal(family->name, name)) {
			return family;
		}
	}
	return NULL;
}

struct family *families_add(struct families *families, struct slice name, uint64_t hash)
{
	struct family *family = memory_zalloc(1, sizeof(*family) + name.len);
	char *text = (char *)(family + 1);
	memcpy(text, name.ptr, name.len);
	family->name = slice_make(text, name.len);
	family->id = families->freed_count > 0 ? families->freed_ids[--families->freed_count]
										   : families->next_id++;
	slots_init(&family->slots);
	RB_INIT(&family->metadata);
	list_init(&family->quoted);
	if (!labels_is_metric_name(name)) {
		list_append(&families->quoted, &family->quoted);
	}
	map_insert(&families->by_name, &family->node, hash);
	RB_INSERT(family_tree, &families->tree, family);
	struct family *next = RB_NEXT(family_tree, &families->tree, family);
	list_append(next == NULL ? &families->in_order : &next->in_order, &family->in_order);
	families->len++;
	return family;
}

void families_remove(struct families *families, struct family *family)
{
	assert(RB_EMPTY(&family->metadata));
	map_remove(&families->by_name, &family->node);
	RB_REMOVE(family_tree, &families->tree, family);
	list_remove(&family->in_order);
	list_remove(&family->quoted);
	slots_finish(&family->slots);
	shape_counts_finish(&family->shapes);
	families->len--;
	if (families->freed_count == families->freed_capacity) {
		families->freed_capacity =
				families->freed_capacity == 0 ? 64 : families->freed_capacity * 2;
		families->freed_ids =
				memory_resize(families->freed_ids, families->freed_capacity * sizeof(uint32_t));
	}
	families->freed_ids[families->freed_count++] = family->id;
	free(family);
}

bool family_is_unused(const struct family *family)
{
	return family->exposed == 0 && family->shadowed == 0 && family->claims == 0
			&& family->declaration == NULL;
}

static struct slice copy_text(char **place, struct slice text)
{
	if (text.len > 0) {
		memcpy(*place, text.ptr, text.len);
	}
	struct slice copy = slice_make(text.ptr == NULL ? NULL : *place, text.len);
	*place += text.len;
	return copy;
}

static struct metadata *add_metadata(struct family *family, struct slice help, struct slice unit)
{
	struct metadata *metadata = memory_zalloc(1, metadata_bytes(help, unit));
	char *place = (char *)(metadata + 1);
	metadata->family = family;
	metadata->help = copy_text(&place, help);
	metadata->unit = copy_text(&place, unit);
	RB_INSERT(metadata_tree, &family->metadata, metadata);
	return metadata;
}

size_t metadata_bytes(struct slice help, struct slice unit)
{
	return sizeof(struct metadata) + help.len + unit.len;
}

static struct metadata *find_metadata(struct family *family, struct slice help, struct slice unit)
{
	struct metadata like = { .help = help, .unit = unit };
	struct metadata *root = RB_ROOT(&family->metadata);
	bool is_root = root != NULL && compare_metadata(root, &like) == 0;
	return is_root ? root : RB_FIND(metadata_tree, &family->metadata, &like);
}

bool family_has_metadata(struct family *family, struct slice help, struct slice unit)
{
	bool is_nothing = help.ptr == NULL && unit.ptr == NULL;
	return is_nothing || find_metadata(family, help, unit) != NULL;
}

struct metadata *family_enter_metadata(struct family *family, struct slice help, struct slice unit)
{
	if (help.ptr == NULL && unit.ptr == NULL) {
		return NULL;
	}
	struct metadata *metadata = find_metadata(family, help, unit);
	if (metadata == NULL) {
		metadata = add_metadata(family, help, unit);
	}
	metadata->refs++;
	return metadata;
}

void family_leave_metadata(struct metadata *metadata)
{
	if (--metadata->refs == 0) {
		RB_REMOVE(metadata_tree, &metadata->family->metadata, metadata);
		free(metadata);
	}
}

struct slice family_help(struct family *family)
{
	struct metadata *metadata = NULL;
	RB_FOREACH (metadata, metadata_tree, &family->metadata) {
		if (metadata->exposed > 0 && metadata->help.ptr != NULL) {
			return metadata->help;
		}
	}
	metadata = RB_MIN(metadata_tree, &family->metadata);
	return metadata != NULL ? metadata->help : slice_make(NULL, 0);
}

struct slice family_unit(struct family *family)
{
	struct slice exposed = { 0 };
	struct slice any = { 0 };
	struct metadata *metadata = NULL;
	RB_FOREACH (metadata, metadata_tree, &family->metadata) {
		if (compare_texts(metadata->unit, any) < 0) {
			any = metadata->unit;
		}
		if (metadata->exposed > 0 && compare_texts(metadata->unit, exposed) < 0) {
			exposed = metadata->unit;
		}
	}
	return exposed.ptr != NULL ? exposed : any;
}
