#include "domain/cause.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define PASSES   "It is retried automatically."
#define SETTINGS "Store a new kubeconfig in the settings"

/* A row for each kind, preceded by rows for those of its codes that have their own texts. */
static const struct cause_text texts[] = {
	{ ERR_INTERNAL, NULL, "Something failed on our side",
	  PASSES " If it persists, tell the operator of this site.",
	  "look for the row's id in the journal of fsa-reconcile; a key may be missing, see fsactl "
	  "doctor" },
	{ ERR_KUBE_UNAUTHORIZED, NULL, "Your cluster does not accept the stored kubeconfig",
	  "Its token has expired or was withdrawn. " SETTINGS ", or log in again through Sealos.",
	  "the user stores a new kubeconfig, or logs in again through Sealos" },
	{ ERR_KUBE_FORBIDDEN, NULL, "Your kubeconfig's account lacks a permission in its namespace",
	  "Ask whoever runs the cluster for the role \"edit\" there; in Sealos you must be Owner "
	  "or Manager of the workspace, not Developer.",
	  "the user's role in the namespace must allow it: in Sealos Owner or Manager, not "
	  "Developer" },
	{ ERR_KUBE_QUOTA, "LIMIT_RANGE",
	  "The requested sizes are outside the limits of your namespace",
	  "Ask whoever runs the cluster to change the namespace's LimitRange.",
	  "check the sizes in fsa.conf against the LimitRange that the message names" },
	{ ERR_KUBE_QUOTA, "QUOTA_INCOMPLETE",
	  "Your namespace's quota requires a value that this site does not set",
	  "Ask whoever runs the cluster to change the namespace's quota: the details name what it "
	  "limits.",
	  NULL },
	{ ERR_KUBE_QUOTA, NULL, "Your namespace's quota is used up",
	  "Stop or delete something in the namespace, or ask for a larger quota.",
	  "the user deletes or shrinks something in the namespace, or its quota is raised" },
	{ ERR_KUBE_BILLING, NULL, "Your cluster account is in debt",
	  "Settle the debt; everything then continues by itself.",
	  "nothing: it continues by itself once the debt is paid" },
	{ ERR_KUBE_ADMISSION, "POD_SECURITY",
	  "Your cluster's pod security rules refuse the sandbox",
	  "Ask whoever runs the cluster: the details name the rule.", NULL },
	{ ERR_KUBE_ADMISSION, "INGRESS_HOST_TAKEN",
	  "This address is already in use in your cluster",
	  "Delete the project and create it again: it then gets other addresses.", NULL },
	{ ERR_KUBE_ADMISSION, NULL, "A policy of your cluster refuses this",
	  "Ask whoever runs the cluster to allow it: the details name the policy.",
	  "the message names the policy that refuses our object" },
	{ ERR_KUBE_INVALID, NULL, "Your cluster rejects an object as invalid",
	  "Tell the operator of this site; the details say what is invalid.",
	  "check kubeblocks_version, postgres_version and the sizes in fsa.conf" },
	{ ERR_KUBE_CONFLICT, "NAMESPACE_TERMINATING", "Your namespace is being deleted",
	  "Nothing can be created in it any more. " SETTINGS
	  " for another namespace, and create the project there.",
	  NULL },
	{ ERR_KUBE_CONFLICT, NULL, "Something else changes the same objects in your cluster",
	  PASSES " If it persists, find out what else manages them.", NULL },
	{ ERR_KUBE_NOT_FOUND, "NAMESPACE_NOT_FOUND", "Your kubeconfig's namespace does not exist",
	  "Create it again, or store a kubeconfig for another namespace in the settings.", NULL },
	{ ERR_KUBE_NOT_FOUND, "RESOURCE_TYPE_NOT_FOUND",
	  "Your cluster lacks an extension that is needed",
	  "The project's database was made by KubeBlocks, which is not there: ask whoever runs the "
	  "cluster to install it, or remove the project's database.",
	  "is KubeBlocks installed there? kubectl get crd clusters.apps.kubeblocks.io" },
	{ ERR_KUBE_NOT_FOUND, NULL, "Something that is needed is missing in your cluster",
	  "The details name it.",
	  "does the namespace still exist, is KubeBlocks installed there?" },
	{ ERR_KUBE_RATE_LIMITED, NULL, "Your cluster is busy and asks us to wait", PASSES, NULL },
	{ ERR_KUBE_SERVER, "WEBHOOK_FAILED", "An extension of your cluster does not answer",
	  PASSES " If it persists, ask whoever runs the cluster: the details name the webhook.",
	  NULL },
	{ ERR_KUBE_SERVER, NULL, "Your cluster reports an error of its own",
	  PASSES " If it persists, ask whoever runs the cluster.", NULL },
	{ ERR_KUBE_PROTOCOL, "ANSWER_TOO_LARGE", "Your namespace contains more than can be read",
	  "Delete what is no longer needed in it, or use another namespace.",
	  "kube_body_max and kube_memory bound what is read" },
	{ ERR_KUBE_PROTOCOL, "ANSWER_WITHOUT_CONTENT",
	  "Your cluster keeps sending data without answering",
	  "Check the server in your kubeconfig, and any proxy in front of it: what comes from "
	  "there is not a response of Kubernetes.",
	  NULL },
	{ ERR_KUBE_PROTOCOL, "TOO_MANY_CONNECTIONS",
	  "Your cluster closes the connection after each part of a response",
	  "Whatever stands in front of its API server must keep connections open.", NULL },
	{ ERR_KUBE_PROTOCOL, NULL, "What answers at your cluster's address is not Kubernetes",
	  "Check the server in your kubeconfig, and any proxy in front of it.", NULL },
	{ ERR_KUBE_TIMEOUT, "KUBE_STALLED", "Your cluster's responses cannot be processed",
	  "It is not contacted for a while, longer each time that this happens. Check what answers "
	  "at the server's address.",
	  "the journal of fsa-reconcile names the user and what happened; if it was not the API "
	  "server's fault, it is a fault of ours" },
	{ ERR_KUBE_TIMEOUT, NULL, "Your cluster does not answer in time",
	  PASSES " If it persists, check whether the cluster is up.", NULL },
	{ ERR_KUBE_UNREACHABLE, "ADDRESS_FORBIDDEN", "Your cluster's address is not allowed here",
	  "Use a kubeconfig whose server has a public address. Only the operator of this site can "
	  "allow others.",
	  "the journal of fsa-reconcile names the address; kube_allow_addresses allows private "
	  "ones" },
	{ ERR_KUBE_UNREACHABLE, NULL, "Your cluster cannot be reached",
	  "Check the server in your kubeconfig, and that it can be reached from the "
	  "Internet. " PASSES,
	  "the API server cannot be reached from here: check name, route and firewall" },
	{ ERR_KUBE_TLS, "COSTLY_CERTIFICATES",
	  "Your cluster's certificates would take too long to verify",
	  "Whoever runs the cluster has to issue new ones: the details say which keys are "
	  "accepted.",
	  NULL },
	{ ERR_KUBE_TLS, NULL, "Your cluster's certificate cannot be verified",
	  SETTINGS ": the cluster's certificates may have been renewed.",
	  "the user stores a new kubeconfig: the API server's certificate is not from the CA that "
	  "it names" },
	{ ERR_POD_IMAGE, NULL, "The sandbox's image cannot be loaded",
	  PASSES " If it persists, tell the operator of this site.",
	  "check runtime_image and image_pull_secret in fsa.conf, and that the cluster's nodes "
	  "reach the registry" },
	{ ERR_POD_CRASH, "Evicted", "Its node ran out of memory or disk space",
	  "It is started again elsewhere. Use less disk and memory if it happens again.", NULL },
	{ ERR_POD_CRASH, NULL, "It keeps ending soon after it starts",
	  "Check what was changed last: the variables, and what the shell runs when it starts. "
	  "\"Out of memory\" means that its limit is too small.",
	  "read the pod's log (kubectl logs --previous)" },
	{ ERR_POD_UNSCHEDULABLE, "TriggeredScaleUp", "Your cluster is adding a node for it",
	  "Nothing needs to be done: it starts on that node.", NULL },
	{ ERR_POD_UNSCHEDULABLE, "Nominated", "Your cluster is adding a node for it",
	  "Nothing needs to be done: it starts on that node.", NULL },
	{ ERR_POD_UNSCHEDULABLE, NULL, "No node of your cluster has room for it",
	  "Stop something else, or ask for more nodes.",
	  "add nodes, or make the requests in fsa.conf smaller" },
	{ ERR_POD_MOUNT, NULL, "Its volume is not ready",
	  PASSES " If it persists, ask whoever runs the cluster.",
	  "check storage_class in fsa.conf, and the cluster's provisioner" },
	{ ERR_POD_UNREADY, "NodeNotReady", "Its node does not respond",
	  PASSES " If it persists, ask whoever runs the cluster.", NULL },
	{ ERR_POD_UNREADY, NULL, "It runs, but its terminal does not answer",
	  PASSES " If it persists, restart it.",
	  "nothing answers on port 7681 of the container: read the pod's log" },
	{ ERR_POD_REFUSED, NULL, "Your cluster refuses to start it",
	  "The details say what stands in the way: a quota, a policy or a volume.", NULL },
	{ ERR_DATABASE_FAILED, NULL, "The database is failing",
	  PASSES " If it persists, ask whoever runs the cluster.",
	  "look at the Cluster's conditions and pods (kubectl describe cluster), and at "
	  "KubeBlocks' own log" },
	{ ERR_POD_TERMINATING, NULL, "A pod in your cluster does not end",
	  "This continues by itself once the pod has ended. If it stays, ask whoever runs the "
	  "cluster about the node in the details.",
	  "does the node in the message exist, and is it Ready (kubectl get node)? If it is gone "
	  "for good: kubectl delete pod --force --grace-period=0" },
	{ ERR_OBJECT_HELD, NULL, "Something in your cluster prevents the deletion",
	  "This continues by itself once the finalizer in the details is removed from its object; "
	  "that is up to whatever added it.",
	  "the program that adds the finalizer in the message has to run; only if it is gone for "
	  "good, remove the finalizer with kubectl edit" },
	{ ERR_DEADLINE, NULL, "It takes longer than it should",
	  "Nothing needs to be done: it continues by itself as soon as it can. The details say "
	  "what it is waiting for.",
	  "the message is what the cluster reports; fsactl project explain --look reads it now" },
	{ ERR_DATA_AT_RISK, "HOME_VOLUME_GOING",
	  "It is left as it is, because its files would be lost",
	  "Somebody has deleted the volume of its home directory. Copy out what you need, then "
	  "repeat your request and confirm that the rest may be lost.",
	  "the claim of its home directory is being deleted: the owner saves the files and "
	  "confirms the loss, or you confirm it with fsactl project stop --yes" },
	{ ERR_DATA_AT_RISK, "HOME_VOLUME_GONE",
	  "It is not started, because its home directory would be empty",
	  "Somebody has deleted the volume while nothing was running. If whoever runs the cluster "
	  "can restore it, ask them to. Otherwise start it again and confirm.",
	  "the claim in the message is gone: restore it under that name, or the owner confirms the "
	  "loss, or you confirm it with fsactl project start --yes" },
	{ ERR_DATA_AT_RISK, "DATABASE_VOLUME_GOING",
	  "It is left as it is, because its data would be lost",
	  "Somebody has deleted the volume of the database. Save a dump of what you need, then "
	  "repeat your request and confirm that the rest may be lost.",
	  "the claim of the database is being deleted: the owner saves the data and confirms the "
	  "loss, or you confirm it with fsactl project stop --yes" },
	{ ERR_DATA_AT_RISK, "DATABASE_VOLUME_GONE",
	  "It is not started, because the database would be empty",
	  "Somebody has deleted the volume while nothing was running. If whoever runs the cluster "
	  "can restore it, ask them to. Otherwise start it again and confirm.",
	  "the claim in the message is gone: restore it under that name, or the owner confirms the "
	  "loss, or you confirm it with fsactl project start --yes" },
	{ ERR_DATA_AT_RISK, NULL, "It is left as it is, because its data would be lost",
	  "Save what you need, then repeat your request and confirm that the rest may be lost.",
	  NULL },
	{ ERR_KUBECONFIG, "KUBECONFIG_MISSING", "No kubeconfig is stored",
	  "Store one in the settings.", "the user stores a kubeconfig" },
	{ ERR_KUBECONFIG, "KUBECONFIG_ELSEWHERE",
	  "The stored kubeconfig is for another cluster or namespace",
	  "Store the kubeconfig of this project's cluster and namespace; deleting the project "
	  "needs it, too.",
	  "the user stores a kubeconfig for this server and namespace" },
	{ ERR_KUBECONFIG, NULL, "The stored kubeconfig cannot be used", SETTINGS ".",
	  "fsactl doctor says whether a key is missing" },
};

const struct cause_text *cause_texts(unsigned *ret_count)
{
	*ret_count = ARRAY_SIZE(texts);
	return texts;
}

const struct cause_text *cause_text(enum err_kind kind, const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct cause_text *t = &texts[i];
		if (t->kind == kind &&
		    (t->code == NULL || (code != NULL && strcmp(t->code, code) == 0)))
			return t;
	}
	return NULL;
}

const struct cause_text *cause_text_of(const char *kind, const char *code)
{
	enum err_kind parsed;

	return kind != NULL && err_kind_parse(kind, &parsed) ? cause_text(parsed, code) : NULL;
}

const char *cause_advice(enum err_kind kind, const char *code)
{
	const struct cause_text *text = cause_text(kind, code);

	if (text == NULL)
		return NULL;
	return text->operator!= NULL ? text->operator: text->action;
}

const char *cause_message(const char *kind, const char *message)
{
	return strcmp(kind, err_kind_name(ERR_INTERNAL)) == 0
		       ? cause_text(ERR_INTERNAL, NULL)->headline
		       : message;
}

/* "apply secrets/x: HTTP 403: exceeded quota", as kube/answer.h and kube/status.h put it. */
const char *cause_detail(const char *message)
{
	static const char marker[] = ": HTTP ";
	const char *colon = strstr(message, ": ");

	if (colon == NULL || strncmp(colon, marker, strlen(marker)) != 0)
		return message;
	const char *status = colon + strlen(marker);
	for (size_t i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)status[i]))
			return message;
	}
	return strncmp(status + 3, ": ", 2) == 0 && status[5] != '\0' ? status + 5 : message;
}
