#include "config/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/duration.h"
#include "base/memory.h"

/* What a type does with its field. */
struct type {
	const char *placeholder;
	bool (*set)(const struct setting *setting, const char *text, void *field, struct buf *error);
	void (*print)(const struct setting *setting, const void *field, struct buf *out);
};

static bool set_bool(
		const struct setting *setting, const char *text, void *field, struct buf *error)
{
	bool *value = field;
	*value = strcmp(text, "true") == 0;
	if (!*value && strcmp(text, "false") != 0) {
		buf_append_string(error, "must be true or false");
		return false;
	}
	return true;
}

static void print_bool(const struct setting *setting, const void *field, struct buf *out)
{
	const bool *value = field;
	buf_append_string(out, *value ? "true" : "false");
}

static bool text_fits(const struct setting *setting, const char *text, struct buf *error)
{
	int64_t len = (int64_t)strlen(text);
	if (len < setting->min) {
		buf_append_string(error, "must not be empty");
		return false;
	}
	if (len > setting->max) {
		buf_printf(error, "longer than %" PRId64 " bytes", setting->max);
		return false;
	}
	return true;
}

static bool set_string(
		const struct setting *setting, const char *text, void *field, struct buf *error)
{
	char **value = field;
	if (!text_fits(setting, text, error)
			|| (setting->fits != NULL && !setting->fits(text, error))) {
		return false;
	}
	free(*value);
	*value = memory_copy_string(text);
	return true;
}

/* scheme://user:password@host without the password. */
static void print_masked(struct slice text, struct buf *out)
{
	const char *authority = memmem(text.ptr, text.len, "://", 3);
	const char *end = text.ptr + text.len;
	authority = authority == NULL ? end : authority + 3;
	const char *host = memrchr(authority, '@', strcspn(authority, "/?#"));
	const char *colon = host == NULL ? NULL : memchr(authority, ':', (size_t)(host - authority));
	if (colon == NULL) {
		buf_append(out, text);
		return;
	}
	buf_append(out, slice_between(text.ptr, colon + 1));
	buf_append_string(out, "xxxxx");
	buf_append(out, slice_between(host, end));
}

static void print_string(const struct setting *setting, const void *field, struct buf *out)
{
	char *const *value = field;
	print_masked(slice_of_string(*value), out);
}

static bool set_list(
		const struct setting *setting, const char *text, void *field, struct buf *error)
{
	struct config_list *list = field;
	if (!text_fits(setting, text, error)) {
		return false;
	}
	list->items = memory_resize(list->items, (list->len + 1) * sizeof(list->items[0]));
	list->items[list->len++] = memory_copy_string(text);
	return true;
}

static void print_list(const struct setting *setting, const void *field, struct buf *out)
{
	const struct config_list *list = field;
	for (size_t i = 0; i < list->len; i++) {
		buf_append_string(out, i == 0 ? "" : ",");
		buf_append_string(out, list->items[i]);
	}
}

static void print_number(const struct setting *setting, int64_t number, struct buf *out)
{
	char duration[DURATION_TEXT_BYTES];
	char bytes[BYTES_TEXT_BYTES];
	if (setting->type == SETTING_DURATION) {
		buf_append(out, duration_format(number, duration));
	} else if (setting->type == SETTING_BYTES) {
		buf_append(out, bytes_format((uint64_t)number, bytes));
	} else {
		buf_printf(out, "%" PRId64, number);
	}
}

static void print_number_field(const struct setting *setting, const void *field, struct buf *out)
{
	int64_t number;
	memcpy(&number, field, sizeof(number));
	print_number(setting, number, out);
}

/* Puts a number into its field, which may be int64_t or uint64_t. */
static bool set_number(
		const struct setting *setting, int64_t number, void *field, struct buf *error)
{
	if (number < setting->min || number > setting->max) {
		buf_append_string(error, "out of range, must be ");
		value_print_range(setting, error);
		return false;
	}
	memcpy(field, &number, sizeof(number));
	return true;
}

static bool set_duration(
		const struct setting *setting, const char *text, void *field, struct buf *error)
{
	int64_t ns;
	enum duration_result result = duration_parse(slice_of_string(text), &ns);
	if (result != DURATION_OK) {
		buf_append_string(error, duration_error(result));
		return false;
	}
	return set_number(setting, ns, field, error);
}

static bool set_bytes(
		const struct setting *setting, const char *text, void *field, struct buf *error)
{
	uint64_t bytes;
	enum bytes_result result = bytes_parse(slice_of_string(text), &bytes);
	if (result != BYTES_OK) {
		buf_append_string(error, bytes_error(result));
		return false;
	}
	return set_number(setting, (int64_t)bytes, field, error);
}

static bool set_count(
		const struct setting *setting, const char *text, void *field, struct buf *error)
{
	uint64_t number;
	if (text[strspn(text, "0123456789")] != '\0'
			|| bytes_parse(slice_of_string(text), &number) != BYTES_OK) {
		buf_append_string(error, "not a whole number, must be ");
		value_print_range(setting, error);
		return false;
	}
	return set_number(setting, (int64_t)number, field, error);
}

static bool set_enum(
		const struct setting *setting, const char *text, void *field, struct buf *error)
{
	unsigned *value = field;
	for (unsigned i = 0; setting->choices[i] != NULL; i++) {
		if (strcmp(setting->choices[i], text) == 0) {
			*value = i;
			return true;
		}
	}
	buf_append_string(error, "must be ");
	value_print_range(setting, error);
	return false;
}

static void print_enum(const struct setting *setting, const void *field, struct buf *out)
{
	const unsigned *value = field;
	buf_append_string(out, setting->choices[*value]);
}

static const struct type types[] = {
	[SETTING_BOOL] = { "", set_bool, print_bool },
	[SETTING_STRING] = { "TEXT", set_string, print_string },
	[SETTING_LIST] = { "TEXT", set_list, print_list },
	[SETTING_DURATION] = { "DURATION", set_duration, print_number_field },
	[SETTING_BYTES] = { "BYTES", set_bytes, print_number_field },
	[SETTING_COUNT] = { "COUNT", set_count, print_number_field },
	[SETTING_ENUM] = { "", set_enum, print_enum },
};

static void *field_of(struct config *config, const struct setting *setting)
{
	return (char *)config + setting->offset;
}

bool value_set(
		struct config *config, const struct setting *setting, const char *text, struct buf *error)
{
	return types[setting->type].set(setting, text, field_of(config, setting), error);
}

bool value_set_all(
		struct config *config, const struct setting *setting, const char *text, struct buf *error)
{
	if (setting->type != SETTING_LIST) {
		return value_set(config, setting, text, error);
	}
	char *items = memory_copy_string(text);
	char *rest = items;
	char *item;
	bool fits = true;
	while (fits && (item = strsep(&rest, ",")) != NULL) {
		fits = value_set(config, setting, item, error);
	}
	free(items);
	return fits;
}

void value_print(const struct config *config, const struct setting *setting, struct buf *out)
{
	types[setting->type].print(setting, (const char *)config + setting->offset, out);
}

void value_print_wrong(const struct setting *setting, const char *text, struct buf *out)
{
	if (setting->print_wrong != NULL) {
		setting->print_wrong(text, out);
	} else {
		buf_append_string(out, text);
	}
}

static void print_choices(const struct setting *setting, const char *between, struct buf *out)
{
	for (size_t i = 0; setting->choices[i] != NULL; i++) {
		buf_append_string(out, i == 0 ? "" : between);
		buf_append_string(out, setting->choices[i]);
	}
}

void value_print_placeholder(const struct setting *setting, struct buf *out)
{
	if (setting->choices != NULL) {
		print_choices(setting, "|", out);
	} else if (setting->placeholder != NULL) {
		buf_append_string(out, setting->placeholder);
	} else {
		buf_append_string(out, types[setting->type].placeholder);
	}
}

void value_print_range(const struct setting *setting, struct buf *out)
{
	switch (setting->type) {
	case SETTING_BOOL:
	case SETTING_STRING:
	case SETTING_LIST:
		return;
	case SETTING_ENUM:
		print_choices(setting, ", ", out);
		return;
	case SETTING_DURATION:
	case SETTING_BYTES:
	case SETTING_COUNT:
		print_number(setting, setting->min, out);
		if (setting->max == INT64_MAX) {
			buf_append_string(out, " or more");
		} else {
			buf_append_string(out, " to ");
			print_number(setting, setting->max, out);
		}
		return;
	}
}

static void copy_field(void *to, const void *from, const struct setting *setting)
{
	switch (setting->type) {
	case SETTING_BOOL:
		memcpy(to, from, sizeof(bool));
		return;
	case SETTING_ENUM:
		memcpy(to, from, sizeof(unsigned));
		return;
	case SETTING_DURATION:
	case SETTING_BYTES:
	case SETTING_COUNT:
		memcpy(to, from, sizeof(int64_t));
		return;
	case SETTING_STRING:
		*(char **)to = memory_copy_string(*(char *const *)from);
		return;
	case SETTING_LIST:
		break;
	}
	struct config_list *list = to;
	const struct config_list *old = from;
	list->items = memory_zalloc(old->len + 1, sizeof(list->items[0]));
	for (list->len = 0; list->len < old->len; list->len++) {
		list->items[list->len] = memory_copy_string(old->items[list->len]);
	}
}

void value_copy(struct config *config, const struct config *from, const struct setting *setting)
{
	size_t index = setting_index(setting);
	value_free(config, setting);
	copy_field(field_of(config, setting), (const char *)from + setting->offset, setting);
	config->sources[index] = from->sources[index];
	config->source_lines[index] = from->source_lines[index];
}

void value_free(struct config *config, const struct setting *setting)
{
	if (setting->type == SETTING_STRING) {
		char **string = field_of(config, setting);
		free(*string);
		*string = NULL;
	} else if (setting->type == SETTING_LIST) {
		struct config_list *list = field_of(config, setting);
		for (size_t i = 0; i < list->len; i++) {
			free(list->items[i]);
		}
		free(list->items);
		*list = (struct config_list){ 0 };
	}
}
