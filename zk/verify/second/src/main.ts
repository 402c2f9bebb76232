import { readFileSync } from 'node:fs';

import { Refusal } from './failure.js';
import { writeJSON } from './json.js';
import { serve } from './serve.js';
import { verifyWithTrust } from './trust.js';

const usage = `usage: main.js BUNDLE TRUST   verify a bundle with a trust file, and print the verdict as JSON
       main.js --serve        answer requests on standard input, one a line (see serve.ts)
The exit code is 0 for a valid bundle, whether or not its claims hold, 1 for another, 2 for a call like none of these.
`;

function main(args: string[]): number {
  const [bundle, trust] = args;
  if (bundle === '--serve' && args.length === 1) {
    serve();
    return 0;
  }
  if (args.length !== 2 || bundle === undefined || trust === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  try {
    process.stdout.write(writeJSON(verifyWithTrust(readFileSync(bundle), readFileSync(trust)), ' ') + '\n');
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`not valid: ${error.message}\n`);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
