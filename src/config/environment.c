#include <assert.h>
#include <string.h>

#include "config/sources.h"
#include "config/table.h"
#include "config/value.h"

static char variable_byte(char byte)
{
	if (byte >= 'a' && byte <= 'z') {
		return (char)(byte - 'a' + 'A');
	}
	return byte >= '0' && byte <= '9' ? byte : '_';
}

void environment_name(const char *setting_name, char ret_name[static ENVIRONMENT_NAME_MAX])
{
	static const char prefix[] = "WEIR_";
	assert(strlen(setting_name) + sizeof(prefix) <= ENVIRONMENT_NAME_MAX);
	char *next = stpcpy(ret_name, prefix);
	for (const char *from = setting_name; *from != '\0'; from++) {
		*next++ = variable_byte(*from);
	}
	*next = '\0';
}

/* The value of a variable that is set and not empty; else NULL. */
static const char *find_variable(const char *const *environment, const char *name)
{
	size_t len = strlen(name);
	for (; *environment != NULL; environment++) {
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '='
				&& (*environment)[len + 1] != '\0') {
			return *environment + len + 1;
		}
	}
	return NULL;
}

static bool read_variable(struct config *config, const struct setting *setting, const char *name,
		const char *text, struct buf *error)
{
	buf_append_string(error, "bad value '");
	value_print_wrong(setting, text, error);
	buf_printf(error, "' for %s: ", name);
	if (!value_set_all(config, setting, text, error)) {
		return false;
	}
	buf_reset(error, SIZE_MAX);
	config->sources[setting_index(setting)] = CONFIG_FROM_ENVIRONMENT;
	return true;
}

bool environment_read(struct config *config, const char *const *environment, struct buf *error)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (config->sources[i] != CONFIG_FROM_DEFAULT) {
			continue;
		}
		char name[ENVIRONMENT_NAME_MAX];
		environment_name(settings[i].name, name);
		const char *text = find_variable(environment, name);
		if (text != NULL && !read_variable(config, &settings[i], name, text, error)) {
			return false;
		}
	}
	return true;
}
