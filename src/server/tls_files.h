#pragma once

/*
 * From tls_server_config to what the listeners need: reads the files that it
 * names and makes a TLS context of them, anew with each new web config.
 *
 * Whether there is TLS at all is decided at the start.
 */

#include <stdbool.h>

#include "net/tls.h"
#include "server/web_file.h"

struct tls_files {
	struct web_subscriber subscriber;
	struct tls_server *server;
	struct tls_context *next; /* checked and not yet applied, or NULL */
	bool is_started;
};

/* Keeps the server's context as the file says; both outlive it. */
void tls_files_init(struct tls_files *files, struct tls_server *server, struct web_file *file);
void tls_files_finish(struct tls_files *files);

/*
 * Whether weir could start with the web config at that path, files that it
 * names included. If not, `errors` gets a line for each reason.
 */
bool tls_files_check(const char *path, struct buf *errors);
