#include "store/family.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare_families(struct family *a, struct family *b)
{
	return slice_compare(a->name, b->name);
}

static int compare_helps(struct help *a, struct help *b)
{
	return slice_compare(a->text, b->text);
}

TREE_GENERATE(family_tree, family, order, compare_families)
TREE_GENERATE(help_tree, help, order, compare_helps)

void families_init(struct families *families)
{
	*families = (struct families){ 0 };
	map_init(&families->by_name);
	RB_INIT(&families->tree);
	list_init(&families->in_order);
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
	RB_INIT(&family->helps);
	map_insert(&families->by_name, &family->node, hash);
	RB_INSERT(family_tree, &families->tree, family);
	struct family *next = RB_NEXT(family_tree, &families->tree, family);
	list_append(next == NULL ? &families->in_order : &next->in_order, &family->in_order);
	families->len++;
	return family;
}

void families_remove(struct families *families, struct family *family)
{
	assert(RB_EMPTY(&family->helps));
	map_remove(&families->by_name, &family->node);
	RB_REMOVE(family_tree, &families->tree, family);
	list_remove(&family->in_order);
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

static struct help *add_help(struct family *family, struct slice text)
{
	struct help *help = memory_zalloc(1, sizeof(*help) + text.len);
	char *copy = (char *)(help + 1);
	if (text.len > 0) {
		memcpy(copy, text.ptr, text.len);
	}
	help->family = family;
	help->text = slice_make(copy, text.len);
	RB_INSERT(help_tree, &family->helps, help);
	return help;
}

struct help *family_enter_help(struct family *family, struct slice text)
{
	struct help like = { .text = text };
	struct help *root = RB_ROOT(&family->helps);
	bool is_root = root != NULL && slice_equal(root->text, text);
	struct help *help = is_root ? root : RB_FIND(help_tree, &family->helps, &like);
	if (help == NULL) {
		help = add_help(family, text);
	}
	help->refs++;
	return help;
}

void family_leave_help(struct help *help)
{
	if (--help->refs == 0) {
		RB_REMOVE(help_tree, &help->family->helps, help);
		free(help);
	}
}

struct slice family_help(struct family *family)
{
	struct help *help = NULL;
	RB_FOREACH (help, help_tree, &family->helps) {
		if (help->exposed > 0) {
			return help->text;
		}
	}
	help = RB_MIN(help_tree, &family->helps);
	return help != NULL ? help->text : slice_make(NULL, 0);
}
