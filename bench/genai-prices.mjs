// Prices the records of a file with @pydantic/genai-prices, again and again for a few seconds, and prints how many for a
// second of processor time. A record is [provider, model, input tokens, of these read from a cache, output tokens].
import { readFileSync } from 'node:fs'
import { calcPrice } from '@pydantic/genai-prices'

const records = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const pass = () => {
  let priced = 0
  for (const [provider, model, input, cached, output] of records) {
    const usage = { input_tokens: input, cache_read_tokens: cached, output_tokens: output }
    priced += calcPrice(usage, model, { providerId: provider }) ? 1 : 0
  }
  return priced
}

const warm = records.splice(20_000)
pass()
records.push(...warm.splice(0, 20_000))
let done = 0
const start = process.hrtime.bigint()
const busy = process.cpuUsage()
while (process.hrtime.bigint() - start < 5_000_000_000n) {
  pass()
  done += records.length
}
const { user, system } = process.cpuUsage(busy)
console.log(done / ((user + system) / 1e6))
