#include "store/members.h"

#include <stdlib.h>
#include <string.h>

static int compare_members(const void *a, const void *b)
{
	const struct member *left = a;
	const struct member *right = b;
	return (left->family_id > right->family_id) - (left->family_id < right->family_id);
}

/* One pass over 16 bits of the ids, stable. */
static void sort_by_half(const struct member *from, struct member *to, size_t count, unsigned shift,
		uint32_t *places)
{
	enum { PLACES = 1 << 16 };
	memset(places, 0, (PLACES + 1) * sizeof(places[0]));
	for (size_t i = 0; i < count; i++) {
		places[((from[i].family_id >> shift) & (PLACES - 1)) + 1]++;
	}
	for (size_t i = 0; i < PLACES; i++) {
		places[i + 1] += places[i];
	}
	for (size_t i = 0; i < count; i++) {
		to[places[(from[i].family_id >> shift) & (PLACES - 1)]++] = from[i];
	}
}

void members_sort(struct member *members, size_t count, struct arena *arena)
{
	enum { MANY = 4096, PLACES = (1 << 16) + 1 };
	size_t sorted = 1;
	while (sorted < count && members[sorted - 1].family_id < members[sorted].family_id) {
		sorted++;
	}
	if (sorted >= count) {
		return;
	}
	if (count < MANY) {
		qsort(members, count, sizeof(members[0]), compare_members);
		return;
	}
	struct member *other = arena_alloc(arena, count * sizeof(struct member));
	uint32_t *places = arena_alloc(arena, PLACES * sizeof(uint32_t));
	sort_by_half(members, other, count, 0, places);
	sort_by_half(other, members, count, 16, places);
}

uint32_t members_merge(const struct member *a, uint32_t a_count, const struct member *b,
		uint32_t b_count, struct member *out)
{
	uint32_t i = 0;
	uint32_t j = 0;
	uint32_t count = 0;
	while (i < a_count || j < b_count) {
		if (j == b_count || (i < a_count && a[i].family_id < b[j].family_id)) {
			out[count++] = a[i++];
		} else {
			i += i < a_count && a[i].family_id == b[j].family_id;
			out[count++] = b[j++];
		}
	}
	return count;
}
