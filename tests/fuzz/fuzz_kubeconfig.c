/*
 * libFuzzer on the kubeconfig parser (`make fuzz`). Beyond not crashing: what is accepted is whole,
 * what is refused says why in UTF-8 and leaves the result alone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "crypto/token.h"
#include "kube/kubeconfig.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	crypto_init();
	return 0;
}

static void insist(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { 0 };
	struct err e = { 0 };

	if (kubeconfig_parse((const char *)data, size, &config, &e) < 0) {
		insist(e.kind == ERR_INVALID && strncmp(e.code, "KUBECONFIG_", 11) == 0);
		insist(e.message[0] != '\0' && parse_is_utf8(e.message, strlen(e.message)));
		insist(config.server == NULL && config.token == NULL);
		return 0;
	}
	insist(strncmp(config.server, "https://", 8) == 0 && config.host[0] != '\0');
	insist(config.namespace[0] != '\0' && config.ca_pem[0] != '\0');
	insist(config.token != NULL || (config.certificate_pem != NULL && config.key_pem != NULL));
	insist(config.token == NULL || strpbrk(config.token, " \r\n") == NULL);
	return 0;
}
