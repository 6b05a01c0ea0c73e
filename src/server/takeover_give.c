#include "server/takeover_give.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "net/conn.h"
#include "server/durability.h"
#include "server/lists.h"
#include "server/notify.h"
#include "server/parts.h"
#include "server/server.h"
#include "server/takeover_channel.h"
#include "server/takeover_conns.h"
#include "server/takeover_socket.h"

enum {
	LOOK_EVERY_MS = 100,   /* whether it takes too long */
	FROZEN_LOOK_MS = 2,    /* is the disk done, are all answers out? */
	IDLE_MS = 250,         /* so long who speaks TLS and is idle may send one more request */
	HALFWAY_MS = 1000,     /* and who sends one may take so long for it */
	SLOW_READER_MS = 1000, /* who has not taken his answer by then stays here */
	PAUSE_MS = 100,        /* after who asked could not be accepted */
};

enum giving_state {
	GIVING_GREETED,  /* connected; HELLO is to come */
	GIVING_OFFERED,  /* READY is to come */
	GIVING_RESTING,  /* what takes long is to be done; all go on meanwhile */
	GIVING_RETIRING, /* connections that cannot move get their last answers */
	GIVING_FROZEN,   /* answers are being made and written */
	GIVING_GIVEN,    /* TAKEN is to come */
};

struct giving {
	struct takeover_giver *giver;
	struct server *server;
	struct takeover_channel channel;
	uv_poll_t poll;
	uv_timer_t timer;
	int open_handles;
	bool is_closing;
	enum giving_state state;
	int pid;
	uint64_t began_ms; /* this state */
	struct conn **conns;
	size_t conn_count;
	size_t conns_sent;
};

static const char *const waited_for[] = {
	[GIVING_GREETED] = "HELLO",
	[GIVING_OFFERED] = "READY",
	[GIVING_RESTING] = "the end of passwords to be checked or of an outage of Redis",
	[GIVING_RETIRING] = "the end of requests over TLS",
	[GIVING_FROZEN] = "the end of what is being answered",
	[GIVING_GIVEN] = "TAKEN",
};

/* ---- The end of it ---- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct giving *giving = handle->data;
	if (--giving->open_handles == 0) {
		takeover_channel_finish(&giving->channel);
		free(giving->conns);
		free(giving);
	}
}

static void end(struct giving *giving)
{
	giving->is_closing = true;
	giving->giver->giving = NULL;
	uv_close((uv_handle_t *)&giving->poll, on_handle_closed);
	uv_close((uv_handle_t *)&giving->timer, on_handle_closed);
}

static void refuse(struct takeover_channel *channel, const char *why)
{
	struct takeover_frame frame = {
		.type = TAKEOVER_REFUSAL,
		.payload = slice_of_string(why),
	};
	takeover_channel_send(channel, &frame, NULL);
}

static void resume_state(struct server *server)
{
	const struct takeover_state *state = &server->takeover_state;
	if (state->resume != NULL) {
		state->resume(state->data);
	}
}

static void resume(struct server *server)
{
	resume_state(server);
	lists_resume(server);
	server->http.frozen = false;
	for (size_t i = 0; i < server->listener_count; i++) {
		listener_resume(&server->listeners[i].listener);
	}
}

/* Turns back: as if nothing had happened. */
static void fail(struct giving *giving, const char *why)
{
	log_warn("takeover failed, going on as before pid=%d waited-for=%s error=%s", giving->pid,
			waited_for[giving->state], why);
	refuse(&giving->channel, why);
	resume(giving->server);
	end(giving);
}

static void on_timer(uv_timer_t *timer);

static void enter(struct giving *giving, enum giving_state state)
{
	bool looks_often =
			state == GIVING_RESTING || state == GIVING_RETIRING || state == GIVING_FROZEN;
	uint64_t every_ms = looks_often ? FROZEN_LOOK_MS : LOOK_EVERY_MS;
	giving->state = state;
	giving->began_ms = uv_now(&giving->server->loop);
	uv_timer_start(&giving->timer, on_timer, every_ms, every_ms);
}

/* ---- Frames out ---- */

static void say(struct giving *giving, enum takeover_frame_type type, struct slice payload,
		const int *files, size_t file_count)
{
	struct takeover_frame frame = { .type = type, .file_count = file_count, .payload = payload };
	takeover_channel_send(&giving->channel, &frame, files);
}

static void send_listener(struct giving *giving, const struct server_listener *listener)
{
	struct buf payload;
	buf_init(&payload, 0);
	takeover_put_u32(&payload, listener->socket.owns_file);
	takeover_put_text(&payload, slice_of_string(listener->name));
	say(giving, TAKEOVER_LISTENER, buf_slice(&payload), &listener->socket.fd, 1);
	buf_finish(&payload);
}

static void send_offer(struct giving *giving)
{
	const struct server *server = giving->server;
	const struct takeover_state *state = &server->takeover_state;
	int lock = state->lock == NULL ? -1 : state->lock(state->data);
	/* The same lock again, where there is no other. */
	const int files[] = { server->data_dir.lock_fd, giving->giver->socket.fd,
		lock < 0 ? server->data_dir.lock_fd : lock };
	struct buf payload;
	buf_init(&payload, 0);
	takeover_put_u32(&payload, TAKEOVER_VERSION);
	takeover_put_u32(&payload, (uint32_t)server->listener_count);
	say(giving, TAKEOVER_OFFER, buf_slice(&payload), files, 3);
	buf_finish(&payload);
	for (size_t i = 0; i < server->listener_count; i++) {
		send_listener(giving, &server->listeners[i]);
	}
}

/* One batch at a time: the descriptors of all of them at once could be too many. */
static void send_conns(struct giving *giving)
{
	while (giving->state == GIVING_GIVEN && giving->conns_sent < giving->conn_count
			&& !takeover_channel_has_output(&giving->channel)) {
		int files[TAKEOVER_FILES_MAX];
		size_t count = 0;
		while (count < TAKEOVER_FILES_MAX && giving->conns_sent < giving->conn_count) {
			files[count++] = conn_socket(giving->conns[giving->conns_sent++]);
		}
		say(giving, TAKEOVER_CONNECTIONS, slice_make("", 0), files, count);
	}
}

/* ---- Freezing and handing over ---- */

/* A file with all that is stored; -1 when it cannot be had. */
static int write_state(struct server *server)
{
	const struct takeover_state *state = &server->takeover_state;
	int fd = memfd_create("weir-state", MFD_CLOEXEC);
	if (fd >= 0 && state->write != NULL && !state->write(state->data, fd)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void give(struct giving *giving)
{
	struct server *server = giving->server;
	giving->conn_count = takeover_conns_collect(server, &giving->conns);
	int files[2] = { -1, -1 };
	files[0] = write_state(server);
	files[1] = takeover_conns_write(server, giving->conns, giving->conn_count);
	if (files[0] >= 0 && files[1] >= 0) {
		struct buf payload;
		buf_init(&payload, 0);
		takeover_put_u64(&payload, giving->conn_count);
		enter(giving, GIVING_GIVEN);
		say(giving, TAKEOVER_STATE, buf_slice(&payload), files, 2);
		buf_finish(&payload);
		send_conns(giving);
	} else {
		fail(giving, "cannot write down what is to be handed over");
	}
	for (size_t i = 0; i < 2; i++) {
		if (files[i] >= 0) {
			close(files[i]);
		}
	}
}

/* What is being changed must be done; who reads slowly may stay. */
static void give_when_quiet(struct giving *giving)
{
	struct server *server = giving->server;
	const struct takeover_state *state = &server->takeover_state;
	bool is_working = server->http.unanswered != 0 || !worker_is_idle(&server->worker)
			|| (state->is_ready != NULL && !state->is_ready(state->data));
	bool is_late = uv_now(&server->loop) - giving->began_ms >= SLOW_READER_MS;
	if (!is_working && (is_late || !takeover_conns_are_busy(server))) {
		give(giving);
	}
}

static void freeze(struct giving *giving)
{
	struct server *server = giving->server;
	enter(giving, GIVING_FROZEN);
	/* What was read ahead is begun by whoever goes on, or its answer would come from the past. */
	server->http.frozen = true;
	for (size_t i = 0; i < server->listener_count; i++) {
		listener_freeze(&server->listeners[i].listener);
	}
	give_when_quiet(giving);
}

/* Nobody has to wait for the passwords that strangers try; what was read of a list is stored. */
static bool is_at_rest(const struct server *server)
{
	return !auth_has_waiting(&server->gate.auth) && lists_is_at_rest(server);
}

static void freeze_when_retired(struct giving *giving)
{
	const struct server *server = giving->server;
	uint64_t since_ms = uv_now(&server->loop) - giving->began_ms;
	bool has_ended = !takeover_conns_are_halfway(server, since_ms < IDLE_MS) && is_at_rest(server);
	if (has_ended || since_ms >= HALFWAY_MS) {
		freeze(giving);
	}
}

/* New connections wait in the socket from here on, where the listener speaks TLS. */
static void retire_when_at_rest(struct giving *giving)
{
	struct server *server = giving->server;
	if (!is_at_rest(server) || durability_is_stuck(server)) {
		return;
	}
	enter(giving, GIVING_RETIRING);
	for (size_t i = 0; i < server->listener_count; i++) {
		listener_retire(&server->listeners[i].listener);
	}
	freeze_when_retired(giving);
}

static void rest(struct giving *giving)
{
	enter(giving, GIVING_RESTING);
	lists_pause(giving->server);
	retire_when_at_rest(giving);
}

/* ---- After that ---- */

static void leave_to_new(struct giving *giving)
{
	struct server *server = giving->server;
	size_t moved = giving->conn_count;
	notify_handed_over(giving->pid);
	for (size_t i = 0; i < moved; i++) {
		conn_close(giving->conns[i]);
	}
	for (size_t i = 0; i < server->listener_count; i++) {
		listen_socket_disown_file(&server->listeners[i].socket);
	}
	listen_socket_disown_file(&giving->giver->socket);
	server->is_handed_over = true;
	log_info("handed over pid=%d connections=%zu", giving->pid, moved);
	end(giving);
	server_stop(server);
}

/* BYE decides who goes on, see takeover_take.c: one that was not sent must not go out later. */
static void take_taken(struct giving *giving)
{
	struct takeover_frame bye = { .type = TAKEOVER_BYE };
	if (takeover_channel_send_at_once(&giving->channel, &bye)) {
		leave_to_new(giving);
	} else {
		fail(giving, "the new weir is gone");
	}
}

/* ---- Frames in ---- */

static void take_hello(struct giving *giving, struct slice payload)
{
	struct takeover_reader reader = { .rest = payload };
	uint32_t version = takeover_get_u32(&reader);
	if (reader.failed || version != TAKEOVER_VERSION) {
		fail(giving,
				"the two weirs take over in different ways: end the old one, start the new one");
		return;
	}
	enter(giving, GIVING_OFFERED);
	send_offer(giving);
}

static bool is_due(const struct giving *giving, enum takeover_frame_type type)
{
	bool has_sent_all = giving->conns_sent == giving->conn_count;
	return (type == TAKEOVER_HELLO && giving->state == GIVING_GREETED)
			|| (type == TAKEOVER_READY && giving->state == GIVING_OFFERED)
			|| (type == TAKEOVER_TAKEN && giving->state == GIVING_GIVEN && has_sent_all);
}

static void take_frame(struct giving *giving, const struct takeover_frame *frame)
{
	if (frame->type == TAKEOVER_REFUSAL) {
		fail(giving, "the new weir gave up");
	} else if (!is_due(giving, frame->type)) {
		fail(giving, "what it says makes no sense now");
	} else if (frame->type == TAKEOVER_HELLO) {
		take_hello(giving, frame->payload);
	} else if (frame->type == TAKEOVER_READY) {
		rest(giving);
	} else {
		take_taken(giving);
	}
}

static void close_all(const int *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		close(files[i]);
	}
}

static void receive(struct giving *giving)
{
	while (!giving->is_closing) {
		struct takeover_frame frame;
		int files[TAKEOVER_FILES_MAX];
		switch (takeover_channel_receive(&giving->channel, &frame, files)) {
		case TAKEOVER_CHANNEL_OK:
			close_all(files, frame.file_count); /* none are wanted */
			take_frame(giving, &frame);
			break;
		case TAKEOVER_CHANNEL_AGAIN:
			return;
		case TAKEOVER_CHANNEL_ENDED:
			fail(giving, "the new weir is gone");
			break;
		case TAKEOVER_CHANNEL_E_BAD:
			fail(giving, "it does not speak like a weir");
			break;
		}
	}
}

/* ---- The loop ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct giving *giving)
{
	int events = UV_READABLE | UV_DISCONNECT;
	events |= takeover_channel_has_output(&giving->channel) ? UV_WRITABLE : 0;
	uv_poll_start(&giving->poll, events, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct giving *giving = poll->data;
	/* An error of the poll is one of the socket: who hangs up with something unread makes one. */
	if (status != 0 || !takeover_channel_flush(&giving->channel)) {
		fail(giving, "the new weir is gone");
		return;
	}
	send_conns(giving);
	receive(giving);
	if (!giving->is_closing) {
		watch(giving);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct giving *giving = timer->data;
	uint64_t limit_ms = (uint64_t)giving->server->config->timeout_takeover_ns / 1000000;
	if (giving->state == GIVING_RESTING) {
		retire_when_at_rest(giving);
	} else if (giving->state == GIVING_RETIRING) {
		freeze_when_retired(giving);
	} else if (giving->state == GIVING_FROZEN) {
		give_when_quiet(giving);
	}
	if (!giving->is_closing && uv_now(timer->loop) - giving->began_ms >= limit_ms) {
		fail(giving, "it takes too long");
	}
	if (!giving->is_closing) {
		watch(giving);
	}
}

static void begin(struct takeover_giver *giver, int fd, int pid)
{
	struct server *server = giver->server;
	struct giving *giving = memory_zalloc(1, sizeof(*giving));
	giving->giver = giver;
	giving->server = server;
	giving->pid = pid;
	giving->open_handles = 2;
	takeover_channel_init(&giving->channel, fd);
	uv_poll_init(&server->loop, &giving->poll, fd);
	uv_timer_init(&server->loop, &giving->timer);
	giving->poll.data = giving;
	giving->timer.data = giving;
	giver->giving = giving;
	enter(giving, GIVING_GREETED);
	watch(giving);
}

/* Why who asks is not let in; NULL: he is. */
static const char *objection(const struct takeover_giver *giver, int fd, int *ret_pid)
{
	struct ucred peer = { 0 };
	bool is_known = takeover_socket_peer(fd, &peer);
	*ret_pid = peer.pid;
	if (!is_known || (peer.uid != geteuid() && peer.uid != 0)) {
		return "only the user that weir runs as, and root, may take over";
	}
	return giver->giving != NULL ? "another takeover is under way" : NULL;
}

static void on_asked(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct takeover_giver *giver = timer->data;
	uv_poll_start(&giver->poll, UV_READABLE, on_asked);
}

/* Most likely no descriptors are left; who asks still waits, so the loop would call at once. */
static void pause_hearing(struct takeover_giver *giver, int fault)
{
	if (!giver->is_deaf && fault != EAGAIN) {
		log_warn("cannot hear who wants to take over, trying again error=%s", strerror(fault));
		giver->is_deaf = true;
	}
	uv_poll_stop(&giver->poll);
	uv_timer_start(&giver->pause, on_pause_over, PAUSE_MS, 0);
}

static void on_asked(uv_poll_t *poll, int status, int events)
{
	struct takeover_giver *giver = poll->data;
	int fd = accept4(giver->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		pause_hearing(giver, errno);
		return;
	}
	giver->is_deaf = false;
	int pid;
	const char *why = objection(giver, fd, &pid);
	if (why == NULL) {
		begin(giver, fd, pid);
		return;
	}
	log_warn("takeover refused pid=%d error=%s", pid, why);
	struct takeover_channel channel;
	takeover_channel_init(&channel, fd);
	refuse(&channel, why);
	takeover_channel_finish(&channel);
}

void takeover_giver_open(
		struct takeover_giver *giver, struct server *server, const struct listen_socket *socket)
{
	*giver = (struct takeover_giver){ .server = server, .socket = *socket, .is_open = true };
	/* Anew, so that the kernel names this process, not the one before, to who asks. */
	listen(socket->fd, LISTEN_BACKLOG);
	uv_poll_init(&server->loop, &giver->poll, socket->fd);
	uv_timer_init(&server->loop, &giver->pause);
	giver->poll.data = giver;
	giver->pause.data = giver;
	uv_poll_start(&giver->poll, UV_READABLE, on_asked);
	uv_unref((uv_handle_t *)&giver->poll);
	uv_unref((uv_handle_t *)&giver->pause);
}

void takeover_giver_close(struct takeover_giver *giver)
{
	if (!giver->is_open) {
		return;
	}
	giver->is_open = false;
	if (giver->giving != NULL) {
		fail(giver->giving, "weir is being stopped");
	}
	uv_close((uv_handle_t *)&giver->poll, NULL);
	uv_close((uv_handle_t *)&giver->pause, NULL);
	listen_socket_close(&giver->socket);
}
