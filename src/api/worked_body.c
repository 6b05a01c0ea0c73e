#include "api/worked_body.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
	SPOT_BYTES = 64 * 1024, /* units up to this size are worked on the spot */
	UNITS_MAX = 4,          /* of one body, worked on or waiting to be shown */
	USED_MAX = 32,          /* of all bodies; beyond it, each has one */
	KEPT_BYTES = 1024 * 1024,
};

enum source_state {
	SOURCE_READY,
	SOURCE_DEFERRED, /* asked again on another turn */
	SOURCE_AWAITS,   /* asked again when a unit came back */
	SOURCE_ENDED,
	SOURCE_FAILED,
};

struct worked_body {
	struct http_body body;
	struct executor *executor;
	struct worked_source *source;
	enum source_state state;
	struct job turn; /* while deferred */
	bool on_turn;
	bool closed;
	bool waited_for;   /* the consumer was told LATER */
	struct list units; // worked_unit::link, in order
	size_t unit_count;
	size_t working;            /* units on threads */
	struct worked_unit *shown; /* the consumer reads it until it calls again */
	struct list spares;        // worked_unit::link
	struct slice parts[WORKED_PARTS_MAX];
};

/* Units of all bodies; the loop thread's. */
static size_t used_count;

/* ---- Units ---- */

static struct worked_unit *take_unit(struct worked_body *worked)
{
	struct list *link = list_first(&worked->spares);
	struct worked_unit *unit;
	used_count++;
	if (link != NULL) {
		list_remove(link);
		unit = LIST_ENTRY(link, struct worked_unit, link);
	} else {
		unit = memory_zalloc(1, sizeof(*unit));
		list_init(&unit->link);
		arena_init(&unit->arena);
		buf_init(&unit->out, 0);
		unit->body = worked;
	}
	unit->data = NULL;
	unit->bytes = 0;
	unit->is_worked = false;
	unit->has_failed = false;
	return unit;
}

static void give_back(struct worked_body *worked, struct worked_unit *unit)
{
	used_count--;
	list_remove(&unit->link);
	arena_reset(&unit->arena);
	buf_reset(&unit->out, KEPT_BYTES);
	list_append(&worked->spares, &unit->link);
}

static void free_units(struct list *units)
{
	LIST_EACH (link, units) {
		struct worked_unit *unit = LIST_ENTRY(link, struct worked_unit, link);
		arena_finish(&unit->arena);
		buf_finish(&unit->out);
		free(unit);
	}
}

static void add_unit(struct worked_body *worked, struct worked_unit *unit)
{
	list_append(&worked->units, &unit->link);
	worked->unit_count++;
}

static void drop_unit(struct worked_body *worked, struct worked_unit *unit)
{
	worked->unit_count--;
	give_back(worked, unit);
}

/* ---- Life ---- */

static void free_when_unused(struct worked_body *worked)
{
	if (!worked->closed || worked->working > 0 || worked->on_turn) {
		return;
	}
	LIST_EACH (link, &worked->units) {
		drop_unit(worked, LIST_ENTRY(link, struct worked_unit, link));
	}
	free_units(&worked->spares);
	worked->source->close(worked->source);
	free(worked);
}

/* ---- Work ---- */

static void on_turn(struct job *job);
static void on_worked(struct job *job);

static void tell_source(struct worked_body *worked, struct worked_unit *unit)
{
	unit->is_worked = true;
	if (worked->source->worked != NULL) {
		worked->source->worked(worked->source, unit);
	}
	if (unit->has_failed) {
		worked->state = SOURCE_FAILED;
	} else if (worked->state == SOURCE_AWAITS) {
		worked->state = SOURCE_READY;
	}
}

/* On a thread: touches nothing but the unit. */
static void work(struct job *job)
{
	struct worked_unit *unit = LIST_ENTRY(job, struct worked_unit, job);
	unit->body->source->work(unit);
}

static void defer(struct worked_body *worked)
{
	worked->on_turn = true;
	worked->turn = (struct job){ .done = on_turn };
	executor_defer(worked->executor, &worked->turn);
}

/* Asks the source for one more. */
static struct worked_unit *gather_unit(struct worked_body *worked)
{
	struct worked_unit *unit = take_unit(worked);
	switch (worked->source->gather(worked->source, unit)) {
	case WORKED_LAST:
		worked->state = SOURCE_ENDED;
		add_unit(worked, unit);
		return unit;
	case WORKED_GATHERED:
		add_unit(worked, unit);
		return unit;
	case WORKED_NOT_NOW:
		worked->state = SOURCE_DEFERRED;
		defer(worked);
		break;
	case WORKED_AWAITS:
		assert(worked->working > 0);
		worked->state = SOURCE_AWAITS;
		break;
	case WORKED_ENDED:
		worked->state = SOURCE_ENDED;
		break;
	}
	give_back(worked, unit);
	return NULL;
}

static bool may_start(const struct worked_body *worked)
{
	bool alone = worked->unit_count == 0;
	return worked->state == SOURCE_READY && worked->unit_count < UNITS_MAX
			&& (alone || used_count < USED_MAX);
}

/* One more unit. Gathering it took the loop's time: the next one waits for another turn. */
static void start_unit(struct worked_body *worked)
{
	struct worked_unit *unit = gather_unit(worked);
	if (unit == NULL) {
		return;
	}
	unit->job = (struct job){ .work = work, .done = on_worked };
	if (unit->bytes > SPOT_BYTES) {
		worked->working++;
		executor_submit(worked->executor, &unit->job);
	} else {
		worked->source->work(unit);
		tell_source(worked, unit);
	}
	if (may_start(worked)) {
		worked->state = SOURCE_DEFERRED;
		defer(worked);
	}
}

/* ---- What there is to show ---- */

/* The first unit with text, when it is there already. */
static struct worked_unit *find_shown(struct worked_body *worked)
{
	struct list *link;
	while ((link = list_first(&worked->units)) != NULL) {
		struct worked_unit *unit = LIST_ENTRY(link, struct worked_unit, link);
		if (!unit->is_worked || unit->out.len > 0) {
			return unit->is_worked ? unit : NULL;
		}
		drop_unit(worked, unit);
	}
	return NULL;
}

static bool has_news(struct worked_body *worked)
{
	return worked->state == SOURCE_FAILED || find_shown(worked) != NULL
			|| (worked->state == SOURCE_ENDED && worked->unit_count == 0);
}

/* Whether there is something for the consumer; units without text make room for others. */
static bool go_on(struct worked_body *worked)
{
	bool news = has_news(worked);
	while (may_start(worked)) {
		start_unit(worked);
		news = has_news(worked);
	}
	return news;
}

static void go_on_and_tell(struct worked_body *worked)
{
	if (worked->closed) {
		free_when_unused(worked);
	} else if (go_on(worked) && worked->waited_for) {
		worked->waited_for = false;
		worked->body.ready(worked->body.ready_data);
	}
}

static void on_turn(struct job *job)
{
	struct worked_body *worked = LIST_ENTRY(job, struct worked_body, turn);
	worked->on_turn = false;
	if (worked->state == SOURCE_DEFERRED) {
		worked->state = SOURCE_READY;
	}
	go_on_and_tell(worked);
}

static void on_worked(struct job *job)
{
	struct worked_unit *unit = LIST_ENTRY(job, struct worked_unit, job);
	struct worked_body *worked = unit->body;
	worked->working--;
	tell_source(worked, unit);
	go_on_and_tell(worked);
}

/* ---- The body ---- */

static enum http_body_state show(
		struct worked_body *worked, struct worked_unit *unit, struct http_piece *ret_piece)
{
	size_t count = 1;
	worked->parts[0] = buf_slice(&unit->out);
	if (worked->source->show != NULL) {
		count = worked->source->show(worked->source, unit, worked->parts);
	}
	list_remove(&unit->link);
	worked->unit_count--;
	worked->shown = unit;
	*ret_piece = (struct http_piece){ .parts = worked->parts, .count = count };
	return HTTP_BODY_PIECE;
}

static enum http_body_state next(struct http_body *body, struct http_piece *ret_piece)
{
	struct worked_body *worked = LIST_ENTRY(body, struct worked_body, body);
	if (worked->shown != NULL) {
		give_back(worked, worked->shown);
		worked->shown = NULL;
	}
	if (!go_on(worked)) {
		worked->waited_for = true;
		return HTTP_BODY_LATER;
	}
	if (worked->state == SOURCE_FAILED) {
		return HTTP_BODY_FAILED;
	}
	struct worked_unit *unit = find_shown(worked);
	return unit == NULL ? HTTP_BODY_END : show(worked, unit, ret_piece);
}

static void close_body(struct http_body *body)
{
	struct worked_body *worked = LIST_ENTRY(body, struct worked_body, body);
	worked->closed = true;
	worked->waited_for = false;
	if (worked->shown != NULL) {
		give_back(worked, worked->shown);
		worked->shown = NULL;
	}
	free_when_unused(worked);
}

struct http_body *worked_body_create(struct executor *executor, struct worked_source *source)
{
	struct worked_body *worked = memory_zalloc(1, sizeof(*worked));
	worked->body.next = next;
	worked->body.close = close_body;
	worked->executor = executor;
	worked->source = source;
	list_init(&worked->units);
	list_init(&worked->spares);
	return &worked->body;
}

bool worked_body_begin(struct http_body *body)
{
	struct worked_body *worked = LIST_ENTRY(body, struct worked_body, body);
	worked->waited_for = !go_on(worked);
	return !worked->waited_for;
}

bool worked_body_has_failed(const struct http_body *body)
{
	return ((const struct worked_body *)(const void *)body)->state == SOURCE_FAILED;
}
