// Verifiers to measure ours against, made when they are needed: snarkjs' own (its text is GPL and never kept) and one written for a
// single key, whose points are constants of its code, with the same checks and bounds of gas as contracts/src/Groth16Verifier.sol.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { zKey } from 'snarkjs'
import type { Hex } from 'viem'
import { hexToBytes, bytesToHex } from '../engine/core/codec.ts'
import { compileSolidity, type CompiledContract } from '../test/contracts/solidity.ts'

const WORD_BYTES = 32
const HEAD_WORDS = 14

/** The verifier that `snarkjs zkey export solidityverifier` writes for a key. */
export async function snarkjsVerifier(zkey: Uint8Array): Promise<CompiledContract> {
  const root = dirname(createRequire(import.meta.url).resolve('snarkjs'))
  const groth16 = readFileSync(join(root, '..', 'templates', 'verifier_groth16.sol.ejs'), 'utf8')
  return compileOne((await zKey.exportSolidityVerifier!(zkey, { groth16 })) as string, 'Groth16Verifier')
}

/** A verifier for one encoded key (docs/architecture.md §2, vkHash). */
export function perAppletVerifier(verifyingKey: Hex): CompiledContract {
  return compileOne(perAppletSource(verifyingKey), 'PerAppletVerifier')
}

function perAppletSource(verifyingKey: Hex): string {
  const bytes = hexToBytes(verifyingKey)
  const words = Array.from({ length: bytes.length / WORD_BYTES }, (_, i) =>
    bytesToHex(bytes.subarray(i * WORD_BYTES, (i + 1) * WORD_BYTES)),
  )
  const points = words.slice(HEAD_WORDS)
  const signals = points.length / 2 - 1
  const put = (at: number, values: readonly string[]) =>
    values.map((value, i) => `mstore(add(input, ${at + WORD_BYTES * i}), ${value})`).join('\n')
  const term = (i: number) => `mstore(term, ${points[2 * i + 2]!})
            mstore(add(term, 32), ${points[2 * i + 3]!})
            mstore(add(term, 64), calldataload(add(signals, ${WORD_BYTES * i})))
            holds := and(holds, staticcall(10000, 7, term, 96, term, 64))
            holds := and(holds, staticcall(1000, 6, sum, 128, sum, 64))`
  return `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
contract PerAppletVerifier {
    uint256 private constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    error SignalOutOfField(uint256 index, uint256 value);
    error CoordinateOutOfField(uint256 index, uint256 value);
    error ProofInvalid();
    function verify(uint256[${signals}] calldata signals, uint256[8] calldata proof) external view {
        for (uint256 i = 0; i < 8; i++) if (proof[i] >= Q) revert CoordinateOutOfField(i, proof[i]);
        for (uint256 i = 0; i < ${signals}; i++) if (signals[i] >= R) revert SignalOutOfField(i, signals[i]);
        bool holds = true;
        assembly {
            let sum := mload(0x40)
            let term := add(sum, 64)
            let input := add(sum, 160)
            mstore(sum, ${points[0]!})
            mstore(add(sum, 32), ${points[1]!})
            ${Array.from({ length: signals }, (_, i) => term(i)).join('\n            ')}
            calldatacopy(input, proof, 192)
            let y := add(input, 32)
            mstore(y, mod(sub(Q, mload(y)), Q))
            ${put(192, words.slice(0, 6))}
            mcopy(add(input, 384), sum, 64)
            ${put(448, words.slice(6, 10))}
            calldatacopy(add(input, 576), add(proof, 192), 64)
            ${put(640, words.slice(10, 14))}
            mstore(sum, 0)
            holds := and(holds, staticcall(250000, 8, input, 768, sum, 32))
            holds := and(holds, eq(mload(sum), 1))
        }
        if (!holds) revert ProofInvalid();
    }
}`
}

/** With the settings of our own contracts, so that no compiler option makes the difference. */
function compileOne(source: string, name: string): CompiledContract {
  const metadata = { bytecodeHash: 'none', appendCBOR: false }
  const settings = { metadata, viaIR: true, optimizer: { enabled: true, runs: 10_000 } }
  return compileSolidity(source, settings)[name]!
}
