#include "store/slots.h"

#include <stdlib.h>

#include "base/memory.h"

void slots_init(struct slots *slots)
{
	*slots = (struct slots){ 0 };
}

void slots_finish(struct slots *slots)
{
	for (uint32_t i = 0; i < slots->segment_count; i++) {
		free(slots->segments[i]);
	}
	free(slots->segments);
	free(slots->freed);
	slots_init(slots);
}

static void grow(struct slots *slots, uint32_t len)
{
	while (len > 1 && len > 1u << slots->segment_count) {
		uint32_t count = slots->segment_count + 1;
		slots->segments = memory_resize(slots->segments, count * sizeof(struct slot *));
		slots->segments[count - 1] =
				memory_zalloc((size_t)1 << slots->segment_count, sizeof(struct slot));
		slots->segment_count = count;
	}
	slots->len = len;
}

uint32_t slots_take(struct slots *slots)
{
	while (slots->freed_count > 0) {
		uint32_t number = slots->freed[--slots->freed_count];
		if (slots_at(slots, number)->tagged == 0) {
			return number;
		}
	}
	grow(slots, slots->len + 1);
	return slots->len - 1;
}

static void append_freed(struct slots *slots, uint32_t number)
{
	if (slots->freed_count == slots->freed_capacity) {
		slots->freed_capacity = slots->freed_capacity == 0 ? 4 : slots->freed_capacity * 2;
		slots->freed = memory_resize(slots->freed, slots->freed_capacity * sizeof(slots->freed[0]));
	}
	slots->freed[slots->freed_count++] = number;
}

uint32_t slots_take_at(struct slots *slots, uint32_t number)
{
	if (number == SLOT_NONE) {
		return slots_take(slots);
	}
	if (number >= slots->len) {
		uint32_t first = slots->len;
		grow(slots, number + 1);
		for (uint32_t i = number; i > first; i--) {
			append_freed(slots, i - 1);
		}
	}
	return slots_at(slots, number)->tagged == 0 ? number : slots_take(slots);
}

/* Each that is free once, the lowest last. */
static void list_freed(struct slots *slots)
{
	slots->freed_count = 0;
	for (uint32_t i = slots->len; i > 0; i--) {
		if (slots_at(slots, i - 1)->tagged == 0) {
			append_freed(slots, i - 1);
		}
	}
}

void slots_give_back_gaps(struct slots *slots)
{
	list_freed(slots);
}

void slots_give_back(struct slots *slots, uint32_t number)
{
	enum { FEW = 64 };
	append_freed(slots, number);
	/* Most of it is numbers that were taken by their name. */
	if (slots->freed_count > (uint64_t)slots->len * 2 + FEW) {
		list_freed(slots);
	}
}

uint32_t slots_allow(const struct slots *slots, uint32_t number, uint64_t *gaps)
{
	uint32_t len = slots == NULL ? 0 : slots->len;
	uint64_t gap = number > len ? number - len : 0;
	if (number == SLOT_NONE || gap > *gaps) {
		return SLOT_NONE;
	}
	*gaps -= gap;
	return number;
}
