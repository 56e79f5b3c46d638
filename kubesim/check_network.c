#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "checks.h"
#include "names.h"
#include "object.h"

static void check_service_port(const json_t *port, size_t i, size_t count, struct refusal *r)
{
	long long number = json_path_number(port, "port", 0);
	long long target = json_path_number(port, "targetPort", 1);
	char field[FIELD_MAX];

	snprintf(field, sizeof(field), "spec.ports[%zu].name", i);
	if (count > 1 && json_path_text(port, "name")[0] == '\0')
		refuse_invalid_field(r, REQUIRED, field, "%s", "");
	snprintf(field, sizeof(field), "spec.ports[%zu].port", i);
	if (number < 1 || number > 65535)
		refuse_invalid_field(r, INVALID, field,
				     "%lld: must be between 1 and 65535, inclusive", number);
	snprintf(field, sizeof(field), "spec.ports[%zu].targetPort", i);
	if (target < 1 || target > 65535)
		refuse_invalid_field(r, INVALID, field,
				     "%lld: must be between 1 and 65535, inclusive", target);
}

void check_service(const json_t *before, const json_t *after, struct refusal *r)
{
	static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer",
					     "NodePort", NULL };
	const json_t *ports = json_path(after, "spec.ports");
	size_t i;
	json_t *port;

	if (json_array_size(ports) == 0 &&
	    strcmp(json_path_text(after, "spec.clusterIP"), "None") != 0)
		refuse_invalid_field(r, REQUIRED, "spec.ports", "%s", "");
	json_array_foreach(ports, i, port)
	{
		check_service_port(port, i, json_array_size(ports), r);
	}
	check_choice(after, "spec.type", types, r);
	if (before != NULL && strcmp(json_path_text(before, "spec.clusterIP"),
				     json_path_text(after, "spec.clusterIP")) != 0)
		refuse_invalid_field(r, INVALID, "spec.clusterIPs[0]",
				     "[\"%.60s\"]: may not change once set",
				     json_path_text(after, "spec.clusterIP"));
}

static void check_ingress_path(const json_t *path, const char *at, struct refusal *r)
{
	char field[FIELD_MAX];

	snprintf(field, sizeof(field), "%.200s.pathType", at);
	if (json_path_text(path, "pathType")[0] == '\0')
		refuse_invalid_field(r, REQUIRED, field, "pathType must be specified");
	snprintf(field, sizeof(field), "%.200s.path", at);
	if (json_path_text(path, "path")[0] != '/')
		refuse_invalid_field(r, INVALID, field, "\"%.100s\": must be an absolute path",
				     json_path_text(path, "path"));
	snprintf(field, sizeof(field), "%.200s.backend", at);
	if (json_path(path, "backend.service") == NULL &&
	    json_path(path, "backend.resource") == NULL)
		refuse_invalid_field(r, REQUIRED, field, "%s", "");
}

void check_ingress(const json_t *before, const json_t *after, struct refusal *r)
{
	const json_t *rules = json_path(after, "spec.rules");
	size_t i, j;
	json_t *rule, *path;
	char field[FIELD_MAX];

	(void)before;
	if (json_array_size(rules) == 0 && json_path(after, "spec.defaultBackend") == NULL)
		refuse_invalid_field(r, INVALID, "spec",
				     "null: either `defaultBackend` or `rules` must be specified");
	json_array_foreach(rules, i, rule)
	{
		const char *host = json_path_text(rule, "host");
		const char *from = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
		const char *fault = host[0] != '\0' ? name_check(NAME_SUBDOMAIN, from) : NULL;
		snprintf(field, sizeof(field), "spec.rules[%zu].host", i);
		if (fault != NULL)
			refuse_invalid_field(r, INVALID, field, "\"%.253s\": %s", host, fault);
		json_array_foreach(json_path(rule, "http.paths"), j, path)
		{
			snprintf(field, sizeof(field), "spec.rules[%zu].http.paths[%zu]", i, j);
			check_ingress_path(path, field, r);
		}
	}
}

void check_network_policy(const json_t *before, const json_t *after, struct refusal *r)
{
	size_t i;
	json_t *type;
	char field[FIELD_MAX];

	(void)before;
	json_array_foreach(json_path(after, "spec.policyTypes"), i, type)
	{
		const char *text = json_string_value(type);
		snprintf(field, sizeof(field), "spec.policyTypes[%zu]", i);
		if (strcmp(text, "Ingress") != 0 && strcmp(text, "Egress") != 0)
			refuse_invalid_field(r, UNKNOWN, field,
					     "\"%.60s\": supported values: \"Ingress\", \"Egress\"",
					     text);
	}
}
