#pragma once

/*
 * tls_server_config of the web config.
 */

#include "config/web_config.h"
#include "config/yaml.h"

/*
 * Reads the map into what has its defaults already; what is wrong is an error
 * of the file. Paths in it are relative to the directory, which ends with its
 * slash; empty: the working directory.
 */
void web_tls_read(struct yaml_file *file, const struct yaml_node *node, struct slice directory,
		struct web_tls *tls);
