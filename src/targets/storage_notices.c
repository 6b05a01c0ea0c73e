#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "targets/storage_parts.h"

/*
 * What others changed, row by row: remembered until it is read.
 */

enum { ID_BYTES_MAX = 400 /* more than any id that a table takes; anybody may notify */ };

/* A target that others changed, to be read. */
struct storage_notice {
	struct list link;
	size_t len;
	char id[];
};

static void forget_notices(struct list *notices)
{
	LIST_EACH (link, notices) {
		list_remove(link);
		free(LIST_ENTRY(link, struct storage_notice, link));
	}
}

void storage_notice(struct storage *storage, struct slice id)
{
	if (storage->wants_reading || id.len > ID_BYTES_MAX) {
		return;
	}
	if (id.len == 0 || storage->notice_count == STORAGE_NOTICES_MAX) {
		forget_notices(&storage->notices);
		storage->notice_count = 0;
		storage->wants_reading = true;
		return;
	}
	struct storage_notice *notice = memory_alloc(sizeof(*notice) + id.len);
	notice->len = id.len;
	memcpy(notice->id, id.ptr, id.len);
	list_append(&storage->notices, &notice->link);
	storage->notice_count++;
}

void storage_notices_read(struct storage *storage)
{
	struct storage_task *task = storage_tasks_prepare(storage, STORAGE_TASK_READ_IDS);
	size_t most = storage->notice_count < STORAGE_PAGE_ROWS ? storage->notice_count
															: (size_t)STORAGE_PAGE_ROWS;
	struct slice *ids = arena_zalloc(&task->arena, most, sizeof(*ids));
	LIST_EACH (link, &storage->notices) {
		if (task->id_count == most) {
			break;
		}
		struct storage_notice *notice = LIST_ENTRY(link, struct storage_notice, link);
		ids[task->id_count++] = slice_make(notice->id, notice->len);
		list_remove(link);
		list_append(&storage->asked, link);
	}
	task->ids = ids;
	storage->notice_count -= task->id_count;
	storage_tasks_run(storage);
}

static int compare_ids(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* All ids for which there is something, in order. */
static struct slice *sorted_found(struct storage_task *task, size_t *ret_count)
{
	size_t count = task->row_count + task->fault_count;
	struct slice *found = arena_zalloc(&task->arena, count + 1, sizeof(*found));
	for (size_t i = 0; i < task->row_count; i++) {
		found[i] = task->targets[i].id;
	}
	for (size_t i = 0; i < task->fault_count; i++) {
		found[task->row_count + i] = task->faults[i].id;
	}
	qsort(found, count, sizeof(*found), compare_ids);
	*ret_count = count;
	return found;
}

void storage_notices_take(struct storage *storage)
{
	struct storage_task *task = &storage->task;
	size_t count;
	struct slice *found = sorted_found(task, &count);
	for (size_t i = 0; i < task->row_count && !storage->is_closing; i++) {
		storage->events.on_changed(storage->events.data, &task->targets[i]);
	}
	for (size_t i = 0; i < task->id_count && !storage->is_closing; i++) {
		if (bsearch(&task->ids[i], found, count, sizeof(*found), compare_ids) == NULL) {
			storage->events.on_deleted(storage->events.data, task->ids[i]);
		}
	}
	storage->stats.changes += task->id_count;
	forget_notices(&storage->asked);
}

void storage_notices_forget(struct storage *storage)
{
	forget_notices(&storage->notices);
	forget_notices(&storage->asked);
	storage->notice_count = 0;
}
