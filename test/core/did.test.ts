import { describe, expect, it } from 'vitest'
import { deviceDid, parseDid, resolveDevice, type DeviceIdentity } from '../../engine/core/did.ts'
import { publicKey } from '../../engine/core/signature.ts'

const REGISTRY = `0x${'ab'.repeat(20)}` as const
const OWNER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const DID = `did:attestream:31337:${REGISTRY}:7`

const DEVICE: DeviceIdentity = {
  chainId: 31337,
  registry: REGISTRY,
  deviceId: 7n,
  projectId: 1n,
  cohort: 0,
  slot: 2,
  key: publicKey(new Uint8Array(32).fill(1)),
  owner: OWNER,
  status: 'active',
  metadataURI: '',
  registeredSec: 1_790_000_000,
  changedSec: 1_790_000_000,
  changedBlock: 12n,
}

const documentOf = (change: Partial<DeviceIdentity>) => resolveDevice({ ...DEVICE, ...change }).didDocument

describe("a device's DID", () => {
  it('has one form, which is read back', () => {
    expect(deviceDid({ ...DEVICE, registry: `0x${'AB'.repeat(20)}` })).toBe(DID)
    expect(parseDid(DID)).toEqual({ chainId: 31337, registry: REGISTRY, deviceId: 7n })
    const last = { chainId: Number.MAX_SAFE_INTEGER, registry: REGISTRY, deviceId: 2n ** 64n - 1n }
    expect(parseDid(deviceDid(last))).toEqual(last)
  })

  it.each([
    '',
    'did',
    'did:attestream',
    'did:attestream:',
    `did:attestream:31337:${REGISTRY}`,
    `did:attestream:31337:${REGISTRY}:0`,
    `did:attestream:31337:${REGISTRY}:07`,
    `did:attestream:31337:${REGISTRY}:+7`,
    `did:attestream:31337:${REGISTRY}:${2n ** 64n}`,
    `did:attestream:${2n ** 53n}:${REGISTRY}:7`,
    `did:attestream:0:${REGISTRY}:7`,
    `did:attestream:31337:0x${'AB'.repeat(20)}:7`,
    `did:attestream:31337:${REGISTRY.slice(0, -1)}:7`,
    `did:Attestream:31337:${REGISTRY}:7`,
    `DID:attestream:31337:${REGISTRY}:7`,
    `${DID}\n`,
    ` ${DID}`,
    `${DID}#key`,
    `${DID}?versionId=1`,
    `${DID}/path`,
    `${DID}:1`,
    'did:ethr:',
    'did:web:a b',
  ])('is refused in any other form: %j', (text) => {
    expect(() => parseDid(text)).toThrow(expect.objectContaining({ code: 'DID_INVALID' }))
  })

  it('of another method is told apart from no DID', () => {
    for (const other of ['did:web:example.com', 'did:pkh:eip155:1:0xab', 'did:key:z6Mk', 'did:example:a%20b']) {
      expect(() => parseDid(other)).toThrow(expect.objectContaining({ code: 'DID_METHOD_UNKNOWN' }))
    }
  })
})

describe('the document of a device', () => {
  it('names key, owner, metadata and where frames go', () => {
    const metadataURI = 'https://maker.example/devices/7.json'
    const resolved = resolveDevice({ ...DEVICE, metadataURI }, 'https://engine.example/v1/frames')
    expect(resolved).toMatchInlineSnapshot(`
      {
        "didDocument": {
          "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/jwk/v1",
          ],
          "assertionMethod": [
            "did:attestream:31337:0xabababababababababababababababababababab:7#HE3uor2tF2diHJ0rIbnW2DwlNeJV88Ct5z1-QNlbQZA",
          ],
          "controller": "did:pkh:eip155:31337:0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
          "id": "did:attestream:31337:0xabababababababababababababababababababab:7",
          "service": [
            {
              "id": "did:attestream:31337:0xabababababababababababababababababababab:7#metadata",
              "serviceEndpoint": "https://maker.example/devices/7.json",
              "type": "DeviceMetadata",
            },
            {
              "id": "did:attestream:31337:0xabababababababababababababababababababab:7#frames",
              "serviceEndpoint": "https://engine.example/v1/frames",
              "type": "AttestreamFrames",
            },
          ],
          "verificationMethod": [
            {
              "controller": "did:attestream:31337:0xabababababababababababababababababababab:7",
              "id": "did:attestream:31337:0xabababababababababababababababababababab:7#HE3uor2tF2diHJ0rIbnW2DwlNeJV88Ct5z1-QNlbQZA",
              "publicKeyJwk": {
                "alg": "EdDSA-Poseidon",
                "crv": "BabyJubJub",
                "kty": "EC",
                "x": "I0BW2Wi68YP-jSN9SW0cBBiCIM0z6PjRTfm4RHlzayA",
                "y": "JiQ5P62bccBLOxTYrEUgLbtOr_TC0TUMlFP8CNGGUf4",
              },
              "type": "JsonWebKey",
            },
          ],
        },
        "didDocumentMetadata": {
          "attestream": {
            "cohort": 0,
            "owner": "did:pkh:eip155:31337:0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
            "projectId": "1",
            "slot": 2,
            "status": "active",
          },
          "created": "2026-09-21T14:13:20Z",
          "versionId": "12",
        },
      }
    `)
  })

  it('has the coordinates of the key, and a name for it that no other key has', () => {
    const [method] = documentOf({})!.verificationMethod!
    const { x, y } = method!.publicKeyJwk
    const integer = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)
    expect([integer(x), integer(y)]).toEqual([DEVICE.key.x, DEVICE.key.y])
    expect(Buffer.from(x, 'base64url')).toHaveLength(32)
    const [other] = documentOf({ key: publicKey(new Uint8Array(32).fill(2)) })!.verificationMethod!
    expect(other!.id).not.toBe(method!.id)
  })

  it('B-04 has no key while the device is suspended, and there is none once it is revoked', () => {
    const suspended = resolveDevice({ ...DEVICE, status: 'suspended', changedSec: 1_790_000_060, changedBlock: 20n })
    expect(suspended.didDocument).not.toHaveProperty('verificationMethod')
    expect(suspended.didDocument).not.toHaveProperty('assertionMethod')
    expect(suspended.didDocumentMetadata).toMatchObject({
      updated: '2026-09-21T14:14:20Z',
      versionId: '20',
      attestream: { status: 'suspended' },
    })
    expect(suspended.didDocumentMetadata).not.toHaveProperty('deactivated')
    const revoked = resolveDevice({ ...DEVICE, status: 'revoked' })
    expect(revoked.didDocument).toBeNull()
    expect(revoked.didDocumentMetadata).toMatchObject({ deactivated: true, attestream: { status: 'revoked' } })
  })

  it('links a metadata URI that is a DID as another name', () => {
    expect(documentOf({ metadataURI: 'did:web:maker.example:7' })).toMatchObject({
      alsoKnownAs: ['did:web:maker.example:7'],
      service: [{ type: 'DeviceMetadata', serviceEndpoint: 'did:web:maker.example:7' }],
    })
    expect(documentOf({ metadataURI: 'https://maker.example/7/did.json' })).not.toHaveProperty('alsoKnownAs')
  })

  it.each([
    'javascript:alert(1)',
    'data:text/html,<script>',
    'file:///etc/passwd',
    'https://a.example/"onload="x',
    'https://a.example/<b>',
    'https://a.example/\u202e',
    'no uri',
    `https://a.example/${'a'.repeat(3000)}`,
  ])('passes on nothing that is not a plain URI: %.40s', (metadataURI) => {
    expect(documentOf({ metadataURI })).not.toHaveProperty('service')
  })
})
