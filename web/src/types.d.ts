// What the API answers, as far as the console reads it; all of it stands in docs/openapi.yaml.

declare module "*.css";

interface User { id: string; name: string; role: "user" | "admin" }

interface Cause {
	kind: string; code: string | null; message: string; headline: string | null;
	action: string | null; detail: string | null; since: string; nextAttemptAt: string | null;
	log?: {readAt: string, text: string};
}

interface Warning {
	code: string; message: string; since: string; headline: string | null; action: string | null;
}

/** A sandbox or a database. */
interface Part {
	id: string; projectId: string; name: string; desired: string; status: string; cause: Cause | null; warnings: Warning[];
}

interface Sandbox extends Part {
	displayName: string | null; publicUrl: string; ttydUrl: string; runtimeImage: string;
	cpuLimit: string; memoryLimit: string; size: string | null; image: string | null; ports: OpenPort[];
	progress?: {stages: {name: string, state: string}[]};
}

/** A port of a sandbox that the internet reaches, besides the app's. */
interface OpenPort { id: string; port: number; name: string | null; access: "public" | "token"; url: string; }

interface Database extends Part {
	host: string | null; port: number | null; database: string | null; username: string | null;
	password: string | null; connectionUrl: string | null; storageSize: string;
}

/** An image that a sandbox can have. */
interface Image { name: string; description: string; reference: string; }
interface Template { name: string; description: string; }
interface Images { items: Image[]; patterns: {pattern: string}[]; }

/** What a sandbox can have of CPU, memory and storage. */
interface Size {
	name: string; description: string; cpuLimit: string; memoryLimit: string; storageLimit: string;
}

interface Project {
	id: string; name: string; description: string | null; cluster: string; status: string; createdAt: string;
	expiresAt: string | null; deletesAt: string | null; trashUntil: string | null; idleMinutes: number | null; wake: string; keepUntil: string | null; idleStopsAt: string | null; warnings: Warning[];
	sandboxes: Sandbox[]; databases: Database[];
	/** What the person is to it, and whose it is. */
	role: "owner" | "editor" | "viewer"; owner: string;
}

interface Member { id: string; name: string; role: string; addedAt: string }
/** `name` null: whoever has the link. */
interface ProjectInvitation { id: string; role: string; name: string | null; createdAt: string; expiresAt: string }
interface MemberList { items: Member[]; invitations: ProjectInvitation[] }

interface Variable {
	id: string; key: string; value: string | null; category: string; isSecret: boolean;
}

interface ProjectEvent {
	id: number; at: string; kind: string | null; status: string | null; stage: string | null;
	message: string | null;
}

interface Finding {
	name: string; status: string; code: string | null; headline: string | null;
	action: string | null; detail: string | null;
}

interface Kubeconfig {
	server: string; namespace: string; account: string; expiresAt: string | null; expired: boolean;
	check: {state: string, checkedAt: string | null, checks: Finding[]};
}

interface Cluster extends Kubeconfig {
	id: string; name: string; region: string | null; projects: number; awaySince: string | null;
}

interface Provider { id: string; name: string; type: string; signinUrl: string; registration?: boolean }

interface Identity { id: string; provider: string; name: string | null; isPrimary: boolean }

interface Session {
	id: string; provider: string; lastSeenAt: string; address: string | null;
	userAgent: string | null; current: boolean;
}

interface ApiToken {
	id: string; name: string; scope: string; expiresAt: string; expired: boolean;
	lastUsedAt: string | null;
}

interface AuditRecord {
	id: number; at: string; action: string; address: string | null; provider: string | null;
	/** The member of one's project who did it. */
	by: string | null;
}

/** What an administrator sees of a user. */
interface Person extends User {
	projects: number; providers: string | null; lastSeenAt: string | null;
	disabledAt: string | null; deletedAt: string | null; invitedUntil: string | null;
	/** Was invited, and has not set a password yet. */
	isNew: boolean;
}

interface StuckResource {
	id: string; kind: string; name: string; project: string; owner: string; status: string; since: string;
	nextAttemptAt: string;
	cause: {kind: string, code: string | null, headline: string | null, action: string | null, message: string | null} | null;
}

interface AdminState {
	counts: {users: number, projects: number, resources: number, running: number};
	queue: {dueCount: number, oldestDueMs: number, errorCount: number};
	hosts: {host: string, version: string, lastPassAt: string, ageMs: number}[];
	maintenance: {message: string, since: string} | null;
}

/** What doctor found on a host. */
interface HostHealth {
	host: string; checkedAt: string; inOrder: number;
	findings: {health: string, check: string, subject: string, message: string, advice: string | null}[];
}

interface Sample {
	at: string; due: number; oldestDueMs: number; running: number; failed: number; changes: number; events: number;
}

interface Limit { kind: string; limit: number | null; used: number; isException: boolean }
