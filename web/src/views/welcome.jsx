import {Button, Copy} from "../parts/button.jsx";
import {Link} from "../parts/link.jsx";
import {KubeconfigForm, Tested, useKubeconfig} from "../parts/kubeconfig.jsx";
import {Reading} from "../parts/reading.jsx";

const PRINT = "kubectl config view --raw --minify --flatten";

/** What somebody without a project does first. @param {{create: () => void}} props */
export function Welcome({create}) {
	const access = useKubeconfig();
	return (
		<>
			<p class="empty">No project yet. A project is a sandbox with a terminal and, if you like, a database.</p>
			<Reading of={access}>
				{(info) => (
					<ol class="steps">
						<Step title="A place in a cluster" done={info !== null && isWell(info)}>
							{info === null
								? <HowToGetOne reload={access.reload}/>
								: <Tested {...info.check} reload={access.reload}/>}
							{info !== null && isWrong(info) && <KubeconfigForm reload={access.reload}/>}
						</Step>
						<Step title="A key for the coding agent, if you like">
							<p>Every sandbox gets what you store in the <Link to="/settings">settings</Link>; it can follow later.</p>
						</Step>
						<Step title="Your first project">
							<Button class="primary" disabled={info === null} onClick={create}>Create a project</Button>
							{info === null && <p class="detail">It needs the first step.</p>}
						</Step>
					</ol>
				)}
			</Reading>
		</>
	);
}

/** Whether another one is needed. @param {Kubeconfig} info */
const isWrong = ({expired, check}) => expired || check.checks.some(({status}) => status === "failed");

/** @param {Kubeconfig} info */
const isWell = (info) => !isWrong(info) && info.check.state === "done";

/** @param {{title: string, done?: boolean, children: any}} props */
function Step({title, done = false, children}) {
	return (
		<li data-done={done}>
			<section>
				<h2>{title}{done && <span class="done"> ✓<span class="unseen"> done</span></span>}</h2>
				{children}
			</section>
		</li>
	);
}

/** @param {{reload: () => Promise<void>}} props */
function HowToGetOne({reload}) {
	return (
		<>
			<p>
				Sandboxes run in a Kubernetes namespace of yours, with your own kubeconfig. Whoever runs the cluster gives
				you one; if kubectl works for you already, this prints it:
			</p>
			<p class="address"><code>{PRINT}</code> <Copy text={PRINT} what="the command"/></p>
			<KubeconfigForm reload={reload}/>
		</>
	);
}
