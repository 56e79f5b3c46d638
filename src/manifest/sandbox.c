#include "manifest/sandbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "manifest/network.h"
#include "manifest/object.h"

json_t *sandbox_labels(const struct manifest_sandbox *s)
{
	return MAP({ "app", TEXT(s->name) },
		   { MANIFEST_LABEL_MANAGED, TEXT(MANIFEST_MANAGED_BY) },
		   { MANIFEST_LABEL_PROJECT, TEXT(s->project_name) },
		   /* By this label, Sealos recognizes an app of its launchpad. */
		   { "cloud.sealos.io/app-deploy-manager", TEXT(s->name) },
		   { MANIFEST_LABEL_RESOURCE, TEXT(s->resource_id) });
}

char *sandbox_part_name(const struct manifest_sandbox *s, const char *part)
{
	return mem_printf("%s-%s", s->name, part);
}

json_t *sandbox_secret_data(const struct manifest_sandbox *s)
{
	json_t *data = json_object();
	bool complete = true;

	for (size_t i = 0; i < s->variable_count; i++) {
		const struct manifest_variable *v = &s->variables[i];
		CLEANUP(cleanup_free) char *value = base64_encode(v->value, strlen(v->value));
		complete = json_object_set_new(data, v->name, TEXT(value)) == 0 && complete;
	}
	if (complete)
		return data;
	json_decref(data);
	return NULL;
}

/* `data`, not `stringData`: the API server does not return the latter, so it could not be compared
 * with what is desired. */
static json_t *secret(const struct manifest_sandbox *s)
{
	CLEANUP(cleanup_free) char *name = sandbox_part_name(s, "env");
	const struct object_head head = { "v1", "Secret", name, s->namespace };

	return object_make(&head,
			   sandbox_labels(s),
			   &object_absent,
			   MAP({ "type", TEXT("Opaque") }, { "data", sandbox_secret_data(s) }));
}

static json_t *service_port(const char *name, int port)
{
	return MAP({ "name", TEXT(name) },
		   { "port", NUMBER(port) },
		   { "targetPort", NUMBER(port) },
		   { "protocol", TEXT("TCP") });
}

static json_t *service_ports(const struct manifest_sandbox *s)
{
	json_t *ports = LIST(service_port("app", PORT_APP), service_port("ttyd", PORT_TTYD));

	for (size_t i = 0; i < s->port_count; i++) {
		CLEANUP(cleanup_free) char *name = mem_printf("port-%d", s->ports[i].number);
		if (!s->ports[i].guarded)
			json_array_append_new(ports, service_port(name, s->ports[i].number));
	}
	return ports;
}

static json_t *service(const struct manifest_sandbox *s)
{
	CLEANUP(cleanup_free) char *name = sandbox_part_name(s, "service");
	const struct object_head head = { "v1", "Service", name, s->namespace };

	return object_make(&head,
			   sandbox_labels(s),
			   &object_absent,
			   MAP({ "spec",
				 MAP({ "selector", MAP({ "app", TEXT(s->name) }) },
				     { "ports", service_ports(s) }) }));
}

/* The operator's site, by a name in the sandbox's namespace, to which an Ingress may lead. */
static json_t *wake_service(const struct manifest_sandbox *s,
			    const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free) char *name = sandbox_part_name(s, "wake");
	const struct object_head head = { "v1", "Service", name, s->namespace };

	return object_make(
		&head,
		sandbox_labels(s),
		&object_absent,
		MAP({ "spec",
		      MAP({ "type", TEXT("ExternalName") },
			  { "externalName", TEXT(settings->wake_service) },
			  { "ports", LIST(service_port("http", settings->wake_port)) }) }));
}

#define NGINX "nginx.ingress.kubernetes.io/"

static json_t *app_annotations(void)
{
	return MAP({ NGINX "proxy-body-size", TEXT("32m") },
		   { NGINX "ssl-redirect", TEXT("false") },
		   { NGINX "backend-protocol", TEXT("HTTP") });
}

/* A terminal may be idle for long: nginx's default of 60 s would disconnect it.
 *
 * proxy-set-headers is there because the interface lists it. ingress-nginx ignores it: it has a
 * setting of that name only in its ConfigMap, and passes on Upgrade and Connection by itself. The
 * value "upgrade" is not quoted, although nginx would allow that, because controllers with an
 * annotation-value-word-blocklist refuse annotations that contain a quote. */
static json_t *ttyd_annotations(void)
{
	return object_join(app_annotations(),
			   MAP({ NGINX "proxy-read-timeout", TEXT("3600") },
			       { NGINX "proxy-send-timeout", TEXT("3600") },
			       { NGINX "proxy-set-headers",
				 TEXT("Upgrade $http_upgrade\nConnection upgrade\n") }));
}

/* Sealos identifies an app's domain by its first label. */
static json_t *ingress_labels(const struct manifest_sandbox *s, const char *host)
{
	CLEANUP(cleanup_free) char *prefix = mem_strndup(host, strcspn(host, "."));

	return object_join(sandbox_labels(s),
			   MAP({ "cloud.sealos.io/app-deploy-manager-domain", TEXT(prefix) }));
}

/* Steals `rules` and `hosts`, whose first is `host`. */
struct ingress {
	const char *part; /* suffix of its name */
	const char *host;
	json_t *rules, *hosts;
};

/* While it is stopped, its addresses lead to the operator's site, if that is to start it. */
static json_t *ingress_path(const struct manifest_sandbox *s,
			    const struct manifest_settings *settings, int port)
{
	bool wakes = s->stopped && settings->wake_service != NULL;
	CLEANUP(cleanup_free) char *service_name = sandbox_part_name(s, wakes ? "wake" : "service");
	json_t *number = NUMBER(wakes ? settings->wake_port : port);
	json_t *backend =
		MAP({ "name", TEXT(service_name) }, { "port", MAP({ "number", number }) });

	return MAP({ "path", TEXT("/") },
		   { "pathType", TEXT("Prefix") },
		   { "backend", MAP({ "service", backend }) });
}

static json_t *ingress_rule(const struct manifest_sandbox *s,
			    const struct manifest_settings *settings, const char *host, int port)
{
	return MAP({ "host", TEXT(host) },
		   { "http", MAP({ "paths", LIST(ingress_path(s, settings, port)) }) });
}

static json_t *ingress_spec(const struct manifest_sandbox *s,
			    const struct manifest_settings *settings, const struct ingress *i)
{
	const char *ingress_class = s->ingress_class ? s->ingress_class : settings->ingress_class;
	json_t *tls =
		MAP({ "hosts", i->hosts }, { "secretName", TEXT(settings->ingress_tls_secret) });

	return MAP({ "ingressClassName", TEXT(ingress_class) },
		   { "rules", i->rules },
		   { "tls", LIST(tls) });
}

static json_t *ingress(const struct manifest_sandbox *s, const struct manifest_settings *settings,
		       const struct ingress *i, json_t *annotations)
{
	CLEANUP(cleanup_free) char *name = sandbox_part_name(s, i->part);
	const struct object_head head = { "networking.k8s.io/v1", "Ingress", name, s->namespace };

	return object_make(&head,
			   ingress_labels(s, i->host),
			   annotations,
			   MAP({ "spec", ingress_spec(s, settings, i) }));
}

char *manifest_port_host(const char *app_host, int port)
{
	int label = (int)strcspn(app_host, ".");

	return mem_printf("%.*s-%d%s", label, app_host, port, app_host + label);
}

/* Rules for the app and the open ports: closing a port removes a rule, and leaves no object. */
static json_t *app_ingress(const struct manifest_sandbox *s,
			   const struct manifest_settings *settings)
{
	const struct ingress app = { "app-ingress",
				     s->app_host,
				     LIST(ingress_rule(s, settings, s->app_host, PORT_APP)),
				     LIST(TEXT(s->app_host)) };

	for (size_t i = 0; i < s->port_count; i++) {
		const struct manifest_port *port = &s->ports[i];
		CLEANUP(cleanup_free) char *host = manifest_port_host(s->app_host, port->number);
		json_array_append_new(
			app.rules,
			ingress_rule(s, settings, host, port->guarded ? PORT_TTYD : port->number));
		json_array_append_new(app.hosts, TEXT(host));
	}
	return ingress(s, settings, &app, app_annotations());
}

static json_t *ttyd_ingress(const struct manifest_sandbox *s,
			    const struct manifest_settings *settings)
{
	const struct ingress ttyd = { "ttyd-ingress",
				      s->ttyd_host,
				      LIST(ingress_rule(s, settings, s->ttyd_host, PORT_TTYD)),
				      LIST(TEXT(s->ttyd_host)) };

	return ingress(s, settings, &ttyd, ttyd_annotations());
}

static json_t *network_policy(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings)
{
	const struct object_head head = {
		"networking.k8s.io/v1", "NetworkPolicy", s->name, s->namespace
	};

	return object_make(&head,
			   sandbox_labels(s),
			   &object_absent,
			   MAP({ "spec", network_sandbox_spec(s, settings) }));
}

json_t *manifest_sandbox_companions(const struct manifest_sandbox *s,
				    const struct manifest_settings *settings)
{
	return LIST(secret(s),
		    service(s),
		    IF(settings->wake_service != NULL, wake_service(s, settings)),
		    app_ingress(s, settings),
		    ttyd_ingress(s, settings),
		    network_policy(s, settings));
}
