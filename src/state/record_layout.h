#pragma once

/*
 * How records are laid out: for the two files that write and read them.
 *
 *     record   version u8, [flags u8], [since i64], key labels, place, pushed i64,
 *              failed i64, expires i64, count, pushes..., checksum u64
 *     push     pushed i64, flags u8, count, families...
 *     family   type u8, flags u8, [since i64], place, name, [help], [unit], count,
 *              samples...
 *     sample   head u8, labels, value, [exemplar], [created], [native]
 *     labels   count, (name, value)...
 *
 * Counts, places and lengths are varints, texts have their length in front, and numbers
 * of fixed size are little-endian.
 */

enum {
	RECORD_SHADOWED = 1, /* the group gave way to another */
	RECORD_SINCE = 2,    /* it was there before its last push */

	RECORD_PUSH_OPENMETRICS = 1,

	RECORD_FAMILY_HELP = 1,
	RECORD_FAMILY_UNIT = 2,
	RECORD_FAMILY_INVALID = 4,  /* could not be exposed whatever else there was */
	RECORD_FAMILY_SHADOWED = 8, /* was not exposed, because of what else there was */
	RECORD_FAMILY_SINCE = 16,   /* the group had it before that push */

	RECORD_SAMPLE_ROLE = 7, /* the bits of the role */
	RECORD_SAMPLE_EXEMPLAR = 8,
	RECORD_SAMPLE_CREATED = 16,
	RECORD_SAMPLE_NATIVE = 32,
	RECORD_SAMPLE_ADDED = 64,

	RECORD_CHECKSUM_BYTES = 8,
};
