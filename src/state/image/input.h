#pragma once

/*
 * Reads a state file frame by frame, and goes on behind what is damaged: from
 * the next mark on. A file of another program, or of a newer weir, is not read.
 *
 * Bytes are read as they are needed: a length that the file does not have costs
 * no memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "state/boot.h"
#include "state/image/file_layout.h"

enum state_input_result {
	STATE_INPUT_OK,
	STATE_INPUT_E_DAMAGED, /* what is there is weir's, but its headers cannot be read */
	STATE_INPUT_E_FOREIGN,
	STATE_INPUT_E_NEWER, /* see written_by */
	STATE_INPUT_E_SYSTEM,
};

/* What comes next. */
enum state_input_item {
	STATE_INPUT_RECORD,
	STATE_INPUT_DAMAGE, /* bytes that are no frame were skipped */
	STATE_INPUT_END,    /* the end mark, and nothing behind it but what came as damage */
	STATE_INPUT_NO_END, /* the file ends without the mark */
	STATE_INPUT_FAULT,  /* it cannot be read on */
};

struct state_input {
	int fd; /* the caller's */
	struct buf buf;
	size_t used;     /* of the buffer */
	uint64_t offset; /* of the buffer in the file */
	bool is_at_end;  /* of the file; the buffer has the rest */
	bool has_ended;  /* the end mark is read */
	int fault;       /* negative errno; 0: none */
	uint64_t salt;
	struct boot_time written; /* when the file was */
	char written_by[STATE_VERSION_TEXT_BYTES];
	uint64_t records; /* that should be there, once the end is read */

	/* Of the item: valid until the next one is asked for. */
	struct slice bytes; /* the record */
	uint64_t place;     /* of the item in the file */
};

enum state_input_result state_input_begin(struct state_input *input, int fd);
enum state_input_item state_input_next(struct state_input *input);

/* After begin, whatever it answered. */
void state_input_finish(struct state_input *input);
