#include "cli/flags.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cli_complain(const char *command, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "%s: error: ", command);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static bool refuse(const struct cli_arguments *arguments, const char *what, const char *argument)
{
	cli_complain(arguments->command, "%s '%s', try --help", what, argument);
	return false;
}

/* The flag of that argument, and how long its name is. */
static const struct cli_flag *find_flag(
		const struct cli_arguments *arguments, const char *text, size_t *ret_len)
{
	*ret_len = strcspn(text, "=");
	for (size_t i = 0; i < arguments->flag_count; i++) {
		const struct cli_flag *flag = &arguments->flags[i];
		if (strlen(flag->name) == *ret_len && strncmp(flag->name, text, *ret_len) == 0) {
			return flag;
		}
	}
	return NULL;
}

static void append(struct cli_list *list, const char *text)
{
	list->texts = memory_resize(list->texts, (list->count + 1) * sizeof(char *));
	list->texts[list->count++] = text;
}

static bool set_value(
		const struct cli_arguments *arguments, const struct cli_flag *flag, const char *value)
{
	if (flag->kind == CLI_FLAG_LIST) {
		append(flag->target, value);
		return true;
	}
	const char **target = flag->target;
	if (*target != NULL) {
		return refuse(arguments, "cannot be repeated: flag", flag->name);
	}
	*target = value;
	return true;
}

/* *next is behind the flag before and behind its value after. */
static bool read_flag(struct cli_arguments *arguments, const char *text, const char *const **next,
		const char *const *end)
{
	size_t len;
	if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
		arguments->wants_help = true;
		return true;
	}
	const struct cli_flag *flag = find_flag(arguments, text, &len);
	bool has_value = text[len] == '=';
	if (flag == NULL) {
		return refuse(arguments, "unknown flag", text);
	}
	if (flag->kind == CLI_FLAG_SWITCH) {
		*(bool *)flag->target = true;
		return !has_value || refuse(arguments, "no value is expected for flag", flag->name);
	}
	if (!has_value && *next == end) {
		return refuse(arguments, "expected argument for flag", flag->name);
	}
	return set_value(arguments, flag, has_value ? text + len + 1 : *(*next)++);
}

static bool set_file(const struct cli_arguments *arguments, const char *text)
{
	if (arguments->file == NULL || *arguments->file != NULL) {
		return refuse(arguments, "unexpected", text);
	}
	*arguments->file = text;
	return true;
}

bool cli_arguments_read(struct cli_arguments *arguments, size_t count, const char *const *texts)
{
	const char *const *next = texts;
	const char *const *end = texts + count;
	bool has_flags = true;
	bool ok = true;
	while (ok && next != end && !arguments->wants_help) {
		const char *text = *next++;
		if (has_flags && strcmp(text, "--") == 0) {
			has_flags = false;
		} else if (has_flags && text[0] == '-' && text[1] != '\0') {
			ok = read_flag(arguments, text, &next, end);
		} else {
			ok = set_file(arguments, text);
		}
	}
	return ok;
}

void cli_list_finish(struct cli_list *list)
{
	free(list->texts);
}
