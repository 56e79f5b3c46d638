#include "ctl/advice.h"

static const char *const advice[ERR_KIND_COUNT] = {
	[ERR_INTERNAL] = "look for the row's id in the journal of fsa-reconcile; it may be a key "
			 "that is missing, see fsactl doctor",
	[ERR_KUBE_UNAUTHORIZED] = "the user logs in again through Sealos, or stores a new "
				  "kubeconfig in the settings",
	[ERR_KUBE_FORBIDDEN] = "the user's role in the namespace must allow it: in Sealos Owner or "
			       "Manager, not Developer",
	[ERR_KUBE_QUOTA] = "delete or shrink something in the namespace, or raise its quota",
	[ERR_KUBE_BILLING] = "the account is in debt: it goes on by itself once that is paid",
	[ERR_KUBE_ADMISSION] = "a policy of the cluster refuses our object: the message names it",
	[ERR_KUBE_INVALID] = "the cluster does not take our object: check kubeblocks_version, "
			     "postgres_version and the sizes in fsa.conf",
	[ERR_KUBE_CONFLICT] = "somebody else changes the same object; it is tried again",
	[ERR_KUBE_NOT_FOUND] = "namespace or type is missing in the cluster: is KubeBlocks "
			       "installed there, does the namespace still exist?",
	[ERR_KUBE_RATE_LIMITED] =
		"the API server asks to slow down; it is tried again when it says",
	[ERR_KUBE_SERVER] = "the API server is in trouble; it is tried again",
	[ERR_KUBE_PROTOCOL] = "what answers at the address is no API server: check the address in "
			      "the kubeconfig, and proxies on the way",
	[ERR_KUBE_TIMEOUT] = "the API server is slow or away; it is tried again",
	[ERR_KUBE_UNREACHABLE] = "no way to the API server from here: check name, route and "
				 "firewall, and for private addresses kube_allow_addresses",
	[ERR_KUBE_TLS] = "the API server's certificate is not of the kubeconfig's CA: the user "
			 "stores a new kubeconfig",
	[ERR_POD_IMAGE] = "check runtime_image and image_pull_secret in fsa.conf, and that the "
			  "cluster's nodes reach the registry",
	[ERR_POD_CRASH] = "read the pod's log (kubectl logs --previous); out of memory means that "
			  "its limit is too small",
	[ERR_POD_UNSCHEDULABLE] = "the cluster has no room: add nodes, or make requests smaller",
	[ERR_POD_MOUNT] = "check storage_class in fsa.conf, and the cluster's provisioner",
	[ERR_POD_UNREADY] = "the container runs, and its terminal does not answer on port 7681: "
			    "read the pod's log",
	[ERR_POD_REFUSED] = "the pod cannot be made: the message names quota, policy or volume",
	[ERR_DATABASE_FAILED] = "look at the Cluster's conditions and pods (kubectl describe "
				"cluster), and at KubeBlocks' own log",
	[ERR_DEADLINE] = "the stage in the message is where it hangs; it heals by itself when that "
			 "does",
	[ERR_KUBECONFIG] = "the user stores a kubeconfig for this server and namespace in the "
			   "settings",
};

const char *advice_for(enum err_kind kind)
{
	return advice[kind];
}
