#include "server/takeover_conns.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "http/handover.h"
#include "net/conn.h"
#include "server/takeover_frame.h"

enum { RECORD_BYTES_KEPT = 64 * 1024 };

size_t takeover_conns_collect(const struct server *server, struct conn ***ret_conns)
{
	size_t most = 0;
	for (size_t i = 0; i < server->listener_count; i++) {
		most += server->listeners[i].listener.conn_count;
	}
	struct conn **conns = memory_zalloc(most + 1, sizeof(struct conn *));
	size_t count = 0;
	for (size_t i = 0; i < server->listener_count; i++) {
		LIST_EACH (link, &server->listeners[i].listener.conns) {
			struct conn *conn = LIST_ENTRY(link, struct conn, link);
			if (conn_may_move(conn)) {
				conns[count++] = conn;
			}
		}
	}
	*ret_conns = conns;
	return count;
}

bool takeover_conns_are_busy(const struct server *server)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		LIST_EACH (link, &server->listeners[i].listener.conns) {
			const struct conn *conn = LIST_ENTRY(link, struct conn, link);
			if (conn->state == CONN_OPEN && !conn->refused && !conn_is_settled(conn)) {
				return true;
			}
		}
	}
	return false;
}

bool takeover_conns_are_halfway(const struct server *server, bool or_idle)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		LIST_EACH (link, &server->listeners[i].listener.conns) {
			if (conn_is_halfway(LIST_ENTRY(link, struct conn, link), or_idle)) {
				return true;
			}
		}
	}
	return false;
}

static void append_record(const struct server *server, const struct conn *conn, struct buf *out)
{
	const struct server_listener *place = (const struct server_listener *)conn->listener;
	struct http_handover handover;
	struct buf bytes;
	buf_init(&bytes, 0);
	http_handover_save(&conn->session, &handover, &bytes);
	takeover_put_u32(out, (uint32_t)(place - server->listeners));
	takeover_put_u32(out, handover.continued);
	takeover_put_u64(out, handover.requests);
	takeover_put_u64(out, handover.skip_bytes);
	takeover_put_text(out, buf_slice(&bytes));
	buf_finish(&bytes);
}

static bool write_all(int fd, struct slice bytes)
{
	while (bytes.len != 0) {
		ssize_t written = write(fd, bytes.ptr, bytes.len);
		if (written < 0 && errno != EINTR) {
			return false;
		}
		bytes = slice_skip(bytes, written < 0 ? 0 : (size_t)written);
	}
	return true;
}

int takeover_conns_write(const struct server *server, struct conn *const *conns, size_t count)
{
	int fd = memfd_create("weir-connections", MFD_CLOEXEC);
	bool good = fd >= 0;
	struct buf records;
	buf_init(&records, 0);
	for (size_t i = 0; good && i < count; i++) {
		append_record(server, conns[i], &records);
		bool is_last = i + 1 == count;
		if (is_last || records.len >= RECORD_BYTES_KEPT) {
			good = write_all(fd, buf_slice(&records));
			buf_reset(&records, RECORD_BYTES_KEPT);
		}
	}
	buf_finish(&records);
	if (!good && fd >= 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool adopt_next(struct server *server, struct takeover_reader *reader, int socket,
		const struct takeover_places *places)
{
	size_t place = takeover_get_u32(reader);
	struct http_handover handover = { .continued = takeover_get_u32(reader) != 0 };
	handover.requests = takeover_get_u64(reader);
	handover.skip_bytes = takeover_get_u64(reader);
	struct slice bytes = takeover_get_text(reader);
	if (reader->failed || place >= places->count) {
		return false;
	}
	struct listener *listener = &server->listeners[places->of[place]].listener;
	return listener_adopt(listener, socket, &handover, bytes) == 0;
}

size_t takeover_conns_adopt(struct server *server, int fd, const int *sockets, size_t count,
		const struct takeover_places *places)
{
	struct stat status;
	size_t size = fstat(fd, &status) == 0 ? (size_t)status.st_size : 0;
	void *bytes = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	bool is_mapped = bytes != NULL && bytes != MAP_FAILED;
	struct takeover_reader reader = { .rest = slice_make(bytes, is_mapped ? size : 0) };
	size_t adopted = 0;
	for (size_t i = 0; i < count; i++) {
		if (adopt_next(server, &reader, sockets[i], places)) {
			adopted++;
		} else {
			close(sockets[i]);
		}
	}
	if (is_mapped) {
		munmap(bytes, size);
	}
	return adopted;
}
