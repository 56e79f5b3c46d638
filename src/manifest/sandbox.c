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
	/* By the fourth, Sealos knows an app of its launchpad. */
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "app", s->name, MANIFEST_LABEL_MANAGED,
			 MANIFEST_MANAGED_BY, MANIFEST_LABEL_PROJECT, s->project_name,
			 "cloud.sealos.io/app-deploy-manager", s->name, MANIFEST_LABEL_RESOURCE,
			 s->resource_id);
}

char *sandbox_part_name(const struct manifest_sandbox *s, const char *part)
{
	return mem_printf("%s-%s", s->name, part);
}

json_t *sandbox_secret_data(const struct manifest_sandbox *s)
{
	json_t *data = json_object();

	for (size_t i = 0; i < s->variable_count; i++) {
		const struct manifest_variable *v = &s->variables[i];
		CLEANUP(cleanup_free) char *value = base64_encode(v->value, strlen(v->value));
		data = object_with(data, v->name, json_string(value));
	}
	return data;
}

/* `data` and not `stringData`, which the API server does not give back: with it, what is there
 * could not be compared with what is wanted. */
static json_t *secret(const struct manifest_sandbox *s)
{
	CLEANUP(cleanup_free) char *name = sandbox_part_name(s, "env");
	json_t *object = object_make("v1", "Secret", name, s->namespace, sandbox_labels(s), NULL);

	object = object_with(object, "type", json_string("Opaque"));
	return object_with(object, "data", sandbox_secret_data(s));
}

static json_t *service_port(const char *name, int port)
{
	return json_pack("{s:s, s:i, s:i, s:s}", "name", name, "port", port, "targetPort", port,
			 "protocol", "TCP");
}

static json_t *service(const struct manifest_sandbox *s)
{
	CLEANUP(cleanup_free) char *name = sandbox_part_name(s, "service");
	json_t *object = object_make("v1", "Service", name, s->namespace, sandbox_labels(s), NULL);

	return object_with(object, "spec",
			   json_pack("{s:{s:s}, s:[o, o]}", "selector", "app", s->name, "ports",
				     service_port("app", PORT_APP),
				     service_port("ttyd", PORT_TTYD)));
}

#define NGINX "nginx.ingress.kubernetes.io/"

static json_t *app_annotations(void)
{
	return json_pack("{s:s, s:s, s:s}", NGINX "proxy-body-size", "32m", NGINX "ssl-redirect",
			 "false", NGINX "backend-protocol", "HTTP");
}

/*
 * A terminal is idle for as long as its user thinks: nginx's default of 60 s would cut it.
 *
 * proxy-set-headers is there because the interface lists it. ingress-nginx takes no notice: it
 * has a setting of that name, but in its own ConfigMap, and it passes Upgrade and Connection on
 * by itself. Without the quotes that nginx would allow around "upgrade", because controllers that
 * have an annotation-value-word-blocklist refuse every annotation with a quote in it.
 */
static json_t *ttyd_annotations(void)
{
	json_t *annotations = app_annotations();

	json_object_update_new(annotations,
			       json_pack("{s:s, s:s, s:s}", NGINX "proxy-read-timeout", "3600",
					 NGINX "proxy-send-timeout", "3600",
					 NGINX "proxy-set-headers",
					 "Upgrade $http_upgrade\nConnection upgrade\n"));
	return annotations;
}

/* Sealos finds an app's domain by its first label. */
static json_t *ingress_labels(const struct manifest_sandbox *s, const char *host)
{
	CLEANUP(cleanup_free) char *prefix = mem_strndup(host, strcspn(host, "."));

	return object_with(sandbox_labels(s), "cloud.sealos.io/app-deploy-manager-domain",
			   json_string(prefix));
}

static json_t *ingress_rule(const struct manifest_sandbox *s, const char *host, int port)
{
	CLEANUP(cleanup_free) char *backend = sandbox_part_name(s, "service");

	return json_pack("{s:s, s:{s:[{s:s, s:s, s:{s:{s:s, s:{s:i}}}}]}}", "host", host, "http",
			 "paths", "path", "/", "pathType", "Prefix", "backend", "service", "name",
			 backend, "port", "number", port);
}

struct ingress {
	const char *part; /* of its name */
	const char *host;
	int port;
};

static json_t *ingress(const struct manifest_sandbox *s, const struct manifest_settings *settings,
		       const struct ingress *i, json_t *annotations)
{
	CLEANUP(cleanup_free) char *name = sandbox_part_name(s, i->part);
	json_t *object = object_make("networking.k8s.io/v1", "Ingress", name, s->namespace,
				     ingress_labels(s, i->host), annotations);

	return object_with(object, "spec",
			   json_pack("{s:s, s:[o], s:[{s:[s], s:s}]}", "ingressClassName",
				     settings->ingress_class, "rules",
				     ingress_rule(s, i->host, i->port), "tls", "hosts", i->host,
				     "secretName", settings->ingress_tls_secret));
}

static json_t *network_policy(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings)
{
	json_t *object = object_make("networking.k8s.io/v1", "NetworkPolicy", s->name, s->namespace,
				     sandbox_labels(s), NULL);

	return object_with(object, "spec", network_sandbox_spec(s, settings));
}

json_t *manifest_sandbox_companions(const struct manifest_sandbox *s,
				    const struct manifest_settings *settings)
{
	const struct ingress app = { "app-ingress", s->app_host, PORT_APP };
	const struct ingress ttyd = { "ttyd-ingress", s->ttyd_host, PORT_TTYD };
	json_t *const objects[] = {
		secret(s),
		service(s),
		ingress(s, settings, &app, app_annotations()),
		ingress(s, settings, &ttyd, ttyd_annotations()),
		network_policy(s, settings),
	};

	return object_list(objects, ARRAY_SIZE(objects));
}
