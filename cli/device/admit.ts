// `device key` and `device admit`: the key that a device signs with, and the project's signature for it.

import { readFile, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { isAddressEqual } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import type { ReadableChain } from '../../engine/chain/at-settlement.ts'
import { admissionTypedData, rotationTypedData, signAdmission, signRotation } from '../../engine/chain/typed-data.ts'
import { encodePermission, type SignedAdmission, type SignedRotation } from '../../engine/core/admission.ts'
import { bytesToHex, hexToBytes, type Hex } from '../../engine/core/codec.ts'
import { createVerifier, publicKey, type PublicKey } from '../../engine/core/signature.ts'
import { AttestreamError } from '../../engine/index.ts'
import { createSecretKey } from '../../sdk/index.ts'
import { reasonOf } from '../applet/command.ts'
import { printJson } from '../table.ts'
import { address, openChain, signCommand, unsigned, type ChainFlags } from './chain.ts'
import { signingKey, type KeyFlags } from '../signing-key.ts'

interface AdmitFlags extends ChainFlags, KeyFlags {
  readonly project?: bigint
  readonly device?: bigint
  readonly owner?: Hex
  readonly key: PublicKey
  readonly uri: string
  readonly hours?: bigint
  readonly unsigned: boolean
}

const DEFAULT_HOURS = 24n
const OWNER_ONLY = 0o600

export function keyCommand(): Command {
  return new Command('key')
    .description("Print the public key of a device's secret key as X,Y")
    .argument('<file>', 'file with the secret key: 0x and 64 hexadecimal digits')
    .option('--new', 'make a new secret key and the file; an existing file is refused', false)
    .addHelpText('after', '\nExample:\n  attestream device key meter.key --new')
    .action(async (file: string, flags: { new: boolean }) => {
      if (flags.new) await writeSecretKey(file)
      const { x, y } = publicKey(await readSecretKey(file))
      console.log(`${x},${y}`)
    })
}

export function admitCommand(): Command {
  return signCommand(
    'admit',
    "Sign, as the project's admitter, a new device (--project, --owner) or another key of a device (--device); prints a file",
    'admit --rpc URL --settlement 0x… --project 1 --owner 0x… --key "$(attestream device key meter.key)" > admission.json',
  )
    .option('--project <id>', 'project of the new device', unsigned(64n))
    .option('--owner <address>', 'account that will own it', address)
    .option('--device <id>', 'device whose key shall be changed', unsigned(64n))
    .requiredOption('--key <x,y>', 'public key, as `device key` prints it', parseKey)
    .option('--uri <uri>', 'metadata URI, or the URI of a DID document, of the new device; never changed later', '')
    .option('--hours <n>', 'how long the admission can be used; default 24', unsigned(16n))
    .option(
      '--unsigned',
      'leave the signature out and print what is to be signed: for an admitter that is a smart account',
      false,
    )
    .action(async (flags: AdmitFlags) => {
      const chain = await openChain(flags)
      const permission = await draft(chain, flags)
      const { chainId, registry } = permission
      const domain = { chainId, verifyingContract: registry }
      const typedData =
        'admission' in permission
          ? admissionTypedData(domain, permission.admission)
          : rotationTypedData(domain, permission.rotation)
      if (flags.unsigned) return printJson({ ...(encodePermission(permission) as object), typedData })
      const privateKey = await signingKey(flags)
      await checkAdmitter(chain, flags, privateKeyToAddress(privateKey))
      const signature =
        'admission' in permission
          ? await signAdmission(privateKey, domain, permission.admission)
          : await signRotation(privateKey, domain, permission.rotation)
      printJson(encodePermission({ ...permission, signature }))
    })
}

/** Refuses at once what the chain would refuse later: a key that is none, or that another device has or had. */
async function draft(chain: ReadableChain, flags: AdmitFlags): Promise<SignedAdmission | SignedRotation> {
  const { key, uri: metadataURI, device: deviceId, owner } = flags
  const projectId = await projectOf(chain, flags)
  const holder = await chain.deviceOfKey(projectId, key)
  if (holder !== 0n && holder !== deviceId) throw misused(`Device ${holder} has, or had, this key; make a new one.`)
  const { timestamp } = await chain.client.getBlock()
  const terms = { keyX: key.x, keyY: key.y, deadline: timestamp + (flags.hours ?? DEFAULT_HOURS) * 3600n }
  const common = { chainId: chain.chainId, registry: chain.addresses.devices, signature: null }
  if (deviceId !== undefined) {
    return { format: 'attestream.rotation.v1', ...common, rotation: { deviceId, ...terms } }
  }
  return {
    format: 'attestream.admission.v1',
    ...common,
    admission: { owner: owner!, projectId, metadataURI, ...terms },
  }
}

async function projectOf(chain: ReadableChain, { project, device, owner, uri }: AdmitFlags): Promise<bigint> {
  const isNew = project !== undefined && owner !== undefined && device === undefined
  const isRotation = device !== undefined && project === undefined && owner === undefined && uri === ''
  if (!isNew && !isRotation) {
    throw misused('Give --project and --owner for a new device, or --device alone for another key of a device.')
  }
  return isNew ? project : (await chain.getDevice(device!)).projectId
}

async function checkAdmitter(chain: ReadableChain, flags: AdmitFlags, signer: Hex): Promise<void> {
  const projectId = await projectOf(chain, flags)
  const { admitter } = await chain.getProject(projectId)
  if (isAddressEqual(signer, admitter)) return
  throw misused(`The key is that of ${signer}; the admitter of project ${projectId} is ${admitter}. If it is a smart account, use --unsigned.`) // prettier-ignore
}

function parseKey(text: string): PublicKey {
  const [, x, y] = /^([0-9]{1,77}),([0-9]{1,77})$/.exec(text.trim()) ?? []
  if (x === undefined || y === undefined) throw new InvalidArgumentError('Expected X,Y in decimal.')
  const key = { x: BigInt(x), y: BigInt(y) }
  createVerifier(key)
  return key
}

async function writeSecretKey(file: string): Promise<void> {
  try {
    await writeFile(file, `${bytesToHex(createSecretKey())}\n`, { flag: 'wx', mode: OWNER_ONLY })
  } catch (cause) {
    throw new AttestreamError('INPUT_INVALID', `${file} cannot be made: ${reasonOf(cause)}.`, {}, { cause })
  }
}

async function readSecretKey(file: string): Promise<Uint8Array> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AttestreamError('INPUT_INVALID', `${file} cannot be read: ${reasonOf(cause)}.`, {}, { cause })
  })
  if (/^0x[0-9a-fA-F]{64}\s*$/.test(text)) return hexToBytes(text.trim(), 32)
  throw misused(`${file} is no secret key: expected 0x and 64 hexadecimal digits.`)
}

function misused(message: string): AttestreamError {
  return new AttestreamError('INPUT_INVALID', message)
}
