#include "state/ledger_handover.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"

static const uint64_t MAGIC = UINT64_C(0x7265676465) << 24 | 1;

/* Between processes of one machine: in its own order of bytes. */
struct ledger_head {
	uint64_t magic;
	uint64_t count;
	uint64_t next_number;
	uint64_t next_grp;
	uint64_t position;
	int64_t ahead_ns;
};

struct ledger_line {
	uint64_t key_sum;
	uint64_t place; /* the group's slot */
	uint64_t grp;
	uint64_t base;
	uint64_t position;
	uint64_t whole_bytes;
	uint64_t push_bytes;
};

/* ---- Writing ---- */

static uint64_t sum_key(const struct labels *labels)
{
	uint64_t sum = labels->count;
	for (size_t i = 0; i < labels->count; i++) {
		sum = checksum64(labels->pairs[i].name, sum);
		sum = checksum64(labels->pairs[i].value, sum);
	}
	return sum;
}

static bool write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t written = write(fd, bytes.ptr, bytes.len);
		if (written < 0 && errno != EINTR) {
			return false;
		}
		bytes = slice_skip(bytes, written < 0 ? 0 : (size_t)written);
	}
	return true;
}

static void append(struct buf *out, const void *part, size_t bytes)
{
	buf_append(out, slice_make(part, bytes));
}

bool ledger_write(const struct ledger *ledger, int fd)
{
	struct ledger_head head = {
		.magic = MAGIC,
		.next_number = ledger->next_number,
		.next_grp = ledger->next_grp,
		.position = ledger->position,
		.ahead_ns = ledger->ahead_ns,
	};
	struct buf out;
	buf_init(&out, 0);
	LIST_EACH (link, &ledger->entries) {
		head.count++;
	}
	append(&out, &head, sizeof(head));
	LIST_EACH (link, &ledger->entries) {
		const struct ledger_entry *entry = LIST_ENTRY(link, struct ledger_entry, in_order);
		struct ledger_line line = {
			.key_sum = sum_key(&entry->group->key.labels),
			.place = entry->group->slot,
			.grp = entry->grp,
			.base = entry->base,
			.position = entry->position,
			.whole_bytes = entry->whole_bytes,
			.push_bytes = entry->push_bytes,
		};
		append(&out, &line, sizeof(line));
	}
	bool is_written = write_all(fd, buf_slice(&out));
	buf_finish(&out);
	return is_written;
}

/* ---- Reading ---- */

static bool read_all(int fd, void *bytes, size_t count)
{
	char *at = bytes;
	while (count > 0) {
		ssize_t got = read(fd, at, count);
		if (got == 0 || (got < 0 && errno != EINTR)) {
			return false;
		}
		at += got < 0 ? 0 : got;
		count -= got < 0 ? 0 : (size_t)got;
	}
	return true;
}

/* The group that the line is about; NULL: it is not where it should be. */
static struct group *find_group(const struct ledger *ledger, const struct ledger_line *line)
{
	const struct slots *slots = &ledger->store->contents->group_slots;
	struct group *group =
			line->place < slots->len ? slot_content(*slots_at(slots, (uint32_t)line->place)) : NULL;
	bool is_it = group != NULL && sum_key(&group->key.labels) == line->key_sum;
	return is_it ? group : NULL;
}

static bool fits(const struct ledger *ledger, const struct ledger_line *lines, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (find_group(ledger, &lines[i]) == NULL) {
			return false;
		}
	}
	return count == ledger->store->contents->group_count;
}

static void adopt(struct ledger *ledger, const struct ledger_line *line)
{
	struct group *group = find_group(ledger, line);
	ledger_adopt(ledger, group, line->grp, line->base, line->whole_bytes);
	struct ledger_entry *entry = group->keeper;
	entry->position = line->position;
	entry->push_bytes = line->push_bytes;
	ledger->live_bytes += line->push_bytes;
}

bool ledger_read(struct ledger *ledger, int fd)
{
	struct ledger_head head;
	if (!read_all(fd, &head, sizeof(head)) || head.magic != MAGIC
			|| head.count != ledger->store->contents->group_count) {
		return false;
	}
	struct ledger_line *lines = memory_zalloc(head.count + 1, sizeof(*lines));
	bool is_good =
			read_all(fd, lines, head.count * sizeof(*lines)) && fits(ledger, lines, head.count);
	for (uint64_t i = head.count; is_good && i > 0; i--) {
		adopt(ledger, &lines[i - 1]);
	}
	free(lines);
	if (is_good) {
		ledger->next_number = head.next_number;
		ledger->next_grp = head.next_grp;
		ledger->position = head.position;
		ledger->ahead_ns = head.ahead_ns;
	}
	return is_good;
}
