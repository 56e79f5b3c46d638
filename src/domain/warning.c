#include "domain/warning.h"

#include <stddef.h>
#include <string.h>

static const struct warning_text texts[WARNING_COUNT] = {
	[WARNING_CHANGED_BY_ADMISSION] = {
		"CHANGED_BY_ADMISSION",
		"A policy of your cluster changes what is set up for you",
		"It is left as the cluster wants it. Where that is not what you need, ask whoever runs "
		"the cluster.",
	},
	[WARNING_HOME_VOLUME_GOING] = {
		"HOME_VOLUME_GOING",
		"Somebody has deleted the volume of your home directory",
		"Its files are there for as long as this pod runs, and lost with it. Copy out what you "
		"need now. What would replace the pod asks first.",
	},
	[WARNING_RESTARTED] = {
		"RESTARTED",
		"The container has ended and was started again",
		"What ran in its terminals is gone, your files are there. If it ran out of memory, start "
		"less in it or ask for a larger limit.",
	},
};

const struct warning_text *warning_text(enum warning warning)
{
	return &texts[warning];
}

const struct warning_text *warning_text_of(const char *code)
{
	for (unsigned i = 0; code != NULL && i < WARNING_COUNT; i++) {
		if (strcmp(texts[i].code, code) == 0)
			return &texts[i];
	}
	return NULL;
}
