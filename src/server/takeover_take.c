#include "server/takeover_take.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/parts.h"
#include "server/signals.h"
#include "server/takeover_conns.h"
#include "server/takeover_socket.h"

/* More than anybody has. */
enum { OFFERS_MAX = 4096 };

static const uint64_t SOCKETS_MAX = 10 * 1000 * 1000;

/* A listening socket of the old one. */
struct takeover_offer {
	struct listen_socket socket;
	char *name;
	bool owns_file;
	bool is_found;
	size_t place;
};

/* ---- Frames ---- */

static bool fail(const struct takeover_taker *taker, const char *why)
{
	log_error("cannot take over pid=%d error=%s", taker->pid, why);
	return false;
}

static void say(struct takeover_taker *taker, enum takeover_frame_type type, struct slice payload)
{
	struct takeover_frame frame = { .type = type, .payload = payload };
	takeover_channel_send(&taker->channel, &frame, NULL);
}

/* Until there is something to read, or to write if need be. False when it takes too long. */
static bool wait_until(struct takeover_taker *taker, uint64_t end_ms)
{
	uint64_t now_ms = clock_monotonic_ns() / 1000000;
	if (now_ms >= end_ms) {
		return false;
	}
	bool has_output = takeover_channel_has_output(&taker->channel);
	struct pollfd poll_fd = {
		.fd = taker->channel.fd,
		.events = (short)(POLLIN | (has_output ? POLLOUT : 0)),
	};
	poll(&poll_fd, 1, (int)(end_ms - now_ms));
	takeover_channel_flush(&taker->channel);
	return true;
}

static enum takeover_channel_result receive(
		struct takeover_taker *taker, struct takeover_frame *ret_frame, int *ret_files)
{
	uint64_t end_ms = clock_monotonic_ns() / 1000000 + taker->patience_ms;
	enum takeover_channel_result result;
	do {
		result = takeover_channel_receive(&taker->channel, ret_frame, ret_files);
	} while (result == TAKEOVER_CHANNEL_AGAIN && wait_until(taker, end_ms));
	return result;
}

static void close_files(const int *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		close(files[i]);
	}
}

/* What was received must be of that type and have that many files. */
static bool is_expected(const struct takeover_taker *taker, enum takeover_channel_result result,
		enum takeover_frame_type type, size_t file_count, const struct takeover_frame *frame)
{
	switch (result) {
	case TAKEOVER_CHANNEL_OK:
		break;
	case TAKEOVER_CHANNEL_AGAIN:
		return fail(taker, "the running weir takes too long");
	case TAKEOVER_CHANNEL_ENDED:
		return fail(taker, "the running weir hung up");
	case TAKEOVER_CHANNEL_E_BAD:
		return fail(taker, "the running weir does not speak like one");
	}
	if (frame->type == type && frame->file_count == file_count) {
		return true;
	}
	if (frame->type == TAKEOVER_REFUSAL) {
		log_error("the running weir refuses pid=%d error=" SLICE_FMT, taker->pid,
				SLICE_ARG(frame->payload));
	} else {
		log_error("the running weir says something else pid=%d wanted=%s got=%s", taker->pid,
				takeover_frame_name(type), takeover_frame_name(frame->type));
	}
	return false;
}

static bool expect(struct takeover_taker *taker, enum takeover_frame_type type, size_t file_count,
		struct takeover_frame *ret_frame, int *ret_files)
{
	enum takeover_channel_result result = receive(taker, ret_frame, ret_files);
	if (is_expected(taker, result, type, file_count, ret_frame)) {
		return true;
	}
	if (result == TAKEOVER_CHANNEL_OK) {
		close_files(ret_files, ret_frame->file_count);
	}
	return false;
}

/* ---- Begin ---- */

static bool greet(struct takeover_taker *taker, const struct data_dir *dir)
{
	int fd;
	int fault = takeover_socket_connect(dir, &fd);
	if (fault == ENOENT || fault == ECONNREFUSED) {
		log_error(
				"no weir runs in the data directory: start without --takeover path=%s", dir->path);
		return false;
	}
	if (fault != 0) {
		log_error("cannot ask the running weir path=%s/takeover.sock error=%s", dir->path,
				strerror(fault));
		return false;
	}
	takeover_channel_init(&taker->channel, fd);
	taker->is_active = true;
	struct ucred peer;
	bool is_trusted = takeover_socket_peer(fd, &peer) && (peer.uid == geteuid() || geteuid() == 0);
	if (!is_trusted) {
		return fail(taker, "it runs as another user: take over as that user, or as root");
	}
	taker->pid = peer.pid;
	taker->process = pidfd_open(peer.pid, 0);
	struct buf hello;
	buf_init(&hello, 0);
	takeover_put_u32(&hello, TAKEOVER_VERSION);
	say(taker, TAKEOVER_HELLO, buf_slice(&hello));
	buf_finish(&hello);
	return true;
}

static bool take_listener(struct takeover_taker *taker)
{
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	if (!expect(taker, TAKEOVER_LISTENER, 1, &frame, files)) {
		return false;
	}
	struct takeover_reader reader = { .rest = frame.payload };
	bool owns_file = takeover_get_u32(&reader) != 0;
	struct slice name = takeover_get_text(&reader);
	struct takeover_offer *offer = &taker->offers[taker->offer_count];
	const char *what = "is not described";
	if (reader.failed || !listen_socket_adopt(&offer->socket, files[0], &what)) {
		close(files[0]);
		log_error("cannot take over pid=%d listener=" SLICE_FMT " error=%s", taker->pid,
				SLICE_ARG(name), what);
		return false;
	}
	offer->name = memory_zalloc(1, name.len + 1);
	memcpy(offer->name, name.ptr, name.len);
	offer->owns_file = owns_file;
	taker->offer_count++;
	return true;
}

static bool take_offer(struct takeover_taker *taker, struct data_dir *dir)
{
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	if (!expect(taker, TAKEOVER_OFFER, 3, &frame, files)) {
		return false;
	}
	taker->state_lock = files[2];
	struct takeover_reader reader = { .rest = frame.payload };
	uint32_t version = takeover_get_u32(&reader);
	uint32_t count = takeover_get_u32(&reader);
	const char *what;
	bool is_locked = data_dir_take_lock(dir, files[0]);
	if (!takeover_socket_adopt(dir, files[1], &taker->socket, &what)) {
		return fail(taker, what);
	}
	if (!is_locked) {
		return fail(taker, "its data directory is another one");
	}
	if (reader.failed || version != TAKEOVER_VERSION || count > OFFERS_MAX) {
		return fail(taker, "it offers what this weir does not understand");
	}
	taker->offers = memory_zalloc(count + 1, sizeof(taker->offers[0]));
	while (taker->offer_count < count) {
		if (!take_listener(taker)) {
			return false;
		}
	}
	return true;
}

bool takeover_begin(struct takeover_taker *taker, struct data_dir *dir, uint64_t patience_ms)
{
	*taker = (struct takeover_taker){
		.patience_ms = patience_ms,
		.process = -1,
		.socket = { .fd = -1 },
		.state_lock = -1,
		.state_file = -1,
		.conns_file = -1,
	};
	return greet(taker, dir) && take_offer(taker, dir);
}

void takeover_finish(struct takeover_taker *taker)
{
	if (!taker->is_active) {
		return;
	}
	for (size_t i = 0; i < taker->offer_count; i++) {
		if (!taker->offers[i].is_found) {
			listen_socket_close(&taker->offers[i].socket);
		}
		free(taker->offers[i].name);
	}
	listen_socket_close(&taker->socket);
	close_files(taker->sockets, taker->socket_count);
	free(taker->offers);
	free(taker->sockets);
	const int files[] = { taker->process, taker->state_lock, taker->state_file, taker->conns_file };
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i] >= 0) {
			close(files[i]);
		}
	}
	takeover_channel_finish(&taker->channel);
	*taker = (struct takeover_taker){ 0 };
}

/* ---- Find ---- */

static bool same_address(const struct socket_address *a, const struct socket_address *b)
{
	char left[ADDRESS_TEXT_BYTES];
	char right[ADDRESS_TEXT_BYTES];
	address_format(a, left);
	address_format(b, right);
	return strcmp(left, right) == 0;
}

static void find(struct takeover_offer *offer, size_t place, struct listen_socket *ret_socket)
{
	offer->is_found = true;
	offer->place = place;
	*ret_socket = offer->socket;
}

bool takeover_find(struct takeover_taker *taker, const char *name,
		const struct socket_address *address, size_t place, struct listen_socket *ret_socket)
{
	for (size_t i = 0; i < taker->offer_count; i++) {
		struct takeover_offer *offer = &taker->offers[i];
		bool fits = strcmp(offer->name, name) == 0 || same_address(&offer->socket.address, address);
		if (fits && !offer->is_found) {
			find(offer, place, ret_socket);
			return true;
		}
	}
	return false;
}

static bool is_passed(const struct takeover_offer *offer)
{
	return strncmp(offer->name, TAKEOVER_PASSED, strlen(TAKEOVER_PASSED)) == 0;
}

size_t takeover_count_passed(const struct takeover_taker *taker)
{
	size_t count = 0;
	for (size_t i = 0; i < taker->offer_count; i++) {
		count += is_passed(&taker->offers[i]);
	}
	return count;
}

const char *takeover_find_passed(
		struct takeover_taker *taker, size_t place, struct listen_socket *ret_socket)
{
	for (size_t i = 0; i < taker->offer_count; i++) {
		struct takeover_offer *offer = &taker->offers[i];
		if (is_passed(offer) && !offer->is_found) {
			find(offer, place, ret_socket);
			return offer->name;
		}
	}
	return NULL;
}

int takeover_take_lock(struct takeover_taker *taker, int like)
{
	struct stat ours;
	struct stat theirs;
	int lock = taker->is_active ? taker->state_lock : -1;
	bool is_same = lock >= 0 && fstat(like, &ours) == 0 && fstat(lock, &theirs) == 0
			&& ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
	if (!is_same) {
		return -1;
	}
	taker->state_lock = -1;
	return lock;
}

/* ---- Complete ---- */

static bool take_state(struct takeover_taker *taker, const struct takeover_state *state)
{
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	if (!expect(taker, TAKEOVER_STATE, 2, &frame, files)) {
		return false;
	}
	taker->state_file = files[0];
	taker->conns_file = files[1];
	struct takeover_reader reader = { .rest = frame.payload };
	uint64_t count = takeover_get_u64(&reader);
	if (reader.failed || count > SOCKETS_MAX) {
		return fail(taker, "it says nothing of its connections");
	}
	taker->socket_total = count;
	lseek(taker->state_file, 0, SEEK_SET);
	return state->read == NULL || state->read(state->data, taker->state_file)
			|| fail(taker, "what it stores cannot be read");
}

static bool take_connections(struct takeover_taker *taker)
{
	taker->sockets = memory_zalloc(taker->socket_total + 1, sizeof(int));
	while (taker->socket_count < taker->socket_total) {
		size_t left = taker->socket_total - taker->socket_count;
		size_t count = left < TAKEOVER_FILES_MAX ? left : TAKEOVER_FILES_MAX;
		struct takeover_frame frame;
		int files[TAKEOVER_FILES_MAX];
		if (!expect(taker, TAKEOVER_CONNECTIONS, count, &frame, files)) {
			return false;
		}
		memcpy(taker->sockets + taker->socket_count, files, count * sizeof(int));
		taker->socket_count += count;
	}
	return true;
}

/* Its sockets are closed a little before it is dead. One that cannot be watched counts as dead. */
static bool has_died(const struct takeover_taker *taker, uint64_t patience_ms)
{
	struct pollfd poll_fd = { .fd = taker->process, .events = POLLIN };
	uint64_t wait_ms = patience_ms < INT_MAX ? patience_ms : INT_MAX;
	return taker->process < 0 || poll(&poll_fd, 1, (int)wait_ms) > 0;
}

/*
 * Exactly one of the two goes on, however slow or unlucky either is.
 *
 * BYE decides. The old one goes on unless it has sent BYE, which the kernel takes
 * whole or not at all, so it knows; this one goes on if it gets BYE, or if the old
 * one is dead. Three things could come between:
 *
 * - This one has waited long enough while BYE is on its way. So it first shuts its
 *   end: each BYE is then either in the queue already, where the last look finds it,
 *   or is refused by the kernel (EPIPE), and the old one goes on. There is no third
 *   case, since the kernel does both under the same lock.
 * - The old one hangs up without a word: it may have died, or go on and have had no
 *   room for its REFUSAL. Its process tells.
 * - Either dies after that. Then the other has gone, as with any crash.
 */
static bool take_leave(struct takeover_taker *taker)
{
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	/* From here on the only copy of what is stored may be in this process. */
	signals_hold_all();
	say(taker, TAKEOVER_TAKEN, slice_make("", 0));
	enum takeover_channel_result result = receive(taker, &frame, files);
	bool is_late = result == TAKEOVER_CHANNEL_AGAIN;
	if (is_late) {
		takeover_channel_shut(&taker->channel);
		result = takeover_channel_receive(&taker->channel, &frame, files);
	}
	if (result == TAKEOVER_CHANNEL_ENDED && has_died(taker, is_late ? 0 : taker->patience_ms)) {
		log_warn("the old weir ended without a word pid=%d", taker->pid);
		return true;
	}
	if (result == TAKEOVER_CHANNEL_ENDED && is_late) {
		result = TAKEOVER_CHANNEL_AGAIN; /* that end was this one's own */
	}
	return is_expected(taker, result, TAKEOVER_BYE, 0, &frame);
}

/* Nobody listens any more at what was not wanted: the files are removed with the sockets. */
static void own_unwanted(struct takeover_taker *taker)
{
	for (size_t i = 0; i < taker->offer_count; i++) {
		struct takeover_offer *offer = &taker->offers[i];
		if (offer->owns_file && !offer->is_found) {
			listen_socket_own_file(&offer->socket);
		}
	}
}

bool takeover_complete(struct takeover_taker *taker, const struct takeover_state *state)
{
	say(taker, TAKEOVER_READY, slice_make("", 0));
	if (!take_state(taker, state) || !take_connections(taker) || !take_leave(taker)) {
		return false;
	}
	own_unwanted(taker);
	listen_socket_own_file(&taker->socket);
	return true;
}

/* ---- Adopt ---- */

size_t takeover_adopt(struct takeover_taker *taker, struct server *server)
{
	size_t *places = memory_zalloc(taker->offer_count + 1, sizeof(places[0]));
	for (size_t i = 0; i < taker->offer_count; i++) {
		/* Connections of an address that is not listened at any more live on at another. */
		places[i] = taker->offers[i].is_found ? taker->offers[i].place : 0;
		if (taker->offers[i].is_found && taker->offers[i].owns_file) {
			listen_socket_own_file(&server->listeners[places[i]].socket);
		}
	}
	struct takeover_places map = { .of = places, .count = taker->offer_count };
	size_t count = takeover_conns_adopt(
			server, taker->conns_file, taker->sockets, taker->socket_count, &map);
	taker->socket_count = 0;
	free(places);
	return count;
}
