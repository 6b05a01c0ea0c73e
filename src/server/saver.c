#include "server/saver.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "state/image.h"
#include "state/output.h"

enum { QUEUE_MAX = 4 }; /* units listed ahead of the disk */

/* ---- The thread ---- */

/* The next unit; NULL when there is none to come. */
static struct listing_unit *take_unit(struct saver *saver)
{
	struct listing_unit *unit = NULL;
	uv_mutex_lock(&saver->lock);
	while (list_is_empty(&saver->queue) && !saver->is_complete && !saver->is_given_up) {
		uv_cond_wait(&saver->has_news, &saver->lock);
	}
	struct list *first = list_first(&saver->queue);
	if (first != NULL && !saver->is_given_up) {
		unit = LIST_ENTRY(first, struct listing_unit, link);
		list_remove(first);
		saver->queued--;
	}
	uv_mutex_unlock(&saver->lock);
	return unit;
}

static bool is_given_up(struct saver *saver)
{
	uv_mutex_lock(&saver->lock);
	bool is_so = saver->is_given_up;
	uv_mutex_unlock(&saver->lock);
	return is_so;
}

static void write_units(struct saver *saver, struct state_output *output)
{
	struct listing_unit *unit;
	while (output->fault == 0 && (unit = take_unit(saver)) != NULL) {
		state_output_unit(output, unit);
		listing_unit_destroy(unit);
		uv_async_send(&saver->on_thread_event);
	}
}

/* From here on nothing of the store is read; the disk may take its time. */
static void report_written(struct saver *saver)
{
	uv_mutex_lock(&saver->lock);
	saver->is_written = true;
	uv_mutex_unlock(&saver->lock);
	uv_async_send(&saver->on_thread_event);
}

static void write_draft(struct saver *saver, struct state_draft *draft)
{
	struct saver_result *result = &saver->result;
	struct state_output output;
	state_output_begin(&output, draft->fd);
	write_units(saver, &output);
	report_written(saver);
	if (is_given_up(saver)) {
		state_draft_abandon(draft);
	} else if (!state_output_end(&output)) {
		result->fault = (struct state_fault_of_file){ .step = "write", .number = output.fault };
		state_draft_abandon(draft);
	} else {
		state_draft_commit(saver->file, draft, &result->fault);
	}
	result->bytes = output.bytes;
	state_output_finish(&output);
}

static void run_thread(void *data)
{
	struct saver *saver = data;
	struct state_draft draft;
	if (state_draft_begin(saver->file, &draft, &saver->result.fault)) {
		write_draft(saver, &draft);
	}
	uv_mutex_lock(&saver->lock);
	saver->is_done = true;
	uv_mutex_unlock(&saver->lock);
	uv_async_send(&saver->on_thread_event);
}

/* ---- The loop ---- */

static void put_unit(struct saver *saver, struct listing_unit *unit)
{
	uv_mutex_lock(&saver->lock);
	list_append(&saver->queue, &unit->link);
	saver->queued++;
	uv_cond_signal(&saver->has_news);
	uv_mutex_unlock(&saver->lock);
}

static void complete(struct saver *saver)
{
	uv_mutex_lock(&saver->lock);
	saver->is_complete = true;
	uv_cond_signal(&saver->has_news);
	uv_mutex_unlock(&saver->lock);
}

static bool has_room(struct saver *saver)
{
	uv_mutex_lock(&saver->lock);
	bool has = saver->queued < QUEUE_MAX && !saver->is_complete && !saver->is_given_up
			&& !saver->is_written && !saver->is_done;
	uv_mutex_unlock(&saver->lock);
	return has;
}

/* A slice of the listing; false when it is at its end, or ahead of the disk. */
static bool list_some(void *data)
{
	struct saver *saver = data;
	struct listing_unit *unit;
	if (!saver->is_listing || !has_room(saver)) {
		return false;
	}
	switch (listing_next(&saver->listing, &unit)) {
	case LISTING_UNIT:
		put_unit(saver, unit);
		return true;
	case LISTING_AGAIN:
		return true;
	case LISTING_END:
		break;
	}
	complete(saver);
	return false;
}

static void on_handle_closed(struct saver *saver)
{
	if (--saver->open_handles == 0) {
		uv_cond_destroy(&saver->has_news);
		uv_mutex_destroy(&saver->lock);
		if (saver->on_closed != NULL) {
			saver->on_closed(saver->data);
		}
	}
}

static void on_async_closed(uv_handle_t *handle)
{
	on_handle_closed(handle->data);
}

static void on_turn_closed(void *data)
{
	on_handle_closed(data);
}

static void close_handles(struct saver *saver)
{
	turn_close(&saver->turn, on_turn_closed);
	uv_close((uv_handle_t *)&saver->on_thread_event, on_async_closed);
}

/* The thread takes nothing from the queue any more. */
static void end_listing(struct saver *saver)
{
	if (!saver->is_listing) {
		return;
	}
	LIST_EACH (link, &saver->queue) {
		listing_unit_destroy(LIST_ENTRY(link, struct listing_unit, link));
	}
	listing_end(&saver->listing);
	saver->is_listing = false;
}

static void finish_saving(struct saver *saver)
{
	uv_thread_join(&saver->thread);
	end_listing(saver);
	saver->is_running = false;
	if (saver->is_closing) {
		close_handles(saver);
	} else {
		saver->on_done(saver->data, &saver->result);
	}
}

static void on_event(uv_async_t *async)
{
	struct saver *saver = async->data;
	uv_mutex_lock(&saver->lock);
	bool is_done = saver->is_done;
	bool is_written = saver->is_written;
	uv_mutex_unlock(&saver->lock);
	if (saver->is_running && is_done) {
		finish_saving(saver);
	} else if (saver->is_running && is_written) {
		end_listing(saver);
	} else if (saver->is_running) {
		turn_arm(&saver->turn);
	}
}

/* ---- Life ---- */

void saver_open(struct saver *saver, uv_loop_t *loop, const struct state_file *file,
		void (*on_done)(void *data, const struct saver_result *result), void *data)
{
	*saver = (struct saver){ .file = file, .on_done = on_done, .data = data, .open_handles = 2 };
	list_init(&saver->queue);
	uv_mutex_init(&saver->lock);
	uv_cond_init(&saver->has_news);
	uv_async_init(loop, &saver->on_thread_event, on_event);
	saver->on_thread_event.data = saver;
	turn_open(&saver->turn, loop, list_some, saver);
}

bool saver_begin(struct saver *saver, struct store *store)
{
	assert(!saver->is_running && !saver->is_closing);
	if (!listing_begin(&saver->listing, store)) {
		return false;
	}
	saver->result = (struct saver_result){ .began_ns = clock_monotonic_ns() };
	saver->queued = 0;
	saver->is_complete = false;
	saver->is_written = false;
	saver->is_done = false;
	int status = uv_thread_create(&saver->thread, run_thread, saver);
	if (status != 0) {
		saver->result.fault = (struct state_fault_of_file){ .step = "thread", .number = status };
		listing_end(&saver->listing);
		saver->on_done(saver->data, &saver->result);
		return true;
	}
	saver->is_running = true;
	saver->is_listing = true;
	turn_arm(&saver->turn);
	return true;
}

void saver_close(struct saver *saver, void (*on_closed)(void *data))
{
	saver->is_closing = true;
	saver->on_closed = on_closed;
	if (!saver->is_running) {
		close_handles(saver);
		return;
	}
	uv_mutex_lock(&saver->lock);
	saver->is_given_up = true;
	uv_cond_signal(&saver->has_news);
	uv_mutex_unlock(&saver->lock);
}

bool saver_save_now(
		const struct state_file *file, struct store *store, struct saver_result *ret_result)
{
	struct state_draft draft;
	struct image_written written = { 0 };
	*ret_result = (struct saver_result){ .began_ns = clock_monotonic_ns() };
	if (!state_draft_begin(file, &draft, &ret_result->fault)) {
		return false;
	}
	switch (image_write(store, draft.fd, &written)) {
	case IMAGE_WRITE_OK:
		ret_result->bytes = written.bytes;
		return state_draft_commit(file, &draft, &ret_result->fault);
	case IMAGE_WRITE_E_BUSY:
		written.fault = UV_EBUSY;
		break;
	case IMAGE_WRITE_E_SYSTEM:
		break;
	}
	ret_result->fault = (struct state_fault_of_file){ .step = "write", .number = written.fault };
	state_draft_abandon(&draft);
	return false;
}
