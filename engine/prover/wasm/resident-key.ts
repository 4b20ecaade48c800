// A proving key in the kernel's memory: read once from a .zkey file, piece by piece, and converted to what proofs work with. Points
// at infinity are left out, the B points of G1 are not read at all. All space that a proof needs is taken here too: once a key is
// loaded, a proof fails for want of memory no more.

import { BASE_FIELD_ORDER, FIELD_ORDER } from '../../core/field.ts'
import { GROUPS, Kernel, SCALAR_BYTES, type Address, type Group } from './kernel.ts'
import { openContainer, type Container, type Section } from '../sections.ts'
import { ELEMENT_BYTES } from './unrolled-field.ts'

const ZKEY = { protocol: 1, header: 2, terms: 4, a: 5, b2: 7, c: 8, h: 9 } as const
const GROTH16 = 1
const TERM_BYTES = 44
/** Two field widths, two orders, three sizes; then α, β, β, γ, δ, δ. */
const HEADER = { wires: 72, publics: 76, domain: 80, alpha1: 84, beta2: 212, delta2: 532, size: 660 } as const
const MAX_DOMAIN_LOG = 27
const PIECE_ITEMS = 4096

/** Points of a key with the wire (or row) that each belongs to. */
export interface Bases {
  readonly group: Group
  readonly count: number
  readonly points: Address
  readonly indices: Address
}

export interface Matrices {
  /** Where the terms of each row begin: all rows of A, then all of B, then the end. */
  readonly rowStart: Address
  /** Pairs of wire and number of the coefficient. */
  readonly terms: Address
  readonly coefficients: Address
}

export interface ResidentKey {
  readonly kernel: Kernel
  readonly wires: number
  /** Public signals, without the constant wire. */
  readonly publics: number
  /** log2 of the evaluation domain. */
  readonly log: number
  readonly alpha1: Address
  readonly beta2: Address
  readonly delta2: Address
  readonly bases: Readonly<Record<'a' | 'b2' | 'c' | 'h', Bases>>
  readonly matrices: Matrices
  readonly domain: Domain
  readonly workspace: Workspace
}

/** Factors of the transforms and of the change of coset between them. */
export interface Domain {
  readonly toCoefficients: Address
  readonly toValues: Address
  /** 1/n, and the root of order 2n that moves the domain to the odd half of the next. */
  readonly first: Address
  readonly step: Address
}

export interface Workspace {
  /** 32 bytes per wire. */
  readonly witness: Address
  /** 32 bytes per row. */
  readonly quotient: Address
  /** The rest, used for one thing after the other. */
  readonly scratch: Address
}

/** Throws an Error that says what is wrong with the file, or how much memory is missing. */
export function loadKey(module: WebAssembly.Module, path: string, ceilingBytes?: number): ResidentKey {
  const file = openContainer(path, 'zkey', 1)
  try {
    return new KeyLoader(new Kernel(module, ceilingBytes), file).load()
  } finally {
    file.close()
  }
}

class KeyLoader {
  private readonly kernel: Kernel
  private readonly file: Container
  private readonly curve: Readonly<Record<Group, Address>>

  constructor(kernel: Kernel, file: Container) {
    this.kernel = kernel
    this.file = file
    this.curve = { g1: kernel.baseElement(3n), g2: kernel.baseElement(...twistConstant()) }
  }

  load(): ResidentKey {
    this.checkProtocol()
    const head = this.header()
    const wires = head.readUInt32LE(HEADER.wires)
    const publics = head.readUInt32LE(HEADER.publics)
    const log = domainLog(head.readUInt32LE(HEADER.domain))
    const rows = 2 ** log
    if (publics >= wires) throw new Error(`it has ${publics} public signals and only ${wires} wires`)
    const point = (group: Group, at: number) => this.point(group, head.subarray(at, at + GROUPS[group].fileBytes))
    const shared = {
      kernel: this.kernel,
      wires,
      publics,
      log,
      alpha1: point('g1', HEADER.alpha1),
      beta2: point('g2', HEADER.beta2),
      delta2: point('g2', HEADER.delta2),
    }
    const bases = {
      a: this.bases('g1', 'A', this.points(ZKEY.a, 'A', 'g1', wires), 0),
      b2: this.bases('g2', 'B2', this.points(ZKEY.b2, 'B2', 'g2', wires), 0),
      c: this.bases('g1', 'C', this.points(ZKEY.c, 'C', 'g1', wires - publics - 1), publics + 1),
      h: this.bases('g1', 'H', this.points(ZKEY.h, 'H', 'g1', rows), 0),
    }
    const domain = this.domain(log)
    const matrices = this.matrices(rows, wires)
    return { ...shared, bases, matrices, domain, workspace: this.workspace(wires, rows, Object.values(bases)) }
  }

  private checkProtocol(): void {
    const protocol = Buffer.alloc(4)
    this.file.read(this.file.section(ZKEY.protocol, 'protocol', 4), 0, protocol)
    if (protocol.readUInt32LE(0) !== GROTH16) throw new Error('it is no key for Groth16')
  }

  private header(): Buffer {
    const head = Buffer.alloc(HEADER.size)
    this.file.read(this.file.section(ZKEY.header, 'header', HEADER.size), 0, head)
    const field = (at: number) =>
      BigInt(
        `0x${Buffer.from(head.subarray(at + 4, at + 36))
          .reverse()
          .toString('hex')}`,
      )
    if (head.readUInt32LE(0) !== 32 || field(0) !== BASE_FIELD_ORDER || field(36) !== FIELD_ORDER) {
      throw new Error('it is not over BN254')
    }
    return head
  }

  private points(id: number, name: string, group: Group, count: number): Section {
    return this.file.section(id, name, count * GROUPS[group].fileBytes)
  }

  /** A single point; throws if it is none or infinity. */
  private point(group: Group, bytes: Uint8Array): Address {
    const point = this.kernel.allocate(2 * GROUPS[group].coordinateBytes)
    const mark = this.kernel.mark()
    const staged = this.kernel.allocate(bytes.length)
    this.kernel.bytes(staged, bytes.length).set(bytes)
    const index = this.kernel.allocate(4)
    const known = this.kernel.callGroup(group, 'loadPoints', point, index, 0, staged, 1, 0, this.curve[group])
    if (known !== 1) throw new Error('a point of its header is not on the curve')
    this.kernel.release(mark)
    return point
  }

  /** Reads a section of points; point k belongs to index first + k. */
  private bases(group: Group, name: string, section: Section, first: number): Bases {
    const { coordinateBytes, fileBytes } = GROUPS[group]
    const { kernel } = this
    const total = section.size / fileBytes
    const points = kernel.allocate(total * 2 * coordinateBytes)
    const staged = { indices: kernel.allocate(total * 4), piece: kernel.allocate(PIECE_ITEMS * fileBytes) }
    let count = 0
    for (let at = 0; at < total; at += PIECE_ITEMS) {
      const items = Math.min(PIECE_ITEMS, total - at)
      this.file.read(section, at * fileBytes, kernel.bytes(staged.piece, items * fileBytes))
      const known = [points, staged.indices, count, staged.piece, items, first + at, this.curve[group]] as const
      const result = kernel.callGroup(group, 'loadPoints', ...known)
      if (result < 0) throw new Error(`point ${at - 1 - result} of section ${name} is not on the curve`)
      count = result
    }
    kernel.release(points)
    kernel.allocate(count * 2 * coordinateBytes)
    const indices = kernel.allocate(count * 4)
    kernel.bytes(0, kernel.memory.buffer.byteLength).copyWithin(indices, staged.indices, staged.indices + count * 4)
    return { group, count, points, indices }
  }

  private domain(log: number): Domain {
    const { kernel } = this
    const entries = 2 ** Math.max(log - 1, 0)
    const root = kernel.fieldElement(rootOfUnity(log))
    const inverse = kernel.fieldElement(power(rootOfUnity(log), FIELD_ORDER - 2n))
    const toCoefficients = kernel.allocate(entries * ELEMENT_BYTES)
    const toValues = kernel.allocate(entries * ELEMENT_BYTES)
    kernel.call('fillFactors', toCoefficients, inverse, log)
    kernel.call('fillFactors', toValues, root, log)
    const first = kernel.fieldElement(power(2n ** BigInt(log), FIELD_ORDER - 2n))
    const step = kernel.fieldElement(rootOfUnity(log + 1))
    return { toCoefficients, toValues, first, step }
  }

  /** Reads the terms twice: to count those of each row, and to put them there. */
  private matrices(rows: number, wires: number): Matrices {
    const { kernel } = this
    const section = this.file.section(ZKEY.terms, 'terms')
    const total = (section.size - 4) / TERM_BYTES
    const count = Buffer.alloc(4)
    this.file.read(section, 0, count)
    if (count.readUInt32LE(0) !== total)
      throw new Error(`section terms has not the size of ${count.readUInt32LE(0)} terms`)
    const rowStart = kernel.allocate((2 * rows + 2) * 4)
    kernel.bytes(rowStart, (2 * rows + 2) * 4).fill(0)
    const terms = kernel.allocate(total * 8)
    const coefficients = kernel.mark()
    const slotsLog = Math.ceil(Math.log2(2 * total + 2))
    kernel.allocate(total * ELEMENT_BYTES)
    const slots = kernel.allocate(4 * 2 ** slotsLog)
    const piece = kernel.allocate(PIECE_ITEMS * TERM_BYTES)
    const eachPiece = (use: (items: number, at: number) => void) => {
      for (let at = 0; at < total; at += PIECE_ITEMS) {
        const items = Math.min(PIECE_ITEMS, total - at)
        this.file.read(section, 4 + at * TERM_BYTES, kernel.bytes(piece, items * TERM_BYTES))
        use(items, at)
      }
    }
    eachPiece((items, at) => {
      const bad = kernel.call('countTerms', rowStart, rows, wires, piece, items)
      if (bad >= 0)
        throw new Error(`term ${at + bad} of section terms names no row, wire or coefficient of the circuit`)
    })
    kernel.call('startRows', rowStart, rows)
    kernel.call('clearCoefficients', slots, slotsLog)
    let known = 0
    eachPiece((items) => {
      known = kernel.call('fillTerms', rowStart, rows, terms, coefficients, slots, slotsLog, piece, items)
    })
    kernel.release(coefficients)
    kernel.allocate(known * ELEMENT_BYTES)
    return { rowStart, terms, coefficients }
  }

  private workspace(wires: number, rows: number, bases: readonly Bases[]): Workspace {
    const { kernel } = this
    const witness = kernel.allocate(wires * SCALAR_BYTES)
    const quotient = kernel.allocate(rows * SCALAR_BYTES)
    const transforms = (3 * rows + wires) * ELEMENT_BYTES
    const sums = bases.map(({ group, count }) => kernel.callGroup(group, 'msmBytes', count))
    return { witness, quotient, scratch: kernel.allocate(Math.max(transforms, ...sums)) }
  }
}

function domainLog(size: number): number {
  const log = Math.log2(size)
  if (Number.isInteger(log) && log >= 1 && log <= MAX_DOMAIN_LOG) return log
  throw new Error(`its domain of ${size} is not a power of two from 2 to 2^${MAX_DOMAIN_LOG}`)
}

/** b of G2's curve y² = x³ + 3/(9 + i). */
function twistConstant(): [bigint, bigint] {
  const inverse = power(82n, BASE_FIELD_ORDER - 2n, BASE_FIELD_ORDER)
  return [27n * inverse, -3n * inverse]
}

/** Primitive root of unity of order 2^log, as snarkjs chooses it. */
function rootOfUnity(log: number): bigint {
  return power(5n, (FIELD_ORDER - 1n) >> BigInt(log))
}

/** base^exponent modulo the order. */
function power(base: bigint, exponent: bigint, order: bigint = FIELD_ORDER): bigint {
  let result = 1n
  for (let b = base % order; exponent > 0n; exponent >>= 1n, b = (b * b) % order) {
    if (exponent & 1n) result = (result * b) % order
  }
  return result
}
