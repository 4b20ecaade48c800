// `device show`: all that the chain says of a device.

import type { Command } from 'commander'
import { deviceDid } from '../../engine/core/did.ts'
import { printFacts, printJson } from '../table.ts'
import { chainCommand, openChain, unsigned, type ChainFlags } from './chain.ts'

export function showCommand(): Command {
  return chainCommand(
    'show',
    'What the chain says of a device: state, owner, key, place, units, DID',
    'show 5 --rpc URL --settlement 0x…',
  )
    .argument('<device>', 'its id', unsigned(64n))
    .option('--json', 'print JSON', false)
    .action(async (deviceId: bigint, flags: ChainFlags & { json: boolean }) => {
      const chain = await openChain(flags)
      const device = await chain.getDevice(deviceId)
      const { projectId, cohort, slot, status, owner, metadataURI } = device
      const [key, page, pending] = await Promise.all([
        chain.findDeviceKey(deviceId),
        chain.getCohort(projectId, cohort),
        chain.getPending(deviceId),
      ])
      const did = deviceDid({ chainId: chain.chainId, registry: chain.addresses.devices, deviceId })
      const units = { credited: page.creditedUnits[slot]!, claimed: page.claimedUnits[slot]!, pending: pending.units }
      const place = { projectId, cohort, slot }
      if (flags.json) {
        return printJson({
          deviceId,
          did,
          status,
          owner,
          key,
          ...place,
          metadataURI,
          units,
          pendingWei: pending.amountWei,
        })
      }
      printFacts([
        ['device', deviceId.toString()],
        ['DID', did],
        ['state', status],
        ['owner', owner],
        ['key', key ? `${key.x},${key.y}` : 'not found; give an earlier --from-block'],
        ['place', `project ${projectId}, cohort ${cohort}, slot ${slot}`],
        ['metadata', metadataURI === '' ? 'none' : JSON.stringify(metadataURI)],
        ['units', `${units.credited} credited, ${units.claimed} claimed, ${units.pending} to claim`],
        ['to claim', `${pending.amountWei} of the token's smallest unit`],
      ])
    })
}
