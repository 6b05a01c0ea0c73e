#include "store/push.h"

#include "base/hash.h"
#include "store/push_parts.h"
#include "store/shadow.h"

void push_init(struct store_push *op, struct store *store, enum store_method method,
		const struct group_key *key, struct prepared_push *push, struct arena *arena)
{
	*op = (struct store_push){
		.store = store,
		.key = key,
		.push = push,
		.arena = arena,
		.method = method,
		.place = SLOT_NONE,
	};
}

void push_limit_places(struct store_push *op, uint64_t *gaps)
{
	const struct contents *contents = op->store->contents;
	op->place = slots_allow(&contents->group_slots, op->place, gaps);
	for (size_t i = 0; i < op->push->family_count; i++) {
		struct prepared_family *prepared = &op->push->families[i];
		const struct family *family =
				families_find(&contents->families, prepared->name, hash64(prepared->name));
		prepared->place =
				slots_allow(family == NULL ? NULL : &family->slots, prepared->place, gaps);
	}
}

/* ---- Phases ---- */

static void enter_phase(struct store_push *op, enum push_phase phase)
{
	op->phase = phase;
	op->next = 0;
}

/* Claims that were made are given back, whatever comes of the push. */
static void decide(struct store_push *op, enum push_result result)
{
	size_t claimed = op->phase == PUSH_CLAIMING ? op->next : op->push->family_count;
	op->result = result;
	enter_phase(op, PUSH_UNCLAIMING);
	op->next = op->push->family_count - claimed;
}

static size_t phase_len(const struct store_push *op)
{
	return op->phase == PUSH_REMOVING ? op->old_member_count : op->push->family_count;
}

/* False when that was a slice of its own. */
static bool do_one(struct store_push *op)
{
	size_t i = op->next;
	switch (op->phase) {
	case PUSH_CLAIMING:
		if (!push_claim(op, i)) {
			decide(op, PUSH_WAIT);
			return true;
		}
		break;
	case PUSH_CHECKING:
		if (push_has_too_many_shapes(op, op->push->families[i].family)) {
			decide(op, PUSH_E_LIMIT);
			return true;
		}
		switch (push_check(op, i)) {
		case CHECK_OK:
			break;
		case CHECK_MORE:
			return false;
		case CHECK_E_REFUSED:
			decide(op, PUSH_E_INCONSISTENT);
			return true;
		}
		break;
	case PUSH_COMMITTING:
		push_commit(op, i);
		break;
	case PUSH_REMOVING:
		push_remove_if_left_out(op, i);
		break;
	case PUSH_UNCLAIMING:
		/* Those that were claimed, the last first. */
		push_unclaim(op, op->push->family_count - 1 - i);
		break;
	}
	op->next++;
	return true;
}

/* At the end of a phase, on to the next; false when all is done. */
static bool advance(struct store_push *op)
{
	switch (op->phase) {
	case PUSH_CLAIMING:
		if (!op->is_given && !push_is_within_limits(op)) {
			decide(op, PUSH_E_LIMIT);
		} else {
			enter_phase(op, PUSH_CHECKING);
		}
		return true;
	case PUSH_CHECKING:
		push_begin_commit(op);
		enter_phase(op, PUSH_COMMITTING);
		return true;
	case PUSH_COMMITTING:
		push_set_members(op);
		enter_phase(op, PUSH_REMOVING);
		return true;
	case PUSH_REMOVING:
		push_end_commit(op);
		enter_phase(op, PUSH_COMMITTING);
		decide(op, PUSH_OK);
		return true;
	case PUSH_UNCLAIMING:
		break;
	}
	return false;
}

static bool is_large(const struct store_push *op)
{
	uint32_t members = op->group != NULL && op->method == STORE_PUT ? op->group->member_count : 0;
	return op->push->family_count > SLICE_FAMILIES || members > SLICE_FAMILIES
			|| op->push->line_count > SLICE_LINES;
}

/* Finds out what a push needs before it starts; a refusal needs no undoing. */
static enum push_result start(struct store_push *op)
{
	op->group = store_find_group(op->store, op->key);
	bool is_taken = op->group != NULL && op->group->is_busy;
	if (is_taken || (op->store->deleting != NULL && is_large(op))
			|| (op->store->slicing != NULL && (is_large(op) || op->group == NULL))) {
		return PUSH_WAIT;
	}
	if (!push_check_twin(op)) {
		return PUSH_E_INCONSISTENT;
	}
	op->shape = shape_enter(&op->store->contents->shapes, op->key);
	if (is_large(op)) {
		op->store->slicing = op;
		op->store->contents->is_slicing = true;
		if (op->group != NULL) {
			op->group->is_busy = true;
		}
	}
	return PUSH_OK;
}

static enum push_result finish(struct store_push *op)
{
	struct store *store = op->store;
	if (store->slicing == op) {
		store->slicing = NULL;
		store->contents->is_slicing = false;
	}
	if (op->group != NULL) {
		op->group->is_busy = false;
	}
	shadow_settle(store->contents, store->version);
	shape_leave(&op->store->contents->shapes, op->shape);
	op->shape = NULL;
	return op->result;
}

enum push_result push_step(struct store_push *op)
{
	if (op->shape == NULL) {
		enum push_result started = start(op);
		if (started != PUSH_OK) {
			return started;
		}
		enter_phase(op, PUSH_CLAIMING);
	}
	size_t budget = op->store->slicing == op ? SLICE_FAMILIES : SIZE_MAX;
	for (;;) {
		if (op->next == phase_len(op)) {
			if (!advance(op)) {
				return finish(op);
			}
			continue;
		}
		if (budget-- == 0) {
			return PUSH_AGAIN;
		}
		if (!do_one(op) && op->store->slicing == op) {
			return PUSH_AGAIN;
		}
	}
}

bool push_retreat(struct store_push *op)
{
	if (op->shape == NULL) {
		return true;
	}
	if (op->phase != PUSH_CLAIMING && op->phase != PUSH_CHECKING) {
		return false;
	}
	decide(op, PUSH_WAIT);
	while (op->next < phase_len(op)) {
		do_one(op);
	}
	op->cursor = (struct check_cursor){ 0 };
	finish(op);
	return true;
}
