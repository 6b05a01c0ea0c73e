#include "server/takeover_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { READ_BYTES = 64 * 1024 };

/* A frame on its way out. */
struct packet {
	struct list link;
	struct buf bytes;
	size_t sent;
	int files[TAKEOVER_FILES_MAX];
	size_t file_count;
};

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int) * TAKEOVER_FILES_MAX)];
};

static void close_files(const int *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (files[i] >= 0) {
			close(files[i]);
		}
	}
}

static void destroy_packet(struct packet *packet)
{
	list_remove(&packet->link);
	close_files(packet->files, packet->file_count);
	buf_finish(&packet->bytes);
	free(packet);
}

void takeover_channel_init(struct takeover_channel *channel, int fd)
{
	*channel = (struct takeover_channel){ .fd = fd };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	buf_init(&channel->in, 0);
	list_init(&channel->out);
}

void takeover_channel_finish(struct takeover_channel *channel)
{
	LIST_EACH (link, &channel->out) {
		destroy_packet(LIST_ENTRY(link, struct packet, link));
	}
	close_files(channel->files, channel->file_count);
	buf_finish(&channel->in);
	close(channel->fd);
}

/* ---- Out ---- */

void takeover_channel_send(
		struct takeover_channel *channel, const struct takeover_frame *frame, const int *files)
{
	struct packet *packet = memory_zalloc(1, sizeof(*packet));
	list_init(&packet->link);
	buf_init(&packet->bytes, 0);
	takeover_frame_write(&packet->bytes, frame);
	for (size_t i = 0; i < frame->file_count; i++) {
		int fd = fcntl(files[i], F_DUPFD_CLOEXEC, 0);
		channel->failed |= fd < 0;
		packet->files[packet->file_count++] = fd;
	}
	list_append(&channel->out, &packet->link);
	takeover_channel_flush(channel);
}

bool takeover_channel_send_at_once(
		struct takeover_channel *channel, const struct takeover_frame *frame)
{
	if (channel->failed || takeover_channel_has_output(channel)) {
		return false;
	}
	struct buf bytes;
	buf_init(&bytes, 0);
	takeover_frame_write(&bytes, frame);
	ssize_t sent = send(channel->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	bool is_sent = sent == (ssize_t)bytes.len;
	channel->failed |= !is_sent;
	buf_finish(&bytes);
	return is_sent;
}

static void attach_files(
		const struct packet *packet, struct msghdr *message, union control *control)
{
	if (packet->sent != 0 || packet->file_count == 0) {
		return;
	}
	size_t bytes = sizeof(int) * packet->file_count;
	memset(control, 0, sizeof(*control));
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(bytes);
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(header), packet->files, bytes);
}

/* Whether all of it was sent. */
static bool send_packet(struct takeover_channel *channel, struct packet *packet)
{
	union control control;
	struct iovec part = {
		.iov_base = packet->bytes.ptr + packet->sent,
		.iov_len = packet->bytes.len - packet->sent,
	};
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	attach_files(packet, &message, &control);
	ssize_t sent = sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0) {
		/* Too many files are under way: the other side is about to take some. */
		bool may_go_on = errno == EAGAIN || errno == EINTR || errno == ETOOMANYREFS;
		channel->failed |= !may_go_on;
		return false;
	}
	packet->sent += (size_t)sent;
	return packet->sent == packet->bytes.len;
}

bool takeover_channel_flush(struct takeover_channel *channel)
{
	struct list *link;
	while (!channel->failed && (link = list_first(&channel->out)) != NULL) {
		struct packet *packet = LIST_ENTRY(link, struct packet, link);
		if (!send_packet(channel, packet)) {
			break;
		}
		destroy_packet(packet);
	}
	return !channel->failed;
}

bool takeover_channel_has_output(const struct takeover_channel *channel)
{
	return !list_is_empty(&channel->out);
}

/* ---- In ---- */

/* False when there are more files than frames could want. */
static bool take_files(struct takeover_channel *channel, struct msghdr *message)
{
	bool fits = (message->msg_flags & MSG_CTRUNC) == 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
			header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (channel->file_count == TAKEOVER_CHANNEL_FILES_MAX) {
				close(fd);
				fits = false;
			} else {
				channel->files[channel->file_count++] = fd;
			}
		}
	}
	return fits;
}

static void read_more(struct takeover_channel *channel)
{
	union control control;
	buf_reserve(&channel->in, READ_BYTES);
	struct iovec part = { .iov_base = channel->in.ptr + channel->in.len, .iov_len = READ_BYTES };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t count = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	channel->ended = count <= 0;
	if (count > 0) {
		channel->in.len += (size_t)count;
		channel->is_bad |= !take_files(channel, &message);
	}
}

static enum takeover_channel_result next_frame(
		struct takeover_channel *channel, struct takeover_frame *ret_frame, int *ret_files)
{
	size_t used = 0;
	switch (takeover_frame_parse(buf_slice(&channel->in), ret_frame, &used)) {
	case TAKEOVER_FRAME_OK:
		break;
	case TAKEOVER_FRAME_MORE:
		return TAKEOVER_CHANNEL_AGAIN;
	case TAKEOVER_FRAME_E_BAD:
		return TAKEOVER_CHANNEL_E_BAD;
	}
	size_t count = ret_frame->file_count;
	if (count > channel->file_count) {
		return TAKEOVER_CHANNEL_E_BAD;
	}
	memcpy(ret_files, channel->files, count * sizeof(int));
	channel->file_count -= count;
	memmove(channel->files, channel->files + count, channel->file_count * sizeof(int));
	channel->in_used = used;
	return TAKEOVER_CHANNEL_OK;
}

enum takeover_channel_result takeover_channel_receive(
		struct takeover_channel *channel, struct takeover_frame *ret_frame, int *ret_files)
{
	if (channel->in_used != 0) {
		buf_consume(&channel->in, channel->in_used);
		channel->in_used = 0;
	}
	enum takeover_channel_result result = next_frame(channel, ret_frame, ret_files);
	if (result != TAKEOVER_CHANNEL_AGAIN) {
		return result;
	}
	if (!channel->ended) {
		read_more(channel);
		result = channel->is_bad ? TAKEOVER_CHANNEL_E_BAD
								 : next_frame(channel, ret_frame, ret_files);
	}
	return result == TAKEOVER_CHANNEL_AGAIN && channel->ended ? TAKEOVER_CHANNEL_ENDED : result;
}

void takeover_channel_shut(struct takeover_channel *channel)
{
	shutdown(channel->fd, SHUT_RD);
}
