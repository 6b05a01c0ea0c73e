#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

char *path_join(const char *path, const char *suffix)
{
	size_t path_len = strlen(path);
	size_t suffix_bytes = strlen(suffix) + 1;
	char *joined = memory_alloc(path_len + suffix_bytes);
	memcpy(joined, path, path_len);
	memcpy(joined + path_len, suffix, suffix_bytes);
	return joined;
}

char *path_resolve(const char *path)
{
	struct stat status;
	if (lstat(path, &status) != 0) {
		return errno == ENOENT ? memory_copy_string(path) : NULL;
	}
	return S_ISLNK(status.st_mode) ? realpath(path, NULL) : memory_copy_string(path);
}

bool path_sync_directory(const char *path)
{
	char *directory = memory_copy_string(path);
	char *slash = strrchr(directory, '/');
	if (slash != NULL) {
		slash[slash == directory] = '\0';
	}
	int fd = open(slash == NULL ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(directory);
	bool is_synced = fd >= 0 && fsync(fd) == 0;
	int fault = errno;
	if (fd >= 0) {
		close(fd);
	}
	errno = fault;
	return is_synced;
}

bool path_remove(const char *path, const char *suffix)
{
	char *joined = path_join(path, suffix);
	bool is_gone = unlink(joined) == 0 || errno == ENOENT;
	int fault = errno;
	free(joined);
	errno = fault;
	return is_gone;
}
