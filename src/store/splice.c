#include "store/splice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "store/line.h"

/* More blocks than that go into the store in slices, as an ordinary push. */
enum { ENTRIES_MAX = 4 * SLICE_FAMILIES };

/* Counts have rules of their own; whoever breaks one is parsed. */
static bool value_fits(enum metric_type type, const char *line, struct slice value)
{
	if (metric_type_is_histogram(type)) {
		return value.ptr[0] != '-';
	}
	if (type != METRIC_SUMMARY) {
		return true;
	}
	struct slice series = line_series(slice_between(line, rawmemchr(line, '\n')));
	return !slice_ends_with(line_name(series), SLICE("_count")) || number_is_uint(value);
}

static char *put(char *out, const char *from, const char *to)
{
	memcpy(out, from, (size_t)(to - from));
	return out + (to - from);
}

/*
 * Copies the chunk's lines with new values. What lies between two values that
 * changed is copied in one go.
 */
static bool splice_lines(struct splice *s, const struct chunk *old, enum metric_type type)
{
	const char *line = old->text;
	const char *end = old->text + old->text_bytes;
	const char *run = line;
	for (; line < end; s->next_value++) {
		const char *feed = rawmemchr(line, '\n');
		struct slice value = *s->next_value;
		if (!value_fits(type, line, value)) {
			return false;
		}
		const char *start = feed;
		while (start[-1] != ' ') {
			start--;
		}
		if (!slice_equal(slice_between(start, feed), value)) {
			s->at = put(s->at, run, start);
			s->at = put(s->at, value.ptr, value.ptr + value.len);
			run = feed;
		}
		line = feed + 1;
	}
	s->at = put(s->at, run, end);
	return true;
}

/*
 * The same notes at the places where their text is now. Bodies that can be
 * spliced have nothing but bounds to note, which lie before the line's value.
 */
static char *splice_notes(char *out, const struct chunk *old, const struct chunk *chunk)
{
	const struct notes *notes = chunk_notes(old);
	struct notes *copy = memcpy(out, notes, notes->bytes);
	const char *old_line = old->text;
	const char *line = chunk->text;
	for (uint32_t i = 0; i < notes->count; i++) {
		const char *place = old->text + notes->notes[i].at;
		const char *feed = rawmemchr(old_line, '\n');
		assert(notes->notes[i].kind == NOTE_POINT_ZERO);
		for (; feed < place; feed = rawmemchr(old_line, '\n')) {
			old_line = feed + 1;
			line = (const char *)rawmemchr(line, '\n') + 1;
		}
		copy->notes[i].at = (uint32_t)(line - chunk->text + (place - old_line));
	}
	return out + notes->bytes;
}

static bool splice_chunk(struct splice *s, const struct chunk *old, enum metric_type type)
{
	struct chunk *chunk = (struct chunk *)(void *)pack_align(s->pack, s->at, sizeof(uint32_t));
	*chunk = (struct chunk){
		.in_pack = (uint32_t)((char *)chunk - (char *)s->pack),
		.line_count = old->line_count,
		.has_notes = old->has_notes,
		.has_quoted = old->has_quoted,
	};
	s->at = chunk->text;
	if (!splice_lines(s, old, type)) {
		return false;
	}
	chunk->text_bytes = (uint32_t)(s->at - chunk->text);
	s->at = pack_align(s->pack, s->at, sizeof(uint32_t));
	memcpy(s->at, chunk_ids(old), old->line_count * sizeof(uint32_t));
	s->at += old->line_count * sizeof(uint32_t);
	if (old->has_notes) {
		s->at = splice_notes(s->at, old, chunk);
	}
	return true;
}

static bool splice_blocks(struct splice *s)
{
	const struct pack_entry *old_entries = pack_entries(s->old);
	struct pack_entry *entries = pack_entries(s->pack);
	for (uint32_t i = 0; i < s->old->entry_count; i++) {
		struct block *old = pack_block(s->old, &old_entries[i]);
		char *chunks = pack_align(s->pack, s->at, sizeof(uint32_t));
		for (size_t j = 0; j < old->chunk_count; j++) {
			if (!splice_chunk(s, old->chunks[j], old->type)) {
				return false;
			}
		}
		entries[i] = (struct pack_entry){
			.block = pack_put_block(s->pack, &s->at, old, chunks)->in_pack,
			.member = old_entries[i].member,
			.family_id = old_entries[i].family_id,
		};
	}
	return true;
}

/*
 * As large as the old one, but for the values and for what alignment may take;
 * the rest is given back afterwards.
 */
static void make_pack(struct splice *s)
{
	enum { SLACK_PER_PART = 16 };
	size_t value_bytes = 0;
	for (size_t i = 0; i < s->value_count; i++) {
		value_bytes += s->values[i].len;
	}
	size_t entries_bytes = s->old->entry_count * sizeof(struct pack_entry);
	size_t bytes = s->old->bytes - s->old->value_bytes + value_bytes + SLACK_PER_PART
			+ s->old->parts * SLACK_PER_PART;
	s->pack = pack_begin(bytes);
	s->pack->entry_count = s->old->entry_count;
	s->pack->entries = sizeof(struct pack);
	s->pack->line_count = s->old->line_count;
	s->pack->value_bytes = value_bytes;
	s->at = (char *)(s->pack + 1) + entries_bytes;
}

static void exchange_blocks(struct splice *s, struct group *group, uint64_t version)
{
	struct contents *contents = s->store->contents;
	const struct pack_entry *entries = pack_entries(s->pack);
	contents->bytes += s->pack->bytes;
	for (uint32_t i = 0; i < s->pack->entry_count; i++) {
		const struct member *member = &group->members[entries[i].member];
		contents_exchange_block(
				contents, member->family, member->slot, pack_block(s->pack, &entries[i]), version);
	}
}

/* The group whose last push had that layout and is as that push left it; or NULL. */
static struct group *find_group(const struct splice *s)
{
	struct group *group = store_find_group(s->store, s->key);
	if (group == NULL || group->layout_pack == NULL || group->is_busy) {
		return NULL;
	}
	bool is_all = group->member_count == group->layout_pack->entry_count;
	return s->method == STORE_POST || is_all ? group : NULL;
}

bool splice_begin(struct splice *splice, struct store *store, const struct group_key *key,
		enum store_method method, const struct body_layout *layout, const struct slice *values,
		size_t value_count)
{
	*splice = (struct splice){
		.store = store,
		.key = key,
		.method = method,
		.values = values,
		.value_count = value_count,
		.contents_id = store->contents->id,
		.next_value = values,
	};
	struct group *group = find_group(splice);
	if (group == NULL || !layout->is_known || !hash128_equal(group->layout.hash, layout->hash)
			|| group->layout_pack->line_count != value_count
			|| group->layout_pack->entry_count > ENTRIES_MAX) {
		return false;
	}
	splice->old = group->layout_pack;
	splice->old->refs++;
	return true;
}

bool splice_make(struct splice *splice)
{
	make_pack(splice);
	if (splice_blocks(splice)) {
		splice->pack = pack_settle(splice->pack, (size_t)(splice->at - (char *)splice->pack));
		return true;
	}
	pack_abandon(splice->pack);
	splice->pack = NULL;
	return false;
}

static void let_go_of_old(struct splice *splice)
{
	struct contents *contents = splice->store->contents;
	size_t freed = pack_unref(splice->old);
	/* After a wipe the bytes were those of contents that are gone. */
	if (contents->id == splice->contents_id) {
		contents->bytes -= freed;
	}
}

static bool is_over_limit(struct splice *splice)
{
	size_t old_bytes = splice->old->bytes;
	size_t bytes = splice->pack->bytes;
	return store_is_over(
			splice->store, STORE_LIMIT_BYTES, bytes > old_bytes ? bytes - old_bytes : 0);
}

void splice_drop(struct splice *splice)
{
	free(splice->pack);
	let_go_of_old(splice);
}

bool splice_end(struct splice *splice, int64_t now_ns, int64_t deadline_ns)
{
	struct store *store = splice->store;
	struct group *group = splice->pack == NULL ? NULL : find_group(splice);
	bool is_unchanged = group != NULL && group->layout_pack == splice->old;
	if (!is_unchanged || is_over_limit(splice)) {
		splice_drop(splice);
		return false;
	}
	store_announce(store, group);
	uint64_t version = store_next_version(store);
	splice->pack->pushed_ns = now_ns;
	exchange_blocks(splice, group, version);
	let_go_of_old(splice);
	group->layout_pack = splice->pack;
	struct group_times times = { .pushed_ns = now_ns, .failed_ns = group->times.failed_ns };
	contents_set_times(store->contents, group, times, version);
	contents_set_deadline(store->contents, group, deadline_ns);
	struct store_change change = {
		.kind = splice->method == STORE_PUT ? STORE_CHANGE_PUT : STORE_CHANGE_POST,
		.group = group,
		.pack = splice->pack,
	};
	store_report(store, &change);
	return true;
}
