#include "manifest/pod.h"

#include "base/quantity.h"
#include "manifest/object.h"

json_t *pod_security(long user, int group)
{
	return MAP({ "runAsNonRoot", FLAG(true) },
		   { "runAsUser", IF(user > 0, NUMBER(user)) },
		   { "runAsGroup", IF(user > 0, NUMBER(user)) },
		   { "fsGroup", NUMBER(group) },
		   { "fsGroupChangePolicy", TEXT("OnRootMismatch") },
		   { "seccompProfile", MAP({ "type", TEXT("RuntimeDefault") }) });
}

json_t *pod_container_security(void)
{
	return MAP({ "allowPrivilegeEscalation", FLAG(false) },
		   { "readOnlyRootFilesystem", FLAG(true) },
		   { "capabilities", MAP({ "drop", LIST(TEXT("ALL")) }) });
}

static json_t *amounts(const char *cpu, const char *memory, const char *storage)
{
	return MAP({ "cpu", QUANTITY(cpu) },
		   { "memory", QUANTITY(memory) },
		   { "ephemeral-storage", QUANTITY(storage) });
}

json_t *pod_resources(const struct manifest_resources *r, const char *storage_request)
{
	bool fits = quantity_compare(storage_request, r->storage_limit) < 0;

	return MAP({ "requests",
		     amounts(r->cpu_request,
			     r->memory_request,
			     fits ? storage_request : r->storage_limit) },
		   { "limits", amounts(r->cpu_limit, r->memory_limit, r->storage_limit) });
}

json_t *pod_port_probe(int port, int period_s, int failures)
{
	return MAP({ "tcpSocket", MAP({ "port", NUMBER(port) }) },
		   { "periodSeconds", NUMBER(period_s) },
		   { "failureThreshold", NUMBER(failures) });
}

json_t *pod_port(const char *name, int port)
{
	return MAP({ "name", TEXT(name) },
		   { "containerPort", NUMBER(port) },
		   { "protocol", TEXT("TCP") });
}

json_t *pod_mount(const char *volume, const char *path)
{
	return MAP({ "name", TEXT(volume) }, { "mountPath", TEXT(path) });
}

json_t *pod_empty_volume(const char *name)
{
	return MAP({ "name", TEXT(name) }, { "emptyDir", json_object() });
}

json_t *pod_pull_secrets(const struct manifest_settings *settings)
{
	const char *name = settings->image_pull_secret;

	return IF(name != NULL, LIST(MAP({ "name", TEXT(name) })));
}

json_t *pod_claim_spec(const char *size, const char *storage_class,
		       const struct manifest_settings *settings)
{
	if (storage_class == NULL)
		storage_class = settings->storage_class;
	return MAP({ "accessModes", LIST(TEXT("ReadWriteOnce")) },
		   { "resources", MAP({ "requests", MAP({ "storage", QUANTITY(size) }) }) },
		   { "storageClassName", IF(storage_class != NULL, TEXT(storage_class)) });
}
