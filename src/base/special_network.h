#ifndef FSA_BASE_SPECIAL_NETWORK_H
#define FSA_BASE_SPECIAL_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/network.h"

/*
 * The one table of networks that are not simply the internet. It decides what we connect to when a
 * stranger says where (http/address.h), and what the pods of strangers may connect to
 * (manifest/network.c).
 * Sources: the IANA special-purpose address registries, RFC 6890, 6052, 3056; the clouds' manuals.
 */
struct special_network {
	const char *network;
	const char *what; /* "loopback"; NULL: ordinary addresses */
	unsigned embeds;  /* its addresses are as good as the IPv4 address at that offset */
	bool metadata;    /* allowed only by its whole address */
};

/* In order of precedence: the first that contains an address applies. */
const struct special_network *special_networks(size_t *ret_count);
/* NULL: in no row, which is as good as reserved. */
const struct special_network *special_network_of(const struct address *a);

#endif
