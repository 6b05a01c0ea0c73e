#include "config/config.h"

#include <assert.h>

#include "config/help.h"
#include "config/sources.h"
#include "config/table.h"
#include "config/value.h"

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

enum config_result config_read(
		struct config *config, const struct config_input *input, struct buf *text)
{
	*config = (struct config){ 0 };
	struct buf error;
	buf_init(&error, 0);
	enum flags_action action = FLAGS_RUN;
	bool fine = flags_read(config, input, &action, &error);
	if (fine && (action == FLAGS_RUN || action == FLAGS_SHOW_CONFIG)
			&& input->environment != NULL) {
		fine = environment_read(config, input->environment, &error);
	}
	if (!fine) {
		buf_printf(text, "weir: error: " SLICE_FMT "\n", SLICE_ARG(buf_slice(&error)));
	}
	buf_finish(&error);
	if (!fine) {
		return CONFIG_E_INVALID;
	}
	set_defaults(config);
	switch (action) {
	case FLAGS_RUN:
		return CONFIG_OK;
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

void config_finish(struct config *config)
{
	for (size_t i = 0; i < settings_count; i++) {
		value_free(config, &settings[i]);
	}
}
