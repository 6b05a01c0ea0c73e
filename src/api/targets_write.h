#pragma once

/*
 * A request that changes targets. It is answered when the change is stored, and those behind
 * it on its connection wait.
 */

#include "api/api.h"
#include "api/task.h"
#include "targets/change.h"

struct targets_write {
	struct api_task task;
	struct target_change change;
	struct api *api;
	struct exchange *exchange;
	void *data; /* of who asks */
	/* Answers the exchange when it went well. */
	void (*answer)(struct targets_write *write);
	/* Answers otherwise than in the shape that answers about targets have; or NULL. */
	void (*refuse)(struct targets_write *write, int status, struct slice text);
	/* Somebody else was faster: true when it was submitted once more; or NULL. */
	bool (*again)(struct targets_write *write);
};

/* In the exchange's arena; its items are zero. To be submitted. */
struct targets_write *targets_write_create(struct api *api, struct exchange *exchange,
		enum target_change_kind kind, size_t count, void (*answer)(struct targets_write *write));

/* It is answered then, or later. */
void targets_write_submit(struct targets_write *write);
