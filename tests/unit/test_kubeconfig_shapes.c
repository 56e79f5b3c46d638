/* Tests kubeconfigs as providers and installers write them, from the fuzzer's corpus: each is
 * accepted, or refused with what to do instead. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "domain/remedy.h"
#include "kube/kubeconfig.h"

enum { CA = 1, TOKEN = 2, CERTIFICATE = 4 };

static const struct {
	const char *file, *host, *namespace;
	unsigned has;
	const char *code; /* of the refusal, by the parser or the policy for addresses */
} shapes[] = {
	{ "aks", "mine-dns-0a1b2c3d.hcp.westeurope.azmk8s.io", "default", CA | TOKEN, NULL },
	{ "aks-entra", NULL, NULL, 0, "KUBECONFIG_EXEC" },
	{ "digitalocean", "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f.k8s.ondigitalocean.com", "default",
	  CA | TOKEN, NULL },
	{ "digitalocean-doctl", NULL, NULL, 0, "KUBECONFIG_EXEC" },
	{ "eks", NULL, NULL, 0, "KUBECONFIG_EXEC" },
	{ "gke", NULL, NULL, 0, "KUBECONFIG_EXEC" },
	{ "gke-before-1.26", NULL, NULL, 0, "KUBECONFIG_EXEC" },
	{ "k3s", "127.0.0.1", "default", CA | CERTIFICATE, "ADDRESS_FORBIDDEN" },
	{ "kind", "127.0.0.1", "default", CA | CERTIFICATE, "ADDRESS_FORBIDDEN" },
	{ "kubectl-with-bom", "hzh.sealos.run", "ns-abcdefgh", CA | TOKEN, NULL },
	{ "microk8s", "10.0.2.15", "default", CA | CERTIFICATE, "ADDRESS_FORBIDDEN" },
	{ "minikube", NULL, NULL, 0, "KUBECONFIG_FILE" },
	{ "minikube-embedded", "192.168.49.2", "default", CA | CERTIFICATE, "ADDRESS_FORBIDDEN" },
	{ "openshift", "api.mine.p1.openshiftapps.com", "me-dev", TOKEN, NULL },
	{ "openshift-insecure", NULL, NULL, 0, "KUBECONFIG_INSECURE" },
	{ "rancher", "rancher.example.com", "default", TOKEN, NULL },
	{ "rancher-1", "rancher.example.com", "default", TOKEN, NULL },
	{ "sealos", "hzh.sealos.run", "ns-abcdefgh", CA | TOKEN, NULL },
};

static void read_shape(const char *file, struct buf *ret_text)
{
	CLEANUP(cleanup_free)
	char *path = mem_printf(TEST_SOURCE_DIR "/tests/fuzz/corpus/kubeconfig/%s", file);
	struct err e;

	ck_assert_msg(buf_read_file(ret_text, path, &e) == 0, "%s", e.message);
}

static void check_taken(size_t i, const struct kubeconfig *c)
{
	ck_assert_str_eq(c->host, shapes[i].host);
	ck_assert_str_eq(c->namespace, shapes[i].namespace);
	ck_assert_int_eq(c->ca_pem != NULL, (shapes[i].has & CA) != 0);
	ck_assert_int_eq(c->token != NULL, (shapes[i].has & TOKEN) != 0);
	ck_assert_int_eq(c->certificate_pem != NULL, (shapes[i].has & CERTIFICATE) != 0);
}

START_TEST(providers_kubeconfigs_are_accepted_or_refused_with_advice)
{
	CLEANUP(buf_release) struct buf text = BUF_INIT(KUBECONFIG_MAX_BYTES);
	CLEANUP(kubeconfig_clear) struct kubeconfig c = { 0 };
	CLEANUP(address_policy_freep) struct address_policy *policy = NULL;
	const size_t i = (size_t)_i;
	struct err e = { .code = "" };

	ck_assert_int_eq(address_policy_new(NULL, &policy, &e), 0);
	read_shape(shapes[i].file, &text);
	int result = kubeconfig_parse(text.data, text.length, &c, &e);
	ck_assert_msg((result == 0) == (shapes[i].host != NULL), "%s: %s", shapes[i].file,
		      e.message);
	if (result == 0) {
		check_taken(i, &c);
		result = kubeconfig_check_address(&c, policy, &e);
	}
	ck_assert_int_eq(result, shapes[i].code != NULL ? -1 : 0);
	if (shapes[i].code == NULL)
		return;
	ck_assert_str_eq(e.code, shapes[i].code);
	ck_assert_ptr_nonnull(strstr(remedy_for(e.code), "kubectl"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kubeconfig shapes");
	TCase *tc = tcase_create("shapes");

	crypto_init();
	tcase_add_loop_test(tc, providers_kubeconfigs_are_accepted_or_refused_with_advice, 0,
			    ARRAY_SIZE(shapes));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
