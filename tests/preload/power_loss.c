/*
 * Preloaded into weir: a disk that loses what was not synced when power is cut.
 *
 * Files below the directory POWER_LOSS_OF work as ever. Beside them, in the
 * directory POWER_LOSS_PLATTER, is what the disk has, if power is cut now:
 *
 *     tree/    the files, by the names that are on the disk
 *     files/   the same files by number, also those that have no name there
 *
 * The test makes both; tree/ begins with what is on the disk before the start. To
 * cut power it kills the process, in whatever moment, puts a copy of tree/ in the
 * place of POWER_LOSS_OF, and empties files/.
 *
 * What gets to the disk is the least that POSIX promises:
 *
 *     a file's bytes and size   when fsync() or fdatasync() of it returns
 *     a name that is new, gone  when fsync() of its directory returns; fsync() of the
 *     or another file's         file is not enough (on ext4 it is)
 *
 * With a number in POWER_LOSS_SEED, other than 0, anything may get there earlier
 * and in any order, as a kernel would do it: after each write dice decide whether all
 * of it, some of its sectors of 512 bytes, or the names of its directory do. So
 * writes are torn, and a later one may be there without an earlier one.
 *
 * power_loss_drop(fd) is for who lets an fsync() fail: what it should have written
 * is taken for written, as by Linux, and will be written by no other one.
 *
 * Left out: files whose names end in -shm, which SQLite makes anew; writing to
 * mapped memory; files opened with O_TRUNC or O_SYNC. When killed amid an fsync() of a
 * directory, new names may be on the disk and old ones not yet gone. The disk itself
 * is never synced: it outlives the process, and that is fast.
 */

#undef _FILE_OFFSET_BITS /* pwrite() and pwrite64() are to be two names */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "below.h"
#include "platter.h"

static ssize_t (*next_write)(int fd, const void *bytes, size_t count);
static ssize_t (*next_pwrite)(int fd, const void *bytes, size_t count, off_t at);
static ssize_t (*next_writev)(int fd, const struct iovec *parts, int count);
static ssize_t (*next_pwritev)(int fd, const struct iovec *parts, int count, off_t at);
static int (*next_ftruncate)(int fd, off_t size);
static int (*next_fallocate)(int fd, int mode, off_t at, off_t size);
static int (*next_posix_fallocate)(int fd, off_t at, off_t size);
static int (*next_fsync)(int fd);
static int (*next_rename)(const char *from, const char *to);
static int (*next_renameat)(int from_dir, const char *from, int to_dir, const char *to);

static __attribute__((constructor)) void begin(void)
{
	FIND_NEXT(next_write, "write");
	FIND_NEXT(next_pwrite, "pwrite64");
	FIND_NEXT(next_writev, "writev");
	FIND_NEXT(next_pwritev, "pwritev64");
	FIND_NEXT(next_ftruncate, "ftruncate64");
	FIND_NEXT(next_fallocate, "fallocate64");
	FIND_NEXT(next_posix_fallocate, "posix_fallocate64");
	FIND_NEXT(next_fsync, "fsync");
	FIND_NEXT(next_rename, "rename");
	FIND_NEXT(next_renameat, "renameat");
	platter_begin();
}

/* At -1: where the file is now. */
static ssize_t written(int fd, off_t from, ssize_t count)
{
	int fault = errno;
	if (count > 0) {
		from = from < 0 ? lseek(fd, 0, SEEK_CUR) - count : from;
		platter_write(fd, from, from + count);
	}
	errno = fault;
	return count;
}

static int resized(int fd, int result)
{
	if (result == 0) {
		platter_resize(fd);
	}
	return result;
}

void power_loss_drop(int fd);
void power_loss_drop(int fd)
{
	platter_drop(fd);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	return written(fd, -1, next_write(fd, bytes, count));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return written(fd, -1, next_writev(fd, parts, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	return written(fd, at, next_pwrite(fd, bytes, count, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
	return written(fd, at, next_pwrite(fd, bytes, count, at));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	return written(fd, at, next_pwritev(fd, parts, count, at));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
	return written(fd, at, next_pwritev(fd, parts, count, at));
}

int ftruncate(int fd, off_t size)
{
	return resized(fd, next_ftruncate(fd, size));
}

int ftruncate64(int fd, off_t size)
{
	return resized(fd, next_ftruncate(fd, size));
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
	return resized(fd, next_fallocate(fd, mode, at, size));
}

int fallocate64(int fd, int mode, off_t at, off_t size)
{
	return resized(fd, next_fallocate(fd, mode, at, size));
}

int posix_fallocate(int fd, off_t at, off_t size)
{
	return resized(fd, next_posix_fallocate(fd, at, size));
}

int posix_fallocate64(int fd, off_t at, off_t size)
{
	return resized(fd, next_posix_fallocate(fd, at, size));
}

int fsync(int fd)
{
	return platter_sync(fd) ? 0 : next_fsync(fd);
}

int fdatasync(int fd)
{
	return platter_sync(fd) ? 0 : next_fsync(fd);
}

/* It promises nothing about the disk. */
int sync_file_range(int fd, off_t at, off_t count, unsigned flags)
{
	return 0;
}

static int unlocked(int result)
{
	int fault = errno;
	platter_unlock();
	errno = fault;
	return result;
}

int rename(const char *from, const char *to)
{
	platter_lock();
	return unlocked(next_rename(from, to));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	platter_lock();
	return unlocked(next_renameat(from_dir, from, to_dir, to));
}
