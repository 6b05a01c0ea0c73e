#include "net/conn_output.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "http/server.h"
#include "net/conn_tls.h"
#include "net/listener_conns.h"

enum {
	PARTS_MAX = 64, /* in one write */
};

/* Not yet taken by the client: in libuv's queue, and in the kernel's. */
static size_t untaken_bytes(const struct conn *conn)
{
	int unsent = 0;
	(void)ioctl(conn_socket(conn), SIOCOUTQ, &unsent);
	return uv_stream_get_write_queue_size(&conn->stream.stream) + (size_t)unsent;
}

static void wait_for_write(struct conn *conn)
{
	conn->unwritten_bytes = untaken_bytes(conn);
	listener_wait(conn->listener, CONN_WAIT_WRITE, &conn->write_wait);
}

/* As http_session_wrote(), of what was handed to the socket. */
static bool wrote(struct conn *conn, size_t bytes)
{
	return conn_is_tls(conn) ? conn_tls_wrote(conn, bytes)
							 : http_session_wrote(&conn->session, bytes);
}

static void on_written(uv_write_t *write, int status)
{
	struct conn *conn = write->handle->data;
	if (conn->state == CONN_CLOSING) {
		return;
	}
	conn->writing = false;
	deadline_drop(&conn->write_wait);
	if (status != 0) {
		conn_close(conn);
		return;
	}
	wrote(conn, conn->unsent_bytes);
	conn_flush(conn);
}

static size_t total_bytes(const uv_buf_t *bufs, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		bytes += bufs[i].len;
	}
	return bytes;
}

static size_t next_parts(struct conn *conn, struct slice parts[static PARTS_MAX])
{
	if (conn_is_tls(conn)) {
		parts[0] = conn_tls_output(conn);
		return 1;
	}
	return http_session_output(&conn->session, parts, PARTS_MAX);
}

static size_t next_bufs(struct conn *conn, uv_buf_t bufs[static PARTS_MAX])
{
	struct slice parts[PARTS_MAX];
	size_t count = next_parts(conn, parts);
	for (size_t i = 0; i < count; i++) {
		/* uv_buf_t knows no const; a write does not write to it. */
		bufs[i].base = (char *)(uintptr_t)parts[i].ptr;
		bufs[i].len = parts[i].len;
	}
	return count;
}

/* The socket is full: libuv writes these when it can. */
static void write_later(struct conn *conn)
{
	uv_buf_t bufs[PARTS_MAX];
	size_t count = next_bufs(conn, bufs);
	conn->unsent_bytes = total_bytes(bufs, count);
	int status =
			uv_write(&conn->request.write, &conn->stream.stream, bufs, (unsigned)count, on_written);
	if (status != 0) {
		conn_close(conn);
		return;
	}
	conn->writing = true;
	wait_for_write(conn);
}

static void write_output(struct conn *conn)
{
	for (;;) {
		uv_buf_t bufs[PARTS_MAX];
		size_t count = next_bufs(conn, bufs);
		int written = uv_try_write(&conn->stream.stream, bufs, (unsigned)count);
		if (written < 0 && written != UV_EAGAIN) {
			conn_close(conn);
			return;
		}
		size_t bytes = written < 0 ? 0 : (size_t)written;
		if (wrote(conn, bytes)) {
			return;
		}
		if (bytes < total_bytes(bufs, count)) {
			write_later(conn);
			return;
		}
	}
}

static bool fill(struct conn *conn)
{
	return conn_is_tls(conn) ? conn_tls_fill(conn) : http_session_fill(&conn->session);
}

void conn_output_write(struct conn *conn)
{
	if (fill(conn)) {
		write_output(conn);
	}
}

void conn_output_expire(struct conn *conn)
{
	if (untaken_bytes(conn) < conn->unwritten_bytes) {
		wait_for_write(conn);
		return;
	}
	conn->listener->http->counters.slow_readers_cut++;
	conn_close(conn);
}
