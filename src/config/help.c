#include "config/help.h"

#include <string.h>

#include "config/sources.h"
#include "config/table.h"
#include "config/value.h"
#include "version.h"

enum {
	PAGE_COLUMNS = 80,
	TEXT_COLUMN = 34, /* where explanations begin */
};

static void pad(struct buf *out, size_t line_start, size_t column)
{
	do {
		buf_append_byte(out, ' ');
	} while (out->len - line_start < column);
}

/*
 * Words behind what stands on the line so far, wrapped, each line indented
 * alike. What is in parentheses stays together.
 */
static void print_wrapped(struct buf *out, size_t line_start, const char *text)
{
	if (out->len - line_start >= TEXT_COLUMN) {
		buf_append_byte(out, '\n');
		line_start = out->len;
	}
	pad(out, line_start, TEXT_COLUMN);
	bool begins = true;
	while (*text != '\0') {
		size_t word = *text == '(' ? strcspn(text, ")") + 1 : strcspn(text, " ");
		if (!begins && out->len - line_start + 1 + word > PAGE_COLUMNS) {
			buf_append_byte(out, '\n');
			line_start = out->len;
			pad(out, line_start, TEXT_COLUMN);
			begins = true;
		}
		buf_append_string(out, begins ? "" : " ");
		buf_append(out, slice_make(text, word));
		begins = false;
		text += word + strspn(text + word, " ");
	}
	buf_append_byte(out, '\n');
}

static void print_actions(struct buf *out)
{
	buf_append_string(out, "\nGeneral\n");
	for (size_t i = 0; i < flags_actions_count; i++) {
		const struct flags_action_row *row = &flags_actions[i];
		size_t line_start = out->len;
		buf_append_string(out, "  ");
		if (row->short_name != NULL) {
			buf_printf(out, "-%s, ", row->short_name);
		}
		buf_printf(out, "--%s", row->name);
		print_wrapped(out, line_start, row->help);
	}
}

static void print_setting(const struct setting *setting, struct buf *out)
{
	size_t line_start = out->len;
	bool is_bool = setting->type == SETTING_BOOL;
	bool is_on = is_bool && strcmp(setting->initial, "true") == 0;
	buf_printf(out, "  --%s%s", is_on ? "no-" : "", setting->name);
	if (!is_bool) {
		buf_append_byte(out, '=');
		value_print_placeholder(setting, out);
	}
	if (setting->type == SETTING_LIST) {
		buf_append_string(out, " ...");
	}
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, setting->help);
	if (!is_bool && setting->initial[0] != '\0') {
		buf_printf(&text, " (default %s)", setting->initial);
	} else if (is_on) {
		buf_append_string(&text, " (default on; this flag turns it off)");
	}
	buf_append_byte(&text, '\0');
	print_wrapped(out, line_start, text.ptr);
	buf_finish(&text);
}

void help_print(struct buf *out)
{
	buf_append_string(out,
			"usage: weir [<flag> ...]\n"
			"       weir check [<flag> ...] FILE\n"
			"       weir dashboard [<flag> ...] FLOW.yml\n"
			"       weir export [<flag> ...]\n"
			"       weir import [<flag> ...] [FILE]\n"
			"       weir probe [<flag> ...] [URL]\n\n"
			"weir is a push gateway and metrics collector for Prometheus.\n");
	print_actions(out);
	for (size_t i = 0; i < settings_count; i++) {
		if (i == 0 || strcmp(settings[i].group, settings[i - 1].group) != 0) {
			buf_printf(out, "\n%s\n", settings[i].group);
		}
		print_setting(&settings[i], out);
	}
	buf_append_string(out,
			"\nA duration is written like 90s, 5m or 1h30m, a size like 1048576, 64MiB or 1GB.\n"
			"--no-<name> turns off what --<name> turns on. Every flag can also be set in the\n"
			"environment (--group.ttl=1h is WEIR_GROUP_TTL=1h) and, but for --config.file and\n"
			"--takeover, as a key of --config.file (group.ttl: 1h). A flag wins over the\n"
			"environment, the environment over the file.\n");
}

void help_print_version(struct buf *out)
{
	buf_append_string(
			out, "weir, version " WEIR_VERSION " (" WEIR_COMPILER ", " WEIR_PLATFORM ")\n");
}

static void print_source(
		const struct config *config, const struct setting *setting, struct buf *out)
{
	char name[ENVIRONMENT_NAME_MAX];
	switch (config->sources[setting_index(setting)]) {
	case CONFIG_FROM_DEFAULT:
		buf_append_string(out, "default");
		return;
	case CONFIG_FROM_FILE:
		buf_printf(
				out, "%s:%zu", config->config_file, config->source_lines[setting_index(setting)]);
		return;
	case CONFIG_FROM_ENVIRONMENT:
		environment_name(setting->name, name);
		buf_printf(out, "environment, %s", name);
		return;
	case CONFIG_FROM_FLAG:
		buf_append_string(out, "flag");
		return;
	}
}

void help_print_config(const struct config *config, struct buf *out)
{
	enum { VALUE_COLUMN = 35, SOURCE_COLUMN = 60 };
	for (size_t i = 0; i < settings_count; i++) {
		size_t line_start = out->len;
		buf_append_string(out, settings[i].name);
		pad(out, line_start, VALUE_COLUMN - 2);
		buf_append_string(out, "= ");
		value_print(config, &settings[i], out);
		pad(out, line_start, SOURCE_COLUMN);
		buf_append_string(out, "# ");
		print_source(config, &settings[i], out);
		buf_append_byte(out, '\n');
	}
}
