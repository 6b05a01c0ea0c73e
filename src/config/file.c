#include "config/file.h"

#include <stdio.h>
#include <string.h>

#include "config/jobs.h"
#include "config/suggest.h"
#include "config/table.h"
#include "config/value.h"
#include "config/yaml.h"

enum { NAME_MAX_BYTES = 128 };

struct reader {
	struct yaml_file file;
	struct config *config;
	struct config overruled;           /* what has a value already: read to be checked */
	size_t lines[CONFIG_SETTINGS_MAX]; /* where each was set; 0: nowhere */
};

/* ---- Values ---- */

static bool set_item(struct reader *reader, struct config *config, const struct setting *setting,
		const struct yaml_node *node)
{
	const char *text = yaml_text(&reader->file, setting->name, node);
	if (text == NULL) {
		return false;
	}
	struct buf error;
	buf_init(&error, 0);
	value_print_wrong(setting, text, &error);
	buf_printf(&error, "' for '%s': ", setting->name);
	bool fits = !node->is_null && value_set(config, setting, text, &error);
	if (node->is_null) {
		yaml_fail(&reader->file, node->line, "'%s' has no value", setting->name);
	} else if (!fits) {
		yaml_fail(&reader->file, node->line, "bad value '" SLICE_FMT, SLICE_ARG(buf_slice(&error)));
	}
	buf_finish(&error);
	return fits;
}

static bool set_value(struct reader *reader, struct config *config, const struct setting *setting,
		const struct yaml_node *node)
{
	if (setting->type != SETTING_LIST || node->kind != YAML_KIND_LIST) {
		return set_item(reader, config, setting, node);
	}
	bool fits = true;
	for (size_t i = 0; i < node->count; i++) {
		fits &= set_item(reader, config, setting, node->items[i]);
	}
	if (node->count == 0) {
		yaml_fail(&reader->file, node->line, "'%s' has no value", setting->name);
	}
	return fits && node->count > 0;
}

static void read_setting(struct reader *reader, const struct setting *setting, size_t line,
		const struct yaml_node *node)
{
	size_t index = setting_index(setting);
	struct config *config = reader->config;
	if (reader->lines[index] != 0) {
		yaml_fail(&reader->file, line, "'%s' is set for the second time, first in line %zu",
				setting->name, reader->lines[index]);
		return;
	}
	reader->lines[index] = line;
	if (!setting->is_flag_only && config->sources[index] != CONFIG_FROM_DEFAULT) {
		set_value(reader, &reader->overruled, setting, node);
	} else if (setting->is_flag_only) {
		yaml_fail(
				&reader->file, line, "'%s' can only be set by flag or environment", setting->name);
	} else if (set_value(reader, config, setting, node)) {
		config->sources[index] = CONFIG_FROM_FILE;
		config->source_lines[index] = line;
	}
}

/* ---- Keys ---- */

static bool begins_settings(const char *prefix)
{
	size_t len = strlen(prefix);
	for (size_t i = 0; i < settings_count; i++) {
		if (strncmp(settings[i].name, prefix, len) == 0 && settings[i].name[len] == '.') {
			return true;
		}
	}
	return false;
}

static void fail_unknown(struct reader *reader, size_t line, const char *name)
{
	struct suggestion near = suggestion_begin(slice_of_string(name));
	for (size_t i = 0; i < settings_count; i++) {
		suggestion_consider(&near, settings[i].name);
	}
	suggestion_consider(&near, "jobs");
	if (near.name != NULL) {
		yaml_fail(&reader->file, line, "unknown key '%s', did you mean '%s'?", name, near.name);
	} else {
		yaml_fail(&reader->file, line, "unknown key '%s'; every flag of weir --help is one", name);
	}
}

static void read_keys(struct reader *reader, const struct yaml_node *map, const char *prefix);

/* Name: of the flag, or the beginning of some. */
static void read_key(
		struct reader *reader, const char *name, size_t line, const struct yaml_node *node)
{
	const struct setting *setting = settings_find(name, strlen(name));
	if (strcmp(name, "jobs") == 0) {
		job_rules_read(reader->config->jobs, &reader->file, node);
	} else if (setting != NULL && node->kind != YAML_KIND_MAP) {
		read_setting(reader, setting, line, node);
	} else if (begins_settings(name)) {
		if (yaml_is_map(&reader->file, name, node)) {
			read_keys(reader, node, name);
		}
	} else if (setting != NULL) {
		yaml_fail(&reader->file, node->line, "'%s' must be a value, not keys and values", name);
	} else {
		fail_unknown(reader, line, name);
	}
}

static void read_keys(struct reader *reader, const struct yaml_node *map, const char *prefix)
{
	for (size_t i = 0; i < map->count; i++) {
		char name[NAME_MAX_BYTES];
		int len = snprintf(
				name, sizeof(name), "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", map->keys[i]);
		if (len >= NAME_MAX_BYTES) {
			yaml_fail(&reader->file, map->key_lines[i], "unknown key '%.40s...'", map->keys[i]);
		} else {
			read_key(reader, name, map->key_lines[i], map->items[i]);
		}
	}
}

static bool read_tree(struct reader *reader, bool is_yaml)
{
	struct yaml_file *file = &reader->file;
	if (is_yaml && file->root != NULL && yaml_is_map(file, file->path, file->root)) {
		read_keys(reader, file->root, "");
	}
	bool fine = !file->failed;
	config_finish(&reader->overruled);
	yaml_finish(file);
	return fine;
}

bool file_read(struct config *config, const char *path, struct buf *errors)
{
	struct reader reader = { .config = config };
	return read_tree(&reader, yaml_read(&reader.file, path, errors));
}

bool file_read_text(struct config *config, const char *path, struct slice text, struct buf *errors)
{
	struct reader reader = { .config = config };
	return read_tree(&reader, yaml_read_text(&reader.file, path, text, errors));
}
