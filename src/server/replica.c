#include "server/replica.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "server/parts.h"

static const char replica_name[] = "/replica";

/* False: errno says why. */
static bool read_replica(const char *path, char ret_text[static TARGET_ID_TEXT + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct target_id id;
	if (fd < 0) {
		return false;
	}
	ssize_t len = read(fd, ret_text, TARGET_ID_TEXT);
	close(fd);
	ret_text[TARGET_ID_TEXT] = '\0';
	bool is_good =
			len == TARGET_ID_TEXT && target_id_parse(slice_make(ret_text, TARGET_ID_TEXT), &id);
	errno = is_good ? 0 : EINVAL;
	return is_good;
}

static bool write_replica(const char *path, char ret_text[static TARGET_ID_TEXT + 1])
{
	struct target_id id = target_id_make();
	target_id_format(&id, ret_text);
	ret_text[TARGET_ID_TEXT] = '\0';
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool is_written = fd >= 0 && write(fd, ret_text, TARGET_ID_TEXT) == TARGET_ID_TEXT
			&& write(fd, "\n", 1) == 1 && fsync(fd) == 0;
	if (fd >= 0) {
		close(fd);
	}
	return is_written;
}

void replica_find(const struct server *server, char ret_text[static TARGET_ID_TEXT + 1])
{
	char *path = path_join(server->data_dir.path, replica_name);
	if (!read_replica(path, ret_text) && !write_replica(path, ret_text)) {
		log_warn("cannot write down which weir this is, the next start counts pushes anew path=%s "
				 "error=%s",
				path, strerror(errno));
	}
	free(path);
}
