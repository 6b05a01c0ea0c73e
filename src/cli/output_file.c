#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/path.h"

/* As a file that a shell makes. */
static mode_t usual_mode(void)
{
	mode_t mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

static int open_as_it_is(struct output_file *file, const char *path)
{
	file->fd = open(path, O_WRONLY | O_CLOEXEC);
	return file->fd < 0 ? errno : 0;
}

static int open_draft(struct output_file *file, const char *path)
{
	static const char suffix[] = ".tmp-XXXXXX";
	size_t bytes = strlen(path) + sizeof(suffix);
	file->draft = memory_alloc(bytes);
	snprintf(file->draft, bytes, "%s%s", path, suffix);
	file->fd = mkostemp(file->draft, O_CLOEXEC);
	if (file->fd < 0) {
		int fault = errno;
		free(file->draft);
		return fault;
	}
	file->path = memory_copy_string(path);
	return fchmod(file->fd, usual_mode()) == 0 ? 0 : errno;
}

int output_file_open(struct output_file *file, const char *path)
{
	struct stat status;
	*file = (struct output_file){ .fd = STDOUT_FILENO };
	if (path == NULL) {
		return 0;
	}
	if (stat(path, &status) != 0) {
		return open_draft(file, path);
	}
	if (!S_ISREG(status.st_mode)) {
		return open_as_it_is(file, path);
	}
	/* A link stays one: what it leads to is replaced. */
	char *real = realpath(path, NULL);
	int fault = real == NULL ? errno : open_draft(file, real);
	free(real);
	return fault;
}

int output_file_write(struct output_file *file, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t count = write(file->fd, bytes.ptr, bytes.len);
		if (count >= 0) {
			bytes = slice_skip(bytes, (size_t)count);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

static void finish(struct output_file *file)
{
	if (file->fd != STDOUT_FILENO) {
		close(file->fd);
	}
	free(file->path);
	free(file->draft);
}

int output_file_commit(struct output_file *file)
{
	if (file->path != NULL && (fsync(file->fd) != 0 || rename(file->draft, file->path) != 0)) {
		int fault = errno;
		output_file_abandon(file);
		return fault;
	}
	int fault = file->path == NULL || path_sync_directory(file->path) ? 0 : errno;
	finish(file);
	return fault;
}

void output_file_abandon(struct output_file *file)
{
	if (file->path != NULL) {
		unlink(file->draft);
	}
	finish(file);
}
