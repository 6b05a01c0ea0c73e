#pragma once

/*
 * weir check [--format=FORMAT] FILE: says what is wrong with a page of metrics
 * before it is pushed or scraped, with its place and what would be right.
 *
 * The decoders that read pushes read the page; what they take is then looked
 * through for what a push would be refused for all the same, and for what the
 * specifications advise against.
 */

#include <stddef.h>

/* The arguments behind "check". Answers the exit code. */
int check_run(size_t argument_count, const char *const *arguments);
