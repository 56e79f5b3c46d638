/** What a status is called, and its sign beside the colour. */
const STATUSES = /** @type {Record<string, [sign: string, words: string, sentence: string]>} */ ({
	CREATING: ["◐", "Creating", "It is being made."],
	STARTING: ["◐", "Starting", "It is starting."],
	RUNNING: ["●", "Running", "It is running."],
	UPDATING: ["◐", "Updating", "It is being changed."],
	STOPPING: ["◐", "Stopping", "It is stopping; files stay."],
	STOPPED: ["○", "Stopped", "It is stopped; its files are kept."],
	TERMINATING: ["◐", "Deleting", "It is being deleted."],
	TERMINATED: ["○", "Deleted", "It has been deleted."],
	ERROR: ["✕", "Failed", "It is not as you want it, and is tried again."],
	PARTIAL: ["◒", "Partly running", "Some of it is running, some is not."],
});
const MOVING = new Set(["CREATING", "STARTING", "UPDATING", "STOPPING", "TERMINATING", "ERROR"]);

/** Whether something is expected to happen by itself. @param {string} status */
export const moves = (status) => MOVING.has(status);

/** @param {string} status */
export const called = (status) => STATUSES[status]?.[1] ?? status;

/** @param {string} status */
export const sentence = (status) => STATUSES[status]?.[2] ?? status;

/** @param {Project} project @returns {Part[]} */
export const partsOf = (project) => [...project.sandboxes, ...project.databases];

/** A sandbox that is to run: its start, which changes nothing else, makes all of the project due. @param {Project} project */
export const runningSandbox = ({sandboxes}) => sandboxes.find(({desired}) => desired === "RUNNING")?.id;

/** Whether somebody has to do something, or something is wrong. @param {Project} project */
export const needsAttention = (project) =>
	project.status === "ERROR" || project.warnings.length > 0 || partsOf(project).some((part) => part.cause !== null || part.warnings.length > 0);

/** @param {{status: string, trouble?: boolean}} props `trouble`: whatever the status is, something keeps it so */
export function Badge({status, trouble = false}) {
	const [sign, words] = STATUSES[status] ?? ["?", status];
	return (
		<span class="badge" data-status={status} data-trouble={trouble}>
			<span aria-hidden="true">{trouble ? "✕" : sign} </span>{words}
		</span>
	);
}
