#include "state/sqlite/loader.h"

enum { UNITS_MAX = 8 };

/* ---- The thread ---- */

static bool put_unit(void *data, struct loaded_unit *unit)
{
	struct sqlite_loader *loader = data;
	uv_mutex_lock(&loader->lock);
	while (loader->unit_count == UNITS_MAX && !loader->is_given_up) {
		uv_cond_wait(&loader->has_room, &loader->lock);
	}
	list_append(&loader->units, &unit->link);
	loader->unit_count++;
	bool is_wanted = !loader->is_given_up;
	uv_mutex_unlock(&loader->lock);
	uv_async_send(loader->event);
	return is_wanted;
}

/* All of it is looked at first: what is read is the loop's at once. */
static enum sqlite_load_result load(struct sqlite_loader *loader)
{
	enum sqlite_file_result whole =
			sqlite_repair_check(loader->file, &loader->repaired, &loader->why);
	loader->load.db = loader->file->db;
	return whole == SQLITE_FILE_OK ? sqlite_load_run(&loader->load) : SQLITE_LOAD_E_SYSTEM;
}

static void run_thread(void *data)
{
	struct sqlite_loader *loader = data;
	loader->result = load(loader);
	uv_mutex_lock(&loader->lock);
	loader->has_ended = true;
	uv_mutex_unlock(&loader->lock);
	uv_async_send(loader->event);
}

/* ---- The loop ---- */

int sqlite_loader_start(struct sqlite_loader *loader, struct sqlite_file *file,
		const struct record_checks *checks, uv_async_t *event)
{
	*loader = (struct sqlite_loader){ .event = event, .file = file };
	loader->load = (struct sqlite_load){
		.checks = checks,
		.on_unit = put_unit,
		.data = loader,
	};
	list_init(&loader->units);
	sqlite_repaired_init(&loader->repaired);
	buf_init(&loader->why, 0);
	uv_mutex_init(&loader->lock);
	uv_cond_init(&loader->has_room);
	return uv_thread_create(&loader->thread, run_thread, loader);
}

struct loaded_unit *sqlite_loader_take(struct sqlite_loader *loader, bool *ret_has_ended)
{
	struct loaded_unit *unit = NULL;
	uv_mutex_lock(&loader->lock);
	struct list *first = list_first(&loader->units);
	*ret_has_ended = first == NULL && loader->has_ended;
	if (first != NULL) {
		unit = LIST_ENTRY(first, struct loaded_unit, link);
		list_remove(first);
		loader->unit_count--;
		uv_cond_signal(&loader->has_room);
	}
	uv_mutex_unlock(&loader->lock);
	return unit;
}

void sqlite_loader_give_up(struct sqlite_loader *loader)
{
	uv_mutex_lock(&loader->lock);
	loader->is_given_up = true;
	uv_cond_signal(&loader->has_room);
	uv_mutex_unlock(&loader->lock);
}

void sqlite_loader_join(struct sqlite_loader *loader)
{
	uv_thread_join(&loader->thread);
}

void sqlite_loader_finish(struct sqlite_loader *loader)
{
	LIST_EACH (link, &loader->units) {
		loaded_unit_destroy(LIST_ENTRY(link, struct loaded_unit, link));
	}
	if (loader->load.db != NULL) {
		sqlite_load_finish(&loader->load);
	}
	sqlite_repaired_finish(&loader->repaired);
	buf_finish(&loader->why);
	uv_cond_destroy(&loader->has_room);
	uv_mutex_destroy(&loader->lock);
}
