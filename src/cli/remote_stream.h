#pragma once

/*
 * An answer that is read bit by bit, when its reader is ready for more: who
 * reads slowly slows the sender down, and nothing piles up here.
 */

#include "cli/remote.h"

struct remote_stream {
	struct remote *remote;
	CURLM *multi;
	struct buf arrived;
	bool is_taken; /* what has arrived was read */
	bool is_done;
	CURLcode result;
};

/*
 * GETs URL + path and waits for the beginning of the answer. The status, or 0
 * when there is none: then remote->error says why. The remote can do nothing else
 * until the stream is closed, which is to be done in any case.
 */
long remote_stream_open(struct remote_stream *stream, struct remote *remote, const char *path);
void remote_stream_close(struct remote_stream *stream);

/*
 * What has come, until the next call; empty at the end of the answer. False when
 * it breaks off: remote->error says why.
 */
bool remote_stream_read(struct remote_stream *stream, struct slice *ret_bytes);
