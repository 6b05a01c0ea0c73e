#include "api/targets_write.h"

#include "api/targets_api.h"
#include "api/unavailable.h"

static struct slice id_text(const struct target_id *id, struct arena *arena)
{
	char *text = arena_text(arena, TARGET_ID_TEXT);
	target_id_format(id, text);
	return slice_make(text, TARGET_ID_TEXT);
}

static void refuse(struct targets_write *write, int status, struct slice text)
{
	if (write->refuse != NULL) {
		write->refuse(write, status, text);
	} else {
		targets_answer_error(write->api, write->exchange, status, text);
	}
}

static void answer(struct targets_write *write)
{
	struct target_change *change = &write->change;
	struct arena *arena = &write->exchange->arena;
	switch (change->result) {
	case TARGET_CHANGE_OK:
		write->answer(write);
		return;
	case TARGET_CHANGE_E_EXISTS:
		refuse(write, 409,
				ARENA_JOIN(arena, SLICE("there is such a target already: "),
						id_text(&change->id, arena)));
		return;
	case TARGET_CHANGE_E_GONE:
		refuse(write, 404, SLICE("there is no such target"));
		return;
	case TARGET_CHANGE_E_LIMIT:
		refuse(write, 429, SLICE("there would be too many targets (--targets.limit)"));
		return;
	case TARGET_CHANGE_E_CONFLICT:
		refuse(write, 409, SLICE("somebody else has changed it meanwhile: look, and try again"));
		return;
	case TARGET_CHANGE_E_REFUSED:
		refuse(write, 422,
				ARENA_JOIN(arena, SLICE("the database does not take it: "), change->why));
		return;
	case TARGET_CHANGE_E_AWAY:
		unavailable_add_retry(write->exchange);
		refuse(write, 503,
				ARENA_JOIN(arena, SLICE("targets cannot be stored at present: "), change->why));
		return;
	}
}

static void on_done(struct target_change *change)
{
	struct targets_write *write = LIST_ENTRY(change, struct targets_write, change);
	bool is_late =
			change->result == TARGET_CHANGE_E_EXISTS || change->result == TARGET_CHANGE_E_CONFLICT;
	if (is_late && write->again != NULL && write->again(write)) {
		return; /* it may be gone already */
	}
	change->why = arena_copy(&write->exchange->arena, change->why);
	api_task_leave(&write->task);
	answer(write);
}

struct targets_write *targets_write_create(struct api *api, struct exchange *exchange,
		enum target_change_kind kind, size_t count,
		void (*answer_good)(struct targets_write *write))
{
	struct arena *arena = &exchange->arena;
	struct targets_write *write = arena_zalloc(arena, 1, sizeof(*write));
	write->api = api;
	write->exchange = exchange;
	write->answer = answer_good;
	write->change.kind = kind;
	write->change.items = arena_zalloc(arena, count + 1, sizeof(*write->change.items));
	write->change.count = count;
	write->change.done = on_done;
	api_task_begin(&write->task, api, exchange);
	return write;
}

/* When it is done at once it may be gone with its exchange. */
void targets_write_submit(struct targets_write *write)
{
	target_change_submit(write->api->targets, &write->change);
}
