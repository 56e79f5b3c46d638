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
	[WARNING_HOME_VOLUME_GONE] = {
		"HOME_VOLUME_GONE",
		"Somebody has deleted the volume of your home directory while nothing ran",
		"Its files are lost, unless whoever runs the cluster can restore the volume under its "
		"name. A start asks first, and then begins with an empty home directory.",
	},
	[WARNING_HOME_VOLUME_REPLACED] = {
		"HOME_VOLUME_REPLACED",
		"Your home directory is on another volume than before",
		"Somebody has deleted the former one, and its files with it. This one has what they put "
		"there, or began empty. This is said until you ask for something next.",
	},
	[WARNING_DATABASE_VOLUME_GOING] = {
		"DATABASE_VOLUME_GOING",
		"Somebody has deleted the volume of your database",
		"Its data is there for as long as the database runs, and lost with that. Save a dump of what "
		"you need now. What would stop the database asks first.",
	},
	[WARNING_DATABASE_VOLUME_GONE] = {
		"DATABASE_VOLUME_GONE",
		"Somebody has deleted the volume of your database while nothing ran",
		"Its data is lost, unless whoever runs the cluster can restore the volume under its "
		"name. A start asks first, and then begins with an empty database.",
	},
	[WARNING_DATABASE_VOLUME_REPLACED] = {
		"DATABASE_VOLUME_REPLACED",
		"Your database is on another volume than before",
		"Somebody has deleted the former one, and its data with it. This one has what they put "
		"there, or began empty. This is said until you ask for something next.",
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
