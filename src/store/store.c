#include "store/store.h"

#include <assert.h>

#include "base/hash.h"
#include "store/shadow.h"

enum { TIDY_BUDGET = 256 };

static struct contents *fresh_contents(const struct store *store)
{
	struct contents *contents = contents_create(store->version);
	for (size_t i = 0; i < store->declaration_count; i++) {
		const struct family_declaration *declaration = &store->declarations[i];
		struct family *family =
				families_add(&contents->families, declaration->name, hash64(declaration->name));
		family->declaration = declaration;
		family->type = declaration->type;
	}
	return contents;
}

void store_init(struct store *store, const struct store_options *options)
{
	*store = (struct store){ .options = *options };
	list_init(&store->wiped);
	list_init(&store->listeners);
	list_init(&store->watches);
	store->contents = fresh_contents(store);
}

static bool tidy_wiped(struct store *store)
{
	LIST_EACH (link, &store->wiped) {
		struct contents *contents = LIST_ENTRY(link, struct contents, link);
		if (list_is_empty(&contents->history.snapshots)) {
			contents_destroy_some(contents, TIDY_BUDGET);
			return true;
		}
	}
	return false;
}

void store_finish(struct store *store)
{
	assert(store->slicing == NULL);
	list_append(&store->wiped, &store->contents->link);
	store->contents = NULL;
	while (tidy_wiped(store)) {
	}
}

void store_declare(struct store *store, const struct family_declaration *declarations, size_t count)
{
	assert(store->version == 0);
	while (!contents_destroy_some(store->contents, SIZE_MAX)) {
	}
	store->declarations = declarations;
	store->declaration_count = count;
	store->contents = fresh_contents(store);
}

void store_subscribe(struct store *store, struct store_listener *listener)
{
	list_append(&store->listeners, &listener->link);
}

void store_watch(struct store *store, struct store_watch *watch)
{
	list_append(&store->watches, &watch->link);
}

void store_unwatch(struct store *store, struct store_watch *watch)
{
	list_remove(&watch->link);
}

uint64_t store_next_version(struct store *store)
{
	return ++store->version;
}

void store_announce(struct store *store, struct group *group)
{
	LIST_EACH (link, &store->watches) {
		struct store_watch *watch = LIST_ENTRY(link, struct store_watch, link);
		watch->before_change(watch, group);
	}
}

void store_report(struct store *store, const struct store_change *change)
{
	struct store_change numbered = *change;
	numbered.number = store->version;
	store->changed = store->version;
	LIST_EACH (link, &store->listeners) {
		struct store_listener *listener = LIST_ENTRY(link, struct store_listener, link);
		listener->on_change(listener, &numbered);
	}
}

static void report_group(struct store *store, enum store_change_kind kind, struct group *group)
{
	struct store_change change = { .kind = kind, .group = group };
	store_report(store, &change);
}

struct group *store_find_group(const struct store *store, const struct group_key *key)
{
	return contents_find_group(store->contents, key);
}

bool store_is_over(struct store *store, enum store_limit limit, uint64_t count)
{
	const struct store_limits *limits = &store->options.limits;
	const struct contents *contents = store->contents;
	const struct {
		uint64_t used;
		uint64_t limit;
	} rows[] = {
		[STORE_LIMIT_GROUPS] = { contents->group_count, limits->groups },
		[STORE_LIMIT_SERIES] = { contents->series, limits->series },
		[STORE_LIMIT_SERIES_PER_GROUP] = { 0, limits->series_per_group },
		[STORE_LIMIT_LABEL_SETS] = { 0, limits->label_sets },
		[STORE_LIMIT_BYTES] = { contents->bytes, limits->bytes },
	};
	bool is_over = rows[limit].limit != 0 && count > 0
			&& (count > rows[limit].limit || rows[limit].used > rows[limit].limit - count);
	store->counters.refused[limit] += is_over;
	return is_over;
}

bool store_job_is_full(
		struct store *store, const struct group_key *key, const struct store_job_limits *job_limits)
{
	bool is_full = job_limits->groups != 0
			&& job_count_groups(&store->contents->jobs, key) >= job_limits->groups;
	store->counters.refused[STORE_LIMIT_GROUPS] += is_full;
	return is_full;
}

enum store_record_result store_record_failure(struct store *store, const struct group_key *key,
		const struct store_job_limits *job_limits, int64_t now_ns, int64_t deadline_ns)
{
	struct group *group = store_find_group(store, key);
	if (group == NULL && store->slicing != NULL) {
		return STORE_RECORD_WAIT;
	}
	if (group == NULL
			&& (contents_find_twin(store->contents, key) != NULL
					|| store_is_over(store, STORE_LIMIT_GROUPS, 1)
					|| store_job_is_full(store, key, job_limits)
					|| store_is_over(store, STORE_LIMIT_BYTES, group_bytes(key)))) {
		return STORE_RECORD_E_IMPOSSIBLE;
	}
	uint64_t version = store_next_version(store);
	if (group == NULL) {
		group = contents_add_group(store->contents, key, SLOT_NONE, now_ns, version);
		contents_set_deadline(store->contents, group, deadline_ns);
	} else {
		store_announce(store, group);
	}
	struct group_times times = group->times;
	times.failed_ns = now_ns;
	contents_set_times(store->contents, group, times, version);
	report_group(store, STORE_CHANGE_FAILURE, group);
	return STORE_RECORD_OK;
}

/*
 * Deletes the group, or the next slice of it. While slices are out no snapshot
 * is opened, so that every scrape has all of the group or nothing.
 */
static bool delete_group(struct store *store, struct group *group, enum store_change_kind kind)
{
	enum { SLICE_MEMBERS = 2048 };
	if (store->deleting != NULL && store->deleting != group) {
		return false;
	}
	store_announce(store, group);
	if (group->member_count > SLICE_MEMBERS) {
		store->deleting = group;
		group->is_busy = true;
		group->layout_pack = NULL;
		contents_remove_members(store->contents, group, SLICE_MEMBERS, store_next_version(store));
		return false;
	}
	store_next_version(store);
	report_group(store, kind, group);
	contents_remove_group(store->contents, group, store->version);
	if (store->deleting == group) {
		store->deleting = NULL;
	}
	return true;
}

static void report_absent(struct store *store, const struct group_key *key)
{
	struct store_change change = { .kind = STORE_CHANGE_ABSENT, .key = key };
	if (store->reports_absent) {
		store_next_version(store);
		store_report(store, &change);
	}
}

enum store_delete_result store_delete(struct store *store, const struct group_key *key)
{
	struct group *group = store_find_group(store, key);
	if (group == NULL) {
		report_absent(store, key);
		return STORE_DELETE_OK;
	}
	bool is_taken = group->is_busy && store->deleting != group;
	return !is_taken && delete_group(store, group, STORE_CHANGE_DELETE) ? STORE_DELETE_OK
																		: STORE_DELETE_WAIT;
}

bool store_is_deleting(const struct store *store, const struct group_key *key)
{
	return store->deleting != NULL && store->deleting == store_find_group(store, key);
}

void store_finish_deletion(struct store *store)
{
	while (store->deleting != NULL) {
		delete_group(store, store->deleting, STORE_CHANGE_DELETE);
	}
}

bool store_wipe(struct store *store)
{
	if (store->slicing != NULL || store->deleting != NULL) {
		return false;
	}
	store_next_version(store);
	list_append(&store->wiped, &store->contents->link);
	store->contents = fresh_contents(store);
	report_group(store, STORE_CHANGE_WIPE, NULL);
	return true;
}

int64_t store_expire(struct store *store, int64_t now_ns, size_t budget)
{
	struct contents *contents = store->contents;
	struct group *group = contents_first_deadline(contents);
	while (group != NULL && group->deadline_ns <= now_ns && budget > 0) {
		size_t price = group->member_count + 1;
		budget -= price < budget ? price : budget;
		/* A push that is on its way sets a new deadline. */
		bool is_taken = group->is_busy && store->deleting != group;
		if (is_taken || !delete_group(store, group, STORE_CHANGE_EXPIRE)) {
			break;
		}
		store->counters.expired_groups++;
		group = contents_first_deadline(contents);
	}
	return group == NULL ? 0 : group->deadline_ns;
}

bool store_tidy(struct store *store)
{
	struct contents *contents = store->contents;
	bool more = contents_tidy(contents, TIDY_BUDGET);
	if (contents->shadow_cursor != NULL) {
		more |= shadow_settle(contents, store_next_version(store));
	}
	return tidy_wiped(store) || more;
}
