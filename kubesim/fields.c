#include "fields.h"

/* A field, and a field with a default. */
#define F(name, of)                                                                                \
	{                                                                                          \
		name, &(of), NULL                                                                  \
	}
#define D(name, of, json)                                                                          \
	{                                                                                          \
		name, &(of), json                                                                  \
	}
#define FIELDS(...)                                                                                \
	.fields = (const struct schema_field[])                                                    \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			NULL, NULL, NULL                                                           \
		}                                                                                  \
	}
#define STRUCT(...)                                                                                \
	{                                                                                          \
		.type = SCHEMA_STRUCT, FIELDS(__VA_ARGS__)                                         \
	}
#define ATOMIC_STRUCT(...)                                                                         \
	{                                                                                          \
		.type = SCHEMA_STRUCT, .atomic = true, FIELDS(__VA_ARGS__)                         \
	}
#define MAP(of)                                                                                    \
	{                                                                                          \
		.type = SCHEMA_MAP, .element = &(of)                                               \
	}
#define ATOMIC_MAP(of)                                                                             \
	{                                                                                          \
		.type = SCHEMA_MAP, .atomic = true, .element = &(of)                               \
	}
#define LIST(of, ...)                                                                              \
	{                                                                                          \
		.type = SCHEMA_LIST, .element = &(of), .keys = { __VA_ARGS__ }                     \
	}
#define ARRAY(of)                                                                                  \
	{                                                                                          \
		.type = SCHEMA_ARRAY, .element = &(of)                                             \
	}
/* For types of which only the metadata is used. */
#define OBJECT_FIELDS F("apiVersion", string), F("kind", string), F("metadata", metadata)

/* ---- fields of all objects ------------------------------------------------------------------- */

static const struct schema string = { .type = SCHEMA_STRING };
static const struct schema integer = { .type = SCHEMA_INTEGER };
static const struct schema boolean = { .type = SCHEMA_BOOLEAN };
static const struct schema quantity = { .type = SCHEMA_QUANTITY };
static const struct schema int_or_string = { .type = SCHEMA_INT_OR_STRING };
static const struct schema any = { .type = SCHEMA_ANY };
static const struct schema strings = ARRAY(string);
static const struct schema string_set = { .type = SCHEMA_SET, .element = &string };
static const struct schema string_map = MAP(string);
static const struct schema quantities = MAP(quantity);

static const struct schema owner =
	ATOMIC_STRUCT(F("apiVersion", string), F("kind", string), F("name", string),
		      F("uid", string), F("controller", boolean), F("blockOwnerDeletion", boolean));
static const struct schema owners = LIST(owner, "uid");
static const struct schema metadata = STRUCT(
	F("name", string), F("generateName", string), F("namespace", string), F("uid", string),
	F("resourceVersion", string), F("generation", integer), F("creationTimestamp", any),
	F("deletionTimestamp", any), F("deletionGracePeriodSeconds", integer),
	F("labels", string_map), F("annotations", string_map), F("ownerReferences", owners),
	F("finalizers", string_set), F("managedFields", any), F("selfLink", string));

static const struct schema requirement =
	STRUCT(F("key", string), F("operator", string), F("values", strings));
static const struct schema requirements = ARRAY(requirement);
static const struct schema label_selector =
	ATOMIC_STRUCT(F("matchLabels", string_map), F("matchExpressions", requirements));
static const struct schema condition =
	STRUCT(F("type", string), F("status", string), F("reason", string), F("message", string),
	       F("lastTransitionTime", any), F("lastProbeTime", any), F("lastUpdateTime", any),
	       F("observedGeneration", integer));
static const struct schema conditions = LIST(condition, "type");
static const struct schema local_reference = ATOMIC_STRUCT(F("name", string));
static const struct schema local_references = LIST(local_reference, "name");
static const struct schema object_reference = ATOMIC_STRUCT(
	F("apiVersion", string), F("kind", string), F("namespace", string), F("name", string),
	F("uid", string), F("resourceVersion", string), F("fieldPath", string));

/* ---- pods ------------------------------------------------------------------------------------ */

static const struct schema resource_claims = ARRAY(any);
static const struct schema resources =
	STRUCT(F("limits", quantities), F("requests", quantities), F("claims", resource_claims));

static const struct schema key_reference =
	ATOMIC_STRUCT(F("name", string), F("key", string), F("optional", boolean));
static const struct schema field_reference =
	ATOMIC_STRUCT(D("apiVersion", string, "\"v1\""), F("fieldPath", string));
static const struct schema resource_field_reference = ATOMIC_STRUCT(
	F("containerName", string), F("resource", string), D("divisor", quantity, "\"0\""));
static const struct schema env_source =
	STRUCT(F("secretKeyRef", key_reference), F("configMapKeyRef", key_reference),
	       F("fieldRef", field_reference), F("resourceFieldRef", resource_field_reference));
static const struct schema env =
	STRUCT(F("name", string), F("value", string), F("valueFrom", env_source));
static const struct schema env_list = LIST(env, "name");
static const struct schema env_from_reference = STRUCT(F("name", string), F("optional", boolean));
static const struct schema env_from =
	STRUCT(F("prefix", string), F("secretRef", env_from_reference),
	       F("configMapRef", env_from_reference));
static const struct schema env_from_list = ARRAY(env_from);

static const struct schema container_port =
	STRUCT(F("name", string), F("containerPort", integer), D("protocol", string, "\"TCP\""),
	       F("hostPort", integer), F("hostIP", string));
static const struct schema container_ports = LIST(container_port, "containerPort", "protocol");

static const struct schema volume_mount = STRUCT(
	F("name", string), F("mountPath", string), F("subPath", string), F("subPathExpr", string),
	F("readOnly", boolean), F("mountPropagation", string), F("recursiveReadOnly", string));
static const struct schema volume_mounts = LIST(volume_mount, "mountPath");
static const struct schema volume_device = STRUCT(F("name", string), F("devicePath", string));
static const struct schema volume_devices = LIST(volume_device, "devicePath");

static const struct schema exec_action = STRUCT(F("command", strings));
static const struct schema http_header = STRUCT(F("name", string), F("value", string));
static const struct schema http_headers = ARRAY(http_header);
static const struct schema http_action =
	STRUCT(D("path", string, "\"/\""), F("port", int_or_string), F("host", string),
	       D("scheme", string, "\"HTTP\""), F("httpHeaders", http_headers));
static const struct schema tcp_action = STRUCT(F("port", int_or_string), F("host", string));
static const struct schema grpc_action = STRUCT(F("port", integer), D("service", string, "\"\""));
static const struct schema probe =
	STRUCT(F("exec", exec_action), F("httpGet", http_action), F("tcpSocket", tcp_action),
	       F("grpc", grpc_action), F("initialDelaySeconds", integer),
	       D("timeoutSeconds", integer, "1"), D("periodSeconds", integer, "10"),
	       D("successThreshold", integer, "1"), D("failureThreshold", integer, "3"),
	       F("terminationGracePeriodSeconds", integer));
static const struct schema sleep_action = STRUCT(F("seconds", integer));
static const struct schema handler = STRUCT(F("exec", exec_action), F("httpGet", http_action),
					    F("tcpSocket", tcp_action), F("sleep", sleep_action));
static const struct schema lifecycle =
	STRUCT(F("postStart", handler), F("preStop", handler), F("stopSignal", string));

static const struct schema capabilities = STRUCT(F("add", strings), F("drop", strings));
static const struct schema seccomp = STRUCT(F("type", string), F("localhostProfile", string));
static const struct schema se_linux =
	STRUCT(F("user", string), F("role", string), F("type", string), F("level", string));
static const struct schema container_security = STRUCT(
	F("allowPrivilegeEscalation", boolean), F("capabilities", capabilities),
	F("privileged", boolean), F("procMount", string), F("readOnlyRootFilesystem", boolean),
	F("runAsGroup", integer), F("runAsNonRoot", boolean), F("runAsUser", integer),
	F("seLinuxOptions", se_linux), F("seccompProfile", seccomp), F("appArmorProfile", seccomp),
	F("windowsOptions", any));
static const struct schema resize_policy = ARRAY(any);

static const struct schema container = STRUCT(
	F("name", string), F("image", string), F("command", strings), F("args", strings),
	F("workingDir", string), F("ports", container_ports), F("envFrom", env_from_list),
	F("env", env_list), D("resources", resources, "{}"), F("resizePolicy", resize_policy),
	F("restartPolicy", string), F("volumeMounts", volume_mounts),
	F("volumeDevices", volume_devices), F("livenessProbe", probe), F("readinessProbe", probe),
	F("startupProbe", probe), F("lifecycle", lifecycle),
	D("terminationMessagePath", string, "\"/dev/termination-log\""),
	D("terminationMessagePolicy", string, "\"File\""), F("imagePullPolicy", string),
	F("securityContext", container_security), F("stdin", boolean), F("stdinOnce", boolean),
	F("tty", boolean));
static const struct schema containers = LIST(container, "name");

static const struct schema key_to_path =
	STRUCT(F("key", string), F("path", string), F("mode", integer));
static const struct schema key_to_paths = ARRAY(key_to_path);
static const struct schema secret_volume =
	STRUCT(F("secretName", string), F("items", key_to_paths), D("defaultMode", integer, "420"),
	       F("optional", boolean));
static const struct schema config_map_volume =
	STRUCT(F("name", string), F("items", key_to_paths), D("defaultMode", integer, "420"),
	       F("optional", boolean));
static const struct schema empty_dir = STRUCT(F("medium", string), F("sizeLimit", quantity));
static const struct schema claim_volume = STRUCT(F("claimName", string), F("readOnly", boolean));
static const struct schema host_path = STRUCT(F("path", string), D("type", string, "\"\""));
static const struct schema volume =
	STRUCT(F("name", string), F("emptyDir", empty_dir), F("secret", secret_volume),
	       F("configMap", config_map_volume), F("persistentVolumeClaim", claim_volume),
	       F("hostPath", host_path), F("projected", any), F("downwardAPI", any), F("csi", any),
	       F("ephemeral", any), F("nfs", any), F("image", any));
static const struct schema volumes = LIST(volume, "name");

static const struct schema sysctl = STRUCT(F("name", string), F("value", string));
static const struct schema sysctls = ARRAY(sysctl);
static const struct schema integers = ARRAY(integer);
static const struct schema pod_security =
	STRUCT(F("fsGroup", integer), F("fsGroupChangePolicy", string), F("runAsGroup", integer),
	       F("runAsNonRoot", boolean), F("runAsUser", integer), F("seLinuxOptions", se_linux),
	       F("seccompProfile", seccomp), F("appArmorProfile", seccomp),
	       F("supplementalGroups", integers), F("supplementalGroupsPolicy", string),
	       F("sysctls", sysctls), F("windowsOptions", any), F("seLinuxChangePolicy", string));
static const struct schema toleration =
	STRUCT(F("key", string), F("operator", string), F("value", string), F("effect", string),
	       F("tolerationSeconds", integer));
static const struct schema tolerations = ARRAY(toleration);
static const struct schema node_selector = ATOMIC_MAP(string);
static const struct schema host_alias = STRUCT(F("ip", string), F("hostnames", strings));
static const struct schema host_aliases = LIST(host_alias, "ip");
static const struct schema spread =
	STRUCT(F("maxSkew", integer), F("topologyKey", string), F("whenUnsatisfiable", string),
	       F("labelSelector", label_selector), F("minDomains", integer),
	       F("nodeAffinityPolicy", string), F("nodeTaintsPolicy", string),
	       F("matchLabelKeys", strings));
static const struct schema spreads = LIST(spread, "topologyKey", "whenUnsatisfiable");
static const struct schema dns_config =
	STRUCT(F("nameservers", strings), F("searches", strings), F("options", any));
static const struct schema gates = LIST(local_reference, "name");
static const struct schema any_array = ARRAY(any);

static const struct schema pod_spec =
	STRUCT(F("activeDeadlineSeconds", integer), F("affinity", any),
	       F("automountServiceAccountToken", boolean), F("containers", containers),
	       F("dnsConfig", dns_config), D("dnsPolicy", string, "\"ClusterFirst\""),
	       F("enableServiceLinks", boolean), F("hostAliases", host_aliases),
	       F("hostIPC", boolean), F("hostNetwork", boolean), F("hostPID", boolean),
	       F("hostUsers", boolean), F("hostname", string), F("hostnameOverride", string),
	       F("imagePullSecrets", local_references), F("initContainers", containers),
	       F("nodeName", string), F("nodeSelector", node_selector), F("os", any),
	       F("overhead", quantities), F("preemptionPolicy", string), F("priority", integer),
	       F("priorityClassName", string), F("readinessGates", any_array),
	       F("resourceClaims", any_array), F("resources", resources),
	       D("restartPolicy", string, "\"Always\""), F("runtimeClassName", string),
	       D("schedulerName", string, "\"default-scheduler\""), F("schedulingGates", gates),
	       D("securityContext", pod_security, "{}"), F("serviceAccount", string),
	       F("serviceAccountName", string), F("setHostnameAsFQDN", boolean),
	       F("shareProcessNamespace", boolean), F("subdomain", string),
	       D("terminationGracePeriodSeconds", integer, "30"), F("tolerations", tolerations),
	       F("topologySpreadConstraints", spreads), F("volumes", volumes));
static const struct schema pod_template =
	STRUCT(F("metadata", metadata), D("spec", pod_spec, "{}"));
const struct schema fields_pod = STRUCT(OBJECT_FIELDS, F("spec", pod_spec), F("status", any));

/* ---- claims and StatefulSets ----------------------------------------------------------------- */

static const struct schema typed_reference = ATOMIC_STRUCT(
	F("apiGroup", string), F("kind", string), F("name", string), F("namespace", string));
static const struct schema claim_spec =
	STRUCT(F("accessModes", strings), F("dataSource", typed_reference),
	       F("dataSourceRef", typed_reference), D("resources", resources, "{}"),
	       F("selector", label_selector), F("storageClassName", string),
	       F("volumeAttributesClassName", string), D("volumeMode", string, "\"Filesystem\""),
	       F("volumeName", string));
const struct schema fields_claim = STRUCT(OBJECT_FIELDS, F("spec", claim_spec), F("status", any));
static const struct schema claim_template_status = STRUCT(D("phase", string, "\"Pending\""));
static const struct schema claim_template = STRUCT(
	D("apiVersion", string, "\"v1\""), D("kind", string, "\"PersistentVolumeClaim\""),
	F("metadata", metadata), F("spec", claim_spec), D("status", claim_template_status, "{}"));
static const struct schema claim_templates = ARRAY(claim_template);

static const struct schema retention =
	STRUCT(D("whenDeleted", string, "\"Retain\""), D("whenScaled", string, "\"Retain\""));
static const struct schema rolling =
	STRUCT(D("partition", integer, "0"), F("maxUnavailable", int_or_string));
static const struct schema update_strategy =
	STRUCT(D("type", string, "\"RollingUpdate\""), F("rollingUpdate", rolling));
static const struct schema ordinals = STRUCT(F("start", integer));
static const struct schema stateful_set_spec = STRUCT(
	F("minReadySeconds", integer), F("ordinals", ordinals),
	D("persistentVolumeClaimRetentionPolicy", retention, "{}"),
	D("podManagementPolicy", string, "\"OrderedReady\""), D("replicas", integer, "1"),
	D("revisionHistoryLimit", integer, "10"), F("selector", label_selector),
	F("serviceName", string), F("template", pod_template),
	D("updateStrategy", update_strategy, "{}"), F("volumeClaimTemplates", claim_templates));
const struct schema fields_stateful_set =
	STRUCT(OBJECT_FIELDS, F("spec", stateful_set_spec), F("status", any));

/* ---- network --------------------------------------------------------------------------------- */

static const struct schema service_port =
	STRUCT(F("name", string), F("port", integer), D("protocol", string, "\"TCP\""),
	       F("targetPort", int_or_string), F("nodePort", integer), F("appProtocol", string));
static const struct schema service_ports = LIST(service_port, "port", "protocol");
static const struct schema atomic_string_map = ATOMIC_MAP(string);
static const struct schema service_spec = STRUCT(
	F("allocateLoadBalancerNodePorts", boolean), F("clusterIP", string),
	F("clusterIPs", strings), F("externalIPs", strings), F("externalName", string),
	F("externalTrafficPolicy", string), F("healthCheckNodePort", integer),
	D("internalTrafficPolicy", string, "\"Cluster\""), F("ipFamilies", strings),
	F("ipFamilyPolicy", string), F("loadBalancerClass", string), F("loadBalancerIP", string),
	F("loadBalancerSourceRanges", strings), F("ports", service_ports),
	F("publishNotReadyAddresses", boolean), F("selector", atomic_string_map),
	D("sessionAffinity", string, "\"None\""), F("sessionAffinityConfig", any),
	F("trafficDistribution", string), D("type", string, "\"ClusterIP\""));
const struct schema fields_service =
	STRUCT(OBJECT_FIELDS, F("spec", service_spec), F("status", any));

static const struct schema backend_port = STRUCT(F("name", string), F("number", integer));
static const struct schema backend_service = STRUCT(F("name", string), F("port", backend_port));
static const struct schema ingress_backend =
	STRUCT(F("service", backend_service), F("resource", typed_reference));
static const struct schema ingress_path =
	STRUCT(F("path", string), F("pathType", string), F("backend", ingress_backend));
static const struct schema ingress_paths = ARRAY(ingress_path);
static const struct schema ingress_http = STRUCT(F("paths", ingress_paths));
static const struct schema ingress_rule = STRUCT(F("host", string), F("http", ingress_http));
static const struct schema ingress_rules = ARRAY(ingress_rule);
static const struct schema ingress_tls = STRUCT(F("hosts", strings), F("secretName", string));
static const struct schema ingress_tls_list = ARRAY(ingress_tls);
static const struct schema ingress_spec =
	STRUCT(F("defaultBackend", ingress_backend), F("ingressClassName", string),
	       F("rules", ingress_rules), F("tls", ingress_tls_list));
const struct schema fields_ingress =
	STRUCT(OBJECT_FIELDS, F("spec", ingress_spec), F("status", any));

static const struct schema ip_block = STRUCT(F("cidr", string), F("except", strings));
static const struct schema peer =
	STRUCT(F("ipBlock", ip_block), F("namespaceSelector", label_selector),
	       F("podSelector", label_selector));
static const struct schema peers = ARRAY(peer);
static const struct schema policy_port =
	STRUCT(F("port", int_or_string), D("protocol", string, "\"TCP\""), F("endPort", integer));
static const struct schema policy_ports = ARRAY(policy_port);
static const struct schema ingress_policy = STRUCT(F("from", peers), F("ports", policy_ports));
static const struct schema ingress_policies = ARRAY(ingress_policy);
static const struct schema egress_policy = STRUCT(F("to", peers), F("ports", policy_ports));
static const struct schema egress_policies = ARRAY(egress_policy);
static const struct schema network_policy_spec =
	STRUCT(F("egress", egress_policies), F("ingress", ingress_policies),
	       D("podSelector", label_selector, "{}"), F("policyTypes", strings));
const struct schema fields_network_policy = STRUCT(OBJECT_FIELDS, F("spec", network_policy_spec));

/* ---- other types of the core ----------------------------------------------------------------- */

const struct schema fields_secret =
	STRUCT(OBJECT_FIELDS, F("data", string_map), F("stringData", string_map),
	       D("type", string, "\"Opaque\""), F("immutable", boolean));

static const struct schema secrets = LIST(object_reference, "name");
static const struct schema pull_secrets = ARRAY(local_reference);
const struct schema fields_service_account =
	STRUCT(OBJECT_FIELDS, F("automountServiceAccountToken", boolean),
	       F("imagePullSecrets", pull_secrets), F("secrets", secrets));

static const struct schema policy_rule =
	STRUCT(F("apiGroups", strings), F("nonResourceURLs", strings), F("resourceNames", strings),
	       F("resources", strings), F("verbs", strings));
static const struct schema policy_rules = ARRAY(policy_rule);
const struct schema fields_role = STRUCT(OBJECT_FIELDS, F("rules", policy_rules));
static const struct schema role_reference =
	ATOMIC_STRUCT(F("apiGroup", string), F("kind", string), F("name", string));
static const struct schema subject = ATOMIC_STRUCT(F("apiGroup", string), F("kind", string),
						   F("name", string), F("namespace", string));
static const struct schema subjects = ARRAY(subject);
const struct schema fields_role_binding =
	STRUCT(OBJECT_FIELDS, F("roleRef", role_reference), F("subjects", subjects));

const struct schema fields_namespace = STRUCT(OBJECT_FIELDS, F("spec", any), F("status", any));
static const struct schema quota_spec =
	STRUCT(F("hard", quantities), F("scopes", strings), F("scopeSelector", any));
const struct schema fields_quota = STRUCT(OBJECT_FIELDS, F("spec", quota_spec), F("status", any));
static const struct schema limit =
	STRUCT(F("type", string), F("default", quantities), F("defaultRequest", quantities),
	       F("max", quantities), F("min", quantities), F("maxLimitRequestRatio", quantities));
static const struct schema limits = ARRAY(limit);
static const struct schema limit_range_spec = STRUCT(F("limits", limits));
const struct schema fields_limit_range = STRUCT(OBJECT_FIELDS, F("spec", limit_range_spec));

static const struct schema event_source = STRUCT(F("component", string), F("host", string));
static const struct schema event_series = STRUCT(F("count", integer), F("lastObservedTime", any));
const struct schema fields_event = STRUCT(
	OBJECT_FIELDS, F("action", string), F("count", integer), F("eventTime", any),
	F("firstTimestamp", any), F("involvedObject", object_reference), F("lastTimestamp", any),
	F("message", string), F("reason", string), F("related", object_reference),
	F("reportingComponent", string), F("reportingInstance", string), F("series", event_series),
	F("source", event_source), F("type", string));

/* ---- the Cluster of KubeBlocks --------------------------------------------------------------- */

static const struct schema affinity = STRUCT(
	D("podAntiAffinity", string, "\"Preferred\""), D("tenancy", string, "\"SharedNode\""),
	F("topologyKeys", string_set), F("nodeLabels", string_map));
static const struct schema switch_policy = STRUCT(D("type", string, "\"MaximumAvailability\""));
static const struct schema cluster_claim_spec =
	STRUCT(F("accessModes", strings), F("resources", resources), F("storageClassName", string),
	       F("volumeMode", string));
static const struct schema cluster_claim = STRUCT(F("name", string), F("spec", cluster_claim_spec));
static const struct schema cluster_claims = ARRAY(cluster_claim);
#define COMPONENT                                                                                  \
	F("name", string), F("componentDefRef", string), D("monitor", boolean, "false"),           \
		D("noCreatePDB", boolean, "false"), D("rsmTransformPolicy", string, "\"ToSts\""),  \
		F("enabledLogs", string_set), D("replicas", integer, "1"),                         \
		F("serviceAccountName", string), F("affinity", affinity),                          \
		F("tolerations", tolerations), F("switchPolicy", switch_policy),                   \
		F("resources", resources), F("volumeClaimTemplates", cluster_claims)
#define CLUSTER_SPEC                                                                               \
	F("clusterDefinitionRef", string), F("clusterVersionRef", string),                         \
		F("terminationPolicy", string), F("affinity", affinity),                           \
		F("tolerations", tolerations)
static const struct schema component = STRUCT(COMPONENT);
static const struct schema components = ARRAY(component);
static const struct schema cluster_spec = STRUCT(CLUSTER_SPEC, F("componentSpecs", components));
static const struct schema component_0_9 = STRUCT(COMPONENT, F("stop", boolean));
static const struct schema components_0_9 = ARRAY(component_0_9);
static const struct schema cluster_spec_0_9 =
	STRUCT(CLUSTER_SPEC, F("componentSpecs", components_0_9));
static const struct schema component_1_0 =
	STRUCT(F("name", string), F("componentDef", string), F("serviceVersion", string),
	       F("labels", string_map), F("annotations", string_map), F("disableExporter", boolean),
	       D("replicas", integer, "1"), F("stop", boolean), F("resources", resources),
	       F("serviceAccountName", string), F("volumeClaimTemplates", cluster_claims));
static const struct schema components_1_0 = ARRAY(component_1_0);
static const struct schema cluster_spec_1_0 =
	STRUCT(F("clusterDef", string), F("topology", string), F("terminationPolicy", string),
	       F("componentSpecs", components_1_0));
static const struct schema component_status = STRUCT(F("phase", string), F("podsReady", boolean));
static const struct schema component_statuses = MAP(component_status);
static const struct schema cluster_status = STRUCT(
	F("observedGeneration", integer), F("clusterDefGeneration", integer), F("phase", string),
	F("message", string), F("components", component_statuses), F("conditions", conditions));
const struct schema fields_cluster =
	STRUCT(OBJECT_FIELDS, F("spec", cluster_spec), F("status", cluster_status));
const struct schema fields_cluster_0_9 =
	STRUCT(OBJECT_FIELDS, F("spec", cluster_spec_0_9), F("status", cluster_status));
const struct schema fields_cluster_1_0 =
	STRUCT(OBJECT_FIELDS, F("spec", cluster_spec_1_0), F("status", cluster_status));
