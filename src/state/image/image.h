#pragma once

/*
 * All that is stored, as a file: written in one go to any descriptor, and read
 * back into an empty store. For keeping it over a restart, and for handing it to
 * another process.
 *
 * A file that is damaged gives what is whole in it; the rest is reported. A
 * group whose time to live is over is not put in, unless it is handed over. What is
 * left of a life does not depend on a wall clock that was set meanwhile; see boot.h.
 */

#include <stdint.h>

#include "state/image/file_layout.h"
#include "state/record.h"
#include "store/store.h"

/* ---- Writing ---- */

enum image_write_result {
	IMAGE_WRITE_OK,
	IMAGE_WRITE_E_BUSY,   /* a change is being made in slices: the loop has to turn first */
	IMAGE_WRITE_E_SYSTEM, /* see the fault */
};

struct image_written {
	uint64_t bytes;
	int fault; /* negative errno */
};

/* At once; output.h and listing.h do it in slices. */
enum image_write_result image_write(struct store *store, int fd, struct image_written *ret_written);

/* ---- Reading ---- */

/* What could not be read. */
struct image_fault {
	struct slice key; /* of the group, as far as it can be told: job="x"; ptr NULL: cannot */
	uint64_t place;   /* in the file */
	const char *what;
};

struct image_read_options {
	struct record_checks checks;
	void (*on_fault)(void *data, const struct image_fault *fault); /* NULL: nobody asks */
	void *data;
	/*
	 * The process before has written it just now: groups whose time is over meanwhile are
	 * put in, and all are in the slots that they were in.
	 */
	bool is_handed_over;
};

enum image_read_result {
	IMAGE_READ_OK,
	IMAGE_READ_DAMAGED,   /* what could be read is in the store, the rest was reported */
	IMAGE_READ_E_FOREIGN, /* no state of weir; the store is as it was, as with what follows */
	IMAGE_READ_E_NEWER,   /* of a newer weir: see written_by */
	IMAGE_READ_E_SYSTEM,  /* see the fault; some of it may be in the store */
};

struct image_report {
	uint64_t groups;
	uint64_t series;
	uint64_t expired; /* groups */
	uint64_t faults;
	uint64_t bytes; /* of the file */
	char written_by[STATE_VERSION_TEXT_BYTES];
	int fault; /* negative errno */
};

enum image_read_result image_read(struct store *store, int fd,
		const struct image_read_options *options, struct image_report *ret_report);
