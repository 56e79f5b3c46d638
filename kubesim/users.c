#include "users.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "map.h"

enum { GRANTS_MAX = 8 };

struct grant {
	char *namespace;
	enum role role;
};

struct user {
	char *name;
	bool is_admin;
	uint64_t epoch; /* tokens of earlier epochs are refused */
	struct grant grants[GRANTS_MAX];
	size_t grant_count;
};

struct token {
	struct user *user;
	uint64_t epoch;
	uint64_t expires_ms;
};

struct users {
	struct map *by_name;
	struct map *tokens;
	struct user *anonymous, *system;
};

static struct user *find_or_make(struct users *u, const char *name)
{
	struct user *user = map_get(u->by_name, name);

	if (user != NULL)
		return user;
	user = mem_calloc(1, sizeof(*user));
	user->name = mem_strdup(name);
	map_set(u->by_name, name, user);
	return user;
}

struct users *users_new(void)
{
	struct users *u = mem_calloc(1, sizeof(*u));

	u->by_name = map_new();
	u->tokens = map_new();
	u->anonymous = find_or_make(u, "system:anonymous");
	u->system = find_or_make(u, "system:kubesim");
	u->system->is_admin = true;
	return u;
}

static void visit_free_user(void *data, const char *key, void *value)
{
	struct user *user = value;

	(void)data;
	(void)key;
	for (size_t i = 0; i < user->grant_count; i++)
		free(user->grants[i].namespace);
	free(user->name);
	free(user);
}

static void visit_free_token(void *data, const char *key, void *value)
{
	(void)data;
	(void)key;
	free(value);
}

void users_free(struct users *u)
{
	if (u == NULL)
		return;
	map_visit(u->by_name, visit_free_user, NULL);
	map_visit(u->tokens, visit_free_token, NULL);
	map_free(u->by_name);
	map_free(u->tokens);
	free(u);
}

static void grant(struct user *user, const char *namespace, enum role role)
{
	for (size_t i = 0; i < user->grant_count; i++) {
		if (strcmp(user->grants[i].namespace, namespace) == 0) {
			user->grants[i].role = role;
			return;
		}
	}
	if (user->grant_count < GRANTS_MAX)
		user->grants[user->grant_count++] = (struct grant) { mem_strdup(namespace), role };
}

void users_grant(struct users *u, const char *name, const char *namespace, enum role role,
		 const char *token, uint64_t lifetime_ms)
{
	struct user *user = find_or_make(u, name);
	struct token *t = mem_calloc(1, sizeof(*t));

	user->is_admin = user->is_admin || role == ROLE_ADMIN;
	grant(user, namespace, role);
	t->user = user;
	t->epoch = user->epoch;
	t->expires_ms = clock_ms() + lifetime_ms;
	free(map_set(u->tokens, token, t));
}

bool users_revoke(struct users *u, const char *name)
{
	struct user *user = map_get(u->by_name, name);

	if (user == NULL)
		return false;
	user->epoch++;
	return true;
}

const struct user *users_by_token(const struct users *u, const char *token)
{
	if (token == NULL)
		return u->anonymous;
	const struct token *t = map_get(u->tokens, token);
	if (t == NULL || t->epoch != t->user->epoch || clock_ms() >= t->expires_ms)
		return NULL;
	return t->user;
}

const struct user *users_by_certificate(struct users *u, const char *name, const char *group)
{
	struct user *user = find_or_make(u, name);

	if (strcmp(group, "system:masters") == 0)
		user->is_admin = true;
	return user;
}

const struct user *users_system(const struct users *u)
{
	return u->system;
}

const char *user_name(const struct user *user)
{
	return user->name;
}

bool user_is_admin(const struct user *user)
{
	return user->is_admin;
}

static bool only_reads(const char *verb)
{
	return strcmp(verb, "get") == 0 || strcmp(verb, "list") == 0 || strcmp(verb, "watch") == 0;
}

bool user_may(const struct user *user, const char *verb, const char *namespace)
{
	if (user->is_admin)
		return true;
	for (size_t i = 0; i < user->grant_count; i++) {
		const struct grant *g = &user->grants[i];
		if (strcmp(g->namespace, namespace) == 0)
			return g->role == ROLE_OWNER || only_reads(verb);
	}
	return false;
}

int user_check(const struct user *user, const char *verb, const struct kind *kind,
	       const char *namespace, const char *name, struct refusal *r)
{
	if (user_may(user, verb, namespace))
		return 0;
	if (namespace[0] == '\0')
		return refuse_forbidden(r, kind, name,
					"User \"%s\" cannot %s resource \"%s\" in API group \"%s\" "
					"at the cluster scope",
					user->name, verb, kind->plural, kind->group);
	return refuse_forbidden(r, kind, name,
				"User \"%s\" cannot %s resource \"%s\" in API group \"%s\" in the "
				"namespace \"%s\"",
				user->name, verb, kind->plural, kind->group, namespace);
}
