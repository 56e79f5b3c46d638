/* PersistentVolumeClaims: each gets a volume after a while, unless an effect says otherwise, and is
 * protected while a pod uses it. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "controllers.h"
#include "events.h"
#include "pod.h"
#include "write.h"

enum { LOOK_AGAIN_MS = 1000 };

static void bind(struct sim *sim, struct object *claim, json_t *json)
{
	CLEANUP(cleanup_free) char *volume = mem_printf("pvc-%s", claim->uid);

	json_path_set(json, "spec.volumeName", json_string(volume));
	json_path_set(json, "status.phase", json_string("Bound"));
	json_path_set(json, "status.accessModes", json_incref(json_path(json, "spec.accessModes")));
	json_path_set(json, "status.capacity",
		      json_incref(json_path(json, "spec.resources.requests")));
	write_status(sim, claim, json);
}

void claim_look(struct sim *sim, const char *namespace, const char *name)
{
	struct object *claim = store_get(sim->store, KIND_CLAIM, namespace, name);

	if (claim == NULL)
		return;
	if (claim->deleting) {
		if (!pod_uses_claim(sim, namespace, name))
			write_unfinalize(sim, claim, "kubernetes.io/pvc-protection");
		return;
	}
	CLEANUP(json_decrefp) json_t *json = object_json(claim);
	if (strcmp(json_path_text(json, "status.phase"), "Bound") == 0)
		return;
	if (!effects_hit(sim->effects, EFFECT_UNBOUND, namespace, name, claim->uid)) {
		bind(sim, claim, json);
		return;
	}
	event_warn(sim, claim, "persistentvolume-controller", "ProvisioningFailed",
		   "storageclass.storage.k8s.io \"%s\" cannot provision a volume",
		   json_path_text(json, "spec.storageClassName"));
	queue_add(sim->queue, CONTROLLER_CLAIM, namespace, name, LOOK_AGAIN_MS);
}
