#include "platter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>

#include "below.h"

enum { SECTOR = 512 };

struct range {
	off_t from;
	off_t to;
};

struct file {
	struct file *next;
	dev_t device;
	ino_t inode;
	/*
	 * Open for reading until the file is gone: so no other file gets its inode
	 * number, and no lock is lost, as they all are when any descriptor is closed.
	 */
	int source;
	int platter;
	unsigned number;      /* of the name in files/ */
	struct range *ranges; /* written and not on the disk */
	size_t range_count;
	size_t range_capacity;
	off_t low; /* the smallest size since it was synced */
};

static int (*next_openat)(int dir, const char *path, int flags, ...);
static int (*next_unlinkat)(int dir, const char *path, int flags);
static ssize_t (*next_pread)(int fd, void *bytes, size_t count, off_t at);
static ssize_t (*next_pwrite)(int fd, const void *bytes, size_t count, off_t at);
static int (*next_ftruncate)(int fd, off_t size);
static int (*next_renameat)(int from_dir, const char *from, int to_dir, const char *to);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char directory[PATH_MAX]; /* "": none, nothing is modelled */
static int tree = -1;
static int files = -1;
static struct file *known;
static unsigned last_number;
static uint64_t dice; /* 0: none are thrown */

static bool sync_directory(int source, int target);

static void find_next(void)
{
	FIND_NEXT(next_openat, "openat64");
	FIND_NEXT(next_unlinkat, "unlinkat");
	FIND_NEXT(next_pread, "pread64");
	FIND_NEXT(next_pwrite, "pwrite64");
	FIND_NEXT(next_ftruncate, "ftruncate64");
	FIND_NEXT(next_renameat, "renameat");
}

/* A test that goes on without its platter would pass for no reason. */
static void demand(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "power_loss: %s: %s\n", what, strerror(errno));
		abort();
	}
}

/* Below the limit, at random. */
static uint64_t throw_dice(uint64_t limit)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % limit;
}

/* ---- Files ---- */

static bool is_modelled(const char *name)
{
	size_t len = strlen(name);
	return len < 4 || strcmp(name + len - 4, "-shm") != 0;
}

static off_t size_of(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 ? status.st_size : 0;
}

static void add_range(struct file *file, off_t from, off_t to)
{
	struct range *last = file->range_count == 0 ? NULL : &file->ranges[file->range_count - 1];
	if (last != NULL && from <= last->to && from >= last->from) {
		last->to = to > last->to ? to : last->to;
		return;
	}
	if (file->range_count == file->range_capacity) {
		file->range_capacity = file->range_capacity * 2 + 8;
		file->ranges = realloc(file->ranges, file->range_capacity * sizeof(*file->ranges));
		demand(file->ranges != NULL, "no memory");
	}
	file->ranges[file->range_count++] = (struct range){ from, to };
}

/* Once a file has no name and nobody can write to it by one, its number may be another's. */
static void forget_gone(void)
{
	struct file **at = &known;
	while (*at != NULL) {
		struct file *file = *at;
		struct stat status;
		if (fstat(file->source, &status) != 0 || status.st_nlink > 0) {
			at = &file->next;
			continue;
		}
		*at = file->next;
		close(file->source);
		close(file->platter);
		free(file->ranges);
		free(file);
	}
}

static struct file *find(const struct stat *status)
{
	for (struct file *file = known; file != NULL; file = file->next) {
		if (file->inode == status->st_ino && file->device == status->st_dev) {
			return file;
		}
	}
	return NULL;
}

/* Takes the source. Its platter is in files/ under that number. */
static struct file *add_file(int source, unsigned number)
{
	char name[16];
	struct stat status;
	struct file *file = calloc(1, sizeof(*file));
	demand(file != NULL && fstat(source, &status) == 0, "cannot open a file again");
	snprintf(name, sizeof(name), "%u", number);
	file->platter = next_openat(files, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	demand(file->platter >= 0, "cannot open files/");
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->source = source;
	file->number = number;
	file->low = status.st_size;
	file->next = known;
	known = file;
	return file;
}

/* One that is not on the disk yet. */
static struct file *add_new_file(int source)
{
	struct file *file = add_file(source, ++last_number);
	if (file->low > 0) {
		add_range(file, 0, file->low);
	}
	return file;
}

/* ---- The beginning ---- */

/* What is on the disk under a name is that file. */
static void adopt_file(int source_dir, int target_dir, const char *name)
{
	char number[16];
	int source = next_openat(source_dir, name, O_RDONLY | O_CLOEXEC);
	if (source < 0) {
		return;
	}
	snprintf(number, sizeof(number), "%u", ++last_number);
	demand(linkat(target_dir, name, files, number, 0) == 0, "cannot link into files/");
	add_file(source, last_number);
}

static void adopt(int source_dir, int target_dir)
{
	DIR *listing = fdopendir(next_openat(target_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	demand(listing != NULL, "cannot read tree/");
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
		if (entry->d_type == DT_REG) {
			adopt_file(source_dir, target_dir, entry->d_name);
		} else if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			int source = next_openat(source_dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			int target = next_openat(target_dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (source >= 0 && target >= 0) {
				adopt(source, target);
			}
			close(source);
			close(target);
		}
	}
	closedir(listing);
}

void platter_begin(void)
{
	find_next();
	if (getenv("POWER_LOSS_OF") == NULL) {
		return;
	}
	char platter[PATH_MAX];
	const char *seed = getenv("POWER_LOSS_SEED");
	demand(directory_of_variable("POWER_LOSS_OF", directory)
					&& directory_of_variable("POWER_LOSS_PLATTER", platter),
			"POWER_LOSS_OF, POWER_LOSS_PLATTER");
	int top = next_openat(AT_FDCWD, platter, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int source = next_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree = next_openat(top, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	files = next_openat(top, "files", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	demand(source >= 0 && tree >= 0 && files >= 0, "tree/ and files/");
	dice = seed == NULL ? 0 : strtoull(seed, NULL, 10) * UINT64_C(0x9e3779b97f4a7c15);
	adopt(source, tree);
	close(source);
	close(top);
	unsetenv("POWER_LOSS_OF"); /* what this process starts has no part in it */
}

/* The file that is open there, locked; NULL, and nothing is: it is not of this disk. */
static struct file *lock_file(int fd)
{
	struct stat status;
	char path[PATH_MAX];
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink == 0) {
		return NULL;
	}
	pthread_mutex_lock(&lock);
	struct file *file = find(&status);
	if (file == NULL) {
		path_of(fd, path);
		if (below(path, directory) != NULL && is_modelled(path)) {
			snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
			file = add_new_file(next_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
		}
	}
	if (file == NULL) {
		pthread_mutex_unlock(&lock);
	}
	return file;
}

/* ---- What gets to the disk ---- */

static void copy(struct file *file, off_t from, off_t to)
{
	char bytes[65536];
	while (from < to) {
		size_t want = to - from < (off_t)sizeof(bytes) ? (size_t)(to - from) : sizeof(bytes);
		ssize_t have = next_pread(file->source, bytes, want, from);
		if (have <= 0) {
			return; /* it has been cut there since */
		}
		demand(next_pwrite(file->platter, bytes, (size_t)have, from) == have, "platter");
		from += have;
	}
}

static void drop(struct file *file)
{
	file->range_count = 0;
	file->low = size_of(file->source);
}

static void sync_file(struct file *file)
{
	if (file->low < size_of(file->platter)) {
		demand(next_ftruncate(file->platter, file->low) == 0, "platter");
	}
	for (size_t i = 0; i < file->range_count; i++) {
		copy(file, file->ranges[i].from, file->ranges[i].to);
	}
	demand(next_ftruncate(file->platter, size_of(file->source)) == 0, "platter");
	drop(file);
}

/* A name of a file becomes that of its platter, in one step. */
static void publish_file(int source_dir, int target_dir, const char *name)
{
	char number[16];
	struct stat status;
	struct stat here;
	struct stat there;
	if (fstatat(source_dir, name, &status, 0) != 0) {
		return;
	}
	struct file *file = find(&status);
	if (file == NULL) {
		file = add_new_file(next_openat(source_dir, name, O_RDONLY | O_CLOEXEC));
	}
	fstat(file->platter, &here);
	if (fstatat(target_dir, name, &there, 0) == 0 && there.st_ino == here.st_ino) {
		return;
	}
	snprintf(number, sizeof(number), "%u", file->number);
	next_unlinkat(files, "next", 0);
	demand(linkat(files, number, files, "next", 0) == 0
					&& next_renameat(files, "next", target_dir, name) == 0,
			"cannot name a file in tree/");
}

static void publish_directory(int source_dir, int target_dir, const char *name)
{
	if (mkdirat(target_dir, name, 0700) != 0) {
		return; /* it is there, with what was synced of it */
	}
	int source = next_openat(source_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int target = next_openat(target_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sync_directory(source, target);
	close(source);
	close(target);
}

static void publish_all(int source, int target)
{
	DIR *listing = fdopendir(next_openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (listing == NULL) {
		return;
	}
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
		if (entry->d_type == DT_REG && is_modelled(entry->d_name)) {
			publish_file(source, target, entry->d_name);
		} else if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0
				&& strcmp(entry->d_name, "..") != 0) {
			publish_directory(source, target, entry->d_name);
		}
	}
	closedir(listing);
}

static void remove_gone(int source, int target)
{
	struct stat status;
	DIR *listing = fdopendir(next_openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	demand(listing != NULL, "cannot read tree/");
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
		if (fstatat(source, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
			next_unlinkat(target, entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
		}
	}
	closedir(listing);
}

/* All names of it; false: it has itself no name on the disk. */
static bool sync_directory(int source, int target)
{
	if (source < 0 || target < 0) {
		return false;
	}
	publish_all(source, target);
	remove_gone(source, target);
	forget_gone();
	return true;
}

static void sync_path(const char *path)
{
	const char *name = below(path, directory);
	if (name != NULL) {
		int source = next_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int target =
				next_openat(tree, *name == '\0' ? "." : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		sync_directory(source, target);
		close(source);
		close(target);
	}
}

/* ---- What gets there earlier ---- */

static void leak_sectors(struct file *file, off_t from, off_t to, uint64_t one_in)
{
	for (off_t at = from / SECTOR * SECTOR; at < to; at += SECTOR) {
		if (throw_dice(one_in) == 0) {
			copy(file, at, at + SECTOR);
		}
	}
}

static void leak(struct file *file, int fd, off_t from, off_t to)
{
	char path[PATH_MAX];
	switch (dice == 0 ? 8 : throw_dice(8)) {
	case 0:
		leak_sectors(file, from, to, 1);
		break;
	case 1:
		leak_sectors(file, from, to, 2);
		break;
	case 2:
		path_of(fd, path);
		*strrchr(path, '/') = '\0';
		sync_path(path);
		break;
	default:
		break;
	}
}

/* ---- What is done to files ---- */

void platter_write(int fd, off_t from, off_t to)
{
	struct file *file = lock_file(fd);
	if (file != NULL) {
		add_range(file, from, to);
		leak(file, fd, from, to);
		pthread_mutex_unlock(&lock);
	}
}

void platter_resize(int fd)
{
	struct file *file = lock_file(fd);
	if (file != NULL) {
		off_t size = size_of(fd);
		file->low = size < file->low ? size : file->low;
		pthread_mutex_unlock(&lock);
	}
}

bool platter_sync(int fd)
{
	struct stat status;
	char path[PATH_MAX];
	struct file *file = lock_file(fd);
	if (file != NULL) {
		sync_file(file);
		pthread_mutex_unlock(&lock);
		return true;
	}
	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		path_of(fd, path);
		if (below(path, directory) != NULL) {
			pthread_mutex_lock(&lock);
			sync_path(path);
			pthread_mutex_unlock(&lock);
			return true;
		}
	}
	return false;
}

void platter_drop(int fd)
{
	struct file *file = lock_file(fd);
	if (file != NULL) {
		drop(file);
		pthread_mutex_unlock(&lock);
	}
}

void platter_lock(void)
{
	pthread_mutex_lock(&lock);
}

void platter_unlock(void)
{
	pthread_mutex_unlock(&lock);
}
