/* The types of values: each row knows the form of such a value. */
#include "base/conf_value.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/network.h"
#include "base/parse.h"
#include "base/quantity.h"

#define NAME_CHARACTERS "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
#define HOST            "(" NAME_CHARACTERS "(\\." NAME_CHARACTERS ")*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?"
#define LABEL_PART      "[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?"
#define IMAGE_PART      "[a-z0-9]+([._-]+[a-z0-9]+)*"

enum { VALUE_MAX = 8192 };

typedef bool value_fn(const struct conf_spec *spec, const char *text, uint64_t *ret_number);

static bool is_integer(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	return parse_u64(text, spec->min, spec->max, ret_number);
}

static bool is_duration(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	return parse_duration_ms(text, ret_number) && *ret_number >= spec->min &&
	       *ret_number <= spec->max;
}

static bool is_bool(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	bool yes = false;

	(void)spec;
	if (!parse_bool(text, &yes))
		return false;
	*ret_number = yes;
	return true;
}

static bool is_choice(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	size_t length = strlen(text);

	(void)ret_number;
	for (const char *p = spec->choices; *p != '\0'; p += strspn(p, " ")) {
		size_t word_length = strcspn(p, " ");
		if (word_length == length && strncmp(p, text, length) == 0)
			return true;
		p += word_length;
	}
	return false;
}

static bool is_domain(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	(void)spec;
	(void)ret_number;
	return parse_is_domain(text);
}

/* 0 means that the resource is not set. */
static bool is_quantity(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	(void)spec;
	(void)ret_number;
	return quantity_is_valid(text) && quantity_compare(text, "0") > 0;
}

static bool is_network(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	struct network network;

	(void)spec;
	(void)ret_number;
	return network_parse(text, &network);
}

static bool is_conninfo(const struct conf_spec *spec, const char *text, uint64_t *ret_number)
{
	PQconninfoOption *options = PQconninfoParse(text, NULL);

	(void)spec;
	(void)ret_number;
	PQconninfoFree(options);
	return options != NULL;
}

static const struct {
	value_fn *is;        /* NULL: any text */
	const char *pattern; /* a further requirement; NULL: none */
	bool list;           /* a list of words, each of which is checked */
	const char *what;    /* what the value should be */
	const char *name;    /* its name in fsa.conf(5); NULL: its choices */
} types[] = {
	[CONF_STRING] = { NULL, NULL, false, "text", "text" },
	[CONF_INTEGER] = { is_integer, NULL, false, "a number", "number" },
	[CONF_DURATION] = { is_duration, NULL, false, "a duration (500ms, 3s, 5m, 12h, 7d)",
			    "duration" },
	[CONF_BOOL] = { is_bool, NULL, false, "yes or no", "yes | no" },
	[CONF_DOMAIN] = { is_domain, NULL, false, "a domain name such as apps.example.org",
			  "domain" },
	[CONF_CHOICE] = { is_choice, NULL, false, "one of", NULL },
	[CONF_NAME] = { is_domain, NULL, false,
			"a name that Kubernetes takes: lower-case letters, digits, '-' and '.'",
			"name" },
	[CONF_QUANTITY] = { is_quantity, NULL, false,
			    "a quantity above 0, as Kubernetes writes them (200m, 0.5, 256Mi, 1Gi)",
			    "quantity" },
	[CONF_IMAGE] = { NULL,
			 "^(" HOST "/)?" IMAGE_PART "(/" IMAGE_PART
			 ")*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
			 "(@[a-z0-9]+:[0-9a-f]{32,128})?$",
			 false, "an image such as registry.example.org/team/runtime:1.2", "image" },
	[CONF_NETWORKS] = { is_network, NULL, true, "a network (10.0.0.0/8, fd00::/8)",
			    "network ..." },
	[CONF_PODS] = { NULL, "^" LABEL_PART "(/(" LABEL_PART "/)?" LABEL_PART "=" LABEL_PART ")?$",
			true, "pods by their namespace, and a label (kube-system/k8s-app=kube-dns)",
			"pods ..." },
	[CONF_ORIGIN] = { NULL, "^https?://" HOST "/?$", false,
			  "scheme, host and port of a site, such as https://agent.example.org",
			  "origin" },
	[CONF_ORIGINS] = { NULL, "^https?://" HOST "$", true,
			   "an origin such as https://desktop.example.org (no path, no '/' at the "
			   "end)",
			   "origin ..." },
	[CONF_HTTPS_URL] = { NULL, "^https://" HOST "(/[^[:space:]]*)?$", false,
			     "a URL that begins with https://", "URL" },
	[CONF_CONNINFO] = { is_conninfo, NULL, false,
			    "a connection string of PostgreSQL (host=/run/postgresql dbname=fsa)",
			    "connection" },
	[CONF_PATH] = { NULL, "^/", false, "a whole path, from / on", "path" },
	[CONF_SECRET_FILE] = { NULL, "^/", false, "a whole path, from / on", "file" },
};

const char *conf_type_name(enum conf_type type)
{
	return types[type].name;
}

static bool matches(const char *pattern, const char *text)
{
	regex_t compiled;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	bool found = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return found;
}

static int refuse(const struct conf_spec *spec, const char *word, struct err *e)
{
	const char *what = types[spec->type].what;
	unsigned long long min = spec->min, max = spec->max;

	if (spec->type == CONF_INTEGER)
		return err_set(e, ERR_INVALID, NULL, "%s: \"%.100s\" is not %s from %llu to %llu",
			       spec->name, word, what, min, max);
	if (spec->type == CONF_DURATION)
		return err_set(e, ERR_INVALID, NULL,
			       "%s: \"%.100s\" is not %s from %llums to %llums", spec->name, word,
			       what, min, max);
	if (spec->type == CONF_CHOICE)
		return err_set(e, ERR_INVALID, NULL, "%s: \"%.100s\" is not one of: %s", spec->name,
			       word, spec->choices);
	/* It may contain a password. */
	if (spec->type == CONF_CONNINFO)
		return err_set(e, ERR_INVALID, NULL, "%s: is not %s", spec->name, what);
	return err_set(e, ERR_INVALID, NULL, "%s: \"%.100s\" is not %s", spec->name, word, what);
}

static int check_word(const struct conf_spec *spec, const char *word, uint64_t *ret_number,
		      struct err *e)
{
	value_fn *is = types[spec->type].is;
	const char *pattern = types[spec->type].pattern;

	if ((is != NULL && !is(spec, word, ret_number)) ||
	    (pattern != NULL && !matches(pattern, word)))
		return refuse(spec, word, e);
	return 0;
}

static int check_text(const struct conf_spec *spec, const char *text, struct err *e)
{
	size_t length = strlen(text);

	if (length == 0)
		return err_set(e, ERR_INVALID, NULL,
			       "%s: has no value; leave the line out for the default", spec->name);
	if (length > VALUE_MAX)
		return err_set(e, ERR_INVALID, NULL, "%s: longer than %d bytes", spec->name,
			       VALUE_MAX);
	bool plain = parse_is_utf8(text, length);
	for (size_t i = 0; i < length; i++)
		plain = plain && !iscntrl((unsigned char)text[i]);
	return plain ? 0
		     : err_set(e, ERR_INVALID, NULL,
			       "%s: holds control characters, or is not UTF-8", spec->name);
}

int conf_value_parse(const struct conf_spec *spec, const char *text, struct conf_value *ret_value,
		     struct err *e)
{
	CLEANUP(cleanup_free) char *words = mem_strdup(text);
	char *rest = NULL;
	uint64_t number = 0;

	if (check_text(spec, text, e) < 0)
		return -1;
	if (!types[spec->type].list && check_word(spec, text, &number, e) < 0)
		return -1;
	for (char *word = types[spec->type].list ? strtok_r(words, " ", &rest) : NULL; word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		if (check_word(spec, word, &number, e) < 0)
			return -1;
	}
	ret_value->text = mem_strdup(text);
	ret_value->number = number;
	return 0;
}

char *conf_text_to_show(const struct conf *c, enum conf_option option)
{
	CLEANUP(cleanup_free) char *shown = NULL;
	const char *text = conf_string(c, option);

	if (text == NULL || conf_spec(option)->type != CONF_CONNINFO)
		return text != NULL ? mem_strdup(text) : NULL;
	PQconninfoOption *options = PQconninfoParse(text, NULL);
	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		bool secret = strchr(o->dispchar, '*') != NULL;
		char *longer = mem_printf("%s%s%s=%s", shown ? shown : "", shown ? " " : "",
					  o->keyword, secret ? "(set)" : o->val);
		free(shown);
		shown = longer;
	}
	PQconninfoFree(options);
	return STEAL(shown);
}
