#include "manifest/network.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/special_network.h"
#include "manifest/object.h"
#include "manifest/sandbox.h"

/* ---- the internet ---------------------------------------------------------------------------- */

static bool is_internet(const struct special_network *s)
{
	return s->what == NULL && s->embeds == 0;
}

/* Whether a larger network that is refused contains it, so that it need not be listed. */
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

/* All networks of the table inside a network of ordinary addresses that are not ordinary. */
static json_t *exceptions(const struct network *all)
{
	size_t count;
	const struct special_network *table = special_networks(&count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		struct network network;
		if (!is_internet(&table[i]) && network_parse(table[i].network, &network) &&
		    network_is_within(&network, all) && !is_covered(&network, &table[i]))
			json_array_append_new(list, TEXT(table[i].network));
	}
	return list;
}

/* ---- peers ----------------------------------------------------------------------------------- */

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
		json_array_append_new(to, MAP({ "ipBlock", MAP({ "cidr", TEXT(text) }) }));
	}
}

/* Selects pods of a namespace: all, or those with a label. */
static json_t *pods(char *word)
{
	char *label = strchr(word, '/');
	char *value = label != NULL ? strchr(label, '=') : NULL;

	if (value != NULL) {
		*label++ = '\0';
		*value++ = '\0';
	}
	return MAP({ "namespaceSelector",
		     MAP({ "matchLabels", MAP({ "kubernetes.io/metadata.name", TEXT(word) }) }) },
		   { "podSelector",
		     IF(value != NULL, MAP({ "matchLabels", MAP({ label, TEXT(value) }) })) });
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
	return MAP({ "protocol", TEXT(protocol) }, { "port", NUMBER(number) });
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* Appends a rule; `ports` may be &object_absent. Without peers nothing is appended, as the rule
 * would mean everywhere. */
static void add_rule_to(json_t *rules, json_t *to, json_t *ports)
{
	if (json_array_size(to) == 0) {
		json_decref(to);
		json_decref(ports);
		return;
	}
	json_array_append_new(rules, MAP({ "to", to }, { "ports", ports }));
}

/* Allows the port of the resolver's pod, which is not always 53: OpenShift's is 5353. */
static void add_dns(json_t *rules, const struct manifest_settings *settings)
{
	add_rule_to(rules,
		    peers(settings->dns_pods, settings->dns_networks),
		    LIST(port("UDP", 53), port("TCP", 53), port("UDP", 5353), port("TCP", 5353)));
}

static json_t *instance(const char *database)
{
	return MAP({ "matchLabels", MAP({ "app.kubernetes.io/instance", TEXT(database) }) });
}

static json_t *to_pods_of(const char *database)
{
	return LIST(MAP({ "podSelector", instance(database) }));
}

/* Everything that the table of special networks calls ordinary. */
static json_t *to_internet(void)
{
	size_t count;
	const struct special_network *table = special_networks(&count);
	json_t *blocks = json_array();

	for (size_t i = 0; i < count; i++) {
		struct network all;
		if (!is_internet(&table[i]) || !network_parse(table[i].network, &all))
			continue;
		json_t *block =
			MAP({ "cidr", TEXT(table[i].network) }, { "except", exceptions(&all) });
		json_array_append_new(blocks, MAP({ "ipBlock", block }));
	}
	return MAP({ "to", blocks });
}

static json_t *sandbox_egress(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings)
{
	json_t *rules = json_array();

	add_dns(rules, settings);
	json_array_append_new(rules, to_internet());
	if (s->database_name != NULL)
		add_rule_to(rules, to_pods_of(s->database_name), LIST(port("TCP", 5432)));
	return rules;
}

/* From everywhere: the ingress controller's namespace is not known here. */
static json_t *sandbox_ingress(const struct manifest_sandbox *s)
{
	json_t *ports = LIST(port("TCP", PORT_APP), port("TCP", PORT_TTYD));

	for (size_t i = 0; i < s->port_count; i++)
		if (!s->ports[i].guarded)
			json_array_append_new(ports, port("TCP", s->ports[i].number));
	return LIST(MAP({ "ports", ports }));
}

json_t *network_sandbox_spec(const struct manifest_sandbox *s,
			     const struct manifest_settings *settings)
{
	return MAP({ "podSelector", MAP({ "matchLabels", MAP({ "app", TEXT(s->name) }) }) },
		   { "policyTypes", LIST(TEXT("Ingress"), TEXT("Egress")) },
		   { "ingress", sandbox_ingress(s) },
		   { "egress", sandbox_egress(s, settings) });
}

/* Patroni stores its leader in the API server. Some network plugins recognize an API server only by
 * its port (if it is on a node, no ipBlock matches it), so unless it is configured it may be
 * anywhere. */
static void add_api_server(json_t *rules, const struct manifest_settings *settings)
{
	json_t *ports =
		LIST(port("TCP", 443), port("TCP", 6443), port("TCP", 8443), port("TCP", 16443));

	if (settings->api_server_networks != NULL)
		add_rule_to(rules, peers(NULL, settings->api_server_networks), ports);
	else
		json_array_append_new(rules, MAP({ "ports", ports }));
}

static json_t *database_egress(const struct manifest_database *d,
			       const struct manifest_settings *settings)
{
	json_t *rules = json_array();

	add_dns(rules, settings);
	add_rule_to(rules, to_pods_of(d->name), &object_absent);
	add_api_server(rules, settings);
	add_rule_to(rules, peers(settings->backup_pods, settings->backup_networks), &object_absent);
	return rules;
}

json_t *network_database_spec(const struct manifest_database *d,
			      const struct manifest_settings *settings)
{
	json_t *rules =
		settings->databases_open ? LIST(json_object()) : database_egress(d, settings);

	return MAP({ "podSelector", instance(d->name) },
		   { "policyTypes", LIST(TEXT("Egress")) },
		   { "egress", rules });
}

/* What its project's sandboxes ask for, and nobody else; by itself it needs no API server. */
json_t *network_plain_spec(const struct manifest_database *d,
			   const struct manifest_settings *settings)
{
	json_t *sandboxes =
		MAP({ "matchLabels", MAP({ MANIFEST_LABEL_PROJECT, TEXT(d->project_name) }) });
	json_t *from = LIST(MAP({ "podSelector", sandboxes }));
	json_t *rules = json_array();

	add_dns(rules, settings);
	add_rule_to(rules, peers(settings->backup_pods, settings->backup_networks), &object_absent);
	if (settings->databases_open)
		json_array_append_new(rules, json_object());
	return MAP({ "podSelector", instance(d->name) },
		   { "policyTypes", LIST(TEXT("Ingress"), TEXT("Egress")) },
		   { "ingress", LIST(MAP({ "from", from }, { "ports", LIST(port("TCP", 5432)) })) },
		   { "egress", rules });
}
