#pragma once

/*
 * Series selectors, as Prometheus has them in match[]:
 *
 *     http_requests_total{job="web",code=~"5..",instance!=""}
 *     {"http.requests","http.code"!~"2.."}
 *
 * A series is selected when it matches any of several. A label that it has not
 * is matched as one without a value.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/basics/
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "model/group_key.h"
#include "model/labels.h"
#include "model/pattern.h"

enum {
	SELECTORS_MAX = 64,
	SELECTORS_MATCHERS_MAX = 128, /* of all selectors together */
};

enum matcher_kind {
	MATCHER_EQUAL,       /* = */
	MATCHER_NOT_EQUAL,   /* != */
	MATCHER_PATTERN,     /* =~ */
	MATCHER_NOT_PATTERN, /* !~ */
};

struct matcher {
	enum matcher_kind kind;
	struct slice name;  /* escaped; empty: of the metric */
	struct slice value; /* escaped; of a pattern, as it was given */
	const struct pattern *pattern;
};

struct selector {
	struct matcher *matchers;
	size_t count;
	size_t capacity;
};

/* A series is selected when one of them matches. */
struct selectors {
	struct selector selectors[SELECTORS_MAX];
	size_t count;
	size_t matcher_count; /* of all */
};

struct selector_error {
	size_t position; /* bytes from the start of the text */
	struct slice what;
	bool is_outside; /* of a selector: the text may be something else of PromQL */
};

/*
 * One more, in the arena; the text may go. False when the text is no selector,
 * when it would select everything, or when it is one too many.
 */
bool selectors_add(struct selectors *selectors, struct slice text, struct arena *arena,
		struct selector_error *reterr_error);

/* An empty value: there is no such label. */
bool matcher_matches(
		const struct matcher *matcher, struct slice value, struct pattern_scratch *scratch);

/*
 * Whether series with the labels of this grouping key may be selected. Quick:
 * regular expressions are taken to match.
 */
bool selectors_may_match_key(const struct selectors *selectors, const struct group_key *key);

/*
 * Matching goes in two steps, so that names are looked at once for all of a
 * family. First, a bit for each selector that matches one of the names, which
 * are escaped.
 */
uint64_t selectors_match_names(const struct selectors *selectors, const struct slice *names,
		size_t count, struct pattern_scratch *scratch);

/*
 * Then, whether one of those selectors matches the labels, that of the name
 * `without` left out. What both say is void when the scratch has failed.
 */
bool selectors_match_labels(const struct selectors *selectors, uint64_t matched,
		const struct labels *labels, struct slice without, struct pattern_scratch *scratch);
