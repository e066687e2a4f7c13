// What AsyncAPI's own parser says of documents: a JSON array of them in, a JSON array of their diagnostics out.
import { text } from 'node:stream/consumers';
import { Parser } from '@asyncapi/parser';

const parser = new Parser();
const found = [];
for (const document of JSON.parse(await text(process.stdin))) {
  const parsed = await parser.parse(JSON.stringify(document));
  const diagnostics = parsed.diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path }));
  found.push({ accepted: parsed.document !== undefined, diagnostics });
}
console.log(JSON.stringify(found));
