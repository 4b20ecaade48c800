// The proof files of an external prover, which nobody here wrote: only what has the form of a proof gets further.

import type { ProofResult } from '../prover.ts'

/** snarkjs' JSON of a proof and of its public signals. Throws an Error that says what is wrong with them. */
export function parseProof(proof: string, publicSignals: string): Pick<ProofResult, 'proof' | 'publicSignals'> {
  const { pi_a, pi_b, pi_c } = Object(parse(proof, 'proof')) as Record<string, unknown>
  const signals = parse(publicSignals, 'public signals')
  if (!isPoint(pi_a) || !isPoint(pi_c) || !isList(pi_b, 3) || !pi_b.every(isPair) || !isList(signals)) {
    throw new Error('its files are no proof')
  }
  if (!signals.every(isNumber)) throw new Error('its public signals are no list of numbers')
  return { proof: { pi_a, pi_b: pi_b as [string, string][], pi_c }, publicSignals: signals }
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`its file of the ${name} is no JSON`, { cause })
  }
}

function isList(value: unknown, length?: number): value is unknown[] {
  return Array.isArray(value) && (length === undefined || value.length === length)
}

function isNumber(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,78}$/.test(value)
}

function isPoint(value: unknown): value is string[] {
  return isList(value, 3) && value.every(isNumber)
}

function isPair(value: unknown): value is string[] {
  return isList(value, 2) && value.every(isNumber)
}
