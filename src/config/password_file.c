#include "config/password_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PASSWORD_MAX = 4096 };

/* Without the end of its line. */
static bool take_password(char *line, struct buf *error)
{
	size_t len = strcspn(line, "\r\n");
	if (len == 0) {
		buf_append_string(error, "its first line is empty: the password has to stand there");
		return false;
	}
	if (len == PASSWORD_MAX) {
		buf_printf(error, "its first line is too long: a password has less than %d bytes",
				PASSWORD_MAX);
		return false;
	}
	line[len] = '\0';
	return true;
}

/* False: errno says why. */
static bool read_line(const char *path, char ret_line[static PASSWORD_MAX + 1])
{
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	bool is_read = fgets(ret_line, PASSWORD_MAX + 1, file) != NULL || !ferror(file);
	int fault = errno;
	fclose(file);
	errno = fault;
	return is_read;
}

char *password_file_read(const char *path, struct buf *error)
{
	char *line = memory_zalloc(PASSWORD_MAX + 1, 1);
	bool is_read = read_line(path, line);
	if (!is_read) {
		buf_append_string(error, strerror(errno));
	}
	if (is_read && take_password(line, error)) {
		return line;
	}
	free(line);
	return NULL;
}
