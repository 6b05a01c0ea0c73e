#pragma once

/*
 * Writes what is stored to a state file while the store goes on: listed on the
 * loop, a slice a turn, and written on a thread of its own, which may wait for
 * the disk as long as it likes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "net/turn.h"
#include "server/state_file.h"
#include "state/listing.h"

struct saver_result {
	struct state_fault_of_file fault;
	uint64_t bytes;
	uint64_t began_ns; /* monotonic */
};

struct saver {
	const struct state_file *file;
	struct turn turn; /* lists */
	uv_async_t on_thread_event;
	int open_handles;
	bool is_running;
	bool is_listing; /* and keeps what scrapes need no more */
	bool is_closing;
	struct listing listing;
	struct saver_result result;
	void (*on_done)(void *data, const struct saver_result *result);
	void (*on_closed)(void *data);
	void *data;

	/* Between the two threads, under the lock. */
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t has_news;
	struct list queue; // listing_unit::link
	size_t queued;
	bool is_complete; /* nothing more will be queued */
	bool is_given_up;
	bool is_written; /* the thread needs no more units */
	bool is_done;    /* the thread has ended, or will at once */
};

/* on_done is called after each saving that came to its end, well or not. */
void saver_open(struct saver *saver, uv_loop_t *loop, const struct state_file *file,
		void (*on_done)(void *data, const struct saver_result *result), void *data);

/* False while the store cannot be read: try again a little later. */
bool saver_begin(struct saver *saver, struct store *store);

/* What is being saved is given up. on_closed may be NULL. */
void saver_close(struct saver *saver, void (*on_closed)(void *data));

/* On the spot, without a loop. */
bool saver_save_now(
		const struct state_file *file, struct store *store, struct saver_result *ret_result);
