#pragma once

/*
 * Numbered places that never move: they lie in segments, each as long as all
 * before it together, and the first lies in the owner itself.
 *
 * A slot knows the version that its content is from. Freed numbers are used
 * again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const uint32_t SLOT_NONE = UINT32_MAX;

/* A content pointer whose lowest bit says "not exposed". */
struct slot {
	uintptr_t tagged;
	uint64_t born;
};

struct slots {
	struct slot first;
	struct slot **segments; /* [i] holds 2^i slots, from number 2^i on */
	uint32_t segment_count;
	uint32_t len;    /* numbers given out so far, freed ones included */
	uint32_t *freed; /* every number whose slot is empty; some may be taken, and there twice */
	uint32_t freed_count;
	uint32_t freed_capacity;
};

void slots_init(struct slots *slots);
void slots_finish(struct slots *slots);

/* A free number; its slot is empty. */
uint32_t slots_take(struct slots *slots);

/*
 * That number if its slot is empty, else a free one; SLOT_NONE stands for any.
 * Those before it that nobody has are free from then on.
 */
uint32_t slots_take_at(struct slots *slots, uint32_t number);

/* So that of those that are free the lowest are taken first. */
void slots_give_back_gaps(struct slots *slots);

/*
 * The number, if not too many slots before it would be empty: so many as the
 * budget has, from which they are taken. Else SLOT_NONE.
 */
uint32_t slots_allow(const struct slots *slots, uint32_t number, uint64_t *gaps);

/* The slot must be empty. */
void slots_give_back(struct slots *slots, uint32_t number);

static inline struct slot *slots_at(const struct slots *slots, uint32_t number)
{
	if (number == 0) {
		return (struct slot *)(uintptr_t)&slots->first;
	}
	unsigned segment = 31u - (unsigned)__builtin_clz(number);
	return &slots->segments[segment][number - (1u << segment)];
}

/* NULL when the slot is empty. */
static inline void *slot_content(struct slot slot)
{
	return (void *)(slot.tagged & ~(uintptr_t)1);
}

static inline bool slot_is_shadowed(struct slot slot)
{
	return (slot.tagged & 1) != 0;
}

static inline bool slot_is_exposed(struct slot slot)
{
	return slot.tagged != 0 && !slot_is_shadowed(slot);
}
