// `npm run bench:gas`: settlements of 16 devices, alone and sixteen at once, and verifiers side by side: ours, one generated for a
// single key, and snarkjs' with the same signals and with W3bstream's 67. One run on one chain, real proofs, whole transactions.

import { groupFigures, onStage } from '../test/contracts/gas.ts'
import { measureVerifiers, perDevice } from './side-by-side.ts'

async function main(): Promise<void> {
  const { settlements, verifiers } = await onStage(16, async (stage) => ({
    settlements: await groupFigures(stage),
    verifiers: await measureVerifiers(stage.anvil),
  }))
  const { anchor, settle, anchorMany, settleMany } = settlements
  const gas = {
    'gas.settle.D16': settle,
    'gas.settleMany16.D16': settleMany,
    'gas.anchor': anchor,
    'gas.anchorMany16': anchorMany,
  }
  for (const [name, value] of Object.entries({ ...gas, ...verifiers })) print(name, value)
  console.log('\ngas for a device and batch, anchor included')
  for (const row of perDevice(gas, verifiers)) print(row.shape, row.gas, `1/${row.times}`)
}

function print(name: string, value: number, ratio = ''): void {
  console.log(`${name.padEnd(42)}${value.toLocaleString('en').padStart(10)}${ratio.padStart(8)}`)
}

await main()
