#include "domain/warning.h"

#include <stddef.h>
#include <string.h>

static const struct warning_text texts[WARNING_COUNT] = {
	[WARNING_CHANGED_BY_ADMISSION] = {
		"CHANGED_BY_ADMISSION",
		"A policy of your cluster changes the objects of your project",
		"The changes are accepted. If they are not what you need, ask whoever runs the cluster.",
	},
	[WARNING_HOME_VOLUME_GOING] = {
		"HOME_VOLUME_GOING",
		"Somebody has deleted the volume of your home directory",
		"Its files exist only as long as this pod runs. Copy out what you need now. Actions that would replace the pod ask first.",
	},
	[WARNING_HOME_VOLUME_GONE] = {
		"HOME_VOLUME_GONE",
		"Somebody has deleted the volume of your home directory while nothing was running",
		"Its files are lost, unless whoever runs the cluster can restore the volume under its name. A start asks first, and then begins with an empty home directory.",
	},
	[WARNING_HOME_VOLUME_REPLACED] = {
		"HOME_VOLUME_REPLACED",
		"Your home directory is on a different volume than before",
		"Somebody has deleted the previous one with its files. The new one began empty, or contains what they put there. This warning stays until your next request.",
	},
	[WARNING_DATABASE_VOLUME_GOING] = {
		"DATABASE_VOLUME_GOING",
		"Somebody has deleted the volume of your database",
		"Its data exists only as long as the database runs. Save a dump of what you need now. Actions that would stop the database ask first.",
	},
	[WARNING_DATABASE_VOLUME_GONE] = {
		"DATABASE_VOLUME_GONE",
		"Somebody has deleted the volume of your database while nothing was running",
		"Its data is lost, unless whoever runs the cluster can restore the volume under its name. A start asks first, and then begins with an empty database.",
	},
	[WARNING_DATABASE_VOLUME_REPLACED] = {
		"DATABASE_VOLUME_REPLACED",
		"Your database is on a different volume than before",
		"Somebody has deleted the previous one with its data. The new one began empty, or contains what they put there. This warning stays until your next request.",
	},
	[WARNING_RESTARTED] = {
		"RESTARTED",
		"The container ended and was started again",
		"Whatever ran in its terminals is gone; your files are still there. If it ran out of memory, run less in it or ask for a larger limit.",
	},
	[WARNING_ACTIVITY_UNKNOWN] = {
		"ACTIVITY_UNKNOWN",
		"It cannot be found out whether anything happens in this sandbox",
		"So it is not stopped when it is idle. The kubeconfig's account must be allowed to \"get\" \"pods/proxy\", and the sandbox's image must contain sandboxd.",
	},
	[WARNING_PROJECT_IDLE] = {
		"PROJECT_IDLE",
		"Nothing happens in this project, so it is about to be stopped",
		"Its files and data stay. To keep it running, work in it, keep it for some hours, or change its idle time.",
	},
	[WARNING_PROJECT_ENDING] = {
		"PROJECT_ENDING",
		"This project is about to end",
		"If you still need it, give it more time or no end at all. Otherwise save what you want to keep: it is first stopped, and later deleted.",
	},
	[WARNING_PROJECT_ENDED] = {
		"PROJECT_ENDED",
		"This project has ended, and is about to be deleted",
		"It was stopped; its files and data are still there. To keep them, give it more time or no end at all; then it can be started again.",
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
