#pragma once

/*
 * YAML as files of settings need it: a tree of maps, lists and scalars in which
 * everything knows its line, and a strict reader for maps by tables of keys.
 *
 * All that is wrong with a file is gathered, one line each, so that one look
 * mends all of it:
 *
 *	weir.yml:3: unknown key 'group.tll', did you mean 'group.ttl'?
 *
 * A file is at most 1 MiB, nested at most 32 deep, and has at most 20,000 values,
 * those that aliases stand for included; a key stands once in its map; aliases
 * stand for what was anchored before.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

enum yaml_kind {
	YAML_KIND_SCALAR,
	YAML_KIND_LIST,
	YAML_KIND_MAP,
};

struct yaml_node {
	enum yaml_kind kind;
	size_t line; /* from 1 */
	/* Of a scalar: NUL-terminated, without quotes. */
	char *text;
	bool is_null; /* nothing, ~ or null, without quotes */
	/* Of a list or map. */
	struct yaml_node **items; /* a map's values */
	char **keys;              /* a map's */
	size_t *key_lines;
	size_t count;
	size_t size; /* values in it, itself included */
};

struct yaml_file {
	const char *path; /* as errors name it */
	struct arena arena;
	struct yaml_node *root; /* NULL: the file is empty */
	struct buf *errors;
	bool failed;
};

/*
 * Reads the file; false when it cannot be read or is no YAML. The errors are
 * the caller's; yaml_finish() whatever the result.
 */
bool yaml_read(struct yaml_file *file, const char *path, struct buf *errors);

/* The same from memory. */
bool yaml_read_text(
		struct yaml_file *file, const char *path, struct slice text, struct buf *errors);
void yaml_finish(struct yaml_file *file);

/* Adds an error about that line. */
void yaml_fail(struct yaml_file *file, size_t line, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* A key that a map may have; read() puts its value into data or calls yaml_fail(). */
struct yaml_key {
	const char *name;
	void (*read)(
			struct yaml_file *file, const char *name, const struct yaml_node *value, void *data);
};

/*
 * Reads a map by a table of its keys; those it does not know are errors. `where`
 * says what map it is, as in "in tls_server_config"; "" for the file's own. No
 * value at all is an empty map.
 */
void yaml_read_map(struct yaml_file *file, const struct yaml_node *node, const char *where,
		const struct yaml_key *keys, size_t key_count, void *data);

/* True for a map, and for no value at all; everything else is an error. */
bool yaml_is_map(struct yaml_file *file, const char *name, const struct yaml_node *node);

/* The same for a list. */
bool yaml_is_list(struct yaml_file *file, const char *name, const struct yaml_node *node);

/* The text of a scalar, in the arena; "" for no value; NULL, and an error, for all else. */
char *yaml_text(struct yaml_file *file, const char *name, const struct yaml_node *node);

/* true or false, as YAML 1.1 spells them (yes, on ...). Else an error, and *value stays. */
void yaml_bool(struct yaml_file *file, const char *name, const struct yaml_node *node, bool *value);
