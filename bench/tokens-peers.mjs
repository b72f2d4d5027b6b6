// node tokens-peers.mjs FOLDER VOCABULARY: what npm's tiktoken (wasm) and gpt-tokenizer count in FOLDER/{en,zh,code,mixed}.txt, and
// how fast, in documents of 32,000 characters, which suits both best. One JSON line each. Run it where both are installed.
import { readFileSync, statSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
const [folder, vocabulary] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), "x.js"));
const { get_encoding } = require("tiktoken");
const { countTokens } = require(`gpt-tokenizer/encoding/${vocabulary}`);
const wasm = get_encoding(vocabulary);
const peers = {
  "tiktoken (wasm)": (text) => wasm.encode_ordinary(text).length,
  "gpt-tokenizer": (text) => countTokens(text, { disallowedSpecial: new Set() }),
};
for (const kind of ["en", "zh", "code", "mixed"]) {
  const path = join(folder, `${kind}.txt`);
  if (!existsSync(path)) continue;
  const text = readFileSync(path, "utf8");
  const whole = wasm.encode_ordinary(text).length;
  const documents = [];
  for (let at = 0; at < text.length; at += 32000) documents.push(text.slice(at, at + 32000));
  for (const [peer, count] of Object.entries(peers)) {
    const start = process.hrtime.bigint();
    for (const document of documents) count(document);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    console.log(JSON.stringify({ kind, peer, whole, speed: statSync(path).size / 1e6 / seconds }));
  }
}
