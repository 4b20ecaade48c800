// One check taken out of the contracts at a time, and the test that must notice. All mutants are compiled together, each behind a
// switch: mutant i is on where account SWITCH_BASE + i has a balance.

export interface Mutant {
  readonly file: string
  /** Text that stands once in the file. ON is 1 (assembly) or true where the mutant is off; see `mutate`. */
  readonly find: string
  /** Default: `find` is a condition in `if (…)`, which then never holds. */
  readonly replace?: string
  /** Test file of test/contracts, without its ending. */
  readonly test: string
  /** Part of the names of the tests. */
  readonly name: string
}

const SWITCH_BASE = 0x4d555400

export function switchAccount(index: number): `0x${string}` {
  return `0x${(SWITCH_BASE + index).toString(16).padStart(40, '0')}`
}

/** A source with the switches of its mutants. Pure functions become view: a switch is read from the chain. */
export function mutate(path: string, source: string): string {
  let text = source
  for (const [index, mutant] of MUTANTS.entries()) {
    if (path !== `src/${mutant.file}.sol`) continue
    const { find } = mutant
    if (text.split(find).length !== 2) throw new Error(`not once in ${path}: ${find}`)
    const kept = `(address(${checksumFree(index)}).balance == 0)`
    const replace = mutant.replace ?? `ON && (${find})`
    text = text.replace(find, () => replace.replaceAll('ON_ASM', `iszero(balance(${SWITCH_BASE + index}))`).replaceAll('ON', kept))
  }
  return text.replaceAll(/\bpure\b/g, 'view')
} // prettier-ignore

/** An address that the compiler takes without its checksum. */
function checksumFree(index: number): string {
  return `uint160(${SWITCH_BASE + index})`
}

export const MUTANTS: readonly Mutant[] = [
  { file: 'Groth16Verifier', find: 'coordinate >= VerifyingKey.Q', test: 'attack-receipts', name: 'C-02 forms that only look like a proof' },
  { file: 'Groth16Verifier', find: 'signal >= R', test: 'attack-receipts', name: 'C-01 C-08 settle with any word' },
  { file: 'Groth16Verifier', find: 'key.code.length != 1 + VerifyingKey.encodedLength(width)', test: 'attack-keys', name: 'C-09 takes no account without code' },
  { file: 'Groth16Verifier', find: '!_holds(key, signals, proof)', test: 'attack-receipts', name: 'C-01 C-08 settle with any word' },
  { file: 'Groth16Verifier', find: '_holdTogether(key, width, signals, proofs)', replace: '!ON || _holdTogether(key, width, signals, proofs)', test: 'settle-many', name: 'settling many receipts at once' },
  { file: 'Groth16Verifier', find: 'shr(128, keccak256(0x00, 0x40))', replace: 'mul(ON_ASM, shr(128, keccak256(0x00, 0x40)))', test: 'settle-many', name: 'cancel in a plain sum' },
  { file: 'VerifyingKey', find: 'gamma == delta', test: 'attack-keys', name: 'to which nobody contributed' },
  { file: 'VerifyingKey', find: 'value >= Q', test: 'applet-registry', name: 'refuses what no circuit can have' },
  { file: 'AppletRegistry', find: 'production && publication.devSetup', test: 'attack-keys', name: 'is refused by a production registry' },
  { file: 'AppletRegistry', find: 'known.stopped || isKeyStopped[keyAccount]', test: 'attack-keys', name: 'C-09 stays stopped' },
  { file: 'AppletRegistry', find: 'if (known.stopped || isKeyStopped[known.keyAccount])', replace: 'if (ON && (known.stopped || isKeyStopped[known.keyAccount]))', test: 'attack-keys', name: 'C-09 stays stopped' },
  { file: 'AppletRegistry', find: 'next.stopped || isKeyStopped[next.keyAccount]', test: 'attack-keys', name: 'C-09 stays stopped' },
  { file: 'AppletRegistry', find: '!impossible', test: 'attack-keys', name: 'C-03 C-11 pays lies' },
  { file: 'AppletRegistry', find: 'verifier.verify(keyAccount, signals, proof);', replace: 'if (ON) verifier.verify(keyAccount, signals, proof);', test: 'stops-and-delays', name: 'C-09 an emergency stop' },
  { file: 'AppletRegistry', find: 'if (msg.sender != guardian) revert NotGuardian(msg.sender);\n        _stopKey', replace: 'if (ON && msg.sender != guardian) revert NotGuardian(msg.sender);\n        _stopKey', test: 'stops-and-delays', name: 'C-09 an emergency stop' },
  { file: 'AppletRegistry', find: 'msg.sender != owner', test: 'applet-registry', name: 'the owner alone publishes' },
  { file: 'DelayedChanges', find: 'block.timestamp < due', test: 'attack-changes', name: 'C-12 an activation comes neither' },
  { file: 'DelayedChanges', find: 'block.timestamp > lapse', test: 'attack-changes', name: 'C-12 an activation comes neither' },
  { file: 'DelayedChanges', find: 'lapse);\n        delete', replace: 'lapse);\n        if (ON) delete', test: 'attack-changes', name: 'C-12 an activation comes neither' },
  { file: 'ProjectRegistry', find: 'msg.sender != _projects[projectId].pendingOwner', test: 'attack-changes', name: 'C-12 move in two steps' },
  { file: 'ProjectRegistry', find: 'delaySec >= current ||', replace: '!ON || delaySec >= current ||', test: 'attack-changes', name: 'C-09 the delay itself' },
  { file: 'DeviceRegistry', find: 'admitter == address(0) || !SignatureChecker.isValidSignatureNow(admitter, digest, signature)', test: 'attack-chain', name: 'C-04 on a fork' },
  { file: 'DeviceRegistry', find: '!BabyJubJub.isKey(keyX, keyY)', test: 'device-registry', name: 'refuses a key that is' },
  { file: 'DeviceRegistry', find: 'block.timestamp > deadline', test: 'attack-griefing', name: 'C-10 deadlines are times' },
  { file: 'DeviceRegistry', find: 'changedAt != 0 && block.timestamp', replace: 'ON && changedAt != 0 && block.timestamp', test: 'attack-changes', name: 'B-04 B-05 after any history' },
  { file: 'DeviceRegistry', find: 'if (device.status == Status.Active) _suspend', replace: 'if (ON && device.status == Status.Active) _suspend', test: 'attack-changes', name: 'B-04 B-05 after any history' },
  { file: 'DeviceRegistry', find: 'return holder == 0 ||', replace: 'return !ON || holder == 0 ||', test: 'attack-changes', name: 'B-04 B-05 after any history' },
  { file: 'DeviceRegistry', find: 'word << 64 != whose', test: 'attack-griefing', name: 'C-10 is not taken by a stranger' },
  { file: 'CohortTrees', find: 'block.number <= replacedAt + windowBlocks', replace: '(!ON || block.number <= replacedAt + windowBlocks)', test: 'device-registry', name: 'B-04 takes an owner' },
  { file: 'CohortTrees', find: 'replacedAt > tree.closedAtBlock', replace: '(!ON || replacedAt > tree.closedAtBlock)', test: 'attack-chain', name: 'C-05 no change of keys' },
  { file: 'Anchors', find: '!devices.isRecentRoot(projectId, batch.cohort, batch.identityRoot)', test: 'attack-changes', name: 'B-05 knows one root' },
  { file: 'Anchors', find: 'number != page.nextToAnchor', test: 'attack-chain', name: 'C-06 an anchor under one number' },
  { file: 'Anchors', find: 'actual != stored', test: 'attack-receipts', name: 'C-01 C-08 settle with any word' },
  { file: 'Anchors', find: 'if (number < page.nextToSettle || number >= page.nextToAnchor) {', replace: 'if (ON && (number < page.nextToSettle || number >= page.nextToAnchor)) {', test: 'attack-receipts', name: 'C-02 in any form' },
  { file: 'Anchors', find: 'block.timestamp < staleAt', test: 'settlement', name: 'refusals of anchor' },
  { file: 'Anchors', find: 'opened != ledgerBefore', test: 'stops-and-delays', name: 'C-12 changes of a project with a delay' },
  { file: 'Anchors', find: 'places == MAX_UNSETTLED_NUMBERS', test: 'settlement', name: 'many anchors of one cohort' },
  { file: 'Settlement', find: 'receipt.lanes.length != terms.cohortSize / 4', test: 'settlement', name: 'a good receipt with one field altered' },
  { file: 'Settlement', find: 'bytes4(receipt.seal) != terms.selector', test: 'attack-keys', name: 'C-03 takes no proof of another' },
  { file: 'Settlement', find: '_refuse(word, added, maximum);', replace: '{ if (ON) _refuse(word, added, maximum); }', test: 'settlement', name: 'a batch from anchor to claim' },
  { file: 'Settlement', find: 'stored & TOP_BITS != 0', test: 'attack-griefing', name: 'C-10 a lane near its end' },
  { file: 'Claims', find: '_useCheckedNonce(order.owner, order.nonce);', replace: 'if (ON) _useCheckedNonce(order.owner, order.nonce);', test: 'rewards', name: 'rewards' },
  { file: 'Claims', find: '!SignatureChecker.isValidSignatureNow(order.owner, _hashTypedDataV4(structHash), signature)', test: 'attack-chain', name: 'C-04 on a fork' },
  { file: 'Claims', find: 'holder != owner', test: 'settlement', name: 'a batch from anchor to claim' },
  { file: 'Escrow', find: 'amountWei > available', test: 'settlement', name: 'refusals of anchor' },
  { file: 'Escrow', find: 'units > free', test: 'settlement', name: 'refusals of anchor' },
  { file: 'Escrow', find: 'used > budget.limitUnits', test: 'rewards', name: 'rewards' },
  { file: 'Escrow', find: 'msg.sender != projects.ownerOf(projectId)', test: 'settlement', name: 'refusals of anchor' },
] // prettier-ignore
