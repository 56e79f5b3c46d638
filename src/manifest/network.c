#include "base/special_network.h"
#include "manifest/object.h"
#include "manifest/sandbox.h"

static bool is_internet(const struct special_network *s)
{
	return s->what == NULL && s->embeds == 0;
}

/* Within one that is refused as well, so that it need not be named. */
static bool is_covered(const struct network *network, const struct special_network *self)
{
	size_t count;
	const struct special_network *table = special_networks(&count);

	for (size_t i = 0; i < count; i++) {
		struct network other;
		if (&table[i] != self && !is_internet(&table[i]) &&
		    network_parse(table[i].network, &other) && network_is_within(network, &other))
			return true;
	}
	return false;
}

/* All of the table that is within a network of ordinary addresses and is not ordinary. */
static json_t *exceptions(const struct network *all)
{
	size_t count;
	const struct special_network *table = special_networks(&count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		struct network network;
		if (!is_internet(&table[i]) && network_parse(table[i].network, &network) &&
		    network_is_within(&network, all) && !is_covered(&network, &table[i]))
			json_array_append_new(list, json_string(table[i].network));
	}
	return list;
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

/* Whatever the table of special networks calls ordinary. */
static json_t *to_internet(void)
{
	size_t count;
	const struct special_network *table = special_networks(&count);
	json_t *blocks = json_array();

	for (size_t i = 0; i < count; i++) {
		struct network all;
		if (is_internet(&table[i]) && network_parse(table[i].network, &all))
			json_array_append_new(blocks, json_pack("{s:{s:s, s:o}}", "ipBlock", "cidr",
								table[i].network, "except",
								exceptions(&all)));
	}
	return json_pack("{s:o}", "to", blocks);
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
