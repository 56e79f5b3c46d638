// The demo's application: one page, one table in the project's database. Change it, and start it again
// with `node ~/demo/app.js`.
const http = require('node:http');
const {execFile} = require('node:child_process');

const TABLE = 'CREATE TABLE IF NOT EXISTS visits (at timestamptz NOT NULL DEFAULT now());';
const COUNT = 'INSERT INTO visits DEFAULT VALUES; SELECT count(*) FROM visits;';

function ask(sql, done) {
	execFile('psql', [process.env.DATABASE_URL, '-qAtc', sql], (error, out, err) => {
		done(error ? `the database does not answer: ${err}` : `visit ${out.trim()}, says the database`);
	});
}

http.createServer((request, answer) => {
	ask(`SET client_min_messages = warning; ${TABLE} ${COUNT}`, (line) => {
		answer.setHeader('Content-Type', 'text/plain; charset=utf-8');
		answer.end(`Hello from ${process.env.PROJECT_NAME}: ${line}\n`);
	});
}).listen(3000, () => console.log('listening on port 3000'));
