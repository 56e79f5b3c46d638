/* Tests what the pure parts of the reconciler conclude from a cluster's objects. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "reconcile/accept.h"
#include "reconcile/applied.h"
#include "reconcile/assess.h"
#include "reconcile/diagnose.h"
#include "reconcile/kind.h"
#include "reconcile/observe.h"
#include "reconcile/restarts.h"
#include "reconcile/wake.h"
#include "reconcile/warn.h"

#define ID     "11111111-1111-4111-8111-111111111111"
#define LABELS "\"labels\": {\"project.fullstackagent.io/resource\": \"" ID "\"}"

static void cleanup_json(json_t **value)
{
	json_decref(*value);
}

static void cleanup_observation(struct observation **o)
{
	observation_free(*o);
}

static struct view view_of(const struct queue_row *row, const struct observation *o, json_t *kept)
{
	return (struct view) { kind_of_row(row), row, o, kept, NULL };
}

static struct assessment assess_row(const struct queue_row *row, const struct observation *o)
{
	const struct view v = view_of(row, o, NULL);

	return assess_objects(&v, "h");
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, 0, &error);

	ck_assert_msg(value != NULL, "%s: %s", error.text, text);
	return value;
}

/* ---- diagnose -------------------------------------------------------------------------------- */

static const struct {
	const char *pod;
	enum err_kind kind; /* ERR_KIND_COUNT: nothing is wrong */
	const char *message;
} pods[] = {
	{ "{\"status\": {\"phase\": \"Pending\"}}", ERR_KIND_COUNT, NULL },
	{ "{\"status\": {\"containerStatuses\": [{\"state\": {\"waiting\": {\"reason\": "
	  "\"ContainerCreating\"}}}]}}",
	  ERR_KIND_COUNT, NULL },
	{ "{\"status\": {\"containerStatuses\": [{\"state\": {\"waiting\": {\"reason\": "
	  "\"ImagePullBackOff\", \"message\": \"Back-off pulling image \\\"x\\\"\"}}}]}}",
	  ERR_POD_IMAGE, "the image cannot be pulled: Back-off pulling image \"x\"" },
	{ "{\"status\": {\"initContainerStatuses\": [{\"state\": {\"waiting\": {\"reason\": "
	  "\"ErrImagePull\"}}}]}}",
	  ERR_POD_IMAGE, "the image cannot be pulled" },
	{ "{\"status\": {\"containerStatuses\": [{\"restartCount\": 4, \"state\": {\"waiting\": "
	  "{\"reason\": \"CrashLoopBackOff\"}}, \"lastState\": {\"terminated\": {\"exitCode\": "
	  "137, "
	  "\"reason\": \"OOMKilled\"}}}]}}",
	  ERR_POD_CRASH,
	  "the container ends again and again: it last ended with exit code 137 (OOMKilled) after "
	  "4 "
	  "restarts" },
	{ "{\"status\": {\"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", "
	  "\"reason\": \"Unschedulable\", \"message\": \"0/1 nodes are available\"}]}}",
	  ERR_POD_UNSCHEDULABLE, "no node can take the pod: 0/1 nodes are available" },
	{ "{\"status\": {\"phase\": \"Failed\", \"reason\": \"Evicted\", \"message\": \"disk\"}}",
	  ERR_POD_CRASH, "the pod failed: disk" },
	{ "{\"status\": []}", ERR_KIND_COUNT, NULL },
	{ "{\"status\": {\"containerStatuses\": {\"state\": 1}}}", ERR_KIND_COUNT, NULL },
};

START_TEST(a_pod_tells_what_is_wrong_with_it)
{
	struct err cause;
	CLEANUP(cleanup_json) json_t *pod = parse(pods[_i].pod);
	bool found = diagnose_pod(pod, &cause);

	ck_assert_int_eq(found, pods[_i].kind != ERR_KIND_COUNT);
	if (found) {
		ck_assert_int_eq(cause.kind, pods[_i].kind);
		ck_assert_str_eq(cause.message, pods[_i].message);
	}
}
END_TEST

START_TEST(a_container_that_ended_before_is_restarted_until_it_is_ready)
{
	static const char *const format =
		"{\"status\": {\"containerStatuses\": [{\"ready\": %s, \"restartCount\": 2, "
		"\"state\": {\"running\": {}}, \"lastState\": {%s}}]}}";
	static const char *const terminated =
		"\"terminated\": {\"exitCode\": 1, \"reason\": \"Error\"}";
	static const struct {
		const char *ready, *last;
		bool found;
	} cases[] = {
		{ "false", terminated, true },
		{ "true", terminated, false },
		{ "false", "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err cause;
		CLEANUP(cleanup_free)
		char *text = mem_printf(format, cases[i].ready, cases[i].last);
		CLEANUP(cleanup_json) json_t *pod = parse(text);
		ck_assert(!diagnose_pod(pod, &cause));
		ck_assert_int_eq(diagnose_restarted_pod(pod, &cause), cases[i].found);
		if (cases[i].found)
			ck_assert_str_eq(cause.message,
					 "the container ends again and again: it last ended with "
					 "exit code 1 (Error) after 2 restarts");
	}
}
END_TEST

#define EVENT(uid, type, reason, at, message)                                                      \
	"{\"involvedObject\": {\"uid\": \"" uid "\"}, \"type\": \"" type                           \
	"\", \"reason\": \"" reason "\", \"lastTimestamp\": \"2026-01-01T00:00:" at                \
	"Z\", \"message\": \"" message "\"}"
#define QUOTA "pods a-0 is forbidden: exceeded quota: q, requested: pods=1"

/* What events about the pod `p`, at any time, and about the set `s`, from the fifth second on, are
 * taken to mean. */
static const struct {
	const char *title;
	const char *events;
	bool probes_count;
	const char *code; /* NULL: nothing */
	enum err_kind kind;
} happenings[] = {
	{ "the newest counts",
	  "[" EVENT("s", "Warning", "FailedCreate", "09",
		    QUOTA) ", " EVENT("p", "Warning", "FailedMount", "08", "old") "]",
	  true, "FailedCreate", ERR_KUBE_QUOTA },
	{ "what is no warning, or not in the table, tells nothing",
	  "[" EVENT("p", "Normal", "FailedMount", "09",
		    "no warning") ", " EVENT("p", "Warning", "Other", "09", "unknown") "]",
	  true, NULL, ERR_KIND_COUNT },
	{ "a predecessor of the same name is another object",
	  "[" EVENT("before", "Warning", "FailedMount", "09", "of the pod before") "]", true, NULL,
	  ERR_KIND_COUNT },
	{ "what is older than this start is over",
	  "[" EVENT("s", "Warning", "FailedCreate", "04", QUOTA) "]", true, NULL, ERR_KIND_COUNT },
	{ "what is of the same second may be of before",
	  "[" EVENT("s", "Warning", "FailedCreate", "05", QUOTA) "]", true, NULL, ERR_KIND_COUNT },
	{ "what lasts is reported again",
	  "[" EVENT("s", "Warning", "FailedCreate", "06", QUOTA) "]", true, "FailedCreate",
	  ERR_KUBE_QUOTA },
	{ "a step that was done ends what was wrong before it",
	  "[" EVENT("p", "Warning", "FailedMount", "08",
		    "mount") ", " EVENT("p", "Normal", "Pulling", "08", "image") "]",
	  true, NULL, ERR_KIND_COUNT },
	{ "a step before it does not",
	  "[" EVENT("p", "Warning", "FailedMount", "08",
		    "mount") ", " EVENT("p", "Normal", "Scheduled", "09", "node") "]",
	  true, "FailedMount", ERR_POD_MOUNT },
	{ "nor does a step of another object",
	  "[" EVENT("p", "Warning", "FailedMount", "08",
		    "mount") ", " EVENT("s", "Normal", "Pulling", "09", "image") "]",
	  true, "FailedMount", ERR_POD_MOUNT },
	{ "a probe that fails", "[" EVENT("p", "Warning", "Unhealthy", "08", "probe") "]", true,
	  "Unhealthy", ERR_POD_UNREADY },
	{ "a probe that may still fail", "[" EVENT("p", "Warning", "Unhealthy", "08", "probe") "]",
	  false, NULL, ERR_KIND_COUNT },
};

START_TEST(events_are_evidence_of_the_present)
{
	CLEANUP(cleanup_json) json_t *events = parse(happenings[_i].events);
	CLEANUP(cleanup_json)
	json_t *since = parse("{\"p\": \"\", \"s\": \"2026-01-01T00:00:05Z\"}");
	struct err cause = { .kind = ERR_KIND_COUNT };
	bool found = diagnose_events(events, since, happenings[_i].probes_count, &cause);

	ck_assert_msg(found == (happenings[_i].code != NULL), "%s", happenings[_i].title);
	ck_assert_msg(cause.kind == happenings[_i].kind, "%s", happenings[_i].title);
	if (found)
		ck_assert_str_eq(cause.code, happenings[_i].code);
}
END_TEST

START_TEST(a_cluster_that_failed_or_cannot_begin_says_why)
{
	struct err cause;
	CLEANUP(cleanup_json)
	json_t *failed =
		parse("{\"status\": {\"phase\": \"Failed\", \"conditions\": [{\"type\": \"Ready\", "
		      "\"status\": \"False\", \"message\": \"pods are not ready\"}]}}");
	CLEANUP(cleanup_json)
	json_t *refused = parse(
		"{\"status\": {\"conditions\": [{\"type\": \"ProvisioningStarted\", \"status\": "
		"\"False\", \"message\": \"ClusterDefinition not found\"}]}}");
	CLEANUP(cleanup_json) json_t *young = parse("{\"status\": {}}");

	ck_assert(diagnose_cluster(failed, &cause));
	ck_assert_int_eq(cause.kind, ERR_DATABASE_FAILED);
	ck_assert_str_eq(cause.code, "Failed");
	ck_assert(diagnose_cluster(refused, &cause));
	ck_assert_ptr_nonnull(strstr(cause.message, "ClusterDefinition not found"));
	ck_assert(!diagnose_cluster(young, &cause));
}
END_TEST

/* ---- assess ---------------------------------------------------------------------------------- */

#define HASH_ANNOTATION(hash)                                                                      \
	"\"annotations\": {\"project.fullstackagent.io/spec-hash\": \"" hash "\"}"
#define META(name, hash)                                                                           \
	"\"metadata\": {\"name\": \"" name "\", \"generation\": 2, " LABELS                        \
	", " HASH_ANNOTATION(hash) "}"
#define SET(hash, replicas, status)                                                                \
	"{" META("box", hash) ", \"spec\": {\"replicas\": " replicas "}, \"status\": {" status "}" \
			      "}"
#define ROLLED_OUT                                                                                 \
	"\"observedGeneration\": 2, \"replicas\": 1, \"readyReplicas\": 1, \"updatedReplicas\": "  \
	"1, "                                                                                      \
	"\"currentRevision\": \"r2\", \"updateRevision\": \"r2\""
#define ROLLING                                                                                    \
	"\"observedGeneration\": 2, \"replicas\": 1, \"updatedReplicas\": 1, "                     \
	"\"currentRevision\": "                                                                    \
	"\"r1\", \"updateRevision\": \"r2\""
#define POD(revision, status)                                                                      \
	"{\"metadata\": {\"name\": \"box-0\", \"uid\": \"u\", \"labels\": "                        \
	"{\"project.fullstackagent.io/resource\": \"" ID "\", \"controller-revision-hash\": "      \
	"\"" revision "\"}}, \"status\": {" status "}}"
#define RUNNING_CONTAINER                                                                          \
	"\"podIP\": \"10.0.0.1\", \"containerStatuses\": [{\"state\": {\"running\": {}}}]"
#define WAITING(reason)                                                                            \
	"\"containerStatuses\": [{\"state\": {\"waiting\": {\"reason\": \"" reason "\"}}}]"
#define UNSCHEDULABLE(message)                                                                     \
	"\"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", "                    \
	"\"reason\": \"Unschedulable\", \"message\": \"0/2 nodes are available: " message "\"}]"
#define UNBOUND "pod has unbound immediate PersistentVolumeClaims."

static const struct {
	const char *title;
	enum desired desired;
	enum status reported;
	uint64_t age_ms;
	const char *objects;
	enum observed observed;
	enum stage stage;
	bool stuck;
} sandboxes[] = {
	{ "nothing is there", DESIRED_RUNNING, STATUS_CREATING, 0,
	  "{\"statefulsets\": [], \"pods\": []}", OBSERVED_ABSENT, STAGE_CONTAINER, false },
	{ "somebody else's objects do not count", DESIRED_RUNNING, STATUS_CREATING, 0,
	  "{\"statefulsets\": [{\"metadata\": {\"name\": \"box\"}}], \"pods\": []}",
	  OBSERVED_ABSENT, STAGE_CONTAINER, false },
	{ "ready and current", DESIRED_RUNNING, STATUS_STARTING, 0,
	  "{\"statefulsets\": [" SET("h", "1",
				     ROLLED_OUT) "], \"pods\": [" POD("r2", RUNNING_CONTAINER) "]}",
	  OBSERVED_READY, STAGE_READY, false },
	{ "ready, but the controller has not seen the newest spec", DESIRED_RUNNING,
	  STATUS_UPDATING, 0,
	  "{\"statefulsets\": [" SET("h", "1",
				     "\"observedGeneration\": 1, \"readyReplicas\": 1, "
				     "\"updatedReplicas\": 1") "], \"pods\": []}",
	  OBSERVED_PROGRESSING, STAGE_CONTAINER, false },
	{ "of another spec", DESIRED_RUNNING, STATUS_RUNNING, 0,
	  "{\"statefulsets\": [" SET("old", "1", ROLLED_OUT) "], \"pods\": []}", OBSERVED_OUTDATED,
	  STAGE_CONTAINER, false },
	{ "scaled to zero", DESIRED_RUNNING, STATUS_STOPPED, 0,
	  "{\"statefulsets\": [" SET("h", "0", "\"observedGeneration\": 2") "], \"pods\": []}",
	  OBSERVED_STOPPED, STAGE_CONTAINER, false },
	{ "rolling out", DESIRED_RUNNING, STATUS_STARTING, 0,
	  "{\"statefulsets\": [" SET("h", "1",
				     ROLLING) "], \"pods\": [" POD("r2", RUNNING_CONTAINER) "]}",
	  OBSERVED_PROGRESSING, STAGE_TERMINAL, false },
	{ "a container that runs in a pod without an address", DESIRED_RUNNING, STATUS_STARTING, 0,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": [" POD(
		  "r2", "\"containerStatuses\": [{\"state\": {\"running\": {}}}]") "]}",
	  OBSERVED_PROGRESSING, STAGE_NETWORK, false },
	{ "the image cannot be pulled", DESIRED_RUNNING, STATUS_STARTING, 0,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": [" POD(
		  "r2", WAITING("ImagePullBackOff")) "]}",
	  OBSERVED_BROKEN, STAGE_CONTAINER, false },
	{ "no node has room", DESIRED_RUNNING, STATUS_STARTING, 0,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": [" POD(
		  "r2", UNSCHEDULABLE("Insufficient cpu")) "]}",
	  OBSERVED_BROKEN, STAGE_CONTAINER, false },
	{ "a volume is being made", DESIRED_RUNNING, STATUS_STARTING, 14000,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": [" POD(
		  "r2", UNSCHEDULABLE(UNBOUND)) "]}",
	  OBSERVED_PROGRESSING, STAGE_CONTAINER, false },
	{ "a volume is not made", DESIRED_RUNNING, STATUS_STARTING, 16000,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": [" POD(
		  "r2", UNSCHEDULABLE(UNBOUND)) "]}",
	  OBSERVED_BROKEN, STAGE_CONTAINER, false },
	{ "a broken pod of the last revision holds up the new one", DESIRED_RUNNING,
	  STATUS_UPDATING, 0,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": [" POD(
		  "r1", WAITING("CrashLoopBackOff")) "]}",
	  OBSERVED_PROGRESSING, STAGE_CONTAINER, true },
	{ "no pod yet", DESIRED_RUNNING, STATUS_STARTING, 1000,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": []}", OBSERVED_PROGRESSING,
	  STAGE_CONTAINER, false },
	{ "no pod for long: only events tell why", DESIRED_RUNNING, STATUS_STARTING, 6000,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": []}", OBSERVED_BROKEN,
	  STAGE_CONTAINER, false },
	{ "a container that is being made for long", DESIRED_RUNNING, STATUS_STARTING, 16000,
	  "{\"statefulsets\": [" SET("h", "1", ROLLING) "], \"pods\": [" POD(
		  "r2", WAITING("ContainerCreating")) "]}",
	  OBSERVED_BROKEN, STAGE_CONTAINER, false },
	{ "a terminal that does not answer for long", DESIRED_RUNNING, STATUS_STARTING, 61000,
	  "{\"statefulsets\": [" SET("h", "1",
				     ROLLING) "], \"pods\": [" POD("r2", RUNNING_CONTAINER) "]}",
	  OBSERVED_BROKEN, STAGE_TERMINAL, false },
	{ "being deleted", DESIRED_RUNNING, STATUS_RUNNING, 0,
	  "{\"statefulsets\": [{\"metadata\": {\"name\": \"box\", \"deletionTimestamp\": "
	  "\"2026-01-01T00:00:00Z\", " LABELS "}}], \"pods\": []}",
	  OBSERVED_DELETING, STAGE_CONTAINER, false },
	{ "stopped", DESIRED_STOPPED, STATUS_STOPPING, 0,
	  "{\"statefulsets\": [" SET("h", "0", "\"observedGeneration\": 2") "], \"pods\": []}",
	  OBSERVED_STOPPED, STAGE_CONTAINER, false },
	{ "stopped, with other variables since", DESIRED_STOPPED, STATUS_STOPPED, 0,
	  "{\"statefulsets\": [" SET("old", "0", "\"observedGeneration\": 2") "], \"pods\": []}",
	  OBSERVED_STALE, STAGE_CONTAINER, false },
	{ "zero replicas in the middle of a roll-out are not stopped", DESIRED_STOPPED,
	  STATUS_STOPPING, 0,
	  "{\"statefulsets\": [" SET("h", "0", "\"observedGeneration\": 1") "], \"pods\": []}",
	  OBSERVED_PROGRESSING, STAGE_CONTAINER, false },
	{ "a pod is left", DESIRED_STOPPED, STATUS_STOPPING, 0,
	  "{\"statefulsets\": [" SET("h", "0", "\"observedGeneration\": 2") "], \"pods\": [" POD(
		  "r2", RUNNING_CONTAINER) "]}",
	  OBSERVED_PROGRESSING, STAGE_TERMINAL, false },
	{ "runs, and should not", DESIRED_STOPPED, STATUS_STOPPING, 0,
	  "{\"statefulsets\": [" SET("h", "1", ROLLED_OUT) "], \"pods\": []}", OBSERVED_OUTDATED,
	  STAGE_CONTAINER, false },
	{ "gone", DESIRED_GONE, STATUS_TERMINATING, 0,
	  "{\"statefulsets\": [], \"pods\": [], \"persistentvolumeclaims\": []}", OBSERVED_ABSENT,
	  STAGE_CONTAINER, false },
	{ "the volume is left", DESIRED_GONE, STATUS_TERMINATING, 0,
	  "{\"statefulsets\": [], \"pods\": [], \"persistentvolumeclaims\": [{\"metadata\": "
	  "{\"name\": \"v\", " LABELS "}}]}",
	  OBSERVED_PROGRESSING, STAGE_CONTAINER, false },
	{ "the pod is on its way out", DESIRED_GONE, STATUS_TERMINATING, 0,
	  "{\"statefulsets\": [], \"pods\": [{\"metadata\": {\"name\": \"p\", "
	  "\"deletionTimestamp\": \"2026-01-01T00:00:00Z\", " LABELS "}}]}",
	  OBSERVED_DELETING, STAGE_CONTAINER, false },
};

START_TEST(a_sandbox_is_assessed)
{
	struct queue_row row = {
		.id = ID,
		.kind = RESOURCE_SANDBOX,
		.name = "box",
		.desired = sandboxes[_i].desired,
		.status = sandboxes[_i].reported,
		.status_age_ms = sandboxes[_i].age_ms,
		.stage = STAGE_CONTAINER,
	};
	CLEANUP(cleanup_json) json_t *lists = parse(sandboxes[_i].objects);
	CLEANUP(cleanup_observation) struct observation *o = observation_from_json(lists, 0);
	struct assessment a = assess_row(&row, o);

	ck_assert_msg(a.observed == sandboxes[_i].observed, "%s: %s", sandboxes[_i].title,
		      observed_name(a.observed));
	ck_assert_msg(!a.has_cause || a.observed == OBSERVED_BROKEN || a.stuck_pod != NULL, "%s",
		      sandboxes[_i].title);
	ck_assert_msg(a.stage == sandboxes[_i].stage, "%s: %s", sandboxes[_i].title,
		      stage_name(a.stage));
	ck_assert_msg((a.stuck_pod != NULL) == sandboxes[_i].stuck, "%s", sandboxes[_i].title);
}
END_TEST

/* On a busy cluster, the row has had its status for ten minutes, but the cluster has only now
 * processed it. */
#define AT(minute, second) "\"2026-01-01T00:" minute ":" second "Z\""
#define APPLIED_SET(at)                                                                            \
	"{\"metadata\": {\"name\": \"box\", \"generation\": 2, " LABELS                            \
	", \"annotations\": {\"project.fullstackagent.io/spec-hash\": \"h\"}, \"managedFields\": " \
	"[{\"manager\": \"fullstack-agent\", \"operation\": \"Apply\", \"time\": " at              \
	"}]}, \"spec\": {\"replicas\": 1}, \"status\": {\"observedGeneration\": 2, "               \
	"\"updateRevision\": \"r2\"}}"
#define DATED_POD(created, scheduled, containers)                                                  \
	"{\"metadata\": {\"name\": \"box-0\", \"creationTimestamp\": " created                     \
	", \"labels\": {\"project.fullstackagent.io/resource\": \"" ID                             \
	"\", \"controller-revision-hash\": \"r2\"}}, \"status\": {\"conditions\": [{\"type\": "    \
	"\"PodScheduled\", \"status\": \"True\", \"lastTransitionTime\": " scheduled               \
	"}], \"containerStatuses\": [{\"state\": " containers "}]}}"

static const struct {
	const char *title, *set, *pods;
	enum observed observed;
} busy[] = {
	{ "the set was changed a moment ago", APPLIED_SET(AT("09", "58")), "",
	  OBSERVED_PROGRESSING },
	{ "the set was changed, and has no pod", APPLIED_SET(AT("09", "50")), "", OBSERVED_BROKEN },
	{ "the pod has just got a node", APPLIED_SET(AT("00", "01")),
	  DATED_POD(AT("01", "00"), AT("09", "50"), "{\"waiting\": {}}"), OBSERVED_PROGRESSING },
	{ "the pod has had a node for long", APPLIED_SET(AT("00", "01")),
	  DATED_POD(AT("01", "00"), AT("09", "40"), "{\"waiting\": {}}"), OBSERVED_BROKEN },
	{ "the container was started a moment ago", APPLIED_SET(AT("00", "01")),
	  DATED_POD(AT("01", "00"), AT("01", "00"),
		    "{\"running\": {\"startedAt\": " AT("09", "30") "}}"),
	  OBSERVED_PROGRESSING },
	{ "the container has run for long and does not answer", APPLIED_SET(AT("00", "01")),
	  DATED_POD(AT("01", "00"), AT("01", "00"),
		    "{\"running\": {\"startedAt\": " AT("08", "30") "}}"),
	  OBSERVED_BROKEN },
};

START_TEST(what_is_expected_is_counted_from_the_objects_own_times)
{
	enum { TEN_PAST = 1767226200 }; /* 2026-01-01T00:10:00Z */
	struct queue_row row = {
		.id = ID,
		.kind = RESOURCE_SANDBOX,
		.name = "box",
		.desired = DESIRED_RUNNING,
		.status = STATUS_STARTING,
		.status_age_ms = 600000,
	};
	CLEANUP(cleanup_free)
	char *text =
		mem_printf("{\"statefulsets\": [%s], \"pods\": [%s]}", busy[_i].set, busy[_i].pods);
	CLEANUP(cleanup_json) json_t *lists = parse(text);
	CLEANUP(cleanup_observation)
	struct observation *o = observation_from_json(lists, TEN_PAST);

	struct assessment a = assess_row(&row, o);
	ck_assert_msg(a.observed == busy[_i].observed, "%s: %s", busy[_i].title,
		      observed_name(a.observed));
	/* However old the objects are: the row's status has just begun. */
	row.status_age_ms = 0;
	ck_assert_int_eq(assess_row(&row, o).observed, OBSERVED_PROGRESSING);
}
END_TEST

START_TEST(what_was_applied_is_known_of_one_desired_state_until_it_is_forgotten)
{
	CLEANUP(cleanup_json) json_t *kept = json_object();
	CLEANUP(cleanup_json)
	json_t *secret = parse("{\"kind\": \"Secret\", \"metadata\": {\"name\": \"x\"}}");
	CLEANUP(cleanup_json)
	json_t *other = parse("{\"kind\": \"Service\", \"metadata\": {\"name\": \"x\"}}");

	ck_assert(!applied_has(kept, "h", secret));
	applied_note(kept, "h", secret);
	ck_assert(applied_has(kept, "h", secret));
	ck_assert(!applied_has(kept, "h", other));
	ck_assert(!applied_has(kept, "i", secret));
	applied_note(kept, "i", other);
	ck_assert(!applied_has(kept, "i", secret));
	applied_forget(kept);
	ck_assert(!applied_has(kept, "i", other));
}
END_TEST

START_TEST(a_sandbox_waits_for_the_credentials_of_its_database)
{
	struct queue_row row = {
		.id = ID,
		.kind = RESOURCE_SANDBOX,
		.name = "box",
		.database_name = "box-db",
	};
	CLEANUP(cleanup_json) json_t *lists = parse("{\"statefulsets\": [], \"pods\": []}");
	CLEANUP(cleanup_observation) struct observation *o = observation_from_json(lists, 0);
	struct assessment a = assess_row(&row, o);

	ck_assert_int_eq(a.observed, OBSERVED_BLOCKED);
	ck_assert_int_eq(a.stage, STAGE_DATABASE);
	row.connection.host = "box-db-postgresql";
	ck_assert_int_eq(assess_row(&row, o).observed, OBSERVED_ABSENT);
}
END_TEST

START_TEST(what_was_asked_for_is_not_done_before_the_database_is)
{
	static const struct {
		enum status reported, database;
		enum observed observed;
	} rows[] = {
		{ STATUS_STARTING, STATUS_STARTING, OBSERVED_BLOCKED },
		{ STATUS_CREATING, STATUS_CREATING, OBSERVED_BLOCKED },
		{ STATUS_UPDATING, STATUS_UPDATING, OBSERVED_BLOCKED },
		{ STATUS_STARTING, STATUS_RUNNING, OBSERVED_READY },
		/* it is useful without the database */
		{ STATUS_STARTING, STATUS_ERROR, OBSERVED_READY },
		{ STATUS_RUNNING, STATUS_STARTING, OBSERVED_READY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct queue_row row = {
			.kind = RESOURCE_SANDBOX,
			.status = rows[i].reported,
			.database_name = "box-db",
			.connection.host = "box-db-postgresql",
			.database_status = rows[i].database,
		};
		struct assessment a = { .observed = OBSERVED_READY, .stage = STAGE_READY };
		const struct view v = view_of(&row, NULL, NULL);
		assess_dependency(&v, &a);
		ck_assert_msg(a.observed == rows[i].observed, "row %zu: %s", i,
			      observed_name(a.observed));
		ck_assert_int_eq(a.stage,
				 a.observed == OBSERVED_READY ? STAGE_READY : STAGE_DATABASE);
	}
}
END_TEST

static const struct {
	const char *title;
	enum status reported;
	const char *replicas, *set_status;
	enum observed observed;
	enum stage stage;
} bereft[] = {
	{ "runs, and goes on", STATUS_RUNNING, "1", ROLLED_OUT, OBSERVED_READY, STAGE_READY },
	{ "what was asked for waits", STATUS_UPDATING, "1", ROLLED_OUT, OBSERVED_BLOCKED,
	  STAGE_DATABASE },
	{ "is not started", STATUS_STARTING, "0", "\"observedGeneration\": 2", OBSERVED_BLOCKED,
	  STAGE_DATABASE },
};

START_TEST(a_sandbox_whose_database_is_made_anew_is_left_as_it_is)
{
	struct queue_row row = {
		.id = ID,
		.kind = RESOURCE_SANDBOX,
		.name = "box",
		.database_name = "box-db",
		.status = bereft[_i].reported,
	};
	CLEANUP(cleanup_free)
	char *text = mem_printf(
		"{\"statefulsets\": [{" META(
			"box", "with the old address") ", "
						       "\"spec\": {\"replicas\": %s}, \"status\": "
						       "{%s}}], \"pods\": []}",
		bereft[_i].replicas, bereft[_i].set_status);
	CLEANUP(cleanup_json) json_t *lists = parse(text);
	CLEANUP(cleanup_observation) struct observation *o = observation_from_json(lists, 0);
	struct assessment a = assess_row(&row, o);

	const struct view v = view_of(&row, o, NULL);
	assess_dependency(&v, &a);
	ck_assert_msg(a.observed == bereft[_i].observed && a.stage == bereft[_i].stage,
		      "%s: %s, %s", bereft[_i].title, observed_name(a.observed),
		      stage_name(a.stage));
}
END_TEST

static bool drifts(const struct queue_row *row, const json_t *desired, const struct observation *o)
{
	const struct view v = view_of(row, o, NULL);

	return assess_drift(&v, desired);
}

START_TEST(drift_of_a_running_sandbox_is_seen)
{
	struct queue_row row = {
		.id = ID, .kind = RESOURCE_SANDBOX, .name = "box", .status = STATUS_RUNNING
	};
	CLEANUP(cleanup_json)
	json_t *desired = parse(
		"[{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"s\"}, "
		"\"spec\": {\"type\": \"ClusterIP\"}},"
		" {\"apiVersion\": \"apps/v1\", \"kind\": \"StatefulSet\", " META("box", "h") "}]");
	CLEANUP(cleanup_json)
	json_t *lists = parse("{\"statefulsets\": [" SET(
		"h", "1", ROLLED_OUT) "], \"pods\": [], \"services\": "
				      "[{\"metadata\": {\"name\": \"s\", " LABELS
				      "}, \"spec\": {\"type\": \"ClusterIP\", "
				      "\"clusterIP\": \"10.1.1.1\"}}]}");
	CLEANUP(cleanup_observation) struct observation *o = observation_from_json(lists, 0);

	ck_assert_int_eq(assess_row(&row, o).observed, OBSERVED_READY);
	ck_assert(!drifts(&row, desired, o));
	json_t *service = json_array_get(json_object_get(lists, "services"), 0);
	json_object_set_new(json_object_get(service, "spec"), "type", json_string("NodePort"));
	ck_assert(drifts(&row, desired, o));
	json_array_clear(json_object_get(lists, "services"));
	CLEANUP(cleanup_observation) struct observation *without = observation_from_json(lists, 0);
	ck_assert(drifts(&row, desired, without));
}
END_TEST

#define CLUSTER(hash, component, status)                                                           \
	"{\"clusters\": [{" META("db", hash) ", \"spec\": {\"componentSpecs\": [{" component       \
					     "}]}, \"status\": {" status "}}]}"

static const struct {
	const char *title;
	enum desired desired;
	const char *host;
	const char *objects;
	enum observed observed;
} databases[] = {
	{ "absent", DESIRED_RUNNING, NULL, "{\"clusters\": []}", OBSERVED_ABSENT },
	{ "no phase yet", DESIRED_RUNNING, NULL, CLUSTER("h", "\"replicas\": 1", ""),
	  OBSERVED_PROGRESSING },
	{ "running, credentials unknown", DESIRED_RUNNING, NULL,
	  CLUSTER("h", "\"replicas\": 1", "\"observedGeneration\": 2, \"phase\": \"Running\""),
	  OBSERVED_PROGRESSING },
	{ "running", DESIRED_RUNNING, "host",
	  CLUSTER("h", "\"replicas\": 1", "\"observedGeneration\": 2, \"phase\": \"Running\""),
	  OBSERVED_READY },
	{ "a stale phase", DESIRED_RUNNING, "host",
	  CLUSTER("h", "\"replicas\": 1", "\"observedGeneration\": 1, \"phase\": \"Running\""),
	  OBSERVED_PROGRESSING },
	{ "failed", DESIRED_RUNNING, "host",
	  CLUSTER("h", "\"replicas\": 1", "\"observedGeneration\": 2, \"phase\": \"Failed\""),
	  OBSERVED_BROKEN },
	{ "another spec", DESIRED_RUNNING, "host",
	  CLUSTER("old", "\"replicas\": 1", "\"observedGeneration\": 2, \"phase\": \"Running\""),
	  OBSERVED_OUTDATED },
	{ "stopped by replicas", DESIRED_STOPPED, "host",
	  CLUSTER("h", "\"replicas\": 0", "\"observedGeneration\": 2, \"phase\": \"Stopped\""),
	  OBSERVED_STOPPED },
	{ "stopped by stop", DESIRED_STOPPED, "host",
	  CLUSTER("h", "\"replicas\": 1, \"stop\": true",
		  "\"observedGeneration\": 2, \"phase\": \"Stopped\""),
	  OBSERVED_STOPPED },
	{ "stopping", DESIRED_STOPPED, "host",
	  CLUSTER("h", "\"replicas\": 0", "\"observedGeneration\": 2, \"phase\": \"Stopping\""),
	  OBSERVED_PROGRESSING },
	{ "to be started", DESIRED_RUNNING, "host",
	  CLUSTER("h", "\"replicas\": 0", "\"observedGeneration\": 2, \"phase\": \"Stopping\""),
	  OBSERVED_STOPPED },
	{ "being deleted", DESIRED_RUNNING, "host",
	  CLUSTER("h", "\"replicas\": 1", "\"observedGeneration\": 2, \"phase\": \"Deleting\""),
	  OBSERVED_DELETING },
	{ "its account is left", DESIRED_GONE, "host",
	  "{\"clusters\": [], \"serviceaccounts\": [{\"metadata\": {\"name\": \"db\", " LABELS
	  "}}]}",
	  OBSERVED_PROGRESSING },
};

START_TEST(a_database_is_assessed)
{
	struct queue_row row = {
		.id = ID,
		.kind = RESOURCE_DATABASE,
		.name = "db",
		.desired = databases[_i].desired,
		.status = STATUS_STARTING,
		.connection.host = databases[_i].host,
	};
	CLEANUP(cleanup_json) json_t *lists = parse(databases[_i].objects);
	CLEANUP(cleanup_observation) struct observation *o = observation_from_json(lists, 0);
	struct assessment a = assess_row(&row, o);

	ck_assert_msg(a.observed == databases[_i].observed, "%s: %s", databases[_i].title,
		      observed_name(a.observed));
}
END_TEST

/* ---- autoscalers and restarts ---------------------------------------------------------------- */

START_TEST(what_an_autoscaler_said_last_counts)
{
	static const struct {
		const char *events, *code;
		bool adds;
	} rows[] = {
		{ "[]", "Unschedulable", false },
		{ "[" EVENT("p", "Normal", "TriggeredScaleUp", "01", "m") "]", "TriggeredScaleUp",
		  true },
		{ "[" EVENT("p", "Normal", "Nominated", "01", "m") "]", "Nominated", true },
		{ "[" EVENT("p", "Normal", "TriggeredScaleUp", "01",
			    "m") ", " EVENT("p", "Normal", "NotTriggerScaleUp", "02", "m") "]",
		  "NotTriggerScaleUp", false },
		{ "[" EVENT("before", "Normal", "TriggeredScaleUp", "01", "m") "]", "Unschedulable",
		  false },
	};
	CLEANUP(cleanup_json) json_t *since = parse("{\"p\": \"\"}");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(cleanup_json) json_t *events = parse(rows[i].events);
		struct err cause;
		err_set(&cause, ERR_POD_UNSCHEDULABLE, "Unschedulable", "no node can take the pod");
		ck_assert_int_eq(diagnose_autoscaler(events, since, &cause), rows[i].adds);
		ck_assert_str_eq(cause.code, rows[i].code);
		ck_assert_ptr_nonnull(strstr(cause.message, "no node can take the pod"));
	}
}
END_TEST

#define RESTARTS(count)                                                                            \
	"{\"pods\": [" POD("r", "\"containerStatuses\": [{\"restartCount\": " count                \
				", \"lastState\": {\"terminated\": {\"exitCode\": 1}}}]") "]}"

START_TEST(a_container_that_ends_between_two_observations_is_not_taken_for_one_that_runs)
{
	static const struct {
		const char *objects;
		enum observed observed;
	} resyncs[] = {
		{ RESTARTS("3"), OBSERVED_READY }, /* the first observation: unknown since when */
		{ RESTARTS("3"), OBSERVED_READY },  { RESTARTS("4"), OBSERVED_RESTARTED },
		{ RESTARTS("4"), OBSERVED_READY },  { RESTARTS("5"), OBSERVED_RESTARTED },
		{ RESTARTS("6"), OBSERVED_BROKEN }, { RESTARTS("6"), OBSERVED_READY },
	};
	struct queue_row row = { .id = ID, .kind = RESOURCE_SANDBOX };
	CLEANUP(cleanup_json) json_t *observed = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(resyncs); i++) {
		CLEANUP(cleanup_json) json_t *lists = parse(resyncs[i].objects);
		CLEANUP(cleanup_observation)
		struct observation *o = observation_from_json(lists, 0);
		struct assessment a = { .observed = OBSERVED_READY };
		const struct view v = view_of(&row, o, observed);
		restarts_judge(&v, &a);
		restarts_note(&v);
		ck_assert_msg(a.observed == resyncs[i].observed, "observation %zu: %s", i,
			      observed_name(a.observed));
		ck_assert_int_eq(a.has_cause, a.observed == OBSERVED_BROKEN);
	}
}
END_TEST

/* ---- changes by admission -------------------------------------------------------------------- */

#define SERVICE(type, more)                                                                        \
	"{\"kind\": \"Service\", \"metadata\": {\"name\": \"s\"}, \"spec\": {\"type\": \"" type    \
	"\", \"ports\": [{\"port\": 1}" more "]}}"

START_TEST(what_admission_makes_of_an_object_is_accepted_and_what_others_do_is_not)
{
	CLEANUP(cleanup_json) json_t *observed = json_object();
	CLEANUP(cleanup_json) json_t *warnings = json_array();
	CLEANUP(cleanup_json) json_t *desired = parse(SERVICE("ClusterIP", ""));
	CLEANUP(cleanup_json) json_t *stored = parse(SERVICE("NodePort", ", {\"port\": 2}"));
	CLEANUP(cleanup_json) json_t *changed = parse(SERVICE("NodePort", ", {\"port\": 3}"));
	CLEANUP(cleanup_json) json_t *newer = parse(SERVICE("LoadBalancer", ""));

	ck_assert(!accept_covers(observed, stored, desired));
	accept_answer(observed, stored, desired);
	ck_assert(accept_covers(observed, stored, desired));
	ck_assert(accept_covers(observed, desired, desired));
	ck_assert(!accept_covers(observed, changed, desired));
	ck_assert(!accept_covers(observed, stored, newer));
	ck_assert(!accept_covers(observed, NULL, desired));
	accept_warn(observed, warnings);
	ck_assert_str_eq(
		json_string_value(json_object_get(json_array_get(warnings, 0), "message")),
		"Service s: spec.type is \"NodePort\" instead of \"ClusterIP\", spec.ports is "
		"[{\"port\":1},{\"port\":2}] instead of [{\"port\":1}]");
	accept_answer(observed, desired, desired);
	accept_warn(observed, warnings);
	ck_assert_uint_eq(json_array_size(warnings), 0);
	ck_assert(!accept_covers(observed, stored, desired));
	ck_assert_uint_eq(json_object_size(observed), 0);
}
END_TEST

/* ---- warnings -------------------------------------------------------------------------------- */

#define RESTARTED                                                                                  \
	"\"containerStatuses\": [{\"restartCount\": 2, \"state\": {\"running\": {}}, "             \
	"\"lastState\": "                                                                          \
	"{\"terminated\": {\"exitCode\": 137, \"reason\": \"OOMKilled\", \"finishedAt\": "         \
	"\"then\"}}}]"

static void warn_of(json_t *warnings, const struct queue_row *row, const struct observation *o)
{
	const struct assessment a = { .observed = OBSERVED_READY };
	const struct view v = view_of(row, o, NULL);

	warn_of_observation(warnings, &v, &a);
}

START_TEST(a_warning_holds_for_as_long_as_it_is_seen)
{
	struct queue_row row = { .id = ID,
				 .kind = RESOURCE_SANDBOX,
				 .warnings = "[{\"code\": \"X\"}]" };
	CLEANUP(cleanup_json) json_t *warnings = warn_begin(&row);
	CLEANUP(cleanup_json) json_t *lists = parse("{\"pods\": [" POD("r", RESTARTED) "]}");
	CLEANUP(cleanup_json) json_t *none = parse("{}");
	CLEANUP(cleanup_json) json_t *well = parse("{\"pods\": [" POD("r", RUNNING_CONTAINER) "]}");
	CLEANUP(cleanup_observation)
	struct observation *restarted = observation_from_json(lists, 0);
	CLEANUP(cleanup_observation) struct observation *unseen = observation_from_json(none, 0);
	CLEANUP(cleanup_observation) struct observation *replaced = observation_from_json(well, 0);

	warn_of(warnings, &row, restarted);
	warn_of(warnings, &row, restarted);
	ck_assert_uint_eq(json_array_size(warnings), 2);
	const json_t *reported = json_array_get(warnings, 1);
	ck_assert_str_eq(json_string_value(json_object_get(reported, "code")), "RESTARTED");
	const char *message = json_string_value(json_object_get(reported, "message"));
	ck_assert_ptr_nonnull(strstr(message, "137 (OOMKilled)"));
	warn_of(warnings, &row, unseen);
	ck_assert_uint_eq(json_array_size(warnings), 2);
	warn_of(warnings, &row, replaced);
	ck_assert_uint_eq(json_array_size(warnings), 1);
	warn_set(warnings, WARNING_RESTARTED, "%.2s", "\xe2\x82\xac");
	message = json_string_value(json_object_get(json_array_get(warnings, 1), "message"));
	ck_assert_str_eq(message, "??");
}
END_TEST

/* ---- wake ------------------------------------------------------------------------------------ */

static void touch(const char *directory, const char *name)
{
	CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", directory, name);
	CLEANUP(cleanup_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(futimens(fd, NULL), 0);
}

static void remove_file(const char *directory, const char *name)
{
	CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", directory, name);

	ck_assert_int_eq(unlink(path), 0);
}

static bool is_awake(struct wake *w)
{
	struct pollfd fd = { .fd = wake_fd(w), .events = POLLIN };

	return poll(&fd, 1, 1000) == 1;
}

START_TEST(a_touch_of_the_wake_file_and_a_signal_end_a_wait)
{
	char directory[] = "/tmp/fsa-test-wake-XXXXXX";
	struct wake *w = NULL;
	struct err warning, e;
	bool watched = false;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	CLEANUP(cleanup_free) char *path = mem_printf("%s/wake", directory);
	ck_assert_int_eq(wake_new(path, &w, &watched, &warning, &e), 0);
	ck_assert(watched);
	ck_assert(!wake_drain(w));
	touch(directory, "wake");
	ck_assert(is_awake(w));
	ck_assert(wake_drain(w));
	ck_assert(!wake_drain(w));
	touch(directory, "another");
	ck_assert(!wake_drain(w));
	ck_assert(!wake_stopping(w));
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert(is_awake(w));
	ck_assert(!wake_drain(w));
	ck_assert(wake_stopping(w));
	wake_free(w);
	remove_file(directory, "wake");
	remove_file(directory, "another");
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(wake_new(path, &w, &watched, &warning, &e), 0);
	ck_assert(!watched);
	ck_assert_ptr_nonnull(strstr(warning.message, directory));
	wake_free(w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reconcile");
	TCase *tc = tcase_create("reconcile");

	tcase_add_test(tc, a_container_that_ended_before_is_restarted_until_it_is_ready);
	tcase_add_loop_test(tc, a_pod_tells_what_is_wrong_with_it, 0, ARRAY_SIZE(pods));
	tcase_add_loop_test(tc, events_are_evidence_of_the_present, 0, ARRAY_SIZE(happenings));
	tcase_add_test(tc, a_cluster_that_failed_or_cannot_begin_says_why);
	tcase_add_loop_test(tc, a_sandbox_is_assessed, 0, ARRAY_SIZE(sandboxes));
	tcase_add_loop_test(tc, what_is_expected_is_counted_from_the_objects_own_times, 0,
			    ARRAY_SIZE(busy));
	tcase_add_test(tc, what_was_applied_is_known_of_one_desired_state_until_it_is_forgotten);
	tcase_add_test(tc, a_sandbox_waits_for_the_credentials_of_its_database);
	tcase_add_test(tc, what_was_asked_for_is_not_done_before_the_database_is);
	tcase_add_loop_test(tc, a_sandbox_whose_database_is_made_anew_is_left_as_it_is, 0,
			    ARRAY_SIZE(bereft));
	tcase_add_test(tc, drift_of_a_running_sandbox_is_seen);
	tcase_add_loop_test(tc, a_database_is_assessed, 0, ARRAY_SIZE(databases));
	tcase_add_test(tc, what_admission_makes_of_an_object_is_accepted_and_what_others_do_is_not);
	tcase_add_test(tc, what_an_autoscaler_said_last_counts);
	tcase_add_test(
		tc, a_container_that_ends_between_two_observations_is_not_taken_for_one_that_runs);
	tcase_add_test(tc, a_warning_holds_for_as_long_as_it_is_seen);
	tcase_add_test(tc, a_touch_of_the_wake_file_and_a_signal_end_a_wait);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
