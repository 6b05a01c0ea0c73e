#pragma once

/*
 * zstd (RFC 8878) for coded_body.c: one frame, in which each segment ends with
 * its last block and refers to those before it.
 */

extern const struct coder zstd_coder;
