#include "base/heartbeat.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/spending.h"

static struct heartbeat *current;

void heartbeat_open(struct heartbeat *shared)
{
	current = shared;
}

void heartbeat_beat(void)
{
	if (current == NULL)
		return;
	heartbeat_owner(NULL);
	atomic_store(&current->beat_ms, clock_ms());
}

void heartbeat_pause(void)
{
	if (current == NULL)
		return;
	heartbeat_owner(NULL);
	atomic_store(&current->beat_ms, HEARTBEAT_PAUSED);
}

void heartbeat_owner(const char *owner)
{
	if (current == NULL)
		return;
	size_t length = owner != NULL ? strnlen(owner, HEARTBEAT_OWNER_MAX) : 0;
	memcpy(current->owner, owner != NULL ? owner : "", length);
	current->owner[length] = '\0';
	spending_switch(current->owner);
}
