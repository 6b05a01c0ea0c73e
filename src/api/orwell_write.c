#include "api/orwell_write.h"

enum { TRIES_MAX = 20 };

static void go_on(struct api *api);

/* ---- Its end ---- */

/* The write is gone with its exchange when that was answered. */
static void answer(struct targets_write *targets_write)
{
	struct orwell_write *write = targets_write->data;
	struct api *api = targets_write->api;
	struct exchange *exchange = targets_write->exchange;
	const struct target_change *change = &targets_write->change;
	const struct target *target = registry_find_by_id(api->targets, &change->items[0].id);
	struct buf out;
	api->orwell_writing = NULL;
	if (change->kind != TARGET_CHANGE_DELETE && target == NULL) {
		orwell_answer_error(
				api, exchange, 409, SLICE("it was stored, and somebody else has deleted it since"));
	} else {
		buf_init(&out, 0);
		buf_append(&out, write->shown);
		if (change->kind != TARGET_CHANGE_DELETE) {
			write->append(api->targets, &out, target);
		}
		orwell_answer(api, exchange, &out);
	}
	go_on(api);
}

static void end_refused(struct targets_write *targets_write, int status, struct slice text)
{
	struct api *api = targets_write->api;
	api->orwell_writing = NULL;
	orwell_answer_error(api, targets_write->exchange, status, text);
	go_on(api);
}

static void refuse(struct targets_write *targets_write, int status, struct slice text)
{
	const struct orwell_write *write = targets_write->data;
	end_refused(targets_write, status, status == 404 ? write->missing : text);
}

/* ---- Its turn ---- */

static void attempt(struct orwell_write *write)
{
	struct targets_write *targets_write = write->write;
	targets_write->change.items[0] = (struct target_change_item){ 0 };
	write->shown = SLICE("");
	if (write->prepare(write)) {
		targets_write_submit(targets_write);
	} else {
		api_task_leave(&targets_write->task);
		end_refused(targets_write, write->status, write->text);
	}
}

static bool again(struct targets_write *targets_write)
{
	struct orwell_write *write = targets_write->data;
	bool is_patient = ++write->tries <= TRIES_MAX;
	if (is_patient) {
		attempt(write);
	}
	return is_patient;
}

static void go_on(struct api *api)
{
	while (api->orwell_writing == NULL && !list_is_empty(&api->orwell_waiting)) {
		struct list *link = list_first(&api->orwell_waiting);
		list_remove(link);
		api->orwell_writing = LIST_ENTRY(link, struct orwell_write, link);
		attempt(api->orwell_writing);
	}
}

void *orwell_write_create(struct api *api, struct exchange *exchange, size_t bytes)
{
	struct orwell_write *write = arena_zalloc(&exchange->arena, 1, bytes);
	write->write = targets_write_create(api, exchange, TARGET_CHANGE_CREATE, 1, answer);
	write->write->data = write;
	write->write->refuse = refuse;
	write->write->again = again;
	return write;
}

void orwell_write_submit(struct orwell_write *write)
{
	struct api *api = write->write->api;
	list_append(&api->orwell_waiting, &write->link);
	go_on(api);
}

/* ---- What it does ---- */

bool orwell_make(struct orwell_write *write, const struct group_key *key,
		const struct target_config *config, const struct target_id *id)
{
	struct target_change_item *item = write->write->change.items;
	write->write->change.kind = TARGET_CHANGE_CREATE;
	item->key = *key;
	item->config = *config;
	item->has_id = true;
	item->id = *id;
	return true;
}

bool orwell_change(struct orwell_write *write, const struct target *target,
		const struct group_key *key, const struct target_config *config)
{
	struct target_change_item *item = write->write->change.items;
	struct arena *arena = orwell_arena(write);
	write->write->change.kind = TARGET_CHANGE_CONFIGURE;
	item->id = target->id;
	item->key.labels =
			labels_copy(&key->labels, arena_alloc(arena, labels_copy_bytes(&key->labels) + 1));
	item->config = target_config_copy(config, arena);
	item->edits = target->edits;
	return true;
}

bool orwell_delete(struct orwell_write *write, const struct target *target)
{
	struct buf out;
	buf_init(&out, 0);
	write->append(orwell_registry(write), &out, target);
	write->shown = arena_copy(orwell_arena(write), buf_slice(&out));
	buf_finish(&out);
	write->write->change.kind = TARGET_CHANGE_DELETE;
	write->write->change.items[0].id = target->id;
	return true;
}

bool orwell_refuse(struct orwell_write *write, int status, struct slice text)
{
	write->status = status;
	write->text = text;
	return false;
}
