#include <assert.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/un.h>

#include "base/memory.h"
#include "redis/parts.h"

enum { KEEPALIVE_SECONDS = 30 };

/* ---- Sockets ---- */

static void on_socket_closed(uv_handle_t *handle)
{
	struct redis_socket *socket = handle->data;
	struct redis_conn *conn = socket->conn;
	free(socket);
	redis_conn_part_closed(conn);
}

static void close_socket(struct redis_conn *conn)
{
	if (conn->socket != NULL) {
		uv_close(&conn->socket->stream.handle, on_socket_closed);
		conn->socket = NULL;
	}
}

static void open_socket(struct redis_conn *conn, bool is_tcp)
{
	struct redis_socket *socket = memory_zalloc(1, sizeof(*socket));
	stream_init(&socket->stream, conn->redis->loop, is_tcp);
	socket->stream.handle.data = socket;
	socket->connect.data = socket;
	socket->conn = conn;
	conn->socket = socket;
	conn->open_parts++;
}

void redis_connect_lose(struct redis_conn *conn, const char *what)
{
	static const char *const faults[] = {
		[REDIS_CONN_NEW] = "cannot reach",
		[REDIS_CONN_RESOLVING] = "cannot reach",
		[REDIS_CONN_CONNECTING] = "cannot reach",
		[REDIS_CONN_HANDSHAKING] = "cannot use",
		[REDIS_CONN_GREETING] = "cannot use",
		[REDIS_CONN_READY] = "lost",
		[REDIS_CONN_CLOSED] = "lost",
	};
	const char *fault = faults[conn->state];
	redis_conn_lose(conn, redis_text_printf("%s %s: %s", fault, conn->node->address, what));
}

/* ---- Reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct redis_socket *socket = handle->data;
	*ret_buf = uv_buf_init(socket->conn->redis->input, REDIS_INPUT_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct redis_socket *socket = stream->data;
	struct redis_conn *conn = socket->conn;
	if (conn->socket != socket || count == 0) {
		return;
	}
	if (count < 0) {
		redis_connect_lose(
				conn, count == UV_EOF ? "it closed the connection" : uv_strerror((int)count));
		return;
	}
	struct slice bytes = slice_make(buf->base, (size_t)count);
	if (conn->tls != NULL) {
		redis_secure_take(conn, bytes);
	} else {
		redis_conn_take(conn, bytes);
	}
}

/* ---- Connecting ---- */

static void try_next(struct redis_conn *conn);

static void on_connect(uv_connect_t *request, int status)
{
	struct redis_socket *socket = request->data;
	struct redis_conn *conn = socket->conn;
	if (conn->socket != socket) {
		return; /* given up */
	}
	if (status == 0) {
		status = uv_read_start(&socket->stream.stream, on_alloc, on_read);
	}
	if (status < 0) {
		conn->connect_status = status;
		try_next(conn);
		return;
	}
	if (stream_is_tcp(&socket->stream)) {
		uv_tcp_nodelay(&socket->stream.tcp, 1);
		uv_tcp_keepalive(&socket->stream.tcp, 1, KEEPALIVE_SECONDS);
	}
	redis_conn_set_timer(conn, conn->usable_by_ms);
	if (conn->redis->options.tls.is_used && stream_is_tcp(&socket->stream)) {
		redis_secure_begin(conn);
	} else {
		redis_conn_begin(conn);
	}
}

static int connect_tcp(struct redis_conn *conn)
{
	struct sockaddr_storage *address = &conn->addresses[conn->address_next++];
	open_socket(conn, true);
	/* What is left of the time is shared by what is left of the addresses. */
	uint64_t now_ms = uv_now(conn->redis->loop);
	uint64_t left_ms = conn->usable_by_ms > now_ms ? conn->usable_by_ms - now_ms : 0;
	redis_conn_set_timer(conn, now_ms + left_ms / (conn->address_count - conn->address_next + 1));
	return uv_tcp_connect(&conn->socket->connect, &conn->socket->stream.tcp,
			(const struct sockaddr *)address, on_connect);
}

static void try_next(struct redis_conn *conn)
{
	close_socket(conn);
	while (conn->address_next < conn->address_count) {
		int status = connect_tcp(conn);
		if (status == 0) {
			return;
		}
		conn->connect_status = status;
		close_socket(conn);
	}
	redis_connect_lose(conn, uv_strerror(conn->connect_status));
}

static void connect_path(struct redis_conn *conn)
{
	const char *path = conn->node->host;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		conn->connect_status = UV_ENAMETOOLONG;
		try_next(conn);
		return;
	}
	conn->state = REDIS_CONN_CONNECTING;
	open_socket(conn, false);
	uv_pipe_connect(&conn->socket->connect, &conn->socket->stream.pipe, path, on_connect);
}

/* ---- Names ---- */

static void add_address(struct redis_conn *conn, const struct sockaddr *address, size_t len)
{
	if (conn->address_count < REDIS_ADDRESSES_MAX && len <= sizeof(conn->addresses[0])) {
		memcpy(&conn->addresses[conn->address_count++], address, len);
	}
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct redis_conn *conn = request->data;
	conn->is_resolving = false;
	if (conn->state != REDIS_CONN_CLOSED) {
		for (struct addrinfo *each = found; each != NULL; each = each->ai_next) {
			add_address(conn, each->ai_addr, each->ai_addrlen);
		}
		conn->state = REDIS_CONN_CONNECTING;
		conn->connect_status = status < 0 ? status : UV_EAI_NODATA;
		try_next(conn);
	}
	uv_freeaddrinfo(found);
	redis_conn_part_closed(conn);
}

static void resolve(struct redis_conn *conn)
{
	const struct redis_node *node = conn->node;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	char service[8];
	snprintf(service, sizeof(service), "%u", node->port);
	conn->resolve.data = conn;
	int status = uv_getaddrinfo(
			conn->redis->loop, &conn->resolve, on_resolved, node->host, service, &hints);
	if (status < 0) {
		conn->connect_status = status;
		try_next(conn);
		return;
	}
	conn->state = REDIS_CONN_RESOLVING;
	conn->is_resolving = true;
	conn->open_parts++;
}

void redis_connect(struct redis_conn *conn)
{
	const struct redis_node *node = conn->node;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	if (node->port == 0) {
		connect_path(conn);
	} else if (uv_ip4_addr(node->host, node->port, &address.v4) == 0) {
		add_address(conn, &address.any, sizeof(address.v4));
	} else if (uv_ip6_addr(node->host, node->port, &address.v6) == 0) {
		add_address(conn, &address.any, sizeof(address.v6));
	} else {
		resolve(conn);
	}
	if (conn->address_count > 0) {
		conn->state = REDIS_CONN_CONNECTING;
		try_next(conn);
	}
}

/* ---- The end of it ---- */

void redis_connect_expire(struct redis_conn *conn)
{
	if (conn->state == REDIS_CONN_CONNECTING && conn->address_next < conn->address_count) {
		conn->connect_status = UV_ETIMEDOUT;
		try_next(conn);
		return;
	}
	static const char *const phases[] = {
		[REDIS_CONN_RESOLVING] = "its name is not resolved",
		[REDIS_CONN_CONNECTING] = "it does not take the connection",
		[REDIS_CONN_HANDSHAKING] = "it does not finish the TLS handshake",
		[REDIS_CONN_GREETING] = "it does not answer",
	};
	redis_conn_lose(conn,
			redis_text_printf("cannot use %s: %s within %g s", conn->node->address,
					phases[conn->state], (double)conn->redis->options.connect_ms / 1000));
}

void redis_connect_close(struct redis_conn *conn)
{
	if (conn->is_resolving) {
		/* Whether it can be cancelled or not, it calls back. */
		uv_cancel((uv_req_t *)&conn->resolve);
	}
	close_socket(conn);
}

/* ---- Writing ---- */

struct write {
	uv_write_t request;
	size_t count;
	struct redis_text *texts[];
};

static void destroy_write(struct write *write)
{
	for (size_t i = 0; i < write->count; i++) {
		redis_text_unref(write->texts[i]);
	}
	free(write);
}

/* Of a broken connection reading tells more: there may be an answer that says why. */
static void on_written(uv_write_t *request, int status)
{
	destroy_write((struct write *)request);
}

void redis_connect_write(struct redis_conn *conn, struct redis_text **texts, size_t count)
{
	struct write *write = memory_alloc(sizeof(*write) + count * sizeof(*texts));
	uv_buf_t *bufs = memory_alloc(count * sizeof(*bufs));
	size_t bytes = 0;
	write->count = count;
	for (size_t i = 0; i < count; i++) {
		write->texts[i] = texts[i];
		bufs[i].base = texts[i]->bytes;
		bufs[i].len = texts[i]->len;
		bytes += texts[i]->len;
	}
	int status = uv_write(
			&write->request, &conn->socket->stream.stream, bufs, (unsigned)count, on_written);
	free(bufs);
	if (status < 0) {
		destroy_write(write);
		redis_connect_lose(conn, uv_strerror(status));
		return;
	}
	conn->redis->stats.writes++;
	conn->redis->stats.bytes_sent += bytes;
}
