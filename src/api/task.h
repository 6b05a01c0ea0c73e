#pragma once

/*
 * An exchange whose answer takes more than one turn of the loop.
 *
 * Requests of one connection are carried out in their order: those that come
 * in behind an ongoing one wait for it.
 */

#include "api/api.h"

struct api_task {
	struct list link;
	struct list waiting; // api_waiter::link
	struct api *api;
	struct exchange *exchange;
	struct http_session *session; /* to compare only: it may be gone */
};

/* Put at the head of what a handler keeps for its exchange, in its arena. */
void api_task_begin(struct api_task *task, struct api *api, struct exchange *exchange);

/*
 * For an exchange that is answered already but whose body is read off the
 * store while it is sent: requests behind it wait until api_task_end().
 */
void api_task_hold(struct api_task *task, struct api *api, struct exchange *exchange);

/* Answers the exchange, then goes on with the requests that waited for it. */
void api_task_end(struct api_task *task);

/* The exchange is handled anew, then those that waited for it. */
void api_task_retry(struct api_task *task);

/*
 * The same for one that is answered later: requests behind it need not wait for
 * that, the session keeps the answers in order.
 */
void api_task_leave(struct api_task *task);

/* Whether the exchange has to wait for one before it; it is handled later then. */
bool api_task_waits(struct api *api, struct exchange *exchange);
