#pragma once

/*
 * The file that holds what is stored over a restart, on disk: PATH.weir beside
 * a given PATH, which may be a Pushgateway's and is never touched.
 *
 *     PATH.weir.lock           held by the weir that uses it
 *     PATH.weir.tmp-XXXXXX     being written; takes the place of PATH.weir when it is on disk
 *     PATH.weir.damaged-TIME   one that could not be read as a whole
 *
 * So whatever happens when, PATH.weir is whole, the old one or the new.
 */

#include <stdbool.h>
#include <stddef.h>

struct takeover_taker;

struct state_file {
	char *path; /* PATH.weir */
	char *given;
	char *name; /* of PATH.weir in its directory; part of path */
	int directory;
	int lock;
	bool is_taken_over; /* from the weir before, which has written it */
};

/* Locks it, and removes what a crash left half-written. False: the log says why. */
bool state_file_open(struct state_file *file, const char *given, struct takeover_taker *taker);
void state_file_close(struct state_file *file);

/* A descriptor, or a negative errno. */
int state_file_read(const struct state_file *file);

/* Whether there is a file at the given PATH itself. */
bool state_file_has_given(const struct state_file *file);

/*
 * Keeps the file under another name; it is there under its own, too, until
 * another one takes its place. False: the log says why.
 */
bool state_file_set_aside(const struct state_file *file);

/* One that is being written. */
struct state_draft {
	char *path;
	int fd;
};

/* What can go wrong with it; `step` says where. */
struct state_fault_of_file {
	const char *step; /* "write" */
	int number;       /* negative errno; 0: nothing did */
};

bool state_draft_begin(const struct state_file *file, struct state_draft *draft,
		struct state_fault_of_file *reterr_fault);

/* To disk, and in the place of the file. Ends the draft in any case. */
bool state_draft_commit(const struct state_file *file, struct state_draft *draft,
		struct state_fault_of_file *reterr_fault);
void state_draft_abandon(struct state_draft *draft);
