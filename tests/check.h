#pragma once

/*
 * Checks for the unit tests: a failed one prints both sides and the place,
 * and the program goes on; check_done() is main's exit code and prints how
 * many test functions passed and failed. Independent of NDEBUG.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

static int check_failures;
static int check_tests_failed;
static int check_tests_run;

#define CHECK(condition)                                                                           \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			check_fail(__FILE__, __LINE__, #condition);                                            \
		}                                                                                          \
	} while (0)

#define CHECK_INT(got, wanted)                                                                     \
	check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(wanted))
#define CHECK_SLICE(got, wanted) check_slice(__FILE__, __LINE__, #got, (got), (wanted))
#define CHECK_STRING(got, wanted)                                                                  \
	check_slice(__FILE__, __LINE__, #got, (got), slice_of_string(wanted))
#define RUN(test) check_run(#test, test)

static inline void check_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	check_failures++;
}

static inline void check_int(
		const char *file, int line, const char *what, long long got, long long wanted)
{
	if (got != wanted) {
		fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, got, wanted);
		check_failures++;
	}
}

static inline void check_slice(
		const char *file, int line, const char *what, struct slice got, struct slice wanted)
{
	if (!slice_equal(got, wanted)) {
		fprintf(stderr, "%s:%d: %s is\n  \"" SLICE_FMT "\"\nnot\n  \"" SLICE_FMT "\"\n", file, line,
				what, SLICE_ARG(got), SLICE_ARG(wanted));
		check_failures++;
	}
}

static inline void check_run(const char *name, void (*test)(void))
{
	int before = check_failures;
	test();
	check_tests_run++;
	if (check_failures != before) {
		fprintf(stderr, "%s failed\n", name);
		check_tests_failed++;
	}
}

static inline int check_done(void)
{
	printf("%d passed, %d failed\n", check_tests_run - check_tests_failed, check_tests_failed);
	return check_tests_failed == 0 ? 0 : 1;
}
