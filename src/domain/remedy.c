#include "domain/remedy.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

static const char service_account[] =
	"# Run this with your own kubectl; your projects will be in NAMESPACE.\n"
	"NAMESPACE=default\n"
	"umask 077\n"
	"kubectl -n $NAMESPACE create serviceaccount fullstack-agent\n"
	"kubectl -n $NAMESPACE create rolebinding fullstack-agent --clusterrole=edit "
	"--serviceaccount=$NAMESPACE:fullstack-agent\n"
	"kubectl -n $NAMESPACE apply -f - <<END\n"
	"apiVersion: v1\n"
	"kind: Secret\n"
	"type: kubernetes.io/service-account-token\n"
	"metadata:\n"
	"  name: fullstack-agent\n"
	"  annotations: {kubernetes.io/service-account.name: fullstack-agent}\n"
	"END\n"
	"TOKEN=$(kubectl -n $NAMESPACE get secret fullstack-agent -o 'jsonpath={.data.token}' | "
	"base64 -d)\n"
	"# Or, for a token that expires: TOKEN=$(kubectl -n $NAMESPACE create token "
	"fullstack-agent "
	"--duration=720h)\n"
	"kubectl config view --raw --flatten --minify > fullstack-agent.yaml\n"
	"kubectl --kubeconfig=fullstack-agent.yaml config set-credentials fullstack-agent "
	"--token=\"$TOKEN\"\n"
	"kubectl --kubeconfig=fullstack-agent.yaml config set-context --current "
	"--user=fullstack-agent --namespace=$NAMESPACE\n"
	"# This is the kubeconfig to store here:\n"
	"kubectl --kubeconfig=fullstack-agent.yaml config view --raw --minify\n";

static const char flatten[] =
	"# This kubeconfig contains the contents of the files. Store it here:\n"
	"kubectl config view --raw --flatten --minify\n";

static const char authority[] =
	"# Take the cluster's CA from the cluster itself, so that its certificate can be "
	"verified:\n"
	"umask 077\n"
	"kubectl get configmap kube-root-ca.crt -o 'jsonpath={.data.ca\\.crt}' > ca.crt\n"
	"kubectl config view --raw --flatten --minify > fullstack-agent.yaml\n"
	"CLUSTER=$(kubectl --kubeconfig=fullstack-agent.yaml config view -o "
	"'jsonpath={.clusters[0].name}')\n"
	"kubectl --kubeconfig=fullstack-agent.yaml config set-cluster \"$CLUSTER\" "
	"--insecure-skip-tls-verify=false --certificate-authority=ca.crt --embed-certs\n"
	"# This is the kubeconfig to store here:\n"
	"kubectl --kubeconfig=fullstack-agent.yaml config view --raw\n";

static const char address[] =
	"# A kubeconfig of a cluster on your own machine or network (k3s, kind, minikube, "
	"microk8s)\n"
	"# has an address that only works there. If the API server has a public address, and a\n"
	"# certificate for it:\n"
	"umask 077\n"
	"kubectl config view --raw --flatten --minify > fullstack-agent.yaml\n"
	"CLUSTER=$(kubectl --kubeconfig=fullstack-agent.yaml config view -o "
	"'jsonpath={.clusters[0].name}')\n"
	"kubectl --kubeconfig=fullstack-agent.yaml config set-cluster \"$CLUSTER\" "
	"--server=https://k8s.example.com:6443\n"
	"# This is the kubeconfig to store here:\n"
	"kubectl --kubeconfig=fullstack-agent.yaml config view --raw\n"
	"# The operator of this site can allow a private address that the site can reach.\n";

static const char insist[] =
	"To go on and lose the data, send the same request with \"force\": true in its body.\n";

static const struct {
	const char *code, *text;
} remedies[] = {
	{ "KUBECONFIG_EXEC", service_account },
	{ "KUBECONFIG_BASIC_AUTH", service_account },
	{ "KUBECONFIG_IMPERSONATE", service_account },
	{ "KUBECONFIG_FILE", flatten },
	{ "KUBECONFIG_INSECURE", authority },
	{ "ADDRESS_FORBIDDEN", address },
	{ "DATA_AT_RISK", insist },
};

const char *remedy_for(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		if (strcmp(remedies[i].code, code) == 0)
			return remedies[i].text;
	}
	return NULL;
}
