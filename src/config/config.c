#include "config/config.h"

#include <assert.h>
#include <string.h>

#include "config/file.h"
#include "config/help.h"
#include "config/jobs.h"
#include "config/sources.h"
#include "config/table.h"
#include "config/value.h"
#include "config/web_paths.h"

static void set_defaults(struct config *config)
{
	struct buf error;
	buf_init(&error, 0);
	for (size_t i = 0; i < settings_count; i++) {
		if (config->sources[i] == CONFIG_FROM_DEFAULT) {
			bool fits = value_set_all(config, &settings[i], settings[i].initial, &error);
			assert(fits);
		}
	}
	buf_finish(&error);
}

/* In the order in which they win. */
static bool read_sources(struct config *config, const struct config_input *input,
		enum flags_action *ret_action, struct buf *errors)
{
	if (!flags_read(config, input, ret_action, errors)) {
		return false;
	}
	if (*ret_action == FLAGS_SHOW_HELP || *ret_action == FLAGS_SHOW_VERSION) {
		return true;
	}
	if (input->environment != NULL && !environment_read(config, input->environment, errors)) {
		return false;
	}
	bool has_file = config->config_file != NULL && config->config_file[0] != '\0';
	return !has_file || file_read(config, config->config_file, errors);
}

enum config_result config_read(
		struct config *config, const struct config_input *input, struct buf *text)
{
	*config = (struct config){ .jobs = job_rules_create() };
	struct buf errors;
	buf_init(&errors, 0);
	enum flags_action action = FLAGS_RUN;
	bool fine = read_sources(config, input, &action, &errors);
	if (!fine) {
		buf_append(text, buf_slice(&errors));
		buf_append_string(text, slice_ends_with(buf_slice(&errors), SLICE("\n")) ? "" : "\n");
	}
	buf_finish(&errors);
	if (!fine) {
		return CONFIG_E_INVALID;
	}
	set_defaults(config);
	web_paths_resolve(config);
	switch (action) {
	case FLAGS_RUN:
		return CONFIG_OK;
	case FLAGS_CHECK_CONFIG:
		return CONFIG_CHECK;
	case FLAGS_SHOW_HELP:
		help_print(text);
		break;
	case FLAGS_SHOW_VERSION:
		help_print_version(text);
		break;
	case FLAGS_SHOW_CONFIG:
		help_print_config(config, text);
		break;
	}
	return CONFIG_SHOWN;
}

static void append_value(const struct setting *setting, const char *value, struct buf *out)
{
	buf_append_string(out, "bad value '");
	value_print_wrong(setting, value, out);
	buf_append_string(out, "' for ");
}

void config_begin_fault(
		const struct config *config, const char *name, const char *value, struct buf *out)
{
	const struct setting *setting = settings_find(name, strlen(name));
	assert(setting != NULL);
	size_t index = setting_index(setting);
	char variable[ENVIRONMENT_NAME_MAX];
	switch (config->sources[index]) {
	case CONFIG_FROM_FILE:
		buf_printf(out, "%s:%zu: ", config->config_file, config->source_lines[index]);
		append_value(setting, value, out);
		buf_printf(out, "'%s': ", name);
		return;
	case CONFIG_FROM_ENVIRONMENT:
		environment_name(name, variable);
		append_value(setting, value, out);
		buf_printf(out, "%s: ", variable);
		return;
	case CONFIG_FROM_DEFAULT:
	case CONFIG_FROM_FLAG:
		break;
	}
	append_value(setting, value, out);
	buf_printf(out, "--%s: ", name);
}

void config_finish(struct config *config)
{
	job_rules_unref(config->jobs);
	config->jobs = NULL;
	for (size_t i = 0; i < settings_count; i++) {
		value_free(config, &settings[i]);
	}
}
