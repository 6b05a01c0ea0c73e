#include <string.h>

#include "config/sources.h"
#include "config/suggest.h"
#include "config/table.h"
#include "config/value.h"

const struct flags_action_row flags_actions[] = {
	{ "help", "h", "Show this help.", FLAGS_SHOW_HELP },
	{ "version", NULL, "Show weir's version.", FLAGS_SHOW_VERSION },
	{ "print-config", NULL, "Show every setting, its value and where it comes from.",
			FLAGS_SHOW_CONFIG },
	{ "check-config", NULL,
			"Check the settings and all files that they name, say what is wrong, and end.",
			FLAGS_CHECK_CONFIG },
};

const size_t flags_actions_count = sizeof(flags_actions) / sizeof(flags_actions[0]);

/* The arguments not yet read. */
struct reader {
	struct config *config;
	const char *const *next;
	const char *const *end;
	struct buf *error;
};

/* One argument that begins with "--": --name or --name=value. */
struct flag {
	const char *argument;
	struct slice name;
	const char *value; /* NULL without '=' */
};

static struct flag split_flag(const char *argument)
{
	const char *name = argument + 2;
	const char *equals = strchr(name, '=');
	return (struct flag){
		.argument = argument,
		.name = equals == NULL ? slice_of_string(name) : slice_between(name, equals),
		.value = equals == NULL ? NULL : equals + 1,
	};
}

static const struct flags_action_row *find_action(struct slice name)
{
	for (size_t i = 0; i < flags_actions_count; i++) {
		if (slice_equal(slice_of_string(flags_actions[i].name), name)) {
			return &flags_actions[i];
		}
	}
	return NULL;
}

/* The value behind '=', or the next argument unless it is a flag itself. */
static bool take_value(struct reader *reader, struct flag *flag)
{
	if (flag->value != NULL) {
		return true;
	}
	if (reader->next == reader->end || ((*reader->next)[0] == '-' && (*reader->next)[1] != '\0')) {
		buf_printf(reader->error, "expected argument for flag '%s', try --help", flag->argument);
		return false;
	}
	flag->value = *reader->next++;
	return true;
}

static bool set(struct reader *reader, const struct setting *setting, const struct flag *flag)
{
	enum config_source *source = &reader->config->sources[setting_index(setting)];
	if (*source == CONFIG_FROM_FLAG && setting->type != SETTING_LIST) {
		buf_printf(reader->error, "flag '%s' cannot be repeated, try --help", setting->name);
		return false;
	}
	*source = CONFIG_FROM_FLAG;
	buf_append_string(reader->error, "bad value '");
	value_print_wrong(setting, flag->value, reader->error);
	buf_printf(reader->error, "' for --%s: ", setting->name);
	if (!value_set(reader->config, setting, flag->value, reader->error)) {
		return false;
	}
	buf_reset(reader->error, SIZE_MAX);
	return true;
}

/* --help=x, --no-log.level=x */
static bool read_unwanted_value(struct reader *reader, const struct flag *flag)
{
	buf_printf(reader->error, "unexpected %s, flag '--" SLICE_FMT "' takes no value, try --help",
			flag->value, SLICE_ARG(flag->name));
	return false;
}

static bool read_unknown(struct reader *reader, const struct flag *flag)
{
	buf_printf(reader->error, "unknown long flag '--" SLICE_FMT "', ", SLICE_ARG(flag->name));
	const char *near = suggest_flag(flag->name);
	if (near != NULL) {
		buf_printf(reader->error, "did you mean '--%s'? See --help", near);
	} else {
		buf_append_string(reader->error, "try --help");
	}
	return false;
}

static bool read_setting(struct reader *reader, struct flag *flag)
{
	const struct setting *setting = settings_find(flag->name.ptr, flag->name.len);
	if (setting != NULL) {
		if (setting->type == SETTING_BOOL && flag->value == NULL) {
			flag->value = "true";
		}
		return take_value(reader, flag) && set(reader, setting, flag);
	}
	if (slice_starts_with(flag->name, SLICE("no-"))) {
		setting = settings_find(flag->name.ptr + 3, flag->name.len - 3);
	}
	bool is_negated = setting != NULL && setting->type == SETTING_BOOL;
	if (flag->value != NULL && (is_negated || find_action(flag->name) != NULL)) {
		return read_unwanted_value(reader, flag);
	}
	if (!is_negated) {
		return read_unknown(reader, flag);
	}
	flag->value = "false";
	return set(reader, setting, flag);
}

/* What the argument asks for beside a setting; NULL when nothing. */
static const struct flags_action_row *read_action(const char *argument)
{
	if (strcmp(argument, "-h") == 0) {
		return find_action(SLICE("help"));
	}
	return strncmp(argument, "--", 2) == 0 ? find_action(slice_of_string(argument + 2)) : NULL;
}

static bool read_stray(struct reader *reader, const char *argument)
{
	buf_printf(reader->error, "unexpected %s, try --help", argument);
	return false;
}

static bool read_argument(struct reader *reader, const char *argument)
{
	if (strcmp(argument, "--") == 0) { /* no flags behind it */
		return reader->next == reader->end || read_stray(reader, *reader->next);
	}
	if (strncmp(argument, "--", 2) == 0) {
		struct flag flag = split_flag(argument);
		return read_setting(reader, &flag);
	}
	if (argument[0] == '-' && argument[1] != '\0') {
		buf_printf(reader->error, "unknown short flag '-%c', try --help", argument[1]);
		return false;
	}
	return read_stray(reader, argument);
}

bool flags_read(struct config *config, const struct config_input *input,
		enum flags_action *ret_action, struct buf *error)
{
	struct reader reader = {
		.config = config,
		.next = input->arguments,
		.end = input->arguments + input->argument_count,
		.error = error,
	};
	enum flags_action action = FLAGS_RUN;
	while (reader.next != reader.end && action != FLAGS_SHOW_HELP && action != FLAGS_SHOW_VERSION) {
		const char *argument = *reader.next++;
		const struct flags_action_row *row = read_action(argument);
		if (row != NULL) {
			action = row->action;
		} else if (!read_argument(&reader, argument)) {
			return false;
		}
	}
	*ret_action = action;
	return true;
}
