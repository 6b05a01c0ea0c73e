#include "server/takeover_stored.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "format/protobuf_native.h"
#include "server/durability.h"
#include "server/keep_targets.h"
#include "state/image/image.h"
#include "store/snapshot.h"

static int lock(void *data)
{
	const struct server *server = data;
	return durability_lock(server);
}

/* No change is seen in part, and none is under way to the disk. */
static bool is_ready(void *data)
{
	struct server *server = data;
	struct snapshot snapshot;
	if (!durability_is_at_rest(server) || !keep_targets_is_at_rest(server)
			|| !snapshot_open(&snapshot, &server->store)) {
		return false;
	}
	snapshot_close(&snapshot);
	return true;
}

static void resume(void *data)
{
	durability_resume(data);
}

/* The length of what comes first, what the state has to say, and the image. */
static bool write_head(struct server *server, int fd)
{
	uint64_t bytes = 0;
	if (write(fd, &bytes, sizeof(bytes)) != sizeof(bytes) || !durability_hand_over(server, fd)) {
		return false;
	}
	off_t end = lseek(fd, 0, SEEK_CUR);
	bytes = (uint64_t)end - sizeof(bytes);
	return end > 0 && pwrite(fd, &bytes, sizeof(bytes), 0) == sizeof(bytes);
}

static bool write_stored(void *data, int fd)
{
	struct server *server = data;
	struct image_written written = { 0 };
	if (!write_head(server, fd)) {
		log_error("cannot hand over what is stored error=%s", strerror(errno));
		return false;
	}
	switch (image_write(&server->store, fd, &written)) {
	case IMAGE_WRITE_OK:
		return true;
	case IMAGE_WRITE_E_BUSY:
		log_error("cannot hand over what is stored while it changes");
		return false;
	case IMAGE_WRITE_E_SYSTEM:
		break;
	}
	log_error("cannot hand over what is stored error=%s", strerror(-written.fault));
	return false;
}

static void on_fault(void *data, const struct image_fault *fault)
{
	log_error("cannot take over a group group=" SLICE_FMT " error=%s",
			SLICE_ARG(fault->key.ptr == NULL ? SLICE("") : fault->key), fault->what);
}

/* All of it, or the old weir goes on. */
static bool read_stored(void *data, int fd)
{
	struct server *server = data;
	struct image_report report = { 0 };
	struct image_read_options options = {
		.checks = { .native_is_right = native_is_right },
		.on_fault = on_fault,
		.is_handed_over = true, /* the ledger that comes with it is of the same groups */
	};
	uint64_t head_bytes;
	if (read(fd, &head_bytes, sizeof(head_bytes)) != sizeof(head_bytes)
			|| lseek(fd, (off_t)head_bytes, SEEK_CUR) < 0) {
		log_error("cannot take over what is stored error=%s", strerror(errno));
		return false;
	}
	server->targets.is_restoring = true;
	enum image_read_result result = image_read(&server->store, fd, &options, &report);
	server->targets.is_restoring = false;
	if (result != IMAGE_READ_OK) {
		log_error("cannot take over what is stored written_by=%s error=%s", report.written_by,
				result == IMAGE_READ_E_SYSTEM ? strerror(-report.fault) : "it cannot be read");
		return false;
	}
	return true;
}

void takeover_stored_adopt(struct server *server)
{
	lseek(server->taker.state_file, sizeof(uint64_t), SEEK_SET);
	durability_take_over(server, server->taker.state_file);
}

void takeover_stored_init(struct server *server)
{
	server->takeover_state = (struct takeover_state){
		.lock = lock,
		.is_ready = is_ready,
		.write = write_stored,
		.resume = resume,
		.read = read_stored,
		.data = server,
	};
}
