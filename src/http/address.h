#ifndef FSA_HTTP_ADDRESS_H
#define FSA_HTTP_ADDRESS_H

#include <sys/socket.h>

#include "base/err.h"

/*
 * Which addresses we connect to when a stranger says where (SSRF): public unicast ones, and those
 * that the operator configured. Refused are loopback, link-local, private, shared (CGNAT), metadata
 * services, multicast, unspecified and reserved networks, and IPv6 forms that carry such an IPv4
 * address (mapped, NAT64, 6to4). A name says nothing about where it leads, so what counts is the
 * check of the address that is really connected to (http/client.h).
 * Sources: the IANA special-purpose address registries, RFC 6890, 6052, 3056.
 */
struct address_policy;

/* `allow`: networks "10.0.0.0/8 fd00::/8 127.0.0.1" separated by blanks, or NULL. A metadata
 * service is only allowed by its whole address. ERR_INVALID says which word cannot be read. */
int address_policy_new(const char *allow, struct address_policy **ret_policy, struct err *e);
void address_policy_free(struct address_policy *policy); /* NULL is fine */
void address_policy_freep(struct address_policy **policy);

/* NULL if a connection may go to `address`, otherwise what kind of address it is: "loopback". */
const char *address_policy_refusal(const struct address_policy *policy,
				   const struct sockaddr *address);
/* The same for a host in a URL, without brackets: an address, or a name that is known to lead to a
 * forbidden one ("localhost"). NULL for all other names. */
const char *address_policy_refusal_of_host(const struct address_policy *policy, const char *host);

#endif
