// What npm's tiktoken (wasm) makes of texts. From standard input lines of a vocabulary, a space, and UTF-16LE in base64, for halves of
// surrogate pairs are in them; to standard output a line of ids for each.
import { createInterface } from "node:readline";
import { get_encoding } from "tiktoken";
const made = {};
const lines = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [name, text] = line.split(" ");
  made[name] ??= get_encoding(name);
  lines.push(made[name].encode_ordinary(Buffer.from(text ?? "", "base64").toString("utf16le")).join(","));
}
process.stdout.write(lines.join("\n") + "\n");
