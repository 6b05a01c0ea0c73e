#pragma once

/*
 * A store for the unit tests: keys and bodies are spelled as text, pages come
 * back as text.
 *
 *     store_driver_push(&d, STORE_PUT, "job=a,instance=i", "m 1\n");
 *     CHECK_STRING(store_driver_page(&d), "# TYPE m untyped\nm{...} 1\n");
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "check.h"
#include "format/format.h"
#include "format/text_layout.h"
#include "store/page.h"
#include "store/push.h"
#include "store/splice.h"

struct store_driver {
	struct store store;
	struct arena arena;       /* for all that a test needs, until the end */
	int64_t now_ns;           /* Unix time, one second on with each push */
	enum format_id format;    /* of bodies */
	struct page_options page; /* how pages are wanted */
	struct slice fault;       /* of the last push that was refused */
	bool leaves_trace;
	enum store_limit limit;
	struct store_listener listener;
	struct buf log; /* "3 put job=a\n" for each change */
};

static const struct family_declaration driver_declarations[] = {
	{ .name = SLICE_INIT("go_threads"), .type = METRIC_GAUGE, .source = DECLARATION_NOTHING },
	{ .name = SLICE_INIT("own_requests"),
			.type = METRIC_COUNTER,
			.source = DECLARATION_OWN,
			.help = SLICE_INIT("Requests."),
			.help_must_match = true },
	{ .name = SLICE_INIT("push_failure_time_seconds"),
			.type = METRIC_GAUGE,
			.source = DECLARATION_FAILURE_TIMES,
			.help = SLICE_INIT("Failed.") },
	{ .name = SLICE_INIT("push_time_seconds"),
			.type = METRIC_GAUGE,
			.source = DECLARATION_PUSH_TIMES,
			.help = SLICE_INIT("Pushed.") },
};
enum { DRIVER_DECLARATIONS = sizeof(driver_declarations) / sizeof(driver_declarations[0]) };

static const struct format_options driver_limits = {
	.samples = 1000000,
	.labels = 100,
	.label_bytes = 1000000,
	.utf8_names = true,
};

static inline void store_driver_on_change(
		struct store_listener *listener, const struct store_change *change)
{
	static const char *const kinds[] = { "put", "post", "failure", "delete", "expire", "wipe" };
	struct store_driver *d = LIST_ENTRY(listener, struct store_driver, listener);
	buf_printf(&d->log, "%llu %s", (unsigned long long)change->number, kinds[change->kind]);
	if (change->group != NULL) {
		buf_append_byte(&d->log, ' ');
		buf_append(&d->log, change->group->label_text);
	}
	buf_append_byte(&d->log, '\n');
}

static inline void store_driver_init(struct store_driver *d, const struct store_options *options)
{
	struct store_options checked = { .is_checked = true };
	static bool has_key; /* another one would be the end of stores that are there */
	if (!has_key) {
		hash_init();
		has_key = true;
	}
	*d = (struct store_driver){ .now_ns = 1000000000000 };
	arena_init(&d->arena);
	buf_init(&d->log, 0);
	store_init(&d->store, options == NULL ? &checked : options);
	store_declare(&d->store, driver_declarations, DRIVER_DECLARATIONS);
	d->listener.on_change = store_driver_on_change;
	store_subscribe(&d->store, &d->listener);
}

static inline void store_driver_init_unchecked(struct store_driver *d)
{
	struct store_options options = { .is_checked = false };
	store_driver_init(d, &options);
}

static inline void store_driver_finish(struct store_driver *d)
{
	store_finish(&d->store);
	page_release_spare();
	arena_finish(&d->arena);
	buf_finish(&d->log);
}

/* "job=a,instance=": names and escaped values. */
static inline struct group_key store_driver_key(struct store_driver *d, const char *text)
{
	enum { LABELS_MAX = 16 };
	struct slice rest = arena_copy(&d->arena, slice_of_string(text));
	struct labels labels = { .pairs = arena_alloc(&d->arena, LABELS_MAX * sizeof(struct label)) };
	while (rest.len > 0) {
		const char *comma = slice_find_byte(rest, ',');
		struct slice label = comma == NULL ? rest : slice_between(rest.ptr, comma);
		const char *equals = slice_find_byte(label, '=');
		assert(equals != NULL && labels.count < LABELS_MAX);
		labels.pairs[labels.count++] = (struct label){
			.name = slice_between(label.ptr, equals),
			.value = slice_between(equals + 1, label.ptr + label.len),
		};
		rest = slice_skip(rest, label.len + (comma != NULL));
	}
	struct group_key key;
	group_key_init(&key, labels);
	return key;
}

/* A push on its way, for those that are applied in slices. */
struct driver_push {
	struct group_key key;
	struct prepared_push prepared;
	struct store_push op;
};

/* False when the body alone is refused; then the driver has the fault. */
static inline bool store_driver_prepare(struct store_driver *d, enum store_method method,
		const char *key, struct slice body, struct driver_push *push)
{
	struct batch batch;
	struct format_error error;
	struct batch_fault fault;
	struct text_layout layout;
	struct prepare_options options = {
		.is_checked = d->store.options.is_checked,
		.max_bytes = SIZE_MAX,
	};
	push->key = store_driver_key(d, key);
	text_layout_scan(body, &d->arena, &layout);
	enum format_result parsed =
			formats[d->format].decode(body, &driver_limits, &d->arena, &batch, &error);
	if (parsed != FORMAT_OK) {
		d->fault = error.what;
		d->leaves_trace = false;
		return false;
	}
	if (prepare_push(&batch, &push->key, &options, &d->arena, &push->prepared, &fault)
			!= PREPARE_OK) {
		d->fault = fault.text;
		d->leaves_trace = fault.leaves_trace;
		return false;
	}
	push->prepared.layout.hash = layout.hash;
	push->prepared.layout.is_known = d->format == FORMAT_TEXT && text_layout_fits(&layout, &batch)
			&& push->prepared.line_count == batch.sample_count;
	push_init(&push->op, &d->store, method, &push->key, &push->prepared, &d->arena);
	push->op.now_ns = d->now_ns += 1000000000;
	return true;
}

/* The next slice; what the push was refused for is the driver's then. */
static inline enum push_result store_driver_step(struct store_driver *d, struct driver_push *push)
{
	enum push_result result = push_step(&push->op);
	if (result == PUSH_E_INCONSISTENT || result == PUSH_E_LIMIT) {
		d->fault = push->op.fault.text;
		d->leaves_trace = push->op.fault.leaves_trace;
		d->limit = push->op.limit;
		prepared_push_drop(&push->prepared);
	}
	return result;
}

/* As the API does it: parsed, prepared, applied to the end, the failure recorded. */
static inline enum push_result store_driver_push_until(struct store_driver *d,
		enum store_method method, const char *key, const char *body, int64_t deadline_ns)
{
	struct driver_push *push = arena_zalloc(&d->arena, 1, sizeof(*push));
	struct slice copy = arena_copy(&d->arena, slice_of_string(body));
	enum push_result result = PUSH_E_INCONSISTENT;
	if (store_driver_prepare(d, method, key, copy, push)) {
		push->op.deadline_ns = deadline_ns;
		do {
			result = store_driver_step(d, push);
		} while (result == PUSH_AGAIN);
	}
	if (result == PUSH_WAIT) {
		prepared_push_drop(&push->prepared);
	}
	if (result == PUSH_E_INCONSISTENT && d->leaves_trace) {
		store_record_failure(&d->store, &push->key, &(struct store_job_limits){ 0 }, d->now_ns, 0);
	}
	return result;
}

static inline enum push_result store_driver_push(
		struct store_driver *d, enum store_method method, const char *key, const char *body)
{
	return store_driver_push_until(d, method, key, body, 0);
}

/* One call: a large group goes in slices. */
static inline enum store_delete_result store_driver_delete_slice(
		struct store_driver *d, const char *key)
{
	struct group_key parsed = store_driver_key(d, key);
	return store_delete(&d->store, &parsed);
}

static inline void store_driver_delete(struct store_driver *d, const char *key)
{
	while (store_driver_delete_slice(d, key) == STORE_DELETE_WAIT) {
		assert(d->store.deleting != NULL);
	}
}

static inline struct group *store_driver_find(struct store_driver *d, const char *key)
{
	struct group_key parsed = store_driver_key(d, key);
	return store_find_group(&d->store, &parsed);
}

/* ---- Splicing ---- */

struct driver_splice {
	struct group_key key;
	struct text_layout layout;
	struct splice splice;
};

/* Whether the body has the layout of the group's last push. */
static inline bool store_driver_splice_begin(struct store_driver *d, struct driver_splice *s,
		enum store_method method, const char *key, const char *body)
{
	struct slice copy = arena_copy(&d->arena, slice_of_string(body));
	s->key = store_driver_key(d, key);
	text_layout_scan(copy, &d->arena, &s->layout);
	struct body_layout layout = { .hash = s->layout.hash, .is_known = s->layout.is_plain };
	return splice_begin(&s->splice, &d->store, &s->key, method, &layout, s->layout.values,
			s->layout.value_count);
}

static inline bool store_driver_splice(
		struct store_driver *d, enum store_method method, const char *key, const char *body)
{
	struct driver_splice s;
	if (!store_driver_splice_begin(d, &s, method, key, body)) {
		return false;
	}
	splice_make(&s.splice);
	return splice_end(&s.splice, d->now_ns += 1000000000, 0);
}

/* ---- Pages ---- */

/* Appends the next piece; false at the end. */
static inline bool store_driver_page_next(struct page *page, struct buf *text)
{
	const struct slice *parts;
	size_t count;
	if (!page_next(page, &parts, &count)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		buf_append(text, parts[i]);
	}
	return true;
}

static inline struct slice store_driver_whole_page(struct store_driver *d, const struct slice *own)
{
	struct page page;
	struct buf text;
	buf_init(&text, 0);
	struct page_options options = d->page;
	options.own_lines = own;
	bool is_open = page_init(&page, &d->store, &options);
	assert(is_open);
	while (store_driver_page_next(&page, &text)) {
	}
	page_finish(&page);
	struct slice copy = arena_copy(&d->arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

/* The text without the push times. */
static inline struct slice store_driver_without_times(struct store_driver *d, struct slice text)
{
	char *out = arena_text(&d->arena, text.len + 1);
	size_t len = 0;
	while (text.len > 0) {
		const char *feed = slice_find_byte(text, '\n');
		struct slice line = slice_first(text, (size_t)(feed - text.ptr) + 1);
		text = slice_skip(text, line.len);
		size_t keyword = slice_starts_with(line, SLICE("# EOF")) ? 0 : sizeof("# HELP ") - 1;
		struct slice bare = line.ptr[0] == '#' ? slice_skip(line, keyword) : line;
		if (!slice_starts_with(bare, SLICE("push_"))) {
			memcpy(out + len, line.ptr, line.len);
			len += line.len;
		}
	}
	return slice_make(out, len);
}

/* All that was pushed, as it is exposed now. */
static inline struct slice store_driver_page(struct store_driver *d)
{
	return store_driver_without_times(d, store_driver_whole_page(d, NULL));
}

/* Only the push times, without HELP and TYPE. */
static inline struct slice store_driver_times(struct store_driver *d)
{
	struct slice text = store_driver_whole_page(d, NULL);
	char *out = arena_text(&d->arena, text.len + 1);
	size_t len = 0;
	while (text.len > 0) {
		const char *feed = slice_find_byte(text, '\n');
		struct slice line = slice_first(text, (size_t)(feed - text.ptr) + 1);
		text = slice_skip(text, line.len);
		if (slice_starts_with(line, SLICE("push_"))) {
			memcpy(out + len, line.ptr, line.len);
			len += line.len;
		}
	}
	return slice_make(out, len);
}

/* What both have is there since the same time. */
static inline void store_driver_check_since(
		const struct store_driver *a, const struct store_driver *b)
{
	const struct slots *slots = &a->store.contents->group_slots;
	const struct families *families = &b->store.contents->families;
	for (uint32_t i = 0; i < slots->len; i++) {
		const struct group *group = slot_content(*slots_at(slots, i));
		const struct group *other = group == NULL ? NULL : store_find_group(&b->store, &group->key);
		CHECK_INT(other == NULL ? 0 : other->since_ns, group == NULL ? 0 : group->since_ns);
		for (uint32_t j = 0; other != NULL && j < group->member_count; j++) {
			const struct member *had = &group->members[j];
			struct slice name = had->family->name;
			const struct family *family = families_find(families, name, hash64(name));
			const struct member *has = family == NULL ? NULL : group_find_member(other, family);
			CHECK(has != NULL);
			if (has != NULL) {
				const struct block *old = slot_content(*slots_at(&had->family->slots, had->slot));
				const struct block *block = slot_content(*slots_at(&family->slots, has->slot));
				CHECK_INT(block->since_ns, old->since_ns);
			}
		}
	}
}

/* Nothing is stored, and nothing was lost count of. */
static inline void store_driver_check_empty(struct store_driver *d)
{
	while (store_tidy(&d->store)) {
	}
	const struct contents *contents = d->store.contents;
	CHECK_INT(contents->group_count, 0);
	CHECK_INT(contents->series, 0);
	CHECK_INT(contents->blocks, 0);
	CHECK_INT(contents->bytes, 0);
	CHECK_INT(contents->shadowed_blocks, 0);
	CHECK_INT(contents->shadowed_groups, 0);
	CHECK_INT(contents->families.len, DRIVER_DECLARATIONS);
	CHECK_INT(contents->shapes.len, 0);
	CHECK(list_is_empty(&contents->history.loose));
}
