#include <stdio.h>

#include "net/address.h"
#include "server/server.h"

static bool check_addresses(const struct config *config, struct buf *text)
{
	bool fine = true;
	for (size_t i = 0; i < config->web_listen_address.len; i++) {
		const char *shown = config->web_listen_address.items[i];
		struct address address;
		const char *what;
		if (!address_parse(slice_of_string(shown), &address, &what)) {
			buf_append_string(text, "weir: error: ");
			config_begin_fault(config, "web.listen-address", shown, text);
			buf_printf(text, "%s\n", what);
			fine = false;
		}
	}
	return fine;
}

bool server_check(const struct config *config, struct buf *errors)
{
	return check_addresses(config, errors);
}
