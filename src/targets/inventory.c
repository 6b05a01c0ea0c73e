#include "targets/inventory.h"

#include "base/number.h"

enum { WINDOW = 32768 }; /* numbers that are looked at at once, a bit each: all targets are, too */

static const struct slice host_job = SLICE_INIT("node");

static const struct slice jobs[TARGET_MODE_COUNT] = {
	[TARGET_IMAGE] = SLICE_INIT("orwell_image"),
	[TARGET_COLLECTOR] = SLICE_INIT("orwell_collector"),
};

/* ---- Numbers ---- */

/* As it is written, so that no two texts mean the same; 0: it is none. */
static uint64_t read_number(struct slice text, uint64_t max)
{
	int64_t number;
	bool is_good = number_is_uint(text) && number_parse_int(text, &number) && number > 0
			&& (uint64_t)number <= max;
	return is_good ? (uint64_t)number : 0;
}

/* ---- Keys ---- */

static void init_key(struct inventory_key *key, struct slice job, struct slice instance)
{
	key->pairs[0] = (struct label){ SLICE("instance"), instance };
	key->pairs[1] = (struct label){ SLICE("job"), job };
	key->key.labels = (struct labels){ key->pairs, 2 };
}

void inventory_host_key(struct inventory_key *key, struct slice address)
{
	init_key(key, host_job, address);
}

void inventory_number_key(
		struct inventory_key *key, enum target_mode mode, uint64_t number, struct arena *arena)
{
	init_key(key, jobs[mode], arena_printf(arena, "%llu", (unsigned long long)number));
}

/* The value of its instance when it has that job and no other label; ptr NULL when not. */
static struct slice instance_of(const struct group_key *key, struct slice job)
{
	bool fits = key->labels.count == 2 && slice_equal(labels_find(&key->labels, SLICE("job")), job);
	return fits ? labels_find(&key->labels, SLICE("instance")) : slice_make(NULL, 0);
}

bool inventory_fits(enum target_mode mode, const struct group_key *key)
{
	return jobs[mode].len == 0
			|| read_number(instance_of(key, jobs[mode]), INVENTORY_NUMBER_MAX) > 0;
}

uint64_t inventory_number(const struct target *target)
{
	return read_number(target_label(target, SLICE("instance")), INVENTORY_NUMBER_MAX);
}

/* ---- Looking ---- */

bool inventory_is_host(const struct target *target)
{
	return target_is_watched(target) && target->config.mode != TARGET_VIRTUAL
			&& instance_of(&target->key, host_job).len > 0;
}

struct target *inventory_find(
		const struct registry *registry, enum target_mode mode, uint64_t number)
{
	char text[NUMBER_TEXT_MAX];
	struct inventory_key key;
	init_key(&key, jobs[mode], slice_make(text, number_format_uint(number, text)));
	struct target *target = registry_find(registry, &key.key);
	return target != NULL && target->config.mode == mode ? target : NULL;
}

struct target *inventory_find_named(
		const struct registry *registry, enum target_mode mode, struct slice name)
{
	LIST_EACH (link, &registry->unwatched) {
		struct target *target = LIST_ENTRY(link, struct target, described);
		if (target->config.mode == mode
				&& slice_equal(inventory_text(target, SLICE("name")), name)) {
			return target;
		}
	}
	return NULL;
}

static bool is_taken(const struct registry *registry, enum target_mode mode, uint64_t number)
{
	char text[NUMBER_TEXT_MAX];
	struct inventory_key key;
	init_key(&key, jobs[mode], slice_make(text, number_format_uint(number, text)));
	return registry_find(registry, &key.key) != NULL;
}

/* Numbers from the first on. */
struct window {
	uint64_t first;
	uint64_t bits[WINDOW / 64];
};

static bool is_in(const struct window *window, uint64_t number)
{
	return number >= window->first && number - window->first < WINDOW;
}

static void mark(struct window *window, uint64_t number)
{
	if (is_in(window, number)) {
		uint64_t place = number - window->first;
		window->bits[place / 64] |= UINT64_C(1) << place % 64;
	}
}

/* The number is in it. */
static bool is_marked(const struct window *window, uint64_t number)
{
	uint64_t place = number - window->first;
	return (window->bits[place / 64] >> place % 64 & 1) != 0;
}

static void mark_images(const struct registry *registry, struct window *window)
{
	LIST_EACH (link, &registry->targets) {
		const struct target *target = LIST_ENTRY(link, struct target, link);
		if (inventory_is_host(target)) {
			mark(window, inventory_count(target, SLICE("image_id")));
		}
	}
}

static void mark_collectors(const struct registry *registry, struct window *window)
{
	LIST_EACH (link, &registry->unwatched) {
		const struct target *target = LIST_ENTRY(link, struct target, described);
		if (target->config.mode != TARGET_IMAGE) {
			continue;
		}
		struct slice rest = inventory_text(target, SLICE("collectors"));
		uint64_t number;
		while ((number = inventory_take_collector(&rest)) != 0) {
			mark(window, number);
		}
	}
}

/*
 * Of the numbers from first on, those that something refers to: who deletes may do so while
 * another weir gives what is deleted, and who edits by hand may leave anything behind. What has
 * such a number next would be what nobody has meant.
 */
static void find_references(const struct registry *registry, enum target_mode mode, uint64_t first,
		struct window *ret_window)
{
	*ret_window = (struct window){ .first = first };
	if (mode == TARGET_IMAGE) {
		mark_images(registry, ret_window);
	} else {
		mark_collectors(registry, ret_window);
	}
}

/* Somebody may push by such a key, or refer to it: then the number is skipped. */
uint64_t inventory_next_number(
		const struct registry *registry, enum target_mode mode, uint64_t behind)
{
	uint64_t last = behind;
	LIST_EACH (link, &registry->unwatched) {
		const struct target *target = LIST_ENTRY(link, struct target, described);
		if (target->config.mode == mode && inventory_number(target) > last) {
			last = inventory_number(target);
		}
	}
	struct window window = { .first = UINT64_MAX }; /* of no number yet */
	do {
		if (!is_in(&window, ++last)) {
			find_references(registry, mode, last, &window);
		}
	} while (is_marked(&window, last) || is_taken(registry, mode, last));
	return last <= INVENTORY_NUMBER_MAX ? last : 0;
}

/* ---- What is known of one ---- */

struct slice inventory_text(const struct target *target, struct slice name)
{
	return labels_find(&target->config.attributes, name);
}

uint64_t inventory_count(const struct target *target, struct slice name)
{
	return read_number(inventory_text(target, name), INVENTORY_NUMBER_MAX);
}

struct target *inventory_image_of(const struct registry *registry, const struct target *host)
{
	uint64_t number = inventory_count(host, SLICE("image_id"));
	return number == 0 ? NULL : inventory_find(registry, TARGET_IMAGE, number);
}

uint64_t inventory_take_collector(struct slice *collectors)
{
	uint64_t number = 0;
	while (number == 0 && collectors->len > 0) {
		const char *comma = slice_find_byte(*collectors, ',');
		struct slice text = comma == NULL ? *collectors : slice_between(collectors->ptr, comma);
		*collectors = slice_skip(*collectors, text.len + (comma != NULL));
		number = read_number(slice_trim(text), INVENTORY_NUMBER_MAX);
	}
	return number;
}

bool inventory_has_collector(const struct target *image, uint64_t number)
{
	struct slice rest = inventory_text(image, SLICE("collectors"));
	for (uint64_t each = inventory_take_collector(&rest); each != 0;
			each = inventory_take_collector(&rest)) {
		if (each == number) {
			return true;
		}
	}
	return false;
}

static bool is_pulled(const struct target *collector)
{
	uint64_t port = inventory_count(collector, SLICE("port"));
	return inventory_count(collector, SLICE("type_id")) == COLLECTOR_PULL && port > 0
			&& port <= INVENTORY_PORT_MAX;
}

struct target *inventory_pull_collector(const struct registry *registry, const struct target *host)
{
	const struct target *image = inventory_image_of(registry, host);
	struct slice rest = image == NULL ? SLICE("") : inventory_text(image, SLICE("collectors"));
	struct target *first = NULL;
	uint64_t lowest = UINT64_MAX;
	for (uint64_t number = inventory_take_collector(&rest); number != 0;
			number = inventory_take_collector(&rest)) {
		struct target *collector =
				number < lowest ? inventory_find(registry, TARGET_COLLECTOR, number) : NULL;
		if (collector != NULL && is_pulled(collector)) {
			first = collector;
			lowest = number;
		}
	}
	return first;
}
