#include "api/failures.h"

enum {
	FIRST_MS = 250, /* doubled with each level */
	LEVEL_MAX = 4,  /* 2 s */
};

/* One level less for each such time without a failure. */
static const uint64_t DECAY_NS = UINT64_C(10) * 1000000000;

unsigned failures_level(const struct failures *failures, uint64_t source, uint64_t now_ns)
{
	size_t row = source % FAILURES_ROWS;
	unsigned level = failures->rows[row].level;
	uint64_t decayed = (now_ns - failures->rows[row].at_ns) / DECAY_NS;
	return decayed < level ? level - (unsigned)decayed : 0;
}

uint64_t failures_add(struct failures *failures, uint64_t source, uint64_t now_ns)
{
	size_t row = source % FAILURES_ROWS;
	unsigned level = failures_level(failures, source, now_ns);
	level = level < LEVEL_MAX ? level + 1 : LEVEL_MAX;
	failures->rows[row].level = level;
	failures->rows[row].at_ns = now_ns;
	return (uint64_t)FIRST_MS << (level - 1);
}
