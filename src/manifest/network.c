#include "manifest/network.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/special_network.h"
#include "manifest/object.h"
#include "manifest/sandbox.h"

/* ---- the internet -----------------------------------------------------------------------------
 */

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

/* ---- peers ------------------------------------------------------------------------------------
 */

static void add_networks(json_t *to, const char *words)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(words != NULL ? words : "");
	char *rest = NULL, text[NETWORK_TEXT_SIZE];

	for (char *word = strtok_r(copy, " \t", &rest); word != NULL;
	     word = strtok_r(NULL, " \t", &rest)) {
		struct network network;
		if (!network_parse(word, &network))
			continue;
		network_format(&network, text);
		json_array_append_new(to, json_pack("{s:{s:s}}", "ipBlock", "cidr", text));
	}
}

/* Of a namespace, all or those with a label. */
static json_t *pods(char *word)
{
	char *label = strchr(word, '/');
	char *value = label != NULL ? strchr(label, '=') : NULL;
	json_t *peer;

	if (value != NULL) {
		*label++ = '\0';
		*value++ = '\0';
	}
	peer = json_pack("{s:{s:{s:s}}}", "namespaceSelector", "matchLabels",
			 "kubernetes.io/metadata.name", word);
	return value == NULL ? peer
			     : object_with(peer, "podSelector",
					   json_pack("{s:{s:s}}", "matchLabels", label, value));
}

static void add_pods(json_t *to, const char *words)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(words != NULL ? words : "");
	char *rest = NULL;

	for (char *word = strtok_r(copy, " \t", &rest); word != NULL;
	     word = strtok_r(NULL, " \t", &rest))
		json_array_append_new(to, pods(word));
}

static json_t *peers(const char *pod_words, const char *network_words)
{
	json_t *to = json_array();

	add_pods(to, pod_words);
	add_networks(to, network_words);
	return to;
}

static json_t *port(const char *protocol, int number)
{
	return json_pack("{s:s, s:i}", "protocol", protocol, "port", number);
}

/* ---- rules ------------------------------------------------------------------------------------
 */

/* Appends a rule. Without peers it would be one for everywhere. */
static void add_rule_to(json_t *rules, json_t *to, json_t *ports)
{
	if (json_array_size(to) == 0) {
		json_decref(to);
		json_decref(ports);
		return;
	}
	json_array_append_new(rules, json_pack("{s:o, s:o*}", "to", to, "ports", ports));
}

/* By the port of the resolver's pod, which is not 53 everywhere: OpenShift's is 5353. */
static void add_dns(json_t *rules, const struct manifest_settings *settings)
{
	add_rule_to(rules, peers(settings->dns_pods, settings->dns_networks),
		    json_pack("[o, o, o, o]", port("UDP", 53), port("TCP", 53), port("UDP", 5353),
			      port("TCP", 5353)));
}

static json_t *instance(const char *database)
{
	return json_pack("{s:{s:s}}", "matchLabels", "app.kubernetes.io/instance", database);
}

static json_t *to_database(const char *name)
{
	return json_pack("{s:[{s:o}], s:[o]}", "to", "podSelector", instance(name), "ports",
			 port("TCP", 5432));
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

static json_t *sandbox_egress(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings)
{
	json_t *rules = json_array();

	add_dns(rules, settings);
	json_array_append_new(rules, to_internet());
	if (s->database_name != NULL)
		json_array_append_new(rules, to_database(s->database_name));
	return rules;
}

/* From everywhere: in which namespace the ingress controller runs is not known here. */
static json_t *sandbox_ingress(void)
{
	return json_pack("[{s:[o, o]}]", "ports", port("TCP", PORT_APP), port("TCP", PORT_TTYD));
}

json_t *network_sandbox_spec(const struct manifest_sandbox *s,
			     const struct manifest_settings *settings)
{
	return json_pack("{s:{s:{s:s}}, s:[s, s], s:o, s:o}", "podSelector", "matchLabels", "app",
			 s->name, "policyTypes", "Ingress", "Egress", "ingress", sandbox_ingress(),
			 "egress", sandbox_egress(s, settings));
}

/* Patroni keeps its leader there. Some agents know an API server by its port only (it may be a
 * node, and that is no ipBlock for them), so where it is not configured it may be everywhere. */
static void add_api_server(json_t *rules, const struct manifest_settings *settings)
{
	json_t *ports = json_pack("[o, o, o, o]", port("TCP", 443), port("TCP", 6443),
				  port("TCP", 8443), port("TCP", 16443));

	if (settings->api_server_networks != NULL)
		add_rule_to(rules, peers(NULL, settings->api_server_networks), ports);
	else
		json_array_append_new(rules, json_pack("{s:o}", "ports", ports));
}

static json_t *database_egress(const struct manifest_database *d,
			       const struct manifest_settings *settings)
{
	json_t *rules = json_array();

	add_dns(rules, settings);
	json_array_append_new(rules,
			      json_pack("{s:[{s:o}]}", "to", "podSelector", instance(d->name)));
	add_api_server(rules, settings);
	add_rule_to(rules, peers(settings->backup_pods, settings->backup_networks), NULL);
	return rules;
}

json_t *network_database_spec(const struct manifest_database *d,
			      const struct manifest_settings *settings)
{
	json_t *rules = settings->databases_open ? json_pack("[{}]") : database_egress(d, settings);

	return json_pack("{s:o, s:[s], s:o}", "podSelector", instance(d->name), "policyTypes",
			 "Egress", "egress", rules);
}
