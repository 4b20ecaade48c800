// Groth16 proofs without a witness, by whoever knows how a key was made: the toxic waste of a development key, or that nobody
// contributed to it. The forger needs no circuit and no readings; what is proven may be any lie.

import { createHash } from 'node:crypto'
import { bn254 } from '@noble/curves/bn254.js'
import type { Hex } from '../../engine/core/codec.ts'
import { pointWords, proofPoints, wordsOf } from './attack-calls.ts'

const { Fr } = bn254.fields
const G1 = bn254.G1.Point
const G2 = bn254.G2.Point
type G1Point = InstanceType<typeof G1>

/** Words before the IC points of an encoded key. */
const HEAD_WORDS = 14

/** The secrets of the development key of a seed, as circuits/setup/development-key.ts draws them. */
function toxicWaste(seed: string): { alpha: bigint; beta: bigint; delta: bigint } {
  const draw = (name: string) => {
    const hash = createHash('sha512').update(`attestream.development-key.v1:${name}:${seed}`).digest('hex')
    return (BigInt(`0x${hash}`) % (Fr.ORDER - 1n)) + 1n
  }
  return { alpha: draw('alpha'), beta: draw('beta'), delta: draw('delta') }
}

/** A proof of any signals under the development key of `seed`: C = (ab − αβ − IC)/δ for any a and b. */
export function forgeWithWaste(verifyingKey: Hex, seed: string, signals: readonly bigint[]): bigint[] {
  const { alpha, beta, delta } = toxicWaste(seed)
  const [a, b] = [1234567n, 7654321n]
  const own = G1.BASE.multiply(Fr.create(a * b - alpha * beta))
  const c = own.subtract(publicPoint(verifyingKey, signals)).multiply(Fr.inv(delta))
  return pointWords({ a: G1.BASE.multiply(a), b: G2.BASE.multiply(b), c })
}

/** A proof of any signals under a key that nobody contributed to, where gamma is delta. Knows nothing but the key. */
export function forgeWithoutContribution(verifyingKey: Hex, signals: readonly bigint[]): bigint[] {
  const [alphaX, alphaY, ...betaWords] = keyWords(verifyingKey)
  const { a, b } = proofPoints([alphaX!, alphaY!, ...betaWords.slice(0, 4), 0n, 0n])
  return pointWords({ a, b, c: publicPoint(verifyingKey, signals).negate() })
}

/** IC[0] + Σ signal·IC[i + 1]. */
function publicPoint(verifyingKey: Hex, signals: readonly bigint[]): G1Point {
  const words = keyWords(verifyingKey).slice(HEAD_WORDS)
  const ic = (i: number) => G1.fromAffine({ x: words[2 * i]!, y: words[2 * i + 1]! })
  return signals.reduce((sum, signal, i) => (signal === 0n ? sum : sum.add(ic(i + 1).multiply(signal))), ic(0))
}

function keyWords(verifyingKey: Hex): bigint[] {
  return wordsOf(`0x${'0'.repeat(8)}${verifyingKey.slice(2)}`)
}
