// The devices of the demo: keys, registration with the project's admission, and frames sent with the device SDK.

import type { Hex } from '../../engine/core/codec.ts'
import type { NamedRecord } from '../../engine/core/layout.ts'
import { publicKey } from '../../engine/core/signature.ts'
import { createClient, createDevice, createSecretKey, type Device } from '../../sdk/index.ts'
import type { Api } from './api.ts'
import type { DemoProject } from './project.ts'
import type { World } from './world.ts'

export interface Fleet {
  readonly projectId: bigint
  readonly devices: readonly (Device & { readonly owner: Hex })[]
}

const ADMISSION_SEC = 3600n

/**
 * Registers `count` devices, dealt out to the owners in turn, and waits until the engine knows them all: a batch is closed as soon as
 * every device that it knows has sent. Each owner sends the registration of the own devices.
 */
export async function registerFleet(world: World, project: DemoProject, count: number): Promise<Fleet> {
  const devices: Fleet['devices'][number][] = []
  const deadline = BigInt(Math.floor(Date.now() / 1000)) + ADMISSION_SEC
  for (let i = 0; i < count; i++) {
    const owner = world.owners[i % world.owners.length]!
    const secretKey = createSecretKey()
    const { x: keyX, y: keyY } = publicKey(secretKey)
    const metadataURI = `urn:attestream:demo:device:${i + 1}`
    const admission = { owner: owner.address, projectId: project.projectId, keyX, keyY, metadataURI, deadline }
    const signature = await world.chain.signAdmission(world.projectOwner.privateKey, admission)
    const { deviceId } = await world.chain.registerDevice(admission, signature, { privateKey: owner.privateKey })
    const { deviceDomain, frameSize, abi } = project
    const device = createDevice({ secretKey, deviceId, deviceDomain, reading: abi.reading, frameSize })
    devices.push(Object.assign(device, { owner: owner.address }))
  }
  for (const { deviceId } of devices) await world.engine.getDevice(deviceId)
  return { projectId: project.projectId, devices }
}

/** Every device signs its readings, a frame at a time, and sends the frames; returns how many were acknowledged. */
export async function sendReadings(
  api: Api,
  fleet: Fleet,
  readings: readonly (readonly NamedRecord[])[],
  frameSize: number,
): Promise<number> {
  const client = createClient({ url: api.url })
  let acknowledged = 0
  for (const [i, device] of fleet.devices.entries()) {
    const frames: Uint8Array[] = []
    for (let at = 0; at < readings[i]!.length; at += frameSize) {
      frames.push(device.buildFrame(readings[i]!.slice(at, at + frameSize)))
    }
    for (const outcome of await client.send(frames)) {
      if ('error' in outcome)
        throw new Error(`device ${device.deviceId}: ${outcome.error.code}: ${outcome.error.message}`)
      acknowledged++
    }
  }
  return acknowledged
}
