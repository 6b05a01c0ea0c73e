/*
 * Random pushes, deletes, failures, wipes and expiry on a store and on a model
 * of it: both must take and refuse the same, and every page must show what the
 * model had when it was opened. The alphabet is small, so that types, suffixes
 * and series clash all the time.
 */

#include "base/memory.h"
#include "unit/store_model_push.h"

enum { PAGES_MAX = 4, SPLICES_MAX = 2, OPERATIONS = 250, LONG_VALUE = 20000 };

struct open_page {
	struct page page;
	bool is_open;
	struct model_lines expected;
	struct buf text;
};

struct open_splice {
	bool is_open;
	struct group_key key;
	struct splice splice;
	struct model_push push;
};

struct trial {
	struct store_driver driver;
	struct model model;
	struct random_source *random;
	struct model_source source;
	int64_t clock; /* for deadlines */
	struct open_page pages[PAGES_MAX];
	struct open_splice splices[SPLICES_MAX];
};

/* ---- Pushing both ---- */

/* What the model says: a copy with the push in it, if that is consistent. */
static bool model_accepts(struct trial *t, const struct model_push *push)
{
	struct model copy = t->model;
	struct group_key key = store_driver_key(&t->driver, push->key);
	size_t bytes = copy.group_count * sizeof(struct model_group);
	copy.groups = memory_zalloc(MODEL_GROUPS_MAX, sizeof(struct model_group));
	memcpy(copy.groups, t->model.groups, bytes);
	bool is_twin = model_find(&copy, &key) == NULL && model_has_twin(&copy, &key);
	model_apply(&copy, push->method, &key, &push->batch, t->driver.now_ns);
	bool is_accepted = !push->batch.has_timestamps
			&& (!t->driver.store.options.is_checked || (!is_twin && model_is_consistent(&copy)));
	free(copy.groups);
	return is_accepted;
}

static void apply_to_model(struct trial *t, const struct model_push *push, int64_t deadline_ns)
{
	struct group_key key = store_driver_key(&t->driver, push->key);
	model_apply(&t->model, push->method, &key, &push->batch, t->driver.now_ns);
	struct model_group *group = model_find(&t->model, &key);
	group->times.pushed_ns = t->driver.now_ns;
	group->deadline_ns = deadline_ns;
}

static int64_t make_deadline(struct trial *t)
{
	return random_once_in(t->random, 3) ? t->clock + 1 + random_below(t->random, 20) : 0;
}

static bool push_to_store(struct trial *t, const struct model_push *push, int64_t deadline_ns)
{
	struct store_driver *d = &t->driver;
	struct group_key key = store_driver_key(d, push->key);
	struct prepared_push prepared;
	struct batch_fault fault;
	struct store_push op;
	struct prepare_options options = {
		.is_checked = d->store.options.is_checked,
		.max_bytes = SIZE_MAX,
	};
	if (prepare_push(&push->batch, &key, &options, &d->arena, &prepared, &fault) != PREPARE_OK) {
		return false;
	}
	prepared.layout = push->layout;
	push_init(&op, &d->store, push->method, &key, &prepared, &d->arena);
	op.now_ns = d->now_ns;
	op.deadline_ns = deadline_ns;
	enum push_result result = push_step(&op);
	CHECK(result == PUSH_OK || result == PUSH_E_INCONSISTENT);
	if (result != PUSH_OK) {
		prepared_push_drop(&prepared);
	}
	return result == PUSH_OK;
}

static void record_failure(struct trial *t, const char *name)
{
	struct group_key key = store_driver_key(&t->driver, name);
	bool is_possible = model_find(&t->model, &key) != NULL || !model_has_twin(&t->model, &key);
	enum store_record_result result = store_record_failure(
			&t->driver.store, &key, &(struct store_job_limits){ 0 }, t->driver.now_ns, 0);
	CHECK_INT(result, is_possible ? STORE_RECORD_OK : STORE_RECORD_E_IMPOSSIBLE);
	if (is_possible) {
		model_enter(&t->model, &key, t->driver.now_ns)->times.failed_ns = t->driver.now_ns;
	}
}

static void do_push(struct trial *t, const struct model_push *push)
{
	int64_t deadline_ns = make_deadline(t);
	bool is_accepted = model_accepts(t, push);
	t->driver.now_ns += 1000001000;
	CHECK_INT(push_to_store(t, push, deadline_ns), is_accepted);
	if (is_accepted) {
		apply_to_model(t, push, deadline_ns);
	} else if (random_once_in(t->random, 2)) {
		record_failure(t, push->key);
	}
}

/* ---- Splicing, with other things between begin and end ---- */

static void end_splice(struct trial *t, struct open_splice *open)
{
	int64_t deadline_ns = make_deadline(t);
	bool is_accepted = model_accepts(t, &open->push);
	t->driver.now_ns += 1000001000;
	open->is_open = false;
	if (random_once_in(t->random, 10)) {
		/* Made after what happened meanwhile. */
		free(open->splice.pack);
		open->splice.pack = NULL;
		open->splice.next_value = open->push.values;
		splice_make(&open->splice);
	}
	if (splice_end(&open->splice, t->driver.now_ns, deadline_ns)) {
		CHECK(is_accepted);
		apply_to_model(t, &open->push, deadline_ns);
	} else {
		do_push(t, &open->push);
	}
}

static void push_or_splice(struct trial *t)
{
	struct model_push push;
	model_make_push(&t->source, &push);
	struct open_splice *open = &t->splices[random_below(t->random, SPLICES_MAX)];
	if (open->is_open) {
		end_splice(t, open);
	}
	open->push = push;
	open->key = store_driver_key(&t->driver, push.key);
	if (!splice_begin(&open->splice, &t->driver.store, &open->key, push.method, &push.layout,
				push.values, push.batch.sample_count)) {
		do_push(t, &push);
		return;
	}
	open->is_open = true;
	splice_make(&open->splice);
	if (random_once_in(t->random, 2)) {
		end_splice(t, open);
	}
}

/* ---- Pages ---- */

/* The smallest help of those exposed; without any it may be one of the past. */
static void check_help(struct trial *t, struct slice page, struct slice family)
{
	struct slice smallest = { NULL, 0 };
	for (size_t i = 0; i < t->model.group_count; i++) {
		for (size_t j = 0; j < t->model.groups[i].block_count; j++) {
			const struct model_block *block = &t->model.groups[i].blocks[j];
			bool counts = block->is_exposed && slice_equal(block->name, family)
					&& block->help.ptr != NULL;
			if (counts && (smallest.ptr == NULL || slice_compare(block->help, smallest) < 0)) {
				smallest = block->help;
			}
		}
	}
	struct slice start = arena_printf(&t->driver.arena, "# HELP " SLICE_FMT " ", SLICE_ARG(family));
	while (smallest.ptr != NULL && page.len > 0) {
		struct slice line = model_next_line(&page);
		if (slice_starts_with(line, start)) {
			CHECK_SLICE(slice_skip(line, start.len), smallest);
			return;
		}
	}
	CHECK(smallest.ptr == NULL);
}

static void check_page(struct trial *t)
{
	struct arena *arena = &t->driver.arena;
	while (t->driver.store.contents->shadow_cursor != NULL) {
		store_tidy(&t->driver.store);
	}
	struct slice text = store_driver_whole_page(&t->driver, NULL);
	struct model_lines got = model_lines_of(text, arena);
	model_expose(&t->model);
	struct model_lines expected = model_page(&t->model, arena);
	model_check_lines(&got, &expected);
	for (size_t i = 0; i < COUNT(model_family_kinds); i++) {
		check_help(t, text, slice_of_string(model_family_kinds[i].name));
	}
	CHECK_INT(t->driver.store.contents->group_count, t->model.group_count);
}

static void touch_page(struct trial *t, struct open_page *open)
{
	if (!open->is_open) {
		check_page(t);
		open->expected = model_page(&t->model, &t->driver.arena);
		CHECK(page_init(&open->page, &t->driver.store, &(struct page_options){ 0 }));
		buf_init(&open->text, 0);
		open->is_open = true;
		return;
	}
	bool is_dropped = random_once_in(t->random, 8);
	if (!is_dropped && store_driver_page_next(&open->page, &open->text)) {
		return;
	}
	if (!is_dropped) {
		struct model_lines got = model_lines_of(buf_slice(&open->text), &t->driver.arena);
		model_check_lines(&got, &open->expected);
	}
	page_finish(&open->page);
	buf_finish(&open->text);
	open->is_open = false;
}

/* ---- Trials ---- */

static void expire(struct trial *t)
{
	t->clock += random_below(t->random, 10);
	store_expire(&t->driver.store, t->clock, SIZE_MAX);
	for (size_t i = t->model.group_count; i-- > 0;) {
		struct model_group *group = &t->model.groups[i];
		if (group->deadline_ns != 0 && group->deadline_ns <= t->clock) {
			*group = t->model.groups[--t->model.group_count];
		}
	}
}

static void delete_one(struct trial *t)
{
	const char *name = PICK(t->random, model_keys);
	struct group_key key = store_driver_key(&t->driver, name);
	store_driver_delete(&t->driver, name);
	model_delete(&t->model, &key);
}

static void do_something(struct trial *t)
{
	unsigned what = random_below(t->random, 100);
	t->driver.now_ns += 1000;
	if (what < 60) {
		push_or_splice(t);
	} else if (what < 70) {
		delete_one(t);
	} else if (what < 90) {
		touch_page(t, &t->pages[random_below(t->random, PAGES_MAX)]);
	} else if (what < 93) {
		record_failure(t, PICK(t->random, model_keys));
	} else if (what < 95) {
		expire(t);
	} else if (what < 96) {
		CHECK(store_wipe(&t->driver.store));
		t->model.group_count = 0;
	} else {
		store_tidy(&t->driver.store);
	}
}

static void end_trial(struct trial *t)
{
	for (int i = 0; i < SPLICES_MAX; i++) {
		if (t->splices[i].is_open) {
			end_splice(t, &t->splices[i]);
		}
	}
	check_page(t);
	for (int i = 0; i < PAGES_MAX; i++) {
		while (t->pages[i].is_open) {
			touch_page(t, &t->pages[i]);
		}
	}
	for (size_t i = 0; i < COUNT(model_keys); i++) {
		store_driver_delete(&t->driver, model_keys[i]);
	}
	store_driver_check_empty(&t->driver);
}

static void run_trial(struct random_source *random, bool is_checked)
{
	struct trial *t = memory_zalloc(1, sizeof(*t));
	uint64_t seed = random->state;
	struct store_options options = { .is_checked = is_checked };
	store_driver_init(&t->driver, &options);
	t->random = random;
	char *text = arena_text(&t->driver.arena, LONG_VALUE);
	memset(text, 'l', LONG_VALUE);
	t->source = (struct model_source){
		.driver = &t->driver,
		.random = random,
		.long_value = slice_make(text, LONG_VALUE),
	};
	t->model = (struct model){
		.groups = memory_zalloc(MODEL_GROUPS_MAX, sizeof(struct model_group)),
		.declarations = driver_declarations,
		.declaration_count = DRIVER_DECLARATIONS,
		.arena = &t->driver.arena,
	};
	for (int i = 0; i < OPERATIONS && check_failures == 0; i++) {
		do_something(t);
		if (!is_checked) {
			check_page(t);
		}
	}
	if (check_failures == 0) {
		end_trial(t);
	}
	if (check_failures > 0) {
		/* Store and pages are in no state to be put away. */
		fprintf(stderr, "with WEIR_TEST_SEED=%llu\n", (unsigned long long)seed);
		exit(1);
	}
	store_driver_finish(&t->driver);
	free(t->model.groups);
	free(t);
}

static void run_trials(bool is_checked, unsigned rounds)
{
	struct random_source random;
	random_init(&random);
	for (unsigned i = 0; i < rounds; i++) {
		run_trial(&random, is_checked);
	}
}

static void test_checked(void)
{
	run_trials(true, random_rounds(40));
}

static void test_unchecked(void)
{
	run_trials(false, random_rounds(20));
}

int main(void)
{
	RUN(test_checked);
	RUN(test_unchecked);
	return check_done();
}
