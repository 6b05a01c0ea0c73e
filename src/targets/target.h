#pragma once

/*
 * A target: who pushes, or is to be scraped. One for each grouping key, those
 * that normalise to the same counting as one.
 *
 * What it is, its configuration, is set by people. What is known of it, its
 * freshness, weir writes with every push. The two are apart, since they are
 * stored apart.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "model/group_key.h"
#include "model/labels.h"
#include "targets/addresses.h"
#include "targets/info_line.h"
#include "targets/interval.h"
#include "targets/target_id.h"

struct members;

enum target_mode {
	TARGET_PUSH,    /* pushes to weir; silent when it does not */
	TARGET_PULL,    /* is scraped at its address */
	TARGET_STATIC,  /* likewise; entered once and for all */
	TARGET_VIRTUAL, /* has a page on weir, and nobody in particular pushes it */
	TARGET_DNS,     /* what is scraped at each address that a name stands for */
	/* No targets but settings that targets refer to, kept like them: see inventory.h and,
	 * of services, service.h. */
	TARGET_IMAGE,
	TARGET_COLLECTOR,
	TARGET_SERVICE,
	TARGET_MODE_COUNT,
};

/* As a set of bits: those that push or are scraped. */
enum {
	TARGET_MODES_ALL = (1 << TARGET_MODE_COUNT) - 1,
	TARGET_MODES_WATCHED =
			TARGET_MODES_ALL & ~(1 << TARGET_IMAGE | 1 << TARGET_COLLECTOR | 1 << TARGET_SERVICE),
};

enum target_state {
	TARGET_ACTIVE,
	TARGET_SILENT,  /* nothing was heard of it for several times its interval, or ever */
	TARGET_EXPIRED, /* its group is gone */
	TARGET_DISABLED,
	TARGET_STATE_COUNT,
};

enum target_comparison {
	TARGET_ABOVE,     /* > */
	TARGET_BELOW,     /* < */
	TARGET_AT_LEAST,  /* >= */
	TARGET_AT_MOST,   /* <= */
	TARGET_EQUAL,     /* == */
	TARGET_NOT_EQUAL, /* != */
	TARGET_COMPARISON_COUNT,
};

/* What an alert is wanted for. Texts are as they were given, not escaped. */
struct target_threshold {
	struct slice name; /* of the alert */
	struct slice metric;
	enum target_comparison comparison;
	double value;
	int64_t for_ns;        /* how long it has to last */
	struct slice severity; /* empty: none is said */
};

struct target_config {
	enum target_mode mode;
	bool is_disabled;
	struct slice address;       /* host:port, or a host alone; empty: none */
	struct slice scheme;        /* empty: http */
	struct slice path;          /* of what is scraped at the address; empty: /metrics */
	int64_t scrape_interval_ns; /* that Prometheus shall keep to; 0: its own */
	int64_t scrape_timeout_ns;
	int64_t interval_ns;      /* in which it is expected to be heard of; 0: what is learnt */
	uint64_t silent_after;    /* so many intervals without a push; 0: as set for all */
	struct labels attributes; /* whatever people want to know of it; sorted, escaped */
	struct target_threshold *thresholds;
	size_t threshold_count;
};

enum { TARGET_FORMAT_MAX = 16, TARGET_SOURCE_MAX = 48, TARGET_REASON_MAX = 256 };

/* Which weir saw it last; only of those that do not share their groups. */
enum target_place {
	TARGET_HERE,       /* this one, or it is not known */
	TARGET_ELSEWHERE,  /* another one, which has its group */
	TARGET_GONE_THERE, /* another one, where its group is gone */
};

/* Times are Unix times in nanoseconds; 0: never. */
struct target_freshness {
	int64_t last_seen_ns; /* a push or a heartbeat */
	int64_t pushed_ns;
	uint64_t pushes;
	bool is_guess; /* one of the pushes is known by its group alone, and may be counted elsewhere */
	uint64_t own_pushes; /* of them, those that this weir took; others are replicas' */
	int64_t own_seen_ns; /* likewise, as the first two */
	int64_t own_pushed_ns;
	enum target_place place;
	struct interval_gaps gaps;
	char format[TARGET_FORMAT_MAX]; /* of the last push; "": not known */
	char source[TARGET_SOURCE_MAX]; /* the address that it came from */
	int64_t first_seen_ns;
	int64_t stored_interval_ns; /* learnt before this process; counts until there are new gaps */
	int64_t rejected_ns;        /* the last push that was refused */
	char *rejection;            /* why, TARGET_REASON_MAX bytes at most; NULL: none was */
};

/* For whoever stores the target: how that stands. */
struct target_keep {
	struct list unsaved;    /* among those whose row is to be made; else unlinked */
	struct list unseen;     /* among those of which something new is to be written; likewise */
	int64_t version;        /* of its row; 0: it has none, as far as is known */
	uint64_t reading;       /* the last in which its row was read */
	bool is_saving;         /* its row is on its way */
	bool has_history;       /* what was stored of its pushes is counted */
	bool is_expiring;       /* its retention is over, the database is being asked */
	uint64_t stored_pushes; /* of those that this weir took, as far as is known */
	uint64_t seen_reading;  /* the last in which the database had all that this weir has seen */
};

struct target {
	struct map_node by_key; /* the normalised key */
	struct map_node by_id;
	struct list described; /* among those of which the page has something, or that are not
	                        * watched; else unlinked */
	struct list late;      /* among those that are overdue; likewise */
	struct list expiring;  /* among those whose group is about to expire; likewise */
	struct list named;     /* among those of mode dns that are enabled; likewise */
	struct list link;      /* in the order in which they came to be known */
	struct target_id id;
	struct target_config config;
	void *config_memory;         /* that its texts lie in; NULL: all is as by default */
	struct info_line *info;      /* NULL: none is shown */
	struct members *members;     /* of the service that it belongs to; NULL: of none */
	struct addresses *addresses; /* that its name stands for; NULL: none, or not known */
	bool cannot_look_up;         /* the name, at the last attempt */
	uint64_t look_up_ns;         /* monotonic: when that is looked up next; 0: at once */
	uint32_t edits;              /* of the configuration: for who wants to change what it saw */
	struct target_keep keep;
	bool is_configured; /* by hand: it stays until it is deleted */

	/* From here on what a push reads and writes, close together. */
	struct group_key key;

	/* Of this process alone. */
	bool is_overdue;           /* as counted: it is late, whatever else is said of it */
	enum target_state counted; /* the state under which the registry counts it; the count of
	                            * states: it is not watched */
	uint64_t seen_ns;          /* monotonic: when it was last seen; may be before the zero */
	uint64_t seen_at;          /* the registry's event by which it was; 0: before this process */
	uint64_t gone_at;          /* likewise by which its group went */
	uint64_t pushed_mono_ns;   /* the last push; 0: before this process */

	struct target_freshness fresh;
};

/* It pushes or is scraped. What is not is seen by who asks for it and by nobody else. */
static inline bool target_is_watched(const struct target *target)
{
	return ((unsigned)TARGET_MODES_WATCHED >> target->config.mode & 1) != 0;
}

/* It has a label whose name needs quotes. */
bool target_has_quoted(const struct target *target);

/* "push", "active", ">" ... */
struct slice target_mode_name(enum target_mode mode);
struct slice target_state_name(enum target_state state);
struct slice target_comparison_name(enum target_comparison comparison);

/* False when there is none of that name. */
bool target_mode_find(struct slice name, enum target_mode *ret_mode);
bool target_state_find(struct slice name, enum target_state *ret_state);
bool target_comparison_find(struct slice name, enum target_comparison *ret_comparison);

/* Heap, without a registry; the key and the configuration are copied. */
struct target *target_create(const struct group_key *key, const struct target_config *config);
void target_destroy(struct target *target);

/* With all its texts. */
struct target_config target_config_copy(const struct target_config *config, struct arena *arena);

/* A copy of the configuration takes the old one's place. */
void target_configure(struct target *target, const struct target_config *config);

/* The same in all that counts. */
bool target_config_equal(const struct target_config *a, const struct target_config *b);

/* Not on weir. */
static inline bool target_mode_is_elsewhere(enum target_mode mode)
{
	return mode == TARGET_PULL || mode == TARGET_STATIC || mode == TARGET_DNS;
}

/* The addresses that its name stands for are wanted. */
static inline bool target_is_named(const struct target *target)
{
	return target->config.mode == TARGET_DNS && !target->config.is_disabled;
}

/* The value of that grouping label, escaped; empty when it has none. */
static inline struct slice target_label(const struct target *target, struct slice name)
{
	return labels_find(&target->key.labels, name);
}
