#include "base/spending.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { OWNER_MAX = 63 };

struct account {
	char owner[OWNER_MAX + 1];
	uint64_t ns;
};

static void *accounts;          /* a tree, by owner */
static struct account *current; /* NULL: nobody */
static uint64_t since_ns;       /* the thread's CPU time when it became the current one */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct account *)a)->owner, ((const struct account *)b)->owner);
}

static uint64_t used_ns(void)
{
	struct timespec used = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static struct account *find(const char *owner)
{
	struct account key = { 0 };

	(void)memccpy(key.owner, owner, '\0', sizeof(key.owner) - 1);
	struct account *const *found = tfind(&key, &accounts, compare);
	return found != NULL ? *found : NULL;
}

static struct account *open_account(const char *owner)
{
	struct account *account = find(owner);

	if (account != NULL)
		return account;
	account = mem_calloc(1, sizeof(*account));
	(void)memccpy(account->owner, owner, '\0', sizeof(account->owner) - 1);
	if (tsearch(account, &accounts, compare) == NULL)
		abort(); /* out of memory: see base/mem.h */
	return account;
}

void spending_switch(const char *owner)
{
	if (strcmp(owner, current != NULL ? current->owner : "") == 0)
		return;
	uint64_t now_ns = used_ns();
	if (current != NULL)
		current->ns += now_ns - since_ns;
	since_ns = now_ns;
	current = owner[0] != '\0' ? open_account(owner) : NULL;
}

uint64_t spending_take_us(const char *owner)
{
	spending_switch("");
	struct account *account = find(owner);

	if (account == NULL)
		return 0;
	uint64_t us = account->ns / 1000;
	(void)tdelete(account, &accounts, compare);
	free(account);
	return us;
}
