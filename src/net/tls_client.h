#pragma once

/*
 * What clients have to show: Go's five modes, and the names that
 * exporter-toolkit lets one allow.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "net/tls.h"

struct x509_st;

/* Sets the context up to ask for certificates and to judge them. */
bool tls_client_set_up(
		struct tls_context *context, const struct tls_options *options, struct buf *errors);

/*
 * Whether the certificate has one of the names as a DNS name, e-mail address,
 * IP address or URI. Exact, but for the ways to write one IP address.
 */
bool tls_client_has_name(const struct x509_st *cert, const struct tls_names *names);
