#include "targets/storage_op.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "targets/storage_time.h"

struct storage_op *storage_op_create(
		enum storage_kind kind, void (*done)(struct storage_op *op), void *data)
{
	struct storage_op *op = memory_zalloc(1, sizeof(*op));
	op->kind = kind;
	op->done = done;
	op->data = data;
	arena_init(&op->arena);
	list_init(&op->link);
	return op;
}

void storage_op_destroy(struct storage_op *op)
{
	arena_finish(&op->arena);
	free(op->targets);
	free(op->seen);
	free(op->ids);
	free(op->outcomes);
	free(op);
}

/* Room for one more. */
static void reserve(struct storage_op *op)
{
	if (op->count < op->capacity) {
		return;
	}
	op->capacity = op->capacity == 0 ? 4 : 2 * op->capacity;
	op->outcomes = memory_resize(op->outcomes, op->capacity * sizeof(*op->outcomes));
	switch (op->kind) {
	case STORAGE_SAVE:
		op->targets = memory_resize(op->targets, op->capacity * sizeof(*op->targets));
		break;
	case STORAGE_SEE:
		op->seen = memory_resize(op->seen, op->capacity * sizeof(*op->seen));
		break;
	case STORAGE_DELETE:
	case STORAGE_FORGET:
	case STORAGE_EXPIRE:
	case STORAGE_FOLD:
		op->ids = memory_resize(op->ids, op->capacity * sizeof(*op->ids));
		break;
	}
}

static void count_row(struct storage_op *op)
{
	op->outcomes[op->count++] = (struct storage_outcome){ .result = STORAGE_OK };
}

void storage_op_add_target(struct storage_op *op, const struct storage_target *row)
{
	assert(op->kind == STORAGE_SAVE);
	reserve(op);
	op->targets[op->count] = storage_target_copy(row, &op->arena);
	count_row(op);
}

void storage_op_add_seen(struct storage_op *op, const struct storage_seen *row)
{
	assert(op->kind == STORAGE_SEE);
	reserve(op);
	op->seen[op->count] = storage_seen_copy(row, &op->arena);
	count_row(op);
}

void storage_op_add_id(struct storage_op *op, struct slice id)
{
	assert(op->kind >= STORAGE_DELETE);
	reserve(op);
	op->ids[op->count] = arena_copy(&op->arena, id);
	count_row(op);
}

struct slice storage_op_id(const struct storage_op *op, size_t row)
{
	switch (op->kind) {
	case STORAGE_SAVE:
		return op->targets[row].id;
	case STORAGE_SEE:
		return op->seen[row].target_id;
	case STORAGE_DELETE:
	case STORAGE_FORGET:
	case STORAGE_EXPIRE:
	case STORAGE_FOLD:
		break;
	}
	return op->ids[row];
}

void storage_op_note(struct storage_op *op, size_t first, size_t count, enum storage_result result,
		struct slice why)
{
	for (size_t i = first; i < first + count; i++) {
		op->outcomes[i].result = result;
	}
	if (count > 0 && result > op->result) {
		op->result = result;
		op->why = arena_copy(&op->arena, why);
	}
}

void storage_op_note_conflict(struct storage_op *op, size_t row)
{
	storage_op_note(op, row, 1, STORAGE_CONFLICT, SLICE("there is another version of it"));
}

void storage_op_undo(struct storage_op *op)
{
	for (size_t i = 0; i < op->count; i++) {
		if (op->outcomes[i].result == STORAGE_OK) {
			op->outcomes[i] = (struct storage_outcome){ .result = STORAGE_UNDONE };
		}
	}
}

void storage_op_reset(struct storage_op *op)
{
	op->result = STORAGE_OK;
	op->why = SLICE("");
	memset(op->outcomes, 0, op->count * sizeof(*op->outcomes));
}

size_t storage_op_columns(const struct storage_op *op, size_t row,
		struct slice columns[static TARGET_COLUMNS], struct arena *arena)
{
	switch (op->kind) {
	case STORAGE_SAVE:
		storage_target_write(&op->targets[row], columns, arena);
		return TARGET_COLUMNS;
	case STORAGE_SEE:
		storage_seen_write(&op->seen[row], columns, arena);
		return SEEN_COLUMNS;
	case STORAGE_DELETE:
	case STORAGE_FORGET:
		columns[0] = op->ids[row];
		return 1;
	case STORAGE_EXPIRE:
	case STORAGE_FOLD:
		break;
	}
	columns[0] = op->ids[row];
	columns[1] = storage_time_write(op->before_ns, arena_text(arena, STORAGE_TIME_BYTES));
	return 2;
}
