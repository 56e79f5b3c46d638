#ifndef FSA_KUBE_KUBECONFIG_H
#define FSA_KUBE_KUBECONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/address.h"

/*
 * A user's kubeconfig: hostile input. Only the current context's cluster, user and namespace are
 * used, and only these members: server (https), certificate-authority-data (without it the server's
 * certificate must be from a public CA), token or client-certificate-data with client-key-data,
 * namespace (without it "default", as for kubectl). Everything that would run a program, read a
 * file, use a proxy, skip verification or impersonate (exec, auth-provider, every file path,
 * proxy-url, insecure-skip-tls-verify, as, username/password, …) is refused wherever it stands in
 * the document, unless it is empty. Other known members are ignored; unknown ones are refused. A
 * table in kubeconfig.c says what happens to each member. None of this needs the HTTP client: a
 * program that only validates does not link libcurl. Source:
 * kubernetes.io/docs/reference/config-api/kubeconfig.v1.
 */
enum { KUBECONFIG_MAX_BYTES = 65536 };

struct kubeconfig {
	char *server; /* https://host[:port][/path], normalised: lower case host, no trailing '/' */
	char *host;   /* of the server, without brackets */
	char *namespace; /* DNS label */
	char *user;      /* name of the user entry */
	char *ca_pem;    /* NULL: the system's CAs */
	char *token;     /* or NULL: then the next two; they are ignored if there is a token */
	char *certificate_pem;
	char *key_pem;
	int64_t expires_at; /* Unix seconds: `exp` of a JWT token, notAfter of a certificate; 0: not
			       said */
};

/*
 * Parses `length` bytes of YAML (or JSON). `ret_config` is written on success only;
 * kubeconfig_clear() it. ERR_INVALID with a message that names the line and the member, never a
 * value of a credential, and one of the codes KUBECONFIG_TOO_LARGE    size, depth or number of
 * members KUBECONFIG_SYNTAX       not YAML, or YAML that is not allowed here KUBECONFIG_ALIAS, _TAG
 * anchors and aliases, tags KUBECONFIG_MEMBER       unknown, twice, or of the wrong type or form
 *   KUBECONFIG_MISSING      something needed is not there
 *   KUBECONFIG_SERVER       not an https URL we take
 *   KUBECONFIG_NAMESPACE    not a DNS label
 *   KUBECONFIG_CA, _TOKEN, _CERTIFICATE   not what it should be
 *   KUBECONFIG_EXEC, _FILE, _PROXY, _INSECURE, _IMPERSONATE, _BASIC_AUTH   refused members
 */
int kubeconfig_parse(const char *text, size_t length, struct kubeconfig *ret_config, struct err *e);
/* Whether the server's host is an address (or a name like localhost) that policy forbids:
 * ERR_INVALID, code ADDRESS_FORBIDDEN. Other names are only known when they are connected to. */
int kubeconfig_check_address(const struct kubeconfig *config, const struct address_policy *policy,
			     struct err *e);
void kubeconfig_clear(struct kubeconfig *config); /* wipes secrets; for CLEANUP too */

#endif
