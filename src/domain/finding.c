#include "domain/finding.h"

#include <stddef.h>
#include <string.h>

static const struct finding_text texts[FINDING_COUNT] = {
	[FINDING_REACHABLE] = { "reachable", "Your cluster answers",
				"Whether your cluster answers is not known" },
	[FINDING_CERTIFICATE] = { "certificate", "Its certificate is the one that is expected",
				  "Whether its certificate is right is not known" },
	[FINDING_CREDENTIALS] = { "credentials", "It accepts the kubeconfig's credentials",
				  "Whether it accepts the kubeconfig is not known" },
	[FINDING_NAMESPACE] = { "namespace", "The namespace exists",
				"Whether the namespace exists is not known" },
	[FINDING_PERMISSIONS] = { "permissions", "What a sandbox needs may be created there",
				  "Whether sandboxes may be created is not known" },
	[FINDING_QUOTA] = { "quota", "There is room for another sandbox",
			    "Whether there is room for another sandbox is not known" },
	[FINDING_DATABASES] = { "databases", "Databases can be created there",
				"Whether databases can be created is not known" },
};

static const char *const statuses[] = {
	[FINDING_OK] = "ok",
	[FINDING_WARNING] = "warning",
	[FINDING_FAILED] = "failed",
	[FINDING_UNKNOWN] = "unknown",
};

const struct finding_text *finding_text(enum finding finding)
{
	return &texts[finding];
}

const struct finding_text *finding_text_of(const char *name)
{
	for (unsigned i = 0; name != NULL && i < FINDING_COUNT; i++) {
		if (strcmp(texts[i].name, name) == 0)
			return &texts[i];
	}
	return NULL;
}

const char *finding_status_name(enum finding_status status)
{
	return statuses[status];
}
