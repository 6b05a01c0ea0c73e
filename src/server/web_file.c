#include "server/web_file.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

static void on_change(void *data)
{
	struct web_file *file = data;
	web_file_reload(file);
}

void web_file_open(struct web_file *file, uv_loop_t *loop, const char *path)
{
	*file = (struct web_file){ .path = memory_copy_string(path) };
	arena_init(&file->config.arena);
	list_init(&file->subscribers);
	file_watch_open(&file->watch, loop, on_change, file);
	if (!web_file_is_used(file)) {
		file_watch_close(&file->watch);
	}
}

void web_file_close(struct web_file *file)
{
	file_watch_close(&file->watch);
}

void web_file_finish(struct web_file *file)
{
	file_watch_finish(&file->watch);
	web_config_finish(&file->config);
	free(file->path);
}

void web_file_subscribe(struct web_file *file, struct web_subscriber *subscriber)
{
	list_init(&subscriber->link);
	list_append(&file->subscribers, &subscriber->link);
}

/* All of them, so that one look mends all. */
static bool check(const struct web_file *file, const struct web_config *config, struct buf *errors)
{
	bool good = true;
	LIST_EACH (link, &file->subscribers) {
		struct web_subscriber *subscriber = LIST_ENTRY(link, struct web_subscriber, link);
		good &= subscriber->check == NULL || subscriber->check(subscriber->data, config, errors);
	}
	return good;
}

/* Each file is marked before it is read. */
static bool read_config(struct web_file *file, struct web_config *config, struct buf *errors)
{
	file_watch_clear(&file->watch);
	file_watch_add(&file->watch, file->path);
	bool is_read = web_config_read(config, file->path, errors);
	file_watch_add(&file->watch, config->tls.cert.file);
	file_watch_add(&file->watch, config->tls.key.file);
	file_watch_add(&file->watch, config->tls.client_ca.file);
	return is_read && check(file, config, errors);
}

/* What is no longer in force may still be referred to until all have the new one. */
static void apply(struct web_file *file, const struct web_config *config)
{
	struct web_config old = file->config;
	file->config = *config;
	LIST_EACH (link, &file->subscribers) {
		struct web_subscriber *subscriber = LIST_ENTRY(link, struct web_subscriber, link);
		subscriber->apply(subscriber->data, &file->config);
	}
	web_config_finish(&old);
}

static void log_errors(const struct web_file *file, const char *what, struct slice errors)
{
	while (errors.len > 0) {
		struct slice line = slice_take_line(&errors);
		log_error("%s file=%s error=%.*s", what, file->path, SLICE_ARG(line));
	}
}

static bool read_and_apply(struct web_file *file, const char *failed)
{
	struct web_config config;
	struct buf errors;
	buf_init(&errors, 0);
	file->was_read = read_config(file, &config, &errors);
	if (file->was_read) {
		file->read_ns = clock_wall_ns();
		apply(file, &config);
	} else {
		log_errors(file, failed, buf_slice(&errors));
		web_config_finish(&config);
	}
	buf_finish(&errors);
	return file->was_read;
}

bool web_file_read(struct web_file *file)
{
	if (web_file_is_used(file)) {
		return read_and_apply(file, "cannot use the web config");
	}
	struct web_config none = { 0 };
	arena_init(&none.arena);
	apply(file, &none);
	return true;
}

bool web_file_reload(struct web_file *file)
{
	if (!web_file_is_used(file)) {
		return true;
	}
	if (!read_and_apply(file, "web config not reloaded, the old one stays in force")) {
		file->reloads_failed++;
		return false;
	}
	file->reloads_good++;
	log_info("web config reloaded file=%s", file->path);
	return true;
}
