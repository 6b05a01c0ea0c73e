#pragma once

/*
 * An import on its way, for the files that make it: import.c leads it,
 * import_line.c makes lines ready on a thread, import_answer.c says what came
 * of it.
 */

#include "api/api.h"
#include "api/push_terms.h"
#include "api/task.h"
#include "http/content.h"
#include "store/push.h"
#include "transfer/line_read.h"

enum { IMPORT_FAULTS_MAX = 20 }; /* that are told */

/* A group line, from when it is read until it is in the store or refused. */
struct import_item {
	uint64_t number;     /* of its line in the body, from 1 */
	struct slice reason; /* why it is refused; ptr NULL: it is not so far */
	struct slice group;  /* its labels, as they are exposed; empty: they could not be read */
	struct line line;
	struct push_terms terms;
	struct prepared_push prepared;
	struct store_push op;
};

struct import_fault {
	uint64_t line;
	struct slice group;
	struct slice reason;
};

struct import_outcome {
	uint64_t groups; /* taken, those without change included */
	uint64_t series; /* of them */
	uint64_t unchanged;
	uint64_t kept; /* groups to which something newer was pushed */
	uint64_t expired;
	uint64_t refused;
	struct import_fault faults[IMPORT_FAULTS_MAX]; /* the first ones, in the exchange's arena */
	size_t fault_count;
	bool is_cut; /* it began like a whole export and does not end like one */
};

struct import {
	struct api_task task;
	struct job job;
	struct ack ack;
	struct list link; /* while it waits for another one to end */
	struct api *api;
	struct exchange *exchange;
	struct api_options options; /* when it began */
	struct job_rules *rules;    /* likewise; held on to */
	bool only_newer;            /* what was pushed later than what the line says stays */
	enum http_coding coding;
	enum http_content_result content;
	bool is_decoded;
	struct buf decoded;
	struct buf content_error;
	struct slice rest;         /* of the body: lines that are not read yet */
	uint64_t number;           /* of the line before it */
	uint64_t gaps;             /* empty slots that it may still leave */
	struct arena arena;        /* of the items */
	struct import_item *items; /* read, to be put into the store */
	size_t item_count;
	size_t next_item;
	struct import_outcome outcome;
};

/* Undoes the body's coding. On any thread. */
void import_decode(struct import *import);

/*
 * Reads the next lines and makes them ready: some, so that never much of what is
 * imported is in memory twice. On any thread, one import at a time.
 */
void import_read_lines(struct import *import);

/* The item is refused; the reason is copied. */
void import_refuse(struct import *import, const struct import_item *item, struct slice reason);

/* The response says what came of all lines. */
void import_set_answer(struct import *import);

/* Or why none was read. */
void import_set_error(struct exchange *exchange, int status, struct slice text);
