#include "cli/check_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A regular file tells its size; then there is room for all of it at once. */
static bool reserve_all(int fd, struct buf *body)
{
	struct stat status;
	bool has_size = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	return !has_size || buf_reserve(body, (size_t)status.st_size + 1);
}

static int read_all(int fd, struct buf *body)
{
	if (!reserve_all(fd, body)) {
		return -EFBIG;
	}
	for (;;) {
		if (body->len == body->capacity && !buf_reserve(body, 1)) {
			return -EFBIG;
		}
		ssize_t count = read(fd, body->ptr + body->len, body->capacity - body->len);
		if (count < 0 && errno != EINTR) {
			return -errno;
		}
		if (count == 0) {
			return 0;
		}
		body->len += count > 0 ? (size_t)count : 0;
	}
}

int check_input_read(const char *file, struct buf *ret_body)
{
	buf_init(ret_body, ((size_t)CHECK_INPUT_MAX_MIB << 20) + 1); /* one more shows the end */
	if (strcmp(file, "-") == 0) {
		return read_all(STDIN_FILENO, ret_body);
	}
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int status = read_all(fd, ret_body);
	close(fd);
	return status;
}
