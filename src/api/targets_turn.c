#include "api/targets_turn.h"

enum { TRIES_MAX = 20 };

static void go_on(struct api *api);

/* ---- Its end ---- */

/* The turn is gone with its exchange when that was answered. */
static void answer(struct targets_write *write)
{
	struct targets_turn *turn = write->data;
	struct api *api = write->api;
	api->targets_turn = NULL;
	turn->answer(turn);
	go_on(api);
}

static void refuse(struct targets_write *write, int status, struct slice text)
{
	struct targets_turn *turn = write->data;
	struct api *api = write->api;
	api->targets_turn = NULL;
	turn->refuse(turn, status, text);
	go_on(api);
}

/* ---- Its turn ---- */

static void attempt(struct targets_turn *turn)
{
	struct targets_write *write = turn->write;
	write->change.items[0] = (struct target_change_item){ 0 };
	if (turn->prepare(turn)) {
		targets_write_submit(write);
	} else {
		api_task_leave(&write->task);
		refuse(write, turn->status, turn->text);
	}
}

static bool again(struct targets_write *write)
{
	struct targets_turn *turn = write->data;
	bool is_patient = ++turn->tries <= TRIES_MAX;
	if (is_patient) {
		attempt(turn);
	}
	return is_patient;
}

static void go_on(struct api *api)
{
	while (api->targets_turn == NULL && !list_is_empty(&api->targets_turns)) {
		struct list *link = list_first(&api->targets_turns);
		list_remove(link);
		api->targets_turn = LIST_ENTRY(link, struct targets_turn, link);
		attempt(api->targets_turn);
	}
}

void targets_turn_init(struct targets_turn *turn, struct api *api, struct exchange *exchange)
{
	turn->write = targets_write_create(api, exchange, TARGET_CHANGE_CREATE, 1, answer);
	turn->write->data = turn;
	turn->write->refuse = refuse;
	turn->write->again = again;
}

void targets_turn_submit(struct targets_turn *turn)
{
	struct api *api = turn->write->api;
	list_append(&api->targets_turns, &turn->link);
	go_on(api);
}

/* ---- What it does ---- */

bool targets_turn_make(struct targets_turn *turn, const struct group_key *key,
		const struct target_config *config, const struct target_id *id)
{
	struct target_change_item *item = turn->write->change.items;
	turn->write->change.kind = TARGET_CHANGE_CREATE;
	item->key = *key;
	item->config = *config;
	item->has_id = true;
	item->id = *id;
	return true;
}

bool targets_turn_change(struct targets_turn *turn, const struct target *target,
		const struct group_key *key, const struct target_config *config)
{
	struct target_change_item *item = turn->write->change.items;
	struct arena *arena = targets_turn_arena(turn);
	turn->write->change.kind = TARGET_CHANGE_CONFIGURE;
	item->id = target->id;
	item->key.labels =
			labels_copy(&key->labels, arena_alloc(arena, labels_copy_bytes(&key->labels) + 1));
	item->config = target_config_copy(config, arena);
	item->edits = target->edits;
	return true;
}

bool targets_turn_delete(struct targets_turn *turn, const struct target *target)
{
	turn->write->change.kind = TARGET_CHANGE_DELETE;
	turn->write->change.items[0].id = target->id;
	return true;
}

bool targets_turn_refuse(struct targets_turn *turn, int status, struct slice text)
{
	turn->status = status;
	turn->text = text;
	return false;
}
