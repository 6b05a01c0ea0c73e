#pragma once

/*
 * Owns what the file of --web.config.file says, and reads it anew when it or a
 * file that it names has changed, or when told to.
 *
 * Whoever goes by it subscribes. A new file is in force when it could be read
 * and every subscriber agrees to it; otherwise the old one stays as a whole,
 * and the log says why.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "config/web_config.h"
#include "server/file_watch.h"

struct web_subscriber {
	struct list link;
	/* Whether it can go by this config. If not, `errors` gets a line for each reason. NULL: yes. */
	bool (*check)(void *data, const struct web_config *config, struct buf *errors);
	/* Goes by it from now on. The config stays until the next such call has returned. */
	void (*apply)(void *data, const struct web_config *config);
	void *data;
};

struct web_file {
	char *path;               /* empty: there is none, and nothing is configured */
	struct web_config config; /* in force */
	struct file_watch watch;
	struct list subscribers; // web_subscriber::link, in order

	/* For own metrics. */
	bool was_read;   /* the last time */
	int64_t read_ns; /* the last time it could be; wall clock */
	uint64_t reloads_good;
	uint64_t reloads_failed;
};

void web_file_open(struct web_file *file, uv_loop_t *loop, const char *path);

/* Ends with the loop; web_file_finish() after that. Repeatable. */
void web_file_close(struct web_file *file);
void web_file_finish(struct web_file *file);

static inline bool web_file_is_used(const struct web_file *file)
{
	return file->path[0] != '\0';
}

/* Before the file is read; each is called in the order of subscribing. */
void web_file_subscribe(struct web_file *file, struct web_subscriber *subscriber);

/*
 * For the first time: applies it, or an empty one without a path. False: the
 * log says what is wrong, and nothing was applied.
 */
bool web_file_read(struct web_file *file);

/* Once more. False: the old one stays in force, the log says why. */
bool web_file_reload(struct web_file *file);
