#include "base/cleanup.h"
#include "manifest/object.h"
#include "manifest/sandbox.h"

/*
 * What is not the internet: "this" network, private use, carrier-grade NAT (some clouds' metadata
 * services are in it), loopback, link-local (the metadata services of most), IETF assignments,
 * benchmarks, multicast, reserved. RFC 6890 and its registries.
 */
static const char *const not_internet_v4[] = {
	"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",
	"169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",  "192.168.0.0/16",
	"198.18.0.0/15",  "224.0.0.0/4",   "240.0.0.0/4",
};
/* Loopback, unique local (one more metadata service), link-local, multicast, and IPv4 addresses
 * in NAT64's clothes. */
static const char *const not_internet_v6[] = {
	"::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "ff00::/8",
};

static json_t *block(const char *all, const char *const *except, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(except[i]));
	return json_pack("{s:{s:s, s:o}}", "ipBlock", "cidr", all, "except", list);
}

static json_t *port(const char *protocol, int number)
{
	return json_pack("{s:s, s:i}", "protocol", protocol, "port", number);
}

/* To everywhere: a resolver may be a pod, or a node's at a link-local address. */
static json_t *to_dns(void)
{
	return json_pack("{s:[o, o]}", "ports", port("UDP", 53), port("TCP", 53));
}

static json_t *to_database(const char *name)
{
	return json_pack("{s:[{s:{s:{s:s}}}], s:[o]}", "to", "podSelector", "matchLabels",
			 "app.kubernetes.io/instance", name, "ports", port("TCP", 5432));
}

static json_t *to_internet(void)
{
	return json_pack("{s:[o, o]}", "to",
			 block("0.0.0.0/0", not_internet_v4, ARRAY_SIZE(not_internet_v4)),
			 block("::/0", not_internet_v6, ARRAY_SIZE(not_internet_v6)));
}

static json_t *egress(const struct manifest_sandbox *s)
{
	json_t *rules = json_pack("[o, o]", to_dns(), to_internet());

	if (s->database_name != NULL)
		json_array_append_new(rules, to_database(s->database_name));
	return rules;
}

/* From everywhere: in which namespace the ingress controller runs is not known here. */
static json_t *ingress(void)
{
	return json_pack("[{s:[o, o]}]", "ports", port("TCP", PORT_APP), port("TCP", PORT_TTYD));
}

json_t *sandbox_network_policy(const struct manifest_sandbox *s)
{
	json_t *object = object_make("networking.k8s.io/v1", "NetworkPolicy", s->name, s->namespace,
				     sandbox_labels(s), NULL);

	return object_with(object, "spec",
			   json_pack("{s:{s:{s:s}}, s:[s, s], s:o, s:o}", "podSelector",
				     "matchLabels", "app", s->name, "policyTypes", "Ingress",
				     "Egress", "ingress", ingress(), "egress", egress(s)));
}
