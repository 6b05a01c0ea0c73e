#pragma once

/*
 * What is stored, from the old weir to the new one, by a file in memory: how
 * it is written down is the business of who knows it.
 */

#include <stdbool.h>

/* What is not set is not done. */
struct takeover_state {
	/* A lock that goes along, as an open file that stays the callee's; -1: none. */
	int (*lock)(void *data);
	/* Whether it can be written now; asked again while it is not. */
	bool (*is_ready)(void *data);
	/*
	 * All of it to the file, from its beginning. Nothing is written elsewhere from then on,
	 * until it is resumed. False: the log says why.
	 */
	bool (*write)(void *data, int fd);
	/* It was not taken: this process goes on, and may change it again. */
	void (*resume)(void *data);
	/* Back from the file, into what is still empty. False: the log says why. */
	bool (*read)(void *data, int fd);
	void *data;
};
