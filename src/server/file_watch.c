#include "server/file_watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

enum {
	LOOK_EVERY_MS = 1000,
	SETTLE_MS = 100, /* without a change, before one is reported */
};

static void look_at_next(struct file_watch *watch);

static bool marks_equal(const struct file_mark *a, const struct file_mark *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes
			&& a->changed_ns == b->changed_ns;
}

static int64_t to_ns(int64_t seconds, int64_t ns)
{
	return seconds * 1000000000 + ns;
}

static struct file_mark mark_now(const char *path)
{
	struct stat stat_now;
	if (stat(path, &stat_now) != 0) {
		return (struct file_mark){ 0 };
	}
	return (struct file_mark){
		.device = stat_now.st_dev,
		.inode = stat_now.st_ino,
		.bytes = (uint64_t)stat_now.st_size,
		.changed_ns = to_ns(stat_now.st_mtim.tv_sec, stat_now.st_mtim.tv_nsec),
	};
}

static struct file_mark mark_of(const uv_fs_t *stat_done)
{
	const uv_stat_t *found = &stat_done->statbuf;
	if (stat_done->result != 0) {
		return (struct file_mark){ 0 };
	}
	return (struct file_mark){
		.device = found->st_dev,
		.inode = found->st_ino,
		.bytes = found->st_size,
		.changed_ns = to_ns(found->st_mtim.tv_sec, found->st_mtim.tv_nsec),
	};
}

static bool has_changed(const struct file_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (!marks_equal(&watch->files[i].seen, &watch->files[i].added)) {
			return true;
		}
	}
	return false;
}

static void on_timer(uv_timer_t *timer)
{
	struct file_watch *watch = timer->data;
	watch->at = 0;
	watch->has_moved = false;
	watch->is_outdated = false;
	look_at_next(watch);
}

static void look_later(struct file_watch *watch, uint64_t wait_ms)
{
	uv_timer_start(&watch->timer, on_timer, wait_ms, 0);
}

static void end_look(struct file_watch *watch)
{
	bool changed = has_changed(watch);
	look_later(watch, changed && watch->has_moved ? SETTLE_MS : LOOK_EVERY_MS);
	if (changed && !watch->has_moved) {
		watch->on_change(watch->data);
	}
}

static void on_stat(uv_fs_t *stat_done)
{
	struct file_watch *watch = stat_done->data;
	struct file_mark mark = mark_of(stat_done);
	uv_fs_req_cleanup(stat_done);
	watch->is_looking = false;
	if (watch->closing) {
		return;
	}
	if (watch->is_outdated) {
		look_later(watch, LOOK_EVERY_MS);
		return;
	}
	struct watched_file *file = &watch->files[watch->at++];
	watch->has_moved |= !marks_equal(&file->seen, &mark);
	file->seen = mark;
	look_at_next(watch);
}

static void look_at_next(struct file_watch *watch)
{
	if (watch->at == watch->count) {
		end_look(watch);
		return;
	}
	const char *path = watch->files[watch->at].path;
	watch->is_looking = uv_fs_stat(watch->timer.loop, &watch->stat, path, on_stat) == 0;
	if (!watch->is_looking) {
		look_later(watch, LOOK_EVERY_MS);
	}
}

void file_watch_open(
		struct file_watch *watch, uv_loop_t *loop, void (*on_change)(void *data), void *data)
{
	*watch = (struct file_watch){ .on_change = on_change, .data = data };
	uv_timer_init(loop, &watch->timer);
	watch->timer.data = watch;
	watch->stat.data = watch;
	look_later(watch, LOOK_EVERY_MS);
}

void file_watch_close(struct file_watch *watch)
{
	if (!watch->closing) {
		watch->closing = true;
		uv_close((uv_handle_t *)&watch->timer, NULL);
	}
}

void file_watch_finish(struct file_watch *watch)
{
	file_watch_clear(watch);
	free(watch->files);
}

void file_watch_clear(struct file_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		free(watch->files[i].path);
	}
	watch->count = 0;
	watch->is_outdated = true;
}

void file_watch_add(struct file_watch *watch, const char *path)
{
	if (path == NULL) {
		return;
	}
	size_t bytes = (watch->count + 1) * sizeof(*watch->files);
	watch->files = memory_resize(watch->files, bytes);
	struct file_mark mark = mark_now(path);
	watch->files[watch->count++] = (struct watched_file){
		.path = memory_copy_string(path),
		.added = mark,
		.seen = mark,
	};
	watch->is_outdated = true;
}
