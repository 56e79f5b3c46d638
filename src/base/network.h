#ifndef FSA_BASE_NETWORK_H
#define FSA_BASE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

/* Addresses and networks of IPv4 and IPv6. */

enum { ADDRESS_BITS = 128, ADDRESS_V4_BITS = 96, NETWORK_TEXT_SIZE = 64 };

/* 16 bytes; IPv4 in its mapped form (::ffff:a.b.c.d), so that there is one kind of network, and a
 * network of IPv4 has at least ADDRESS_V4_BITS bits. */
struct address {
	uint8_t bytes[16];
};

struct network {
	struct address address;
	unsigned bits;
};

struct address address_of_v4(const uint8_t v4[4]);
bool address_is_v4(const struct address *a);
bool address_parse(const char *text, struct address *ret_address);

/* "ADDRESS" or "ADDRESS/BITS". Bits set behind the prefix are ignored. */
bool network_parse(const char *text, struct network *ret_network);
/* As "ADDRESS/BITS", without bits behind the prefix. */
void network_format(const struct network *n, char ret_text[NETWORK_TEXT_SIZE]);
bool network_contains(const struct network *n, const struct address *a);
bool network_is_within(const struct network *inner, const struct network *outer);

#endif
