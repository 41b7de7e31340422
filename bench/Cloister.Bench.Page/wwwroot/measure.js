// Measures each subject beside the browser's own signature checks, interleaved, and gives all times to the server.
import { dotnet } from './_framework/dotnet.js';

const rounds = 21;
const repeats = 10;

try {
  const runtime = await dotnet.create();
  const { Subjects } = (await runtime.getAssemblyExports(runtime.getConfig().mainAssemblyName)).Cloister.Bench.Page;
  const text = await (await fetch('evidence.json')).text();
  Subjects.Load(text);

  // The web app has it before it has a bundle: that comes over the network.
  await import('./signatures.js');
  const checks = browserChecks(JSON.parse(text));

  const subjects = {
    published: { rsa: 4, p384: 1 },
    snp: { rsa: 4, p384: 1 },
    tdx: { p256: 11 },
    rsa: { rsa: 1 },
    p384: { p384: 1 },
    p256: { p256: 1 },
    ed25519: { ed25519: 1 },
  };
  const results = {};
  const first = new URLSearchParams(location.search).get('first');
  for (const name of [first, ...Object.keys(subjects).filter(name => name !== first)]) {
    const counts = subjects[name];
    results[name] = await measure(() => Subjects.Run(name), () => runAll(checks, counts));
  }
  await give(results);
} catch (fault) {
  await give({ fault: `${fault}` });
}

async function measure(ours, beside) {
  const first = await time(ours);
  await beside();
  const result = { first, ours: [], beside: [], again: [] };
  for (let round = 0; round < rounds; round++) {
    result.beside.push(await time(beside, repeats));
    result.ours.push(await time(ours));
    result.again.push(await time(beside, repeats));
  }
  return result;
}

async function time(work, times = 1) {
  // What the one before left behind is not this one's.
  await new Promise(resolve => setTimeout(resolve, 1));
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    if (!await work()) {
      throw new Error('It is not accepted.');
    }
  }
  return (performance.now() - start) / times;
}

async function runAll(checks, counts) {
  let good = true;
  for (const [kind, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i++) {
      good &&= await checks[kind]();
    }
  }
  return good;
}

// As a page would do it: the key imported each time, one after the other.
function browserChecks(evidence) {
  const bytes = name => Uint8Array.from(atob(evidence[name]), character => character.charCodeAt(0));
  const message = bytes('message');
  const check = (prefix, key, verify) => {
    const [spki, signature] = [bytes(`${prefix}Spki`), bytes(`${prefix}Signature`)];
    return async () => crypto.subtle.verify(verify, await crypto.subtle.importKey('spki', spki, key, false, ['verify']), signature, message);
  };
  return {
    rsa: check('rsa', { name: 'RSA-PSS', hash: 'SHA-384' }, { name: 'RSA-PSS', saltLength: 48 }),
    p384: check('p384', { name: 'ECDSA', namedCurve: 'P-384' }, { name: 'ECDSA', hash: 'SHA-384' }),
    p256: check('p256', { name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', hash: 'SHA-256' }),
    ed25519: check('ed25519', { name: 'Ed25519' }, { name: 'Ed25519' }),
  };
}

async function give(results) {
  await fetch('results', { method: 'POST', body: JSON.stringify(results) });
}
