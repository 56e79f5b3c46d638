#include "http/address.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/network.h"
#include "base/special_network.h"

struct address_policy {
	size_t count;
	struct network *allowed;
};

static const char unlisted[] = "reserved";

/* Names that by convention resolve to an address that policy may forbid. */
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
		if (!network_parse(word, &network))
			return err_set(e, ERR_INVALID, NULL,
				       "\"%.63s\" is not a network (10.0.0.0/8, fd00::/8)", word);
		policy->allowed = mem_realloc(policy->allowed, policy->count + 1, sizeof(network));
		policy->allowed[policy->count++] = network;
	}
	*ret_policy = STEAL(policy);
	return 0;
}

/* A network of IPv6 does not include IPv4, although "::/0" contains the mapped form. */
static bool is_allowed(const struct address_policy *policy, const struct address *a, bool whole)
{
	unsigned least = whole ? ADDRESS_BITS : address_is_v4(a) ? ADDRESS_V4_BITS : 0;

	for (size_t i = 0; i < policy->count; i++) {
		const struct network *n = &policy->allowed[i];
		if (n->bits >= least && network_contains(n, a))
			return true;
	}
	return false;
}

static const char *refusal(const struct address_policy *policy, const struct address *a)
{
	const struct special_network *s = special_network_of(a);

	if (is_allowed(policy, a, s != NULL && s->metadata))
		return NULL;
	if (s == NULL)
		return unlisted;
	if (s->embeds == 0)
		return s->what;
	struct address inner = address_of_v4(a->bytes + s->embeds);
	return refusal(policy, &inner);
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
		a = address_of_v4((const uint8_t *)&v4.sin_addr.s_addr);
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

	if (length > strlen(".localhost") &&
	    strcasecmp(host + length - strlen(".localhost"), ".localhost") == 0)
		host = "localhost"; /* RFC 6761, section 6.3 */
	for (size_t i = 0; i < ARRAY_SIZE(known_names); i++) {
		if (strcasecmp(host, known_names[i].name) == 0)
			host = known_names[i].address;
	}
	return address_parse(host, &a) ? refusal(policy, &a) : NULL;
}
