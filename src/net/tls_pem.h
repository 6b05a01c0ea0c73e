#pragma once

/*
 * Certificates and keys from PEM text into a context of libssl. What is wrong
 * with one is said in a line that names where it is from.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/tls.h"

/* The certificate with its chain, and the key that belongs to it. */
bool tls_pem_use_cert(struct ssl_ctx_st *ctx, const struct tls_pem *cert, const struct tls_pem *key,
		struct buf *errors);

/* Clients are verified by these certificates, and told about them. */
bool tls_pem_use_client_ca(struct ssl_ctx_st *ctx, const struct tls_pem *ca, struct buf *errors);

/* The first cause that libssl gives, for people; empties its queue. */
const char *tls_pem_reason(void);
