#include "base/special_network.h"

#include "base/cleanup.h"

static const struct special_network table[] = {
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

const struct special_network *special_networks(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(table);
	return table;
}

const struct special_network *special_network_of(const struct address *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct network network;
		if (network_parse(table[i].network, &network) && network_contains(&network, a))
			return &table[i];
	}
	return NULL;
}
