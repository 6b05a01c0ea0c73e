#include <stdlib.h>

#include "base/hash.h"
#include "store/page.h"

/* Above so many families they stay in the order in which the group has them: sorting takes time. */
enum { SORTED_MAX = 20000 };

static int compare_names(const void *a, const void *b)
{
	const struct page_place *left = a;
	const struct page_place *right = b;
	return slice_compare(left->family->name, right->family->name);
}

/* Families in which weir itself has lines are declared, and in every store. */
static bool has_own(const struct store *store, const struct group *group,
		const struct family *family, const struct slice *own_lines)
{
	const struct family_declaration *declaration = family->declaration;
	return (family_has_times(family) && group != NULL)
			|| (own_lines != NULL && own_lines[declaration - store->declarations].len > 0);
}

static void add_declared(struct page_part *part, const struct store *store,
		const struct group *group, const struct slice *own_lines)
{
	for (size_t i = 0; i < store->declaration_count; i++) {
		struct slice name = store->declarations[i].name;
		struct family *family = families_find(&store->contents->families, name, hash64(name));
		bool is_member = group != NULL && group_find_member(group, family) != NULL;
		if (!is_member && has_own(store, group, family, own_lines)) {
			part->places[part->place_count++] =
					(struct page_place){ .family = family, .slot = SLOT_NONE };
		}
	}
}

void page_part_init(struct page_part *part, const struct store *store, const struct group *group,
		const struct slice *own_lines, struct arena *arena)
{
	uint32_t member_count = group == NULL ? 0 : group->member_count;
	size_t places = member_count + store->declaration_count;
	*part = (struct page_part){
		.places = arena_alloc(arena, places * sizeof(struct page_place)),
		.group_slot = group == NULL ? SLOT_NONE : group->slot,
	};
	for (uint32_t i = 0; i < member_count; i++) {
		const struct member *member = &group->members[i];
		part->places[part->place_count++] =
				(struct page_place){ .family = member->family, .slot = member->slot };
	}
	add_declared(part, store, group, own_lines);
	if (part->place_count <= SORTED_MAX) {
		qsort(part->places, part->place_count, sizeof(struct page_place), compare_names);
	}
}
