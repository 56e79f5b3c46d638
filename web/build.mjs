// Builds the console:  node web/build.mjs OUT
//
// OUT gets everything that nginx serves: index.html, the assets that it names, by their hashes, and
// the files that are served as they are. Beside each asset stands its compressed form.
// tools/build-web calls this with the packages of package-lock.json in web/node_modules.

import {build} from "esbuild";
import {cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from "node:fs";
import {basename, join} from "node:path";
import {fileURLToPath} from "node:url";
import {constants, gzipSync} from "node:zlib";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const AS_THEY_ARE = ["auth", "icon.svg", "openapi.json"];

/** Bundles src/main.jsx and what it imports into `folder`; returns the name of each entry's file. */
async function bundle(folder) {
	const {metafile} = await build({
		absWorkingDir: HERE,
		entryPoints: ["src/main.jsx"],
		outdir: folder,
		entryNames: "[name]-[hash]",
		chunkNames: "[name]-[hash]",
		assetNames: "[name]-[hash]",
		bundle: true,
		splitting: true,
		format: "esm",
		target: "es2022",
		jsx: "automatic",
		jsxImportSource: "preact",
		minify: true,
		legalComments: "none",
		metafile: true,
		logLevel: "warning",
	});
	return Object.keys(metafile.outputs).map((path) => basename(path));
}

/** The template with the assets' hashed names for their plain ones. */
function page(files) {
	const template = readFileSync(join(HERE, "index.html"), "utf8");
	return template.replace(/\/assets\/main\.(css|js)/g, (plain, kind) => {
		const file = files.find((name) => name.startsWith("main-") && name.endsWith(`.${kind}`));
		if (file === undefined)
			throw new Error(`index.html names ${plain}, which was not built`);
		return `/assets/${file}`;
	});
}

function compress(folder) {
	for (const name of readdirSync(folder)) {
		const packed = gzipSync(readFileSync(join(folder, name)), {level: constants.Z_BEST_COMPRESSION});
		writeFileSync(join(folder, `${name}.gz`), packed);
	}
}

async function main(out) {
	rmSync(out, {recursive: true, force: true});
	mkdirSync(out, {recursive: true});
	const assets = join(out, "assets");
	const files = await bundle(assets);
	compress(assets);
	writeFileSync(join(out, "index.html"), page(files));
	for (const name of AS_THEY_ARE)
		cpSync(join(HERE, name), join(out, name), {recursive: true});
}

await main(process.argv[2]);
