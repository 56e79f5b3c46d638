// One page, one table in the project's database. Change it, and start it again: node ~/starter/app.js
const http = require('node:http');
const {execFile} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const PORT = 3000;
const NOTE_MAX = 1000;
const TABLE = 'CREATE TABLE IF NOT EXISTS notes (id bigserial PRIMARY KEY, text text NOT NULL);';
const LIST = "SELECT coalesce(json_agg(text ORDER BY id DESC), '[]') FROM notes;";
const ADD = "INSERT INTO notes (text) VALUES (:'text');"; // psql quotes the variable

// psql finds the database by itself, see ~/README.md.
function query(sql, text = '') {
	return new Promise((resolve, reject) => {
		const args = ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-v', `text=${text}`];
		const psql = execFile('psql', args, (error, out, err) => (error ? reject(new Error(err)) : resolve(out)));
		psql.stdin.end(`SET client_min_messages = warning; ${TABLE} ${sql}`);
	});
}

async function body(request) {
	let text = '';
	for await (const part of request) {
		text += part;
		if (text.length > NOTE_MAX) throw new Error(`a note has at most ${NOTE_MAX} characters`);
	}
	return text;
}

async function answer(request, response) {
	if (request.url === '/') {
		response.setHeader('Content-Type', 'text/html; charset=utf-8');
		return response.end(fs.readFileSync(path.join(__dirname, 'index.html')));
	}
	if (request.url !== '/notes') {
		response.statusCode = 404;
		return response.end();
	}
	if (request.method === 'POST') await query(ADD, await body(request));
	response.setHeader('Content-Type', 'application/json');
	response.end(await query(LIST));
}

http.createServer((request, response) => {
	answer(request, response).catch((error) => {
		response.statusCode = 500;
		response.end(error.message);
	});
}).listen(PORT, () => console.log(`listening on port ${PORT}`));
