#include "server/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

bool data_dir_lock(const char *dir, int *ret_fd)
{
	if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
		log_error("cannot make the data directory path=%s error=%s", dir, strerror(errno));
		return false;
	}
	char *path = memory_alloc(strlen(dir) + sizeof("/lock"));
	sprintf(path, "%s/lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	free(path);
	if (fd < 0) {
		log_error("cannot write the data directory path=%s error=%s", dir, strerror(errno));
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		log_error("the data directory is in use by another weir path=%s", dir);
		close(fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}
