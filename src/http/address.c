#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

/* An address is 16 bytes; IPv4 in its mapped form, so that there is one kind of network. */
struct address {
	uint8_t bytes[16];
};

struct network {
	struct address address;
	unsigned bits;
};

enum { V4_OFFSET = 12, V4_BITS = 96, ALL_BITS = 128, WORD_MAX = 64 };

struct address_policy {
	size_t count;
	struct network *allowed;
};

static const char unlisted[] = "reserved";

/* First match wins. A row with `embeds` is judged by the IPv4 address at that offset. */
static const struct special {
	const char *network;
	const char *what; /* NULL: an ordinary address */
	unsigned embeds;
	bool metadata; /* allowed only by its whole address */
} special[] = {
	{ "169.254.169.254/32", "metadata service", 0, true }, /* most clouds */
	{ "168.63.129.16/32", "metadata service", 0, true },   /* Azure */
	{ "100.100.100.200/32", "metadata service", 0, true }, /* Alibaba */
	{ "192.0.0.192/32", "metadata service", 0, true },     /* Oracle */
	{ "fd00:ec2::254/128", "metadata service", 0, true },  /* AWS */
	{ "fd20:ce::254/128", "metadata service", 0, true },   /* Google */
	{ "0.0.0.0/8", "unspecified", 0, false },
	{ "10.0.0.0/8", "private", 0, false },
	{ "100.64.0.0/10", "shared (CGNAT)", 0, false },
	{ "127.0.0.0/8", "loopback", 0, false },
	{ "169.254.0.0/16", "link-local", 0, false },
	{ "172.16.0.0/12", "private", 0, false },
	{ "192.0.0.0/24", "reserved", 0, false },
	{ "192.0.2.0/24", "documentation", 0, false },
	{ "192.88.99.0/24", "reserved", 0, false },
	{ "192.168.0.0/16", "private", 0, false },
	{ "198.18.0.0/15", "benchmarking", 0, false },
	{ "198.51.100.0/24", "documentation", 0, false },
	{ "203.0.113.0/24", "documentation", 0, false },
	{ "224.0.0.0/4", "multicast", 0, false },
	{ "240.0.0.0/4", "reserved", 0, false },
	{ "0.0.0.0/0", NULL, 0, false },
	{ "::/128", "unspecified", 0, false },
	{ "::1/128", "loopback", 0, false },
	{ "64:ff9b::/96", NULL, 12, false }, /* NAT64 */
	{ "fc00::/7", "private", 0, false },
	{ "fe80::/10", "link-local", 0, false },
	{ "fec0::/10", "private", 0, false },
	{ "ff00::/8", "multicast", 0, false },
	{ "2001::/23", "reserved", 0, false }, /* Teredo, ORCHID, … */
	{ "2001:db8::/32", "documentation", 0, false },
	{ "2002::/16", NULL, 2, false }, /* 6to4 */
	{ "3fff::/20", "documentation", 0, false },
	{ "2000::/3", NULL, 0, false }, /* global unicast; whatever is not in it is reserved */
};

/* Names that lead, by convention, to an address that policy may forbid. */
static const struct {
	const char *name, *address;
} known_names[] = {
	{ "localhost", "127.0.0.1" },
	{ "localhost.localdomain", "127.0.0.1" },
	{ "ip6-localhost", "::1" },
	{ "metadata", "169.254.169.254" },
	{ "metadata.google.internal", "169.254.169.254" },
	{ "metadata.goog", "169.254.169.254" },
	{ "instance-data", "169.254.169.254" },
	{ "instance-data.ec2.internal", "169.254.169.254" },
};

static struct address map_v4(const uint8_t v4[4])
{
	struct address a = { .bytes = { [10] = 0xff, [11] = 0xff } };

	memcpy(a.bytes + V4_OFFSET, v4, 4);
	return a;
}

static bool parse_address(const char *text, struct address *ret_address, bool *ret_v4)
{
	uint8_t v4[4];

	*ret_v4 = inet_pton(AF_INET, text, v4) == 1;
	if (*ret_v4) {
		*ret_address = map_v4(v4);
		return true;
	}
	return inet_pton(AF_INET6, text, ret_address->bytes) == 1;
}

static bool address_has_prefix(const struct address *a, const struct network *n)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (memcmp(a->bytes, n->address.bytes, whole) != 0)
		return false;
	return rest == 0 || ((a->bytes[whole] ^ n->address.bytes[whole]) & mask) == 0;
}

/* "ADDRESS" or "ADDRESS/BITS". Bits set behind the prefix are ignored. */
static bool parse_network(const char *word, struct network *ret_network)
{
	char text[WORD_MAX];
	uint64_t bits;
	bool v4;

	if (strlen(word) >= sizeof(text))
		return false;
	memcpy(text, word, strlen(word) + 1);
	char *slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!parse_address(text, &ret_network->address, &v4))
		return false;
	bits = v4 ? ALL_BITS - V4_BITS : ALL_BITS;
	if (slash != NULL && !parse_u64(slash + 1, 0, bits, &bits))
		return false;
	ret_network->bits = (unsigned)bits + (v4 ? V4_BITS : 0);
	return true;
}

void address_policy_free(struct address_policy *policy)
{
	if (policy == NULL)
		return;
	free(policy->allowed);
	free(policy);
}

void address_policy_freep(struct address_policy **policy)
{
	address_policy_free(*policy);
}

int address_policy_new(const char *allow, struct address_policy **ret_policy, struct err *e)
{
	CLEANUP(address_policy_freep)
	struct address_policy *policy = mem_calloc(1, sizeof(*policy));
	CLEANUP(cleanup_free) char *copy = mem_strdup(allow != NULL ? allow : "");
	char *rest = NULL;

	for (char *word = strtok_r(copy, " \t", &rest); word != NULL;
	     word = strtok_r(NULL, " \t", &rest)) {
		struct network network;
		if (!parse_network(word, &network))
			return err_set(e, ERR_INVALID, NULL,
				       "\"%.63s\" is not a network (10.0.0.0/8, fd00::/8)", word);
		policy->allowed = mem_realloc(policy->allowed, policy->count + 1, sizeof(network));
		policy->allowed[policy->count++] = network;
	}
	*ret_policy = STEAL(policy);
	return 0;
}

static bool is_v4(const struct address *a)
{
	static const struct address mapped = { .bytes = { [10] = 0xff, [11] = 0xff } };

	return memcmp(a->bytes, mapped.bytes, V4_OFFSET) == 0;
}

/* A network of IPv6 says nothing about IPv4, although "::/0" contains the mapped form. */
static bool is_allowed(const struct address_policy *policy, const struct address *a, bool whole)
{
	unsigned least = whole ? ALL_BITS : is_v4(a) ? V4_BITS : 0;

	for (size_t i = 0; i < policy->count; i++) {
		const struct network *n = &policy->allowed[i];
		if (n->bits >= least && address_has_prefix(a, n))
			return true;
	}
	return false;
}

static const char *refusal(const struct address_policy *policy, const struct address *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		const struct special *s = &special[i];
		struct network network;
		if (!parse_network(s->network, &network) || !address_has_prefix(a, &network))
			continue;
		if (is_allowed(policy, a, s->metadata))
			return NULL;
		if (s->embeds == 0)
			return s->what;
		struct address inner = map_v4(a->bytes + s->embeds);
		return refusal(policy, &inner);
	}
	return is_allowed(policy, a, false) ? NULL : unlisted;
}

const char *address_policy_refusal(const struct address_policy *policy,
				   const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct address a;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof(v4));
		a = map_v4((const uint8_t *)&v4.sin_addr.s_addr);
		return refusal(policy, &a);
	case AF_INET6:
		memcpy(&v6, address, sizeof(v6));
		memcpy(a.bytes, v6.sin6_addr.s6_addr, sizeof(a.bytes));
		return refusal(policy, &a);
	default:
		return "not an Internet address";
	}
}

const char *address_policy_refusal_of_host(const struct address_policy *policy, const char *host)
{
	struct address a;
	size_t length = strlen(host);
	bool v4;

	if (length > strlen(".localhost") &&
	    strcasecmp(host + length - strlen(".localhost"), ".localhost") == 0)
		host = "localhost"; /* RFC 6761, section 6.3 */
	for (size_t i = 0; i < ARRAY_SIZE(known_names); i++) {
		if (strcasecmp(host, known_names[i].name) == 0)
			host = known_names[i].address;
	}
	return parse_address(host, &a, &v4) ? refusal(policy, &a) : NULL;
}
