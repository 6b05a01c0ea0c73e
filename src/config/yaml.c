#include "config/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "config/suggest.h"

enum {
	FILE_BYTES_MAX = 1024 * 1024,
	DEPTH_MAX = 32,
	VALUES_MAX = 20000,
};

struct anchor {
	const char *name;
	struct yaml_node *node;
	struct anchor *next;
};

/* What is being read. */
struct reader {
	struct yaml_file *file;
	struct slice text;
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	struct anchor *anchors;
	size_t depth;
	size_t values; /* so far; what an alias stands for counts each time */
};

void yaml_fail(struct yaml_file *file, size_t line, const char *format, ...)
{
	va_list args;
	buf_printf(file->errors, "%s:%zu: ", file->path, line);
	va_start(args, format);
	buf_vprintf(file->errors, format, args);
	va_end(args);
	buf_append_byte(file->errors, '\n');
	file->failed = true;
}

/* ---- From events to a tree ---- */

static size_t event_line(const struct reader *reader)
{
	return reader->event.start_mark.line + 1;
}

/* Whether blanks and tabs before the first word of a line are not all blanks. */
static bool is_indented_by_tab(struct slice text, size_t line)
{
	const char *end;
	for (; line > 0 && (end = slice_find_byte(text, '\n')) != NULL; line--) {
		text = slice_between(end + 1, text.ptr + text.len);
	}
	while (text.len > 0 && text.ptr[0] == ' ') {
		text = slice_skip(text, 1);
	}
	return text.len > 0 && text.ptr[0] == '\t';
}

/* What libyaml says, or more than that where a look at the text tells. */
static void fail_parse(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem != NULL ? parser->problem : "not to be read";
	size_t line = parser->problem_mark.line;
	if (parser->error == YAML_READER_ERROR) {
		yaml_fail(reader->file, 1, "%s at byte %zu", problem, parser->problem_offset);
	} else if (is_indented_by_tab(reader->text, line)) {
		yaml_fail(reader->file, line + 1, "indented by a tab: YAML takes blanks only");
	} else if (strstr(problem, "cannot start any token") != NULL) {
		yaml_fail(reader->file, line + 1, "%s: put the value in quotes", problem);
	} else if (parser->context != NULL && parser->context_mark.line != line) {
		yaml_fail(reader->file, line + 1, "%s %s that begins in line %zu", problem, parser->context,
				parser->context_mark.line + 1);
	} else {
		yaml_fail(reader->file, line + 1, "%s", problem);
	}
}

/* The next event. False when the text is no YAML. */
static bool advance(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	if (yaml_parser_parse(&reader->parser, &reader->event)) {
		return true;
	}
	fail_parse(reader);
	return false;
}

static char *copy(struct reader *reader, const yaml_char_t *text, size_t len)
{
	return arena_copy_string(&reader->file->arena, slice_make((const char *)text, len));
}

static struct yaml_node *make_node(struct reader *reader, enum yaml_kind kind)
{
	struct yaml_node *node = arena_zalloc(&reader->file->arena, 1, sizeof(*node));
	node->kind = kind;
	node->line = event_line(reader);
	return node;
}

static void remember(struct reader *reader, const char *name, struct yaml_node *node)
{
	if (name == NULL) {
		return;
	}
	struct anchor *anchor = arena_zalloc(&reader->file->arena, 1, sizeof(*anchor));
	*anchor = (struct anchor){ .name = name, .node = node, .next = reader->anchors };
	reader->anchors = anchor;
}

static struct yaml_node *find_anchored(struct reader *reader)
{
	const char *name = (const char *)reader->event.data.alias.anchor;
	for (struct anchor *anchor = reader->anchors; anchor != NULL; anchor = anchor->next) {
		if (strcmp(anchor->name, name) == 0) {
			return anchor->node;
		}
	}
	yaml_fail(reader->file, event_line(reader), "nothing is anchored as '%s' above", name);
	return NULL;
}

static bool is_null_text(const char *text)
{
	static const char *const spellings[] = { "", "~", "null", "Null", "NULL" };
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (strcmp(text, spellings[i]) == 0) {
			return true;
		}
	}
	return false;
}

static struct yaml_node *read_scalar(struct reader *reader)
{
	struct yaml_node *node = make_node(reader, YAML_KIND_SCALAR);
	size_t len = reader->event.data.scalar.length;
	node->text = copy(reader, reader->event.data.scalar.value, len);
	if (strlen(node->text) != len) {
		yaml_fail(reader->file, node->line, "a value must not have a NUL byte");
		return NULL;
	}
	node->is_null =
			reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null_text(node->text);
	return node;
}

/* Room for one more in the arrays of a list or map. */
static void make_room(struct reader *reader, struct yaml_node *node)
{
	size_t count = node->count;
	if (count != 0 && (count < 8 || (count & (count - 1)) != 0)) {
		return;
	}
	struct arena *arena = &reader->file->arena;
	size_t room = count == 0 ? 8 : 2 * count;
	node->items = arena_grow(
			arena, node->items, count * sizeof(*node->items), room * sizeof(*node->items));
	if (node->kind == YAML_KIND_MAP) {
		node->keys = arena_grow(
				arena, node->keys, count * sizeof(*node->keys), room * sizeof(*node->keys));
		node->key_lines = arena_grow(arena, node->key_lines, count * sizeof(*node->key_lines),
				room * sizeof(*node->key_lines));
	}
}

static struct yaml_node *read_node(struct reader *reader);

static struct yaml_node *read_list(struct reader *reader)
{
	struct yaml_node *list = make_node(reader, YAML_KIND_LIST);
	while (advance(reader)) {
		if (reader->event.type == YAML_SEQUENCE_END_EVENT) {
			return list;
		}
		struct yaml_node *item = read_node(reader);
		if (item == NULL) {
			return NULL;
		}
		make_room(reader, list);
		list->items[list->count++] = item;
	}
	return NULL;
}

static bool has_key(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->keys[i], key) == 0) {
			return true;
		}
	}
	return false;
}

/* The key that the current event is. NULL: none that can be one. */
static char *read_key(struct reader *reader, const struct yaml_node *map)
{
	if (reader->event.type != YAML_SCALAR_EVENT) {
		yaml_fail(reader->file, event_line(reader), "a key must be plain text");
		return NULL;
	}
	struct yaml_node *key = read_scalar(reader);
	if (key != NULL && has_key(map, key->text)) {
		yaml_fail(reader->file, key->line, "key '%s' stands here for the second time", key->text);
		return NULL;
	}
	return key == NULL ? NULL : key->text;
}

static struct yaml_node *read_map(struct reader *reader)
{
	struct yaml_node *map = make_node(reader, YAML_KIND_MAP);
	while (advance(reader)) {
		if (reader->event.type == YAML_MAPPING_END_EVENT) {
			return map;
		}
		size_t line = event_line(reader);
		char *key = read_key(reader, map);
		struct yaml_node *value = key != NULL && advance(reader) ? read_node(reader) : NULL;
		if (value == NULL) {
			return NULL;
		}
		make_room(reader, map);
		map->keys[map->count] = key;
		map->key_lines[map->count] = line;
		map->items[map->count++] = value;
	}
	return NULL;
}

/* The name under which the current event is anchored, or NULL. */
static const char *anchor_name(struct reader *reader)
{
	const yaml_char_t *name = NULL;
	if (reader->event.type == YAML_SCALAR_EVENT) {
		name = reader->event.data.scalar.anchor;
	} else if (reader->event.type == YAML_SEQUENCE_START_EVENT) {
		name = reader->event.data.sequence_start.anchor;
	} else if (reader->event.type == YAML_MAPPING_START_EVENT) {
		name = reader->event.data.mapping_start.anchor;
	}
	return name == NULL ? NULL : copy(reader, name, strlen((const char *)name));
}

static struct yaml_node *read_nested(struct reader *reader)
{
	if (reader->depth == DEPTH_MAX) {
		yaml_fail(reader->file, event_line(reader), "nested deeper than %d levels", DEPTH_MAX);
		return NULL;
	}
	reader->depth++;
	struct yaml_node *node =
			reader->event.type == YAML_MAPPING_START_EVENT ? read_map(reader) : read_list(reader);
	reader->depth--;
	return node;
}

/* False when there are too many. */
static bool count_values(struct reader *reader, size_t count)
{
	reader->values += count;
	if (reader->values > VALUES_MAX) {
		yaml_fail(reader->file, event_line(reader), "more than %d values", VALUES_MAX);
		return false;
	}
	return true;
}

/* What the current event begins; the event that ends it is current afterwards. */
static struct yaml_node *read_node(struct reader *reader)
{
	size_t before = reader->values;
	if (reader->event.type == YAML_ALIAS_EVENT) {
		struct yaml_node *anchored = find_anchored(reader);
		return anchored != NULL && count_values(reader, anchored->size) ? anchored : NULL;
	}
	if (!count_values(reader, 1)) {
		return NULL;
	}
	const char *name = anchor_name(reader);
	struct yaml_node *node =
			reader->event.type == YAML_SCALAR_EVENT ? read_scalar(reader) : read_nested(reader);
	if (node != NULL) {
		node->size = reader->values - before;
		remember(reader, name, node);
	}
	return node;
}

/* stream start, document start, root, document end, stream end */
static bool read_stream(struct reader *reader)
{
	if (!advance(reader) || !advance(reader)) {
		return false;
	}
	if (reader->event.type == YAML_STREAM_END_EVENT) {
		return true;
	}
	if (!advance(reader)) {
		return false;
	}
	reader->file->root = read_node(reader);
	if (reader->file->root == NULL || !advance(reader) || !advance(reader)) {
		return false;
	}
	if (reader->event.type != YAML_STREAM_END_EVENT) {
		yaml_fail(reader->file, event_line(reader), "a second document begins here");
		return false;
	}
	return true;
}

bool yaml_read_text(struct yaml_file *file, const char *path, struct slice text, struct buf *errors)
{
	*file = (struct yaml_file){ .path = path, .errors = errors };
	arena_init(&file->arena);
	struct reader reader = { .file = file, .text = text };
	if (!yaml_parser_initialize(&reader.parser)) {
		yaml_fail(file, 1, "out of memory");
		return false;
	}
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.ptr, text.len);
	bool fine = read_stream(&reader);
	yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	return fine;
}

/* ---- Files ---- */

/* False: errno says why; 0 when it is too large. */
static bool read_whole(const char *path, struct buf *ret_text)
{
	FILE *stream = fopen(path, "re");
	if (stream == NULL) {
		return false;
	}
	size_t count = 1;
	while (count > 0 && buf_reserve(ret_text, 4096)) {
		count = fread(ret_text->ptr + ret_text->len, 1, 4096, stream);
		ret_text->len += count;
	}
	bool fine = count == 0 && !ferror(stream);
	int fault = count == 0 ? errno : 0;
	fclose(stream);
	errno = fault;
	return fine;
}

bool yaml_read(struct yaml_file *file, const char *path, struct buf *errors)
{
	struct buf text;
	buf_init(&text, FILE_BYTES_MAX + 4096);
	bool is_read = read_whole(path, &text);
	if (is_read) {
		is_read = yaml_read_text(file, path, buf_slice(&text), errors);
	} else {
		*file = (struct yaml_file){ .path = path, .errors = errors, .failed = true };
		arena_init(&file->arena);
		buf_printf(errors, "%s: %s\n", path,
				errno == 0 ? "larger than a file of settings may be, 1MiB" : strerror(errno));
	}
	buf_finish(&text);
	return is_read;
}

void yaml_finish(struct yaml_file *file)
{
	arena_finish(&file->arena);
}

/* ---- Reading the tree ---- */

static const char *kind_name(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_KIND_SCALAR:
		return node->is_null ? "nothing" : "a value";
	case YAML_KIND_LIST:
		return "a list";
	case YAML_KIND_MAP:
		return "keys and values";
	}
	return "";
}

static bool is_kind(struct yaml_file *file, const char *name, const struct yaml_node *node,
		enum yaml_kind kind, const char *wanted)
{
	if (node->kind == kind || (node->kind == YAML_KIND_SCALAR && node->is_null)) {
		return true;
	}
	yaml_fail(file, node->line, "'%s' must be %s, not %s", name, wanted, kind_name(node));
	return false;
}

bool yaml_is_map(struct yaml_file *file, const char *name, const struct yaml_node *node)
{
	return is_kind(file, name, node, YAML_KIND_MAP, "keys and values");
}

bool yaml_is_list(struct yaml_file *file, const char *name, const struct yaml_node *node)
{
	return is_kind(file, name, node, YAML_KIND_LIST, "a list");
}

char *yaml_text(struct yaml_file *file, const char *name, const struct yaml_node *node)
{
	if (!is_kind(file, name, node, YAML_KIND_SCALAR, "a value")) {
		return NULL;
	}
	return node->is_null ? arena_copy_string(&file->arena, SLICE("")) : node->text;
}

void yaml_bool(struct yaml_file *file, const char *name, const struct yaml_node *node, bool *value)
{
	static const char *const spellings[][2] = {
		{ "false", "true" },
		{ "no", "yes" },
		{ "off", "on" },
	};
	const char *text = yaml_text(file, name, node);
	for (size_t i = 0; text != NULL && i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		for (int is_true = 0; is_true < 2; is_true++) {
			if (strcasecmp(text, spellings[i][is_true]) == 0) {
				*value = is_true == 1;
				return;
			}
		}
	}
	if (text != NULL) {
		yaml_fail(file, node->line, "'%s' must be true or false, not '%s'", name, text);
	}
}

/* "a, b and c" */
static void list_keys(const struct yaml_key *keys, size_t key_count, struct buf *out)
{
	for (size_t i = 0; i < key_count; i++) {
		const char *before = i == 0 ? "" : i + 1 == key_count ? " and " : ", ";
		buf_printf(out, "%s%s", before, keys[i].name);
	}
}

static void fail_unknown(struct yaml_file *file, const struct yaml_node *map, size_t number,
		const char *where, const struct yaml_key *keys, size_t key_count)
{
	const char *key = map->keys[number];
	struct suggestion near = suggestion_begin(slice_of_string(key));
	for (size_t i = 0; i < key_count; i++) {
		suggestion_consider(&near, keys[i].name);
	}
	const char *blank = where[0] == '\0' ? "" : " ";
	if (near.name != NULL) {
		yaml_fail(file, map->key_lines[number], "unknown key '%s'%s%s, did you mean '%s'?", key,
				blank, where, near.name);
		return;
	}
	struct buf list;
	buf_init(&list, 0);
	list_keys(keys, key_count, &list);
	yaml_fail(file, map->key_lines[number], "unknown key '%s'%s%s; there %s " SLICE_FMT, key, blank,
			where, key_count == 1 ? "is" : "are", SLICE_ARG(buf_slice(&list)));
	buf_finish(&list);
}

void yaml_read_map(struct yaml_file *file, const struct yaml_node *node, const char *where,
		const struct yaml_key *keys, size_t key_count, void *data)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_key *known = NULL;
		for (size_t k = 0; k < key_count && known == NULL; k++) {
			known = strcmp(keys[k].name, node->keys[i]) == 0 ? &keys[k] : NULL;
		}
		if (known == NULL) {
			fail_unknown(file, node, i, where, keys, key_count);
		} else {
			known->read(file, known->name, node->items[i], data);
		}
	}
}
