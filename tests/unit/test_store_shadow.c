/*
 * Which of several that contradict each other is exposed depends on what there
 * is, not on how it came about: what cannot be refused is given to two stores
 * in different orders, and each shows at any time what a model says that has
 * only what is there to go by.
 */

#include "base/memory.h"
#include "store/drop.h"
#include "store/restore.h"
#include "unit/random.h"
#include "unit/store_driver.h"
#include "unit/store_model.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(random, array) ((array)[random_below(random, COUNT(array))])

#define A "{instance=\"\",job=\"a\"}"
#define B "{instance=\"\",job=\"b\"}"

enum { STEPS = 8, FAMILIES_MAX = 4, SECOND = 1000000000 };

static const char *const keys[] = { "job=a", "job=a,instance=", "job=a,instance=i",
	"job=a,zone=", "job=a,zone=n", "job=b", "job=b,instance=i", "job=b,instance=i,zone=" };

static const char *const label_sets[] = { "", "", "instance=i", "x=1", "zone=n" };

static const struct {
	const char *name;
	enum metric_type types[4];
} kinds[] = {
	{ "m", { METRIC_GAUGE, METRIC_GAUGE, METRIC_COUNTER, METRIC_UNTYPED } },
	{ "n", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE } },
	{ "h", { METRIC_HISTOGRAM, METRIC_OPEN_GAUGE_HISTOGRAM, METRIC_SUMMARY, METRIC_GAUGE } },
	{ "h_sum", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE, METRIC_SUMMARY } },
	{ "h_bucket", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE, METRIC_UNTYPED } },
	{ "h_gcount", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE, METRIC_UNTYPED } },
	{ "h_created", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE, METRIC_UNTYPED } },
	{ "c_total", { METRIC_COUNTER, METRIC_COUNTER, METRIC_COUNTER, METRIC_GAUGE } },
	{ "c_created", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE, METRIC_COUNTER } },
	{ "go_threads", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE, METRIC_COUNTER } },
};

/* ---- What happens to a group ---- */

enum step_kind { STEP_PUT, STEP_POST, STEP_DROP, STEP_DELETE };

struct step {
	enum step_kind kind;
	int64_t now_ns;
	int64_t since_ns; /* of the group */
	struct batch batch;
	int64_t family_since_ns[FAMILIES_MAX];
	struct slice dropped; /* the family */
};

/* All that is to happen, for each key in its order. */
struct history_of_all {
	struct arena arena;
	struct random_source *random;
	unsigned next_value;
	struct step steps[COUNT(keys)][STEPS];
};

struct side {
	struct store_driver d;
	struct model model;
	size_t done[COUNT(keys)];
};

static void add_sample(struct history_of_all *all, struct batch_family *family,
		enum sample_role role, const struct labels *labels)
{
	struct sample *sample = batch_family_add(family, &all->arena);
	sample->role = role;
	sample->labels.pairs = arena_alloc(&all->arena, (labels->count + 1) * sizeof(struct label));
	for (size_t i = 0; i < labels->count; i++) {
		sample->labels.pairs[sample->labels.count++] = labels->pairs[i];
	}
	if (role == SAMPLE_BUCKET) {
		sample->labels.pairs[sample->labels.count++] =
				(struct label){ .name = SLICE("le"), .value = SLICE("+Inf") };
	}
	labels_sort(&sample->labels);
	sample->value = arena_printf(&all->arena, "%u", ++all->next_value);
}

static void add_metric(struct history_of_all *all, struct batch_family *family, const char *set)
{
	struct labels labels = { .pairs = arena_alloc(&all->arena, sizeof(struct label)) };
	const char *equals = strchr(set, '=');
	if (equals != NULL) {
		labels.pairs[labels.count++] = (struct label){
			.name = slice_between(set, equals),
			.value = slice_of_string(equals + 1),
		};
	}
	bool is_open = family->type == METRIC_OPEN_GAUGE_HISTOGRAM;
	if (!metric_type_has_bounds(family->type)) {
		add_sample(all, family, SAMPLE_PLAIN, &labels);
		return;
	}
	if (metric_type_is_histogram(family->type)) {
		add_sample(all, family, SAMPLE_BUCKET, &labels);
	}
	add_sample(all, family, is_open ? SAMPLE_GSUM : SAMPLE_SUM, &labels);
	add_sample(all, family, is_open ? SAMPLE_GCOUNT : SAMPLE_COUNT, &labels);
}

/* Few, so that there are equal ones; 0: not said. */
static int64_t make_since(struct history_of_all *all)
{
	return random_below(all->random, 6) * (int64_t)SECOND;
}

static void make_batch(struct history_of_all *all, struct step *step)
{
	struct batch_family **link = &step->batch.families;
	bool is_used[COUNT(kinds)] = { false };
	step->batch.is_openmetrics = random_once_in(all->random, 2);
	for (unsigned left = random_below(all->random, FAMILIES_MAX + 1); left > 0; left--) {
		size_t kind = random_below(all->random, COUNT(kinds));
		if (is_used[kind]) {
			continue;
		}
		is_used[kind] = true;
		struct batch_family *family = arena_zalloc(&all->arena, 1, sizeof(*family));
		family->name = slice_of_string(kinds[kind].name);
		family->type = PICK(all->random, kinds[kind].types);
		const char *first = PICK(all->random, label_sets);
		const char *second = PICK(all->random, label_sets);
		add_metric(all, family, first);
		if (strcmp(first, second) != 0) {
			add_metric(all, family, second);
		}
		step->family_since_ns[step->batch.family_count++] = make_since(all);
		step->batch.sample_count += family->sample_count;
		*link = family;
		link = &family->next;
	}
}

static void make_history(struct history_of_all *all)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		for (int j = 0; j < STEPS; j++) {
			struct step *step = &all->steps[i][j];
			unsigned what = random_below(all->random, 10);
			*step = (struct step){
				.kind = what < 4   ? STEP_PUT
						: what < 8 ? STEP_POST
						: what < 9 ? STEP_DROP
								   : STEP_DELETE,
				.now_ns = (1 + j + (int64_t)random_below(all->random, 2)) * SECOND,
				.since_ns = make_since(all),
				.dropped = slice_of_string(PICK(all->random, kinds).name),
			};
			make_batch(all, step);
		}
	}
}

/* ---- A store and its model ---- */

static void side_init(struct side *side)
{
	/* None of it counts for what is given. */
	struct store_options options = {
		.is_checked = true,
		.limits = { .groups = 1, .series = 1, .series_per_group = 1, .label_sets = 1, .bytes = 1 },
	};
	*side = (struct side){ 0 };
	store_driver_init(&side->d, &options);
	side->model = (struct model){
		.groups = memory_zalloc(MODEL_GROUPS_MAX, sizeof(struct model_group)),
		.declarations = driver_declarations,
		.declaration_count = DRIVER_DECLARATIONS,
		.arena = &side->d.arena,
	};
}

static void side_finish(struct side *side)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		store_driver_delete(&side->d, keys[i]);
	}
	store_driver_check_empty(&side->d);
	store_driver_finish(&side->d);
	free(side->model.groups);
}

static void give_to_store(struct side *side, const struct group_key *key, const struct step *step)
{
	struct prepared_push prepared;
	struct store_push op;
	CHECK(restore_prepare(&step->batch, key, &side->d.arena, &prepared));
	for (size_t i = 0; i < prepared.family_count; i++) {
		prepared.families[i].since_ns = step->family_since_ns[i];
	}
	enum store_method method = step->kind == STEP_PUT ? STORE_PUT : STORE_POST;
	push_init(&op, &side->d.store, method, key, &prepared, &side->d.arena);
	op.now_ns = step->now_ns;
	op.since_ns = step->since_ns;
	op.is_given = true;
	CHECK_INT(push_step(&op), PUSH_OK);
}

static void give_to_model(struct side *side, const struct group_key *key, const struct step *step)
{
	model_apply(&side->model, step->kind == STEP_PUT ? STORE_PUT : STORE_POST, key, &step->batch,
			step->now_ns);
	struct model_group *group = model_find(&side->model, key);
	const int64_t *since_ns = step->family_since_ns;
	group->times.pushed_ns = step->now_ns;
	group->since_ns = step->since_ns != 0 ? step->since_ns : group->since_ns;
	for (const struct batch_family *f = step->batch.families; f != NULL; f = f->next, since_ns++) {
		struct model_block *block = model_find_block(group, f->name);
		block->since_ns = *since_ns != 0 ? *since_ns : block->since_ns;
	}
}

static bool has_name(void *data, const struct member *member)
{
	return slice_equal(member->family->name, *(const struct slice *)data);
}

static void drop(struct side *side, const struct group_key *key, struct slice name)
{
	struct group *group = store_find_group(&side->d.store, key);
	struct model_group *model_group = model_find(&side->model, key);
	CHECK_INT(group == NULL, model_group == NULL);
	if (group == NULL) {
		return;
	}
	store_drop_families(&side->d.store, group, has_name, &name);
	struct model_block *block = model_find_block(model_group, name);
	if (block != NULL) {
		*block = model_group->blocks[--model_group->block_count];
	}
}

static void do_step(struct side *side, const char *name, const struct step *step)
{
	struct group_key key = store_driver_key(&side->d, name);
	switch (step->kind) {
	case STEP_PUT:
	case STEP_POST:
		give_to_store(side, &key, step);
		give_to_model(side, &key, step);
		break;
	case STEP_DROP:
		drop(side, &key, step->dropped);
		break;
	case STEP_DELETE:
		store_driver_delete(&side->d, name);
		model_delete(&side->model, &key);
		break;
	}
}

/* Without TYPE and HELP, which do not tell what is exposed. */
static struct model_lines only_samples(struct model_lines lines)
{
	size_t kept = 0;
	for (size_t i = 0; i < lines.count; i++) {
		if (lines.lines[i].ptr[0] != '#') {
			lines.lines[kept++] = lines.lines[i];
		}
	}
	lines.count = kept;
	return lines;
}

static void settle(struct store_driver *d)
{
	while (d->store.contents->shadow_cursor != NULL) {
		store_tidy(&d->store);
	}
}

static struct model_lines page_of(struct side *side)
{
	settle(&side->d);
	struct slice text = store_driver_whole_page(&side->d, NULL);
	return only_samples(model_lines_of(text, &side->d.arena));
}

static void check_side(struct side *side)
{
	struct model_lines got = page_of(side);
	model_expose(&side->model);
	struct model_lines expected = only_samples(model_page(&side->model, &side->d.arena));
	model_check_lines(&got, &expected);
}

/* All that is to happen, the groups' steps mixed in any way. */
static void live_through(struct history_of_all *all, struct side *side)
{
	for (size_t left = COUNT(keys) * STEPS; left > 0 && check_failures == 0;) {
		size_t i = random_below(all->random, COUNT(keys));
		if (side->done[i] < STEPS) {
			do_step(side, keys[i], &all->steps[i][side->done[i]++]);
			check_side(side);
			left--;
		}
	}
}

static void run_trial(struct random_source *random)
{
	enum { SIDES = 2 };
	struct history_of_all *all = memory_zalloc(1, sizeof(*all));
	struct side sides[SIDES];
	uint64_t seed = random->state;
	arena_init(&all->arena);
	all->random = random;
	make_history(all);
	for (int i = 0; i < SIDES; i++) {
		side_init(&sides[i]);
		live_through(all, &sides[i]);
	}
	if (check_failures == 0) {
		struct model_lines a = page_of(&sides[0]);
		struct model_lines b = page_of(&sides[1]);
		model_check_lines(&a, &b);
		store_driver_check_since(&sides[0].d, &sides[1].d);
	}
	if (check_failures > 0) {
		fprintf(stderr, "with WEIR_TEST_SEED=%llu\n", (unsigned long long)seed);
		exit(1);
	}
	for (int i = 0; i < SIDES; i++) {
		side_finish(&sides[i]);
	}
	arena_finish(&all->arena);
	free(all);
}

static void test_any_order(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned i = random_rounds(60); i > 0; i--) {
		run_trial(&random);
	}
}

/* ---- Many at once ---- */

/* Pushed at that time, unchecked. */
static void push_at(struct store_driver *d, int64_t seconds, const char *key, const char *body)
{
	d->now_ns = (seconds - 1) * SECOND; /* each push is a second later */
	CHECK_INT(store_driver_push(d, STORE_PUT, key, body), PUSH_OK);
}

static bool shows(struct store_driver *d, const char *line)
{
	struct slice page = store_driver_page(d);
	return memmem(page.ptr, page.len, line, strlen(line)) != NULL;
}

/* An old one of another type: all of them give way, in slices, before it is shown. */
static void test_many_give_way(void)
{
	enum { MANY = 500 };
	struct store_driver d;
	char key[32];
	store_driver_init_unchecked(&d);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "job=%d", i);
		push_at(&d, 2 + i % 3, key, "# TYPE m counter\nm 1\n");
	}
	push_at(&d, 1, "job=old", "# TYPE m gauge\nm 1\n");
	CHECK(d.store.contents->shadow_cursor != NULL);
	while (d.store.contents->shadow_cursor != NULL) {
		bool has_counters = d.store.contents->shadowed_blocks < MANY;
		CHECK_INT(shows(&d, "# TYPE m counter"), has_counters);
		CHECK_INT(shows(&d, "job=\"old\""), !has_counters);
		store_tidy(&d.store);
	}
	CHECK_STRING(store_driver_page(&d), "# TYPE m gauge\nm{instance=\"\",job=\"old\"} 1\n");
	store_driver_delete(&d, "job=old");
	settle(&d);
	CHECK_INT(d.store.contents->shadowed_blocks, 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "job=%d", i);
		store_driver_delete(&d, key);
	}
	store_driver_check_empty(&d);
	store_driver_finish(&d);
}

/* The same with the series of many groups in one block. */
static void test_series_of_many(void)
{
	enum { MANY = 300 };
	struct store_driver d;
	char text[64];
	struct buf body;
	store_driver_init_unchecked(&d);
	buf_init(&body, 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "job=a,instance=%d", i);
		push_at(&d, 2, text, "m 1\n");
		buf_printf(&body, "m{instance=\"%d\"} 2\n", i);
	}
	buf_append_byte(&body, '\0');
	push_at(&d, 3, "job=a", body.ptr);
	CHECK_INT(d.store.contents->shadowed_blocks, 1);
	store_driver_delete(&d, "job=a");
	push_at(&d, 1, "job=a", body.ptr);
	settle(&d);
	CHECK_INT(d.store.contents->shadowed_blocks, MANY);
	CHECK(!shows(&d, "} 1\n"));
	store_driver_delete(&d, "job=a");
	settle(&d);
	CHECK_INT(d.store.contents->shadowed_blocks, 0);
	CHECK(!shows(&d, "} 2\n"));
	buf_finish(&body);
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_any_order);
	RUN(test_many_give_way);
	RUN(test_series_of_many);
	return check_done();
}
