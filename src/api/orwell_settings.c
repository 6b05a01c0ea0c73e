#include "api/orwell_settings.h"

#include <stdlib.h>

#include "targets/targets_read.h"

/* ---- Showing ---- */

static int compare_numbers(const void *a, const void *b)
{
	uint64_t first = inventory_number(*(const struct target *const *)a);
	uint64_t second = inventory_number(*(const struct target *const *)b);
	return (first > second) - (first < second);
}

/* By their numbers, in the arena. */
static const struct target **sort(const struct registry *registry, enum target_mode mode,
		struct arena *arena, size_t *ret_count)
{
	size_t most = 0;
	LIST_EACH (link, &registry->unwatched) {
		most++;
	}
	const struct target **all = arena_zalloc(arena, most + 1, sizeof(*all));
	size_t count = 0;
	LIST_EACH (link, &registry->unwatched) {
		const struct target *target = LIST_ENTRY(link, struct target, described);
		if (target->config.mode == mode) {
			all[count++] = target;
		}
	}
	qsort(all, count, sizeof(*all), compare_numbers);
	*ret_count = count;
	return all;
}

static void list_all(
		struct api *api, struct exchange *exchange, const struct orwell_setting *setting)
{
	size_t offset;
	size_t limit;
	size_t count;
	struct buf out;
	if (!orwell_query_page(api, exchange, &offset, &limit)) {
		return;
	}
	const struct target **all = sort(api->targets, setting->mode, &exchange->arena, &count);
	buf_init(&out, 0);
	buf_append_byte(&out, '[');
	for (size_t i = offset; i < count && i - offset < limit; i++) {
		buf_append(&out, i > offset ? SLICE(",") : SLICE(""));
		setting->append(api->targets, &out, all[i]);
	}
	buf_append_byte(&out, ']');
	orwell_answer(api, exchange, &out);
}

static void show(struct api *api, struct exchange *exchange, const struct orwell_setting *setting,
		uint64_t number)
{
	const struct target *target = inventory_find(api->targets, setting->mode, number);
	struct buf out;
	if (target == NULL) {
		orwell_answer_error(api, exchange, 404, setting->missing);
		return;
	}
	buf_init(&out, 0);
	setting->append(api->targets, &out, target);
	orwell_answer(api, exchange, &out);
}

/* ---- Changing ---- */

bool orwell_setting_set(struct orwell_setting_write *write, struct target_config *config,
		const struct label *changes, size_t count)
{
	config->attributes = targets_change_attributes(
			&config->attributes, changes, count, orwell_arena(&write->write));
	return config->attributes.count <= TARGETS_ATTRIBUTES_MAX
			|| targets_turn_refuse(
					&write->write.turn, 409, SLICE("There are too many attributes already"));
}

/* All that the body says. False: it was refused. */
static bool apply(struct orwell_setting_write *write, const struct target *target,
		struct target_config *config)
{
	const struct orwell_setting *setting = write->setting;
	struct label name = { SLICE("name"), write->name.text };
	if (!write->name.is_given) {
		return setting->apply(write, config);
	}
	const struct target *owner =
			inventory_find_named(orwell_registry(&write->write), setting->mode, name.value);
	if (owner != NULL && owner != target) {
		return targets_turn_refuse(&write->write.turn, 409, setting->taken);
	}
	return orwell_setting_set(write, config, &name, 1) && setting->apply(write, config);
}

static bool prepare_new(struct orwell_write *base)
{
	struct orwell_setting_write *write = (struct orwell_setting_write *)base;
	enum target_mode mode = write->setting->mode;
	struct arena *arena = orwell_arena(base);
	struct inventory_key *key = arena_alloc(arena, sizeof(*key));
	struct target_config config = { .mode = mode };
	if (!apply(write, NULL, &config)) {
		return false;
	}
	write->number = inventory_next_number(orwell_registry(base), mode, write->number);
	if (write->number == 0) {
		return targets_turn_refuse(&base->turn, 409, SLICE("no number is left"));
	}
	inventory_number_key(key, mode, write->number, arena);
	/* The same wherever it is made, so that of two weirs that take a number one is told. */
	struct target_id id = target_id_of_key(&key->key);
	return targets_turn_make(&base->turn, &key->key, &config, &id);
}

bool orwell_setting_prepare_change(struct orwell_write *base)
{
	struct orwell_setting_write *write = (struct orwell_setting_write *)base;
	const struct target *target =
			inventory_find(orwell_registry(base), write->setting->mode, write->number);
	if (target == NULL) {
		return targets_turn_refuse(&base->turn, 404, base->missing);
	}
	struct target_config config = target->config;
	return apply(write, target, &config)
			&& targets_turn_change(&base->turn, target, &target->key, &config);
}

static bool prepare_deletion(struct orwell_write *base)
{
	const struct orwell_setting_write *write = (struct orwell_setting_write *)base;
	const struct registry *registry = orwell_registry(base);
	const struct target *target = inventory_find(registry, write->setting->mode, write->number);
	if (target == NULL) {
		return targets_turn_refuse(&base->turn, 404, base->missing);
	}
	struct slice use = write->setting->use(registry, write->number);
	return use.ptr != NULL ? targets_turn_refuse(&base->turn, 409, use)
						   : orwell_delete(base, target);
}

struct orwell_setting_write *orwell_setting_write_create(struct api *api, struct exchange *exchange,
		const struct orwell_setting *setting, bool (*prepare)(struct orwell_write *write))
{
	struct orwell_setting_write *write = orwell_write_create(api, exchange, setting->write_bytes);
	write->write.prepare = prepare;
	write->write.append = setting->append;
	write->write.missing = setting->missing;
	write->setting = setting;
	return write;
}

/* ---- Requests ---- */

static void read_fields(struct orwell_body *body, struct orwell_setting_write *write)
{
	if (orwell_body_field(body, "name") != NULL) {
		orwell_body_require(body, "name");
	}
	write->name = orwell_body_text(body, "name", 1, TARGETS_ATTRIBUTE_BYTES_MAX);
	write->setting->read(body, write);
}

/* Carries out what was read. */
static void submit(struct api *api, struct exchange *exchange,
		const struct orwell_setting_write *read, bool (*prepare)(struct orwell_write *write))
{
	struct orwell_setting_write *write =
			orwell_setting_write_create(api, exchange, read->setting, prepare);
	size_t base = sizeof(write->write);
	memcpy((char *)write + base, (const char *)read + base, read->setting->write_bytes - base);
	orwell_write_submit(&write->write);
}

/* What is to be read, of one that is there or not. NULL: the exchange was answered. */
static struct orwell_setting_write *begin(struct api *api, struct exchange *exchange,
		const struct orwell_setting *setting, struct orwell_body *body)
{
	struct orwell_setting_write *read = arena_zalloc(&exchange->arena, 1, setting->write_bytes);
	read->setting = setting;
	return orwell_body_open(api, exchange, body) ? read : NULL;
}

static void make(struct api *api, struct exchange *exchange, const struct orwell_setting *setting)
{
	struct orwell_body body;
	struct orwell_setting_write *read = begin(api, exchange, setting, &body);
	if (read == NULL) {
		return;
	}
	for (const char *const *name = setting->required; *name != NULL; name++) {
		if (orwell_body_field(&body, *name) == NULL) {
			orwell_body_require(&body, *name);
		}
	}
	read_fields(&body, read);
	if (orwell_body_close(api, exchange, &body)) {
		submit(api, exchange, read, prepare_new);
	}
}

/* The number is in the path or in the body, and if in both the same. */
static void update(struct api *api, struct exchange *exchange, const struct orwell_setting *setting,
		const uint64_t *number)
{
	struct orwell_body body;
	struct orwell_setting_write *read = begin(api, exchange, setting, &body);
	if (read == NULL) {
		return;
	}
	if (number == NULL) {
		orwell_body_require(&body, "id");
	}
	struct orwell_number id = orwell_body_number(&body, "id", 0, INT64_MAX);
	bool is_said = id.is_given && !id.is_null;
	if (number != NULL && is_said && id.value != *number) {
		orwell_body_refuse(&body, "id", "value_error", "it is another one than in the path");
	}
	read_fields(&body, read);
	read->number = number != NULL ? *number : id.value;
	if (orwell_body_close(api, exchange, &body)) {
		submit(api, exchange, read, orwell_setting_prepare_change);
	}
}

static void forget(struct api *api, struct exchange *exchange, const struct orwell_setting *setting,
		uint64_t number)
{
	struct orwell_setting_write *write =
			orwell_setting_write_create(api, exchange, setting, prepare_deletion);
	write->number = number;
	orwell_write_submit(&write->write);
}

static void handle_all(
		struct api *api, struct exchange *exchange, const struct orwell_setting *setting)
{
	if (exchange->request.method == METHOD_POST) {
		make(api, exchange, setting);
	} else if (exchange->request.method == METHOD_PUT) {
		update(api, exchange, setting, NULL);
	} else {
		list_all(api, exchange, setting);
	}
}

void orwell_setting_handle(struct api *api, struct exchange *exchange, struct slice id,
		const struct orwell_setting *setting)
{
	uint64_t number;
	if (id.len == 0) {
		handle_all(api, exchange, setting);
	} else if (!orwell_path_number(api, exchange, setting->path_name, id, &number)) {
		return;
	} else if (exchange->request.method == METHOD_PUT) {
		update(api, exchange, setting, &number);
	} else if (exchange->request.method == METHOD_DELETE) {
		forget(api, exchange, setting, number);
	} else {
		show(api, exchange, setting, number);
	}
}
