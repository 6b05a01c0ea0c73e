#pragma once

/*
 * For what is preloaded: what the C library would have done, and whether a
 * descriptor is of something below a directory.
 */

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The function of that name that comes next; the pointer is of any function's type. */
#define FIND_NEXT(pointer, name) (*(void **)&(pointer) = dlsym(RTLD_NEXT, name))

/* The directory that a variable names, without symbolic links; false: it names none. */
static inline bool directory_of_variable(const char *name, char ret_path[static PATH_MAX])
{
	const char *value = getenv(name);
	return value != NULL && realpath(value, ret_path) != NULL;
}

/* The rest of the path behind the directory, "" for itself; NULL: it is not below. */
static inline const char *below(const char *path, const char *directory)
{
	size_t len = strlen(directory);
	if (len == 0 || strncmp(path, directory, len) != 0) {
		return NULL;
	}
	return path[len] == '/' ? path + len + 1 : path[len] == '\0' ? path + len : NULL;
}

/* Where what is open was found, or "". */
static inline void path_of(int fd, char ret_path[static PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, ret_path, PATH_MAX - 1);
	ret_path[len < 0 ? 0 : len] = '\0';
}
