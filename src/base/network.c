#include "base/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

enum { V4_OFFSET = 12 };

struct address address_of_v4(const uint8_t v4[4])
{
	struct address a = { .bytes = { [10] = 0xff, [11] = 0xff } };

	memcpy(a.bytes + V4_OFFSET, v4, 4);
	return a;
}

bool address_is_v4(const struct address *a)
{
	static const struct address mapped = { .bytes = { [10] = 0xff, [11] = 0xff } };

	return memcmp(a->bytes, mapped.bytes, V4_OFFSET) == 0;
}

static bool parse(const char *text, struct address *ret_address, bool *ret_v4)
{
	uint8_t v4[4];

	*ret_v4 = inet_pton(AF_INET, text, v4) == 1;
	if (*ret_v4) {
		*ret_address = address_of_v4(v4);
		return true;
	}
	return inet_pton(AF_INET6, text, ret_address->bytes) == 1;
}

bool address_parse(const char *text, struct address *ret_address)
{
	bool v4;

	return parse(text, ret_address, &v4);
}

bool network_parse(const char *text, struct network *ret_network)
{
	char address[NETWORK_TEXT_SIZE];
	uint64_t bits;
	bool v4;

	if (strlen(text) >= sizeof(address))
		return false;
	memcpy(address, text, strlen(text) + 1);
	char *slash = strchr(address, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!parse(address, &ret_network->address, &v4))
		return false;
	bits = v4 ? ADDRESS_BITS - ADDRESS_V4_BITS : ADDRESS_BITS;
	if (slash != NULL && !parse_u64(slash + 1, 0, bits, &bits))
		return false;
	ret_network->bits = (unsigned)bits + (v4 ? ADDRESS_V4_BITS : 0);
	return true;
}

void network_format(const struct network *n, char ret_text[NETWORK_TEXT_SIZE])
{
	bool v4 = address_is_v4(&n->address) && n->bits >= ADDRESS_V4_BITS;
	struct address a = n->address;
	char text[INET6_ADDRSTRLEN] = "";

	for (unsigned bit = n->bits; bit < ADDRESS_BITS; bit++)
		a.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	if (v4)
		(void)inet_ntop(AF_INET, a.bytes + V4_OFFSET, text, sizeof(text));
	else
		(void)inet_ntop(AF_INET6, a.bytes, text, sizeof(text));
	(void)snprintf(ret_text, NETWORK_TEXT_SIZE, "%s/%u", text,
		       v4 ? n->bits - ADDRESS_V4_BITS : n->bits);
}

bool network_contains(const struct network *n, const struct address *a)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (memcmp(a->bytes, n->address.bytes, whole) != 0)
		return false;
	return rest == 0 || ((a->bytes[whole] ^ n->address.bytes[whole]) & mask) == 0;
}

bool network_is_within(const struct network *inner, const struct network *outer)
{
	return inner->bits >= outer->bits && network_contains(outer, &inner->address);
}
