#ifndef FSA_DOMAIN_FINDING_H
#define FSA_DOMAIN_FINDING_H

/*
 * The tests of a stored kubeconfig, in this order, and what its owner sees: one table, in
 * finding.c, for the API, the page, the live stream and `fsactl user show`. The texts of a fault
 * are those of its cause (domain/cause.h). reconcile/findings.c judges the results.
 */
enum finding {
	FINDING_REACHABLE,
	FINDING_CERTIFICATE,
	FINDING_CREDENTIALS,
	FINDING_NAMESPACE,
	FINDING_PERMISSIONS, /* what a sandbox is made of may be created, changed and deleted */
	FINDING_QUOTA,       /* another sandbox fits */
	FINDING_DATABASES,   /* KubeBlocks is there, and may be used */
	FINDING_COUNT
};

enum finding_status { FINDING_OK, FINDING_WARNING, FINDING_FAILED, FINDING_UNKNOWN };

struct finding_text {
	const char *name;    /* stable, for clients */
	const char *ok;      /* headlines */
	const char *unknown; /* when it could not be tested */
};

const struct finding_text *finding_text(enum finding finding);
/* The row of a name; NULL for one of another version. */
const struct finding_text *finding_text_of(const char *name);
const char *finding_status_name(enum finding_status status);

#endif
