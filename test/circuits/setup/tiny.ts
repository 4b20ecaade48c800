// A circuit of a few constraints and a small powers-of-tau file, so that the whole setup runs in seconds.

import { curves, powersOfTau } from 'snarkjs'
import { compiledMain } from '../lib/compiled.ts'

/** Proves: out = x^(2^N)·y + 1, with y public; a linear combination in every constraint. */
const tinyMain = (n: number) => `pragma circom 2.1.0;
template Tiny(N) {
    signal input y;
    signal input x;
    signal output out;
    signal power[N + 1];
    power[0] <== x;
    for (var i = 0; i < N; i++) { power[i + 1] <== (power[i] + i) * (power[i] - 2 * i); }
    out <== power[N] * y + 1;
}
component main {public [y]} = Tiny(${n});
`

export const compiledTiny = (n = 5) => compiledMain(tinyMain(n))

export const TINY_POWER = 5

/** Writes a prepared .ptau file of 2^TINY_POWER powers with one contribution. */
export async function writeTinyPowersOfTau(path: string): Promise<void> {
  const curve = await curves.getCurveFromName('bn128')
  await powersOfTau['newAccumulator']!(curve, TINY_POWER, `${path}.new`)
  await powersOfTau['contribute']!(`${path}.new`, `${path}.contributed`, 'test', 'test entropy')
  await powersOfTau['preparePhase2']!(`${path}.contributed`, path)
}

/** Ends the worker threads of snarkjs, which would keep the test process alive. */
export async function endSnarkjs(): Promise<void> {
  await (globalThis as { curve_bn128?: { terminate(): Promise<void> } }).curve_bn128?.terminate()
}
