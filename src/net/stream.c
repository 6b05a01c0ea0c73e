#include "net/stream.h"

void stream_init(union stream *stream, uv_loop_t *loop, bool is_tcp)
{
	if (is_tcp) {
		uv_tcp_init(loop, &stream->tcp);
	} else {
		uv_pipe_init(loop, &stream->pipe, 0);
	}
}

int stream_open(union stream *stream, int socket)
{
	return stream_is_tcp(stream) ? uv_tcp_open(&stream->tcp, socket)
								 : uv_pipe_open(&stream->pipe, socket);
}
