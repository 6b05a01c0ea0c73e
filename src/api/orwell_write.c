#include "api/orwell_write.h"

/* ---- Its end ---- */

static void answer(struct targets_turn *turn)
{
	struct orwell_write *write = LIST_ENTRY(turn, struct orwell_write, turn);
	struct api *api = turn->write->api;
	struct exchange *exchange = turn->write->exchange;
	const struct target_change *change = &turn->write->change;
	const struct target *target = registry_find_by_id(api->targets, &change->items[0].id);
	struct buf out;
	if (change->kind != TARGET_CHANGE_DELETE && target == NULL) {
		orwell_answer_error(
				api, exchange, 409, SLICE("it was stored, and somebody else has deleted it since"));
		return;
	}
	buf_init(&out, 0);
	buf_append(&out, write->shown);
	if (change->kind != TARGET_CHANGE_DELETE) {
		write->append(api->targets, &out, target);
	}
	orwell_answer(api, exchange, &out);
}

static void refuse(struct targets_turn *turn, int status, struct slice text)
{
	const struct orwell_write *write = LIST_ENTRY(turn, struct orwell_write, turn);
	bool is_gone = status == 404 && turn->status != 404; /* and was not said to be missing */
	orwell_answer_error(
			turn->write->api, turn->write->exchange, status, is_gone ? write->missing : text);
}

/* ---- Its turn ---- */

static bool prepare(struct targets_turn *turn)
{
	struct orwell_write *write = LIST_ENTRY(turn, struct orwell_write, turn);
	write->shown = SLICE("");
	return write->prepare(write);
}

void *orwell_write_create(struct api *api, struct exchange *exchange, size_t bytes)
{
	struct orwell_write *write = arena_zalloc(&exchange->arena, 1, bytes);
	targets_turn_init(&write->turn, api, exchange);
	write->turn.prepare = prepare;
	write->turn.answer = answer;
	write->turn.refuse = refuse;
	return write;
}

void orwell_write_submit(struct orwell_write *write)
{
	targets_turn_submit(&write->turn);
}

/* ---- What it does ---- */

bool orwell_delete(struct orwell_write *write, const struct target *target)
{
	struct buf out;
	buf_init(&out, 0);
	write->append(orwell_registry(write), &out, target);
	write->shown = arena_copy(orwell_arena(write), buf_slice(&out));
	buf_finish(&out);
	return targets_turn_delete(&write->turn, target);
}
