#include "api.h"

#include "base/cleanup.h"
#include "base/lockfile.h"
#include "base/log.h"
#include "base/metric.h"
#include "store/maintenance.h"
#include "store/queue.h"

enum { METRICS_MAX = 16 << 20, DUE_ROWS_MAX = 100000 };

static uint64_t known(bool is_known, uint64_t value)
{
	return is_known ? value : METRIC_UNKNOWN;
}

/* What all reconcilers share, so it is the same on every host. */
static void look_at_database(struct db *db)
{
	struct queue_backlog backlog = { 0 };
	CLEANUP(json_decrefp) json_t *maintenance = NULL;
	struct err e;
	bool up = queue_backlog(db, DUE_ROWS_MAX, &backlog, &e) == 0 &&
		  maintenance_get(db, &maintenance, &e) == 0;

	if (!up)
		log_err(LOG_LEVEL_WARNING, "the queue's metrics are missing", &e);
	metric_set(METRIC_DATABASE_UP, up, NULL);
	metric_set(METRIC_QUEUE_DUE, known(up, backlog.due), NULL);
	metric_set(METRIC_QUEUE_OLDEST, known(up, backlog.oldest_ms / 1000), NULL);
	metric_set(METRIC_QUEUE_LEASED, known(up, backlog.leased), NULL);
	metric_set(METRIC_QUEUE_DEBTORS, known(up, backlog.debtors), NULL);
	metric_set(METRIC_MAINTENANCE, known(up, !json_is_null(maintenance)), NULL);
}

/* The same as in /readyz. fsa-events itself cannot report that it has ended. */
static void look_at_streams(const struct conf *conf)
{
	bool flows = lockfile_is_held(conf_string(conf, CONF_EVENTS_STATE_FILE));

	metric_set(METRIC_LIVE_FLOWS, flows, NULL);
}

/* What this host's programs have counted, and what the database says about the queue. */
int metrics_read(struct call *c, struct err *e)
{
	CLEANUP(buf_release) struct buf text = BUF_INIT(METRICS_MAX);
	const char *directory = conf_string(api_conf(c), CONF_METRICS_DIR);

	look_at_database(c->db);
	look_at_streams(api_conf(c));
	if (metric_render(directory, &text, e) < 0) {
		if (e->kind == ERR_TOO_LARGE)
			return -1;
		log_err(LOG_LEVEL_WARNING, "a program's metrics are missing", e);
	}
	response_document(c->response, 200, "text/plain; version=0.0.4; charset=utf-8", text.data);
	return 0;
}
