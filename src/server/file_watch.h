#pragma once

/*
 * Notices that files change: by looking at each about once a second, symlinks
 * followed, so that it sees whatever somebody does: writing, renaming over,
 * or exchanging the symlink that leads there, as Kubernetes does.
 *
 * A file is marked when it is added, which is to be done before it is read:
 * what changes while it is read is noticed, too. A change is reported when
 * nothing has changed for a moment, so that files are seldom read half-written.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* What differs when a file was written or exchanged; all 0: there is none. */
struct file_mark {
	uint64_t device;
	uint64_t inode;
	uint64_t bytes;
	int64_t changed_ns;
};

struct watched_file {
	char *path;
	struct file_mark added; /* as it was then */
	struct file_mark seen;  /* at the last look */
};

struct file_watch {
	uv_timer_t timer;
	uv_fs_t stat; /* on a thread: a file system may be slow */
	struct watched_file *files;
	size_t count;
	size_t at;        /* being looked at */
	bool is_looking;  /* a stat is under way */
	bool is_outdated; /* and its answer is about files of before */
	bool has_moved;   /* since the last look */
	bool closing;
	void (*on_change)(void *data);
	void *data;
};

void file_watch_open(
		struct file_watch *watch, uv_loop_t *loop, void (*on_change)(void *data), void *data);

/* Ends with the loop; file_watch_finish() after that. */
void file_watch_close(struct file_watch *watch);
void file_watch_finish(struct file_watch *watch);

/* Forgets all files. */
void file_watch_clear(struct file_watch *watch);

/* From now on also this one. NULL: nothing. */
void file_watch_add(struct file_watch *watch, const char *path);
