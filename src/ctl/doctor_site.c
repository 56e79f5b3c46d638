/* Checks of the site as browsers see it: the page, the certificate, and /readyz, for which the
 * programs try what users need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/doctor.h"
#include "ctl/fetch.h"
#include "ctl/output.h"

/* How the site is reached. */
struct way {
	const char *url;     /* without a path */
	const char *address; /* where to connect instead; NULL: where the URL points */
	const char *ca_file; /* NULL: certificates are not checked */
};

static void get(const struct way *way, const char *path, struct fetch *ret_fetch)
{
	CLEANUP(cleanup_free) char *url = mem_printf("%s%s", way->url, path);

	fetch_get(url, way->address, way->ca_file, ret_fetch);
}

/* ---- the certificate ------------------------------------------------------------------------- */

enum { EXPIRES_SOON_S = 14 * 24 * 3600 };

#define RENEW                                                                                      \
	"renew the certificate (the ACME client's log says why it has not), then systemctl "       \
	"reload nginx, which serves the old one until then"
#define CLOCK                                                                                      \
	"a wrong clock makes a good certificate look like this: compare date -u with another "     \
	"machine's; timedatectl says whether it is kept right"

static char *distance(time_t from, time_t to)
{
	return output_duration((uint64_t)llabs((long long)to - (long long)from) * 1000);
}

/* Short-lived certificates are renewed late, so "soon" is the last fifth of the lifetime. */
static bool expires_soon(const struct fetch *shown, time_t now)
{
	time_t soon = (shown->not_after - shown->not_before) / 5;

	return shown->not_after - now < (soon < EXPIRES_SOON_S ? soon : EXPIRES_SOON_S);
}

static void judge_dates(struct doctor *d, const char *url, const struct fetch *shown)
{
	time_t now = time(NULL);
	CLEANUP(cleanup_free) char *left = distance(now, shown->not_after);
	CLEANUP(cleanup_free) char *early = distance(now, shown->not_before);

	if (shown->not_after == 0)
		return;
	if (shown->not_before > now)
		doctor_say(d, HEALTH_FAILED, url, CLOCK,
			   "by this host's clock the certificate begins to be valid in %s", early);
	else if (shown->not_after <= now)
		doctor_say(d, HEALTH_FAILED, url, RENEW, "the certificate has expired %s ago",
			   left);
	else if (expires_soon(shown, now))
		doctor_say(d, HEALTH_WARNING, url, RENEW, "the certificate expires in %s", left);
	else
		doctor_say(d, HEALTH_OK, url, NULL, "the certificate is valid for %s more", left);
}

/* If the dates are valid, the issuer or the name is wrong. */
static void judge_refusal(struct doctor *d, const char *url, const struct fetch *shown,
			  const char *message)
{
	time_t now = time(NULL);

	if (shown->not_after == 0 || (shown->not_before <= now && now < shown->not_after))
		doctor_say(d, HEALTH_WARNING, url,
			   "browsers refuse it as well, unless they know its issuer: is it for the "
			   "name in public_url, and is fullchain.pem the whole chain?",
			   "this host does not trust the certificate: %s", message);
}

/* ---- the result of /readyz ------------------------------------------------------------------- */

static const struct {
	const char *part, *advice;
} remedies[] = {
	{ "database", "start PostgreSQL, or correct \"database\" in fsa.conf" },
	{ "migrations", "run fsactl migrate, then systemctl restart fsa-api fsa-auth" },
	{ "databaseWrites",
	  "see what is said of PostgreSQL here, and journalctl -u fsa-api -p warning" },
	{ "ownerPrivateKey",
	  "systemd hands it to fsa-api: systemctl restart fsa-api, and see what is "
	  "said of keys here" },
	{ "clusterPublicKey", "fsa-api has to be able to read it: see what is said of keys here" },
	{ "logins", "journalctl -u fsa-auth -n 20 says why; then systemctl restart fsa-auth" },
	{ "reconciler", "systemctl status fsa-reconcile.timer fsa-reconcile; journalctl -u "
			"fsa-reconcile" },
};

static const char *find_remedy(const char *part)
{
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		if (strcmp(remedies[i].part, part) == 0)
			return remedies[i].advice;
	}
	return "journalctl -u fsa-api -p warning says why";
}

static void judge_parts(struct doctor *d, json_t *checks)
{
	const char *part;
	json_t *state;
	size_t failed = 0;

	json_object_foreach(checks, part, state)
	{
		const char *word = json_string_value(state);
		if (word == NULL || strcmp(word, "failed") != 0)
			continue; /* other findings report these, including live updates */
		failed++;
		doctor_say(d, HEALTH_FAILED, part, find_remedy(part),
			   "fails when a user comes (/readyz; the journal of fsa-api says why)");
	}
	if (failed == 0)
		doctor_say(d, HEALTH_OK, "/readyz", NULL,
			   "people can log in, and what they change is kept");
}

static void check_ready(struct doctor *d, const struct way *way)
{
	CLEANUP(fetch_clear) struct fetch answer;
	static const char advice[] =
		"systemctl status fsa-api; journalctl -u fsa-api -n 20 says why it "
		"does not answer";

	get(way, "/readyz", &answer);
	CLEANUP(json_decrefp)
	json_t *body = answer.body.length > 0
			       ? json_loadb(answer.body.data, answer.body.length, 0, NULL)
			       : NULL;
	json_t *checks = json_object_get(body, "checks");
	if (json_is_object(checks))
		judge_parts(d, checks);
	else if (answer.failure != FETCH_OK)
		doctor_say(d, HEALTH_FAILED, "/readyz", advice, "%s", answer.message);
	else
		doctor_say(d, HEALTH_FAILED, "/readyz", advice,
			   "HTTP %ld, and it is not api.fcgi who says so", answer.status);
}

/* ---- the page -------------------------------------------------------------------------------- */

static void judge_page(struct doctor *d, const struct way *way, const struct fetch *page)
{
	if (page->status == 200 && strncmp(page->type, "text/html", 9) == 0)
		doctor_say(d, HEALTH_OK, way->url, NULL, "serves the page");
	else
		doctor_say(
			d, HEALTH_FAILED, way->url,
			"is another site of nginx in the way (/etc/nginx/sites-enabled), and can "
			"www-data read the folder that \"root\" names? fsa-setup nginx enables "
			"ours",
			"GET / answers %ld, %s: not the page", page->status,
			page->type[0] != '\0' ? page->type : "no type");
}

/* Finds where nginx's site files listen, for a host that cannot reach its own public address. */
static bool find_local(const char *public_url, struct way *ret_way)
{
	static const struct way ways[] = {
		{ "http://localhost", "127.0.0.1:8080", NULL },
		{ NULL, "127.0.0.1:443", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		CLEANUP(fetch_clear) struct fetch alive;
		*ret_way = ways[i];
		if (ret_way->url == NULL)
			ret_way->url = public_url;
		get(ret_way, "/healthz", &alive);
		if (alive.failure == FETCH_OK && alive.status == 200)
			return true;
	}
	return false;
}

/* Reports an address that does not respond; finds another way if nginx is on this host. */
static bool find_way(struct doctor *d, struct way *way, const struct fetch *page)
{
	const char *url = way->url;
	bool is_local = find_local(url, way);

	if (is_local)
		doctor_say(
			d, HEALTH_WARNING, url,
			"if users reach it, from elsewhere, all is well; if not: name, route, and "
			"what is in front of nginx",
			"cannot be reached from this host (%s); nginx here answers", page->message);
	else
		doctor_say(d, HEALTH_FAILED, url,
			   "systemctl status nginx, and nginx -t; is the site enabled (fsa-setup "
			   "nginx), and does public_url lead here?",
			   "nobody answers: %s", page->message);
	return is_local;
}

/* Gets the page at public_url. A certificate that browsers would refuse is reported and then
 * accepted. */
static void get_page(struct doctor *d, struct way *way, struct fetch *page)
{
	char refusal[sizeof(page->message)];

	get(way, "/", page);
	if (page->failure != FETCH_CERTIFICATE)
		return;
	(void)snprintf(refusal, sizeof(refusal), "%s", page->message);
	fetch_clear(page);
	way->ca_file = NULL;
	get(way, "/", page);
	judge_refusal(d, way->url, page, refusal);
}

/* ---- visits to stopped sandboxes ------------------------------------------------------------- */

/* Asks as the cluster's ingress would, for an address that no sandbox has. */
static void check_visits(struct doctor *d)
{
	const struct conf *conf = d->call->conf;
	const char *service = conf_string(conf, CONF_WAKE_SERVICE);
	CLEANUP(fetch_clear) struct fetch answer = { .failure = FETCH_OK };

	if (service == NULL)
		return;
	CLEANUP(cleanup_free)
	char *url = mem_printf("http://nobodysplace.%s/", conf_string(conf, CONF_INGRESS_DOMAIN));
	CLEANUP(cleanup_free)
	char *address = mem_printf("%s:%llu", service,
				   (unsigned long long)conf_number(conf, CONF_WAKE_PORT));
	fetch_get(url, address, NULL, &answer);
	if (answer.failure == FETCH_OK && answer.status == 503 &&
	    strncmp(answer.type, "text/plain", 10) == 0)
		doctor_say(d, HEALTH_OK, "wake_service", NULL,
			   "visits to stopped sandboxes are answered at %s", address);
	else
		doctor_say(d, HEALTH_WARNING, "wake_service",
			   "fsa-setup nginx writes the server for them; wake_service and wake_port "
			   "in fsa.conf say where it is",
			   "visits to stopped sandboxes are not answered at %s: %s", address,
			   answer.failure != FETCH_OK ? answer.message : "another server is there");
}

void doctor_site(struct doctor *d)
{
	CLEANUP(fetch_clear) struct fetch page;
	struct way way = {
		.url = conf_string(d->call->conf, CONF_PUBLIC_URL),
		.ca_file = conf_string(d->call->conf, CONF_PROVIDER_CA_FILE),
	};

	check_visits(d);
	get_page(d, &way, &page);
	if (page.failure != FETCH_OK) {
		if (!find_way(d, &way, &page))
			return;
		fetch_clear(&page);
		get(&way, "/", &page);
	}
	judge_dates(d, way.url, &page);
	judge_page(d, &way, &page);
	check_ready(d, &way);
}
