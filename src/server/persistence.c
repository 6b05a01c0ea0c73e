#include "server/persistence.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "format/protobuf_native.h"
#include "server/notify.h"
#include "server/saver.h"
#include "server/state_file.h"
#include "state/image.h"

enum {
	BUSY_MS = 10, /* until a store that cannot be read is tried again */
	RETRY_MS_MIN = 1000,
	RETRY_MS_MAX = 60 * 1000,
	FAULTS_LOGGED_MAX = 20, /* of one file */
};

struct persistence {
	struct server *server;
	struct state_file file;
	struct saver saver;
	uv_timer_t timer; /* to the next saving */
	struct store_listener listener;
	uint64_t changes;                  /* of the store, so far */
	uint64_t saved;                    /* of them, those in the file */
	uint64_t saving;                   /* of them, those that will be when the saving is done */
	uint64_t first_unsaved_ns;         /* when the first one was made that is not; monotonic */
	uint64_t retry_ms;                 /* 0: the last saving went well */
	struct state_fault_of_file logged; /* the fault that it has failed with since then */
	bool is_closing;
	bool is_held;    /* the next saving has to wait */
	bool has_damage; /* what is in the file is not all that was */
	struct stats_state stats;
};

/* ---- When to save ---- */

static void on_timer(uv_timer_t *timer);

static void save_in(struct persistence *p, uint64_t ms)
{
	if (!p->is_closing) {
		uv_update_time(&p->server->loop);
		uv_timer_start(&p->timer, on_timer, ms, 0);
	}
}

/* What is left of the interval since the first change that is not in the file. */
static void save_when_due(struct persistence *p)
{
	uint64_t interval_ns = (uint64_t)p->server->config->persistence_interval_ns;
	uint64_t passed_ns = clock_monotonic_ns() - p->first_unsaved_ns;
	uint64_t left_ns = passed_ns < interval_ns ? interval_ns - passed_ns : 0;
	save_in(p, (left_ns + 999999) / 1000000);
}

static void on_change(struct store_listener *listener, const struct store_change *change)
{
	struct persistence *p = LIST_ENTRY(listener, struct persistence, listener);
	uint64_t covered = p->saver.is_running ? p->saving : p->saved;
	if (p->changes++ == covered) {
		p->first_unsaved_ns = clock_monotonic_ns();
		if (!p->saver.is_running && p->retry_ms == 0) {
			save_when_due(p);
		}
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct persistence *p = timer->data;
	p->saving = p->changes;
	if (p->is_held || !saver_begin(&p->saver, &p->server->store)) {
		save_in(p, BUSY_MS);
	}
}

/* ---- What came of it ---- */

static bool is_same_fault(const struct state_fault_of_file *a, const struct state_fault_of_file *b)
{
	return a->number == b->number && (a->number == 0 || strcmp(a->step, b->step) == 0);
}

/* Once for each fault; until it is mended, or another comes. */
static void log_failure(struct persistence *p, const struct state_fault_of_file *fault)
{
	if (!is_same_fault(&p->logged, fault)) {
		log_error("cannot write the state path=%s step=%s error=%s", p->file.path, fault->step,
				strerror(-fault->number));
		p->logged = *fault;
	}
}

static void take_result(struct persistence *p, const struct saver_result *result)
{
	double seconds = (double)(clock_monotonic_ns() - result->began_ns) / 1e9;
	if (result->fault.number != 0) {
		p->stats.write_failures++;
		log_failure(p, &result->fault);
		return;
	}
	if (p->logged.number != 0) {
		log_info("the state is written again path=%s", p->file.path);
		p->logged = (struct state_fault_of_file){ 0 };
	}
	p->has_damage = false;
	p->saved = p->saving;
	p->stats.write_seconds = seconds;
	p->stats.write_bytes = result->bytes;
	p->stats.last_write_ns = clock_wall_ns();
	log_debug("state written path=%s bytes=%llu seconds=%.3f", p->file.path,
			(unsigned long long)result->bytes, seconds);
}

static void on_saved(void *data, const struct saver_result *result)
{
	struct persistence *p = data;
	take_result(p, result);
	if (result->fault.number != 0) {
		p->retry_ms = p->retry_ms == 0 ? RETRY_MS_MIN : p->retry_ms * 2;
		p->retry_ms = p->retry_ms > RETRY_MS_MAX ? RETRY_MS_MAX : p->retry_ms;
		save_in(p, p->retry_ms);
		return;
	}
	p->retry_ms = 0;
	if (p->changes != p->saved) {
		save_when_due(p);
	}
}

/* ---- Loading ---- */

static void on_fault(void *data, const struct image_fault *fault)
{
	struct persistence *p = data;
	if (++p->stats.records_set_aside > FAULTS_LOGGED_MAX) {
		return;
	}
	if (fault->key.ptr != NULL) {
		log_warn("cannot read a group path=%s group=%.*s place=%llu error=%s", p->file.path,
				SLICE_ARG(fault->key), (unsigned long long)fault->place, fault->what);
	} else {
		log_warn("cannot read a part of the state path=%s place=%llu error=%s", p->file.path,
				(unsigned long long)fault->place, fault->what);
	}
}

static void log_loaded(struct persistence *p, const struct image_report *report, uint64_t began_ns)
{
	p->stats.groups_loaded = report->groups;
	log_info("state loaded path=%s groups=%llu series=%llu bytes=%llu expired=%llu unreadable=%llu "
			 "seconds=%.3f",
			p->file.path, (unsigned long long)report->groups, (unsigned long long)report->series,
			(unsigned long long)report->bytes, (unsigned long long)report->expired,
			(unsigned long long)report->faults, (double)(clock_monotonic_ns() - began_ns) / 1e9);
}

static bool load_from(struct persistence *p, int fd)
{
	struct image_report report;
	struct image_read_options options = {
		.checks = { .native_is_right = native_is_right },
		.on_fault = on_fault,
		.data = p,
	};
	uint64_t began_ns = clock_monotonic_ns();
	switch (image_read(&p->server->store, fd, &options, &report)) {
	case IMAGE_READ_OK:
		log_loaded(p, &report, began_ns);
		return true;
	case IMAGE_READ_DAMAGED:
		p->has_damage = true;
		log_loaded(p, &report, began_ns);
		return state_file_set_aside(&p->file);
	case IMAGE_READ_E_FOREIGN:
		log_error("the persistence file is no state of weir and is left untouched path=%s",
				p->file.path);
		return false;
	case IMAGE_READ_E_NEWER:
		log_error("the persistence file is of a newer weir and is left untouched path=%s "
				  "written_by=%s",
				p->file.path, report.written_by);
		return false;
	case IMAGE_READ_E_SYSTEM:
		break;
	}
	log_error("cannot read the persistence file path=%s error=%s", p->file.path,
			strerror(-report.fault));
	return false;
}

static bool load(struct persistence *p)
{
	int fd = state_file_read(&p->file);
	if (fd == -ENOENT) {
		if (state_file_has_given(&p->file)) {
			log_warn("a Pushgateway's state is there, which weir does not read; it is left "
					 "untouched path=%s",
					p->file.given);
		}
		log_info("no state yet path=%s", p->file.path);
		return true;
	}
	if (fd < 0) {
		log_error("cannot read the persistence file path=%s error=%s", p->file.path, strerror(-fd));
		return false;
	}
	bool is_loaded = load_from(p, fd);
	close(fd);
	return is_loaded;
}

/*
 * What is taken over is to be written in the place of what the weir before wrote,
 * but not of anything else.
 */
static bool may_replace(const struct persistence *p)
{
	if (p->file.is_taken_over || access(p->file.path, F_OK) != 0) {
		return true;
	}
	log_error("the running weir does not keep its state in the persistence file, and something is "
			  "there that would be lost: move it away, or name another path=%s",
			p->file.path);
	return false;
}

/* ---- Life ---- */

bool persistence_open(struct server *server)
{
	if (server->config->persistence_file[0] == '\0') {
		return true;
	}
	struct persistence *p = memory_zalloc(1, sizeof(*p));
	p->server = server;
	p->stats.is_kept = true;
	p->listener.on_change = on_change;
	bool is_open = state_file_open(&p->file, server->config->persistence_file, &server->taker)
			&& (server->config->takeover ? may_replace(p) : load(p));
	if (!is_open) {
		state_file_close(&p->file);
		free(p);
		return false;
	}
	server->persistence = p;
	saver_open(&p->saver, &server->loop, &p->file, on_saved, p);
	uv_timer_init(&server->loop, &p->timer);
	p->timer.data = p;
	store_subscribe(&server->store, &p->listener);
	if (p->has_damage) {
		save_in(p, 0);
	}
	return true;
}

void persistence_mark_changed(struct server *server)
{
	struct persistence *p = server->persistence;
	if (p != NULL) {
		p->changes++;
		p->first_unsaved_ns = clock_monotonic_ns();
		save_in(p, 0);
	}
}

void persistence_hold(struct server *server, bool is_held)
{
	if (server->persistence != NULL) {
		server->persistence->is_held = is_held;
	}
}

bool persistence_is_saving(const struct server *server)
{
	return server->persistence != NULL && server->persistence->saver.is_running;
}

int persistence_lock(const struct server *server)
{
	return server->persistence == NULL ? -1 : server->persistence->file.lock;
}

void persistence_close(struct server *server)
{
	struct persistence *p = server->persistence;
	if (p != NULL) {
		p->is_closing = true;
		uv_close((uv_handle_t *)&p->timer, NULL);
		saver_close(&p->saver, NULL);
	}
}

bool persistence_finish(struct server *server)
{
	struct persistence *p = server->persistence;
	bool is_saved = true;
	if (p == NULL) {
		return true;
	}
	/* What another weir has taken over, it keeps. */
	if (!server->is_handed_over && (p->changes != p->saved || p->has_damage)) {
		struct saver_result result;
		struct notify_saving notified;
		/* Whoever is impatient now would lose what the first signal has us write. */
		signal(SIGTERM, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		p->saving = p->changes;
		p->logged = (struct state_fault_of_file){ 0 };
		store_finish_deletion(&server->store);
		notify_saving_begin(&notified);
		is_saved = saver_save_now(&p->file, &server->store, &result);
		notify_saving_end(&notified);
		take_result(p, &result);
	}
	list_remove(&p->listener.link);
	state_file_close(&p->file);
	free(p);
	server->persistence = NULL;
	return is_saved;
}

void persistence_collect(const struct server *server, struct stats_state *stats)
{
	if (server->persistence != NULL) {
		*stats = server->persistence->stats;
	}
}
