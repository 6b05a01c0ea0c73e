#pragma once

/*
 * A stream of libuv over a connected or listening socket of any family: TCP
 * for the families that are TCP, a pipe, which is what libuv calls a stream it
 * knows nothing else about, for Unix sockets and vsock.
 */

#include <stdbool.h>
#include <uv.h>

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

/* Without a socket yet. The caller sets handle.data, and closes the handle. */
void stream_init(union stream *stream, uv_loop_t *loop, bool is_tcp);

/* Takes a socket; not on failure. 0 or a libuv error. */
int stream_open(union stream *stream, int socket);

static inline bool stream_is_tcp(const union stream *stream)
{
	return stream->handle.type == UV_TCP;
}
