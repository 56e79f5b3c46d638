#include "reconcile/sample.h"

#include "base/json_at.h"
#include "kube/client.h"
#include "reconcile/kind.h"

#define NAME "kubeconfig-check"

static json_t *anchor(const struct kind *kind, const void *inputs,
		      const struct manifest_settings *settings)
{
	char hash[MANIFEST_HASH_SIZE];

	kind->hash(inputs, settings, hash);
	return kind->anchor(inputs, settings, hash);
}

/* Made from fsa.conf, not by the kind's make_inputs(): there is no row, and nothing to unseal. What
 * is not set here (environment, terminal token) does not affect whether a cluster accepts it. */
static json_t *stateful_set(const struct conf *conf, const struct manifest_settings *settings,
			    const char *id, const char *namespace)
{
	const struct manifest_sandbox s = {
		.resource_id = id,
		.name = NAME,
		.project_name = NAME,
		.namespace = namespace,
		.image = conf_string(conf, CONF_RUNTIME_IMAGE),
		.run_as = "1000",
		.app_host = settings->ingress_domain,
		.ttyd_host = settings->ingress_domain,
		.home_size = conf_string(conf, CONF_HOME_SIZE),
		.restarted = "",
		.resources = {
			.cpu_request = conf_string(conf, CONF_SANDBOX_CPU_REQUEST),
			.cpu_limit = conf_string(conf, CONF_SANDBOX_CPU_LIMIT),
			.memory_request = conf_string(conf, CONF_SANDBOX_MEMORY_REQUEST),
			.memory_limit = conf_string(conf, CONF_SANDBOX_MEMORY_LIMIT),
			.storage_limit = conf_string(conf, CONF_SANDBOX_STORAGE_LIMIT),
		},
	};

	return anchor(&kind_sandbox, &s, settings);
}

static json_t *cluster(const struct conf *conf, const struct manifest_settings *settings,
		       const char *id, const char *namespace, enum database_form form)
{
	const struct manifest_database d = {
		.resource_id = id,
		.name = NAME,
		.project_name = NAME,
		.namespace = namespace,
		.form = form,
		.version = conf_string(conf, CONF_POSTGRES_VERSION),
		.storage_size = conf_string(conf, CONF_POSTGRES_STORAGE),
		.resources = {
			.cpu_request = conf_string(conf, CONF_POSTGRES_CPU_REQUEST),
			.cpu_limit = conf_string(conf, CONF_POSTGRES_CPU_LIMIT),
			.memory_request = conf_string(conf, CONF_POSTGRES_MEMORY_REQUEST),
			.memory_limit = conf_string(conf, CONF_POSTGRES_MEMORY_LIMIT),
		},
	};

	return anchor(kind_of_form(form), &d, settings);
}

/* Makes an object from a part of a StatefulSet, with this spec. */
static json_t *part(const json_t *of, const char *kind, const char *namespace)
{
	json_t *labels = json_at(of, "metadata.labels");

	return json_pack("{s:s, s:s, s:{s:s, s:s, s:O}, s:O}", "apiVersion", "v1", "kind", kind,
			 "metadata", "name", NAME, "namespace", namespace, "labels", labels, "spec",
			 json_object_get(of, "spec"));
}

/* The controller adds volumes for the claims that it makes. */
static json_t *pod(const json_t *set_spec, const json_t *claim, const char *namespace)
{
	json_t *copy = json_deep_copy(json_object_get(set_spec, "template"));
	json_t *volumes = json_at(copy, "spec.volumes");
	json_t *name = json_at(claim, "metadata.name");

	json_array_append_new(volumes, json_pack("{s:O, s:{s:s}}", "name", name,
						 "persistentVolumeClaim", "claimName", NAME));
	json_t *object = part(copy, kube_resource_kind(KUBE_PODS), namespace);
	json_decref(copy);
	return object;
}

void sample_make(const struct conf *conf, const struct manifest_settings *settings, const char *id,
		 const char *namespace, struct sample *ret_sample)
{
	json_t *set = stateful_set(conf, settings, id, namespace);
	const json_t *spec = json_object_get(set, "spec");
	const json_t *claim = json_at(spec, "volumeClaimTemplates.0");

	*ret_sample = (struct sample) {
		.stateful_set = set,
		.pod = pod(spec, claim, namespace),
		.volume = part(claim, kube_resource_kind(KUBE_PERSISTENT_VOLUME_CLAIMS), namespace),
		.cluster = cluster(conf, settings, id, namespace, FORM_KUBEBLOCKS_0_8),
		.cluster_v1 = cluster(conf, settings, id, namespace, FORM_KUBEBLOCKS_1_0),
	};
}

void sample_clear(struct sample *sample)
{
	json_decref(sample->stateful_set);
	json_decref(sample->pod);
	json_decref(sample->volume);
	json_decref(sample->cluster);
	json_decref(sample->cluster_v1);
	*sample = (struct sample) { 0 };
}
