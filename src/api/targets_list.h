#pragma once

/*
 * A body that goes through the targets, some on each turn of the loop, and has
 * something written for those that are wanted. Targets that come and go meanwhile may be
 * there or not.
 *
 * Where they are wanted in some other order, it first goes through all of them to gather what they
 * are ordered by, and then writes those of the page.
 */

#include "api/api.h"
#include "api/targets_query.h"
#include "base/buf.h"
#include "base/map.h"

struct targets_list;

/* What is written. Each may be NULL. */
struct targets_writer {
	struct slice content_type;
	bool needs_address;                         /* of weir itself */
	unsigned modes;                             /* that it shows, as bits */
	unsigned modes_asked;                       /* further ones, to who asks for them */
	bool is_costly;                             /* few on a turn of the loop, lest it take long */
	bool (*takes)(const struct target *target); /* of these */
	struct slice begin;
	struct slice between;
	/* False: this one is left out. */
	bool (*append)(struct targets_list *list, struct buf *out, const struct target *target);
	void (*end)(struct targets_list *list, struct buf *out);
};

struct targets_list {
	struct http_body body;
	struct job turn;
	struct api *api;
	const struct targets_writer *writer;
	struct targets_query query;
	struct registry_walk walk;
	struct arena arena;   /* the query, and what the writer keeps */
	struct slice address; /* of weir itself, for whoever asks, if the writer needs it */
	struct slice scheme;
	struct map seen; /* the writer's: lines that are there already */
	struct targets_sort sort;
	size_t written; /* of those in order: the next one */
	size_t found;   /* targets that are wanted, those of other pages included */
	size_t shown;
	struct buf out;
	struct slice part;
	bool is_in_order; /* they are sorted, or need not be */
	bool is_begun;
	bool is_over;
	bool is_rested;  /* since the last piece */
	bool is_waiting; /* for its turn */
	bool is_closed;  /* meanwhile */
};

/* For a writer: how many there are, and which of them are on the page; its array and object end. */
void targets_list_end_page(struct targets_list *list, struct buf *out);

/* Its query is to be filled in. To be sent, or dropped. */
struct targets_list *targets_list_create(struct api *api, const struct targets_writer *writer);
void targets_list_drop(struct targets_list *list);

/* Answers the exchange with it. */
void targets_list_send(struct targets_list *list, struct exchange *exchange);

/*
 * Answers the exchange with the list, or says what is wrong with its query. To be
 * called when nothing else needs to be said.
 */
void targets_list_answer(struct api *api, struct exchange *exchange, enum stats_handler handler,
		const struct targets_writer *writer, bool has_pages);
