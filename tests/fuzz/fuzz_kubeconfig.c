/* The kubeconfig parser: what is accepted is complete, and a refusal leaves the result
 * unchanged. */
#include "fuzz.h"
#include "kube/kubeconfig.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	crypto_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { 0 };
	struct err e = { 0 };

	if (kubeconfig_parse((const char *)data, size, &config, &e) < 0) {
		insist_told(&e, ERR_INVALID);
		insist(strncmp(e.code, "KUBECONFIG_", 11) == 0);
		insist(config.server == NULL && config.token == NULL);
		return 0;
	}
	insist(strncmp(config.server, "https://", 8) == 0 && config.host[0] != '\0');
	insist(config.namespace[0] != '\0' && (config.ca_pem == NULL || config.ca_pem[0] != '\0'));
	insist(config.token != NULL || (config.certificate_pem != NULL && config.key_pem != NULL));
	insist(config.token == NULL || strpbrk(config.token, " \r\n") == NULL);
	return 0;
}
