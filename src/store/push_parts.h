#pragma once

/*
 * The parts of store/push.h, in the order in which its phases need them: push_check.c claims
 * families and checks blocks, push_limits.c counts, push_commit.c changes the store.
 */

#include "store/push.h"

/* ---- Claiming and checking ---- */

/* Finds the push's i-th family, or makes it; false: another push has to end first. */
bool push_claim(struct store_push *op, size_t i);
void push_unclaim(struct store_push *op, size_t i);

/* Two keys that normalise to the same would expose the same push times; false: see the fault. */
bool push_check_twin(struct store_push *op);

/*
 * The i-th block, or a slice of it. A push that must not be refused is CHECK_OK, and its block
 * is marked as shadowed.
 */
enum check_result push_check(struct store_push *op, size_t i);

/* ---- Limits ---- */

/* Each shape is tried for each line that is checked, so there may not be any number. */
bool push_has_too_many_shapes(struct store_push *op, const struct family *family);

/* Of the packs that it brings. */
uint64_t push_bytes(const struct store_push *op);

/* All claims have to be made. False: see the limit. */
bool push_is_within_limits(struct store_push *op);

/* ---- Committing ---- */

/* A version of its own, and the group if it is new. */
void push_begin_commit(struct store_push *op);

/* The i-th block goes into its slot. */
void push_commit(struct store_push *op, size_t i);

/* The group has these families now; those that it had are old_members if a put may drop some. */
void push_set_members(struct store_push *op);

/* A put drops the i-th of what was there if it does not bring it. */
void push_remove_if_left_out(struct store_push *op, size_t i);

/* Times, deadline and layout; the pack is the store's from then on, and listeners are told. */
void push_end_commit(struct store_push *op);
