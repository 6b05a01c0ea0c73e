#pragma once

/*
 * How a state file is laid out; docs/state.md says why.
 *
 *     header   twice, so that no single fault takes both
 *     frames   mark u64, length u32, kind u32, check u64, then so many bytes
 *
 * The mark is drawn at random for each file and is its salt: where a frame is
 * damaged, the next one is found by it, and no client can push bytes that would
 * be taken for one.
 */

#include <stdint.h>

enum {
	STATE_VERSION = 1,
	STATE_VERSION_TEXT_BYTES = 48,
	STATE_BOOT_ID_BYTES = 16,
	STATE_HEADERS = 2,
};

static const char state_magic[8] = { 'w', 'e', 'i', 'r', '\n', 's', 't', '\0' };

/* Little-endian. Magic, version and the text stay where they are in all versions. */
struct state_header {
	char magic[8];
	uint32_t version;
	uint32_t bytes; /* of one header */
	char written_by[STATE_VERSION_TEXT_BYTES];
	uint64_t salt;
	int64_t written_ns;                /* Unix time */
	uint64_t boot_ns;                  /* since the machine was started */
	char boot_id[STATE_BOOT_ID_BYTES]; /* of that start; zero: unknown */
	char unused[16];
	uint64_t check; /* of all before it */
};

_Static_assert(sizeof(struct state_header) == 128, "the header has a hole");

enum state_frame_kind {
	STATE_FRAME_RECORD = 1,
	STATE_FRAME_END = 2, /* how many records there were u64, check u64 of that */
};

struct state_frame {
	uint64_t mark;
	uint32_t length;
	uint32_t kind;
	uint64_t check; /* of all before it */
};

_Static_assert(sizeof(struct state_frame) == 24, "the frame has a hole");
