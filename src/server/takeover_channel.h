#pragma once

/*
 * A Unix socket between two weirs: frames in, frames out, and files with them.
 * Never blocks; whoever waits, by a loop or by poll(2), asks what for.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/list.h"
#include "server/takeover_frame.h"

/* Files of two frames: those of the next one may come with the end of this one. */
enum { TAKEOVER_CHANNEL_FILES_MAX = 2 * TAKEOVER_FILES_MAX };

enum takeover_channel_result {
	TAKEOVER_CHANNEL_OK = 0,
	TAKEOVER_CHANNEL_AGAIN, /* nothing more for now */
	TAKEOVER_CHANNEL_ENDED, /* the other side hung up */
	TAKEOVER_CHANNEL_E_BAD, /* it does not speak like a weir */
};

struct takeover_channel {
	int fd;
	bool ended;  /* nothing more comes in */
	bool is_bad; /* what came in makes no sense */
	bool failed; /* nothing more goes out */
	struct buf in;
	size_t in_used;                        /* the last frame, which its user may still look at */
	int files[TAKEOVER_CHANNEL_FILES_MAX]; /* received, not yet taken */
	size_t file_count;
	struct list out; // packet::link, the first one may be half sent
};

/* Takes the socket. */
void takeover_channel_init(struct takeover_channel *channel, int fd);

/* Closes it, and the files that nobody took. */
void takeover_channel_finish(struct takeover_channel *channel);

/* Sends now or later. The files are duplicated; there are as many as the frame says. */
void takeover_channel_send(
		struct takeover_channel *channel, const struct takeover_frame *frame, const int *files);

/*
 * All of the frame now; false: none of it, ever. It has no files and is short enough for
 * the kernel to take it in one piece. Nothing else may wait to be sent.
 */
bool takeover_channel_send_at_once(
		struct takeover_channel *channel, const struct takeover_frame *frame);

/* Sends what is left. False when the other side is gone. */
bool takeover_channel_flush(struct takeover_channel *channel);

/* Whether something waits to be sent. */
bool takeover_channel_has_output(const struct takeover_channel *channel);

/*
 * The next frame; its payload stays until the next call. The files are the
 * caller's from here on, in an array of TAKEOVER_FILES_MAX.
 */
enum takeover_channel_result takeover_channel_receive(
		struct takeover_channel *channel, struct takeover_frame *ret_frame, int *ret_files);

/* From here on the other side cannot send; what it has sent can still be received. */
void takeover_channel_shut(struct takeover_channel *channel);
