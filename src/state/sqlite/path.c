#include "state/sqlite/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/path.h"

char *sqlite_path_resolve(const char *path)
{
	struct stat status;
	if (lstat(path, &status) != 0) {
		return errno == ENOENT ? memory_copy_string(path) : NULL;
	}
	return S_ISLNK(status.st_mode) ? realpath(path, NULL) : memory_copy_string(path);
}

bool sqlite_path_remove(const char *path, const char *suffix)
{
	char *joined = path_join(path, suffix);
	bool is_gone = unlink(joined) == 0 || errno == ENOENT;
	int fault = errno;
	free(joined);
	errno = fault;
	return is_gone;
}
